/* SPDX-License-Identifier: ISC */
/* What the judge of bounces knows (list/judge.h says by which rules): a score for each member for whom a delivery failed
 * lately, breakers of providers, what was decided, and the last bounce of a member. The rules are the caller's, but for one: a
 * delivery that is done (delivery.h) ends the score of a member whose last failure was said in SMTP, and makes a probe that is under
 * way an accepted one. See store.h for what holds for every call.
 * A provider is the domain of a member's address, in lower case. */
#ifndef STORE_JUDGE_H
#define STORE_JUDGE_H

#include "store/delivery.h"

#define STORE_BOUNCE_MAX (16 * 1024) /* bytes of a bounce that are kept for the owner */
#define STORE_BOUNCES_KEPT_MAX 512   /* members whose last bounce is kept; fewer in an image under 128 MB */

enum store_probe { STORE_PROBE_NONE, STORE_PROBE_SENT, STORE_PROBE_ACCEPTED };

struct store_score {
        int64_t member, list;
        struct str address;
        struct str provider;
        int halves, days; /* the score in halves, and on how many days it was counted */
        bool is_smtp;
        int64_t failed_ms;
        int64_t last_ms[2]; /* the last two counts: when, and how much */
        int last_halves[2];
        enum store_probe probe;
        int64_t probe_ms;
        int64_t seen_ms;  /* the last failure of any class */
        struct str reply; /* what was said then */
};

/* The score of a member; zeros, but for member, list and address, when there is none.
 *   ERR_OK, or ERR_NOT_FOUND: no such member */
MUST_USE enum err store_score_get(struct store *s, int64_t member, struct arena *a, struct store_score *out);
/* `list` and `address` are not looked at; of `reply`, STORE_REPLY_MAX octets are kept.
 *   ERR_OK, or ERR_NOT_FOUND: no such member */
MUST_USE enum err store_score_put(struct store *s, const struct store_score *score);
/* The score that `seen` is a copy of, unless its member failed since.
 *   ERR_OK, also when there is none */
MUST_USE enum err store_score_drop(struct store *s, const struct store_score *seen);
/* Up to `limit` scores by member, above `after`. */
MUST_USE enum err store_scores(struct store *s, int64_t after, size_t limit, struct arena *a,
        struct store_score **out, size_t *count);
/* The same of members at `provider` who failed since `since_ms`. */
MUST_USE enum err store_scores_at(struct store *s, struct str provider, int64_t since_ms, int64_t after,
        size_t limit, struct arena *a, struct store_score **out, size_t *count);
/* How many these are, counted up to `most`. */
MUST_USE enum err store_scores_count(
        struct store *s, struct str provider, int64_t since_ms, uint64_t most, uint64_t *count);

/* Breakers. One that is to end later than `life_ms` from now is of a clock that was set back, and is not open.
 * One that opens again, and whose last end was `since_ms` or later, goes on: who was told of it stays told. */
MUST_USE enum err store_breaker_open(
        struct store *s, struct str provider, int64_t since_ms, int64_t until_ms);
/*   ERR_OK, with whether it is open at `now_ms` */
MUST_USE enum err store_breaker_is_open(
        struct store *s, struct str provider, int64_t now_ms, int64_t life_ms, bool *is_open);
/* The moderators of `list` are told of it, once.
 *   ERR_OK, ERR_EXISTS (they were told), or ERR_NOT_FOUND (no such breaker or list) */
MUST_USE enum err store_breaker_tell(struct store *s, struct str provider, int64_t list);

/* What the judge did, kept as long as failures are. */
enum store_verdict_kind { STORE_VERDICT_PROBED = 1, STORE_VERDICT_REMOVED, STORE_VERDICT_BREAKER };
struct store_verdict {
        int64_t id, list, member;
        struct str list_name, domain; /* of the list; not looked at when it is added */
        enum store_verdict_kind kind;
        struct str address; /* of STORE_VERDICT_BREAKER: the provider */
        struct str reply;   /* what had been said */
        int64_t time_ms;
};
MUST_USE enum err store_verdict_add(struct store *s, const struct store_verdict *verdict);
/* Up to `limit` of `list` (0: of all) with an id above `after` and up to `upto`, oldest first. */
struct store_verdicts_wanted {
        int64_t list, after, upto;
        size_t limit;
};
MUST_USE enum err store_verdicts(struct store *s, const struct store_verdicts_wanted *wanted, struct arena *a,
        struct store_verdict **out, size_t *count);
/* Up to `limit` failures of deliveries of one list, likewise. */
MUST_USE enum err store_failures_of(struct store *s, const struct store_verdicts_wanted *wanted,
        struct arena *a, struct store_failure **out, size_t *count);

/* How deliveries to members ended, as far as their results are kept (trace.h), or which bounces came. */
struct store_ended {
        struct str address, reply; /* reply: when it failed */
        unsigned code;
        bool is_delivered;
        int64_t time_ms;
        int64_t place[2];
};
/* Up to `limit` behind that place (zeros: from the first on), in the order of their places. */
struct store_ended_wanted {
        bool are_bounces;
        int64_t since_ms, upto_ms;
        int64_t after[2];
        size_t limit;
};
MUST_USE enum err store_ended(struct store *s, const struct store_ended_wanted *wanted, struct arena *a,
        struct store_ended **out, size_t *count);

/* The last bounce of a member, in the place of an earlier one, as far as STORE_BOUNCE_MAX goes. It outlives the membership. When
 * too many are kept the oldest goes; on a full disk none is. */
struct store_bounce_new {
        int64_t member, list, now_ms;
        struct str bytes;
};
MUST_USE enum err store_bounce_keep(struct store *s, const struct store_bounce_new *bounce);
/*   ERR_OK, or ERR_NOT_FOUND: none is kept of that member */
MUST_USE enum err store_bounce_get(struct store *s, int64_t member, struct arena *a, struct str *out);

/* Take away up to `limit` each of verdicts, bounces and breakers from before `before_ms`; `*count` is how many rows went. */
MUST_USE enum err store_judge_forget(struct store *s, int64_t before_ms, size_t limit, size_t *count);

#endif
