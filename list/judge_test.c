/* SPDX-License-Identifier: ISC */
#include "list/judge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#define DAY JUDGE_DAY_MS
#define HOUR (DAY / 24)
#define START (20000 * DAY + 12 * HOUR)

static enum judge_verdict fail_at(struct judge_score *s, enum judge_class class, int64_t now_ms)
{
        const struct judge_failure f = {.class = class, .is_smtp = true, .now_ms = now_ms};
        return judge_failed(s, &f);
}

static enum judge_verdict bounce_at(struct judge_score *s, int64_t now_ms)
{
        const struct judge_failure f = {.class = JUDGE_ADDRESS, .now_ms = now_ms};
        return judge_failed(s, &f);
}

static enum judge_verdict probe_fails(struct judge_score *s, enum judge_class class, int64_t now_ms)
{
        const struct judge_failure f = {.class = class, .is_probe = true, .now_ms = now_ms};
        return judge_failed(s, &f);
}

/* A member whose probe is under way at START + 2 days. */
static struct judge_score suspect(void)
{
        struct judge_score s = {0};
        assert_int_equal(bounce_at(&s, START), JUDGE_COUNTED);
        assert_int_equal(bounce_at(&s, START + DAY), JUDGE_COUNTED);
        assert_int_equal(bounce_at(&s, START + 2 * DAY), JUDGE_PROBE);
        judge_probe_sent(&s, START + 2 * DAY);
        return s;
}

/* A thousand posts in a day are one count. */
static void test_once_a_day(void **state)
{
        (void)state;
        struct judge_score s = {0};
        assert_int_equal(fail_at(&s, JUDGE_ADDRESS, START), JUDGE_COUNTED);
        for (int i = 1; i < 1000; i++)
                assert_int_equal(fail_at(&s, JUDGE_ADDRESS, START + i), JUDGE_LEAVE);
        assert_int_equal(s.halves, JUDGE_ONE);
        assert_int_equal(fail_at(&s, JUDGE_ADDRESS, START + 12 * HOUR), JUDGE_COUNTED); /* midnight */
        assert_int_equal(s.halves, 2 * JUDGE_ONE);
}

/* Lists were emptied by refusals that were about the server. */
static void test_policy_never_counts(void **state)
{
        (void)state;
        struct judge_score s = {0};
        for (int i = 0; i < 400; i++) {
                assert_int_equal(
                        fail_at(&s, i % 2 ? JUDGE_POLICY : JUDGE_MESSAGE, START + i * DAY), JUDGE_LEAVE);
                assert_int_equal(s.halves, 0);
        }
        assert_int_equal(s.probe, JUDGE_PROBE_NONE);
}

static void test_half_counts(void **state)
{
        (void)state;
        struct judge_score s = {0};
        for (int i = 0; i < 5; i++)
                assert_int_equal(
                        fail_at(&s, i % 2 ? JUDGE_FULL : JUDGE_SYSTEM, START + i * DAY), JUDGE_COUNTED);
        assert_int_equal(fail_at(&s, JUDGE_FULL, START + 5 * DAY), JUDGE_PROBE);
}

static void test_probe_then_removal(void **state)
{
        (void)state;
        static const struct {
                const char *name;
                enum judge_class class;
                int64_t after_ms;
                bool is_accepted;
                enum judge_verdict want;
        } cases[] = {
                {"refused", JUDGE_ADDRESS, 1, false, JUDGE_REMOVE},
                {"full", JUDGE_FULL, 1, false, JUDGE_REMOVE},
                {"given up", JUDGE_SYSTEM, 5 * DAY, false, JUDGE_REMOVE},
                {"policy", JUDGE_POLICY, 1, false, JUDGE_LEAVE},
                {"message", JUDGE_MESSAGE, 1, false, JUDGE_LEAVE},
                {"bounced later", JUDGE_ADDRESS, 6 * DAY, true, JUDGE_REMOVE},
                {"bounced when all was healed", JUDGE_ADDRESS, 7 * DAY, true, JUDGE_LEAVE},
                {"lost, and found", JUDGE_ADDRESS, 15 * DAY, false, JUDGE_LEAVE},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct judge_score s = suspect();
                if (cases[i].is_accepted)
                        judge_delivered(&s, true, START + 2 * DAY);
                enum judge_verdict got = probe_fails(&s, cases[i].class, START + 2 * DAY + cases[i].after_ms);
                if (got != cases[i].want)
                        fail_msg("%s: %d", cases[i].name, got);
                assert_int_equal(s.probe, JUDGE_PROBE_NONE);
        }
        struct judge_score never = {0}; /* a bounce of a probe that was never sent */
        assert_int_equal(probe_fails(&never, JUDGE_ADDRESS, START), JUDGE_LEAVE);
}

