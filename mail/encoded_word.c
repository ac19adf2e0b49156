/* SPDX-License-Identifier: ISC */
#include "mail/encoded_word.h"

#include "base/ascii.h"
#include "base/base64.h"
#include "base/hex.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "mail/charset.h"
#include "mail/lex.h"

#define FRAME 12    /* "=?utf-8?q?" and its end */
#define ROOM_MIN 31 /* the frame and any character in either encoding */

static bool is_blank(char c)
{
        return ascii_is_wsp(c) || c == '\r' || c == '\n';
}

/* The character at the head of `*s`, taken off: controls, C0 and C1, as a space; an ill-formed octet as U+FFFD. */
static struct str take_clean(struct str *s)
{
        size_t n = utf8_head(*s);
        struct str c = str_take(*s, n);
        *s = str_skip(*s, n == 0 ? 1 : n);
        if (n == 0)
                return S("\xef\xbf\xbd");
        if (ascii_is_control(c.p[0]) || (n == 2 && c.p[0] == '\xc2' && (uint8_t)c.p[1] < 0xa0))
                return S(" ");
        return c;
}

static void write_clean(struct wr *w, struct str s)
{
        while (s.n > 0)
                wr_str(w, take_clean(&s));
}

static void write_charset(struct wr *w, enum charset charset, struct str octets)
{
        if (charset == CHARSET_UTF8) {
                write_clean(w, octets);
                return;
        }
        for (size_t i = 0; i < octets.n; i++) {
                char utf8[4];
                struct wr one;
                wr_init(&one, utf8, sizeof utf8);
                utf8_write(&one, charset_code(charset, (uint8_t)octets.p[i]));
                write_clean(w, wr_text(&one));
        }
}

/* "Q" (RFC 2047 4.2) */
static enum err q_decode(struct str text, struct wr *w)
{
        while (text.n > 0) {
                size_t n = text.p[0] == '=' ? 3 : 1;
                enum err e = ERR_OK;
                if (n > text.n)
                        return ERR_SYNTAX;
                if (n == 3)
                        e = hex_decode(str_take(str_skip(text, 1), 2), w);
                else
                        wr_byte(w, text.p[0] == '_' ? ' ' : text.p[0]);
                if (e != ERR_OK)
                        return e;
                text = str_skip(text, n);
        }
        return wr_end(w);
}

/* A part of an encoded-word up to its "?", which is taken off too. */
static bool take_part(struct str *s, struct str *part)
{
        size_t at = 0;
        while (at < s->n && at < MAIL_LINE_MAX && ascii_is_graph(s->p[at]) && s->p[at] != '?')
                at++;
        *part = str_take(*s, at);
        if (at >= s->n || s->p[at] != '?')
                return false;
        *s = str_skip(*s, at + 1);
        return true;
}

/* encoded-word = "=?" charset ["*" language] "?" encoding "?" encoded-text "?=" (RFC 2047 2, RFC 2231 5), longer ones than
 * the standard allows too. Gives its size and writes its text, or 0. */
static size_t word_decode(struct wr *w, struct str s)
{
        char buffer[MAIL_LINE_MAX];
        struct wr octets;
        struct str name, language, encoding, text, rest = str_skip(s, 2);
        if (!str_has_prefix(s, S("=?")) || !take_part(&rest, &name) || !take_part(&rest, &encoding) ||
                !take_part(&rest, &text) || !str_has_prefix(rest, S("=")))
                return 0;
        (void)str_cut(name, '*', &name, &language);
        enum charset charset = charset_of(name);
        wr_init(&octets, buffer, sizeof buffer);
        enum err e = ERR_UNSUPPORTED;
        if (str_eq_nocase(encoding, S("b")))
                e = base64_decode(text, &octets);
        else if (str_eq_nocase(encoding, S("q")))
                e = q_decode(text, &octets);
        if (e != ERR_OK || charset == CHARSET_UNKNOWN)
                return 0;
        write_charset(w, charset, wr_text(&octets));
        return s.n - rest.n + 1;
}

/* White space of unstructured text without its line breaks. */
static void write_blanks(struct wr *w, struct str blanks)
{
        size_t from = w->n;
        for (size_t i = 0; i < blanks.n; i++)
                if (ascii_is_wsp(blanks.p[i]))
                        wr_byte(w, ' ');
        if (w->n == from && blanks.n > 0)
                wr_byte(w, ' ');
}

/* An encoded-word at the head of `text`, with the white space before it. That space goes when an encoded-word stands
 * before it too (RFC 2047 6.2), so it is written here, once it is known what follows. */
static size_t word_after_blanks(struct wr *w, struct str blanks, struct str text, bool joined)
{
        struct wr undo = *w;
        if (!joined)
                write_blanks(w, blanks);
        size_t n = word_decode(w, text);
        if (n == 0)
                *w = undo;
        return n;
}

