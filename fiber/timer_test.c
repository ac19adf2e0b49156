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

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_heap),
                cmocka_unit_test(test_order),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
