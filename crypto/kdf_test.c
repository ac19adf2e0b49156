/* SPDX-License-Identifier: ISC */
#include "crypto/kdf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/hex.h"

static void assert_hex(const uint8_t *bytes, size_t n, const char *expected)
{
        char text[512];
        struct wr w;
        wr_init(&w, text, sizeof text);
        hex_encode(&w, str_of(bytes, n));
        assert_true(str_eq(wr_text(&w), str_of_c(expected)));
}

/* RFC 7914 section 11 */
static void test_pbkdf2(void **state)
{
        (void)state;
        uint8_t out[64];
        assert_int_equal(kdf_pbkdf2(S("passwd"), S("salt"), 1, out, sizeof out), ERR_OK);
        assert_hex(out, sizeof out,
                "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
                "49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783");
        assert_int_equal(kdf_pbkdf2(S("Password"), S("NaCl"), 80000, out, sizeof out), ERR_OK);
        assert_hex(out, sizeof out,
                "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56"
                "a1d425a1225833549adb841b51c9b3176a272bdebba1d078478f62b397f33c8d");
}

/* RFC 5869 A.1 to A.3: the PRK and info of each, and its OKM */
static const struct {
        const char *key, *info, *okm;
} expansions[] = {
        {"077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5", "f0f1f2f3f4f5f6f7f8f9",
                "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"},
        {"06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
                "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdd"
                "dedf"
                "e0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
                "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e59"
                "0e09"
                "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"},
        {"19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04", "",
                "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"},
};

static void test_hkdf_expand(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof expansions / sizeof expansions[0]; i++) {
                uint8_t key[64], info[128], out[HKDF_SIZE_MAX];
                struct wr k, f;
                wr_init(&k, key, sizeof key);
                wr_init(&f, info, sizeof info);
                assert_int_equal(hex_decode(str_of_c(expansions[i].key), &k), ERR_OK);
                assert_int_equal(hex_decode(str_of_c(expansions[i].info), &f), ERR_OK);
                size_t n = str_of_c(expansions[i].okm).n / 2;
                assert_int_equal(kdf_hkdf_expand(wr_text(&k), wr_text(&f), out, n), ERR_OK);
                assert_hex(out, n, expansions[i].okm);
                assert_int_equal(kdf_hkdf_expand(wr_text(&k), wr_text(&f), out, HKDF_SIZE_MAX), ERR_OK);
                assert_hex(out, n, expansions[i].okm); /* a shorter output is the head of a longer one */
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_pbkdf2),
                cmocka_unit_test(test_hkdf_expand),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
