/* SPDX-License-Identifier: ISC */
#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/exact.h"

#define CASES(table) (sizeof(table) / sizeof(table)[0])

static void test_heads(void **state)
{
        (void)state;
        static const struct {
                const char *text;
                size_t n;
        } cases[] = {
                {"", 0},
                {"a", 1},
                {"\x7f", 1},
                {"\xc2\x80", 2},
                {"\xdf\xbf", 2},
                {"\xe0\xa0\x80", 3},
                {"\xed\x9f\xbf", 3},
                {"\xee\x80\x80", 3},
                {"\xef\xbf\xbf", 3},
                {"\xf0\x90\x80\x80", 4},
                {"\xf4\x8f\xbf\xbf", 4},
                {"\x80", 0},
                {"\xc0\x80", 0},
                {"\xc1\xbf", 0},
                {"\xe0\x9f\xbf", 0},
                {"\xed\xa0\x80", 0},
                {"\xf0\x8f\xbf\xbf", 0},
                {"\xf4\x90\x80\x80", 0},
                {"\xf5\x80\x80\x80", 0},
                {"\xff", 0},
                {"\xc2", 0},
                {"\xe1\x80", 0},
                {"\xf1\x80\x80", 0},
                {"\xc2\xc0", 0},
                {"\xe1\x80\xc0", 0},
                {"\xf1\x80\x80\x7f", 0},
        };
        for (size_t i = 0; i < CASES(cases); i++) {
                struct str text = exact(str_of_c(cases[i].text));
                assert_int_equal(utf8_head(text), cases[i].n);
                assert_int_equal(utf8_is_valid(text), cases[i].n > 0 || text.n == 0);
                exact_free(text);
        }
        assert_false(utf8_is_valid(S("ab\xffz")));
        assert_int_equal(utf8_head(str_of("\0", 1)), 1);
}

static void test_every_code(void **state)
{
        (void)state;
        for (uint32_t code = 0; code < 0x110100; code++) {
                char out[4];
                struct wr w;
                bool exists = code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
                wr_init(&w, out, sizeof out);
                utf8_write(&w, code);
                assert_int_equal(utf8_head(wr_text(&w)), w.n);
                assert_int_equal(str_eq(wr_text(&w), S("\xef\xbf\xbd")), !exists || code == 0xfffd);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_heads),
                cmocka_unit_test(test_every_code),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
