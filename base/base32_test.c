/* SPDX-License-Identifier: ISC */
#include "base/base32.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/exact.h"

#define CASES(table) (sizeof(table) / sizeof(table)[0])

/* RFC 4648 10, in lower case and without padding */
static const char *const pairs[][2] = {
        {"", ""},
        {"f", "my"},
        {"fo", "mzxq"},
        {"foo", "mzxw6"},
        {"foob", "mzxw6yq"},
        {"fooba", "mzxw6ytb"},
        {"foobar", "mzxw6ytboi"},
};

static void test_pairs(void **state)
{
        (void)state;
        for (size_t i = 0; i < CASES(pairs); i++) {
                char out[16];
                struct wr w;
                struct str plain = exact(str_of_c(pairs[i][0])), text = exact(str_of_c(pairs[i][1]));
                wr_init(&w, out, sizeof out);
                base32_encode(&w, plain);
                assert_true(str_eq(wr_text(&w), text));
                assert_int_equal(base32_encoded_size(plain.n), text.n);
                wr_init(&w, out, plain.n);
                assert_int_equal(base32_decode(text, &w), ERR_OK);
                assert_true(str_eq(wr_text(&w), plain));
                if (plain.n > 0) {
                        wr_init(&w, out, plain.n - 1);
                        assert_int_equal(base32_decode(text, &w), ERR_SPACE);
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
                {"MZxW6", ERR_OK},
                {"m", ERR_SYNTAX},
                {"mzx", ERR_SYNTAX},
                {"mzxw6y", ERR_SYNTAX},
                {"mz", ERR_SYNTAX},
                {"m1", ERR_SYNTAX},
                {"m0", ERR_SYNTAX},
                {"m8", ERR_SYNTAX},
                {"my=", ERR_SYNTAX},
                {"m y", ERR_SYNTAX},
                {"m-", ERR_SYNTAX},
        };
        for (size_t i = 0; i < CASES(cases); i++) {
                char out[16];
                struct wr w;
                print_message("%s\n", cases[i].text);
                wr_init(&w, out, sizeof out);
                assert_int_equal(base32_decode(str_of_c(cases[i].text), &w), cases[i].err);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_pairs),
                cmocka_unit_test(test_wrong_text),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
