/* SPDX-License-Identifier: ISC */
#include "crypto/hmac.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>

static const struct {
        char name[8];
        size_t size;
} hashes[] = {
        [HMAC_SHA256] = {"SHA256", 32},
        [HMAC_SHA384] = {"SHA384", 48},
        [HMAC_SHA512] = {"SHA512", 64},
};

size_t hmac_size(enum hmac_hash hash)
{
        return hashes[hash].size;
}

void hmac_init(struct hmac *m, enum hmac_hash hash, struct str key)
{
        static const unsigned char no_key[1]; /* the library takes NULL for "the key of before" */
        char name[sizeof hashes[0].name];
        memcpy(name, hashes[hash].name, sizeof name);
        OSSL_PARAM params[] = {
                OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
                OSSL_PARAM_construct_end(),
        };
        EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
        *m = (struct hmac){.state = mac ? EVP_MAC_CTX_new(mac) : NULL, .hash = hash};
        EVP_MAC_free(mac); /* the context holds a reference */
        const unsigned char *bytes = key.n > 0 ? (const unsigned char *)key.p : no_key;
        if (m->state && EVP_MAC_init(m->state, bytes, key.n, params) != 1)
                hmac_drop(m);
}

void hmac_update(struct hmac *m, struct str bytes)
{
        if (m->state && bytes.n > 0 && EVP_MAC_update(m->state, (const unsigned char *)bytes.p, bytes.n) != 1)
                hmac_drop(m);
}

enum err hmac_end(struct hmac *m, uint8_t out[HMAC_SIZE_MAX])
{
        size_t n = 0;
        memset(out, 0, HMAC_SIZE_MAX);
        bool done =
                m->state && EVP_MAC_final(m->state, out, &n, HMAC_SIZE_MAX) == 1 && n == hmac_size(m->hash);
        hmac_drop(m);
        if (done)
                return ERR_OK;
        ERR_clear_error();
        memset(out, 0, HMAC_SIZE_MAX);
        return ERR_CRYPTO;
}

void hmac_drop(struct hmac *m)
{
        EVP_MAC_CTX_free(m->state);
        m->state = NULL;
}

enum err hmac(enum hmac_hash hash, struct str key, struct str bytes, uint8_t out[HMAC_SIZE_MAX])
{
        struct hmac m;
        hmac_init(&m, hash, key);
        hmac_update(&m, bytes);
        return hmac_end(&m, out);
}
