/* SPDX-License-Identifier: ISC */
#include "auth/field.h"

#include <string.h>

#include "base/ascii.h"
#include "base/utf8.h"
#include "mail/lex.h"

#define NUMBER_MAX 1000000

void field_rd_init(struct field_rd *r, struct str body, struct wr *room)
{
        *r = (struct field_rd){.rest = body, .room = room};
}

void field_fail(struct field_rd *r, enum err fault)
{
        if (r->fault == ERR_OK)
                r->fault = fault;
        r->rest = (struct str){0};
}

static void skip_space(struct field_rd *r)
{
        struct str comment;
        r->rest = str_skip(r->rest, mail_cfws_size(r->rest, &comment));
        if (r->comment.n == 0)
                r->comment = comment;
}

char field_peek(struct field_rd *r)
{
        skip_space(r);
        if (r->rest.n > 0 && r->rest.p[0] == '\0')
                field_fail(r, ERR_SYNTAX);
        return r->rest.n > 0 ? r->rest.p[0] : '\0';
}

bool field_is_end(struct field_rd *r)
{
        return field_peek(r) == '\0';
}

bool field_take(struct field_rd *r, char c)
{
        if (field_is_end(r) || r->rest.p[0] != c)
                return false;
        r->rest = str_skip(r->rest, 1);
        return true;
}

void field_expect(struct field_rd *r, char c)
{
        if (!field_take(r, c))
                field_fail(r, ERR_SYNTAX);
}

static struct str take_head(struct field_rd *r, size_t n)
{
        struct str head = str_take(r->rest, n);
        r->rest = str_skip(r->rest, n);
        return head;
}

static size_t word_size(struct str s)
{
        size_t n = 0;
        while (n < s.n && (ascii_is_alnum(s.p[n]) || s.p[n] == '-' || s.p[n] == '_'))
                n++;
        return n;
}

bool field_is_word(struct str s)
{
        return s.n > 0 && word_size(s) == s.n && s.p[0] != '-' && s.p[s.n - 1] != '-';
}

struct str field_word(struct field_rd *r)
{
        field_peek(r);
        struct str word = take_head(r, word_size(r->rest));
        if (field_is_word(word))
                return word;
        field_fail(r, ERR_SYNTAX);
        return (struct str){0};
}

unsigned field_number(struct field_rd *r)
{
        uint64_t number;
        if (str_to_u64(field_word(r), NUMBER_MAX, &number) != ERR_OK)
                field_fail(r, ERR_SYNTAX);
        return (unsigned)number;
}

/* What a quoted string stands for, given without its quotes: no backslashes and no line ends of folds. */
static struct str unquote(struct field_rd *r, struct str inside)
{
        size_t begin = r->room->n;
        if (str_find_byte(inside, '\\') == inside.n && str_find_byte(inside, '\r') == inside.n)
                return inside;
        for (size_t i = 0; i < inside.n; i++) {
                if (inside.p[i] == '\r' || inside.p[i] == '\n') /* only folds have them: mail_quoted_size */
                        continue;
                i += inside.p[i] == '\\';
                wr_byte(r->room, inside.p[i]);
        }
        if (r->room->full)
                field_fail(r, ERR_SPACE);
        return str_skip(wr_text(r->room), begin);
}

/* The octets of one character that stands in a value without quotes; 0 when none does. */
static size_t plain_size(struct str s)
{
        size_t n = utf8_head(s);
        if (n != 1)
                return n;
        return ascii_is_graph(s.p[0]) && str_find_byte(S(";()\""), s.p[0]) == 4;
}

struct str field_value(struct field_rd *r)
{
        field_peek(r);
        size_t quoted = mail_quoted_size(r->rest, MAIL_UTF8, MAIL_QUOTING_FOLDED), n = quoted, more;
        while ((more = plain_size(str_skip(r->rest, n))) > 0)
                n += more;
        struct str text = take_head(r, n);
        if (quoted == 0 || n > quoted)
                return text;
        return unquote(r, str_of(text.p + 1, n - 2));
}

