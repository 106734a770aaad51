/* bosh_window.c - the numbers of a BOSH session's requests. pure */
#include "session/bosh_window.h"

void bosh_window_open(struct bosh_window *w, uint64_t rid)
{
	w->first = w->next = rid;
}

uint64_t bosh_window_oldest(const struct bosh_window *w)
{
	return w->next - w->first > BOSH_REPLAYS ? w->next - BOSH_REPLAYS : w->first;
}

enum bosh_turn bosh_window_judge(const struct bosh_window *w, uint64_t rid)
{
	if (rid == 0 || rid > BOSH_RID_MAX)
		return BOSH_LOST;
	if (rid < w->next)
		return rid >= bosh_window_oldest(w) ? BOSH_AGAIN : BOSH_LOST;
	if (rid == w->next)
		return BOSH_NOW;
	return rid - w->next < BOSH_REQUESTS ? BOSH_EARLY : BOSH_LOST;
}

void bosh_window_move(struct bosh_window *w)
{
	w->next++;
}

unsigned bosh_window_place(uint64_t rid)
{
	return (unsigned)(rid % BOSH_REPLAYS);
}