void mail_text_decode(struct wr *w, struct str text)
{
        bool after_word = false;
        while (text.n > 0) {
                size_t blank = 0, n = 0;
                while (blank < text.n && is_blank(text.p[blank]))
                        blank++;
                struct str blanks = str_take(text, blank);
                text = str_skip(text, blank);
                n = word_after_blanks(w, blanks, text, after_word);
                after_word = n > 0;
                if (n == 0) {
                        write_blanks(w, blanks);
                        while (n < text.n && !is_blank(text.p[n]))
                                n++;
                        write_clean(w, str_take(text, n));
                }
                text = str_skip(text, n);
        }
}

static void write_unescaped(struct wr *w, struct str inside)
{
        while (inside.n > 0) {
                if (inside.p[0] == '\\' && inside.n > 1)
                        inside = str_skip(inside, 1);
                else if (inside.p[0] == '\r' && inside.n > 1 && inside.p[1] == '\n')
                        inside = str_skip(inside, 2);
                if (inside.n > 0)
                        wr_str(w, take_clean(&inside));
        }
}

/* The size of what stands for itself at the head of a phrase: up to white space, a quote or a parenthesis. */
static size_t plain_size(struct str s)
{
        size_t n = 1;
        while (n < s.n && !is_blank(s.p[n]) && s.p[n] != '"' && s.p[n] != '(')
                n++;
        return n;
}

void mail_phrase_decode(struct wr *w, struct str phrase)
{
        bool after_word = false, any = false;
        bool closed =
                true; /* false behind a quote or parenthesis without its mate: then none is looked for again */
        while (phrase.n > 0) {
                size_t blank = closed ? mail_cfws_size(phrase, NULL) : 0;
                while (blank < phrase.n && is_blank(phrase.p[blank]))
                        blank++;
                phrase = str_skip(phrase, blank);
                struct str gap = any && blank > 0 ? S(" ") : S("");
                size_t n = word_after_blanks(w, gap, phrase, after_word);
                after_word = n > 0;
                if (n == 0 && phrase.n > 0) {
                        wr_str(w, gap);
                        n = closed ? mail_quoted_size(phrase, MAIL_UTF8, MAIL_QUOTING_FOLDED) : 0;
                        if (n > 0)
                                write_unescaped(w, str_of(phrase.p + 1, n - 2));
                        closed = closed && (n > 0 || (phrase.p[0] != '"' && phrase.p[0] != '('));
                        if (n == 0)
                                write_clean(w, str_take(phrase, n = plain_size(phrase)));
                }
                any = true;
                phrase = str_skip(phrase, n);
        }
}

/* What "Q" lets stand in a phrase (RFC 2047 5 (3)); everywhere else more could. */
static bool is_q_plain(char c)
{
        return ascii_is_alnum(c) || c == '!' || c == '*' || c == '+' || c == '-' || c == '/';
}

/* A character of at most four octets, whole or not at all. */
static void q_encode(struct wr *w, struct str c)
{
        static const char digits[] = "0123456789ABCDEF";
        char buffer[12];
        struct wr one;
        if (c.n == 1 && (c.p[0] == ' ' || is_q_plain(c.p[0]))) {
                wr_byte(w, c.p[0] == ' ' ? '_' : c.p[0]);
                return;
        }
        wr_init(&one, buffer, sizeof buffer);
        for (size_t i = 0; i < c.n; i++) {
                wr_byte(&one, '=');
                wr_byte(&one, digits[(uint8_t)c.p[i] >> 4]);
                wr_byte(&one, digits[(uint8_t)c.p[i] & 15]);
        }
        wr_str(w, wr_text(&one));
}

/* "Q" keeps a mostly ASCII name readable, "B" is shorter for the rest. */
static bool is_mostly_plain(struct str s)
{
        size_t plain = 0;
        for (size_t i = 0; i < s.n; i++)
                plain += s.p[i] == ' ' || is_q_plain(s.p[i]);
        return plain >= s.n - plain;
}

bool mail_encoded_word_write(struct wr *w, struct str *text, size_t room)
{
        char octets[MAIL_ENCODED_WORD_MAX], q[MAIL_ENCODED_WORD_MAX];
        struct wr plain, quoted;
        bool as_q = is_mostly_plain(str_take(*text, MAIL_LINE_MAX));
        if (room < ROOM_MIN || text->n == 0)
                return false;
        size_t most = (room < MAIL_ENCODED_WORD_MAX ? room : MAIL_ENCODED_WORD_MAX) - FRAME;
        wr_init(&plain, octets, most / 4 * 3);
        wr_init(&quoted, q, most);
        while (text->n > 0) {
                struct str after = *text, c = take_clean(&after);
                if (as_q)
                        q_encode(&quoted, c);
                else
                        wr_str(&plain, c);
                if (quoted.full || plain.full)
                        break;
                *text = after;
        }
        wr_str(w, as_q ? S("=?utf-8?q?") : S("=?utf-8?b?"));
        if (as_q)
                wr_str(w, wr_text(&quoted));
        else
                base64_encode(w, wr_text(&plain));
        wr_str(w, S("?="));
        return true;
}
