/* SPDX-License-Identifier: ISC */
#include "dns/txt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "dns/test_input.h"

static void test_join(void **state)
{
        (void)state;
        static const struct {
                struct str wire;
                enum err err;
                struct str text;
        } cases[] = {
                {{"", 1}, ERR_OK, {"", 0}},
                {{"\3abc", 4}, ERR_OK, {"abc", 3}},
                {{"\1a\2bc", 5}, ERR_OK, {"abc", 3}},
                {{"\1a\0\1b", 5}, ERR_OK, {"ab", 2}},
                {{"\2\0\377", 3}, ERR_OK, {"\0\377", 2}},
                {{"", 0}, ERR_SYNTAX, {"", 0}},
                {{"\3ab", 3}, ERR_SYNTAX, {"", 0}},
                {{"\1a\1", 3}, ERR_SYNTAX, {"a", 1}},
                {{"\377a", 2}, ERR_SYNTAX, {"", 0}},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct str wire = heap_copy(cases[i].wire);
                char text[10];
                struct wr w;
                wr_init(&w, text, sizeof text);
                assert_int_equal(dns_txt_join(wire, &w), cases[i].err);
                assert_true(str_eq(wr_text(&w), cases[i].text));
                heap_free(wire);
        }
        struct wr none;
        wr_init(&none, NULL, 0);
        assert_int_equal(dns_txt_join(S("\1a"), &none), ERR_SPACE);
}

/* Around each multiple of 255: the size is as announced, and the text comes back. */
static void test_split(void **state)
{
        (void)state;
        static char text[1100];
        for (size_t i = 0; i < sizeof text; i++)
                text[i] = (char)(i * 7);
        for (size_t n = 0; n < sizeof text; n++) {
                size_t size = dns_txt_wire_size(n);
                char *wire = malloc(size), *back = malloc(n ? n : 1);
                struct wr w, b;
                assert_true(wire && back);
                wr_init(&w, wire, size);
                dns_txt_write_wire(&w, str_of(text, n));
                assert_int_equal(wr_end(&w), ERR_OK);
                assert_int_equal(w.n, size);
                wr_init(&b, back, n);
                assert_int_equal(dns_txt_join(wr_text(&w), &b), ERR_OK);
                assert_true(str_eq(wr_text(&b), str_of(text, n)));
                free(wire);
                free(back);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_join),
                cmocka_unit_test(test_split),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
