/* SPDX-License-Identifier: ISC */
#include "serve/delivery_pace.h"

#include "base/limits.h"

#define HALVE_MS 1000
#define SLOW_FACTOR 3
#define SLOW_FLOOR_16MS (100 * 16) /* below that, time says nothing about the peer */
#define SESSION_ROUNDS 16          /* sessions without refusal before one more message is tried in each */

void delivery_pace_init(struct delivery_pace *p)
{
        *p = (struct delivery_pace){.allowed = DELIVERY_PACE_FIRST,
                .pause_ms = DELIVERY_PACE_PAUSE_MS,
                .taken_ms = -DELIVERY_PACE_FRESH_MS};
}

static void note_time(struct delivery_pace *p, int64_t reply_ms)
{
        int64_t sample = 16 * (reply_ms > 0 ? reply_ms : 0) + 1;
        p->reply_16ms += p->reply_16ms == 0 ? sample : (sample - p->reply_16ms) / 8;
        if (p->best_16ms == 0 || p->reply_16ms < p->best_16ms)
                p->best_16ms = p->reply_16ms;
        else
                p->best_16ms += (p->reply_16ms - p->best_16ms) / 256;
}

static bool is_slow(const struct delivery_pace *p)
{
        return p->reply_16ms > SLOW_FACTOR * p->best_16ms + SLOW_FLOOR_16MS;
}

/* As many as carry DELIVERY_PACE_RATE messages a second at the peer's best: one that answers soon needs few. */
static unsigned most_useful(const struct delivery_pace *p)
{
        int64_t wanted = p->best_16ms * DELIVERY_PACE_RATE / 16000;
        if (wanted > DELIVERY_WORKERS_EACH)
                return DELIVERY_WORKERS_EACH;
        return wanted > DELIVERY_PACE_FEW ? (unsigned)wanted : DELIVERY_PACE_FEW;
}

static void note_session(struct delivery_pace *p)
{
        if (p->session_most == 0 || ++p->session_count < SESSION_ROUNDS * p->session_most)
                return;
        p->session_most++;
        p->session_count = 0;
}

/* It serves us, whatever it said of others. */
static void note_answer(struct delivery_pace *p)
{
        p->dismissed = 0;
        p->pause_ms = DELIVERY_PACE_PAUSE_MS;
}

void delivery_pace_taken(struct delivery_pace *p, unsigned connected, int64_t reply_ms, int64_t now_ms)
{
        p->refused = 0;
        note_answer(p);
        p->taken_ms = now_ms;
        note_time(p, reply_ms);
        note_session(p);
        if (now_ms < p->grow_ms || connected < p->allowed || is_slow(p))
                return;
        if (p->was_troubled && ++p->won < p->allowed)
                return;
        p->won = 0;
        p->allowed += p->allowed < most_useful(p);
}

void delivery_pace_troubled(struct delivery_pace *p, unsigned connected, int64_t now_ms)
{
        unsigned used = connected < p->allowed ? connected : p->allowed;
        p->refused = 0;
        p->grow_ms = now_ms + DELIVERY_PACE_HOLD_MS;
        if (now_ms < p->halve_ms)
                return;
        p->was_troubled = true;
        p->halve_ms = now_ms + HALVE_MS;
        p->won = 0;
        p->allowed = used > 2 ? used / 2 : 1;
}

void delivery_pace_refused(struct delivery_pace *p, unsigned connected, int64_t now_ms)
{
        if (++p->refused >= DELIVERY_PACE_REFUSED)
                delivery_pace_troubled(p, connected, now_ms);
        else
                note_answer(p);
}

bool delivery_pace_is_fresh(const struct delivery_pace *p, int64_t now_ms)
{
        return now_ms - p->taken_ms < DELIVERY_PACE_FRESH_MS;
}

/* Several connections are told the same, and pause once. */
static void pause(struct delivery_pace *p, int64_t now_ms)
{
        if (now_ms < p->resume_ms)
                return;
        p->resume_ms = now_ms + p->pause_ms;
        p->pause_ms =
                p->pause_ms < DELIVERY_PACE_PAUSE_MOST_MS / 2 ? 2 * p->pause_ms : DELIVERY_PACE_PAUSE_MOST_MS;
}

void delivery_pace_crowded(struct delivery_pace *p, unsigned connected, int64_t now_ms)
{
        p->was_troubled = true;
        p->won = 0;
        p->grow_ms = now_ms + DELIVERY_PACE_CROWDED_MS;
        if (connected < p->allowed)
                p->allowed = connected > 0 ? connected : 1;
        if (connected == 0)
                pause(p, now_ms);
}

void delivery_pace_session(
        struct delivery_pace *p, unsigned connected, unsigned taken, bool says_later, int64_t now_ms)
{
        if (taken > 0 && (p->session_most == 0 || taken < p->session_most)) {
                p->session_most = taken;
                p->session_count = 0;
        }
        if (!says_later)
                return;
        p->dismissed += now_ms >= p->resume_ms; /* as pause: what several are told at once is said once */
        pause(p, now_ms);
        delivery_pace_troubled(p, connected, now_ms);
}

bool delivery_pace_is_dismissed(const struct delivery_pace *p)
{
        return p->dismissed >= DELIVERY_PACE_DISMISSED;
}

bool delivery_pace_session_goes_on(const struct delivery_pace *p, unsigned taken)
{
        return p->session_most == 0 || taken < p->session_most;
}
