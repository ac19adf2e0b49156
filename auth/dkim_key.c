/* SPDX-License-Identifier: ISC */
#include "auth/dkim_key.h"

#include "auth/tags.h"
#include "base/base64.h"
#include "base/limits.h"

#define KEY_DER_MAX 4096 /* the DER of an RSA key of RSA_BITS_MAX and its frame */

/* key-v-tag: when there, first, and exactly DKIM1 */
static bool is_version_right(const struct tags *t)
{
        const struct tag *v = tags_find(t, S("v"));
        return !v || (v == &t->list[0] && str_eq(v->value, S("DKIM1")));
}

static bool allows(const struct tags *t, struct str name, struct str item, struct str any)
{
        const struct tag *tag = tags_find(t, name);
        return !tag || tags_has_item(tag->value, item) || (any.n > 0 && tags_has_item(tag->value, any));
}

static enum dkim_fault key_fault(enum err e)
{
        if (e == ERR_OK)
                return DKIM_OK;
        return e == ERR_CRYPTO ? DKIM_LIBRARY : DKIM_KEY_DATA;
}

static enum dkim_fault check_size(const struct crypto_key *key)
{
        if (crypto_key_kind(key) != CRYPTO_KEY_RSA)
                return DKIM_OK;
        if (crypto_key_bits(key) < DKIM_KEY_BITS_MIN)
                return DKIM_KEY_SHORT;
        return crypto_key_bits(key) > DKIM_KEY_BITS_MAX ? DKIM_KEY_LONG : DKIM_OK;
}

/* key-p-tag: for rsa DER (3.6.1), for ed25519 the 32 bytes (RFC 8463 4.2) */
static enum dkim_fault read_data(struct str text, bool ed25519, struct crypto_key **out)
{
        char der[KEY_DER_MAX];
        struct wr w;
        wr_init(&w, der, sizeof der);
        if (base64_decode(text, &w) != ERR_OK)
                return DKIM_KEY_DATA;
        if (ed25519)
                return key_fault(crypto_key_ed25519_public(wr_text(&w), out));
        enum dkim_fault fault = key_fault(crypto_key_public_from_der(wr_text(&w), out));
        if (fault == DKIM_OK && crypto_key_kind(*out) != CRYPTO_KEY_RSA)
                return DKIM_KEY_DATA;
        return fault == DKIM_OK ? check_size(*out) : fault;
}

static enum dkim_fault read_record(struct str text, struct dkim_key *out)
{
        struct tags tags;
        if (tags_parse(text, &tags) != ERR_OK)
                return DKIM_KEY_RECORD;
        const struct tag *k = tags_find(&tags, S("k")), *p = tags_find(&tags, S("p"));
        const struct tag *flags = tags_find(&tags, S("t"));
        bool ed25519 = k && str_eq_nocase(k->value, S("ed25519"));
        if (!is_version_right(&tags))
                return DKIM_KEY_VERSION;
        if (!p)
                return DKIM_KEY_RECORD;
        out->testing = flags && tags_has_item(flags->value, S("y"));
        out->strict = flags && tags_has_item(flags->value, S("s"));
        if (p->value.n == 0)
                return DKIM_KEY_REVOKED;
        if (k && !ed25519 && !str_eq_nocase(k->value, S("rsa")))
                return DKIM_KEY_TYPE;
        if (!allows(&tags, S("h"), S("sha256"), S("")))
                return DKIM_KEY_HASH;
        if (!allows(&tags, S("s"), S("email"), S("*")))
                return DKIM_KEY_SERVICE;
        return read_data(p->value, ed25519, &out->key);
}

static void settle(struct dkim_key *k, enum dkim_fault fault)
{
        k->fault = fault;
        if (fault == DKIM_OK)
                return;
        crypto_key_free(k->key);
        k->key = NULL;
}

void dkim_key_from_records(const struct str *records, size_t count, struct dkim_key *out)
{
        *out = (struct dkim_key){0};
        if (count == 1)
                settle(out, read_record(records[0], out));
        else
                settle(out, count == 0 ? DKIM_KEY_NONE : DKIM_KEY_SEVERAL);
}

void dkim_key_from_trouble(struct dkim_key *out)
{
        *out = (struct dkim_key){.fault = DKIM_KEY_TROUBLE};
}

void dkim_key_from_crypto(struct crypto_key *key, struct dkim_key *out)
{
        *out = (struct dkim_key){.key = key};
        settle(out, check_size(key));
}

void dkim_key_drop(struct dkim_key *k)
{
        crypto_key_free(k->key);
        k->key = NULL;
}

enum err dkim_key_record_write(const struct crypto_key *key, struct wr *w)
{
        char der[KEY_DER_MAX];
        struct wr bytes;
        enum err e;
        wr_init(&bytes, der, sizeof der);
        if (crypto_key_kind(key) == CRYPTO_KEY_ED25519) {
                uint8_t raw[ED25519_PUBLIC_SIZE];
                wr_str(w, S("v=DKIM1; k=ed25519; p="));
                e = crypto_key_ed25519_raw(key, raw);
                wr_str(&bytes, str_of(raw, sizeof raw));
        } else {
                wr_str(w, S("v=DKIM1; k=rsa; p="));
                e = crypto_key_spki(key, &bytes);
        }
        if (e != ERR_OK)
                return e;
        base64_encode(w, wr_text(&bytes));
        return wr_end(w);
}
