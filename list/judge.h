/* SPDX-License-Identifier: ISC */
/* The judge of bounces: what a delivery that failed for good says about its member, and when enough has been said. Pure:
 * facts in, verdict out; who keeps the scores, sends probes and removes members is serve/judge.h.
 *
 * What holds whatever the facts are (the simulator checks it):
 *   - POLICY and MESSAGE never change a score: they tell of us, or of what we sent.
 *   - At most one count a member and day (UTC), however many posts failed.
 *   - A member is removed only by the failure of a probe, of class ADDRESS, FULL or SYSTEM, while no breaker is open at its
 *     provider; and a probe is sent only at a score of 3 that was counted on at least 3 different days.
 *   - A score heals: one less for every 7 days without a failure that counts, all of it 7 days after a probe was accepted, and
 *     all of it as soon as the server that refused the member in SMTP takes a copy for it.
 *   - While a breaker is open nothing counts at that provider, and what was counted there in the 24 h before is taken back; with it a
 *     probe that was sent for it: what becomes of that removes nobody.
 * Times are Unix milliseconds. A time in the state that lies over a day ahead of `now_ms` is of a clock that was set back since, and
 * becomes `now_ms`. */
#ifndef LIST_JUDGE_H
#define LIST_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

#define JUDGE_DAY_MS (24LL * 60 * 60 * 1000)
#define JUDGE_HEAL_MS (7 * JUDGE_DAY_MS)  /* without a failure: one less; after an accepted probe: all */
#define JUDGE_PROBE_MS (7 * JUDGE_DAY_MS) /* between two probes to one member */
#define JUDGE_PROBE_LOST_MS (14 * JUDGE_DAY_MS) /* then a probe of which nothing was heard is none any more */
#define JUDGE_ONE 2                             /* scores count in halves */
#define JUDGE_THRESHOLD (3 * JUDGE_ONE)
#define JUDGE_SCORE_MAX (6 * JUDGE_ONE) /* so that six weeks heal everything */
#define JUDGE_DAYS 3                    /* on which a score was counted, before a probe */
#define JUDGE_BREAKER_MS JUDGE_DAY_MS   /* a breaker is open, and looks back */
#define JUDGE_BREAKER_MEMBERS 10        /* different ones, who failed at one provider */

enum judge_class {
        JUDGE_ADDRESS, /* there is no such mailbox or domain */
        JUDGE_FULL,    /* it takes no more */
        JUDGE_SYSTEM,  /* the other side does not work, or did not for five days */
        JUDGE_MESSAGE, /* about what we sent: its size, its form, how we spoke */
        JUDGE_POLICY,  /* about us: reputation, authentication, rules */
        JUDGE_CLASSES
};
/* "address" and so on. */
struct str judge_class_name(enum judge_class c);
/* The class of a failure: the SMTP code (0: none), and what was said, as the store keeps it: "550 5.1.1 text", or a bounce's
 * "5.1.1 text". A code in the text serves when `code` is 0. Of a try given up for its age `code` is 4yz, or 0. */
enum judge_class judge_class_of(unsigned code, struct str said);
bool judge_class_counts(enum judge_class c);

enum judge_probe {
        JUDGE_PROBE_NONE,
        JUDGE_PROBE_SENT,    /* under way */
        JUDGE_PROBE_ACCEPTED /* a server took it; it may still bounce */
};

struct judge_count {
        int64_t time_ms; /* 0: none */
        int halves;
};
/* Of one member; zeros: nothing is known. */
struct judge_score {
        int halves;
        int days;                   /* on which was counted, since it was 0 */
        bool is_smtp;               /* the last failure that counts was said in SMTP */
        int64_t failed_ms;          /* it came then, or healing began */
        struct judge_count last[2]; /* counts that a breaker can take back, the newest first */
        enum judge_probe probe;
        int64_t probe_ms; /* when it became that; of the last one when there is none */
};

struct judge_failure {
        enum judge_class class;
        bool is_smtp;         /* said in answer to our delivery, not by a bounce */
        bool is_probe;        /* of the probe, not of a post */
        bool is_breaker_open; /* at the member's provider */
        int64_t now_ms;
};

enum judge_verdict {
        JUDGE_LEAVE,   /* nothing changed but, perhaps, the state of the probe */
        JUDGE_COUNTED, /* the score did */
        JUDGE_PROBE,   /* likewise, and a probe is to be sent: then call judge_probe_sent */
        JUDGE_REMOVE   /* the member is to be removed */
};
enum judge_verdict judge_failed(struct judge_score *score, const struct judge_failure *failure);
void judge_probe_sent(struct judge_score *score, int64_t now_ms);
/* A server took a copy, or the probe, for the member. */
void judge_delivered(struct judge_score *score, bool is_probe, int64_t now_ms);
/* A breaker opened: take back what was counted since `since_ms`. A probe of that time is called off if it would not be sent now. */
void judge_take_back(struct judge_score *score, int64_t since_ms);
/* Bring the score up to `now_ms`. True: nothing is left of it, and nothing that a later one has to know; it may be forgotten. */
bool judge_heal(struct judge_score *score, int64_t now_ms);

/* Deliveries that ended at one provider, in the last 24 hours; zeros: none. */
#define JUDGE_HOURS 24
struct judge_window {
        int64_t hour; /* of the newest entry, since 1970 */
        uint32_t done[JUDGE_HOURS], failed[JUDGE_HOURS];
};
/* When the hours begin that a window has room for at `now_ms`: what ended since then may be told in any order. */
int64_t judge_window_begin_ms(int64_t now_ms);
void judge_window_done(struct judge_window *w, int64_t now_ms);
/* `was_done`: it was counted as done before, and bounced since. True: so one less is done. */
bool judge_window_failed(struct judge_window *w, int64_t now_ms, bool was_done);
/* That failure could not be kept, and will be told again; `is_less` is what was given then. */
void judge_window_undo(struct judge_window *w, int64_t now_ms, bool is_less);
/* Have so many `members` failed, and more than half of all deliveries, that it is the provider, and not they? */
bool judge_window_is_bad(struct judge_window *w, int64_t now_ms, uint64_t members);

#endif
