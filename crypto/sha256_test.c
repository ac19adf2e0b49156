/* SPDX-License-Identifier: ISC */
#include "crypto/sha256.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/hex.h"

/* FIPS 180-4 examples */
static const struct {
        const char *text, *digest;
} cases[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

static void assert_digest(const uint8_t digest[SHA256_SIZE], const char *expected)
{
        char text[2 * SHA256_SIZE];
        struct wr w;
        wr_init(&w, text, sizeof text);
        hex_encode(&w, str_of(digest, SHA256_SIZE));
        assert_true(str_eq(wr_text(&w), str_of_c(expected)));
}

static void test_whole_and_in_pieces(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct str text = str_of_c(cases[i].text);
                uint8_t digest[SHA256_SIZE];
                assert_int_equal(sha256(text, digest), ERR_OK);
                assert_digest(digest, cases[i].digest);
                for (size_t split = 0; split <= text.n; split++) {
                        struct sha256 h;
                        sha256_init(&h);
                        sha256_update(&h, str_take(text, split));
                        sha256_update(&h, str_skip(text, split));
                        assert_int_equal(sha256_end(&h, digest), ERR_OK);
                        assert_digest(digest, cases[i].digest);
                }
        }
}

/* A copy taken anywhere goes on by itself. */
static void test_copied(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct str text = str_of_c(cases[i].text);
                uint8_t digest[SHA256_SIZE];
                for (size_t split = 0; split <= text.n; split++) {
                        struct sha256 h, copy;
                        sha256_init(&h);
                        sha256_update(&h, str_take(text, split));
                        sha256_copy(&h, &copy);
                        sha256_update(&h, S("something else"));
                        sha256_update(&copy, str_skip(text, split));
                        sha256_drop(&h);
                        assert_int_equal(sha256_end(&copy, digest), ERR_OK);
                        assert_digest(digest, cases[i].digest);
                }
        }
        struct sha256 none = {0}, copy;
        sha256_copy(&none, &copy);
        uint8_t digest[SHA256_SIZE];
        assert_int_equal(sha256_end(&copy, digest), ERR_CRYPTO);
}

static void test_released(void **state)
{
        (void)state;
        uint8_t digest[SHA256_SIZE] = {1};
        struct sha256 h = {0};
        sha256_drop(&h);
        sha256_update(&h, S("x")); /* as after a failure: nothing happens, and the end says so */
        assert_int_equal(sha256_end(&h, digest), ERR_CRYPTO);
        assert_int_equal(digest[0], 0);
        sha256_init(&h);
        sha256_update(&h, S("x"));
        sha256_drop(&h);
        sha256_drop(&h);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_whole_and_in_pieces),
                cmocka_unit_test(test_copied),
                cmocka_unit_test(test_released),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
