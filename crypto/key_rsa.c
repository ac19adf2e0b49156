/* SPDX-License-Identifier: ISC */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "base/check.h"
#include "crypto/key_internal.h"

/* The numbers of a private key, in the order of RFC 8017 A.1.2. */
enum { N, E, D, P, Q, DP, DQ, QI, NUMBERS };

static const char *const names[NUMBERS] = {
        [N] = OSSL_PKEY_PARAM_RSA_N,
        [E] = OSSL_PKEY_PARAM_RSA_E,
        [D] = OSSL_PKEY_PARAM_RSA_D,
        [P] = OSSL_PKEY_PARAM_RSA_FACTOR1,
        [Q] = OSSL_PKEY_PARAM_RSA_FACTOR2,
        [DP] = OSSL_PKEY_PARAM_RSA_EXPONENT1,
        [DQ] = OSSL_PKEY_PARAM_RSA_EXPONENT2,
        [QI] = OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
};

struct numbers {
        BN_CTX *ctx;
        BIGNUM *v[NUMBERS];
        BIGNUM *p1, *q1, *lcm; /* p-1, q-1, lcm(p-1, q-1) */
};

static void numbers_drop(struct numbers *k)
{
        for (size_t i = 0; i < NUMBERS; i++)
                BN_clear_free(k->v[i]);
        BN_clear_free(k->p1);
        BN_clear_free(k->q1);
        BN_clear_free(k->lcm);
        BN_CTX_free(k->ctx);
}

static BIGNUM *secret_number(void)
{
        BIGNUM *n = BN_new();
        if (n)
                BN_set_flags(n, BN_FLG_CONSTTIME);
        return n;
}

static bool numbers_init(struct numbers *k)
{
        bool whole = true;
        *k = (struct numbers){
                .ctx = BN_CTX_new(), .p1 = secret_number(), .q1 = secret_number(), .lcm = secret_number()};
        for (size_t i = 0; i < NUMBERS; i++) {
                k->v[i] = i == N || i == E ? BN_new() : secret_number();
                whole = whole && k->v[i];
        }
        return whole && k->ctx && k->p1 && k->q1 && k->lcm;
}

/* Everything from P and Q, with P > Q. */
static bool numbers_fill(struct numbers *k)
{
        BIGNUM **v = k->v;
        return BN_set_word(v[E], 65537) && BN_mul(v[N], v[P], v[Q], k->ctx) &&
               BN_sub(k->p1, v[P], BN_value_one()) && BN_sub(k->q1, v[Q], BN_value_one()) &&
               BN_gcd(v[D], k->p1, k->q1, k->ctx) && BN_div(v[DP], NULL, k->p1, v[D], k->ctx) &&
               BN_mul(k->lcm, v[DP], k->q1, k->ctx) && BN_mod_inverse(v[D], v[E], k->lcm, k->ctx) &&
               BN_mod(v[DP], v[D], k->p1, k->ctx) && BN_mod(v[DQ], v[D], k->q1, k->ctx) &&
               BN_mod_inverse(v[QI], v[Q], v[P], k->ctx);
}

/* Through buffers of our own: the library's parameter builder would not wipe its copies. */
static EVP_PKEY *pkey_of(const struct numbers *k)
{
        OSSL_PARAM params[NUMBERS + 1];
        size_t size = (size_t)BN_num_bytes(k->v[N]);
        unsigned char *room = OPENSSL_zalloc(NUMBERS * size);
        EVP_PKEY *pkey = NULL;
        EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
        if (room && ctx && EVP_PKEY_fromdata_init(ctx) == 1) {
                bool written = true;
                for (size_t i = 0; i < NUMBERS; i++) {
                        written = written && BN_bn2nativepad(k->v[i], room + i * size, (int)size) > 0;
                        params[i] = OSSL_PARAM_construct_BN(names[i], room + i * size, size);
                }
                params[NUMBERS] = OSSL_PARAM_construct_end();
                if (written && EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_KEYPAIR, params) != 1)
                        pkey = NULL;
        }
        EVP_PKEY_CTX_free(ctx);
        OPENSSL_clear_free(room, NUMBERS * size);
        return pkey;
}

enum err crypto_key_rsa_private(struct str p, struct str q, struct crypto_key **out)
{
        CHECK(p.n <= RSA_BITS_MAX / 8 && q.n <= RSA_BITS_MAX / 8);
        struct numbers k;
        enum err e = ERR_CRYPTO;
        *out = NULL;
        if (numbers_init(&k) && BN_bin2bn((const unsigned char *)p.p, (int)p.n, k.v[P]) &&
                BN_bin2bn((const unsigned char *)q.p, (int)q.n, k.v[Q])) {
                if (BN_cmp(k.v[P], k.v[Q]) < 0)
                        BN_swap(k.v[P], k.v[Q]);
                if (BN_cmp(k.v[P], k.v[Q]) == 0 || BN_mod_word(k.v[P], 65537) == 1 ||
                        BN_mod_word(k.v[Q], 65537) == 1) {
                        e = ERR_UNSUPPORTED;
                } else if (numbers_fill(&k)) {
                        EVP_PKEY *pkey = pkey_of(&k);
                        e = pkey ? key_adopt(pkey, true, out) : ERR_CRYPTO;
                }
        }
        numbers_drop(&k);
        return e == ERR_OK ? e : key_fault(e);
}

/* NULL when the library fails. */
static EVP_PKEY_CTX *context_new(const struct crypto_key *key, int (*init)(EVP_PKEY_CTX *))
{
        EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key->pkey, NULL);
        if (ctx && init(ctx) == 1 && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
                EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) == 1)
                return ctx;
        EVP_PKEY_CTX_free(ctx);
        ERR_clear_error();
        return NULL;
}

void key_rsa_ready(struct crypto_key *key)
{
        key->verifier = context_new(key, EVP_PKEY_verify_init);
        if (key->is_private)
                key->signer = context_new(key, EVP_PKEY_sign_init);
}

static size_t signature_size(const struct crypto_key *key)
{
        return (key->bits + 7) / 8;
}

enum err crypto_key_rsa_sign(const struct crypto_key *key, const uint8_t digest[SHA256_SIZE], struct wr *w)
{
        if (key->kind != CRYPTO_KEY_RSA || !key->is_private)
                return ERR_SEQUENCE;
        unsigned char signature[RSA_SIGNATURE_MAX];
        size_t n = sizeof signature;
        if (!key->signer || EVP_PKEY_sign(key->signer, signature, &n, digest, SHA256_SIZE) != 1)
                return key_fault(ERR_CRYPTO);
        wr_str(w, str_of(signature, n));
        return wr_end(w);
}

enum err crypto_key_rsa_verify(
        const struct crypto_key *key, const uint8_t digest[SHA256_SIZE], struct str signature)
{
        if (key->kind != CRYPTO_KEY_RSA)
                return ERR_SEQUENCE;
        if (signature.n != signature_size(key)) /* RFC 8017 8.2.2 step 1 */
                return ERR_DENIED;
        if (key->verifier && EVP_PKEY_verify(key->verifier, (const unsigned char *)signature.p, signature.n,
                                     digest, SHA256_SIZE) == 1)
                return ERR_OK;
        return key_fault(key->verifier ? ERR_DENIED : ERR_CRYPTO);
}
