/* SPDX-License-Identifier: ISC */
#include "crypto/drbg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>

/* The library's own HMAC-DRBG, fed with fixed entropy, as a second opinion. */
struct reference {
        EVP_RAND_CTX *source, *drbg;
};

static EVP_RAND_CTX *rand_new(const char *name, EVP_RAND_CTX *parent)
{
        EVP_RAND *rand = EVP_RAND_fetch(NULL, name, NULL);
        EVP_RAND_CTX *ctx = EVP_RAND_CTX_new(rand, parent);
        assert_non_null(ctx);
        EVP_RAND_free(rand);
        return ctx;
}

static void reference_init(struct reference *r, uint8_t *entropy, size_t n, uint8_t *nonce, size_t nonce_n)
{
        unsigned int strength = 256;
        static const unsigned char no_text[1]; /* NULL would stand for the library's own personalisation */
        char digest[] = "SHA256", mac[] = "HMAC";
        OSSL_PARAM source[] = {
                OSSL_PARAM_construct_uint(OSSL_RAND_PARAM_STRENGTH, &strength),
                OSSL_PARAM_construct_octet_string(OSSL_RAND_PARAM_TEST_ENTROPY, entropy, n),
                OSSL_PARAM_construct_octet_string(OSSL_RAND_PARAM_TEST_NONCE, nonce, nonce_n),
                OSSL_PARAM_construct_end(),
        };
        OSSL_PARAM drbg[] = {
                OSSL_PARAM_construct_utf8_string(OSSL_DRBG_PARAM_DIGEST, digest, 0),
                OSSL_PARAM_construct_utf8_string(OSSL_DRBG_PARAM_MAC, mac, 0),
                OSSL_PARAM_construct_end(),
        };
        r->source = rand_new("TEST-RAND", NULL);
        assert_int_equal(EVP_RAND_instantiate(r->source, strength, 0, NULL, 0, source), 1);
        r->drbg = rand_new("HMAC-DRBG", r->source);
        assert_int_equal(EVP_RAND_instantiate(r->drbg, strength, 0, no_text, 0, drbg), 1);
}

static void reference_drop(struct reference *r)
{
        EVP_RAND_CTX_free(r->drbg);
        EVP_RAND_CTX_free(r->source);
}

static void test_same_as_library(void **state)
{
        (void)state;
        static const size_t requests[] = {1, 31, 32, 33, 128, 4096, 7};
        uint8_t seed[48];
        for (uint8_t salt = 0; salt < 8; salt++) {
                for (size_t i = 0; i < sizeof seed; i++)
                        seed[i] = (uint8_t)(i * 7 + salt * 31);
                struct reference reference;
                struct drbg g;
                reference_init(&reference, seed, 32, seed + 32, 16); /* entropy || nonce is our seed */
                drbg_init(&g, str_of(seed, sizeof seed));
                for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
                        uint8_t ours[4096], theirs[4096];
                        assert_int_equal(drbg_generate(&g, ours, requests[i]), ERR_OK);
                        assert_int_equal(
                                EVP_RAND_generate(reference.drbg, theirs, requests[i], 256, 0, NULL, 0), 1);
                        assert_memory_equal(ours, theirs, requests[i]);
                }
                reference_drop(&reference);
                drbg_wipe(&g);
        }
}

static void test_wiped(void **state)
{
        (void)state;
        static const struct drbg nothing;
        struct drbg g;
        drbg_init(&g, S("seed"));
        assert_memory_not_equal(&g, &nothing, sizeof g);
        drbg_wipe(&g);
        assert_memory_equal(&g, &nothing, sizeof g);
}

static void test_fault_sticks(void **state)
{
        (void)state;
        uint8_t out[40];
        struct drbg g;
        drbg_init(&g, S("seed"));
        g.fault = ERR_CRYPTO;
        memset(out, 1, sizeof out);
        assert_int_equal(drbg_generate(&g, out, sizeof out), ERR_CRYPTO);
        for (size_t i = 0; i < sizeof out; i++)
                assert_int_equal(out[i], 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_same_as_library),
                cmocka_unit_test(test_wiped),
                cmocka_unit_test(test_fault_sticks),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
