/* SPDX-License-Identifier: ISC */
#include "base/hex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/exact.h"

#define CASES(table) (sizeof(table) / sizeof(table)[0])

static void test_both_ways(void **state)
{
        (void)state;
        char out[8];
        struct wr w;
        wr_init(&w, out, sizeof out);
        hex_encode(&w, str_of("\x00\x7f\xab\xff", 4));
        assert_true(str_eq(wr_text(&w), S("007fabff")));
        wr_init(&w, out, 4);
        assert_int_equal(hex_decode(S("007FaBff"), &w), ERR_OK);
        assert_true(str_eq(wr_text(&w), str_of("\x00\x7f\xab\xff", 4)));
        wr_init(&w, out, 3);
        assert_int_equal(hex_decode(S("007fabff"), &w), ERR_SPACE);
}

static void test_wrong_text(void **state)
{
        (void)state;
        static const char *const cases[] = {"0", "0g", "g0", " 0", "0x", "000", "-1", "\xc3\xa9"};
        for (size_t i = 0; i < CASES(cases); i++) {
                char out[8];
                struct wr w;
                struct str text = exact(str_of_c(cases[i]));
                wr_init(&w, out, sizeof out);
                assert_int_equal(hex_decode(text, &w), ERR_SYNTAX);
                exact_free(text);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_both_ways),
                cmocka_unit_test(test_wrong_text),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
