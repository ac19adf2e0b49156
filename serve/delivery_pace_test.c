/* SPDX-License-Identifier: ISC */
/* The pace of one destination, played on a clock of its own. */
#include "serve/delivery_pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/limits.h"

#define FAR_MS 100 /* an answer of a peer for which every connection is of use */

static void take(struct delivery_pace *p, unsigned n, int64_t reply_ms, int64_t now_ms)
{
        for (unsigned i = 0; i < n; i++)
                delivery_pace_taken(p, p->allowed, reply_ms, now_ms);
}

static void test_a_willing_peer_gets_all_soon(void **state)
{
        struct delivery_pace p;
        (void)state;
        delivery_pace_init(&p);
        assert_int_equal(p.allowed, DELIVERY_PACE_FIRST);
        take(&p, DELIVERY_WORKERS_EACH - DELIVERY_PACE_FIRST, FAR_MS, 0);
        assert_int_equal(p.allowed, DELIVERY_WORKERS_EACH);
        take(&p, 100, FAR_MS, 0);
        assert_int_equal(p.allowed, DELIVERY_WORKERS_EACH);
}

/* Few connections carry all there is, so more would only be a burden. */
static void test_a_near_peer_needs_few(void **state)
{
        struct delivery_pace p;
        (void)state;
        delivery_pace_init(&p);
        take(&p, 100, 1, 0);
        assert_int_equal(p.allowed, DELIVERY_PACE_FEW);
        delivery_pace_init(&p);
        take(&p, 100, 40, 0);
        assert_int_equal(p.allowed, 40 * DELIVERY_PACE_RATE / 1000);
        take(&p, 3000, FAR_MS, 0); /* and has moved away */
        assert_int_equal(p.allowed, DELIVERY_WORKERS_EACH);
}

static void test_idle_connections_prove_nothing(void **state)
{
        struct delivery_pace p;
        (void)state;
        delivery_pace_init(&p);
        for (int i = 0; i < 100; i++)
                delivery_pace_taken(&p, 1, 50, 0);
        assert_int_equal(p.allowed, DELIVERY_PACE_FIRST);
}

static void test_trouble_halves_and_rounds_add(void **state)
{
        struct delivery_pace p;
        (void)state;
        delivery_pace_init(&p);
        take(&p, 14, FAR_MS, 0);
        assert_int_equal(p.allowed, 16);
        delivery_pace_troubled(&p, 16, 1000);
        assert_int_equal(p.allowed, 8);
        delivery_pace_troubled(&p, 16, 1500); /* the same cause, seen by another connection */
        assert_int_equal(p.allowed, 8);
        take(&p, 100, FAR_MS, 1500 + DELIVERY_PACE_HOLD_MS - 1);
        assert_int_equal(p.allowed, 8);
        take(&p, 7, FAR_MS, 1500 + DELIVERY_PACE_HOLD_MS);
        assert_int_equal(p.allowed, 8);
        take(&p, 1, FAR_MS, 1500 + DELIVERY_PACE_HOLD_MS);
        assert_int_equal(p.allowed, 9);
        for (int64_t now = 100000; now < 110000; now += 1000)
                delivery_pace_troubled(&p, p.allowed, now);
        assert_int_equal(p.allowed, 1);
}

static void test_one_recipient_is_no_trouble(void **state)
{
        struct delivery_pace p;
        (void)state;
        delivery_pace_init(&p);
        take(&p, 6, 50, 0);
        for (int i = 0; i < 20; i++) {
                delivery_pace_refused(&p, 8, 5000);
                take(&p, 1, 50, 0);
        }
        assert_false(p.was_troubled);
        for (int i = 0; i < DELIVERY_PACE_REFUSED; i++)
                delivery_pace_refused(&p, 8, 5000);
        assert_true(p.was_troubled);
}

static void test_slow_answers_end_growth(void **state)
{
        struct delivery_pace p;
        (void)state;
        delivery_pace_init(&p);
        take(&p, 2, 50, 0);
        unsigned before = p.allowed;
        take(&p, 1, 5000, 0);
        take(&p, 10, 1000, 0);
        assert_int_equal(p.allowed, before);
        take(&p, 60, 50, 0);
        assert_true(p.allowed > before);
}

