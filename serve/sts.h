/* SPDX-License-Identifier: ISC */
/* MTA-STS (RFC 8461) for those who deliver: what the policy of a domain says of one of its mail hosts. Policies are fetched
 * over HTTPS (sts_fetch.h), kept in the store, and looked after when mail for the domain goes out:
 *   - one that is kept is fetched anew when the domain's TXT record tells another id, and after a day (STS_REFRESH_MS) also
 *     where there is no record (3.3);
 *   - until it expires it is used whatever DNS and HTTPS say or do not say: who suppresses them gains nothing (5.1, 10.2);
 *   - a fetch that failed is not tried again for STS_RETRY_MS, and a policy of max_age 0 holds so long;
 *   - who asks for a domain while its policy is being fetched waits for that fetch. */
#ifndef SERVE_STS_H
#define SERVE_STS_H

#include "auth/sts.h"
#include "crypto/tls.h"
#include "serve/resolver.h"
#include "store/store.h"

struct sts_config {
        struct host *host;
        struct store *store;
        struct resolver *resolver;
        struct tls_context *roots; /* a client's, with roots: they vouch for the servers of policies */
        uint16_t port;             /* of these: 443, but for tests */
        int64_t place_ms; /* a fetch waits so long for its turn, then it has failed; 0: STS_FETCH_MS */
};

struct sts_stats {
        uint64_t fetched, failed; /* policies, over HTTPS */
};

struct sts;

/* All that is borrowed outlives it. NULL when memory is out. */
struct sts *sts_new(const struct sts_config *config);
void sts_free(struct sts *s); /* when nobody is inside sts_find any more; NULL is harmless */
struct sts_stats sts_stats(const struct sts *s);

struct sts_verdict {
        enum sts_mode mode; /* STS_NONE: no policy, or one that asks for nothing */
        bool is_listed;     /* the policy names the host */
};

/* What the policy of `domain` says of `host`; may take STS_FETCH_MS. Both are names, not addresses.
 *   ERR_OK
 *   ERR_MEMORY, ERR_CANCELLED, and the errors of the store: not known now, so nothing may be sent */
MUST_USE enum err sts_find(struct sts *s, struct str domain, struct str host, struct sts_verdict *out);

#endif
