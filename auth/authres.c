/* SPDX-License-Identifier: ISC */
#include "auth/authres.h"

#include "auth/field.h"
#include "base/ascii.h"
#include "base/check.h"
#include "dns/idna.h"
#include "mail/address.h"
#include "mail/build.h"
#include "mail/lex.h"

/* propspec = ptype [CFWS] "." [CFWS] property [CFWS] "=" pvalue, and without a ptype as Microsoft writes "action=none" */
static void read_property(struct field_rd *r, struct str word, struct authres *out)
{
        struct authres_property p = {.name = word};
        if (field_take(r, '.')) {
                p.ptype = word;
                p.name = field_word(r);
        }
        field_expect(r, '=');
        p.value = field_value(r);
        if (r->fault == ERR_OK && out->property_count == AUTHRES_PROPERTIES_MAX)
                field_fail(r, ERR_LIMIT);
        if (r->fault == ERR_OK)
                out->properties[out->property_count++] = p;
}

/* resinfo behind its ";" and method name:
 *     [ "/" method-version ] "=" result [ "reason" "=" value ] [ 1*propspec ], with CFWS anywhere */
static void read_result(struct field_rd *r, struct str method, struct authres *out)
{
        struct authres_result result = {.method = method, .version = 1, .first = out->property_count};
        if (field_take(r, '/'))
                result.version = field_number(r);
        field_expect(r, '=');
        result.result = field_word(r);
        r->comment = (struct str){0};
        while (!field_is_end(r) && field_peek(r) != ';') {
                struct str word = field_word(r);
                if (result.comment.n == 0)
                        result.comment = r->comment;
                bool is_first = out->property_count == result.first && result.reason.n == 0;
                if (is_first && str_eq_nocase(word, S("reason")) && field_take(r, '='))
                        result.reason = field_value(r);
                else
                        read_property(r, word, out);
        }
        if (result.comment.n == 0)
                result.comment = r->comment;
        result.count = out->property_count - result.first;
        if (r->fault == ERR_OK && out->count == AUTHRES_RESULTS_MAX)
                field_fail(r, ERR_LIMIT);
        if (r->fault == ERR_OK)
                out->results[out->count++] = result;
}

static struct str read_id(struct field_rd *r)
{
        struct str id = field_value(r);
        if (id.n == 0)
                field_fail(r, ERR_SYNTAX);
        return r->fault == ERR_OK ? id : (struct str){0};
}

/* ( no-result / 1*resinfo ), and a ";" behind */
static void read_results(struct field_rd *r, struct authres *out)
{
        bool is_none = false;
        field_expect(r, ';');
        do {
                if (field_is_end(r) && (is_none || out->count > 0))
                        return;
                struct str method = field_word(r);
                char next = field_peek(r);
                if (out->count == 0 && str_eq_nocase(method, S("none")) && (next == ';' || next == '\0'))
                        is_none = true;
                else if (is_none)
                        field_fail(r, ERR_SYNTAX);
                else
                        read_result(r, method, out);
        } while (field_take(r, ';'));
        if (!field_is_end(r))
                field_fail(r, ERR_SYNTAX);
}

enum err authres_parse(struct str body, struct wr *room, struct authres *out)
{
        struct field_rd r;
        field_rd_init(&r, body, room);
        out->id = read_id(&r);
        out->version = 1;
        out->count = out->property_count = 0;
        if (!field_is_end(&r) && field_peek(&r) != ';')
                out->version = field_number(&r);
        if (r.fault == ERR_OK && out->version != 1)
                field_fail(&r, ERR_UNSUPPORTED);
        if (r.fault == ERR_OK)
                read_results(&r, out);
        if (r.fault != ERR_OK)
                out->count = out->property_count = 0;
        return r.fault;
}

enum err authres_id(struct str body, struct wr *room, struct str *id)
{
        struct field_rd r;
        field_rd_init(&r, body, room);
        *id = read_id(&r);
        return r.fault;
}

bool authres_is(const struct authres_result *r, struct str word)
{
        if (str_eq_nocase(r->method, S("spf")))
                return str_eq_nocase(r->result, word);
        return str_eq(r->result, word);
}

struct str authres_value(
        const struct authres *a, const struct authres_result *r, struct str ptype, struct str name)
{
        for (size_t i = r->first; i < r->first + r->count; i++)
                if (str_eq_nocase(a->properties[i].ptype, ptype) &&
                        str_eq_nocase(a->properties[i].name, name))
                        return a->properties[i].value;
        return (struct str){0};
}

/* Equal, or equal up to where a reader of RFC 2045 tokens would stop. */
static bool is_head(struct str found, struct str id)
{
        if (found.n < id.n || !str_eq_nocase(str_take(found, id.n), id))
                return false;
        return found.n == id.n || !field_is_token(str_take(str_skip(found, id.n), 1));
}

/* What a reader of tokens that may hold UTF-8 takes of it. */
static struct str token_head(struct str s)
{
        size_t n = 0;
        while (n < s.n && (ascii_is_8bit(s.p[n]) || field_is_token(str_of(s.p + n, 1))))
                n++;
        return str_take(s, n);
}