/* While one is under way, and for a week behind it, there is no other. */
static void test_probes_keep_apart(void **state)
{
        (void)state;
        struct judge_score s = suspect();
        assert_int_equal(bounce_at(&s, START + 3 * DAY), JUDGE_COUNTED);
        assert_int_equal(probe_fails(&s, JUDGE_POLICY, START + 3 * DAY), JUDGE_LEAVE);
        for (int i = 4; i < 9; i++)
                assert_true(bounce_at(&s, START + i * DAY) != JUDGE_PROBE);
        assert_int_equal(bounce_at(&s, START + 9 * DAY), JUDGE_PROBE);
}

static void test_healing(void **state)
{
        (void)state;
        struct judge_score s = {0};
        assert_int_equal(bounce_at(&s, START), JUDGE_COUNTED);
        assert_int_equal(bounce_at(&s, START + DAY), JUDGE_COUNTED);
        assert_false(judge_heal(&s, START + 8 * DAY - 1));
        assert_int_equal(s.halves, 2 * JUDGE_ONE);
        assert_false(judge_heal(&s, START + 8 * DAY));
        assert_int_equal(s.halves, JUDGE_ONE);
        assert_true(judge_heal(&s, START + 15 * DAY));
        assert_int_equal(s.halves, 0);
        assert_int_equal(s.days, 0);
        s = suspect(); /* all of it, a week behind an accepted probe */
        judge_delivered(&s, true, START + 3 * DAY);
        assert_false(judge_heal(&s, START + 10 * DAY - 1));
        (void)judge_heal(&s, START + 10 * DAY);
        assert_int_equal(s.halves, 0);
        assert_int_equal(s.probe, JUDGE_PROBE_NONE);
}

/* A server that refuses in SMTP and then takes a copy has changed its mind; one that takes all and bounces later has
 * said nothing by taking another. */
static void test_accepted_copies(void **state)
{
        (void)state;
        struct judge_score s = {0};
        (void)fail_at(&s, JUDGE_ADDRESS, START);
        judge_delivered(&s, false, START + 1);
        assert_int_equal(s.halves, 0);
        s = suspect();
        judge_delivered(&s, false, START + 2 * DAY + 1);
        assert_int_equal(s.halves, JUDGE_THRESHOLD);
        assert_int_equal(s.probe, JUDGE_PROBE_SENT);
}

static void test_breaker(void **state)
{
        (void)state;
        struct judge_score s = {0};
        struct judge_failure open = {.class = JUDGE_ADDRESS, .is_breaker_open = true, .now_ms = START};
        assert_int_equal(judge_failed(&s, &open), JUDGE_LEAVE);
        assert_int_equal(s.halves, 0);
        assert_int_equal(bounce_at(&s, START), JUDGE_COUNTED);
        assert_int_equal(bounce_at(&s, START + 2 * DAY), JUDGE_COUNTED);
        assert_int_equal(bounce_at(&s, START + 2 * DAY + 12 * HOUR), JUDGE_PROBE); /* both are within a day */
        judge_take_back(&s, START + 2 * DAY + 12 * HOUR - JUDGE_BREAKER_MS);
        assert_int_equal(s.halves, JUDGE_ONE);
        assert_int_equal(s.days, 1);
        judge_take_back(&s, START + 2 * DAY + 12 * HOUR - JUDGE_BREAKER_MS); /* what is back is back */
        assert_int_equal(s.halves, JUDGE_ONE);
        s = suspect();
        open.is_probe = true;
        open.now_ms = START + 2 * DAY + 1;
        assert_int_equal(judge_failed(&s, &open), JUDGE_LEAVE);
}

