/* SPDX-License-Identifier: ISC */
#include "mail/mime.h"

#include "base/ascii.h"
#include "mail/header.h"
#include "mail/lex.h"

/* token (RFC 2045 5.1) */
static size_t token_size(struct str s)
{
        struct str specials = S("()<>@,;:\\\"/[]?=");
        size_t n = 0;
        while (n < s.n && ascii_is_graph(s.p[n]) && str_find_byte(specials, s.p[n]) == specials.n)
                n++;
        return n;
}

static struct str skip_cfws(struct str s)
{
        return str_skip(s, mail_cfws_size(s, NULL));
}

static struct str take_token(struct str *s)
{
        struct str token = str_take(*s, token_size(*s));
        *s = str_skip(*s, token.n);
        return token;
}

/* The next ";" outside of quotes and comments, or the end. */
static struct str skip_to_semicolon(struct str s)
{
        while (s.n > 0 && s.p[0] != ';') {
                size_t n = mail_cfws_size(s, NULL);
                if (n == 0)
                        n = mail_quoted_size(s, MAIL_UTF8, MAIL_QUOTING_FOLDED);
                s = str_skip(s, n > 0 ? n : 1);
        }
        return s;
}

enum err mime_type_parse(struct str body, struct mime_type *out)
{
        struct str s = skip_cfws(body), type = take_token(&s);
        s = skip_cfws(s);
        *out = (struct mime_type){S("text"), S("plain"), S("")};
        if (type.n == 0 || !str_has_prefix(s, S("/")))
                return ERR_SYNTAX;
        s = skip_cfws(str_skip(s, 1));
        struct str subtype = take_token(&s);
        if (subtype.n == 0)
                return ERR_SYNTAX;
        *out = (struct mime_type){type, subtype, skip_to_semicolon(s)};
        return ERR_OK;
}

bool mime_type_is(const struct mime_type *t, struct str type, struct str subtype)
{
        return str_eq_nocase(t->type, type) && (subtype.n == 0 || str_eq_nocase(t->subtype, subtype));
}

/* A value: a token, a quoted string, or what some programs write without quotes, up to white space or ";". */
static struct str take_value(struct str *s)
{
        size_t n = mail_quoted_size(*s, MAIL_UTF8, MAIL_QUOTING_FOLDED);
        if (n == 0)
                while (n < s->n && s->p[n] != ';' && s->p[n] != '\r' && s->p[n] != '\n' &&
                        !ascii_is_wsp(s->p[n]))
                        n++;
        struct str value = str_take(*s, n);
        *s = str_skip(*s, n);
        return value;
}

static void write_value(struct wr *w, struct str value)
{
        if (value.n < 2 || value.p[0] != '"' || value.p[value.n - 1] != '"') {
                wr_str(w, value);
                return;
        }
        for (size_t i = 1; i + 1 < value.n; i++) {
                bool fold = value.p[i] == '\r' || value.p[i] == '\n';
                if (value.p[i] == '\\' && i + 2 < value.n)
                        i++;
                if (!fold)
                        wr_byte(w, value.p[i]);
        }
}

bool mime_parameter(const struct mime_type *t, struct str name, struct wr *value)
{
        struct str s = t->parameters;
        while (s.n > 0) {
                s = skip_cfws(str_skip(s, 1));
                struct str attribute = take_token(&s);
                s = skip_cfws(s);
                if (str_has_prefix(s, S("="))) {
                        s = skip_cfws(str_skip(s, 1));
                        struct str v = take_value(&s);
                        if (str_eq_nocase(attribute, name)) {
                                write_value(value, v);
                                return true;
                        }
                }
                s = skip_to_semicolon(s);
        }
        return false;
}

static struct str first_token(struct str body)
{
        struct str s = skip_cfws(body);
        return take_token(&s);
}

void mime_entity_read(struct str text, struct mime_entity *out)
{
        struct mail_field f;
        size_t at = 0;
        bool has_type = false;
        enum mail_item item;
        *out = (struct mime_entity){.type = {S("text"), S("plain"), S("")}};
        while ((item = mail_item_next(text, &at, &f)) == MAIL_ITEM_FIELD || item == MAIL_ITEM_STRAY) {
                if (str_eq_nocase(f.name, S("Content-Type")) && !has_type)
                        has_type = mime_type_parse(f.body, &out->type) == ERR_OK;
                else if (str_eq_nocase(f.name, S("Content-Transfer-Encoding")) && out->encoding.n == 0)
                        out->encoding = first_token(f.body);
                else if (str_eq_nocase(f.name, S("Content-Disposition")) && out->disposition.n == 0)
                        out->disposition = first_token(f.body);
        }
        if (item == MAIL_ITEM_END)
                out->body = str_skip(text, at);
}

struct delimiter {
        size_t begin, end; /* its line, with the line's end */
        bool closes;
};

/* The delimiter line that begins at `at`, where a line begins (RFC 2046 5.1.1). */
static bool delimiter_at(struct str body, struct str boundary, size_t at, struct delimiter *out)
{
        struct str s = str_skip(body, at);
        if (!str_has_prefix(s, S("--")) || !str_has_prefix(str_skip(s, 2), boundary))
                return false;
        struct str rest = str_skip(s, 2 + boundary.n);
        bool closes = str_has_prefix(rest, S("--"));
        if (closes)
                rest = str_skip(rest, 2);
        while (rest.n > 0 && ascii_is_wsp(rest.p[0]))
                rest = str_skip(rest, 1);
        if (rest.n > 0 && !str_has_prefix(rest, S("\r\n")))
                return false;
        *out = (struct delimiter){at, body.n - str_skip(rest, 2).n, closes};
        return true;
}

/* The first one of a line that begins at `from` or later. */
static bool delimiter_find(struct str body, struct str boundary, size_t from, struct delimiter *out)
{
        while (from < body.n) {
                if (delimiter_at(body, boundary, from, out))
                        return true;
                from += str_find(str_skip(body, from), S("\r\n")) + 2;
        }
        return false;
}

bool mime_part_next(struct str body, struct str boundary, size_t *at, struct str *part)
{
        struct delimiter begin, end;
        bool found = delimiter_find(body, boundary, *at, &begin);
        *at = body.n;
        *part = S("");
        if (!found || begin.closes)
                return false;
        *part = str_skip(body, begin.end);
        if (delimiter_find(body, boundary, begin.end, &end)) {
                size_t n = end.begin - begin.end;
                *part = str_take(*part, n < 2 ? 0 : n - 2); /* the line break belongs to the delimiter */
                *at = end.begin;
        }
        return true;
}
