/* SPDX-License-Identifier: ISC */
#include "crypto/key_internal.h"

enum err crypto_key_ed25519_public(struct str raw, struct crypto_key **out)
{
        *out = NULL;
        if (raw.n != ED25519_PUBLIC_SIZE)
                return ERR_SYNTAX;
        EVP_PKEY *pkey =
                EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, (const unsigned char *)raw.p, raw.n);
        return pkey ? key_adopt(pkey, false, out) : key_fault(ERR_CRYPTO);
}

enum err crypto_key_ed25519_private(const uint8_t seed[ED25519_SEED_SIZE], struct crypto_key **out)
{
        *out = NULL;
        EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, ED25519_SEED_SIZE);
        return pkey ? key_adopt(pkey, true, out) : key_fault(ERR_CRYPTO);
}

enum err crypto_key_ed25519_raw(const struct crypto_key *key, uint8_t out[ED25519_PUBLIC_SIZE])
{
        size_t n = ED25519_PUBLIC_SIZE;
        if (key->kind != CRYPTO_KEY_ED25519)
                return ERR_SEQUENCE;
        return EVP_PKEY_get_raw_public_key(key->pkey, out, &n) == 1 ? ERR_OK : key_fault(ERR_CRYPTO);
}

enum err crypto_key_ed25519_sign(
        const struct crypto_key *key, struct str message, uint8_t out[ED25519_SIGNATURE_SIZE])
{
        if (key->kind != CRYPTO_KEY_ED25519 || !key->is_private)
                return ERR_SEQUENCE;
        size_t n = ED25519_SIGNATURE_SIZE;
        EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        bool done = ctx && EVP_DigestSignInit(ctx, NULL, NULL, NULL, key->pkey) == 1 &&
                    EVP_DigestSign(ctx, out, &n, (const unsigned char *)message.p, message.n) == 1;
        EVP_MD_CTX_free(ctx);
        return done ? ERR_OK : key_fault(ERR_CRYPTO);
}

enum err crypto_key_ed25519_verify(const struct crypto_key *key, struct str message, struct str signature)
{
        if (key->kind != CRYPTO_KEY_ED25519)
                return ERR_SEQUENCE;
        if (signature.n != ED25519_SIGNATURE_SIZE)
                return ERR_DENIED;
        enum err e = ERR_CRYPTO;
        EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        if (ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key->pkey) == 1) {
                int result = EVP_DigestVerify(ctx, (const unsigned char *)signature.p, signature.n,
                        (const unsigned char *)message.p, message.n);
                e = result == 1 ? ERR_OK : ERR_DENIED;
        }
        EVP_MD_CTX_free(ctx);
        return e == ERR_OK ? e : key_fault(e);
}
