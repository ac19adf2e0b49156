/* SPDX-License-Identifier: ISC */
/* How fast mail goes to one destination. Pure: no clock, no I/O; times are monotonic milliseconds.
 *
 * The number of connections at once follows the peer (additive increase, multiplicative decrease): it begins with
 * DELIVERY_PACE_FIRST; while all of them are busy and nothing went wrong yet, each message that is taken allows one more;
 * after the first trouble one more is allowed for each round, that is after as many messages as there are connections.
 * Trouble halves it, once a second at most, since one cause is seen by several connections. While answers take three times
 * as long as they did at their best, nothing is added: the peer has enough. Nor is it beyond what DELIVERY_PACE_RATE needs at
 * that best: connections make up for a long way, and for a short one they would only cost memory here and patience there.
 * A peer that refuses after some messages of a session is given shorter sessions, and a pause when it said "later"; so is
 * one that took mail a moment ago and refuses the next connection: it has not forgotten the last one yet. "Later" to one
 * recipient is no word about the others, until it was heard several times with nothing else in between. */
#ifndef SERVE_DELIVERY_PACE_H
#define SERVE_DELIVERY_PACE_H

#include <stdbool.h>
#include <stdint.h>

#define DELIVERY_PACE_FIRST 2     /* connections at the start */
#define DELIVERY_PACE_RATE 250    /* messages a second that are enough for one destination */
#define DELIVERY_PACE_FEW 4       /* connections that nobody minds, however soon the peer answers */
#define DELIVERY_PACE_REFUSED 4   /* recipients refused for now in a row: that is about us, not about them */
#define DELIVERY_PACE_DISMISSED 3 /* sessions in a row that end with "later", a pause before each: the same */
#define DELIVERY_PACE_HOLD_MS 10000    /* after trouble nothing is added */
#define DELIVERY_PACE_CROWDED_MS 60000 /* nor after the peer refused one more connection */
#define DELIVERY_PACE_PAUSE_MS 2000    /* the first pause; doubles */
#define DELIVERY_PACE_PAUSE_MOST_MS 60000
#define DELIVERY_PACE_FRESH_MS 60000 /* a moment ago */

struct delivery_pace {
        unsigned allowed;   /* connections at once, at least 1 */
        unsigned won;       /* messages taken since that grew */
        unsigned refused;   /* recipients refused for now, without another answer in between */
        unsigned dismissed; /* pauses since another answer than "later" */
        bool was_troubled;
        int64_t grow_ms;    /* nothing is added before */
        int64_t halve_ms;   /* nor halved again */
        int64_t resume_ms;  /* no transaction begins before */
        int64_t pause_ms;   /* the next pause */
        int64_t taken_ms;   /* the last message was taken */
        int64_t reply_16ms; /* the time of an answer, smoothed, in sixteenths of a millisecond; 0: none yet */
        int64_t best_16ms;  /* the best of that, forgotten slowly */
        unsigned session_most;  /* messages of one connection; 0: no bound */
        unsigned session_count; /* messages taken since that bound was set or raised */
};

void delivery_pace_init(struct delivery_pace *p);
/* A message was taken, `reply_ms` after it was sent, while `connected` connections were open. */
void delivery_pace_taken(struct delivery_pace *p, unsigned connected, int64_t reply_ms, int64_t now_ms);
/* One recipient was refused for now: nothing follows, unless it is one of many in a row. */
void delivery_pace_refused(struct delivery_pace *p, unsigned connected, int64_t now_ms);
/* The peer, as a whole, refused something for now. */
void delivery_pace_troubled(struct delivery_pace *p, unsigned connected, int64_t now_ms);
/* Did it take a message a moment ago? */
bool delivery_pace_is_fresh(const struct delivery_pace *p, int64_t now_ms);
/* It takes no connection beside the `connected` ones; or none for a while, where these are none. */
void delivery_pace_crowded(struct delivery_pace *p, unsigned connected, int64_t now_ms);
/* It had enough of a session after `taken` messages; `says_later`: of us, for a while. */
void delivery_pace_session(
        struct delivery_pace *p, unsigned connected, unsigned taken, bool says_later, int64_t now_ms);
/* Has it said nothing but "later" for some sessions? */
bool delivery_pace_is_dismissed(const struct delivery_pace *p);
/* May a session of `taken` messages go on? */
bool delivery_pace_session_goes_on(const struct delivery_pace *p, unsigned taken);

#endif
