/* SPDX-License-Identifier: ISC */
/* What moderators are told from time to time, as lines: the digest of deliveries that failed, and the week of a list. Pure; in
 * the list's language, English where there is no other. Each line ends with LF; text of strangers is taken as it is, for
 * notice_mail_line cleans it. */
#ifndef LIST_REPORT_H
#define LIST_REPORT_H

#include "base/wr.h"
#include "list/judge.h"

#define REPORT_SLOWEST_MAX 5
#define REPORT_TEXT_MAX 4096 /* room for report_week_write with names of up to 255 octets */
#define REPORT_LINE_MAX 1024 /* room for any one line of a digest */

/* How many deliveries failed, class by class; nothing of a class without any. */
struct report_counts {
        uint64_t of[JUDGE_CLASSES];
};
void report_counts_write(struct wr *w, struct str language, const struct report_counts *counts);

enum report_event { REPORT_PROBED, REPORT_REMOVED, REPORT_BREAKER };
/* "asked by mail whether it still exists: ADDRESS" and the like; for REPORT_BREAKER the provider. */
void report_event_write(struct wr *w, struct str language, enum report_event event, struct str address);
/* "ADDRESS: what was said", which is cut where the line would be too long. */
void report_failure_write(struct wr *w, struct str address, struct str said);
/* "and N more". */
void report_more_write(struct wr *w, struct str language, uint64_t n);

struct report_week {
        uint64_t members, joined, left; /* left: in all */
        uint64_t removed;               /* of these, by the judge of bounces */
        uint64_t posts, held, requests; /* held, requests: that wait now; requests without held posts */
        uint64_t done, failed, deferred;
        int64_t oldest_s; /* for how long the oldest post waits for some member; 0: none does */
        struct {
                struct str provider;
                int64_t mean_s;
        } slowest[REPORT_SLOWEST_MAX];
        size_t slow_count;
};
/* Has nothing happened that is worth a mail? */
bool report_week_is_quiet(const struct report_week *week);
void report_week_write(struct wr *w, struct str language, const struct report_week *week);

#endif
