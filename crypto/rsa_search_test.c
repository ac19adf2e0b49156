/* SPDX-License-Identifier: ISC */
#include "crypto/rsa_search.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "crypto/sha256.h"

static struct crypto_key *run(struct str seed, size_t bits, size_t *candidates)
{
        struct rsa_search search;
        struct crypto_key *key = NULL;
        enum err e = ERR_AGAIN;
        rsa_search_init(&search, seed, bits);
        while (e == ERR_AGAIN) {
                assert_null(key);
                e = rsa_search_step(&search, &key);
        }
        assert_int_equal(e, ERR_OK);
        *candidates = search.candidates;
        rsa_search_drop(&search);
        return key;
}

static void assert_same(const struct crypto_key *a, const struct crypto_key *b, bool same)
{
        char text_a[4096], text_b[4096];
        struct wr wa, wb;
        wr_init(&wa, text_a, sizeof text_a);
        wr_init(&wb, text_b, sizeof text_b);
        assert_int_equal(crypto_key_private_pem(a, &wa), ERR_OK);
        assert_int_equal(crypto_key_private_pem(b, &wb), ERR_OK);
        assert_int_equal(str_eq(wr_text(&wa), wr_text(&wb)), same);
}

static void test_pure_function(void **state)
{
        (void)state;
        size_t first, second;
        struct crypto_key *a = run(S("one"), 1024, &first), *b = run(S("one"), 1024, &second);
        assert_same(a, b, true);
        assert_int_equal(first, second);
        crypto_key_free(b);
        b = run(S("two"), 1024, &second);
        assert_same(a, b, false);
        crypto_key_free(a);
        crypto_key_free(b);
}

/* The top two bits of both primes are set, so the modulus always has all of its bits. */
static void test_sizes(void **state)
{
        (void)state;
        static const size_t sizes[] = {1024, 1040, 1536, 2048};
        uint8_t digest[SHA256_SIZE];
        assert_int_equal(sha256(S("message"), digest), ERR_OK);
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
                size_t candidates;
                char signature[256];
                struct wr w;
                struct crypto_key *key = run(S("sizes"), sizes[i], &candidates);
                assert_int_equal(crypto_key_bits(key), sizes[i]);
                wr_init(&w, signature, sizeof signature);
                assert_int_equal(crypto_key_rsa_sign(key, digest, &w), ERR_OK);
                assert_int_equal(crypto_key_rsa_verify(key, digest, wr_text(&w)), ERR_OK);
                crypto_key_free(key);
        }
}

static void test_dropped_midway(void **state)
{
        (void)state;
        static const struct rsa_search nothing;
        struct rsa_search search = {0};
        struct crypto_key *key;
        rsa_search_drop(&search);
        rsa_search_init(&search, S("midway"), 2048);
        for (int i = 0; i < 10; i++)
                assert_int_equal(rsa_search_step(&search, &key), ERR_AGAIN);
        rsa_search_drop(&search);
        assert_memory_equal(&search.drbg, &nothing.drbg, sizeof search.drbg);
        assert_int_equal(rsa_search_step(&search, &key), ERR_CRYPTO);
        assert_null(key);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_pure_function),
                cmocka_unit_test(test_sizes),
                cmocka_unit_test(test_dropped_midway),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