static void test_crowded(void **state)
{
        struct delivery_pace p;
        (void)state;
        delivery_pace_init(&p);
        take(&p, 8, 50, 0);
        delivery_pace_crowded(&p, 3, 1000);
        assert_int_equal(p.allowed, 3);
        take(&p, 100, 50, 1000 + DELIVERY_PACE_CROWDED_MS - 1);
        assert_int_equal(p.allowed, 3);
        take(&p, 3, 50, 1000 + DELIVERY_PACE_CROWDED_MS);
        assert_int_equal(p.allowed, 4);
        delivery_pace_crowded(&p, 0, 200000);
        assert_int_equal(p.allowed, 1);
}

static void test_sessions(void **state)
{
        struct delivery_pace p;
        (void)state;
        delivery_pace_init(&p);
        assert_true(delivery_pace_session_goes_on(&p, 1000000));
        delivery_pace_session(&p, 2, 0, false, 0); /* before the first: that is no length */
        assert_true(delivery_pace_session_goes_on(&p, 1000000));
        delivery_pace_session(&p, 2, 5, false, 0);
        assert_true(delivery_pace_session_goes_on(&p, 4));
        assert_false(delivery_pace_session_goes_on(&p, 5));
        assert_int_equal(p.resume_ms, 0);
        take(&p, 16 * 5, 50, 0);
        assert_true(delivery_pace_session_goes_on(&p, 5));
        assert_false(delivery_pace_session_goes_on(&p, 6));
}

static void test_pauses(void **state)
{
        struct delivery_pace p;
        int64_t now = 1000;
        (void)state;
        delivery_pace_init(&p);
        delivery_pace_session(&p, 2, 5, true, now);
        delivery_pace_session(&p, 2, 5, true, now + 1); /* told to another connection as well */
        assert_int_equal(p.resume_ms, now + DELIVERY_PACE_PAUSE_MS);
        for (int i = 0; i < 10; i++) {
                now = p.resume_ms;
                delivery_pace_session(&p, 1, 5, true, now);
        }
        assert_int_equal(p.resume_ms, now + DELIVERY_PACE_PAUSE_MOST_MS);
        now = p.resume_ms;
        take(&p, 1, 50, now);
        delivery_pace_session(&p, 1, 5, true, now);
        assert_int_equal(p.resume_ms, now + DELIVERY_PACE_PAUSE_MS);
}

static void test_later_to_one_is_no_word_about_all(void **state)
{
        struct delivery_pace p;
        (void)state;
        delivery_pace_init(&p);
        for (int64_t now = 0; now < 20LL * DELIVERY_PACE_PAUSE_MS; now += 2LL * DELIVERY_PACE_PAUSE_MS) {
                delivery_pace_session(&p, 1, 0, true, now);
                assert_int_equal(p.resume_ms, now + DELIVERY_PACE_PAUSE_MS);
                delivery_pace_refused(&p, 1, now);
                p.refused = 0; /* one is no row */
        }
        assert_false(delivery_pace_is_dismissed(&p));
        for (int i = 0; i < DELIVERY_PACE_DISMISSED; i++)
                delivery_pace_session(&p, 2, 0, true, 1000000);
        assert_false(delivery_pace_is_dismissed(&p)); /* several are told the same at once */
        for (int i = 1; i < DELIVERY_PACE_DISMISSED; i++)
                delivery_pace_session(&p, 1, 0, true, p.resume_ms);
        assert_true(delivery_pace_is_dismissed(&p));
        take(&p, 1, 50, 1000000);
        assert_false(delivery_pace_is_dismissed(&p));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_willing_peer_gets_all_soon),
                cmocka_unit_test(test_a_near_peer_needs_few),
                cmocka_unit_test(test_idle_connections_prove_nothing),
                cmocka_unit_test(test_trouble_halves_and_rounds_add),
                cmocka_unit_test(test_one_recipient_is_no_trouble),
                cmocka_unit_test(test_slow_answers_end_growth),
                cmocka_unit_test(test_crowded),
                cmocka_unit_test(test_sessions),
                cmocka_unit_test(test_pauses),
                cmocka_unit_test(test_later_to_one_is_no_word_about_all),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
