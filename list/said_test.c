/* SPDX-License-Identifier: ISC */
#include "list/said.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/exact.h"

/* The words lie in a block of their exact size. */
static void check(const char *name, struct str said, unsigned code, size_t most, const char *want)
{
        struct str words = exact(said);
        char text[256];
        struct wr w;
        wr_init(&w, text, sizeof text);
        said_write_coded(&w, code, words, most);
        if (!str_eq(wr_text(&w), str_of_c(want)))
                fail_msg("%s: \"%.*s\"", name, STR_ARG(wr_text(&w)));
        exact_free(words);
}

static void test_words(void **state)
{
        (void)state;
        static const struct {
                const char *name, *said;
                unsigned code;
                const char *want;
        } cases[] = {
                {"nothing", "", 0, ""},
                {"a code alone", "", 550, "550"},
                {"one line", "5.1.1 no such user", 550, "550 5.1.1 no such user"},
                {"the code stands there already", "250 2.0.0 kept", 250, "250 2.0.0 kept"},
                {"the code as it is parted in several lines", "250-kept", 250, "250-kept"},
                {"another code", "450 later", 550, "550 450 later"},
                {"a longer number", "2500 octets", 250, "250 2500 octets"},
                {"several lines", "550 5.7.26 not proven\nsee https://a.example\nfor more", 550,
                        "550 5.7.26 not proven see https://a.example for more"},
                {"CRLF, spaces, empty lines", "\r\n 550 a \r\n\r\n\tb\n", 0, "550 a b"},
                {"only line breaks", "\n\r\n\n", 0, ""},
                {"control characters and what is no UTF-8", "a\x1b[2J\x80 b\rc", 0, "a?[2J? b?c"},
                {"a letter of two octets", "caf\xc3\xa9\nbar", 0, "caf\xc3\xa9 bar"},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
                check(cases[i].name, str_of_c(cases[i].said), cases[i].code, 200, cases[i].want);
}

static void test_bound(void **state)
{
        (void)state;
        static const struct {
                const char *said;
                size_t most;
                const char *want;
        } cases[] = {
                {"one\ntwo", 0, ""},
                {"one\ntwo", 2, "on"},
                {"one\ntwo", 3, "one"},
                {"one\ntwo", 5, "one t"},
                {"one\ntwo", 7, "one two"},
                {"caf\xc3\xa9\nx", 4, "caf"},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
                check(cases[i].said, str_of_c(cases[i].said), 0, cases[i].most, cases[i].want);
}

/* Never more than was asked for, and never a character that ends a line. */
static void test_any_octets(void **state)
{
        (void)state;
        uint32_t seed = 1;
        for (unsigned round = 0; round < 20000; round++) {
                char said[24], text[64];
                struct wr w;
                size_t most = round % 28;
                for (size_t i = 0; i < sizeof said; i++) {
                        seed = seed * 1664525 + 1013904223;
                        said[i] = "\n\r \t\x01\x7f\xc3\xa9\xff"
                                  "ab5"[(seed >> 16) % 12];
                }
                wr_init(&w, text, sizeof text);
                said_write(&w, str_of(said, sizeof said), most);
                assert_true(w.n <= most && !w.full);
                for (size_t i = 0; i < w.n; i++)
                        assert_true((unsigned char)text[i] >= ' ' && text[i] != 0x7f);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_words),
                cmocka_unit_test(test_bound),
                cmocka_unit_test(test_any_octets),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
