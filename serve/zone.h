/* SPDX-License-Identifier: ISC */
/* Keeps the keys of one signing domain: one fiber drives the zone machine (auth/zone.h) against the primary name server,
 * derives the keys that it asks for, and logs what it tells. Signers ask here for the key of the moment. */
#ifndef SERVE_ZONE_H
#define SERVE_ZONE_H

#include <stdint.h>

#include "auth/key.h"
#include "auth/zone.h"
#include "base/str.h"
#include "dns/tsig.h"
#include "host/host.h"
#include "serve/dns_exchange.h"

struct zone_keeper_config {
        struct str domain; /* A-labels in lower case; borrowed for the keeper's life */
        struct dns_name zone;
        struct dns_server primary;
        const struct tsig_key *tsig;         /* borrowed for the keeper's life */
        const struct key_password *password; /* borrowed for the call */
        struct str selector; /* a pattern that zone_selector_check takes; borrowed as the domain */
        int64_t validity_s, overlap_s, queue_life_s;
        uint32_t ttl_s;
};

struct zone_keeper;

/* A keeper, owned by the caller. Stretches the password: takes 0.1 to 0.5 s without yielding.
 *   ERR_OK
 *   ERR_SYNTAX, ERR_LIMIT  not a domain that can sign
 *   ERR_MEMORY, ERR_CRYPTO    (`*out` is NULL on errors) */
MUST_USE enum err zone_keeper_new(
        struct host *h, const struct zone_keeper_config *config, struct zone_keeper **out);
/* The fiber: works until it is cancelled. `arg` is the keeper. */
void zone_keeper_run(void *arg);
void zone_keeper_free(struct zone_keeper *k); /* after its fiber has ended; NULL is harmless */

struct str zone_keeper_domain(const struct zone_keeper *k);

struct zone_signing_key {
        const struct crypto_key *key;
        struct str selector;
        int64_t time_s;   /* now, for t= */
        int64_t expiry_s; /* for x= */
};

/* The key to sign with now. Everything in `*out` is borrowed until the calling fiber blocks or yields.
 *   ERR_OK
 *   ERR_NOT_FOUND  there is none: `*reason` says why, borrowed likewise */
MUST_USE enum err zone_keeper_key(
        const struct zone_keeper *k, struct zone_signing_key *out, struct str *reason);

#endif
