/* SPDX-License-Identifier: ISC */
#include "mail/lex.h"

#include "base/ascii.h"
#include "base/utf8.h"

static bool is_in(char c, struct str set)
{
        return str_find_byte(set, c) < set.n;
}

/* atext (RFC 5322 3.2.3): graphic, and none of the specials. */
static bool is_atext(char c)
{
        return ascii_is_graph(c) && !is_in(c, S("()<>[]:;@\\,.\""));
}

size_t mail_atom_size(struct str s, enum mail_charset charset)
{
        size_t at = 0;
        while (at < s.n) {
                size_t n = ascii_is_8bit(s.p[at]) && charset == MAIL_UTF8 ? utf8_head(str_skip(s, at))
                                                                          : is_atext(s.p[at]);
                if (n == 0)
                        break;
                at += n;
        }
        return at;
}

size_t mail_dot_atom_size(struct str s, enum mail_charset charset)
{
        size_t at = mail_atom_size(s, charset);
        while (at > 0 && at < s.n && s.p[at] == '.') {
                size_t n = mail_atom_size(str_skip(s, at + 1), charset);
                if (n == 0)
                        break;
                at += 1 + n;
        }
        return at;
}

size_t mail_fws_size(struct str s)
{
        size_t at = 0;
        while (at < s.n) {
                bool fold =
                        s.n - at > 2 && s.p[at] == '\r' && s.p[at + 1] == '\n' && ascii_is_wsp(s.p[at + 2]);
                if (!fold && !ascii_is_wsp(s.p[at]))
                        break;
                at += fold ? 3 : 1;
        }
        return at;
}

/* One element of the inside of a folded quoted string or comment: a fold, a quoted pair, a character. The caller has
 * looked for delimiters. */
static size_t inside_size(struct str s, enum mail_charset charset)
{
        size_t n = mail_fws_size(s);
        if (n > 0)
                return n;
        if (s.p[0] == '\\')
                return s.n > 1 && !ascii_is_8bit(s.p[1]) && !is_in(s.p[1], S("\0\r\n")) ? 2 : 0;
        if (ascii_is_8bit(s.p[0]))
                return charset == MAIL_UTF8 ? utf8_head(s) : 0;
        return !is_in(s.p[0], S("\0\r\n"));
}

/* qtextSMTP / quoted-pairSMTP (RFC 5321 4.1.2), UTF8-non-ascii in the first (RFC 6531 3.3). */
static size_t inside_line_size(struct str s, enum mail_charset charset)
{
        bool pair = s.p[0] == '\\';
        char c = !pair ? s.p[0] : s.n > 1 ? s.p[1] : '\0';
        if (!pair && ascii_is_8bit(c))
                return charset == MAIL_UTF8 ? utf8_head(s) : 0;
        return c == ' ' || ascii_is_graph(c) ? (pair ? 2 : 1) : 0;
}

size_t mail_quoted_size(struct str s, enum mail_charset charset, enum mail_quoting quoting)
{
        size_t at = 1;
        if (s.n == 0 || s.p[0] != '"')
                return 0;
        while (at < s.n && s.p[at] != '"') {
                struct str rest = str_skip(s, at);
                size_t n = quoting == MAIL_QUOTING_LINE ? inside_line_size(rest, charset)
                                                        : inside_size(rest, charset);
                if (n == 0)
                        return 0;
                at += n;
        }
        return at < s.n ? at + 1 : 0;
}

size_t mail_comment_size(struct str s)
{
        size_t depth = 0, at = 0;
        if (s.n == 0 || s.p[0] != '(')
                return 0;
        while (at < s.n) {
                size_t n = 1;
                if (s.p[at] == '(')
                        depth++;
                else if (s.p[at] == ')')
                        depth--;
                else
                        n = inside_size(str_skip(s, at), MAIL_UTF8);
                if (n == 0)
                        return 0;
                at += n;
                if (depth == 0)
                        return at;
        }
        return 0;
}

size_t mail_cfws_size(struct str s, struct str *comment)
{
        size_t at = mail_fws_size(s);
        bool found = false;
        if (comment)
                *comment = (struct str){0};
        for (;;) {
                size_t n = mail_comment_size(str_skip(s, at));
                if (n == 0)
                        return at;
                if (comment && !found)
                        *comment = str_of(s.p + at + 1, n - 2);
                found = true;
                at += n;
                at += mail_fws_size(str_skip(s, at));
        }
}
