/* SPDX-License-Identifier: ISC */
/* The records of a domain (auth/records.h) against the live DNS: for `ptt dns --check`, and for the daily look of lipap. */
#ifndef SERVE_RECORDS_CHECK_H
#define SERVE_RECORDS_CHECK_H

#include "auth/records.h"
#include "base/arena.h"
#include "serve/resolver.h"

#define RECORDS_CHECK_ARENA (512 * 1024) /* enough for all answers of one domain */

/* Ask all that is to be known, in rounds of parallel questions, and tell each finding. What DNS did not answer, or `a`
 * had no room for, is found unknown. `r` has its plan, and holds the counts afterwards; answers live in `a`.
 *   ERR_OK
 *   ERR_CANCELLED  the calling fiber is to end; nothing was told */
MUST_USE enum err records_check(struct host *h, struct resolver *resolver, struct arena *a,
        const struct records_plan *plan, records_tell_fn *tell, void *ctx, struct records *r);

#endif
