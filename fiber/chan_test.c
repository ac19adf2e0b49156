/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>

#include "fiber/fake_platform.h"

enum { PEERS = 3, MANY = 1000 };

struct run;

struct peer {
        struct run *run;
        struct scope scope;
        int64_t deadline_ms;
        void *item;
        enum err err;
};

struct run {
        struct fake_platform platform;
        struct sched *s;
        struct chan *c;
        struct peer peers[PEERS];
        int items[MANY];
        size_t cap;
};

static void play_with(size_t cap, void (*main)(void *arg))
{
        struct run r = {.cap = cap};
        void **slots = calloc(cap + 1, sizeof *slots);
        r.c = malloc(sizeof *r.c);
        chan_init(r.c, slots, cap);
        r.s = fake_sched(&r.platform);
        sched_run(r.s, main, &r);
        sched_free(r.s);
        free(r.c);
        free(slots);
}

static void send_item(void *arg)
{
        struct peer *p = arg;
        p->err = chan_send(p->run->c, p->run->s, p->item, p->deadline_ms);
}

static void receive_item(void *arg)
{
        struct peer *p = arg;
        p->err = chan_receive(p->run->c, p->run->s, p->deadline_ms, &p->item);
}

static void start(struct run *r, void (*fn)(void *arg), int64_t deadline_ms)
{
        for (unsigned i = 0; i < PEERS; i++) {
                struct peer *p = &r->peers[i];
                *p = (struct peer){
                        .run = r, .deadline_ms = deadline_ms, .item = &r->items[i], .err = ERR_COUNT};
                scope_open(&p->scope, r->s, FIBER_NEVER);
                assert_int_equal(scope_spawn(&p->scope, "peer", fn, p), ERR_OK);
        }
        fiber_yield(r->s);
}

static void join(struct run *r)
{
        for (unsigned i = 0; i < PEERS; i++)
                assert_int_equal(scope_join(&r->peers[i].scope), ERR_OK);
}

static void must_send(struct run *r, void *item)
{
        assert_int_equal(chan_send(r->c, r->s, item, 0), ERR_OK);
}

static void must_receive(struct run *r, void *item)
{
        void *got = r;
        assert_int_equal(chan_receive(r->c, r->s, 0, &got), ERR_OK);
        assert_ptr_equal(got, item);
}

static void produce(void *arg)
{
        struct run *r = arg;
        for (int i = 0; i < MANY; i++)
                assert_int_equal(chan_send(r->c, r->s, &r->items[i], FIBER_NEVER), ERR_OK);
        chan_close(r->c);
}

static void order(void *arg)
{
        struct run *r = arg;
        struct scope scope;
        void *item;
        scope_open(&scope, r->s, FIBER_NEVER);
        assert_int_equal(scope_spawn(&scope, "produce", produce, r), ERR_OK);
        for (int i = 0; i < MANY; i++) {
                assert_int_equal(chan_receive(r->c, r->s, FIBER_NEVER, &item), ERR_OK);
                assert_ptr_equal(item, &r->items[i]);
        }
        assert_int_equal(chan_receive(r->c, r->s, FIBER_NEVER, &item), ERR_CLOSED);
        assert_null(item);
        assert_int_equal(scope_join(&scope), ERR_OK);
}

static void test_order(void **state)
{
        (void)state;
        static const size_t caps[] = {0, 1, 2, 7, MANY};
        for (size_t i = 0; i < sizeof caps / sizeof caps[0]; i++)
                play_with(caps[i], order);
}

static void full_and_empty(void *arg)
{
        struct run *r = arg;
        void *item;
        assert_int_equal(chan_receive(r->c, r->s, 0, &item), ERR_TIMEOUT);
        must_send(r, &r->items[0]);
        must_send(r, &r->items[1]);
        assert_int_equal(chan_send(r->c, r->s, &r->items[2], 0), ERR_TIMEOUT);
        assert_int_equal(chan_send(r->c, r->s, &r->items[2], 30), ERR_TIMEOUT);
        assert_int_equal(r->platform.now_ms, 30);
        must_receive(r, &r->items[0]);
        must_receive(r, &r->items[1]);
        assert_int_equal(chan_receive(r->c, r->s, 60, &item), ERR_TIMEOUT);
        assert_null(item);
}

static void test_full_and_empty(void **state)
{
        (void)state;
        play_with(2, full_and_empty);
}

