/* SPDX-License-Identifier: ISC */
#include "mail/address.h"

#include "base/ascii.h"
#include "base/check.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "mail/address_check.h"

#define LABEL_MAX 63 /* RFC 1035 2.3.4 */

/* sub-domain = Let-dig [Ldh-str] (RFC 5321 4.1.2), or U-label (RFC 6531 3.3). */
static enum err label_check(struct str label, enum mail_charset charset)
{
        if (label.n == 0 || label.p[0] == '-' || label.p[label.n - 1] == '-')
                return ERR_SYNTAX;
        for (size_t at = 0; at < label.n;) {
                struct str rest = str_skip(label, at);
                size_t n = ascii_is_8bit(rest.p[0]) && charset == MAIL_UTF8
                                   ? utf8_head(rest)
                                   : ascii_is_alnum(rest.p[0]) || rest.p[0] == '-';
                if (n == 0)
                        return ERR_SYNTAX;
                at += n;
        }
        return label.n > LABEL_MAX ? ERR_LIMIT : ERR_OK;
}

/* Domain = sub-domain *("." sub-domain); a wrong octet anywhere outweighs a length. */
static enum err domain_check(struct str domain, enum mail_charset charset)
{
        enum err fault = domain.n > SMTP_DOMAIN_MAX ? ERR_LIMIT : ERR_OK;
        bool more = true;
        while (more) {
                struct str label, rest;
                more = str_cut(domain, '.', &label, &rest);
                enum err e = label_check(label, charset);
                if (e == ERR_SYNTAX)
                        return e;
                fault = fault == ERR_OK ? e : fault;
                domain = rest;
        }
        return fault;
}

bool mail_domain_is_valid(struct str domain, enum mail_charset charset)
{
        return domain_check(domain, charset) == ERR_OK;
}

/* dcontent = %d33-90 / %d94-126 (RFC 5321 4.1.3) */
static bool is_dcontent(char c)
{
        return ascii_is_graph(c) && c != '[' && c != '\\' && c != ']';
}

/* "[" *dcontent "]"; 0 when it is not closed or holds another octet */
static size_t literal_size(struct str s)
{
        size_t at = 1;
        if (s.n == 0 || s.p[0] != '[')
                return 0;
        while (at < s.n && is_dcontent(s.p[at]))
                at++;
        return at < s.n && s.p[at] == ']' ? at + 1 : 0;
}

enum err mail_literal_parse(struct str domain, struct ip *out)
{
        struct str inside, tag, value;
        *out = (struct ip){0};
        if (literal_size(domain) == 0 || literal_size(domain) != domain.n)
                return ERR_SYNTAX;
        inside = str_take(str_skip(domain, 1), domain.n - 2);
        bool tagged = str_cut(inside, ':', &tag, &value);
        bool six = tagged && str_eq_nocase(tag, S("IPv6"));
        if (tagged && !six)
                return label_check(tag, MAIL_ASCII) == ERR_OK && value.n > 0 ? ERR_UNSUPPORTED : ERR_SYNTAX;
        if (ip_parse(six ? value : inside, out) == ERR_OK && out->family == (six ? 6 : 4))
                return ERR_OK;
        *out = (struct ip){0};
        return ERR_SYNTAX;
}

size_t mail_domain_size(struct str s, enum mail_charset charset)
{
        size_t at = literal_size(s);
        if (at > 0)
                return at;
        while (at < s.n) {
                char c = s.p[at];
                if (!ascii_is_alnum(c) && c != '-' && c != '.' && !(ascii_is_8bit(c) && charset == MAIL_UTF8))
                        break;
                at++;
        }
        return at;
}

enum err mail_address_check(enum mail_charset charset, struct mail_address *out)
{
        struct ip ip;
        bool literal = out->domain.n > 0 && out->domain.p[0] == '[';
        enum err e = literal ? mail_literal_parse(out->domain, &ip) : domain_check(out->domain, charset);
        if (out->local.n == 0)
                e = ERR_SYNTAX;
        if (e == ERR_OK && (out->local.n > SMTP_LOCAL_PART_MAX || out->domain.n > SMTP_DOMAIN_MAX ||
                                   out->local.n + 1 + out->domain.n > MAIL_ADDRESS_MAX))
                e = ERR_LIMIT;
        if (e != ERR_OK)
                *out = (struct mail_address){0};
        return e;
}

