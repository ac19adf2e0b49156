/* SPDX-License-Identifier: ISC */
#include "crypto/key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/hex.h"
#include "crypto/rsa_search.h"

#define TEXT_MAX 8192

static const char traditional_pem[] = "some text in front\n"
                                      "-----BEGIN RSA PRIVATE KEY-----\n"
                                      "MIICXQIBAAKBgQDglHrwN4+FZ1aigi9HYJnvg55hiTprKWQ9IeZDyBx8UzQRfzWD\n"
                                      "rJwjwXnY6YrRYf0mE/mK+LmVCRPnML4tIEyDdcW/nX9PqtOmsH3/2xaeCBwpYt6a\n"
                                      "lFKsyD22c4p1PpBTFE3U2kq50E9OZjMXlXqAzX5edyoWU2vpQP9ogavHHwIDAQAB\n"
                                      "AoGAbcCihBrjDPL/p9Ovf1Z6ZE8Sa+BAqHZGAoo6mg2Fvkx7OcHNSVhlxiObhKI9\n"
                                      "sS4OJTnFzmDXcTpKe8WaaztJqFrBmgLKqTYgTZGRKMIgvfYjzFWOlHGvITj4mcU+\n"
                                      "PBxzQNi80NR/J/G8UGx/qxJdxjveMoqZYjAZZAkac1FWh+ECQQD3OMthtiProniP\n"
                                      "+Qx8CSkxXsIoGWyMU4GUt74dNGOs6SzmU5FZcLoLWLewpT94DpAQmgYccYCa74Gq\n"
                                      "5Ja8CHxTAkEA6I3gBinSgbKjKWLBBWQZkVCEyvkFvo93nRSTSnl7mURw7iXsyOJ3\n"
                                      "2WQr6ofuzH5iKVZvHLIm9SwW/zV7EMoQhQJABlGKSS4Jjv0xDaT037qwNdXRKosz\n"
                                      "zgZYWn+zuTVcks/G2QArx9hsuNuEnlwq2hutLO9y1olEGzGh48dB3v5shwJBAKW0\n"
                                      "gk6h+ldkXJKexX775qP+xcCDVK6GN+r7wEAu8/0wIW/wIhq6FEAY+pnxJh0caQGf\n"
                                      "jyjZYJ0OP4y2JOy/rqkCQQC1iyPGwHXMBMp5B50t9/DZyy+g+gxCeqLYDEhjfLe2\n"
                                      "faRxXMwtgr1bFuOx4ZBamC0S5jCXVG7E9Iq/mw631F4q\n"
                                      "-----END RSA PRIVATE KEY-----\n";
static const char curve_private_pem[] = "-----BEGIN PRIVATE KEY-----\n"
                                        "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg9j80Rb1DERGu8uLx\n"
                                        "uaFGUOV1rk5BDw7zdSsx5jWFO7uhRANCAAQMur/xnFEop52nJmrqqBSeVhZw5MwM\n"
                                        "nMKY/9e+jdeP3nJEYhYTs0HJpfYrs4b+RqvX1SidmOjZeQHLVdbO44Ik\n"
                                        "-----END PRIVATE KEY-----\n";
static const char curve_public_pem[] = "-----BEGIN PUBLIC KEY-----\n"
                                       "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEDLq/8ZxRKKedpyZq6qgUnlYWcOTM\n"
                                       "DJzCmP/Xvo3Xj95yRGIWE7NByaX2K7OG/kar19UonZjo2XkBy1XWzuOCJA==\n"
                                       "-----END PUBLIC KEY-----\n";

static struct crypto_key *rsa_key(size_t bits)
{
        struct rsa_search search;
        struct crypto_key *key;
        enum err e;
        rsa_search_init(&search, S("a seed for tests"), bits);
        do
                e = rsa_search_step(&search, &key);
        while (e == ERR_AGAIN);
        assert_int_equal(e, ERR_OK);
        rsa_search_drop(&search);
        return key;
}

