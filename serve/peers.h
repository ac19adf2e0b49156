/* SPDX-License-Identifier: ISC */
/* How many sessions an address has open. The entries are the callers', one in each session, so there is no memory of its own to
 * fill; buckets are chosen by a keyed hash, so nobody can fill one of them. Of IPv6 a /64 counts as one: whoever has one address
 * there has them all. */
#ifndef SERVE_PEERS_H
#define SERVE_PEERS_H

#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"

#define PEERS_BUCKETS 1024

struct peer {
        struct peer *next;
        struct ip key; /* family 0: not in the table */
};

/* All zeros but for the key, which is random. */
struct peers {
        uint8_t key[16];
        struct peer *buckets[PEERS_BUCKETS];
};

/* One more session of `ip`: how many it has now. */
size_t peers_enter(struct peers *p, struct peer *peer, const struct ip *ip);
void peers_leave(struct peers *p, struct peer *peer); /* harmless for one that is not there */

#endif
