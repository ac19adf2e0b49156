/* SPDX-License-Identifier: ISC */
#include "serve/smtpd_gate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/limits.h"
#include "fiber/fake_platform.h"

#define SESSIONS 10

static void test_places(void **state)
{
        (void)state;
        static const struct {
                size_t most, reserved, open;
                bool for_strangers, for_favoured, is_crowded;
        } cases[] = {
                {1, 0, 0, true, true, false},
                {1, 0, 1, false, false, true},
                {100, 0, 89, true, true, false},
                {100, 0, 90, true, true, true},
                {100, 0, 99, true, true, true},
                {100, 0, 100, false, false, true},
                {100, 50, 44, true, true, false},
                {100, 50, 45, true, true, true},
                {100, 50, 49, true, true, true},
                {100, 50, 50, false, true, true},
                {100, 50, 99, false, true, true},
                {100, 50, 100, false, false, true},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct smtpd_gate g = {
                        .most = cases[i].most, .reserved = cases[i].reserved, .open = cases[i].open};
                assert_int_equal(smtpd_gate_has_place(&g, false), cases[i].for_strangers);
                assert_int_equal(smtpd_gate_has_place(&g, true), cases[i].for_favoured);
                assert_int_equal(smtpd_gate_is_crowded(&g), cases[i].is_crowded);
        }
}

/* Sessions that wait until they are dismissed, or for an hour. */
struct world {
        struct fake_platform platform;
        struct sched *s;
        struct smtpd_gate gate;
        struct smtpd_place places[SESSIONS];
        size_t begun;
        enum err got[SESSIONS];
};

static void session(void *arg)
{
        struct world *w = arg;
        size_t i = w->begun++;
        struct smtpd_place *p = &w->places[i];
        smtpd_place_enter(&w->gate, p, sched_current(w->s), w->platform.now_ms);
        p->is_idle = true;
        w->got[i] = fiber_park(w->s, 3600 * 1000);
        p->is_idle = false;
        smtpd_place_leave(&w->gate, p);
        smtpd_place_leave(&w->gate, p);
}

static bool is_dismissed(struct world *w, size_t i)
{
        return w->places[i].is_dismissed;
}

static void make_room(struct world *w)
{
        smtpd_gate_make_room(&w->gate, w->platform.now_ms);
}

static void crowd(void *arg)
{
        struct world *w = arg;
        struct scope scope;
        scope_open(&scope, w->s, FIBER_NEVER);
        for (size_t i = 0; i < SESSIONS; i++) {
                assert_int_equal(scope_spawn(&scope, "session", session, w), ERR_OK);
                w->gate.open++;
                assert_int_equal(fiber_sleep(w->s, 10), ERR_OK); /* one after the other */
        }
        make_room(w);
        assert_int_equal(w->gate.dismissed, 0); /* none has waited for long enough */
        assert_int_equal(fiber_sleep(w->s, SMTPD_DISMISS_AFTER_MS), ERR_OK);
        w->gate.most++;
        w->gate.open = 2;
        make_room(w);
        assert_int_equal(w->gate.dismissed, 0); /* there is room */
        w->gate.open = w->gate.most;
        smtpd_place_used(&w->gate, &w->places[0], w->platform.now_ms);
        w->places[1].is_idle = false; /* something is being done for it */
        make_room(w);
        assert_true(is_dismissed(w, 2));
        smtpd_place_used(&w->gate, &w->places[2], w->platform.now_ms); /* too late */
        w->places[1].is_idle = true;
        make_room(w);
        assert_true(is_dismissed(w, 1));
        for (size_t i = 0; i < SESSIONS; i++)
                make_room(w);
        assert_int_equal(w->gate.dismissed, SESSIONS - 1);
        assert_false(is_dismissed(w, 0));
        fiber_yield(w->s);
        for (size_t i = 1; i < SESSIONS; i++)
                assert_int_equal(w->got[i], ERR_TIMEOUT);
        assert_ptr_equal(w->gate.idle.first, &w->places[0]);
        fiber_wake(w->places[0].fiber);
        (void)scope_join(&scope);
        assert_null(w->gate.idle.first);
}

static void test_crowd(void **state)
{
        (void)state;
        struct world w = {.gate.most = SESSIONS};
        w.s = fake_sched(&w.platform);
        sched_run(w.s, crowd, &w);
        sched_free(w.s);
        assert_int_equal(w.got[0], ERR_OK);
}

