/* SPDX-License-Identifier: ISC */
#include "auth/dkim_sign.h"

#include "auth/dkim_name.h"
#include "auth/dkim_signature.h"
#include "base/base64.h"
#include "base/limits.h"

#define NAME(literal)                           \
        {                                       \
                "" literal, sizeof(literal) - 1 \
        }

const struct dkim_cover dkim_cover_default[] = {
        {NAME("From"), true},
        {NAME("To"), true},
        {NAME("Cc"), true},
        {NAME("Subject"), true},
        {NAME("Date"), true},
        {NAME("Reply-To"), true},
        {NAME("Sender"), true},
        {NAME("MIME-Version"), true},
        {NAME("Content-Type"), true},
        {NAME("Content-Transfer-Encoding"), true},
        {NAME("Content-Disposition"), true},
        {NAME("Content-ID"), true},
        {NAME("Content-Description"), true},
        {NAME("List-Id"), true},
        {NAME("List-Post"), true},
        {NAME("List-Help"), true},
        {NAME("List-Subscribe"), true},
        {NAME("List-Unsubscribe"), true},
        {NAME("List-Unsubscribe-Post"), true},
        {NAME("List-Owner"), true},
        {NAME("List-Archive"), true},
        {NAME("Message-ID"), false},
        {NAME("In-Reply-To"), false},
        {NAME("References"), false},
};
const size_t dkim_cover_default_count = sizeof dkim_cover_default / sizeof dkim_cover_default[0];

const struct dkim_cover dkim_cover_author[] = {
        {NAME("From"), true},
        {NAME("To"), true},
        {NAME("Cc"), true},
        {NAME("Subject"), true},
        {NAME("Date"), true},
        {NAME("Reply-To"), true},
        {NAME("MIME-Version"), true},
        {NAME("Content-Type"), true},
        {NAME("Content-Transfer-Encoding"), true},
        {NAME("Content-Disposition"), true},
        {NAME("Content-ID"), true},
        {NAME("Content-Description"), true},
        {NAME("Message-ID"), false},
        {NAME("In-Reply-To"), false},
        {NAME("References"), false},
        {NAME("Sender"), false},
        {NAME("List-Id"), false},
        {NAME("List-Post"), false},
        {NAME("List-Help"), false},
        {NAME("List-Subscribe"), false},
        {NAME("List-Unsubscribe"), false},
        {NAME("List-Unsubscribe-Post"), false},
        {NAME("List-Owner"), false},
        {NAME("List-Archive"), false},
};
const size_t dkim_cover_author_count = sizeof dkim_cover_author / sizeof dkim_cover_author[0];

/* Words on lines of at most MAIL_LINE_GOAL bytes with a ";" behind the last, as far as the words allow. */
#define LINE_GOAL (MAIL_LINE_GOAL - 1)
struct folding {
        struct wr *w;
        size_t column;
};

/* A word, with a space before it where `spaced`; on a new line when it does not fit, which is white space as well. */
static void put_word(struct folding *f, struct str word, bool spaced)
{
        size_t space = spaced ? 1 : 0;
        if (f->column + space + word.n > LINE_GOAL) {
                wr_str(f->w, S("\r\n "));
                f->column = 1;
        } else if (spaced) {
                wr_byte(f->w, ' ');
                f->column++;
        }
        wr_str(f->w, word);
        f->column += word.n;
}

/* `name=value;` as one word */
static void put_tag(struct folding *f, struct str name, struct str value)
{
        char text[SMTP_DOMAIN_MAX + 8];
        struct wr w;
        wr_init(&w, text, sizeof text);
        wr_str(&w, name);
        wr_byte(&w, '=');
        wr_str(&w, value);
        wr_byte(&w, ';');
        put_word(f, wr_text(&w), true);
}

static void put_seconds(struct folding *f, struct str name, int64_t seconds)
{
        char text[24];
        struct wr w;
        if (seconds <= 0)
                return;
        wr_init(&w, text, sizeof text);
        wr_u64(&w, (uint64_t)seconds);
        put_tag(f, name, wr_text(&w));
}

/* Base64 may be broken anywhere (3.5 base64string), so lines are filled. */
static void put_base64(struct folding *f, struct str bytes)
{
        char text[(RSA_SIGNATURE_MAX + 2) / 3 * 4];
        struct wr w;
        wr_init(&w, text, sizeof text);
        base64_encode(&w, bytes);
        struct str rest = wr_text(&w);
        while (rest.n > 0) {
                size_t room = f->column < LINE_GOAL ? LINE_GOAL - f->column : LINE_GOAL - 1;
                struct str part = str_take(rest, room);
                put_word(f, part, false);
                rest = str_skip(rest, part.n);
        }
}

/* One name of h=, `times` over. */
static void put_covered(struct folding *f, struct str name, size_t times, size_t *count)
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

static bool stands_before(const struct dkim_cover *cover, size_t at)
{
        for (size_t i = 0; i < at; i++)
                if (str_eq_nocase(cover[i].name, cover[at].name))
                        return true;
        return false;
}

