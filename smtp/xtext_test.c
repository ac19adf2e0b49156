/* SPDX-License-Identifier: ISC */
#include "smtp/xtext.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void test_decode(void **state)
{
        (void)state;
        static const struct {
                struct str text;
                enum err err;
                struct str bytes;
        } cases[] = {
                {{"abc", 3}, ERR_OK, {"abc", 3}},
                {{"a+2Bb+3D", 8}, ERR_OK, {"a+b=", 4}},
                {{"+00+FF", 6}, ERR_OK, {"\0\xff", 2}},
                {{"", 0}, ERR_OK, {"", 0}},
                {{"+", 1}, ERR_SYNTAX, {0}},
                {{"+2", 2}, ERR_SYNTAX, {0}},
                {{"+2b", 3}, ERR_SYNTAX, {0}},
                {{"+G0", 3}, ERR_SYNTAX, {0}},
                {{"a=b", 3}, ERR_SYNTAX, {0}},
                {{"a b", 3}, ERR_SYNTAX, {0}},
                {{"\xc3", 1}, ERR_SYNTAX, {0}},
                {{"12345678901234567", 17}, ERR_SPACE, {0}},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                char bytes[16];
                struct wr w;
                wr_init(&w, bytes, sizeof bytes);
                assert_int_equal(smtp_xtext_decode(cases[i].text, &w), cases[i].err);
                if (cases[i].err == ERR_OK)
                        assert_true(str_eq(wr_text(&w), cases[i].bytes));
        }
}

static void test_round_trip(void **state)
{
        (void)state;
        char all[256], text[3 * 256], back[256];
        struct wr w, r;
        for (size_t i = 0; i < sizeof all; i++)
                all[i] = (char)(unsigned char)i;
        wr_init(&w, text, sizeof text);
        smtp_xtext_encode(&w, str_of(all, sizeof all));
        assert_int_equal(wr_end(&w), ERR_OK);
        wr_init(&r, back, sizeof back);
        assert_int_equal(smtp_xtext_decode(wr_text(&w), &r), ERR_OK);
        assert_true(str_eq(wr_text(&r), str_of(all, sizeof all)));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_decode),
                cmocka_unit_test(test_round_trip),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
