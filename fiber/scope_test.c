/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "fiber/fake_platform.h"

struct run {
        struct fake_platform platform;
        struct sched *s;
        struct scope *scope, inner;
        struct waitq q;
        enum err err, join_err;
        int64_t ended_ms;
        unsigned count;
        bool flag;
};

static void play(void (*main)(void *arg))
{
        struct run r = {0};
        r.s = fake_sched(&r.platform);
        sched_run(r.s, main, &r);
        sched_free(r.s);
}

static void sleep_long(void *arg)
{
        struct run *r = arg;
        r->err = fiber_sleep(r->s, 1000);
        r->ended_ms = r->platform.now_ms;
        r->count++;
        if (r->err == ERR_CANCELLED) { /* and from now on at once */
                int64_t before_ms = r->platform.now_ms;
                assert_int_equal(fiber_sleep(r->s, 1000), ERR_CANCELLED);
                assert_int_equal(fiber_park(r->s, FIBER_NEVER), ERR_CANCELLED);
                assert_int_equal(waitq_wait(&r->q, r->s, FIBER_NEVER), ERR_CANCELLED);
                assert_true(fiber_is_cancelled(r->s));
                assert_int_equal(r->platform.now_ms, before_ms);
        }
}

static void sleep_in_inner(void *arg)
{
        struct run *r = arg;
        scope_open(&r->inner, r->s, r->ended_ms);
        assert_int_equal(scope_spawn(&r->inner, "sleep", sleep_long, r), ERR_OK);
        assert_int_equal(scope_join(&r->inner), ERR_OK);
}

/* A scope with a deadline, of the scope or of one around it, against the fiber's own. */
static void deadline(void *arg)
{
        static const struct {
                int64_t scope_ms, inner_ms;
                enum err err;
                int64_t ended_ms;
        } cases[] = {
                {FIBER_NEVER, FIBER_NEVER, ERR_OK, 1000},
                {300, FIBER_NEVER, ERR_TIMEOUT, 300},
                {FIBER_NEVER, 300, ERR_TIMEOUT, 300},
                {300, 500, ERR_TIMEOUT, 300},
                {500, 300, ERR_TIMEOUT, 300},
                {2000, 2000, ERR_OK, 1000},
                {-1, FIBER_NEVER, ERR_TIMEOUT, 0},
        };
        struct run *r = arg;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct scope outer;
                r->platform.now_ms = 0;
                scope_open(&outer, r->s, cases[i].scope_ms);
                r->inner = (struct scope){0};
                r->ended_ms = cases[i].inner_ms;
                r->scope = &outer;
                assert_int_equal(scope_spawn(&outer, "outer", sleep_in_inner, r), ERR_OK);
                assert_int_equal(scope_join(&outer), ERR_OK);
                assert_int_equal(r->err, cases[i].err);
                assert_int_equal(r->ended_ms, cases[i].ended_ms);
        }
}

static void test_deadline(void **state)
{
        (void)state;
        play(deadline);
}

/* Cancelling reaches a fiber in a scope inside a scope; the joiner in between says so. */
static void hold_inner(void *arg)
{
        struct run *r = arg;
        scope_open(&r->inner, r->s, FIBER_NEVER);
        for (unsigned i = 0; i < 3; i++)
                assert_int_equal(scope_spawn(&r->inner, "sleep", sleep_long, r), ERR_OK);
        r->join_err = scope_join(&r->inner);
        assert_int_equal(r->count, 3); /* waited for, although cancelled */
}

static void cancel_with_children(void *arg)
{
        struct run *r = arg;
        struct scope scope;
        scope_open(&scope, r->s, FIBER_NEVER);
        assert_int_equal(scope_spawn(&scope, "hold", hold_inner, r), ERR_OK);
        assert_int_equal(fiber_sleep(r->s, 10), ERR_OK);
        scope_cancel(&scope);
        assert_int_equal(r->count, 0); /* returns at once */
        assert_int_equal(scope_spawn(&scope, "late", sleep_long, r), ERR_CANCELLED);
        assert_int_equal(scope_join(&scope), ERR_OK); /* this fiber itself is not cancelled */
        assert_int_equal(r->join_err, ERR_CANCELLED);
        assert_int_equal(r->err, ERR_CANCELLED);
        assert_int_equal(r->platform.now_ms, 10);
        assert_int_equal(fiber_sleep(r->s, 5), ERR_OK);
}

