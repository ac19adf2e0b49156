/* SPDX-License-Identifier: ISC */
#include "crypto/sha256.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>

void sha256_init(struct sha256 *h)
{
        h->state = EVP_MD_CTX_new();
        if (h->state && EVP_DigestInit_ex(h->state, EVP_sha256(), NULL) != 1)
                sha256_drop(h);
}

void sha256_update(struct sha256 *h, struct str bytes)
{
        if (h->state && bytes.n > 0 && EVP_DigestUpdate(h->state, bytes.p, bytes.n) != 1)
                sha256_drop(h);
}

void sha256_copy(const struct sha256 *h, struct sha256 *to)
{
        to->state = h->state ? EVP_MD_CTX_new() : NULL;
        if (to->state && EVP_MD_CTX_copy_ex(to->state, h->state) != 1)
                sha256_drop(to);
}

enum err sha256_end(struct sha256 *h, uint8_t out[SHA256_SIZE])
{
        bool done = h->state && EVP_DigestFinal_ex(h->state, out, NULL) == 1;
        sha256_drop(h);
        if (done)
                return ERR_OK;
        ERR_clear_error();
        memset(out, 0, SHA256_SIZE);
        return ERR_CRYPTO;
}

void sha256_drop(struct sha256 *h)
{
        EVP_MD_CTX_free(h->state);
        h->state = NULL;
}

enum err sha256(struct str bytes, uint8_t out[SHA256_SIZE])
{
        struct sha256 h;
        sha256_init(&h);
        sha256_update(&h, bytes);
        return sha256_end(&h, out);
}
