/* seat.c - words of seats, and taking a verdict in. pure */
#include "policy/seat.h"

#include "policy/verdict.h"

static const char *const affiliations[] = {"none", "outcast", "member", "admin", "owner"};
static const char *const roles[] = {"none", "visitor", "participant", "moderator"};
static const char *const sources[] = {"none", "granted", "mode", "token"};

#define COUNT(a) (sizeof(a) / sizeof *(a))

const char *affiliation_name(enum affiliation a)
{
	return affiliations[a];
}

const char *role_name(enum role r)
{
	return roles[r];
}

const char *source_name(enum source s)
{
	return sources[s];
}

/* Index of the word, or n. */
static size_t find_word(struct str word, const char *const *words, size_t n)
{
	size_t i = 0;
	while (i < n && !str_eqc(word, words[i]))
		i++;
	return i;
}

bool affiliation_parse(struct str word, enum affiliation *out)
{
	size_t i = find_word(word, affiliations, COUNT(affiliations));
	if (i == COUNT(affiliations))
		return false;
	*out = (enum affiliation)i;
	return true;
}

bool role_parse(struct str word, enum role *out)
{
	size_t i = find_word(word, roles, COUNT(roles));
	if (i == COUNT(roles))
		return false;
	*out = (enum role)i;
	return true;
}

bool source_parse(struct str word, enum source *out)
{
	size_t i = find_word(word, sources, COUNT(sources));
	if (i == COUNT(sources))
		return false;
	*out = (enum source)i;
	return true;
}

void seat_apply(struct seat *s, const struct verdict *v)
{
	s->affiliation = v->affiliation;
	s->role = v->role;
	s->source = v->source;
	s->denied = v->denied;
	s->revoked = v->revoked;
	s->expired = v->expired;
	s->visitor = v->visitor;
	s->own_features = v->own_features;
	s->lent_features = v->lent_features;
	s->lent = v->lent;
	if (v->has_name) {
		s->name_frozen = v->name_frozen;
		s->name_marked = v->name_marked;
	}
}