static void test_cancel_with_children(void **state)
{
        (void)state;
        play(cancel_with_children);
}

/* Opened in a scope that is cancelled already: born cancelled. */
static void open_late(void *arg)
{
        struct run *r = arg;
        scope_cancel(r->scope);
        scope_open(&r->inner, r->s, FIBER_NEVER);
        assert_int_equal(scope_spawn(&r->inner, "sleep", sleep_long, r), ERR_CANCELLED);
        assert_int_equal(scope_join(&r->inner), ERR_CANCELLED);
        r->flag = true;
}

static void born_cancelled(void *arg)
{
        struct run *r = arg;
        struct scope scope;
        r->scope = &scope;
        scope_open(&scope, r->s, FIBER_NEVER);
        assert_int_equal(scope_spawn(&scope, "late", open_late, r), ERR_OK);
        assert_int_equal(scope_join(&scope), ERR_OK);
        assert_true(r->flag && r->count == 0);
}

static void test_born_cancelled(void **state)
{
        (void)state;
        play(born_cancelled);
}

/* A fiber that is cancelled before it first runs still runs, and fails at its first wait. */
static void cancel_before_start(void *arg)
{
        struct run *r = arg;
        struct scope scope;
        scope_open(&scope, r->s, FIBER_NEVER);
        assert_int_equal(scope_spawn(&scope, "sleep", sleep_long, r), ERR_OK);
        scope_cancel(&scope);
        assert_int_equal(scope_join(&scope), ERR_OK);
        assert_int_equal(r->count, 1);
        assert_int_equal(r->err, ERR_CANCELLED);
}

static void test_cancel_before_start(void **state)
{
        (void)state;
        play(cancel_before_start);
}

/* Clean-up under a shield waits as if nothing had happened, and may use fibers of its own. */
static void clean_up(void *arg)
{
        struct run *r = arg;
        assert_int_equal(fiber_sleep(r->s, 1000), ERR_CANCELLED);
        fiber_shield(r->s, true);
        fiber_shield(r->s, true);
        assert_int_equal(fiber_sleep(r->s, 50), ERR_OK);
        fiber_shield(r->s, false);
        assert_false(fiber_is_cancelled(r->s));
        assert_int_equal(fiber_park(r->s, r->platform.now_ms + 5), ERR_TIMEOUT);
        scope_open(&r->inner, r->s, FIBER_NEVER);
        assert_int_equal(scope_spawn(&r->inner, "sleep", sleep_long, r), ERR_OK);
        assert_int_equal(scope_join(&r->inner), ERR_OK);
        assert_int_equal(r->err, ERR_OK);
        fiber_shield(r->s, false);
        assert_int_equal(fiber_sleep(r->s, 1), ERR_CANCELLED);
        r->flag = true;
}

static void shield(void *arg)
{
        struct run *r = arg;
        struct scope scope;
        scope_open(&scope, r->s, 500);
        assert_int_equal(scope_spawn(&scope, "clean", clean_up, r), ERR_OK);
        assert_int_equal(fiber_sleep(r->s, 10), ERR_OK);
        scope_cancel(&scope);
        assert_int_equal(scope_join(&scope), ERR_OK);
        assert_true(r->flag);
        assert_int_equal(r->platform.now_ms, 10 + 50 + 5 + 1000); /* past the scope's deadline, too */
}

static void test_shield(void **state)
{
        (void)state;
        play(shield);
}

/* Shielded when the cancellation comes: the wait goes on; it counts once the shield is down. */
static void wait_shielded(void *arg)
{
        struct run *r = arg;
        fiber_shield(r->s, true);
        assert_int_equal(fiber_sleep(r->s, 100), ERR_OK);
        fiber_shield(r->s, false);
        r->err = fiber_sleep(r->s, 100);
}

