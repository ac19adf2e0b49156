/* SPDX-License-Identifier: ISC */
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void test_numbers(void **state)
{
        (void)state;
        static const struct {
                const char *text;
                uint64_t most;
                enum err err;
                uint64_t value;
        } cases[] = {
                {"0", 10, ERR_OK, 0},
                {"10", 10, ERR_OK, 10},
                {"11", 10, ERR_LIMIT, 0},
                {"", 10, ERR_SYNTAX, 0},
                {"+1", 10, ERR_SYNTAX, 0},
                {"-1", 10, ERR_SYNTAX, 0},
                {"1 ", 10, ERR_SYNTAX, 0},
                {"18446744073709551615", UINT64_MAX, ERR_OK, UINT64_MAX},
                {"18446744073709551616", UINT64_MAX, ERR_LIMIT, 0},
                {"99999999999999999999999x", UINT64_MAX, ERR_SYNTAX, 0},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                uint64_t value = 77;
                assert_int_equal(str_to_u64(str_of_c(cases[i].text), cases[i].most, &value), cases[i].err);
                assert_int_equal(value, cases[i].value);
        }
}

static void test_find(void **state)
{
        (void)state;
        assert_int_equal(str_find(S("abcabd"), S("abd")), 3);
        assert_int_equal(str_find(S("abcab"), S("abd")), 5);
        assert_int_equal(str_find(S(""), S("a")), 0);
        assert_int_equal(str_find(S("a"), S("")), 0);
        assert_int_equal(str_find(S("aaab"), S("aab")), 1);
        assert_int_equal(str_find_byte(S("abc"), 'c'), 2);
        assert_int_equal(str_find_byte(S("abc"), 'x'), 3);
        assert_int_equal(str_find_last_byte(S("a@b@c"), '@'), 3);
        assert_int_equal(str_find_last_byte(S("abc"), '@'), 3);
}

static void test_cut_and_trim(void **state)
{
        (void)state;
        struct str head, tail;
        assert_true(str_cut(S("a=b=c"), '=', &head, &tail));
        assert_true(str_eq(head, S("a")) && str_eq(tail, S("b=c")));
        assert_false(str_cut(S("abc"), '=', &head, &tail));
        assert_true(str_eq(head, S("abc")) && tail.n == 0);
        assert_true(str_eq(str_trim(S(" \t a b\r\n")), S("a b")));
        assert_int_equal(str_trim(S(" \r\n")).n, 0);
        assert_true(str_eq(str_trim_wsp(S(" \t a b\r\t ")), S("a b\r")));
        assert_int_equal(str_trim_wsp(S("\t ")).n, 0);
}

static void test_compare(void **state)
{
        (void)state;
        assert_true(str_eq_nocase(S("RCPT To"), S("rcpt tO")));
        assert_false(str_eq_nocase(S("a"), S("ab")));
        assert_true(str_compare(S("a"), S("b")) < 0);
        assert_true(str_compare(S("b"), S("a")) > 0);
        assert_true(str_compare(S("a"), S("aa")) < 0);
        assert_int_equal(str_compare(S(""), S("")), 0);
        assert_true(str_has_prefix_nocase(S("MAIL FROM:<>"), S("mail from:")));
        assert_true(str_has_suffix_nocase(S("a.Example"), S(".example")));
        assert_false(str_has_suffix_nocase(S("e"), S(".example")));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_numbers),
                cmocka_unit_test(test_find),
                cmocka_unit_test(test_cut_and_trim),
                cmocka_unit_test(test_compare),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