/* The names of `cover` that count: From stands first whatever `cover` says. */
static bool is_counted(const struct dkim_cover *cover, size_t at)
{
        return !stands_before(cover, at) && !str_eq_nocase(cover[at].name, S("From"));
}

size_t dkim_sign_covered(const struct mail_header *header, const struct dkim_cover *cover, size_t cover_count)
{
        size_t n = mail_header_count(header, S("From")) + 1;
        for (size_t i = 0; i < cover_count; i++)
                if (is_counted(cover, i))
                        n += mail_header_count(header, cover[i].name) + cover[i].over;
        return n;
}

/* h=: each name as often as it occurs, and oversigned ones once more (5.4.2, 8.15). `*value` is what stands behind "h=".
 *   ERR_OK, ERR_SYNTAX, ERR_LIMIT */
static enum err put_h(struct folding *f, const struct dkim_sign_params *params,
        const struct mail_header *header, struct str *value)
{
        size_t count = 0;
        put_word(f, S("h="), true);
        size_t start = f->w->n;
        put_covered(f, S("From"), mail_header_count(header, S("From")) + 1, &count);
        for (size_t i = 0; i < params->cover_count; i++) {
                struct str name = params->cover[i].name;
                if (!dkim_is_field_name(name))
                        return ERR_SYNTAX;
                if (!is_counted(params->cover, i))
                        continue;
                put_covered(f, name, mail_header_count(header, name) + params->cover[i].over, &count);
        }
        *value = str_skip(wr_text(f->w), start);
        wr_byte(f->w, ';');
        f->column++;
        return count > DKIM_COVERED_MAX ? ERR_LIMIT : ERR_OK;
}

static struct str canon_name(enum canon header, enum canon body)
{
        if (header == CANON_RELAXED)
                return body == CANON_RELAXED ? S("relaxed/relaxed") : S("relaxed/simple");
        return body == CANON_RELAXED ? S("simple/relaxed") : S("simple/simple");
}

static enum err check(
        const struct dkim_sign_params *params, const struct mail_header *header, const struct crypto_key *key)
{
        unsigned bits = crypto_key_bits(key);
        if (!dkim_is_name(params->domain) || !dkim_is_name(params->selector) ||
                params->domain.n + params->selector.n + sizeof "._domainkey." - 1 > DNS_NAME_MAX - 2)
                return ERR_SYNTAX;
        if (mail_header_count(header, S("From")) == 0)
                return ERR_NOT_FOUND;
        if (!crypto_key_is_private(key))
                return ERR_SEQUENCE;
        if (crypto_key_kind(key) == CRYPTO_KEY_RSA && (bits < DKIM_KEY_BITS_MIN || bits > DKIM_KEY_BITS_MAX))
                return ERR_UNSUPPORTED;
        return ERR_OK;
}

static enum err sign_digest(const struct crypto_key *key, const uint8_t digest[SHA256_SIZE], struct wr *w)
{
        uint8_t signature[ED25519_SIGNATURE_SIZE];
        if (crypto_key_kind(key) == CRYPTO_KEY_RSA)
                return crypto_key_rsa_sign(key, digest, w);
        enum err e = crypto_key_ed25519_sign(key, str_of(digest, SHA256_SIZE), signature);
        wr_str(w, str_of(signature, sizeof signature));
        return e;
}

enum err dkim_sign(const struct dkim_sign_params *params, const struct mail_header *header,
        const uint8_t body_digest[SHA256_SIZE], const struct crypto_key *key, struct wr *w)
{
        bool rsa = crypto_key_kind(key) == CRYPTO_KEY_RSA;
        struct folding f = {w, 0};
        struct str covered;
        char signature[RSA_SIGNATURE_MAX];
        uint8_t digest[SHA256_SIZE];
        struct wr s;
        size_t start = w->n;
        enum err e = check(params, header, key);
        if (e != ERR_OK)
                return e;
        put_word(&f, S("DKIM-Signature:"), false);
        put_tag(&f, S("v"), S("1"));
        put_tag(&f, S("a"), rsa ? S("rsa-sha256") : S("ed25519-sha256"));
        put_tag(&f, S("c"), canon_name(params->header_canon, params->body_canon));
        put_tag(&f, S("d"), params->domain);
        put_tag(&f, S("s"), params->selector);
        put_seconds(&f, S("t"), params->time_s);
        put_seconds(&f, S("x"), params->expiry_s);
        e = put_h(&f, params, header, &covered);
        if (e != ERR_OK)
                return e;
        put_word(&f, S("bh="), true);
        put_base64(&f, str_of(body_digest, SHA256_SIZE));
        wr_byte(w, ';');
        f.column++;
        put_word(&f, S("b="), true);
        struct str field = str_skip(wr_text(w), start);
        e = wr_end(w);
        if (e == ERR_OK)
                e = dkim_header_digest(
                        header, covered, params->header_canon, field, str_skip(field, field.n), digest);
        wr_init(&s, signature, sizeof signature);
        if (e == ERR_OK)
                e = sign_digest(key, digest, &s);
        if (e != ERR_OK)
                return e;
        put_base64(&f, wr_text(&s));
        wr_str(w, S("\r\n"));
        return wr_end(w);
}
