/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "fiber/fake_platform.h"

enum { SLOTS = 3, WORKERS = 100 };

struct run {
        struct fake_platform platform;
        struct sched *s;
        struct semaphore m;
        struct scope *scope;
        size_t inside, most, done;
        enum err err;
};

static void play(void (*main)(void *arg))
{
        struct run r = {.m.left = SLOTS};
        r.s = fake_sched(&r.platform);
        sched_run(r.s, main, &r);
        sched_free(r.s);
}

static void work(void *arg)
{
        struct run *r = arg;
        size_t place = r->done++;
        assert_int_equal(semaphore_take(&r->m, r->s, FIBER_NEVER), ERR_OK);
        r->inside++;
        r->most = r->inside > r->most ? r->inside : r->most;
        assert_int_equal(fiber_sleep(r->s, 10), ERR_OK);
        assert_int_equal(
                r->platform.now_ms, (int64_t)(place / SLOTS + 1) * 10); /* in their order, no slot idle */
        r->inside--;
        semaphore_give(&r->m);
}

static void at_most(void *arg)
{
        struct run *r = arg;
        struct scope scope;
        scope_open(&scope, r->s, FIBER_NEVER);
        for (unsigned i = 0; i < WORKERS; i++)
                assert_int_equal(scope_spawn(&scope, "work", work, r), ERR_OK);
        assert_int_equal(scope_join(&scope), ERR_OK);
        assert_int_equal(r->most, SLOTS);
        assert_int_equal(r->m.left, SLOTS);
}

static void test_at_most(void **state)
{
        (void)state;
        play(at_most);
}

static void take_one(void *arg)
{
        struct run *r = arg;
        r->err = semaphore_take(&r->m, r->s, FIBER_NEVER);
}

static void take_all(struct run *r)
{
        for (unsigned i = 0; i < SLOTS; i++)
                assert_int_equal(semaphore_take(&r->m, r->s, 0), ERR_OK);
        assert_int_equal(semaphore_take(&r->m, r->s, 0), ERR_TIMEOUT);
        assert_int_equal(semaphore_take(&r->m, r->s, r->platform.now_ms + 5), ERR_TIMEOUT);
}

/* Cancelled before the slot is given: the slot stays. Given before the cancellation: it has the slot. */
static void cancelled(void *arg)
{
        struct run *r = arg;
        for (unsigned given_first = 0; given_first < 2; given_first++) {
                struct scope scope;
                take_all(r);
                scope_open(&scope, r->s, FIBER_NEVER);
                assert_int_equal(scope_spawn(&scope, "take", take_one, r), ERR_OK);
                fiber_yield(r->s);
                if (given_first)
                        semaphore_give(&r->m);
                scope_cancel(&scope);
                if (!given_first)
                        semaphore_give(&r->m);
                assert_int_equal(scope_join(&scope), ERR_OK);
                assert_int_equal(r->err, given_first ? ERR_OK : ERR_CANCELLED);
                assert_int_equal(r->m.left, given_first ? 0 : 1);
                r->m.left = SLOTS;
        }
}

static void test_cancelled(void **state)
{
        (void)state;
        play(cancelled);
}

/* One that comes while somebody waits does not overtake. */
static void fair(void *arg)
{
        struct run *r = arg;
        struct scope scope;
        take_all(r);
        scope_open(&scope, r->s, FIBER_NEVER);
        assert_int_equal(scope_spawn(&scope, "take", take_one, r), ERR_OK);
        fiber_yield(r->s);
        semaphore_give(&r->m);
        assert_int_equal(semaphore_take(&r->m, r->s, 0), ERR_TIMEOUT);
        assert_int_equal(scope_join(&scope), ERR_OK);
        assert_int_equal(r->err, ERR_OK);
}

static void test_fair(void **state)
{
        (void)state;
        play(fair);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_at_most),
                cmocka_unit_test(test_cancelled),
                cmocka_unit_test(test_fair),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
