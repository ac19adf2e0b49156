/* SPDX-License-Identifier: ISC */
#include "crypto/hmac.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "base/hex.h"
#include "crypto/bytes.h"

/* RFC 4231 4.3 (test case 2) with each hash, and an empty key */
static const struct {
        enum hmac_hash hash;
        const char *key, *text, *code;
} cases[] = {
        {HMAC_SHA256, "Jefe", "what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {HMAC_SHA384, "Jefe", "what do ya want for nothing?",
                "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab2"
                "1649"},
        {HMAC_SHA512, "Jefe", "what do ya want for nothing?",
                "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0"
                "e6fd"
                "caeab1a34d4a6b4b636e070a38bce737"},
        {HMAC_SHA256, "", "", "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"},
};

static void assert_code(enum hmac_hash hash, const uint8_t code[HMAC_SIZE_MAX], const char *expected)
{
        char text[2 * HMAC_SIZE_MAX];
        struct wr w;
        wr_init(&w, text, sizeof text);
        hex_encode(&w, str_of(code, hmac_size(hash)));
        assert_true(str_eq(wr_text(&w), str_of_c(expected)));
        for (size_t i = hmac_size(hash); i < HMAC_SIZE_MAX; i++)
                assert_int_equal(code[i], 0);
}

static void test_whole_and_in_pieces(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct str text = str_of_c(cases[i].text);
                uint8_t code[HMAC_SIZE_MAX];
                memset(code, 0xff, sizeof code);
                assert_int_equal(hmac(cases[i].hash, str_of_c(cases[i].key), text, code), ERR_OK);
                assert_code(cases[i].hash, code, cases[i].code);
                for (size_t split = 0; split <= text.n; split++) {
                        struct hmac m;
                        hmac_init(&m, cases[i].hash, str_of_c(cases[i].key));
                        hmac_update(&m, str_take(text, split));
                        hmac_update(&m, str_skip(text, split));
                        assert_int_equal(hmac_end(&m, code), ERR_OK);
                        assert_code(cases[i].hash, code, cases[i].code);
                }
        }
}

static void test_released(void **state)
{
        (void)state;
        uint8_t code[HMAC_SIZE_MAX] = {1};
        struct hmac m = {0};
        hmac_drop(&m);
        hmac_update(&m, S("x"));
        assert_int_equal(hmac_end(&m, code), ERR_CRYPTO);
        assert_int_equal(code[0], 0);
        hmac_init(&m, HMAC_SHA512, S("key"));
        hmac_drop(&m);
        hmac_drop(&m);
}

static void test_equal(void **state)
{
        (void)state;
        assert_true(crypto_equal(S(""), S("")));
        assert_true(crypto_equal(S("abc"), S("abc")));
        assert_false(crypto_equal(S("abc"), S("abd")));
        assert_false(crypto_equal(S("abc"), S("ab")));
        char secret[] = "secret";
        crypto_wipe(secret, sizeof secret);
        for (size_t i = 0; i < sizeof secret; i++)
                assert_int_equal(secret[i], 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_whole_and_in_pieces),
                cmocka_unit_test(test_released),
                cmocka_unit_test(test_equal),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
