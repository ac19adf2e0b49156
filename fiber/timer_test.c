/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>

#include "fiber/fake_platform.h"
#include "fiber/sched.h"

/* The heap alone, against a model that looks at everything. The fibers never run. */
enum { FIBERS = 200, STEPS = 20000 };

static uint32_t next_random(uint32_t *seed)
{
        *seed = *seed * 1664525 + 1013904223;
        return *seed >> 8;
}

static int64_t model_next(const struct fiber *fibers)
{
        int64_t next = FIBER_NEVER;
        for (size_t i = 0; i < FIBERS; i++)
                if (fibers[i].timer != 0 && fibers[i].deadline_ms < next)
                        next = fibers[i].deadline_ms;
        return next;
}

static void test_heap(void **state)
{
        (void)state;
        static struct fiber fibers[FIBERS];
        struct sched s = {0};
        uint32_t seed = 1;
        size_t in = 0;
        for (size_t i = 0; i < FIBERS; i++) {
                fibers[i].sched = &s;
                assert_true(timer_room(&s, i + 1));
        }
        for (unsigned step = 0; step < STEPS; step++) {
                struct fiber *f = &fibers[next_random(&seed) % FIBERS];
                if (f->timer == 0) {
                        timer_add(f, (int64_t)(next_random(&seed) % 50));
                        in++;
                } else {
                        timer_remove(f);
                        in--;
                }
                assert_int_equal(s.timer_count, in);
                assert_int_equal(timer_next(&s), model_next(fibers));
                for (size_t i = 0; i < s.timer_count; i++)
                        assert_int_equal(s.timers[i]->timer, i + 1);
        }
        timer_remove(&fibers[0]);
        timer_remove(&fibers[0]); /* twice is nothing */
        free(s.timers);
}

/* Deadlines end in their order, equal ones as they began. */
struct run {
        struct fake_platform platform;
        struct sched *s;
        size_t begun, ended;
        struct {
                int64_t ms;
                size_t place;
        } log[FIBERS];
};

static void nap(void *arg)
{
        struct run *r = arg;
        size_t place = r->begun++;
        int64_t ms = (int64_t)(place * 7 % 13);
        assert_int_equal(fiber_sleep_until(r->s, ms), ERR_OK);
        assert_int_equal(r->platform.now_ms, ms); /* neither early nor late */
        r->log[r->ended].ms = ms;
        r->log[r->ended++].place = place;
}

static void nap_all(void *arg)
{
        struct run *r = arg;
        struct scope scope;
        scope_open(&scope, r->s, FIBER_NEVER);
        for (size_t i = 0; i < FIBERS; i++)
                assert_int_equal(scope_spawn(&scope, "nap", nap, r), ERR_OK);
        assert_int_equal(scope_join(&scope), ERR_OK);
        for (size_t i = 1; i < FIBERS; i++)
                assert_true(r->log[i].ms > r->log[i - 1].ms ||
                            (r->log[i].ms == r->log[i - 1].ms && r->log[i].place > r->log[i - 1].place));
}

static void test_order(void **state)
{
        (void)state;
        struct run r = {0};
        r.s = fake_sched(&r.platform);
        sched_run(r.s, nap_all, &r);
        sched_free(r.s);
        assert_int_equal(r.ended, FIBERS);
}

/* One fiber ends the wait of another before its time. */
struct pair {
        struct fake_platform platform;
        struct sched *s;
        struct fiber *waiter;
        int64_t deadline_ms;
        enum err got;
        bool has_ended;
};

static void wait_fiber(void *arg)
{
        struct pair *p = arg;
        p->waiter = sched_current(p->s);
        p->got = fiber_park(p->s, p->deadline_ms);
        p->has_ended = true;
}

static void expire_main(void *arg)
{
        struct pair *p = arg;
        struct scope scope;
        scope_open(&scope, p->s, FIBER_NEVER);
        assert_int_equal(scope_spawn(&scope, "wait", wait_fiber, p), ERR_OK);
        fiber_yield(p->s);
        bool has_deadline = p->deadline_ms != FIBER_NEVER;
        assert_int_equal(fiber_expire(p->waiter), has_deadline);
        assert_false(fiber_expire(p->waiter)); /* it has been woken already, or still has none */
        assert_false(fiber_expire(sched_current(p->s)));
        if (!has_deadline)
                fiber_wake(p->waiter);
        fiber_yield(p->s);
        assert_true(p->has_ended);
        assert_int_equal(p->got, has_deadline ? ERR_TIMEOUT : ERR_OK);
        assert_int_equal(p->platform.now_ms, 0);
        (void)scope_join(&scope);
}

static void test_expire(void **state)
{
        (void)state;
        static const int64_t deadlines_ms[] = {1000, FIBER_NEVER};
        for (size_t i = 0; i < 2; i++) {
                struct pair p = {.deadline_ms = deadlines_ms[i]};
                p.s = fake_sched(&p.platform);
                sched_run(p.s, expire_main, &p);
                sched_free(p.s);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_heap),
                cmocka_unit_test(test_order),
                cmocka_unit_test(test_expire),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
