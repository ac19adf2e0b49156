/* SPDX-License-Identifier: ISC */
/* The image of a scenario's lipap, handled as ptt does: made, changed while lipap does not run, looked at. All of it runs
 * in a fiber over a host whose disk is the image, and says what is wrong by an outcome of store.h. */
#ifndef TESTS_SIM_IMAGE_H
#define TESTS_SIM_IMAGE_H

#include "host/host.h"
#include "tests/sim/scenario.h"

#define IMAGE_NAME "lipap.img" /* of the block; a simulated disk does not care */

/* Make the image with all lists and members of the scenario. */
MUST_USE enum err image_make(struct host *h, const struct scenario *s);

/* Somebody joins or leaves a list.
 *   ERR_OK, also when it was so; ERR_SEQUENCE: lipap has died with the image, and must run first; ... */
MUST_USE enum err image_change(struct host *h, struct str list, struct str email, bool joins);

/* Look at all of an image, in any state, replaying what a dead process left.
 * Each fault is told, and all that waits or has failed. The slices are borrowed for the call. */
struct image_watch {
        void (*fault)(void *ctx, struct str what);
        void (*queued)(void *ctx, struct str message_id, struct str address); /* empty: for more than one */
        void (*failed)(void *ctx, struct str message_id, struct str address);
        void (*member)(void *ctx, struct str list, struct str address);
        void *ctx;
};
MUST_USE enum err image_look(struct host *h, const struct image_watch *watch);

#endif
