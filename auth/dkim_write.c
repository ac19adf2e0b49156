/* SPDX-License-Identifier: ISC */
#include "auth/dkim_write.h"

#include "auth/dkim_name.h"
#include "base/base64.h"
#include "base/limits.h"

/* Where words end at most: a ";" may come behind the last. */
static size_t line_end(const struct dkim_write *f)
{
        return f->goal - 1;
}

/* A word, with a space before it where `spaced`; on a new line when it does not fit, which is white space as well. */
static void put_word(struct dkim_write *f, struct str word, bool spaced)
{
        size_t space = spaced ? 1 : 0;
        if (f->column + space + word.n > line_end(f)) {
                wr_str(f->w, S("\r\n "));
                f->column = 1;
        } else if (spaced) {
                wr_byte(f->w, ' ');
                f->column++;
        }
        wr_str(f->w, word);
        f->column += word.n;
}

static void end_tag(struct dkim_write *f)
{
        if (!f->any)
                return;
        wr_byte(f->w, ';');
        f->column++;
}

void dkim_write_name(struct dkim_write *f, struct str name)
{
        wr_str(f->w, name);
        wr_byte(f->w, ':');
        f->column += name.n + 1;
}

void dkim_write_tag(struct dkim_write *f, struct str name, struct str value)
{
        char text[SMTP_DOMAIN_MAX + 8];
        struct wr w;
        wr_init(&w, text, sizeof text);
        wr_str(&w, name);
        wr_byte(&w, '=');
        wr_str(&w, value);
        end_tag(f);
        put_word(f, wr_text(&w), true);
        f->any = true;
}

void dkim_write_number(struct dkim_write *f, struct str name, int64_t number)
{
        char text[24];
        struct wr w;
        if (number <= 0)
                return;
        wr_init(&w, text, sizeof text);
        wr_u64(&w, (uint64_t)number);
        dkim_write_tag(f, name, wr_text(&w));
}

void dkim_write_open(struct dkim_write *f, struct str name)
{
        dkim_write_tag(f, name, S(""));
}

void dkim_write_base64(struct dkim_write *f, struct str bytes)
{
        char text[(RSA_SIGNATURE_MAX + 2) / 3 * 4];
        struct wr w;
        wr_init(&w, text, sizeof text);
        base64_encode(&w, bytes);
        struct str rest = wr_text(&w);
        while (rest.n > 0) {
                size_t room = f->column < line_end(f) ? line_end(f) - f->column : line_end(f) - 1;
                struct str part = str_take(rest, room);
                put_word(f, part, false);
                rest = str_skip(rest, part.n);
        }
}

void dkim_write_covered(struct dkim_write *f, struct str name, size_t times, size_t *count)
{
        char text[MAIL_LINE_GOAL];
        for (size_t i = 0; i < times && *count <= DKIM_COVERED_MAX; i++) {
                struct wr w;
                wr_init(&w, text, sizeof text);
                if ((*count)++ > 0)
                        wr_byte(&w, ':');
                wr_str(&w, name);
                put_word(f, wr_text(&w), false);
        }
}

struct str dkim_write_algorithm(const struct crypto_key *key)
{
        return crypto_key_kind(key) == CRYPTO_KEY_RSA ? S("rsa-sha256") : S("ed25519-sha256");
}

enum err dkim_write_check(struct str domain, struct str selector, const struct crypto_key *key)
{
        unsigned bits = crypto_key_bits(key);
        if (!dkim_is_ascii_name(domain) || !dkim_is_ascii_name(selector) ||
                domain.n + selector.n + sizeof "._domainkey." - 1 > DNS_NAME_MAX - 2)
                return ERR_SYNTAX;
        if (!crypto_key_is_private(key))
                return ERR_SEQUENCE;
        if (crypto_key_kind(key) == CRYPTO_KEY_RSA && (bits < DKIM_KEY_BITS_MIN || bits > DKIM_KEY_BITS_MAX))
                return ERR_UNSUPPORTED;
        return ERR_OK;
}

enum err dkim_write_sign(const struct crypto_key *key, const uint8_t digest[SHA256_SIZE], struct wr *w)
{
        uint8_t signature[ED25519_SIGNATURE_SIZE];
        if (crypto_key_kind(key) == CRYPTO_KEY_RSA)
                return crypto_key_rsa_sign(key, digest, w);
        enum err e = crypto_key_ed25519_sign(key, str_of(digest, SHA256_SIZE), signature);
        wr_str(w, str_of(signature, sizeof signature));
        return e;
}

size_t dkim_write_size(const struct crypto_key *key)
{
        if (crypto_key_kind(key) == CRYPTO_KEY_ED25519)
                return ED25519_SIGNATURE_SIZE;
        return (crypto_key_bits(key) + 7) / 8;
}
