/* SPDX-License-Identifier: ISC */
#include "crypto/hmac.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
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

/* As long as a block of the hash, and longer, when the key's hash counts. Made with Python's hmac. */
static void test_long_keys(void **state)
{
        static const struct {
                enum hmac_hash hash;
                size_t n;
                const char *code;
        } long_keys[] = {
                {HMAC_SHA256, 64, "0414bb1d8c0c4556cdb2028727b16610ae377b1a194b6db1f853d4297f2329bc"},
                {HMAC_SHA256, 65, "5b69580123e3d7e788b7e8352ac37a3247b911c5ec0837147b74109a6382d3f5"},
                {HMAC_SHA256, 128, "45e99812fad5e4a011b7eaeade4d079afb74236bde40538797cdcb7bf32c4112"},
                {HMAC_SHA256, 129, "95ef5ad24165eaeb8756fa950601736fa9f2113623a6bcad936f934bec337d65"},
                {HMAC_SHA384, 64,
                        "0ac83449db0cb2f0367c9e0dc122ac2d0385a7d2e073885f453f9db8588fba70bb1917e77ce1b7af3016"
                        "a6f05168727d"},
                {HMAC_SHA384, 65,
                        "4802abe4f34faef13cd9bb3940fcde8adcc4188d35899001404990742019944c211ad1aaaa9a107609aa"
                        "54ae33c77c23"},
                {HMAC_SHA384, 128,
                        "a7d9402ab1fa09cab60ef3e7e8012e22b1df7effff5676dd8bbfe6d282da409d9de388a17101e1ccd100"
                        "d9a560299136"},
                {HMAC_SHA384, 129,
                        "0f898869d8a5a7a840f71677fa38989015860be6336603c4eb31286872e4f3f431c63f04f207084aa600"
                        "d645bc3505a6"},
                {HMAC_SHA512, 64,
                        "75648aa24c82746fbeee8bd11713d28373108fa8cbc280f2daf9d8c017aeb7776fab7e328f3be17f0888"
                        "a16b6f12b4381373568b7322d098d73825d691deac95"},
                {HMAC_SHA512, 65,
                        "5634a3f09b58a6bd1f0f4e7d422018c980602c85cb863a99a193d582bd7ce729b222a5e28f1a3f96b8a4"
                        "4d4f9f96a1d4e11ed03f22b30c174a0d7ebaf320db8d"},
                {HMAC_SHA512, 128,
                        "4e088c5e1001741d629227fb0aef3212a543e95e688ffad7e8c1e38282be79fadc38db3b2fdc460e5a8d"
                        "0cb296aedacac6609c6714766e33747979bee4d3834d"},
                {HMAC_SHA512, 129,
                        "a79102c7e5421fd5b613def755101385663e14dd5aca0142b8df5be02cc9fae712556cf1e5fdbab90e4e"
                        "f0cbfad5c0e1c2acded29bb8958183b8308d9110cbed"},
        };
        (void)state;
        for (size_t i = 0; i < sizeof long_keys / sizeof long_keys[0]; i++) {
                uint8_t code[HMAC_SIZE_MAX];
                char *key = malloc(long_keys[i].n);
                assert_non_null(key);
                memset(key, 'k', long_keys[i].n);
                assert_int_equal(
                        hmac(long_keys[i].hash, str_of(key, long_keys[i].n), S("text"), code), ERR_OK);
                free(key);
                assert_code(long_keys[i].hash, code, long_keys[i].code);
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
                cmocka_unit_test(test_long_keys),
                cmocka_unit_test(test_released),
                cmocka_unit_test(test_equal),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
