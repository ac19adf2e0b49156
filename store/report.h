/* SPDX-License-Identifier: ISC */
/* What the moderators of a list are told from time to time: how far they were told, and what there is to tell. See store.h for
 * what holds for every call. */
#ifndef STORE_REPORT_H
#define STORE_REPORT_H

#include "store/store.h"

/* Of one list: what the last digest and the last report told, and how far things are. */
struct store_told {
        int64_t list;
        bool is_known;                                     /* else all below but the last line is 0 */
        int64_t digest_ms, digest_failure, digest_verdict; /* when it was made, and up to which ids */
        int64_t report_ms, report_member, report_verdict;
        uint64_t report_members;          /* how many there were */
        int64_t failure, verdict, member; /* the newest ids */
};
/* The first list with an id above `after`.
 *   ERR_OK, or ERR_NOT_FOUND: there is none */
MUST_USE enum err store_told_next(struct store *s, int64_t after, struct store_told *out);
/*   ERR_OK, or ERR_NOT_FOUND: no such list */
MUST_USE enum err store_told_put(struct store *s, const struct store_told *told);

#define STORE_REPORT_POSTS_MAX 1000 /* of a list that a report looks at, the newest */
#define STORE_SLOWEST_MAX 5

struct store_slow {
        struct str provider;
        uint64_t deliveries;
        int64_t mean_ms; /* from the arrival of a post to its delivery */
};
/* A list since `since_ms`. Of deliveries, those whose result is still kept (trace.h). */
struct store_report {
        uint64_t members, joined; /* now; who are not those who were before `told` */
        uint64_t posts, held;     /* held: now, for moderators */
        uint64_t requests;        /* that wait for an answer, held posts among them */
        uint64_t done, failed;    /* deliveries */
        uint64_t deferred;        /* that wait for another try now */
        int64_t oldest_ms; /* when the oldest post was received of which some delivery waits; 0: none does */
        uint64_t removed;  /* by the judge of bounces */
        struct store_slow slowest[STORE_SLOWEST_MAX];
        size_t slow_count;
};
MUST_USE enum err store_report(struct store *s, const struct store_told *told, int64_t since_ms,
        struct arena *a, struct store_report *out);

#endif