/* A probe that was called for by counts that are taken back proves nothing when it fails, days after the breaker. */
static void test_probe_called_off(void **state)
{
        (void)state;
        static const struct {
                const char *name;
                bool is_accepted;
                int64_t after_ms; /* from the probe to the breaker */
                enum judge_verdict want;
        } cases[] = {
                {"under way", false, 1, JUDGE_LEAVE},
                {"taken by a server", true, 1, JUDGE_LEAVE},
                {"of the day before, whose counts stand", false, DAY + 1, JUDGE_REMOVE},
                {"of the week before, healed since", false, 7 * DAY, JUDGE_REMOVE},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct judge_score s = suspect();
                int64_t open_ms = START + 2 * DAY + cases[i].after_ms;
                if (cases[i].is_accepted)
                        judge_delivered(&s, true, START + 2 * DAY);
                (void)bounce_at(&s, open_ms);
                judge_take_back(&s, open_ms - JUDGE_BREAKER_MS);
                if (probe_fails(&s, JUDGE_ADDRESS, open_ms + 2 * DAY) != cases[i].want)
                        fail_msg("%s", cases[i].name);
        }
        struct judge_score s = suspect(); /* nothing is taken back: one that healed since keeps its probe */
        s.halves = JUDGE_ONE;
        s.last[0].halves = s.last[1].halves = 0;
        judge_take_back(&s, START + 2 * DAY);
        assert_int_equal(s.probe, JUDGE_PROBE_SENT);
        s = suspect(); /* another is sent no sooner than after a week */
        judge_take_back(&s, START + 2 * DAY);
        assert_int_equal(bounce_at(&s, START + 3 * DAY), JUDGE_COUNTED);
        assert_int_equal(bounce_at(&s, START + 4 * DAY), JUDGE_COUNTED);
        assert_int_equal(bounce_at(&s, START + 8 * DAY), JUDGE_COUNTED);
        assert_int_equal(bounce_at(&s, START + 9 * DAY), JUDGE_PROBE);
}

static void test_clock_set_back(void **state)
{
        (void)state;
        struct judge_score s = {0};
        assert_int_equal(bounce_at(&s, START + 3000 * DAY), JUDGE_COUNTED);
        assert_int_equal(bounce_at(&s, START), JUDGE_LEAVE); /* it was today, then */
        assert_int_equal(bounce_at(&s, START + DAY), JUDGE_COUNTED);
        assert_int_equal(bounce_at(&s, START + 2 * DAY), JUDGE_PROBE);
        judge_probe_sent(&s, START + 4000 * DAY);
        assert_false(judge_heal(&s, START + 3 * DAY));
        assert_true(judge_heal(&s, START + 60 * DAY));
}

static void test_window(void **state)
{
        (void)state;
        struct judge_window w = {0};
        for (int i = 0; i < 9; i++)
                (void)judge_window_failed(&w, START + i, false);
        assert_false(judge_window_is_bad(&w, START + 9, 10)); /* nine deliveries, whoever they were to */
        (void)judge_window_failed(&w, START + 10, false);
        assert_true(judge_window_is_bad(&w, START + 10, 10));
        assert_false(judge_window_is_bad(&w, START + 10, 9));
        for (int i = 0; i < 10; i++)
                judge_window_done(&w, START + HOUR);
        assert_false(judge_window_is_bad(&w, START + HOUR, 10)); /* half is not more than half */
        (void)judge_window_failed(&w, START + HOUR, true);       /* one of these bounced */
        assert_true(judge_window_is_bad(&w, START + HOUR, 10));
        assert_false(judge_window_is_bad(&w, START + 24 * HOUR, 10)); /* the first hour is over */
        for (int i = 0; i < 20; i++)
                (void)judge_window_failed(&w, START - 3000 * DAY, true); /* a clock set back begins anew */
        assert_true(judge_window_is_bad(&w, START - 3000 * DAY, 10));
        assert_false(judge_window_is_bad(&w, -1, 10));
        judge_window_done(&w, INT64_MIN);
}

/* What is read again at a start comes in no order. */
static void test_window_of_the_past(void **state)
{
        (void)state;
        struct judge_window w = {0};
        for (int i = 0; i < 11; i++) {
                judge_window_done(&w, START + 23 * HOUR);
                (void)judge_window_failed(&w, START + HOUR * (22 - 2 * i), true);
        }
        assert_true(judge_window_is_bad(&w, START + 23 * HOUR, 10));
        assert_true(judge_window_is_bad(&w, START + 27 * HOUR, 10)); /* one of them is over */
        assert_false(judge_window_is_bad(&w, START + 29 * HOUR, 10));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_once_a_day),
                cmocka_unit_test(test_policy_never_counts),
                cmocka_unit_test(test_half_counts),
                cmocka_unit_test(test_probe_then_removal),
                cmocka_unit_test(test_probes_keep_apart),
                cmocka_unit_test(test_healing),
                cmocka_unit_test(test_accepted_copies),
                cmocka_unit_test(test_breaker),
                cmocka_unit_test(test_probe_called_off),
                cmocka_unit_test(test_clock_set_back),
                cmocka_unit_test(test_window),
                cmocka_unit_test(test_window_of_the_past),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
