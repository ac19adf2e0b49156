/* SPDX-License-Identifier: ISC */
#include "mail/message_id.h"

#include "base/ascii.h"
#include "base/base32.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "mail/lex.h"

void mail_message_ids_init(struct mail_message_ids *r, struct str field_body)
{
        *r = (struct mail_message_ids){.text = field_body};
}

/* "<", octets that an id may have, ">"; 0 when it is none. */
static size_t id_size(struct str s)
{
        size_t at = 1;
        while (at < s.n && at < MAIL_LINE_MAX) {
                char c = s.p[at];
                if (c == '>')
                        return at > 1 ? at + 1 : 0;
                size_t n = ascii_is_8bit(c) ? utf8_head(str_skip(s, at)) : ascii_is_graph(c) && c != '<';
                if (n == 0)
                        return 0;
                at += n;
        }
        return 0;
}

/* A comment or quoted string at the head of `s`. One that is not closed is not looked at again, nor is any behind it:
 * else a field of openings alone would cost the square of its length. */
static size_t aside_size(struct mail_message_ids *r, struct str s)
{
        if (r->has_unclosed || (s.p[0] != '(' && s.p[0] != '"'))
                return 0;
        size_t n = s.p[0] == '(' ? mail_comment_size(s) : mail_quoted_size(s, MAIL_UTF8, MAIL_QUOTING_FOLDED);
        r->has_unclosed = n == 0;
        return n;
}

bool mail_message_ids_next(struct mail_message_ids *r, struct str *id)
{
        while (r->at < r->text.n) {
                struct str rest = str_skip(r->text, r->at);
                if (rest.p[0] == '<') {
                        *id = str_take(rest, id_size(rest));
                        r->at += id->n > 0 ? id->n : 1;
                        if (id->n > 0)
                                return true;
                        r->strays++;
                        continue;
                }
                size_t n = aside_size(r, rest);
                r->at += n > 0 ? n : 1;
        }
        *id = (struct str){0};
        return false;
}

enum err mail_message_id_first(struct str field_body, struct str *id)
{
        struct mail_message_ids r;
        mail_message_ids_init(&r, field_body);
        return mail_message_ids_next(&r, id) ? ERR_OK : ERR_NOT_FOUND;
}

/* no-fold-literal = "[" *dtext "]" (RFC 5322 3.6.4) */
static size_t no_fold_literal_size(struct str s)
{
        size_t at = 1;
        if (s.n == 0 || s.p[0] != '[')
                return 0;
        while (at < s.n && ascii_is_graph(s.p[at]) && s.p[at] != '[' && s.p[at] != ']' && s.p[at] != '\\')
                at++;
        return at < s.n && s.p[at] == ']' ? at + 1 : 0;
}

bool mail_message_id_is_valid(struct str id)
{
        if (id.n < 2 || id_size(id) != id.n || id.p[0] != '<')
                return false;
        struct str inside = str_of(id.p + 1, id.n - 2);
        struct str right = str_skip(inside, mail_dot_atom_size(inside, MAIL_UTF8));
        if (right.n == inside.n || right.n < 2 || right.p[0] != '@')
                return false;
        right = str_skip(right, 1);
        size_t n = right.p[0] == '[' ? no_fold_literal_size(right) : mail_dot_atom_size(right, MAIL_UTF8);
        return n == right.n;
}

void mail_message_id_write(struct wr *w, struct str random, int64_t now_ms, struct str domain)
{
        wr_byte(w, '<');
        base32_encode(w, random);
        wr_byte(w, '.');
        wr_u64(w, now_ms < 0 ? 0 : (uint64_t)now_ms);
        wr_byte(w, '@');
        wr_str(w, domain);
        wr_byte(w, '>');
}
