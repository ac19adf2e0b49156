/* SPDX-License-Identifier: ISC */
/* How many connections an address of a mail host has from us, whichever destinations they serve. A provider may give each of
 * its customers a host name of their own: each is a destination then, and all of them stand at the same few addresses, which
 * count what comes from us.
 *
 * Each address has DELIVERY_WORKERS_EACH places; fewer for a while, once it said 421 to one connection more. Who finds them
 * taken waits for one, and those who have them take turns: they leave when they have nothing to say, or said enough. */
#ifndef SERVE_DELIVERY_ADDRESS_H
#define SERVE_DELIVERY_ADDRESS_H

#include "serve/delivery_internal.h"

struct delivery_address {
        struct delivery_address *next; /* in its bucket */
        struct ip ip;
        unsigned places;
        unsigned taken;    /* of them */
        unsigned open;     /* of those, by a session that began */
        unsigned waiting;  /* for one */
        unsigned refused;  /* connections, since one became a session */
        int64_t more_ms;   /* monotonic: from then on, one place more may be tried */
        int64_t served_ms; /* monotonic: a session that brought mail ended */
        struct bell bell;  /* a place is free */
};

/* Take a place at `ip`, waiting DELIVERY_ADDRESS_WAIT_MS for one.
 *   ERR_OK           `*out` is to be left by delivery_address_leave
 *   ERR_TIMEOUT      all are taken
 *   ERR_CANCELLED, ERR_MEMORY */
MUST_USE enum err delivery_address_enter(
        struct delivery *delivery, const struct ip *ip, struct delivery_address **out);
/* The connection became a session. */
void delivery_address_opened(struct delivery *delivery, struct delivery_address *a);
/* It was refused with 421. True: that is about the number of them, so it is no failure of the host. */
bool delivery_address_is_crowded(struct delivery *delivery, struct delivery_address *a);
/* The place is free; `was_open`: the connection was a session, which brought mail if `was_served`. */
void delivery_address_leave(
        struct delivery *delivery, struct delivery_address *a, bool was_open, bool was_served);
/* Does somebody wait for the place of a session in which so many recipients were tried, and is it its turn to leave it? */
bool delivery_address_is_wanted(const struct delivery_address *a, unsigned tried);

void delivery_addresses_look_after(
        struct delivery *delivery); /* those of which nothing is to be known go away */
void delivery_addresses_end(struct delivery *delivery);

#endif
