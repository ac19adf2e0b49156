/* SPDX-License-Identifier: ISC */
#include "mail/charset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void test_names(void **state)
{
        (void)state;
        static const struct {
                const char *name;
                enum charset charset;
        } cases[] = {
                {"UTF-8", CHARSET_UTF8},
                {"us-ascii", CHARSET_UTF8},
                {"ISO-8859-1", CHARSET_LATIN1},
                {"iso-8859-15", CHARSET_LATIN9},
                {"Windows-1252", CHARSET_WINDOWS},
                {"iso-8859-2", CHARSET_UNKNOWN},
                {"utf-16", CHARSET_UNKNOWN},
                {"", CHARSET_UNKNOWN},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
                assert_int_equal(charset_of(str_of_c(cases[i].name)), cases[i].charset);
}

static void test_codes(void **state)
{
        (void)state;
        static const struct {
                enum charset charset;
                uint8_t octet;
                uint32_t code;
        } cases[] = {
                {CHARSET_UTF8, 'a', 'a'},
                {CHARSET_UTF8, 0xe9, 0xfffd},
                {CHARSET_UNKNOWN, 'a', 'a'},
                {CHARSET_UNKNOWN, 0xe9, 0xfffd},
                {CHARSET_LATIN1, 0xe9, 0xe9},
                {CHARSET_LATIN1, 0xa4, 0xa4},
                {CHARSET_LATIN1, 0x80, 0x80},
                {CHARSET_LATIN9, 0xa4, 0x20ac},
                {CHARSET_LATIN9, 0xbd, 0x153},
                {CHARSET_LATIN9, 0xbe, 0x178},
                {CHARSET_LATIN9, 0xe9, 0xe9},
                {CHARSET_WINDOWS, 0x80, 0x20ac},
                {CHARSET_WINDOWS, 0x81, 0xfffd},
                {CHARSET_WINDOWS, 0x9f, 0x178},
                {CHARSET_WINDOWS, 0xa0, 0xa0},
                {CHARSET_WINDOWS, 0xff, 0xff},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
                assert_int_equal(charset_code(cases[i].charset, cases[i].octet), cases[i].code);
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_names), cmocka_unit_test(test_codes)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