/* Closed while senders wait: their items stay theirs; what was in the channel can still be received. */
static void close_senders(void *arg)
{
        struct run *r = arg;
        void *item;
        if (r->cap == 1)
                must_send(r, r);
        start(r, send_item, FIBER_NEVER);
        chan_close(r->c);
        join(r);
        for (unsigned i = 0; i < PEERS; i++)
                assert_int_equal(r->peers[i].err, ERR_CLOSED);
        assert_int_equal(chan_send(r->c, r->s, r, FIBER_NEVER), ERR_CLOSED);
        if (r->cap == 1)
                must_receive(r, r);
        assert_int_equal(chan_receive(r->c, r->s, FIBER_NEVER, &item), ERR_CLOSED);
}

static void close_receivers(void *arg)
{
        struct run *r = arg;
        start(r, receive_item, FIBER_NEVER);
        chan_close(r->c);
        free(r->c); /* nobody looks at it again */
        r->c = NULL;
        join(r);
        for (unsigned i = 0; i < PEERS; i++) {
                assert_int_equal(r->peers[i].err, ERR_CLOSED);
                assert_null(r->peers[i].item);
        }
}

static void test_close(void **state)
{
        (void)state;
        play_with(0, close_senders);
        play_with(1, close_senders);
        play_with(0, close_receivers);
        play_with(1, close_receivers);
}

/* A receiver cancelled in line gets nothing, the next one does; one that was handed an item before has it. */
static void cancel_receivers(void *arg)
{
        struct run *r = arg;
        start(r, receive_item, FIBER_NEVER);
        scope_cancel(&r->peers[0].scope);
        must_send(r, &r->items[10]);
        scope_cancel(&r->peers[1].scope);
        scope_cancel(&r->peers[2].scope);
        join(r);
        assert_int_equal(r->peers[0].err, ERR_CANCELLED);
        assert_int_equal(r->peers[1].err, ERR_OK);
        assert_ptr_equal(r->peers[1].item, &r->items[10]);
        assert_int_equal(r->peers[2].err, ERR_CANCELLED);
        assert_null(r->peers[2].item);
        assert_int_equal(chan_send(r->c, r->s, r, 0), r->cap > 0 ? ERR_OK : ERR_TIMEOUT);
}

static void test_cancel_receivers(void **state)
{
        (void)state;
        play_with(0, cancel_receivers);
        play_with(1, cancel_receivers);
}

/* A sender cancelled in line takes its item away with it; the others keep their order, and no newcomer overtakes. */
static void cancel_senders(void *arg)
{
        struct run *r = arg;
        void *item;
        if (r->cap == 1)
                must_send(r, r);
        start(r, send_item, FIBER_NEVER);
        scope_cancel(&r->peers[1].scope);
        if (r->cap == 1)
                must_receive(r, r);
        assert_int_equal(chan_send(r->c, r->s, r, 0), ERR_TIMEOUT);
        must_receive(r, &r->items[0]);
        must_receive(r, &r->items[2]);
        assert_int_equal(chan_receive(r->c, r->s, 0, &item), ERR_TIMEOUT);
        join(r);
        assert_int_equal(r->peers[0].err, ERR_OK);
        assert_int_equal(r->peers[1].err, ERR_CANCELLED);
        assert_int_equal(r->peers[2].err, ERR_OK);
}

static void test_cancel_senders(void **state)
{
        (void)state;
        play_with(0, cancel_senders);
        play_with(1, cancel_senders);
}

/* Cancelled before: not even what would need no wait. */
static void use_cancelled(void *arg)
{
        struct peer *p = arg;
        void *item;
        scope_cancel(&p->scope);
        assert_int_equal(chan_receive(p->run->c, p->run->s, FIBER_NEVER, &item), ERR_CANCELLED);
        assert_int_equal(chan_send(p->run->c, p->run->s, p, FIBER_NEVER), ERR_CANCELLED);
}

static void when_cancelled(void *arg)
{
        struct run *r = arg;
        must_send(r, r);
        start(r, use_cancelled, FIBER_NEVER);
        join(r);
        must_receive(r, r);
}

static void test_when_cancelled(void **state)
{
        (void)state;
        play_with(2, when_cancelled);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_order),
                cmocka_unit_test(test_full_and_empty),
                cmocka_unit_test(test_close),
                cmocka_unit_test(test_cancel_receivers),
                cmocka_unit_test(test_cancel_senders),
                cmocka_unit_test(test_when_cancelled),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
