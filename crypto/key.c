/* SPDX-License-Identifier: ISC */
#include "crypto/key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "crypto/key_internal.h"

void crypto_key_free(struct crypto_key *key)
{
        if (!key)
                return;
        EVP_PKEY_CTX_free(key->signer);
        EVP_PKEY_CTX_free(key->verifier);
        EVP_PKEY_free(key->pkey);
        OPENSSL_free(key);
}

enum crypto_key_kind crypto_key_kind(const struct crypto_key *key)
{
        return key->kind;
}

bool crypto_key_is_private(const struct crypto_key *key)
{
        return key->is_private;
}

unsigned crypto_key_bits(const struct crypto_key *key)
{
        return key->bits;
}

enum err key_fault(enum err verdict)
{
        for (unsigned long code = ERR_get_error(); code != 0; code = ERR_get_error())
                if (ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE)
                        verdict = ERR_CRYPTO;
        return verdict;
}

/* Refuse keys whose verification costs more than anybody needs, and those for which anybody can sign. */
static enum err judge_rsa(const EVP_PKEY *pkey)
{
        BIGNUM *n = NULL, *e = NULL;
        enum err err = ERR_CRYPTO;
        if (EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &n) == 1 &&
                EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) == 1) {
                bool fits = BN_is_odd(n) && BN_num_bits(n) <= RSA_BITS_MAX && BN_is_odd(e) && !BN_is_one(e) &&
                            BN_num_bits(e) <= 64;
                err = fits ? ERR_OK : ERR_UNSUPPORTED;
        }
        BN_free(n);
        BN_free(e);
        return err;
}

enum err key_adopt(EVP_PKEY *pkey, bool is_private, struct crypto_key **out)
{
        bool is_rsa = EVP_PKEY_get_base_id(pkey) == EVP_PKEY_RSA;
        bool is_ed25519 = EVP_PKEY_get_base_id(pkey) == EVP_PKEY_ED25519;
        enum err e = is_rsa ? judge_rsa(pkey) : is_ed25519 ? ERR_OK : ERR_UNSUPPORTED;
        *out = e == ERR_OK ? OPENSSL_malloc(sizeof **out) : NULL;
        if (!*out) {
                EVP_PKEY_free(pkey);
                return e == ERR_OK ? ERR_CRYPTO : e;
        }
        **out = (struct crypto_key){
                .pkey = pkey,
                .kind = is_rsa ? CRYPTO_KEY_RSA : CRYPTO_KEY_ED25519,
                .is_private = is_private,
                .bits = is_rsa ? (unsigned)EVP_PKEY_get_bits(pkey) : 256,
        };
        if (is_rsa)
                key_rsa_ready(*out);
        return ERR_OK;
}
