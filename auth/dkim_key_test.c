/* SPDX-License-Identifier: ISC */
#include "auth/dkim_key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/base64.h"
#include "crypto/rsa_search.h"

#define RSA                                                                                                 \
        "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/"        \
        "J16JYi0Qvx/byYzCNb"                                                                                \
        "3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/" \
        "K4w3QIDAQAB"
#define RSA_512                                                                            \
        "MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBALgSoqXVSEmfcIsOzw7oRuCCOwsmtX/SJnTWxYyj2leFxfS/" \
        "AVJ+dYfY+hXqMsT7l+MZvvh/R1WzN4MO/kI/7XsCAwEAAQ=="
#define ED "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="

static void test_records(void **state)
{
        (void)state;
        static const struct {
                const char *name, *text;
                enum dkim_fault fault;
                bool testing, strict;
        } cases[] = {
                {"rsa", "v=DKIM1; k=rsa; p=" RSA, DKIM_OK, false, false},
                {"only p=", "p=" RSA, DKIM_OK, false, false},
                {"ed25519", "v=DKIM1; k=ed25519; p=" ED, DKIM_OK, false, false},
                {"flags", "v=DKIM1; t= y : s : z; p=" RSA, DKIM_OK, true, true},
                {"testing", "v=DKIM1; t=y; p=" RSA, DKIM_OK, true, false},
                {"strict", "v=DKIM1; t=s; p=" RSA, DKIM_OK, false, true},
                {"white space in p=",
                        "p=MIGfMA0G "
                        "CSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/"
                        "J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9Pzox"
                        "ZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB",
                        DKIM_OK, false, false},
                {"hashes", "h=sha1:sha256; p=" RSA, DKIM_OK, false, false},
                {"services", "s=other:*; p=" RSA, DKIM_OK, false, false},
                {"unknown tag, notes", "v=DKIM1; n=a note; g=*; p=" RSA, DKIM_OK, false, false},
                {"empty", "", DKIM_KEY_RECORD, false, false},
                {"no list", "hello", DKIM_KEY_RECORD, false, false},
                {"no p=", "v=DKIM1; k=rsa", DKIM_KEY_RECORD, false, false},
                {"p= twice", "p=" ED "; p=" ED, DKIM_KEY_RECORD, false, false},
                {"revoked", "v=DKIM1; p=", DKIM_KEY_REVOKED, false, false},
                {"version", "v=DKIM2; p=" RSA, DKIM_KEY_VERSION, false, false},
                {"version in lower case", "v=dkim1; p=" RSA, DKIM_KEY_VERSION, false, false},
                {"version not first", "p=" RSA "; v=DKIM1", DKIM_KEY_VERSION, false, false},
                {"type", "k=dsa; p=" RSA, DKIM_KEY_TYPE, false, false},
                {"hash", "h=sha1; p=" RSA, DKIM_KEY_HASH, false, false},
                {"service", "s=chat; p=" RSA, DKIM_KEY_SERVICE, false, false},
                {"not base64", "p=MIGf*", DKIM_KEY_DATA, false, false},
                {"not DER", "p=AAAA", DKIM_KEY_DATA, false, false},
                {"rsa data as ed25519", "k=ed25519; p=" RSA, DKIM_KEY_DATA, false, false},
                {"ed25519 data as rsa", "k=rsa; p=" ED, DKIM_KEY_DATA, false, false},
                {"ed25519 in DER",
                        "k=ed25519; p=MCowBQYDK2VwAyEA3SUqa9UbfciWkk7tlcJ9P1VD5pXAasg0JUn/OgjVbKE=",
                        DKIM_KEY_DATA, false, false},
                {"ed25519 in DER as rsa", "p=MCowBQYDK2VwAyEA3SUqa9UbfciWkk7tlcJ9P1VD5pXAasg0JUn/OgjVbKE=",
                        DKIM_KEY_DATA, false, false},
                {"512 bits", "p=" RSA_512, DKIM_KEY_SHORT, false, false},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                size_t n = strlen(cases[i].text);
                char *text = malloc(n ? n : 1); /* exactly as long */
                struct dkim_key key;
                assert_non_null(text);
                memcpy(text, cases[i].text, n);
                struct str record = str_of(text, n);
                dkim_key_from_records(&record, 1, &key);
                free(text);
                if (key.fault != cases[i].fault)
                        fail_msg("%s: %.*s", cases[i].name, STR_ARG(dkim_fault_text(key.fault)));
                assert_int_equal(key.key != NULL, key.fault == DKIM_OK);
                if (key.fault == DKIM_OK) {
                        assert_int_equal(key.testing, cases[i].testing);
                        assert_int_equal(key.strict, cases[i].strict);
                }
                dkim_key_drop(&key);
        }
}

/* Above DKIM_KEY_BITS_MAX a key is refused before it costs anything: an RSAPublicKey of 4104 bits, written by hand. */
static void test_too_long(void **state)
{
        (void)state;
        unsigned char der[4 + 4 + 514 + 5] = {0x30, 0x82, 2, 11, 0x02, 0x82, 2, 2, 0, 0xc0};
        char text[1024];
        struct wr w;
        struct dkim_key key;
        der[8 + 513] = 1; /* an odd modulus of 513 bytes behind its zero */
        static const unsigned char exponent[] = {0x02, 3, 1, 0, 1};
        memcpy(der + 8 + 514, exponent, sizeof exponent);
        wr_init(&w, text, sizeof text);
        wr_str(&w, S("p="));
        base64_encode(&w, str_of(der, sizeof der));
        struct str record = wr_text(&w);
        dkim_key_from_records(&record, 1, &key);
        assert_int_equal(key.fault, DKIM_KEY_LONG);
        assert_null(key.key);
        dkim_key_drop(&key);
}

static void test_written_record(void **state)
{
        (void)state;
        static const uint8_t seed[ED25519_SEED_SIZE] = {9};
        struct crypto_key *written = NULL;
        char text[256];
        struct wr w;
        struct dkim_key key;
        assert_int_equal(crypto_key_ed25519_private(seed, &written), ERR_OK);
        for (size_t cap = 0; cap < 60; cap++) {
                wr_init(&w, text, cap);
                assert_int_equal(dkim_key_record_write(written, &w), ERR_SPACE);
        }
        wr_init(&w, text, sizeof text);
        assert_int_equal(dkim_key_record_write(written, &w), ERR_OK);
        struct str record = wr_text(&w);
        dkim_key_from_records(&record, 1, &key);
        assert_int_equal(key.fault, DKIM_OK);
        assert_int_equal(crypto_key_kind(key.key), CRYPTO_KEY_ED25519);
        dkim_key_drop(&key);
        crypto_key_free(written);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_records),
                cmocka_unit_test(test_too_long),
                cmocka_unit_test(test_written_record),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
