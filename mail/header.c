/* SPDX-License-Identifier: ISC */
#include "mail/header.h"

#include "base/ascii.h"
#include "base/check.h"
#include "base/limits.h"

static const struct str crlf = {"\r\n", 2};

/* Octets of the line at the head of `s` with its CRLF; all of `s` when there is none. */
static size_t line_size(struct str s)
{
        size_t at = str_find(s, crlf);
        return at == s.n ? s.n : at + 2;
}

/* field-name = 1*ftext, any graphic character but the colon; *WSP may follow (RFC 5322 3.6.8, 4.5). */
static bool field_split(struct mail_field *f)
{
        size_t colon = str_find_byte(f->raw, ':');
        struct str name = str_take(f->raw, colon);
        while (name.n > 0 && ascii_is_wsp(name.p[name.n - 1]))
                name.n--;
        if (colon == f->raw.n || name.n == 0)
                return false;
        for (size_t i = 0; i < name.n; i++)
                if (!ascii_is_graph(name.p[i]))
                        return false;
        f->name = name;
        f->body = str_skip(f->raw, colon + 1);
        if (str_has_suffix_nocase(f->body, crlf))
                f->body.n -= 2;
        return true;
}

enum mail_item mail_item_next(struct str text, size_t *at, struct mail_field *out)
{
        struct str rest = str_skip(text, *at);
        *out = (struct mail_field){0};
        if (rest.n == 0)
                return MAIL_ITEM_EOF;
        if (str_has_prefix(rest, crlf)) {
                *at += 2;
                return MAIL_ITEM_END;
        }
        size_t n = line_size(rest);
        while (n < rest.n && ascii_is_wsp(rest.p[n]))
                n += line_size(str_skip(rest, n));
        out->raw = str_take(rest, n);
        *at += n;
        return field_split(out) ? MAIL_ITEM_FIELD : MAIL_ITEM_STRAY;
}

/* Byte by byte this would take as long as all the rest. */
static size_t bad_bytes(struct str s)
{
        size_t count = 0;
        for (size_t i = str_find_byte(s, '\r'); i < s.n; i += 1 + str_find_byte(str_skip(s, i + 1), '\r'))
                count += i + 1 == s.n || s.p[i + 1] != '\n';
        for (size_t i = str_find_byte(s, '\n'); i < s.n; i += 1 + str_find_byte(str_skip(s, i + 1), '\n'))
                count += i == 0 || s.p[i - 1] != '\r';
        for (size_t i = str_find_byte(s, '\0'); i < s.n; i += 1 + str_find_byte(str_skip(s, i + 1), '\0'))
                count++;
        return count;
}

enum err mail_header_index(struct str text, struct mail_field *fields, size_t cap, struct mail_header *out)
{
        struct str window =
                str_take(text, MAIL_HEADER_MAX); /* so that no body is searched for a line's end */
        size_t at = 0;
        *out = (struct mail_header){.fields = fields};
        for (;;) {
                struct mail_field field;
                enum mail_item item = mail_item_next(window, &at, &field);
                if (item == MAIL_ITEM_END || item == MAIL_ITEM_EOF) {
                        out->has_end = item == MAIL_ITEM_END;
                        break;
                }
                if ((at == window.n && window.n < text.n) || (item == MAIL_ITEM_FIELD && out->n == cap))
                        return ERR_LIMIT;
                out->body_at = at;
                out->bad_bytes += bad_bytes(field.raw);
                if (item == MAIL_ITEM_FIELD)
                        fields[out->n++] = field;
                else if (out->strays++ == 0)
                        out->stray = field.raw;
        }
        out->body_at = at;
        return ERR_OK;
}

const struct mail_field *mail_header_nth(const struct mail_header *h, struct str name, size_t nth)
{
        for (size_t i = 0; i < h->n; i++)
                if (str_eq_nocase(h->fields[i].name, name) && nth-- == 0)
                        return &h->fields[i];
        return NULL;
}

const struct mail_field *mail_header_nth_last(const struct mail_header *h, struct str name, size_t nth)
{
        for (size_t i = h->n; i > 0; i--)
                if (str_eq_nocase(h->fields[i - 1].name, name) && nth-- == 0)
                        return &h->fields[i - 1];
        return NULL;
}

const struct mail_field *mail_header_first(const struct mail_header *h, struct str name)
{
        return mail_header_nth(h, name, 0);
}

const struct mail_field *mail_header_last(const struct mail_header *h, struct str name)
{
        return mail_header_nth_last(h, name, 0);
}

size_t mail_header_count(const struct mail_header *h, struct str name)
{
        size_t count = 0;
        for (size_t i = 0; i < h->n; i++)
                count += str_eq_nocase(h->fields[i].name, name);
        return count;
}

void mail_unfold(struct wr *w, struct str body)
{
        size_t plain = 0; /* octets at the head of `body` that are written as they are */
        while (plain < body.n) {
                if (body.p[plain] != '\r' && body.p[plain] != '\n') {
                        plain++;
                        continue;
                }
                bool fold = plain + 2 < body.n && str_has_prefix(str_skip(body, plain), crlf) &&
                            ascii_is_wsp(body.p[plain + 2]);
                wr_str(w, str_take(body, plain));
                if (!fold)
                        wr_byte(w, ' ');
                body = str_skip(body, plain + (fold ? 2 : 1));
                plain = 0;
        }
        wr_str(w, body);
}

void mail_header_end_init(struct mail_header_end *e)
{
        *e = (struct mail_header_end){.matched = 2};
}

enum err mail_header_end_got(struct mail_header_end *e, struct str chunk, size_t *used)
{
        static const char pattern[4] = {'\r', '\n', '\r', '\n'};
        CHECK(e->matched < 4);
        for (size_t i = 0; i < chunk.n; i++) {
                char c = chunk.p[i];
                if (e->seen == MAIL_HEADER_MAX) {
                        *used = 0;
                        return ERR_LIMIT;
                }
                e->seen++;
                e->matched = c == pattern[e->matched] ? (uint8_t)(e->matched + 1) : c == '\r';
                if (e->matched == 4) {
                        *used = i + 1;
                        return ERR_OK;
                }
        }
        *used = chunk.n;
        return ERR_AGAIN;
}