static void cancel_shielded(void *arg)
{
        struct run *r = arg;
        struct scope scope;
        scope_open(&scope, r->s, FIBER_NEVER);
        assert_int_equal(scope_spawn(&scope, "shielded", wait_shielded, r), ERR_OK);
        assert_int_equal(fiber_sleep(r->s, 10), ERR_OK);
        scope_cancel(&scope);
        assert_int_equal(scope_join(&scope), ERR_OK);
        assert_int_equal(r->err, ERR_CANCELLED);
        assert_int_equal(r->platform.now_ms, 100);
}

static void test_cancel_shielded(void **state)
{
        (void)state;
        play(cancel_shielded);
}

/* A fiber may cancel the scope that it is in, and spawn into it; an ended scope can be opened again. */
static void grow(void *arg)
{
        struct run *r = arg;
        if (++r->count < 100) {
                assert_int_equal(scope_spawn(r->scope, "grow", grow, r), ERR_OK);
                return;
        }
        scope_cancel(r->scope);
        assert_int_equal(scope_spawn(r->scope, "grow", grow, r), ERR_CANCELLED);
        assert_int_equal(fiber_sleep(r->s, 1), ERR_CANCELLED);
}

static void from_inside(void *arg)
{
        struct run *r = arg;
        struct scope scope;
        for (unsigned i = 0; i < 3; i++) {
                r->scope = &scope;
                r->count = 0;
                scope_open(&scope, r->s, FIBER_NEVER);
                assert_int_equal(scope_spawn(&scope, "grow", grow, r), ERR_OK);
                assert_int_equal(scope_join(&scope), ERR_OK);
                assert_int_equal(r->count, 100);
        }
}

static void test_from_inside(void **state)
{
        (void)state;
        play(from_inside);
}

/* Many scopes side by side in one scope, ended in another order than they began. */
static void own_scope(void *arg)
{
        struct run *r = arg;
        struct scope scope;
        int64_t ms = (int64_t)(r->count++ * 37 % 101);
        scope_open(&scope, r->s, FIBER_NEVER);
        enum err err = fiber_sleep(r->s, ms);
        assert_int_equal(err, ms <= 50 ? ERR_OK : ERR_CANCELLED);
        assert_int_equal(scope.cancelled, err == ERR_CANCELLED);
        assert_int_equal(scope_join(&scope), err);
}

static void siblings(void *arg)
{
        struct run *r = arg;
        struct scope scope;
        scope_open(&scope, r->s, FIBER_NEVER);
        for (unsigned i = 0; i < 101; i++)
                assert_int_equal(scope_spawn(&scope, "own", own_scope, r), ERR_OK);
        assert_int_equal(fiber_sleep(r->s, 50), ERR_OK);
        fiber_yield(r->s);
        scope_cancel(&scope);
        assert_int_equal(scope_join(&scope), ERR_OK);
        assert_null(scope.children);
}

static void test_siblings(void **state)
{
        (void)state;
        play(siblings);
}

static void name_below(void *arg)
{
        struct run *r = arg;
        struct scope scope;
        scope_open(&scope, r->s, FIBER_NEVER);
        r->scope = &scope;
        assert_int_equal(scope_spawn(&scope, "below", sleep_long, r), ERR_OK);
        assert_int_equal(scope_join(&scope), ERR_OK);
}

/* The name of who keeps a scope from ending: of the deepest, not of those who wait for it. */
static void fiber_name(void *arg)
{
        struct run *r = arg;
        struct scope scope;
        scope_open(&scope, r->s, FIBER_NEVER);
        assert_null(scope_fiber_name(&scope));
        assert_int_equal(scope_spawn(&scope, "above", name_below, r), ERR_OK);
        assert_string_equal(scope_fiber_name(&scope), "above");
        assert_int_equal(fiber_sleep(r->s, 500), ERR_OK);
        assert_string_equal(scope_fiber_name(&scope), "below");
        assert_int_equal(scope_join(&scope), ERR_OK);
}

static void test_fiber_name(void **state)
{
        (void)state;
        play(fiber_name);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_deadline),
                cmocka_unit_test(test_cancel_with_children),
                cmocka_unit_test(test_born_cancelled),
                cmocka_unit_test(test_cancel_before_start),
                cmocka_unit_test(test_shield),
                cmocka_unit_test(test_cancel_shielded),
                cmocka_unit_test(test_from_inside),
                cmocka_unit_test(test_siblings),
                cmocka_unit_test(test_fiber_name),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
