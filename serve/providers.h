/* SPDX-License-Identifier: ISC */
/* How deliveries ended lately, by provider, in memory: for the breakers of the judge of bounces. A restart reads them again
 * (bounce_recall in bounce_judge.h); what is forgotten for want of room is one that nobody wrote to for long. */
#ifndef SERVE_PROVIDERS_H
#define SERVE_PROVIDERS_H

#include "base/limits.h"
#include "list/judge.h"

#define PROVIDERS_BUCKETS 1024 /* a power of two */

struct provider {
        struct provider *next; /* in its bucket */
        int64_t used;          /* when it was last asked for, in calls */
        struct judge_window window;
        size_t name_n;
        char name[SMTP_DOMAIN_MAX];
};

/* Zero-initialised is empty. */
struct providers {
        struct provider *buckets[PROVIDERS_BUCKETS];
        struct provider all[PROVIDERS_MAX];
        size_t count;
        int64_t calls;
};

/* The window of a provider, in the place of the one that was not asked for longest if there is no room; `name` in lower
 * case. */
struct judge_window *providers_window(struct providers *p, struct str name);

#endif