/* Parse from a heap block of exactly this size. */
static enum err parse_der(struct str der, struct crypto_key **out)
{
        char *copy = malloc(der.n > 0 ? der.n : 1);
        assert_non_null(copy);
        if (der.n > 0)
                memcpy(copy, der.p, der.n);
        enum err e = crypto_key_public_from_der(str_of(copy, der.n), out);
        free(copy);
        assert_true((e == ERR_OK) == (*out != NULL));
        return e;
}

static void test_rsa_signs(void **state)
{
        (void)state;
        struct crypto_key *key = rsa_key(1024), *public;
        char der[TEXT_MAX], signature[RSA_SIGNATURE_MAX];
        uint8_t digest[SHA256_SIZE];
        struct wr d, s;
        wr_init(&d, der, sizeof der);
        wr_init(&s, signature, sizeof signature);
        assert_int_equal(crypto_key_spki(key, &d), ERR_OK);
        assert_int_equal(parse_der(wr_text(&d), &public), ERR_OK);
        assert_int_equal(crypto_key_bits(public), 1024);
        assert_int_equal(crypto_key_kind(public), CRYPTO_KEY_RSA);
        assert_true(crypto_key_is_private(key));
        assert_false(crypto_key_is_private(public));
        assert_int_equal(sha256(S("message"), digest), ERR_OK);
        assert_int_equal(crypto_key_rsa_sign(key, digest, &s), ERR_OK);
        assert_int_equal(s.n, 128);
        assert_int_equal(crypto_key_rsa_verify(public, digest, wr_text(&s)), ERR_OK);
        assert_int_equal(crypto_key_rsa_verify(key, digest, wr_text(&s)), ERR_OK);
        for (size_t i = 0; i < s.n; i++) {
                signature[i] ^= 1;
                assert_int_equal(crypto_key_rsa_verify(public, digest, wr_text(&s)), ERR_DENIED);
                signature[i] ^= 1;
                assert_int_equal(crypto_key_rsa_verify(public, digest, str_take(wr_text(&s), i)), ERR_DENIED);
        }
        assert_int_equal(crypto_key_rsa_verify(public, digest, str_of(signature, s.n + 1)), ERR_DENIED);
        digest[31] ^= 1;
        assert_int_equal(crypto_key_rsa_verify(public, digest, wr_text(&s)), ERR_DENIED);
        assert_int_equal(crypto_key_rsa_sign(public, digest, &s), ERR_SEQUENCE);
        wr_init(&s, signature, 127);
        assert_int_equal(crypto_key_rsa_sign(key, digest, &s), ERR_SPACE);
        crypto_key_free(public);
        crypto_key_free(key);
        crypto_key_free(NULL);
}

