/* SPDX-License-Identifier: ISC */
#include "list/judge.h"

#include <string.h>

#define HOUR_MS (60LL * 60 * 1000)

static int64_t day_of(int64_t time_ms)
{
        return time_ms / JUDGE_DAY_MS;
}

/* ---- one member ---- */

static void clamp(int64_t *time_ms, int64_t now_ms)
{
        if (*time_ms > now_ms + JUDGE_DAY_MS)
                *time_ms = now_ms;
}

/* Nothing is left but when was counted, and a probe sent: the next ones keep their distance. */
static void clear(struct judge_score *score)
{
        *score = (struct judge_score){.probe_ms = score->probe_ms, .last[0].time_ms = score->last[0].time_ms};
}

bool judge_heal(struct judge_score *s, int64_t now_ms)
{
        clamp(&s->failed_ms, now_ms);
        clamp(&s->probe_ms, now_ms);
        clamp(&s->last[0].time_ms, now_ms);
        clamp(&s->last[1].time_ms, now_ms);
        int64_t since_probe_ms = now_ms - s->probe_ms;
        if (s->probe == JUDGE_PROBE_ACCEPTED && since_probe_ms >= JUDGE_HEAL_MS)
                clear(s);
        if (s->probe == JUDGE_PROBE_SENT && since_probe_ms >= JUDGE_PROBE_LOST_MS)
                s->probe = JUDGE_PROBE_NONE;
        for (; s->halves > 0 && now_ms - s->failed_ms >= JUDGE_HEAL_MS; s->failed_ms += JUDGE_HEAL_MS)
                s->halves = s->halves > JUDGE_ONE ? s->halves - JUDGE_ONE : 0;
        if (s->halves == 0 && s->probe == JUDGE_PROBE_NONE)
                clear(s);
        return s->halves == 0 && s->probe == JUDGE_PROBE_NONE && since_probe_ms >= JUDGE_PROBE_MS &&
               day_of(s->last[0].time_ms) < day_of(now_ms);
}

/* False: that day was counted already. */
static bool count(struct judge_score *s, const struct judge_failure *f)
{
        if (s->last[0].time_ms != 0 && day_of(f->now_ms) <= day_of(s->last[0].time_ms))
                return false;
        int halves = f->class == JUDGE_ADDRESS ? JUDGE_ONE : JUDGE_ONE / 2;
        if (s->halves + halves > JUDGE_SCORE_MAX)
                halves = JUDGE_SCORE_MAX - s->halves;
        s->halves += halves;
        s->days++;
        s->last[1] = s->last[0];
        s->last[0] = (struct judge_count){f->now_ms, halves};
        return true;
}

static enum judge_verdict end_probe(struct judge_score *s, bool has_failed)
{
        bool was_sent = s->probe != JUDGE_PROBE_NONE;
        s->probe = JUDGE_PROBE_NONE;
        return has_failed && was_sent ? JUDGE_REMOVE : JUDGE_LEAVE;
}

static bool is_suspect(const struct judge_score *s)
{
        return s->halves >= JUDGE_THRESHOLD && s->days >= JUDGE_DAYS;
}

static bool wants_probe(const struct judge_score *s, int64_t now_ms)
{
        return is_suspect(s) && s->probe != JUDGE_PROBE_SENT &&
               (s->probe_ms == 0 || now_ms - s->probe_ms >= JUDGE_PROBE_MS);
}

enum judge_verdict judge_failed(struct judge_score *s, const struct judge_failure *f)
{
        bool counts = judge_class_counts(f->class) && !f->is_breaker_open;
        (void)judge_heal(s, f->now_ms);
        if (f->is_probe)
                return end_probe(s, counts);
        if (!counts)
                return JUDGE_LEAVE;
        s->failed_ms = f->now_ms;
        s->is_smtp = f->is_smtp;
        bool is_new = count(s, f);
        if (wants_probe(s, f->now_ms))
                return JUDGE_PROBE;
        return is_new ? JUDGE_COUNTED : JUDGE_LEAVE;
}

void judge_probe_sent(struct judge_score *s, int64_t now_ms)
{
        s->probe = JUDGE_PROBE_SENT;
        s->probe_ms = now_ms;
}

void judge_delivered(struct judge_score *s, bool is_probe, int64_t now_ms)
{
        (void)judge_heal(s, now_ms);
        if (is_probe && s->probe == JUDGE_PROBE_SENT) {
                s->probe = JUDGE_PROBE_ACCEPTED;
                s->probe_ms = now_ms;
        }
        if (s->is_smtp)
                clear(s);
}

void judge_take_back(struct judge_score *s, int64_t since_ms)
{
        bool is_less = false;
        for (int i = 0; i < 2; i++) {
                struct judge_count *c = &s->last[i];
                if (c->time_ms < since_ms || c->halves == 0)
                        continue;
                s->halves = s->halves > c->halves ? s->halves - c->halves : 0;
                s->days -= s->days > 0;
                c->halves = 0;
                is_less = true;
        }
        if (is_less && s->probe_ms >= since_ms && !is_suspect(s))
                s->probe = JUDGE_PROBE_NONE;
}

/* ---- one provider ---- */

/* Forget the hours that are over. A clock that was set back by a day begins anew. Gives the hour's place. */
static size_t move_on(struct judge_window *w, int64_t now_ms)
{
        int64_t hour = now_ms > 0 ? now_ms / HOUR_MS : 0;
        if (hour <= w->hour - JUDGE_HOURS || hour >= w->hour + JUDGE_HOURS)
                *w = (struct judge_window){.hour = hour};
        for (; w->hour < hour; w->hour++) {
                size_t next = (size_t)((w->hour + 1) % JUDGE_HOURS);
                w->done[next] = w->failed[next] = 0;
        }
        return (size_t)(hour % JUDGE_HOURS);
}

int64_t judge_window_begin_ms(int64_t now_ms)
{
        int64_t hour = now_ms > 0 ? now_ms / HOUR_MS : 0;
        return (hour - JUDGE_HOURS + 1) * HOUR_MS;
}

static void add(uint32_t *count)
{
        *count += *count < UINT32_MAX;
}

void judge_window_done(struct judge_window *w, int64_t now_ms)
{
        add(&w->done[move_on(w, now_ms)]);
}

bool judge_window_failed(struct judge_window *w, int64_t now_ms, bool was_done)
{
        add(&w->failed[move_on(w, now_ms)]);
        for (int64_t back = 0; was_done && back < JUDGE_HOURS; back++) {
                uint32_t *done = &w->done[(w->hour + JUDGE_HOURS - back) % JUDGE_HOURS];
                if (*done > 0) {
                        --*done;
                        return true;
                }
        }
        return false;
}

void judge_window_undo(struct judge_window *w, int64_t now_ms, bool is_less)
{
        size_t at = move_on(w, now_ms);
        w->failed[at] -= w->failed[at] > 0;
        if (is_less)
                add(&w->done[at]);
}

bool judge_window_is_bad(struct judge_window *w, int64_t now_ms, uint64_t members)
{
        uint64_t done = 0, failed = 0;
        (void)move_on(w, now_ms);
        for (size_t i = 0; i < JUDGE_HOURS; i++) {
                done += w->done[i];
                failed += w->failed[i];
        }
        return members >= JUDGE_BREAKER_MEMBERS && failed >= JUDGE_BREAKER_MEMBERS && failed > done;
}
