/* SPDX-License-Identifier: ISC */
#include "auth/key.h"

#include "base/ascii.h"
#include "base/base64.h"
#include "base/check.h"
#include "base/limits.h"
#include "crypto/bytes.h"
#include "crypto/kdf.h"

/* Each name below is part of the frozen recipe. */
static const struct str version = {"ptt-v1", 6};
static const struct str purposes[] = {
        [KEY_DKIM] = {"dkim", 4},
        [KEY_ARC] = {"arc", 3},
        [KEY_TLS] = {"tls", 3},
};
static const struct str algorithms[] = {
        [KEY_RSA_2048] = {"rsa/2048", 8},
        [KEY_ED25519] = {"ed25519", 7},
};

#define RSA_BITS 2048
#define RSA_MATERIAL 48
#define DOMAIN_TEXT_MAX 253 /* RFC 1035 3.1: 255 bytes of wire form */

enum err key_password_parse(struct str base64, struct key_password *out)
{
        struct wr w;
        wr_init(&w, out->bytes, sizeof out->bytes);
        enum err e = base64_decode(base64, &w);
        if (e == ERR_OK && w.n < PASSWORD_MIN)
                e = ERR_DENIED;
        out->n = w.n;
        if (e != ERR_OK)
                key_password_wipe(out);
        return e == ERR_SPACE ? ERR_LIMIT : e;
}

void key_password_wipe(struct key_password *p)
{
        crypto_wipe(p, sizeof *p);
}

static bool is_domain(struct str domain)
{
        if (domain.n == 0 || domain.n > DOMAIN_TEXT_MAX)
                return false;
        for (size_t i = 0; i < domain.n; i++) {
                char c = domain.p[i];
                bool ends_label = i + 1 == domain.n || domain.p[i + 1] == '.';
                if (c == '.' ? i == 0 || ends_label : !ascii_is_alnum(c) && c != '-' && c != '_')
                        return false;
        }
        return true;
}

enum err key_seed_derive(const struct key_password *password, struct str domain, struct key_seed *out)
{
        char salt[8 + DOMAIN_TEXT_MAX];
        struct wr w;
        *out = (struct key_seed){{0}};
        if (!is_domain(domain))
                return ERR_SYNTAX;
        wr_init(&w, salt, sizeof salt);
        wr_str(&w, version);
        wr_byte(&w, ':');
        wr_lower(&w, domain);
        CHECK(wr_end(&w) == ERR_OK);
        return kdf_pbkdf2(str_of(password->bytes, password->n), wr_text(&w), KEY_PBKDF2_ROUNDS, out->bytes,
                sizeof out->bytes);
}

void key_seed_wipe(struct key_seed *s)
{
        crypto_wipe(s, sizeof *s);
}

enum err key_id(const struct key_seed *seed, uint8_t out[KEY_ID_SIZE])
{
        return kdf_hkdf_expand(str_of(seed->bytes, sizeof seed->bytes), S("ptt-v1\0id"), out, KEY_ID_SIZE);
}

/* `version` 00 purpose 00 algorithm 00 selector */
static enum err expand(const struct key_seed *seed, enum key_purpose purpose, enum key_algorithm algorithm,
        struct str selector, uint8_t *out, size_t n)
{
        char info[32 + DNS_LABEL_MAX];
        struct wr w;
        wr_init(&w, info, sizeof info);
        wr_str(&w, version);
        wr_byte(&w, 0);
        wr_str(&w, purposes[purpose]);
        wr_byte(&w, 0);
        wr_str(&w, algorithms[algorithm]);
        wr_byte(&w, 0);
        wr_str(&w, selector);
        CHECK(wr_end(&w) == ERR_OK);
        return kdf_hkdf_expand(str_of(seed->bytes, sizeof seed->bytes), wr_text(&w), out, n);
}

enum err key_search_init(struct key_search *s, const struct key_seed *seed, enum key_purpose purpose,
        enum key_algorithm algorithm, struct str selector)
{
        CHECK(selector.n <= DNS_LABEL_MAX);
        *s = (struct key_search){.algorithm = algorithm};
        if (algorithm == KEY_ED25519)
                return expand(seed, purpose, algorithm, selector, s->ed25519_seed, sizeof s->ed25519_seed);
        uint8_t material[RSA_MATERIAL];
        enum err e = expand(seed, purpose, algorithm, selector, material, sizeof material);
        if (e == ERR_OK)
                rsa_search_init(&s->rsa, str_of(material, sizeof material), RSA_BITS);
        crypto_wipe(material, sizeof material);
        return e;
}

enum err key_search_step(struct key_search *s, struct crypto_key **out)
{
        if (s->algorithm == KEY_ED25519)
                return crypto_key_ed25519_private(s->ed25519_seed, out);
        return rsa_search_step(&s->rsa, out);
}

void key_search_drop(struct key_search *s)
{
        rsa_search_drop(&s->rsa);
        crypto_wipe(s, sizeof *s);
}

/* RFC 6376 3.6.1; an Ed25519 key stands there as its 32 bytes (RFC 8463 4.2) */
enum err key_record_write(const struct crypto_key *key, struct wr *w)
{
        char bytes[KEY_RECORD_MAX];
        struct wr public;
        wr_init(&public, bytes, sizeof bytes);
        enum err e = ERR_OK;
        if (crypto_key_kind(key) == CRYPTO_KEY_ED25519) {
                uint8_t raw[ED25519_PUBLIC_SIZE];
                e = crypto_key_ed25519_raw(key, raw);
                wr_str(&public, str_of(raw, sizeof raw));
                wr_str(w, S("v=DKIM1; k=ed25519; p="));
        } else {
                e = crypto_key_spki(key, &public);
                wr_str(w, S("v=DKIM1; k=rsa; p="));
        }
        if (e != ERR_OK)
                return e;
        base64_encode(w, wr_text(&public));
        return wr_end(w);
}
