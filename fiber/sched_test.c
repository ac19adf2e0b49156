/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include "fiber/fake_platform.h"

struct run {
        struct fake_platform platform;
        struct sched *s;
        char log[64]; /* one letter an event */
        size_t n;
        struct fiber *sleeper;
        enum err err;
        uint64_t sum;
};

static void note(struct run *r, char c)
{
        assert_true(r->n < sizeof r->log - 1);
        r->log[r->n++] = c;
}

static void play(struct run *r, void (*main)(void *arg))
{
        r->s = fake_sched(&r->platform);
        sched_run(r->s, main, r);
        assert_int_equal(sched_fibers(r->s), 0);
        assert_null(sched_current(r->s));
        sched_free(r->s);
}

static void say_a(void *arg)
{
        struct run *r = arg;
        note(r, 'a');
        fiber_yield(r->s);
        note(r, 'A');
}

static void say_b(void *arg)
{
        struct run *r = arg;
        note(r, 'b');
        fiber_yield(r->s);
        note(r, 'B');
}

static void spawn_two(void *arg)
{
        struct run *r = arg;
        struct scope scope;
        scope_open(&scope, r->s, FIBER_NEVER);
        assert_int_equal(scope_spawn(&scope, "a", say_a, r), ERR_OK);
        assert_int_equal(scope_spawn(&scope, "b", say_b, r), ERR_OK);
        assert_int_equal(sched_fibers(r->s), 3);
        note(r, '(');
        assert_int_equal(scope_join(&scope), ERR_OK);
        note(r, ')');
}

static void test_order(void **state)
{
        (void)state;
        struct run r = {0};
        play(&r, spawn_two);
        assert_string_equal(r.log, "(abAB)");
}

static void wake_before_park(void *arg)
{
        struct run *r = arg;
        fiber_wake(sched_current(r->s));
        assert_int_equal(fiber_park(r->s, FIBER_NEVER), ERR_OK);
        assert_int_equal(fiber_park(r->s, r->platform.now_ms + 5), ERR_TIMEOUT); /* one wake, one parking */
        assert_int_equal(r->platform.now_ms, 5);
        assert_int_equal(fiber_park(r->s, 5), ERR_TIMEOUT); /* a deadline that has passed does not wait */
        fiber_wake(sched_current(r->s));
        assert_int_equal(fiber_park(r->s, 5), ERR_OK); /* but a wake before it counts */
        fiber_wake(sched_current(r->s));
        assert_int_equal(fiber_sleep(r->s, 10), ERR_OK); /* a wake does not shorten a sleep */
        assert_int_equal(r->platform.now_ms, 15);
}

static void test_wake_before_park(void **state)
{
        (void)state;
        struct run r = {0};
        play(&r, wake_before_park);
}

static void park_for_ever(void *arg)
{
        struct run *r = arg;
        r->sleeper = sched_current(r->s);
        r->err = fiber_park(r->s, FIBER_NEVER);
        note(r, 'w');
}

static void wake_other(void *arg)
{
        struct run *r = arg;
        struct scope scope;
        scope_open(&scope, r->s, FIBER_NEVER);
        assert_int_equal(scope_spawn(&scope, "parked", park_for_ever, r), ERR_OK);
        fiber_yield(r->s);
        fiber_wake(r->sleeper);
        fiber_wake(r->sleeper);
        note(r, 'm');
        assert_int_equal(scope_join(&scope), ERR_OK);
        assert_int_equal(r->err, ERR_OK);
}

static void test_wake(void **state)
{
        (void)state;
        struct run r = {0};
        play(&r, wake_other);
        assert_string_equal(r.log, "mw");
}

/* The platform wakes a fiber at its hundredth look; two others yield all the while. */
static void wake_at_look(struct fake_platform *p)
{
        struct run *r = p->arg;
        if (p->looks == 100 && r->sleeper != NULL)
                fiber_wake(r->sleeper);
}

static void yield_until_woken(void *arg)
{
        struct run *r = arg;
        for (unsigned i = 0; i < 1000000 && r->n == 0; i++)
                fiber_yield(r->s);
        note(r, 'y');
}

static void crowd(void *arg)
{
        struct run *r = arg;
        struct scope scope;
        scope_open(&scope, r->s, FIBER_NEVER);
        assert_int_equal(scope_spawn(&scope, "io", park_for_ever, r), ERR_OK);
        assert_int_equal(scope_spawn(&scope, "busy", yield_until_woken, r), ERR_OK);
        assert_int_equal(scope_spawn(&scope, "busy", yield_until_woken, r), ERR_OK);
        assert_int_equal(scope_join(&scope), ERR_OK);
}

