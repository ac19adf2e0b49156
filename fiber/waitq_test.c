/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>

#include "fiber/fake_platform.h"

enum { WAITERS = 4 };

struct run;

struct waiter {
        struct run *run;
        struct scope scope;
        struct fiber *fiber;
        int64_t deadline_ms;
        enum err err;
        unsigned turn; /* 0: not yet resumed */
};

struct run {
        struct fake_platform platform;
        struct sched *s;
        struct waitq *q;
        struct waiter waiters[WAITERS];
        unsigned turns;
};

static void play(void (*main)(void *arg))
{
        struct run r = {0};
        r.q = calloc(1, sizeof *r.q);
        r.s = fake_sched(&r.platform);
        sched_run(r.s, main, &r);
        sched_free(r.s);
        free(r.q);
}

static void wait_once(void *arg)
{
        struct waiter *w = arg;
        w->fiber = sched_current(w->run->s);
        w->err = waitq_wait(w->run->q, w->run->s, w->deadline_ms);
        w->turn = ++w->run->turns;
}

/* Each waiter in a scope of its own, so that it can be cancelled alone. */
static void start(struct run *r, int64_t deadline_ms)
{
        r->turns = 0;
        for (unsigned i = 0; i < WAITERS; i++) {
                struct waiter *w = &r->waiters[i];
                *w = (struct waiter){.run = r, .deadline_ms = deadline_ms, .err = ERR_COUNT};
                scope_open(&w->scope, r->s, FIBER_NEVER);
                assert_int_equal(scope_spawn(&w->scope, "wait", wait_once, w), ERR_OK);
        }
        fiber_yield(r->s);
}

static void join(struct run *r)
{
        for (unsigned i = 0; i < WAITERS; i++)
                assert_int_equal(scope_join(&r->waiters[i].scope), ERR_OK);
}

static void expect(struct run *r, unsigned i, enum err err, unsigned turn)
{
        assert_int_equal(r->waiters[i].err, err);
        assert_int_equal(r->waiters[i].turn, turn);
}

static void order(void *arg)
{
        struct run *r = arg;
        assert_false(waitq_wake_one(r->q));
        start(r, FIBER_NEVER);
        assert_true(waitq_wake_one(r->q));
        fiber_yield(r->s);
        expect(r, 0, ERR_OK, 1);
        expect(r, 1, ERR_COUNT, 0);
        waitq_wake_all(r->q);
        assert_false(waitq_wake_one(r->q));
        join(r);
        for (unsigned i = 1; i < WAITERS; i++)
                expect(r, i, ERR_OK, i + 1);
}

static void test_order(void **state)
{
        (void)state;
        play(order);
}

/* Out of the middle, the head and the tail of the line. */
static void cancelled(void *arg)
{
        struct run *r = arg;
        for (unsigned out = 0; out < WAITERS; out++) {
                start(r, FIBER_NEVER);
                scope_cancel(&r->waiters[out].scope);
                fiber_yield(r->s);
                expect(r, out, ERR_CANCELLED, 1);
                for (unsigned i = 0; i < WAITERS - 1; i++)
                        assert_true(waitq_wake_one(r->q));
                assert_false(waitq_wake_one(r->q));
                assert_true(r->q->head == NULL && r->q->tail == NULL);
                join(r);
                for (unsigned i = 0; i < WAITERS; i++)
                        if (i != out)
                                expect(r, i, ERR_OK, i < out ? i + 2 : i + 1);
        }
}

static void test_cancelled(void **state)
{
        (void)state;
        play(cancelled);
}

/* Cancelled, but not yet run again when the wake comes: the wake goes to the next one. */
static void wake_after_cancel(void *arg)
{
        struct run *r = arg;
        start(r, FIBER_NEVER);
        scope_cancel(&r->waiters[0].scope);
        assert_true(waitq_wake_one(r->q));
        fiber_yield(r->s);
        expect(r, 0, ERR_CANCELLED, 1);
        expect(r, 1, ERR_OK, 2);
        expect(r, 2, ERR_COUNT, 0);
        waitq_wake_all(r->q);
        join(r);
}

static void test_wake_after_cancel(void **state)
{
        (void)state;
        play(wake_after_cancel);
}

/* Woken first, cancelled then: it has the wake, and fails at its next wait. */
static void cancel_after_wake(void *arg)
{
        struct run *r = arg;
        start(r, FIBER_NEVER);
        assert_true(waitq_wake_one(r->q));
        scope_cancel(&r->waiters[0].scope);
        fiber_yield(r->s);
        expect(r, 0, ERR_OK, 1);
        waitq_wake_all(r->q);
        join(r);
}

static void test_cancel_after_wake(void **state)
{
        (void)state;
        play(cancel_after_wake);
}

static void deadline(void *arg)
{
        struct run *r = arg;
        start(r, 100);
        assert_int_equal(fiber_sleep(r->s, 50), ERR_OK);
        assert_true(waitq_wake_one(r->q));
        assert_int_equal(fiber_sleep(r->s, 100), ERR_OK);
        expect(r, 0, ERR_OK, 1);
        for (unsigned i = 1; i < WAITERS; i++)
                expect(r, i, ERR_TIMEOUT, i + 1);
        assert_true(r->q->head == NULL && r->q->tail == NULL);
        join(r);
}

static void test_deadline(void **state)
{
        (void)state;
        play(deadline);
}

/* A wake of the fiber itself, by somebody else, is no wake of the queue. */
static void stray_wake(void *arg)
{
        struct run *r = arg;
        start(r, FIBER_NEVER);
        fiber_wake(r->waiters[0].fiber);
        fiber_yield(r->s);
        expect(r, 0, ERR_COUNT, 0);
        fiber_wake(r->waiters[0].fiber);
        assert_true(waitq_wake_one(r->q)); /* it is ready, but still in line */
        fiber_yield(r->s);
        expect(r, 0, ERR_OK, 1);
        waitq_wake_all(r->q);
        join(r);
}

static void test_stray_wake(void **state)
{
        (void)state;
        play(stray_wake);
}

/* The queue is freed right after its waiters were woken, some of them cancelled before. */
static void queue_gone(void *arg)
{
        struct run *r = arg;
        start(r, FIBER_NEVER);
        scope_cancel(&r->waiters[1].scope);
        scope_cancel(&r->waiters[3].scope);
        waitq_wake_all(r->q);
        free(r->q);
        r->q = NULL;
        join(r);
        for (unsigned i = 0; i < WAITERS; i++)
                assert_int_equal(r->waiters[i].err, i % 2 == 1 ? ERR_CANCELLED : ERR_OK);
}

static void test_queue_gone(void **state)
{
        (void)state;
        play(queue_gone);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_order),
                cmocka_unit_test(test_cancelled),
                cmocka_unit_test(test_wake_after_cancel),
                cmocka_unit_test(test_cancel_after_wake),
                cmocka_unit_test(test_deadline),
                cmocka_unit_test(test_stray_wake),
                cmocka_unit_test(test_queue_gone),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
