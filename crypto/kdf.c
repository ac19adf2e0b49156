/* SPDX-License-Identifier: ISC */
#include "crypto/kdf.h"

#include <limits.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/check.h"
#include "crypto/bytes.h"
#include "crypto/hmac.h"

enum err kdf_pbkdf2(struct str password, struct str salt, uint32_t rounds, uint8_t *out, size_t n)
{
        CHECK(password.n <= INT_MAX && salt.n <= INT_MAX && rounds > 0 && rounds <= INT_MAX && n <= INT_MAX);
        if (PKCS5_PBKDF2_HMAC(password.p, (int)password.n, (const unsigned char *)salt.p, (int)salt.n,
                    (int)rounds, EVP_sha256(), (int)n, out) == 1)
                return ERR_OK;
        ERR_clear_error();
        memset(out, 0, n);
        return ERR_CRYPTO;
}

enum err kdf_hkdf_expand(struct str key, struct str info, uint8_t *out, size_t n)
{
        CHECK(n <= HKDF_SIZE_MAX);
        uint8_t block[HMAC_SIZE_MAX];
        size_t have = 0; /* bytes of T(i-1): none before the first */
        for (size_t at = 0, i = 1; at < n; i++) {
                uint8_t counter = (uint8_t)i;
                struct hmac m;
                hmac_init(&m, HMAC_SHA256, key);
                hmac_update(&m, str_of(block, have));
                hmac_update(&m, info);
                hmac_update(&m, str_of(&counter, 1));
                if (hmac_end(&m, block) != ERR_OK) {
                        crypto_wipe(out, n);
                        return ERR_CRYPTO;
                }
                have = hmac_size(HMAC_SHA256);
                size_t take = n - at < have ? n - at : have;
                memcpy(out + at, block, take);
                at += take;
        }
        crypto_wipe(block, sizeof block);
        return ERR_OK;
}