static void test_yield_lets_io_in(void **state)
{
        (void)state;
        struct run r = {.platform = {.on_look = wake_at_look, .arg = &r}};
        play(&r, crowd);
        assert_string_equal(r.log, "wyy");
}

/* A fiber that computes for a millisecond between yields gets a look at the platform at each. */
static void compute(void *arg)
{
        struct run *r = arg;
        for (unsigned i = 0; i < 10; i++) {
                r->platform.now_ms++;
                fiber_yield(r->s);
        }
        assert_true(r->platform.looks >= 10);
}

static void test_long_computation(void **state)
{
        (void)state;
        struct run r = {0};
        play(&r, compute);
}

static uint64_t use_stack(size_t n)
{
        volatile unsigned char bytes[1024];
        memset((void *)bytes, 0x5a, sizeof bytes);
        uint64_t below = n > sizeof bytes ? use_stack(n - sizeof bytes) : 0;
        return below + bytes[n % sizeof bytes];
}

static void deep(void *arg)
{
        struct run *r = arg;
        r->sum = use_stack(20 * 1024);
}

static void go_deep(void *arg)
{
        struct run *r = arg;
        struct scope scope;
        size_t before = sched_stack_high(r->s);
        assert_true(before > 0 && before < 16 * 1024);
        scope_open(&scope, r->s, FIBER_NEVER);
        assert_int_equal(scope_spawn(&scope, "deep", deep, r), ERR_OK);
        assert_int_equal(scope_join(&scope), ERR_OK);
        size_t after = sched_stack_high(r->s);
        assert_in_range(after, 20 * 1024, 64 * 1024 - 16);
}

static void test_stack_high(void **state)
{
        (void)state;
        struct run r = {0};
        play(&r, go_deep);
}

enum { MANY = 10000 };

static void nap(void *arg)
{
        struct run *r = arg;
        uint64_t place = r->sum++;
        assert_int_equal(fiber_sleep(r->s, (int64_t)(place * 7919 % MANY)), ERR_OK);
}

static void many(void *arg)
{
        struct run *r = arg;
        struct scope scope;
        scope_open(&scope, r->s, FIBER_NEVER);
        for (unsigned i = 0; i < MANY; i++)
                assert_int_equal(scope_spawn(&scope, "nap", nap, r), ERR_OK);
        assert_int_equal(sched_fibers(r->s), MANY + 1);
        assert_int_equal(scope_join(&scope), ERR_OK);
        assert_int_equal(r->platform.now_ms, MANY - 1);
}

static void test_ten_thousand(void **state)
{
        (void)state;
        struct run r = {0};
        play(&r, many);
        assert_int_equal(r.sum, MANY);
}

/* A platform without memory for stacks: the spawn fails, nothing else does. */
static void *no_stack(void *platform, size_t n)
{
        struct run *r = platform;
        return r->sum++ == 0 ? test_calloc(1, n) : NULL;
}

static void give_stack(void *platform, void *stack, size_t n)
{
        (void)platform;
        (void)n;
        test_free(stack);
}

static int64_t zero_ms(void *platform)
{
        (void)platform;
        return 0;
}

static void no_wait(void *platform, int64_t until_ms)
{
        (void)platform;
        (void)until_ms;
}

static void spawn_in_vain(void *arg)
{
        struct run *r = arg;
        struct scope scope;
        scope_open(&scope, r->s, FIBER_NEVER);
        assert_int_equal(scope_spawn(&scope, "never", say_a, r), ERR_MEMORY);
        assert_int_equal(scope_join(&scope), ERR_OK);
}

static void test_no_memory(void **state)
{
        (void)state;
        struct run r = {0};
        struct sched_platform platform = {.now_ms = zero_ms,
                .wait = no_wait,
                .platform = &r,
                .stack_size = 64 * 1024,
                .stack_alloc = no_stack,
                .stack_free = give_stack};
        r.s = sched_new(&platform);
        sched_run(r.s, spawn_in_vain, &r);
        sched_free(r.s);
        assert_int_equal(r.n, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_order),
                cmocka_unit_test(test_wake_before_park),
                cmocka_unit_test(test_wake),
                cmocka_unit_test(test_yield_lets_io_in),
                cmocka_unit_test(test_long_computation),
                cmocka_unit_test(test_stack_high),
                cmocka_unit_test(test_ten_thousand),
                cmocka_unit_test(test_no_memory),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
