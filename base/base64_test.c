/* SPDX-License-Identifier: ISC */
#include "base/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "base/exact.h"

#define CASES(table) (sizeof(table) / sizeof(table)[0])

/* RFC 4648 10 */
static const char *const pairs[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
        {"\xfb\xff\xbf", "+/+/"},
};

static void test_pairs(void **state)
{
        (void)state;
        for (size_t i = 0; i < CASES(pairs); i++) {
                char out[16];
                struct wr w;
                struct str plain = exact(str_of_c(pairs[i][0])), text = exact(str_of_c(pairs[i][1]));
                wr_init(&w, out, sizeof out);
                base64_encode(&w, plain);
                assert_true(str_eq(wr_text(&w), text));
                assert_int_equal(base64_encoded_size(plain.n), text.n);
                wr_init(&w, out, plain.n);
                assert_int_equal(base64_decode(text, &w), ERR_OK);
                assert_true(str_eq(wr_text(&w), plain));
                if (plain.n > 0) {
                        wr_init(&w, out, plain.n - 1);
                        assert_int_equal(base64_decode(text, &w), ERR_SPACE);
                }
                exact_free(plain);
                exact_free(text);
        }
}

static void test_wrong_text(void **state)
{
        (void)state;
        static const struct {
                const char *text;
                enum err err;
        } cases[] = {
                {"Zm 9v\r\n\tYg = =", ERR_OK},
                {"Z", ERR_SYNTAX},
                {"Zg", ERR_SYNTAX},
                {"Zg=", ERR_SYNTAX},
                {"Zg===", ERR_SYNTAX},
                {"Zm8", ERR_SYNTAX},
                {"Zm8==", ERR_SYNTAX},
                {"Zm9v=", ERR_SYNTAX},
                {"=", ERR_SYNTAX},
                {"====", ERR_SYNTAX},
                {"Zg==Zg==", ERR_SYNTAX},
                {"Zh==", ERR_SYNTAX},
                {"Zm9=", ERR_SYNTAX},
                {"Zm9-", ERR_SYNTAX},
                {"Zm9_", ERR_SYNTAX},
                {"Zm\xc3v", ERR_SYNTAX},
                {"Zm9v.", ERR_SYNTAX},
        };
        for (size_t i = 0; i < CASES(cases); i++) {
                char out[16];
                struct wr w;
                print_message("%s\n", cases[i].text);
                wr_init(&w, out, sizeof out);
                assert_int_equal(base64_decode(str_of_c(cases[i].text), &w), cases[i].err);
        }
        char out[4];
        struct wr w;
        wr_init(&w, out, sizeof out);
        assert_int_equal(base64_decode(str_of("Zm9\0", 4), &w), ERR_SYNTAX);
}

/* Each byte at each place of a group, first, in the middle and last: it is of the alphabet, white space or an error. */
static void test_every_byte(void **state)
{
        (void)state;
        static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        for (size_t at = 0; at < 12; at++)
                for (int byte = 0; byte < 256; byte++) {
                        char text[12], out[16];
                        struct wr w;
                        memset(text, 'A', sizeof text);
                        text[at] = (char)byte;
                        size_t value = str_find_byte(str_of(alphabet, 64), (char)byte);
                        bool is_space = byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
                        bool pads = byte == '=' && at == 11;
                        wr_init(&w, out, sizeof out);
                        enum err e = base64_decode(str_of(text, sizeof text), &w);
                        assert_int_equal(e, value < 64 || pads ? ERR_OK : ERR_SYNTAX);
                        if (value < 64) /* the six bits of that place, whole */
                                assert_int_equal((uint8_t)out[at / 4 * 3] << 16 |
                                                         (uint8_t)out[at / 4 * 3 + 1] << 8 |
                                                         (uint8_t)out[at / 4 * 3 + 2],
                                        (int)(value << (18 - 6 * (at % 4))));
                        else if (is_space) /* then it does not count, and one is missing */
                                assert_int_equal(w.n, 6);
                }
}

/* White space anywhere changes nothing. */
static void test_folded(void **state)
{
        (void)state;
        static const char text[] = "Rm9sZGVkIGFueXdoZXJlIQ==";
        for (size_t at = 0; at < sizeof text; at++) {
                char folded[64], out[32];
                struct wr f, w;
                wr_init(&f, folded, sizeof folded);
                wr_str(&f, str_of(text, at));
                wr_str(&f, S("\r\n\t "));
                wr_str(&f, str_of(text + at, sizeof text - 1 - at));
                wr_init(&w, out, sizeof out);
                assert_int_equal(base64_decode(wr_text(&f), &w), ERR_OK);
                assert_true(str_eq(wr_text(&w), S("Folded anywhere!")));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_pairs),
                cmocka_unit_test(test_wrong_text),
                cmocka_unit_test(test_every_byte),
                cmocka_unit_test(test_folded),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
