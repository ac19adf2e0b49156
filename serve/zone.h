/* SPDX-License-Identifier: ISC */
/* Keeps the keys of one signing domain: one fiber drives the zone machine (auth/zone.h) against the primary name server,
 * derives the keys that it asks for, and logs what it tells. Signers ask here for the key of the moment. */
#ifndef SERVE_ZONE_H
#define SERVE_ZONE_H

#include <stdbool.h>
#include <stdint.h>

#include "auth/key.h"
#include "auth/zone.h"
#include "base/str.h"
#include "dns/tsig.h"
#include "host/host.h"
#include "serve/dns_exchange.h"
#include "serve/metrics.h"

struct zone_keeper_config {
        struct str domain; /* A-labels in lower case; borrowed for the keeper's life */
        struct dns_name zone;
        struct dns_server primary;
        const struct tsig_key *tsig;         /* borrowed for the keeper's life */
        const struct key_password *password; /* borrowed for the call */
        struct str selector;     /* a pattern that zone_selector_check takes; borrowed as the domain */
        struct str arc_selector; /* the same for ARC seals; empty: no such keys are kept */
        bool has_ed25519; /* a second DKIM key, its selector that of `selector` with ed25519-%d for %d */
        int64_t validity_s, overlap_s, queue_life_s;
        uint32_t ttl_s;
        enum zone_mode mode;
        bool is_rotation_test; /* look at the zone each second */
};

struct zone_keeper;

/* A keeper, owned by the caller. Stretches the password: takes 0.1 to 0.5 s without yielding.
 *   ERR_OK
 *   ERR_SYNTAX, ERR_LIMIT  not a domain that can sign
 *   ERR_MEMORY, ERR_CRYPTO    (`*out` is NULL on errors) */
MUST_USE enum err zone_keeper_new(
        struct host *h, const struct zone_keeper_config *config, struct zone_keeper **out);
/* The fiber: works until it is cancelled, or a revocation has ended. `arg` is the keeper. */
void zone_keeper_run(void *arg);
void zone_keeper_free(struct zone_keeper *k); /* after its fiber has ended; NULL is harmless */

/* How a revocation (`mode`) went, as zone_revoked has it. */
MUST_USE enum err zone_keeper_revoked(const struct zone_keeper *k);

struct str zone_keeper_domain(const struct zone_keeper *k);

struct zone_signing_key {
        const struct crypto_key *key; /* NULL: none of this kind may sign now */
        struct str selector;
        int64_t epoch;
        int64_t time_s;   /* now, for t= */
        int64_t expiry_s; /* for x= */
};

/* What signs at this moment, kind by kind. Kinds may stand at different epochs: near a change of keys, or while a
 * record that somebody has spoilt is being put right. */
struct zone_signing_set {
        struct zone_signing_key keys[ZONE_KINDS];
        enum zone_lack lack; /* of keys[ZONE_DKIM_RSA] */
        struct str reason;   /* the same in words, for a log line or the text of a 4xx; empty with ERR_OK */
};

/* The keys to sign with now. Everything in `*out` is borrowed until the calling fiber blocks or yields.
 *   ERR_OK         keys[ZONE_DKIM_RSA] may sign. Of the others `key` is NULL when the kind is not wanted or rests: then
 *                  the message goes without that signature or seal
 *   ERR_NOT_FOUND  nothing may: every `key` is NULL, `lack` and `reason` say why; the message is answered 4xx */
MUST_USE enum err zone_keeper_keys(const struct zone_keeper *k, struct zone_signing_set *out);

/* The same for ZONE_DKIM_RSA alone. */
MUST_USE enum err zone_keeper_key(
        const struct zone_keeper *k, struct zone_signing_key *out, struct str *reason);

/* Does an earlier signature spare a message another one? As zone_vouches has it. */
bool zone_keeper_vouches(const struct zone_keeper *k, struct str selector, int64_t expiry_s);

/* For metrics and health. Times are Unix seconds, 0: not known or none. */
struct zone_keeper_status {
        bool is_ready; /* something may sign */
        enum zone_lack lack;
        int64_t epoch;                /* that signs (ZONE_DKIM_RSA) */
        int64_t expiry_s;             /* of what it signs */
        int64_t next;                 /* epoch that is announced */
        int64_t change_s;             /* when the next epoch takes over */
        int64_t read_s;               /* when the zone's pointer was last read well */
        struct dns_errors dns_errors; /* questions and updates that failed, since the start */
        uint64_t updates;             /* changes of the zone that the primary confirmed */
};
void zone_keeper_status(const struct zone_keeper *k, struct zone_keeper_status *out);

#endif
