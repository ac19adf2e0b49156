/* SPDX-License-Identifier: ISC */
/* address-list = (address *("," address)) / obs-addr-list (RFC 5322 3.4, 4.4) */
#include "base/ascii.h"
#include "mail/address.h"
#include "mail/address_check.h"

static struct str rest_of(const struct mail_addresses *r)
{
        return str_skip(r->text, r->at);
}

/* The octet at the cursor; NUL, which no token begins with, at the end. */
static char peek(const struct mail_addresses *r)
{
        return r->at < r->text.n ? r->text.p[r->at] : '\0';
}

static bool take(struct mail_addresses *r, char c)
{
        bool is = r->at < r->text.n && r->text.p[r->at] == c;
        r->at += is;
        return is;
}

static void skip_cfws(struct mail_addresses *r)
{
        r->at += mail_cfws_size(rest_of(r), NULL);
}

/* word = atom / quoted-string; here a quoted string on one line, since it may become a local part */
static size_t word_size(struct str s, enum mail_quoting quoting)
{
        size_t n = mail_atom_size(s, MAIL_UTF8);
        return n > 0 ? n : mail_quoted_size(s, MAIL_UTF8, quoting);
}

/* local-part = dot-atom / quoted-string / word *("." word), without white space between */
static size_t local_size(struct str s)
{
        size_t at = word_size(s, MAIL_QUOTING_LINE);
        while (at > 0 && at < s.n && s.p[at] == '.') {
                size_t n = word_size(str_skip(s, at + 1), MAIL_QUOTING_LINE);
                if (n == 0)
                        return at;
                at += 1 + n;
        }
        return at;
}

/* phrase = 1*word / word *(word / "." / CFWS), and dots in front too; trailing CFWS is passed but not part of it */
static struct str read_phrase(struct mail_addresses *r)
{
        size_t begin = r->at, end = r->at;
        for (;;) {
                size_t n = word_size(rest_of(r), MAIL_QUOTING_FOLDED);
                if (n == 0 && peek(r) == '.')
                        n = 1;
                if (n == 0)
                        return str_of(r->text.p + begin, end - begin);
                r->at += n;
                end = r->at;
                skip_cfws(r);
        }
}

/* "@" [CFWS] domain, with the local part read before */
static enum err read_domain(struct mail_addresses *r, struct mail_address *out)
{
        skip_cfws(r);
        if (!take(r, '@'))
                return ERR_SYNTAX;
        skip_cfws(r);
        out->domain = str_take(rest_of(r), mail_domain_size(rest_of(r), MAIL_UTF8));
        r->at += out->domain.n;
        return mail_address_check(MAIL_UTF8, out);
}

/* obs-route = *(CFWS / ",") "@" domain *("," [CFWS] ["@" domain]) ":"; passed over, as RFC 5321 F.2 has it */
static bool skip_route(struct mail_addresses *r)
{
        while (peek(r) == '@' || peek(r) == ',') {
                if (take(r, '@')) {
                        skip_cfws(r);
                        size_t n = mail_domain_size(rest_of(r), MAIL_UTF8);
                        if (n == 0)
                                return false;
                        r->at += n;
                } else {
                        r->at++;
                }
                skip_cfws(r);
                if (take(r, ':')) {
                        skip_cfws(r);
                        return true;
                }
        }
        return false;
}

/* angle-addr = "<" [CFWS] [obs-route] addr-spec [CFWS] ">", behind its "<" */
static enum err read_angle(struct mail_addresses *r, struct mail_address *out)
{
        skip_cfws(r);
        if ((peek(r) == '@' || peek(r) == ',') && !skip_route(r))
                return ERR_SYNTAX;
        out->local = str_take(rest_of(r), local_size(rest_of(r)));
        r->at += out->local.n;
        enum err e = read_domain(r, out);
        if (e != ERR_OK)
                return e;
        skip_cfws(r);
        return take(r, '>') ? ERR_OK : ERR_SYNTAX;
}

/* addr-spec whose local part looked like a phrase */
static enum err read_bare(struct mail_addresses *r, struct str local, struct mail_mailbox *out)
{
        if (local_size(local) != local.n)
                return ERR_SYNTAX;
        out->address.local = local;
        enum err e = read_domain(r, &out->address);
        if (e == ERR_OK)
                r->at += mail_cfws_size(rest_of(r), &out->comment);
        return e;
}

/* address = mailbox / group. A group's name only changes the state: AGAIN. */
static enum err read_address(struct mail_addresses *r, struct mail_mailbox *out)
{
        struct str phrase = read_phrase(r);
        enum err e;
        if (take(r, '<')) {
                out->display = phrase;
                e = read_angle(r, &out->address);
        } else if (phrase.n == 0) {
                return ERR_SYNTAX;
        } else if (!r->in_group && take(r, ':')) {
                r->in_group = true;
                return ERR_AGAIN;
        } else {
                e = read_bare(r, phrase, out);
        }
        out->in_group = r->in_group;
        r->has_element = true;
        return e;
}

/* Separators, then an address. */
static enum err read_next(struct mail_addresses *r, struct mail_mailbox *out)
{
        for (;;) {
                skip_cfws(r);
                if (r->at == r->text.n)
                        return r->in_group ? ERR_SYNTAX : ERR_EOF;
                if (take(r, ',')) {
                        r->has_element = false;
                } else if (r->in_group && take(r, ';')) {
                        r->in_group = false;
                        r->has_element = true;
                } else if (r->has_element) {
                        return ERR_SYNTAX;
                } else {
                        enum err e = read_address(r, out);
                        if (e != ERR_AGAIN)
                                return e;
                }
        }
}

void mail_addresses_init(struct mail_addresses *r, struct str field_body)
{
        *r = (struct mail_addresses){.text = field_body};
}

enum err mail_addresses_next(struct mail_addresses *r, struct mail_mailbox *out)
{
        *out = (struct mail_mailbox){0};
        if (r->fault == ERR_OK)
                r->fault = read_next(r, out);
        if (r->fault != ERR_OK)
                *out = (struct mail_mailbox){0};
        return r->fault;
}

enum err mail_addresses_parse(struct str field_body, struct mail_mailbox *out, size_t cap, size_t *n)
{
        struct mail_addresses r;
        struct mail_mailbox next;
        enum err e;
        mail_addresses_init(&r, field_body);
        *n = 0;
        while ((e = mail_addresses_next(&r, &next)) == ERR_OK && *n < cap)
                out[(*n)++] = next;
        if (e == ERR_EOF)
                return ERR_OK;
        *n = 0;
        return e == ERR_OK ? ERR_LIMIT : e;
}

enum err mail_address_parse(struct str field_body, struct mail_mailbox *out)
{
        struct mail_addresses r;
        struct mail_mailbox second;
        mail_addresses_init(&r, field_body);
        enum err e = mail_addresses_next(&r, out);
        if (e == ERR_OK)
                e = mail_addresses_next(&r, &second);
        if (e == ERR_EOF && out->address.local.n > 0)
                return ERR_OK;
        *out = (struct mail_mailbox){0};
        return e == ERR_OK || e == ERR_EOF ? ERR_SYNTAX : e;
}
