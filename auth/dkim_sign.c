/* SPDX-License-Identifier: ISC */
#include "auth/dkim_sign.h"

#include "auth/dkim_name.h"
#include "auth/dkim_signature.h"
#include "auth/dkim_write.h"
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
static enum err put_h(struct dkim_write *f, const struct dkim_sign_params *params,
        const struct mail_header *header, struct str *value)
{
        size_t count = 0;
        dkim_write_open(f, S("h"));
        size_t start = f->w->n;
        dkim_write_covered(f, S("From"), mail_header_count(header, S("From")) + 1, &count);
        for (size_t i = 0; i < params->cover_count; i++) {
                struct str name = params->cover[i].name;
                if (!dkim_is_field_name(name))
                        return ERR_SYNTAX;
                if (!is_counted(params->cover, i))
                        continue;
                dkim_write_covered(f, name, mail_header_count(header, name) + params->cover[i].over, &count);
        }
        *value = str_skip(wr_text(f->w), start);
        return count > DKIM_COVERED_MAX ? ERR_LIMIT : ERR_OK;
}

static struct str canon_name(enum canon header, enum canon body)
{
        if (header == CANON_RELAXED)
                return body == CANON_RELAXED ? S("relaxed/relaxed") : S("relaxed/simple");
        return body == CANON_RELAXED ? S("simple/relaxed") : S("simple/simple");
}

enum err dkim_sign(const struct dkim_sign_params *params, const struct mail_header *header,
        const uint8_t body_digest[SHA256_SIZE], const struct crypto_key *key, struct wr *w)
{
        struct dkim_write f = {w, MAIL_LINE_GOAL, 0, false};
        struct str covered;
        char signature[RSA_SIGNATURE_MAX];
        uint8_t digest[SHA256_SIZE];
        struct wr s;
        size_t start = w->n;
        enum err e = dkim_write_check(params->domain, params->selector, key);
        if (e == ERR_OK && mail_header_count(header, S("From")) == 0)
                e = ERR_NOT_FOUND;
        if (e != ERR_OK)
                return e;
        dkim_write_name(&f, S("DKIM-Signature"));
        dkim_write_tag(&f, S("v"), S("1"));
        dkim_write_tag(&f, S("a"), dkim_write_algorithm(key));
        dkim_write_tag(&f, S("c"), canon_name(params->header_canon, params->body_canon));
        dkim_write_tag(&f, S("d"), params->domain);
        dkim_write_tag(&f, S("s"), params->selector);
        dkim_write_number(&f, S("t"), params->time_s);
        dkim_write_number(&f, S("x"), params->expiry_s);
        e = put_h(&f, params, header, &covered);
        if (e != ERR_OK)
                return e;
        dkim_write_open(&f, S("bh"));
        dkim_write_base64(&f, str_of(body_digest, SHA256_SIZE));
        dkim_write_open(&f, S("b"));
        struct str field = str_skip(wr_text(w), start);
        e = wr_end(w);
        if (e == ERR_OK)
                e = dkim_header_digest(
                        header, covered, params->header_canon, field, str_skip(field, field.n), digest);
        wr_init(&s, signature, sizeof signature);
        if (e == ERR_OK)
                e = dkim_write_sign(key, digest, &s);
        if (e != ERR_OK)
                return e;
        dkim_write_base64(&f, wr_text(&s));
        wr_str(w, S("\r\n"));
        return wr_end(w);
}
