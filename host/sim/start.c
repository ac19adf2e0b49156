/* SPDX-License-Identifier: ISC */
/* The simulation as a whole: its clock under the scheduler, its beginning and end, and its failures. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/limits.h"
#include "host/sim/inside.h"

enum {
        LOOKS_MAX = 50000, /* of the scheduler while time stands still; up to 32 switches each */
        STORY_MAX = 512,
        TURN_IN = 16, /* one call of so many lets others run */
};

void *sim_alloc(size_t n)
{
        void *p = calloc(1, n);
        CHECK(p != NULL);
        return p;
}

void *sim_grow(void *p, size_t *cap, size_t need, size_t size)
{
        if (need <= *cap)
                return p;
        *cap = need < 8 ? 8 : need * 2;
        p = realloc(p, *cap * size);
        CHECK(p != NULL);
        return p;
}

static int64_t now_ms(void *platform)
{
        return ((struct sim *)platform)->now_ms;
}

/* Who goes on after everything was cancelled would never stop. */
static _Noreturn void give_up(const struct sim *sim, const char *story)
{
        fprintf(stderr, "%s\n(and it cannot be ended: %s)\n", sim->failure, story);
        abort();
}

static void deadlock(struct sim *sim)
{
        static const char story[] = "deadlock: nothing is left that could ever happen";
        if (sim->failure != NULL)
                give_up(sim, story);
        sim_fail(sim, "%s", story);
}

static void look(struct sim *sim)
{
        static const char story[] = "livelock: fibers run, or events come, without end while no time passes";
        sim->looks++;
        if (sim->looks == LOOKS_MAX)
                sim_fail(sim, "%s", story);
        if (sim->looks == 2 * LOOKS_MAX)
                give_up(sim, story);
}

/* Time is at the next event, or where the scheduler's first timer is due. */
static void wait_until(void *platform, int64_t until_ms)
{
        struct sim *sim = platform;
        int64_t next_ms = event_next(sim);
        int64_t to_ms = next_ms < until_ms ? next_ms : until_ms;
        if (to_ms == FIBER_NEVER) {
                deadlock(sim);
                return;
        }
        if (to_ms > sim->now_ms) {
                sim->now_ms = to_ms;
                sim->calls = sim->looks = 0;
        }
        look(sim);
        event_fire_due(sim);
}

struct sim *sim_new(uint64_t seed, const struct sim_watch *watch)
{
        struct sim *sim = sim_alloc(sizeof *sim);
        *sim = (struct sim){
                .seed = seed,
                .now_ms = SIM_START_MS,
                .link = {.latency_ms = 2, .jitter_ms = 3, .window = 64 * 1024, .split_ppm = 50000},
                .conns_end = &sim->conns,
        };
        if (watch != NULL)
                sim->watch = *watch;
        const struct sched_platform platform = {
                .now_ms = now_ms,
                .wait = wait_until,
                .platform = sim,
                .stack_size = FIBER_STACK_SIZE,
                .stack_alloc = stack_alloc,
                .stack_free = stack_keep,
                .stack_unused = stack_unused,
        };
        sim->sched = sched_new(&platform);
        CHECK(sim->sched != NULL);
        return sim;
}

void sim_free(struct sim *sim)
{
        if (sim == NULL)
                return;
        net_free_all(sim);
        node_free_all(sim);
        event_free_all(sim);
        sched_free(sim->sched);
        stack_free_all(sim);
        free(sim->places);
        free(sim->failure);
        free(sim);
}

struct run {
        struct sim *sim;
        void (*main)(struct sim *sim, void *arg);
        void *arg;
};

static void run_world(void *arg)
{
        struct run *run = arg;
        run->main(run->sim, run->arg);
        node_kill_all(run->sim);
}

static void run_all(void *arg)
{
        struct sim *sim = ((struct run *)arg)->sim;
        scope_open(&sim->scope, sim->sched, FIBER_NEVER);
        sim->is_open = true;
        CHECK(scope_spawn(&sim->scope, "world", run_world, arg) == ERR_OK);
        (void)scope_join(&sim->scope);
        sim->is_open = false;
}

void sim_run(struct sim *sim, void (*main)(struct sim *sim, void *arg), void *arg)
{
        struct run run = {.sim = sim, .main = main, .arg = arg};
        CHECK(!sim->is_done);
        sched_run(sim->sched, run_all, &run);
        sim->is_done = true;
}

struct sched *sim_sched(struct sim *sim)
{
        return sim->sched;
}

uint64_t sim_seed(const struct sim *sim)
{
        return sim->seed;
}

uint64_t sim_events(const struct sim *sim)
{
        return sim->fired;
}

const char *sim_failure(const struct sim *sim)
{
        return sim->failure;
}

void sim_fail(struct sim *sim, const char *format, ...)
{
        char story[STORY_MAX];
        va_list arguments;
        va_start(arguments, format);
        int n = vsnprintf(story, sizeof story, format, arguments);
        va_end(arguments);
        CHECK(n >= 0);
        if (sim->failure != NULL)
                return;
        sim->failure = sim_alloc(sizeof story);
        memcpy(sim->failure, story, sizeof story);
        sim_trace(sim, NULL, "failure", "%s", story);
        if (sim->is_open)
                scope_cancel(&sim->scope);
}

/* Not inlined: gcc 12 would see the address of a local stored, and not that waiter_wait or the closer takes it back. */
__attribute__((noinline)) static void enter(struct waiter **slot, struct waiter *waiter)
{
        CHECK(*slot == NULL); /* one fiber reads and one writes at a time */
        *slot = waiter;
}

enum err waiter_wait(struct sim *sim, struct waiter **slot, int64_t deadline_ms)
{
        struct waiter waiter = {.fiber = sched_current(sim->sched), .state = WAITER_WAITING};
        enter(slot, &waiter);
        enum err err = ERR_OK;
        while (err == ERR_OK && waiter.state == WAITER_WAITING)
                err = fiber_park(sim->sched, deadline_ms);
        if (waiter.state == WAITER_CLOSED)
                return ERR_CLOSED;
        *slot = NULL;
        return waiter.state == WAITER_READY ? ERR_OK : err;
}

void waiter_tell(struct waiter *waiter, enum waiter_state state)
{
        if (waiter == NULL || waiter->state == state)
                return;
        waiter->state = state;
        fiber_wake(waiter->fiber);
}

void waiter_close(struct waiter **slot)
{
        waiter_tell(*slot, WAITER_CLOSED);
        *slot = NULL;
}

void give_way(struct sim_node *node)
{
        if (sim_random_below(&node->turns, TURN_IN) == 0)
                fiber_yield(node->sim->sched);
}
