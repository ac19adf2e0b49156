/* SPDX-License-Identifier: ISC */
#include "base/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
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

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_pairs),
                cmocka_unit_test(test_wrong_text),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