bool field_is_token(struct str s)
{
        const struct str tspecials = S("()<>@,;:\\\"/[]?=");
        for (size_t i = 0; i < s.n; i++)
                if (!ascii_is_graph(s.p[i]) || str_find_byte(tspecials, s.p[i]) < tspecials.n)
                        return false;
        return s.n > 0;
}

void field_build_value(struct mail_build *b, struct str value, bool is_plain)
{
        if (is_plain) {
                mail_build_glue(b, value);
                return;
        }
        mail_build_glue(b, S("\""));
        while (value.n > 0) {
                size_t quote = str_find_byte(value, '"'), slash = str_find_byte(value, '\\');
                size_t n = quote < slash ? quote : slash;
                mail_build_glue(b, str_take(value, n));
                if (n < value.n)
                        mail_build_glue(b, S("\\"));
                mail_build_glue(b, str_take(str_skip(value, n), 1));
                value = str_skip(value, n + 1);
        }
        mail_build_glue(b, S("\""));
}

static struct str skip_white(struct str s)
{
        while (s.n > 0 && (ascii_is_wsp(s.p[0]) || s.p[0] == '\r' || s.p[0] == '\n'))
                s = str_skip(s, 1);
        return s;
}

/* Octets of the word at the head of a comment's inside. A backslash keeps what follows it. */
static size_t comment_word_size(struct str s)
{
        size_t n = 0;
        while (n < s.n && !ascii_is_wsp(s.p[n]) && s.p[n] != '\r' && s.p[n] != '\n')
                n += s.p[n] == '\\' ? 2 : 1;
        return n < s.n ? n : s.n;
}

static bool is_balanced(struct str s)
{
        size_t depth = 0;
        for (size_t i = 0; i < s.n; i++) {
                char c = s.p[i];
                if (c == ')' && depth-- == 0)
                        return false;
                depth += c == '(';
                if (c == '\\' && ++i == s.n)
                        return false;
        }
        return depth == 0;
}

bool field_build_comment(struct mail_build *b, struct str comment)
{
        bool is_first = true;
        if (!is_balanced(comment))
                return false;
        for (comment = skip_white(comment); comment.n > 0; is_first = false) {
                struct str word = str_take(comment, comment_word_size(comment));
                comment = skip_white(str_skip(comment, word.n));
                if (is_first) {
                        mail_build_word(b, S("("));
                        mail_build_glue(b, word);
                } else {
                        mail_build_word(b, word);
                }
        }
        mail_build_glue(b, is_first ? S(" ()") : S(")"));
        return true;
}

/* Octets at the head that are written as they are. */
static size_t clean_size(struct str s, struct str escaped)
{
        size_t n = 0;
        while (n < s.n && !ascii_is_8bit(s.p[n]) && !ascii_is_control(s.p[n]) &&
                str_find_byte(escaped, s.p[n]) == escaped.n)
                n++;
        return n;
}

static void write_clean(struct wr *w, struct str s, size_t most, struct str escaped)
{
        for (size_t n = 0, size;; s = str_skip(s, size)) {
                struct str clean = str_take(str_take(s, clean_size(s, escaped)), most - n);
                wr_str(w, clean);
                n += clean.n;
                s = str_skip(s, clean.n);
                if (s.n == 0)
                        return;
                size = utf8_head(s);
                struct str one = str_take(s, size);
                if (size == 0 || (size == 1 && ascii_is_control(s.p[0]))) {
                        size = 1;
                        one = S("?");
                }
                n += one.n;
                if (n > most)
                        return;
                if (size == 1 && str_find_byte(escaped, one.p[0]) < escaped.n)
                        wr_byte(w, '\\');
                wr_str(w, one);
        }
}

void field_write_clean(struct wr *w, struct str s, size_t most)
{
        write_clean(w, s, most, S(""));
}

void field_write_comment(struct wr *w, struct str s, size_t most)
{
        write_clean(w, s, most, S("()\\"));
}