/* RFC 8032 7.1, test 2 */
static void test_ed25519_signs(void **state)
{
        (void)state;
        uint8_t seed[32], raw[32], expected[64], signature[64];
        struct crypto_key *key, *public;
        struct wr w;
        wr_init(&w, seed, sizeof seed);
        assert_int_equal(
                hex_decode(S("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"), &w),
                ERR_OK);
        wr_init(&w, expected, sizeof expected);
        assert_int_equal(hex_decode(S("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                                      "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"),
                                 &w),
                ERR_OK);
        assert_int_equal(crypto_key_ed25519_private(seed, &key), ERR_OK);
        assert_int_equal(crypto_key_ed25519_sign(key, S("\x72"), signature), ERR_OK);
        assert_memory_equal(signature, expected, sizeof expected);
        assert_int_equal(crypto_key_ed25519_raw(key, raw), ERR_OK);
        assert_int_equal(crypto_key_ed25519_public(str_of(raw, 32), &public), ERR_OK);
        assert_int_equal(crypto_key_bits(public), 256);
        assert_int_equal(crypto_key_ed25519_verify(public, S("\x72"), str_of(signature, 64)), ERR_OK);
        assert_int_equal(crypto_key_ed25519_verify(public, S("\x73"), str_of(signature, 64)), ERR_DENIED);
        assert_int_equal(crypto_key_ed25519_verify(public, S("\x72"), str_of(signature, 63)), ERR_DENIED);
        assert_int_equal(crypto_key_ed25519_sign(public, S("\x72"), signature), ERR_SEQUENCE);
        assert_int_equal(crypto_key_rsa_verify(public, seed, str_of(signature, 64)), ERR_SEQUENCE);
        crypto_key_free(public);
        crypto_key_free(key);
        assert_int_equal(crypto_key_ed25519_public(str_of(raw, 31), &public), ERR_SYNTAX);
        assert_null(public);
}

static void test_der_prefixes(void **state)
{
        (void)state;
        uint8_t seed[32] = {9};
        struct crypto_key *keys[2] = {rsa_key(1024), NULL}, *parsed;
        assert_int_equal(crypto_key_ed25519_private(seed, &keys[1]), ERR_OK);
        for (size_t k = 0; k < 2; k++) {
                char der[TEXT_MAX] = {0};
                struct wr w;
                wr_init(&w, der, sizeof der);
                assert_int_equal(crypto_key_spki(keys[k], &w), ERR_OK);
                for (size_t n = 0; n < w.n; n++)
                        assert_int_equal(parse_der(str_of(der, n), &parsed), ERR_SYNTAX);
                assert_int_equal(parse_der(str_of(der, w.n + 1), &parsed), ERR_SYNTAX); /* a byte behind */
                assert_int_equal(parse_der(wr_text(&w), &parsed), ERR_OK);
                assert_int_equal(crypto_key_kind(parsed), crypto_key_kind(keys[k]));
                crypto_key_free(parsed);
                struct wr small;
                wr_init(&small, der, w.n - 1);
                assert_int_equal(crypto_key_spki(keys[k], &small), ERR_SPACE);
                crypto_key_free(keys[k]);
        }
}

/* RSAPublicKey = SEQUENCE { modulus, exponent }, of few bytes so that a table can hold it */
static void test_der_rsa(void **state)
{
        (void)state;
        static const struct {
                const char *name, *hex;
                enum err err;
        } cases[] = {
                {"64 bits", "300f 020900c0ffee0123456789 0203010001", ERR_SYNTAX},
                {"64 bits, right length", "3010 020900c0ffee0123456789 0203010001", ERR_OK},
                {"even modulus", "3010 020900c0ffee0123456788 0203010001", ERR_UNSUPPORTED},
                {"e = 1", "300e 020900c0ffee0123456789 020101", ERR_UNSUPPORTED},
                {"e = 2", "300e 020900c0ffee0123456789 020102", ERR_UNSUPPORTED},
                {"e = 3", "300e 020900c0ffee0123456789 020103", ERR_OK},
                {"e of 65 bits", "3016 020900c0ffee0123456789 0209010000000000000001", ERR_UNSUPPORTED},
                {"no exponent", "300b 020900c0ffee0123456789", ERR_SYNTAX},
                {"empty sequence", "3000", ERR_SYNTAX},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                char der[128];
                struct wr w;
                struct str text = str_of_c(cases[i].hex), part;
                struct crypto_key *key;
                wr_init(&w, der, sizeof der);
                while (text.n > 0) {
                        str_cut(text, ' ', &part, &text);
                        assert_int_equal(hex_decode(part, &w), ERR_OK);
                }
                enum err e = parse_der(wr_text(&w), &key);
                if (e != cases[i].err)
                        fail_msg("%s: %s", cases[i].name, err_text(e));
                crypto_key_free(key);
        }
}

static void test_pem(void **state)
{
        (void)state;
        struct crypto_key *key, *again;
        char text[TEXT_MAX], second[TEXT_MAX];
        struct wr w, v;
        assert_int_equal(crypto_key_private_from_pem(str_of_c(traditional_pem), &key), ERR_OK);
        wr_init(&w, text, sizeof text);
        assert_int_equal(crypto_key_private_pem(key, &w), ERR_OK);
        assert_true(str_has_prefix(wr_text(&w), S("-----BEGIN PRIVATE KEY-----\nMII")));
        assert_int_equal(crypto_key_private_from_pem(wr_text(&w), &again), ERR_OK);
        wr_init(&v, second, sizeof second);
        assert_int_equal(crypto_key_private_pem(again, &v), ERR_OK);
        assert_true(str_eq(wr_text(&w), wr_text(&v)));
        crypto_key_free(again);

        wr_init(&w, text, sizeof text);
        assert_int_equal(crypto_key_public_pem(key, &w), ERR_OK);
        assert_int_equal(crypto_key_public_from_pem(wr_text(&w), &again), ERR_OK);
        assert_int_equal(crypto_key_private_pem(again, &v), ERR_SEQUENCE);
        assert_int_equal(crypto_key_bits(again), 1024);
        crypto_key_free(again);
        crypto_key_free(key);

        /* every prefix but the one without the last line end is refused */
        struct str whole = str_of_c(traditional_pem);
        for (size_t n = 0; n + 1 < whole.n; n++)
                assert_int_equal(crypto_key_private_from_pem(str_take(whole, n), &key), ERR_SYNTAX);
        assert_int_equal(crypto_key_private_from_pem(str_of_c(curve_private_pem), &key), ERR_UNSUPPORTED);
        assert_int_equal(crypto_key_public_from_pem(str_of_c(curve_public_pem), &key), ERR_UNSUPPORTED);
        assert_null(key);
        assert_int_equal(crypto_key_private_from_pem(S("-----BEGIN RSA PRIVATE KEY-----\n"
                                                       "Proc-Type: 4,ENCRYPTED\n\nAAAA\n"
                                                       "-----END RSA PRIVATE KEY-----\n"),
                                 &key),
                ERR_SYNTAX);
        assert_int_equal(
                crypto_key_private_from_pem(S("-----BEGIN PRIVATE KEY----------END PRIVATE KEY-----"), &key),
                ERR_SYNTAX);
        char *large = calloc(1, CRYPTO_KEY_PEM_MAX + 1);
        assert_non_null(large);
        assert_int_equal(crypto_key_private_from_pem(str_of(large, CRYPTO_KEY_PEM_MAX + 1), &key), ERR_LIMIT);
        free(large);
}

static void test_rsa_from_primes(void **state)
{
        (void)state;
        static const uint8_t p[2] = {0xff, 0xf1}, q[2] = {0xff, 0xd9}, e_plus_1[3] = {0x01, 0x00, 0x02};
        struct crypto_key *key, *swapped;
        char a[1024], b[1024];
        struct wr wa, wb;
        wr_init(&wa, a, sizeof a);
        wr_init(&wb, b, sizeof b);
        assert_int_equal(crypto_key_rsa_private(str_of(p, 2), str_of(q, 2), &key), ERR_OK);
        assert_int_equal(crypto_key_rsa_private(str_of(q, 2), str_of(p, 2), &swapped), ERR_OK);
        assert_int_equal(crypto_key_private_pem(key, &wa), ERR_OK);
        assert_int_equal(crypto_key_private_pem(swapped, &wb), ERR_OK);
        assert_true(str_eq(wr_text(&wa), wr_text(&wb)));
        crypto_key_free(key);
        crypto_key_free(swapped);
        assert_int_equal(crypto_key_rsa_private(str_of(p, 2), str_of(p, 2), &key), ERR_UNSUPPORTED);
        assert_int_equal(crypto_key_rsa_private(str_of(p, 2), str_of(e_plus_1, 3), &key), ERR_UNSUPPORTED);
        assert_null(key);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_rsa_signs),
                cmocka_unit_test(test_ed25519_signs),
                cmocka_unit_test(test_der_prefixes),
                cmocka_unit_test(test_der_rsa),
                cmocka_unit_test(test_pem),
                cmocka_unit_test(test_rsa_from_primes),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
