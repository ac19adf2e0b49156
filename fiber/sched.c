/* SPDX-License-Identifier: ISC */
/* The loop: run what is ready, in turn; look at the platform when nothing is, and often enough when something always is;
 * let timers end. It runs on the stack of sched_run's caller, and every switch goes through it. */
#include <stdlib.h>

#include "base/check.h"
#include "base/limits.h"
#include "fiber/sched.h"
#include "fiber/switch.h"

enum {
        RUNS_BEFORE_LOOK = 32, /* fibers run between two looks at the platform while some are always ready */
        POOL_MAX = 64,         /* stacks kept for the next fibers */
        REST_AFTER_MS = 1000,  /* a fiber parked for longer gives unused stack pages back */
};

struct sched *sched_new(const struct sched_platform *platform)
{
        struct sched *s = calloc(1, sizeof *s);
        if (s == NULL)
                return NULL;
        s->platform = *platform;
        if (s->platform.stack_size == 0)
                s->platform.stack_size = FIBER_STACK_SIZE;
        s->resting_end = &s->resting;
        return s;
}

static void free_fiber(struct fiber *f)
{
        stack_free(f);
        free(f);
}

void sched_free(struct sched *s)
{
        if (s == NULL)
                return;
        CHECK(s->fibers == 0);
        while (s->pool != NULL) {
                struct fiber *f = s->pool;
                s->pool = f->alive_next;
                free_fiber(f);
        }
        free(s->timers);
        free(s);
}

int64_t sched_now_ms(struct sched *s)
{
        return s->platform.now_ms(s->platform.platform);
}

struct fiber *sched_current(struct sched *s)
{
        return s->current;
}

size_t sched_fibers(const struct sched *s)
{
        return s->fibers;
}

size_t sched_stack_high(struct sched *s)
{
        for (struct fiber *f = s->alive; f != NULL; f = f->alive_next)
                stack_measure(f);
        for (struct fiber *f = s->pool; f != NULL; f = f->alive_next)
                stack_measure(f);
        return s->stack_high;
}

static void append_ready(struct fiber *f)
{
        struct sched *s = f->sched;
        f->state = FIBER_READY;
        f->ready_next = NULL;
        if (s->ready == NULL)
                s->ready = f;
        else
                s->ready_last->ready_next = f;
        s->ready_last = f;
}

/* Parked fibers whose stacks have not been rested stand in a list, those parked longest first. */
static void rest_add(struct fiber *f, int64_t now_ms)
{
        struct sched *s = f->sched;
        f->parked_ms = now_ms;
        f->rest_next = NULL;
        f->rest_link = s->resting_end;
        *f->rest_link = f;
        s->resting_end = &f->rest_next;
}

static void rest_remove(struct fiber *f)
{
        if (f->rest_link == NULL)
                return;
        *f->rest_link = f->rest_next;
        if (f->rest_next != NULL)
                f->rest_next->rest_link = f->rest_link;
        else
                f->sched->resting_end = f->rest_link;
        f->rest_link = NULL;
}

static void rest_idle(struct sched *s, int64_t now_ms)
{
        while (s->resting != NULL && now_ms - s->resting->parked_ms > REST_AFTER_MS) {
                struct fiber *f = s->resting;
                rest_remove(f);
                stack_rest(f);
        }
}

void sched_ready(struct fiber *f, enum err outcome)
{
        CHECK(f->state == FIBER_PARKED);
        timer_remove(f);
        rest_remove(f);
        f->outcome = outcome;
        append_ready(f);
}

static void run_fiber(void *arg)
{
        struct fiber *f = arg;
        stack_entered(f);
        f->fn(f->arg);
        CHECK(f->scopes == 0 && f->shields == 0); /* every scope joined, every shield lowered */
        f->state = FIBER_ENDED;
        stack_leave(f);
}

static struct fiber *fiber_new(struct sched *s)
{
        struct fiber *f = s->pool;
        if (f != NULL) {
                s->pool = f->alive_next;
                s->pool_count--;
                return f;
        }
        f = calloc(1, sizeof *f);
        if (f == NULL)
                return NULL;
        f->sched = s;
        if (stack_new(f))
                return f;
        free(f);
        return NULL;
}

enum err sched_start(struct scope *scope, const char *name, void (*fn)(void *arg), void *arg)
{
        struct sched *s = scope->sched;
        if (!timer_room(s, s->fibers + 1))
                return ERR_MEMORY;
        struct fiber *f = fiber_new(s);
        if (f == NULL)
                return ERR_MEMORY;
        *f = (struct fiber){.sched = s,
                .name = name,
                .fn = fn,
                .arg = arg,
                .stack = f->stack,
                .stack_id = f->stack_id,
                .alive_next = s->alive,
                .alive_link = &s->alive};
        f->context = switch_make(f->stack, s->platform.stack_size, run_fiber, f);
        if (f->alive_next != NULL)
                f->alive_next->alive_link = &f->alive_next;
        s->alive = f;
        s->fibers++;
        scope_add(scope, f);
        append_ready(f);
        return ERR_OK;
}

static void end_fiber(struct fiber *f)
{
        struct sched *s = f->sched;
        scope_remove(f->scope, f);
        *f->alive_link = f->alive_next;
        if (f->alive_next != NULL)
                f->alive_next->alive_link = f->alive_link;
        s->fibers--;
        stack_reuse(f);
        if (s->pool_count == POOL_MAX) {
                free_fiber(f);
                return;
        }
        f->alive_next = s->pool;
        s->pool = f;
        s->pool_count++;
}