/* Mailbox = Local-part "@" ( Domain / address-literal ); Local-part = Dot-string / Quoted-string */
enum err mail_mailbox_scan(struct str text, enum mail_charset charset, struct mail_address *out, size_t *used)
{
        size_t local = mail_quoted_size(text, charset, MAIL_QUOTING_LINE);
        *used = 0;
        *out = (struct mail_address){0};
        if (local == 0)
                local = mail_dot_atom_size(text, charset);
        struct str rest = str_skip(text, local);
        if (rest.n == 0 || rest.p[0] != '@')
                return ERR_SYNTAX;
        rest = str_skip(rest, 1);
        out->local = str_take(text, local);
        out->domain = str_take(rest, mail_domain_size(rest, charset));
        size_t size = local + 1 + out->domain.n;
        enum err e = mail_address_check(charset, out);
        *used = e == ERR_OK ? size : 0;
        return e;
}

enum err mail_mailbox_parse(struct str text, enum mail_charset charset, struct mail_address *out)
{
        size_t used;
        enum err e = mail_mailbox_scan(text, charset, out, &used);
        if (e == ERR_OK && used != text.n) {
                *out = (struct mail_address){0};
                return ERR_SYNTAX;
        }
        return e;
}

/* One octet of a local part after another, as what it stands for. */
struct local_reader {
        struct str left;
};

static struct local_reader local_read(struct str local)
{
        return (struct local_reader){local};
}

static bool local_next(struct local_reader *r, char *c)
{
        while (r->left.n > 0 && r->left.p[0] == '"')
                r->left = str_skip(r->left, 1);
        if (r->left.n > 1 && r->left.p[0] == '\\')
                r->left = str_skip(r->left, 1);
        if (r->left.n == 0)
                return false;
        *c = r->left.p[0];
        r->left = str_skip(r->left, 1);
        return true;
}

void mail_local_unquote(struct wr *w, struct str local)
{
        struct local_reader r = local_read(local);
        char c;
        while (local_next(&r, &c))
                wr_byte(w, c);
}

static void write_quoted(struct wr *w, struct str octets)
{
        wr_byte(w, '"');
        for (size_t i = 0; i < octets.n; i++) {
                if (octets.p[i] == '"' || octets.p[i] == '\\')
                        wr_byte(w, '\\');
                wr_byte(w, octets.p[i]);
        }
        wr_byte(w, '"');
}

void mail_local_quote(struct wr *w, struct str octets)
{
        if (octets.n > 0 && mail_dot_atom_size(octets, MAIL_UTF8) == octets.n)
                wr_str(w, octets);
        else
                write_quoted(w, octets);
}

static bool local_eq(struct str a, struct str b, bool fold)
{
        struct local_reader x = local_read(a), y = local_read(b);
        for (;;) {
                char c = 0, d = 0;
                bool more = local_next(&x, &c);
                if (more != local_next(&y, &d))
                        return false;
                if (!more)
                        return true;
                if (fold ? ascii_lower(c) != ascii_lower(d) : c != d)
                        return false;
        }
}

bool mail_address_eq(const struct mail_address *a, const struct mail_address *b)
{
        return str_eq_nocase(a->domain, b->domain) && local_eq(a->local, b->local, false);
}

bool mail_address_eq_folded(const struct mail_address *a, const struct mail_address *b)
{
        return str_eq_nocase(a->domain, b->domain) && local_eq(a->local, b->local, true);
}

void mail_address_write(struct wr *w, const struct mail_address *a)
{
        char octets[SMTP_LOCAL_PART_MAX];
        struct wr plain;
        wr_init(&plain, octets, sizeof octets);
        mail_local_unquote(&plain, a->local);
        CHECK(!plain.full);
        mail_local_quote(w, wr_text(&plain));
        wr_byte(w, '@');
        wr_str(w, a->domain);
}

void mail_address_write_folded(struct wr *w, const struct mail_address *a)
{
        size_t from = w->n;
        mail_address_write(w, a);
        for (size_t i = from; i < w->n; i++)
                w->p[i] = ascii_lower(w->p[i]);
}
