/* SPDX-License-Identifier: ISC */
/* The judge of bounces at work: what list/judge.h decides about a failure is carried out in the transaction that records it. A
 * member is probed, and one whose probe fails is removed; it and the moderators are told. A fiber tells the moderators once a day what
 * failed, and once a week how the list does. */
#ifndef SERVE_BOUNCE_JUDGE_H
#define SERVE_BOUNCE_JUDGE_H

#include "list/judge.h"
#include "serve/lipap.h"

/* A delivery failed for good. */
struct bounce_judge_delivery {
        int64_t id, message, member; /* member 0: of a forward, which is recorded and no more */
        unsigned code;
        struct str said;
};
/*   as store_delivery_fail; all or nothing is kept */
MUST_USE enum err bounce_judge_failed(struct lipap *node, const struct bounce_judge_delivery *delivery);
/* A delivery to `domain`, in lower case, is done. Never blocks. */
void bounce_judge_done(struct lipap *node, struct str domain);

/* A bounce came to the return path of a member, or of a probe that was sent to it. */
struct bounce_judge_bounce {
        int64_t member;
        bool is_probe;
        struct str said;  /* the reason, on one line */
        struct str bytes; /* of the bounce, as it came */
};
/*   ERR_OK, also when nobody has that id any more, or trouble of the store */
MUST_USE enum err bounce_judge_bounced(struct lipap *node, const struct bounce_judge_bounce *bounce);

/* A fiber's function: digests, reports, and an end of what is healed; runs until cancelled. `arg` is a struct lipap. While it
 * runs, breakers are watched for, from what it reads first of the last day on. */
void bounce_judge_run(void *arg);

/* Inside (bounce_told.c): one round of what is told, at `now_ms`. The arena is used from its start.
 *   ERR_OK, or trouble of the store */
MUST_USE enum err bounce_told_round(struct lipap *node, struct arena *a, int64_t now_ms);

/* Inside (bounce_recall.c): how deliveries ended in the hours of a window at `now_ms`, as far as the store tells, into empty
 * windows, so that a death forgets none. Of results it may have those of the newest messages only: bounces from before the
 * first of them are left out, as they are told of deliveries that nobody knows of. The arena is used from its start.
 *   ERR_OK, or trouble of the store: some are in */
struct providers;
MUST_USE enum err bounce_recall(
        struct lipap *node, struct providers *providers, struct arena *a, int64_t now_ms);

#endif
