/* SPDX-License-Identifier: ISC */
/* Public keys from the DER of key records, and PEM text: whatever parses is written out and parses again to the same
 * bytes, and verifies nothing that is not a signature. */
#include "base/check.h"
#include "crypto/key.h"

#define WRITTEN_MAX 8192

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t written(const struct crypto_key *key, char *out)
{
        struct wr w;
        wr_init(&w, out, WRITTEN_MAX);
        CHECK(crypto_key_spki(key, &w) == ERR_OK);
        return w.n;
}

static void check_public(const struct crypto_key *key)
{
        char first[WRITTEN_MAX], second[WRITTEN_MAX];
        const uint8_t digest[SHA256_SIZE] = {0};
        struct crypto_key *again;
        size_t n = written(key, first);
        CHECK(crypto_key_public_from_der(str_of(first, n), &again) == ERR_OK);
        CHECK(str_eq(str_of(first, n), str_of(second, written(again, second))));
        CHECK(crypto_key_bits(key) == crypto_key_bits(again));
        if (crypto_key_kind(key) == CRYPTO_KEY_ED25519)
                CHECK(crypto_key_ed25519_verify(key, S("x"), str_of(first, n)) == ERR_DENIED);
        else
                CHECK(crypto_key_rsa_verify(key, digest, str_of(first, n)) == ERR_DENIED);
        crypto_key_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct str input = str_of(data, size);
        struct crypto_key *key;
        if (crypto_key_public_from_der(input, &key) == ERR_OK)
                check_public(key);
        crypto_key_free(key);
        if (crypto_key_public_from_pem(input, &key) == ERR_OK)
                check_public(key);
        crypto_key_free(key);
        CHECK((crypto_key_private_from_pem(input, &key) == ERR_OK) == (key != NULL));
        crypto_key_free(key);
        return 0;
}
