/* SPDX-License-Identifier: ISC */
#include "base/time_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define CASES(table) (sizeof(table) / sizeof(table)[0])

static void test_civil(void **state)
{
        (void)state;
        static const struct {
                int64_t unix_s;
                struct time_civil civil;
        } cases[] = {
                {0, {1970, 1, 1, 0, 0, 0, 4}},
                {951782399, {2000, 2, 28, 23, 59, 59, 1}},
                {951782400, {2000, 2, 29, 0, 0, 0, 2}},
                {951868800, {2000, 3, 1, 0, 0, 0, 3}},
                {1795366800, {2026, 11, 22, 17, 0, 0, 0}},
                {2147483648, {2038, 1, 19, 3, 14, 8, 2}},
                {4107542400, {2100, 3, 1, 0, 0, 0, 1}},
                {TIME_UNIX_MAX, {9999, 12, 31, 23, 59, 59, 5}},
        };
        for (size_t i = 0; i < CASES(cases); i++) {
                struct time_civil c = time_civil_of_unix(cases[i].unix_s), want = cases[i].civil;
                print_message("%lld\n", (long long)cases[i].unix_s);
                assert_true(c.year == want.year && c.month == want.month && c.day == want.day);
                assert_true(c.hour == want.hour && c.minute == want.minute && c.second == want.second);
                assert_int_equal(c.weekday, want.weekday);
                assert_int_equal(time_unix_of_civil(&c), cases[i].unix_s);
        }
}

/* Each day from 1970 on is the one behind the day before. */
static void test_every_day(void **state)
{
        (void)state;
        struct time_civil before = time_civil_of_unix(0);
        for (int64_t day = 1; day < 400 * 366; day++) {
                struct time_civil c = time_civil_of_unix(day * 86400);
                bool month_ends = before.day == time_days_in_month(before.year, before.month);
                assert_int_equal(c.weekday, (before.weekday + 1) % 7);
                assert_int_equal(c.day, month_ends ? 1 : before.day + 1);
                assert_int_equal(c.month, month_ends ? before.month % 12 + 1 : before.month);
                assert_int_equal(c.year, before.year + (month_ends && before.month == 12));
                assert_int_equal(time_unix_of_civil(&c), day * 86400);
                before = c;
        }
}

static void test_clamping(void **state)
{
        (void)state;
        assert_int_equal(time_civil_of_unix(-1).year, 1970);
        assert_int_equal(time_civil_of_unix(INT64_MIN).second, 0);
        assert_int_equal(time_civil_of_unix(INT64_MAX).year, 9999);
        assert_int_equal(time_days_in_month(2100, 2), 28);
        assert_int_equal(time_days_in_month(2000, 2), 29);
}

static void test_rfc3339(void **state)
{
        (void)state;
        static const struct {
                int64_t unix_ms;
                const char *want;
        } cases[] = {
                {1795366800123, "2026-11-22T17:00:00.123Z"},
                {7, "1970-01-01T00:00:00.007Z"},
                {-1, "1970-01-01T00:00:00.000Z"},
        };
        for (size_t i = 0; i < CASES(cases); i++) {
                char out[24];
                struct wr w;
                wr_init(&w, out, sizeof out);
                time_write_rfc3339(&w, cases[i].unix_ms);
                assert_true(str_eq(wr_text(&w), str_of_c(cases[i].want)));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_civil),
                cmocka_unit_test(test_every_day),
                cmocka_unit_test(test_clamping),
                cmocka_unit_test(test_rfc3339),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
