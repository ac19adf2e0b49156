/* SPDX-License-Identifier: ISC */
#include "base/quantity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/exact.h"

#define CASES(table) (sizeof(table) / sizeof(table)[0])

static void test_duration(void **state)
{
        (void)state;
        static const struct {
                const char *text;
                enum err err;
                int64_t want_s;
        } cases[] = {
                {"0", ERR_OK, 0},
                {"90", ERR_OK, 90},
                {"90s", ERR_OK, 90},
                {"5m", ERR_OK, 300},
                {"2h", ERR_OK, 7200},
                {"30d", ERR_OK, 2592000},
                {"36600d", ERR_OK, 3162240000},
                {"36601d", ERR_LIMIT, 0},
                {"3162240001", ERR_LIMIT, 0},
                {"18446744073709551616", ERR_LIMIT, 0},
                {"18446744073709551615d", ERR_LIMIT, 0},
                {"", ERR_SYNTAX, 0},
                {"m", ERR_SYNTAX, 0},
                {"5M", ERR_SYNTAX, 0},
                {"5w", ERR_SYNTAX, 0},
                {"-5m", ERR_SYNTAX, 0},
                {"5 m", ERR_SYNTAX, 0},
                {"5mm", ERR_SYNTAX, 0},
                {"1.5h", ERR_SYNTAX, 0},
        };
        for (size_t i = 0; i < CASES(cases); i++) {
                int64_t s = 77;
                struct str text = exact(str_of_c(cases[i].text));
                print_message("%s\n", cases[i].text);
                assert_int_equal(quantity_duration_parse(text, &s), cases[i].err);
                assert_int_equal(s, cases[i].want_s);
                exact_free(text);
        }
}

static void test_size(void **state)
{
        (void)state;
        static const struct {
                const char *text;
                enum err err;
                uint64_t want;
        } cases[] = {
                {"0", ERR_OK, 0},
                {"4096", ERR_OK, 4096},
                {"64K", ERR_OK, 65536},
                {"25M", ERR_OK, 26214400},
                {"2G", ERR_OK, 2147483648},
                {"8388608G", ERR_OK, 9007199254740992},
                {"8388609G", ERR_LIMIT, 0},
                {"9007199254740993", ERR_LIMIT, 0},
                {"64k", ERR_SYNTAX, 0},
                {"64KB", ERR_SYNTAX, 0},
                {"K", ERR_SYNTAX, 0},
                {"", ERR_SYNTAX, 0},
        };
        for (size_t i = 0; i < CASES(cases); i++) {
                uint64_t n = 77;
                print_message("%s\n", cases[i].text);
                assert_int_equal(quantity_size_parse(str_of_c(cases[i].text), &n), cases[i].err);
                assert_int_equal(n, cases[i].want);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_duration),
                cmocka_unit_test(test_size),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