/* A reader may trim what was quoted, and may make A-labels of U-labels (RFC 8601 2.5). One that has a quote in front is a
 * quoted string with something behind it, where another reader might stop. */
static bool is_ours(struct str found, struct str id)
{
        char room[SMTP_DOMAIN_MAX];
        struct wr w;
        found = str_trim(found);
        if (found.n > 0 && found.p[0] == '"')
                return true;
        wr_init(&w, room, sizeof room);
        return is_head(found, id) ||
               (dns_idna_write(&w, token_head(found)) == ERR_OK && str_eq_nocase(wr_text(&w), id));
}

bool authres_is_forged(const struct mail_field *field, struct str id)
{
        char room[SMTP_DOMAIN_MAX + 1]; /* ours is not longer, nor is one that equals it */
        struct wr w;
        struct str found;
        if (!str_eq_nocase(field->name, S("Authentication-Results")))
                return false;
        wr_init(&w, room, sizeof room);
        switch (authres_id(field->body, &w, &found)) {
        case ERR_OK:
                return is_ours(found, id);
        case ERR_SPACE: /* a long one in quotes and with backslashes: its beginning may be ours */
                return is_ours(wr_text(&w), id);
        default:
                return true;
        }
}

bool authres_add(struct authres *a, struct str method, struct str result)
{
        if (a->count == AUTHRES_RESULTS_MAX)
                return false;
        a->results[a->count++] = (struct authres_result){
                .method = method, .version = 1, .result = result, .first = a->property_count};
        return true;
}

bool authres_add_property(struct authres *a, struct str ptype, struct str name, struct str value)
{
        CHECK(a->count > 0);
        if (a->property_count == AUTHRES_PROPERTIES_MAX)
                return false;
        a->properties[a->property_count++] = (struct authres_property){ptype, name, value};
        a->results[a->count - 1].count++;
        return true;
}

/* pvalue = value / [ [ local-part ] "@" ] domain-name, where it needs no quotes */
static bool is_plain(struct str value)
{
        struct str local, domain;
        if (!str_cut(value, '@', &local, &domain))
                return field_is_token(value);
        return (local.n == 0 ||
                       (field_is_token(local) && mail_dot_atom_size(local, MAIL_ASCII) == local.n)) &&
               mail_domain_is_valid(domain, MAIL_ASCII);
}

static void write_number(struct mail_build *b, unsigned number)
{
        char digits[16];
        struct wr w;
        wr_init(&w, digits, sizeof digits);
        wr_u64(&w, number);
        mail_build_glue(b, wr_text(&w));
}

/*   ERR_OK, or ERR_SYNTAX for a word that is none, or a comment that is none */
static enum err write_result(struct mail_build *b, const struct authres *a, const struct authres_result *r)
{
        if (!field_is_word(r->method) || !field_is_word(r->result))
                return ERR_SYNTAX;
        mail_build_line(b, r->method);
        if (r->version != 1) {
                mail_build_glue(b, S("/"));
                write_number(b, r->version);
        }
        mail_build_glue(b, S("="));
        mail_build_glue(b, r->result);
        if (r->comment.n > 0 && !field_build_comment(b, r->comment))
                return ERR_SYNTAX;
        if (r->reason.n > 0) {
                mail_build_word(b, S("reason="));
                field_build_value(b, r->reason, field_is_token(r->reason));
        }
        for (size_t i = r->first; i < r->first + r->count; i++) {
                const struct authres_property *p = &a->properties[i];
                if ((p->ptype.n > 0 && !field_is_word(p->ptype)) || !field_is_word(p->name))
                        return ERR_SYNTAX;
                mail_build_word(b, p->ptype);
                if (p->ptype.n > 0)
                        mail_build_glue(b, S("."));
                mail_build_glue(b, p->name);
                mail_build_glue(b, S("="));
                field_build_value(b, p->value, is_plain(p->value));
        }
        return ERR_OK;
}

enum err authres_write(struct wr *w, struct str name, unsigned instance, const struct authres *a)
{
        struct mail_build b;
        enum err e = a->id.n > 0 ? ERR_OK : ERR_SYNTAX;
        size_t begin = w->n;
        mail_build_begin(&b, w, name);
        if (instance > 0) {
                mail_build_word(&b, S("i="));
                write_number(&b, instance);
                mail_build_glue(&b, S(";"));
        }
        mail_build_word(&b, S(""));
        field_build_value(&b, a->id, field_is_token(a->id));
        mail_build_glue(&b, S(";"));
        for (size_t i = 0; e == ERR_OK && i < a->count; i++) {
                e = write_result(&b, a, &a->results[i]);
                if (i + 1 < a->count)
                        mail_build_glue(&b, S(";"));
        }
        if (a->count == 0)
                mail_build_word(&b, S("none"));
        enum err end = mail_build_end(&b);
        if (e == ERR_OK)
                return end;
        if (!w->full)
                w->n = begin;
        return w->full ? ERR_SPACE : e;
}
