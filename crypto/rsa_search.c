/* SPDX-License-Identifier: ISC */
#include "crypto/rsa_search.h"

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/err.h>

#include "base/check.h"
#include "crypto/bytes.h"

#define PRIME_SIZE_MAX (RSA_SEARCH_BITS_MAX / 16)

struct primes {
        BN_CTX *ctx;
        BIGNUM *p; /* the first prime, once found */
        BIGNUM *candidate;
        BIGNUM *distance;
        bool has_p;
};

static void primes_free(struct primes *r)
{
        if (!r)
                return;
        BN_clear_free(r->distance);
        BN_clear_free(r->candidate);
        BN_clear_free(r->p);
        BN_CTX_free(r->ctx);
        OPENSSL_free(r);
}

static struct primes *primes_new(void)
{
        struct primes *r = OPENSSL_zalloc(sizeof *r);
        if (!r)
                return NULL;
        r->ctx = BN_CTX_new();
        r->p = BN_new();
        r->candidate = BN_new();
        r->distance = BN_new();
        if (r->ctx && r->p && r->candidate && r->distance)
                return r;
        primes_free(r);
        return NULL;
}

void rsa_search_init(struct rsa_search *s, struct str seed, size_t bits)
{
        CHECK(bits >= RSA_SEARCH_BITS_MIN && bits <= RSA_SEARCH_BITS_MAX && bits % 16 == 0);
        *s = (struct rsa_search){.bits = bits, .primes = primes_new()};
        drbg_init(&s->drbg, seed);
}

void rsa_search_drop(struct rsa_search *s)
{
        primes_free(s->primes);
        drbg_wipe(&s->drbg);
        s->primes = NULL;
}

/* ERR_OK: it fits; ERR_AGAIN: it does not. The cheap conditions first: their order changes no result. */
static enum err judge(struct primes *r, size_t half_bits)
{
        if (BN_mod_word(r->candidate, 65537) == 1) /* e divides candidate - 1 */
                return ERR_AGAIN;
        if (r->has_p) {
                if (!BN_sub(r->distance, r->p, r->candidate))
                        return ERR_CRYPTO;
                BN_set_negative(r->distance, 0);
                /* above 2^k: k + 1 bits at least, and not 2^k itself (a distance of odd numbers is even) */
                int k = (int)half_bits - 100, have = BN_num_bits(r->distance);
                if (have < k + 1)
                        return ERR_AGAIN;
                if (have == k + 1 && BN_clear_bit(r->distance, k) && BN_is_zero(r->distance))
                        return ERR_AGAIN;
        }
        int prime = BN_check_prime(r->candidate, r->ctx, NULL);
        return prime == 1 ? ERR_OK : prime == 0 ? ERR_AGAIN : ERR_CRYPTO;
}

static enum err key_of(const struct primes *r, size_t size, struct crypto_key **out)
{
        uint8_t p[PRIME_SIZE_MAX], q[PRIME_SIZE_MAX];
        enum err e = ERR_CRYPTO;
        if (BN_bn2binpad(r->p, p, (int)size) > 0 && BN_bn2binpad(r->candidate, q, (int)size) > 0)
                e = crypto_key_rsa_private(str_of(p, size), str_of(q, size), out);
        crypto_wipe(p, sizeof p);
        crypto_wipe(q, sizeof q);
        return e;
}

enum err rsa_search_step(struct rsa_search *s, struct crypto_key **out)
{
        struct primes *r = s->primes;
        uint8_t bytes[PRIME_SIZE_MAX];
        size_t size = s->bits / 16;
        *out = NULL;
        if (!r || drbg_generate(&s->drbg, bytes, size) != ERR_OK)
                return ERR_CRYPTO;
        s->candidates++;
        bytes[0] |= 0xc0;
        bytes[size - 1] |= 0x01;
        bool taken = BN_bin2bn(bytes, (int)size, r->candidate) != NULL;
        crypto_wipe(bytes, sizeof bytes);
        enum err e = taken ? judge(r, s->bits / 2) : ERR_CRYPTO;
        if (e == ERR_OK && r->has_p)
                return key_of(r, size, out);
        if (e == ERR_OK) {
                BN_swap(r->p, r->candidate);
                r->has_p = true;
                return ERR_AGAIN;
        }
        ERR_clear_error();
        return e;
}