/* Messages have places of their own: the one that comes for the longest makes room, others wait for nobody. */
static void messages(void *arg)
{
        struct world *w = arg;
        struct scope scope;
        scope_open(&scope, w->s, FIBER_NEVER);
        for (size_t i = 0; i < SESSIONS; i++) {
                assert_true(smtpd_gate_takes_message(&w->gate, w->platform.now_ms));
                assert_int_equal(scope_spawn(&scope, "session", session, w), ERR_OK);
                fiber_yield(w->s);
                smtpd_place_in_message(&w->gate, &w->places[i], w->platform.now_ms);
                assert_int_equal(fiber_sleep(w->s, 100), ERR_OK);
        }
        w->gate.open = w->gate.most;
        assert_false(smtpd_gate_takes_message(&w->gate, w->platform.now_ms));
        assert_int_equal(w->gate.dismissed, 0);
        assert_int_equal(fiber_sleep(w->s, SMTPD_SLOW_AFTER_MS - SESSIONS * 100), ERR_OK);
        make_room(w); /* those with a message under way do not make room for sessions */
        assert_int_equal(w->gate.dismissed, 0);
        assert_true(smtpd_gate_takes_message(&w->gate, w->platform.now_ms));
        assert_true(is_dismissed(w, 0));
        smtpd_place_used(&w->gate, &w->places[1], w->platform.now_ms); /* its message has ended */
        assert_int_equal(w->gate.messages.count, SESSIONS - 2);
        assert_int_equal(w->gate.idle.count, 1);
        assert_true(smtpd_gate_takes_message(&w->gate, w->platform.now_ms));
        assert_int_equal(w->gate.dismissed, 1); /* there was room */
        for (size_t i = 1; i < SESSIONS; i++)
                fiber_wake(w->places[i].fiber);
        (void)scope_join(&scope);
        assert_int_equal(w->gate.messages.count + w->gate.idle.count, 0);
}

static void test_messages(void **state)
{
        (void)state;
        struct world w = {.gate = {.most = SESSIONS, .messages_most = SESSIONS}};
        w.s = fake_sched(&w.platform);
        sched_run(w.s, messages, &w);
        sched_free(w.s);
        assert_int_equal(w.got[0], ERR_TIMEOUT);
        assert_int_equal(w.got[1], ERR_OK);
}

/* Sessions under TLS are counted, and one of them makes room for the next; those in the clear are left alone. */
static void secured(void *arg)
{
        struct world *w = arg;
        struct scope scope;
        scope_open(&scope, w->s, FIBER_NEVER);
        for (size_t i = 0; i < SESSIONS; i++)
                assert_int_equal(scope_spawn(&scope, "session", session, w), ERR_OK);
        fiber_yield(w->s);
        for (size_t i = 1; i <= 4; i++) {
                assert_true(smtpd_gate_takes_tls(&w->gate, w->platform.now_ms));
                smtpd_place_secure(&w->gate, &w->places[i], w->platform.now_ms);
        }
        assert_false(smtpd_gate_takes_tls(&w->gate, w->platform.now_ms));
        smtpd_place_secure(&w->gate, &w->places[4], w->platform.now_ms);
        assert_int_equal(w->gate.secured, 4);
        assert_int_equal(fiber_sleep(w->s, SMTPD_DISMISS_AFTER_MS), ERR_OK);
        smtpd_place_used(&w->gate, &w->places[1], w->platform.now_ms);
        smtpd_place_in_message(&w->gate, &w->places[2], w->platform.now_ms);
        assert_true(smtpd_gate_takes_tls(&w->gate, w->platform.now_ms));
        assert_true(is_dismissed(w, 3));
        assert_int_equal(w->gate.dismissed, 1);
        smtpd_place_used(&w->gate, &w->places[2], w->platform.now_ms);
        assert_int_equal(w->gate.idle_secured.count, 3);
        w->gate.open = w->gate.most; /* for a session any will do, the one that was used least lately first */
        make_room(w);
        assert_true(is_dismissed(w, 4) || is_dismissed(w, 0));
        assert_int_equal(w->gate.dismissed, 2);
        for (size_t i = 0; i < SESSIONS; i++)
                fiber_wake(w->places[i].fiber);
        (void)scope_join(&scope);
        assert_int_equal(w->gate.secured, 0);
}

static void test_secured(void **state)
{
        (void)state;
        struct world w = {.gate = {.most = 100, .secured_most = 4}};
        struct smtpd_place nowhere = {0};
        w.s = fake_sched(&w.platform);
        smtpd_place_secure(&w.gate, &nowhere, 0);
        assert_int_equal(w.gate.secured, 0);
        sched_run(w.s, secured, &w);
        sched_free(w.s);
}

/* However many sessions had buffers at once, only so many are kept. */
static void test_buffers(void **state)
{
        (void)state;
        struct smtpd_gate g = {.most = 1};
        union smtpd_buffers *taken[SMTPD_SPARE_MAX + 5];
        const size_t count = sizeof taken / sizeof taken[0];
        for (int round = 0; round < 2; round++) {
                for (size_t i = 0; i < count; i++) {
                        taken[i] = smtpd_gate_take(&g);
                        assert_non_null(taken[i]);
                }
                assert_int_equal(g.spare_count, 0);
                for (size_t i = 0; i < count; i++)
                        smtpd_gate_give(&g, taken[i]);
                assert_int_equal(g.spare_count, SMTPD_SPARE_MAX);
        }
        smtpd_gate_give(&g, NULL);
        union smtpd_buffers *last = smtpd_gate_take(&g);
        assert_ptr_equal(last, taken[SMTPD_SPARE_MAX - 1]); /* the warmest */
        smtpd_gate_give(&g, last);
        smtpd_gate_drop(&g);
        assert_null(g.spare);
        assert_int_equal(g.spare_count, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_places),
                cmocka_unit_test(test_crowd),
                cmocka_unit_test(test_messages),
                cmocka_unit_test(test_secured),
                cmocka_unit_test(test_buffers),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
