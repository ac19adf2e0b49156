/* SPDX-License-Identifier: ISC */
#include "app/blaze_key.h"

#include <stdio.h>

#include "app/blaze.h"
#include "base/base64.h"
#include "base/limits.h"
#include "crypto/bytes.h"
#include "crypto/drbg.h"
#include "crypto/rsa_search.h"

static struct crypto_key *no_key(struct str where, enum err e)
{
        blaze_fail("%.*s: no usable key: %s", STR_ARG(str_take(where, 100)), err_text(e));
        return NULL;
}

struct crypto_key *blaze_key_from_file(struct str path)
{
        char buffer[CRYPTO_KEY_PEM_MAX];
        struct crypto_key *key = NULL;
        struct str pem;
        enum err e = options_file_read(path, buffer, sizeof buffer, &pem);
        if (e == ERR_OK)
                e = crypto_key_private_from_pem(pem, &key);
        crypto_wipe(buffer, sizeof buffer);
        return e == ERR_OK ? key : no_key(path, e);
}

static enum err search_rsa(struct str seed, size_t bits, struct crypto_key **out)
{
        struct rsa_search search;
        enum err e = ERR_AGAIN;
        rsa_search_init(&search, seed, bits);
        while (e == ERR_AGAIN)
                e = rsa_search_step(&search, out);
        rsa_search_drop(&search);
        return e;
}

static enum err derive_ed25519(struct str seed, struct crypto_key **out)
{
        struct drbg drbg;
        uint8_t bytes[ED25519_SEED_SIZE];
        drbg_init(&drbg, seed);
        enum err e = drbg_generate(&drbg, bytes, sizeof bytes);
        if (e == ERR_OK)
                e = crypto_key_ed25519_private(bytes, out);
        crypto_wipe(bytes, sizeof bytes);
        drbg_wipe(&drbg);
        return e;
}

struct crypto_key *blaze_key_from_seed(struct str seed, bool ed25519, size_t bits)
{
        struct crypto_key *key = NULL;
        enum err e = ed25519 ? derive_ed25519(seed, &key) : search_rsa(seed, bits, &key);
        return e == ERR_OK ? key : no_key(S("seed"), e);
}

bool blaze_key_algorithm(const struct options *o, bool *ed25519, size_t *bits)
{
        struct str name, text;
        uint64_t number = 2048;
        bool named = options_value(o, "algorithm", &name);
        *ed25519 = named && str_eq_nocase(name, S("ed25519"));
        if (named && !*ed25519 && !str_eq_nocase(name, S("rsa"))) {
                blaze_fail("Unknown algorithm: %.*s", STR_ARG(name));
                return false;
        }
        if (options_value(o, "bits", &text) && (str_to_u64(text, DKIM_KEY_BITS_MAX, &number) != ERR_OK ||
                                                       number < DKIM_KEY_BITS_MIN || number % 16 != 0)) {
                blaze_fail("A key has %d to %d bits, a multiple of 16, not %.*s", DKIM_KEY_BITS_MIN,
                        DKIM_KEY_BITS_MAX, STR_ARG(text));
                return false;
        }
        *bits = (size_t)number;
        return true;
}

bool blaze_key_seed(struct str text, char *buffer, size_t cap, struct str *out)
{
        struct wr w;
        wr_init(&w, buffer, cap);
        if (base64_decode(text, &w) != ERR_OK || w.n == 0) {
                blaze_fail("The seed is not base64, or longer than %d bytes", BLAZE_SEED_MAX);
                return false;
        }
        if (w.n < PASSWORD_MIN)
                fprintf(stderr, "blaze: warning: a seed of fewer than %d bytes can be guessed.\n",
                        PASSWORD_MIN);
        *out = wr_text(&w);
        return true;
}

/* PEM: public, or private, of which the public half will be used. */
static enum err read_pem(struct str pem, struct crypto_key **out)
{
        enum err e = crypto_key_public_from_pem(pem, out);
        return e == ERR_SYNTAX ? crypto_key_private_from_pem(pem, out) : e;
}

static enum err read_base64(struct str text, struct crypto_key **out)
{
        char der[4096];
        struct wr w;
        wr_init(&w, der, sizeof der);
        enum err e = base64_decode(text, &w);
        if (e == ERR_OK && w.n == ED25519_PUBLIC_SIZE)
                return crypto_key_ed25519_public(wr_text(&w), out);
        return e == ERR_OK ? crypto_key_public_from_der(wr_text(&w), out) : e;
}

struct crypto_key *blaze_key_public(struct str text)
{
        char buffer[CRYPTO_KEY_PEM_MAX];
        struct crypto_key *key = NULL;
        struct str pem;
        enum err e = options_file_read(text, buffer, sizeof buffer, &pem);
        e = e == ERR_OK ? read_pem(pem, &key) : read_base64(text, &key);
        crypto_wipe(buffer, sizeof buffer);
        return e == ERR_OK ? key : no_key(text, e);
}
