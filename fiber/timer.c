/* SPDX-License-Identifier: ISC */
/* The timers: a binary heap of parked fibers, so that ten thousand sleepers cost a comparison or fourteen each. */
#include <stdlib.h>

#include "base/check.h"
#include "fiber/sched.h"

bool timer_room(struct sched *s, size_t n)
{
        if (n <= s->timer_cap)
                return true;
        size_t cap = s->timer_cap == 0 ? 64 : s->timer_cap * 2;
        struct fiber **timers = realloc(s->timers, cap * sizeof *timers);
        if (timers == NULL)
                return false;
        s->timers = timers;
        s->timer_cap = cap;
        return true;
}

static bool is_before(const struct fiber *a, const struct fiber *b)
{
        return a->deadline_ms != b->deadline_ms ? a->deadline_ms < b->deadline_ms : a->order < b->order;
}

static void place(struct sched *s, size_t at, struct fiber *f)
{
        s->timers[at] = f;
        f->timer = at + 1;
}

static void sift_up(struct sched *s, size_t at, struct fiber *f)
{
        while (at > 0 && is_before(f, s->timers[(at - 1) / 2])) {
                place(s, at, s->timers[(at - 1) / 2]);
                at = (at - 1) / 2;
        }
        place(s, at, f);
}

static void sift_down(struct sched *s, size_t at, struct fiber *f)
{
        for (;;) {
                size_t child = 2 * at + 1;
                if (child >= s->timer_count)
                        break;
                if (child + 1 < s->timer_count && is_before(s->timers[child + 1], s->timers[child]))
                        child++;
                if (!is_before(s->timers[child], f))
                        break;
                place(s, at, s->timers[child]);
                at = child;
        }
        place(s, at, f);
}

void timer_add(struct fiber *f, int64_t deadline_ms)
{
        struct sched *s = f->sched;
        CHECK(f->timer == 0 && s->timer_count < s->timer_cap);
        f->deadline_ms = deadline_ms;
        f->order = s->order++;
        s->timer_count++;
        sift_up(s, s->timer_count - 1, f);
}

void timer_remove(struct fiber *f)
{
        struct sched *s = f->sched;
        if (f->timer == 0)
                return;
        size_t at = f->timer - 1;
        f->timer = 0;
        struct fiber *last = s->timers[--s->timer_count];
        if (last == f)
                return;
        if (at > 0 && is_before(last, s->timers[(at - 1) / 2]))
                sift_up(s, at, last);
        else
                sift_down(s, at, last);
}

int64_t timer_next(const struct sched *s)
{
        return s->timer_count == 0 ? FIBER_NEVER : s->timers[0]->deadline_ms;
}

void timer_expire(struct sched *s, int64_t now_ms)
{
        while (timer_next(s) <= now_ms && s->timer_count > 0)
                sched_ready(s->timers[0], ERR_TIMEOUT);
}
