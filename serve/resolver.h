/* SPDX-License-Identifier: ISC */
/* A stub resolver: asks full resolvers, follows CNAMEs, remembers answers within bounds, and lets equal questions that
 * are asked at one time share one query. Ids are random, and so are the ports of its sockets (serve/dns_sockets.h). */
#ifndef SERVE_RESOLVER_H
#define SERVE_RESOLVER_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "dns/answer.h"
#include "dns/known.h"
#include "host/host.h"
#include "serve/dns_exchange.h"
#include "serve/metrics.h"

#define RESOLVER_SERVERS_MAX 8
#define RESOLVER_AT_ONCE 32 /* of one resolver_answer: a hostile message may want some hundred answers */
#define RESOLVER_AT_ONCE_CROWDED 2 /* the same while half of DNS_QUERIES_MAX questions are on their way */

/* Zeros mean the values of base/limits.h. */
struct resolver_config {
        const struct dns_server
                *servers;    /* copied; asked in this order, a server that fails gives way to the next */
        size_t server_count; /* 1 to RESOLVER_SERVERS_MAX */
        int64_t timeout_ms;  /* of one try in the first round, twice that in the next: DNS_QUERY_TIMEOUT_MS */
        unsigned rounds;     /* over all servers, at most 8: DNS_QUERY_ROUNDS */
        size_t cache_entries; /* DNS_CACHE_ENTRIES_MAX */
        size_t cache_bytes;   /* DNS_CACHE_BYTES_MAX */
};

struct resolver;

/* A resolver whose queries run in a scope of the calling fiber; NULL when memory is out. */
struct resolver *resolver_new(struct host *h, const struct resolver_config *config);
/* Cancel the queries, wait for their fibers, free. In the fiber that called resolver_new, when no fiber is
 * inside resolver_lookup any more. */
void resolver_free(struct resolver *r);

/* Ask for records of class IN. Values are copied to `arena`.
 *   ERR_OK         `out->status` is DNS_FOUND, DNS_NO_DATA or DNS_NO_NAME
 *   ERR_TIMEOUT    no server answered in time, or the deadline passed
 *   ERR_DENIED     the servers failed: `out->rcode` (SERVFAIL, REFUSED ...) is the last answer
 *   ERR_LIMIT      a chain of CNAMEs that loops or is too long
 *   ERR_SYNTAX     only malformed answers
 *   ERR_MEMORY     memory or `arena` is full
 *   ERR_CANCELLED, or the last error of the network
 * All but ERR_LIMIT may pass: to a peer they are a temporary failure. On errors `out->count` is 0. */
MUST_USE enum err resolver_lookup(struct resolver *r, const struct dns_name *name, uint16_t type,
        int64_t deadline_ms, struct arena *arena, struct dns_answer *out);

/* Answer all that is wanted in `known` (dns/known.h), RESOLVER_AT_ONCE questions at one time, or RESOLVER_AT_ONCE_CROWDED; what cannot be had until
 * the deadline is given as trouble. Costs no fiber beside those of the queries.
 *   ERR_OK, and nothing is wanted any more; ERR_CANCELLED */
MUST_USE enum err resolver_answer(struct resolver *r, struct dns_known *known, int64_t deadline_ms);

/* Answer what of it is remembered, without asking anybody: never blocks.
 *   whether nothing is wanted any more */
MUST_USE bool resolver_answer_remembered(struct resolver *r, struct dns_known *known);

struct resolver_stats {
        uint64_t lookups;
        uint64_t hits;            /* answered from the cache */
        uint64_t shared;          /* waited for another's query */
        uint64_t queries;         /* sent to a server */
        struct dns_errors errors; /* of queries */
        uint64_t evicted;
        size_t entries; /* in the cache now */
        size_t bytes;
};
void resolver_stats(const struct resolver *r, struct resolver_stats *out);
void resolver_flush(struct resolver *r); /* forget all answers */

#endif
