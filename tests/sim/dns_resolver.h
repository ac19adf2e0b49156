/* SPDX-License-Identifier: ISC */
/* What a resolver does with a question: its cache, and the servers of the world that it asks. One a node's life. */
#ifndef TESTS_SIM_DNS_RESOLVER_H
#define TESTS_SIM_DNS_RESOLVER_H

#include "host/host.h"
#include "tests/sim/dns_content.h"
#include "tests/sim/dns_peer.h"

#define DNS_CACHED_MAX 1024  /* answers; beyond it the one that would expire first goes */
#define DNS_RESOLVER_TRIES 4 /* of servers, drawn anew each */
#define DNS_RESOLVER_TRY_MS 1000

struct dns_resolver;
struct dns_cached;

struct dns_resolver *dns_resolver_new(struct dns_peer *p, struct host *h);
void dns_resolver_free(struct dns_resolver *r); /* nothing is held any more; NULL is nothing */

/* Answers that a content borrows from. */
struct dns_held {
        size_t count;
        struct dns_cached *all[DNS_CNAME_MAX + 1];
};

/* Answer from the cache, or by asking. SERVFAIL when no server gave an answer. Blocks.
 *   ERR_OK, ERR_CANCELLED; in each case `*held` is to be released */
MUST_USE enum err dns_resolver_answer(
        struct dns_resolver *r, const struct dns_question *q, struct dns_content *out, struct dns_held *held);
void dns_resolver_release(struct dns_held *held);

#endif
