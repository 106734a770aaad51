/* list.h - intrusive doubly linked list with a head. pure */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *prev, *next;
};

#define LIST_OWNER(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))
#define LIST_EACH(it, head) for (struct list *it = (head)->next; it != (head); it = it->next)
/* `it` may be removed inside the loop */
#define LIST_EACH_SAFE(it, head)                                                                   \
	for (struct list *it = (head)->next, *it##_next = it->next; it != (head);                  \
	        it = it##_next, it##_next = it->next)

static inline void list_init(struct list *head)
{
	head->prev = head->next = head;
}
static inline bool list_empty(const struct list *head)
{
	return head->next == head;
}
static inline bool list_linked(const struct list *node)
{
	return node->next && node->next != node;
}
static inline void list_append(struct list *head, struct list *node)
{
	node->prev = head->prev;
	node->next = head;
	head->prev->next = node;
	head->prev = node;
}
static inline void list_remove(struct list *node)
{
	if (!node->next)
		return;
	node->prev->next = node->next;
	node->next->prev = node->prev;
	node->prev = node->next = node;
}
