/* lock.h - a mutex, for the few tables that all workers share. pure
 *
 * Held for a few lines at a time, never while something is called back. Nothing that belongs to a
 * conference has one. */
#pragma once
#include <pthread.h>
#include <stdbool.h>

struct lock {
	pthread_mutex_t mutex;
};

static inline bool lock_init(struct lock *l)
{
	return pthread_mutex_init(&l->mutex, NULL) == 0;
}
static inline void lock_done(struct lock *l)
{
	pthread_mutex_destroy(&l->mutex);
}
static inline void lock_take(struct lock *l)
{
	pthread_mutex_lock(&l->mutex);
}
static inline void lock_give(struct lock *l)
{
	pthread_mutex_unlock(&l->mutex);
}