static void look(struct sched *s)
{
        int64_t now_ms = sched_now_ms(s);
        timer_expire(s, now_ms);
        rest_idle(s, now_ms);
        int64_t until_ms = s->ready != NULL ? 0 : timer_next(s);
        if (s->resting != NULL && s->ready == NULL && s->platform.stack_rest != NULL) {
                int64_t rest_ms = s->resting->parked_ms + REST_AFTER_MS + 1;
                until_ms = rest_ms < until_ms ? rest_ms : until_ms;
        }
        s->platform.wait(s->platform.platform, until_ms);
        s->looked_ms = sched_now_ms(s);
        timer_expire(s, s->looked_ms);
        s->runs = 0;
        s->look = false;
}

static void run_next(struct sched *s)
{
        struct fiber *f = s->ready;
        s->ready = f->ready_next;
        s->runs++;
        s->current = f;
        f->state = FIBER_RUNNING;
        stack_enter(f);
        s->current = NULL;
        stack_check(f);
        if (f->state == FIBER_ENDED)
                end_fiber(f);
}

void sched_run(struct sched *s, void (*main)(void *arg), void *arg)
{
        struct scope root;
        CHECK(s->current == NULL && s->fibers == 0);
        scope_open(&root, s, FIBER_NEVER);
        CHECK(scope_spawn(&root, "main", main, arg) == ERR_OK);
        while (root.count > 0) {
                if (s->ready == NULL || s->look || s->runs >= RUNS_BEFORE_LOOK)
                        look(s);
                if (s->ready != NULL)
                        run_next(s);
        }
        CHECK(s->fibers == 0);
}

bool sched_is_cancelled(const struct fiber *f)
{
        return f->shields == 0 && f->scope->cancelled;
}

bool sched_is_leaving(const struct fiber *f)
{
        return f->state == FIBER_READY && f->outcome != ERR_OK;
}

static int64_t scope_deadline_ms(const struct fiber *f)
{
        return f->shields == 0 ? f->scope->deadline_ms : FIBER_NEVER;
}

enum err fiber_check(struct sched *s)
{
        const struct fiber *f = s->current;
        CHECK(f != NULL);
        if (sched_is_cancelled(f))
                return ERR_CANCELLED;
        int64_t deadline_ms = scope_deadline_ms(f);
        return deadline_ms != FIBER_NEVER && deadline_ms <= sched_now_ms(s) ? ERR_TIMEOUT : ERR_OK;
}

bool fiber_is_cancelled(struct sched *s)
{
        return fiber_check(s) != ERR_OK;
}

void fiber_shield(struct sched *s, bool on)
{
        struct fiber *f = s->current;
        CHECK(f != NULL && (on || f->shields > 0));
        if (on)
                f->shields++;
        else
                f->shields--;
}

/* Wait until sched_ready; the deadline lies ahead. */
static enum err park(struct fiber *f, int64_t now_ms, int64_t deadline_ms)
{
        f->state = FIBER_PARKED;
        if (deadline_ms != FIBER_NEVER)
                timer_add(f, deadline_ms);
        rest_add(f, now_ms);
        stack_leave(f);
        return f->outcome;
}

enum err sched_park(struct sched *s, int64_t deadline_ms, enum park_mode mode)
{
        struct fiber *f = s->current;
        CHECK(f != NULL);
        f->cancellable = mode != PARK_FIRM;
        if (f->cancellable && sched_is_cancelled(f))
                return ERR_CANCELLED;
        int64_t now_ms = sched_now_ms(s), scope_ms = mode == PARK_NORMAL ? scope_deadline_ms(f) : FIBER_NEVER;
        if (scope_ms <= now_ms)
                return ERR_TIMEOUT;
        if (f->woken) {
                f->woken = false;
                return ERR_OK;
        }
        if (deadline_ms <= now_ms)
                return ERR_TIMEOUT;
        return park(f, now_ms, deadline_ms < scope_ms ? deadline_ms : scope_ms);
}

enum err fiber_park(struct sched *s, int64_t deadline_ms)
{
        return sched_park(s, deadline_ms, PARK_NORMAL);
}

void fiber_wake(struct fiber *f)
{
        if (f->state == FIBER_PARKED)
                sched_ready(f, ERR_OK);
        else
                f->woken = true;
}

bool fiber_expire(struct fiber *f)
{
        if (f->state != FIBER_PARKED || f->timer == 0)
                return false;
        sched_ready(f, ERR_TIMEOUT);
        return true;
}

enum err fiber_sleep_until(struct sched *s, int64_t when_ms)
{
        enum err err;
        do /* a wake is not for a sleeper */
                err = fiber_park(s, when_ms);
        while (err == ERR_OK);
        return err == ERR_TIMEOUT ? fiber_check(s) : err;
}

enum err fiber_sleep(struct sched *s, int64_t ms)
{
        int64_t now_ms = sched_now_ms(s);
        return fiber_sleep_until(s, ms < FIBER_NEVER - now_ms ? now_ms + ms : FIBER_NEVER);
}

void fiber_yield(struct sched *s)
{
        struct fiber *f = s->current;
        CHECK(f != NULL);
        if (sched_now_ms(s) != s->looked_ms)
                s->look = true; /* a long computation: the world has waited for a millisecond */
        f->outcome = ERR_OK;
        append_ready(f);
        stack_leave(f);
}
