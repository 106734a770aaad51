/* scene.h - a meeting read from JSON, so that a decision can be asked about it. pure
 *
 * Builds the same view that the server keeps of a room: from `room` of a vector, or from
 * `--occupants FILE`. */
#pragma once
#include "policy/name.h"
#include "policy/view.h"

enum { SCENE_OCCUPANTS_MAX = 10000 };

struct scene_seat {
	struct seat seat;
	struct str who;
	struct name_skeleton skeleton;
};

struct scene {
	struct room_view view;
	struct scene_seat *seats; /* owned; in the order of joining */
	size_t n_seats;
	struct identity *bans; /* owned */
	size_t n_bans;
};

/* room: an object as `room` of a vector; borrowed, as the settings are, while the scene lives. On
 * error false, *error says why; scene_done is right in either case. */
bool scene_build(struct scene *s, const struct jval *room, const struct policy_settings *settings,
        const char **error);
void scene_done(struct scene *s);

/* The seat of this name, or NULL. */
const struct seat *scene_find(const struct scene *s, struct str who);
struct str scene_who(const struct scene *s,
        const struct seat *seat); /* absent for a seat that is not of the scene */
