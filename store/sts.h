/* SPDX-License-Identifier: ISC */
/* Policies of MTA-STS (RFC 8461) that were fetched, so that they hold after a restart. See store.h for what holds for every
 * call. */
#ifndef STORE_STS_H
#define STORE_STS_H

#include "store/store.h"

struct store_sts {
        struct str domain; /* compared as it is: lower case is the caller's to write */
        struct str id, policy;
        int64_t fetched_ms, expires_ms;
};

/* The policy of a domain that does not expire until `now_ms`.
 *   ERR_OK, or ERR_NOT_FOUND */
MUST_USE enum err store_sts_get(
        struct store *s, struct str domain, int64_t now_ms, struct arena *a, struct store_sts *out);
/* Keep one, in the place of the domain's former one. What has expired at `now_ms` goes, and of more than STS_POLICIES_MAX
 * those that expire first.
 *   ERR_OK, ERR_LIMIT (a text longer than STS_KEPT_MAX) */
MUST_USE enum err store_sts_put(struct store *s, const struct store_sts *policy, int64_t now_ms);

#endif
