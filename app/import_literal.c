/* SPDX-License-Identifier: ISC */
#include "app/import_literal.h"

#include "base/ascii.h"
#include "base/check.h"
#include "base/utf8.h"

static void skip_space(struct import *i, struct str *rest, bool is_python)
{
        while (rest->n > 0) {
                char c = rest->p[0];
                if (c == '\n')
                        i->line++;
                if (is_python && c == '#')
                        *rest = str_skip(*rest, str_find_byte(*rest, '\n'));
                else if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
                        *rest = str_skip(*rest, 1);
                else
                        return;
        }
}

/* Digits of `base` (8 or 16), at most `most` of them. */
static uint32_t take_number(struct str *rest, unsigned base, size_t most, size_t *got)
{
        uint32_t number = 0;
        for (*got = 0; *got < most && rest->n > 0; ++*got) {
                char c = ascii_lower(rest->p[0]);
                if (!ascii_is_hex(c) || (base == 8 && (c < '0' || c > '7')))
                        break;
                number = number * base + (uint32_t)(ascii_is_digit(c) ? c - '0' : c - 'a' + 10);
                *rest = str_skip(*rest, 1);
        }
        return number;
}

/* RFC 8259 7: a character beyond the first 65536 is a pair of surrogates. */
static uint32_t take_low_surrogate(struct str *rest, uint32_t high)
{
        struct str after = *rest;
        size_t got;
        if (high < 0xd800 || high > 0xdbff || !str_has_prefix(after, S("\\u")))
                return high;
        after = str_skip(after, 2);
        uint32_t low = take_number(&after, 16, 4, &got);
        if (got != 4 || low < 0xdc00 || low > 0xdfff)
                return high;
        *rest = after;
        return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
}

static enum err take_unicode(struct wr *room, struct str *rest, size_t digits)
{
        size_t got;
        uint32_t code = take_number(rest, 16, digits, &got);
        if (got != digits)
                return ERR_SYNTAX;
        utf8_write(room, take_low_surrogate(rest, code));
        return ERR_OK;
}

/* A byte of a string of bytes, a character of one of characters. */
static void put_code(struct wr *room, uint32_t code, bool is_unicode)
{
        if (is_unicode)
                utf8_write(room, code);
        else
                wr_byte(room, (char)code);
}

/* Behind the backslash. */
static enum err take_escape(struct import *i, struct str *rest, bool is_python, bool is_unicode)
{
        static const char to[] = "\n\r\t\b\f\a\v";
        if (rest->n == 0)
                return ERR_SYNTAX;
        char c = rest->p[0];
        size_t at = str_find_byte(S("nrtbfav"), c), got;
        if (is_python && c >= '0' && c <= '7') {
                put_code(&i->room, take_number(rest, 8, 3, &got) & 0xff, is_unicode);
                return ERR_OK;
        }
        *rest = str_skip(*rest, 1);
        if (c == 'u' && (!is_python || is_unicode))
                return take_unicode(&i->room, rest, 4);
        if (c == 'U' && is_python && is_unicode)
                return take_unicode(&i->room, rest, 8);
        if (c == 'x' && is_python) {
                uint32_t code = take_number(rest, 16, 2, &got);
                put_code(&i->room, code, is_unicode);
                return got == 2 ? ERR_OK : ERR_SYNTAX;
        }
        if (c == '\n') {
                i->line++; /* Python's continued line */
                return ERR_OK;
        }
        wr_byte(&i->room, at < 7 ? to[at] : c);
        return ERR_OK;
}

/* Behind the opening quote, up to the closing one; `quote` is one character or three. */
static enum err take_string(
        struct import *i, struct str *rest, struct str quote, bool is_python, bool is_unicode)
{
        enum err err = ERR_OK;
        while (err == ERR_OK && rest->n > 0) {
                if (str_has_prefix(*rest, quote)) {
                        *rest = str_skip(*rest, quote.n);
                        return ERR_OK;
                }
                char c = rest->p[0];
                *rest = str_skip(*rest, 1);
                if (c == '\n')
                        i->line++;
                if (c == '\\')
                        err = take_escape(i, rest, is_python, is_unicode);
                else
                        wr_byte(&i->room, c);
        }
        return ERR_SYNTAX;
}

/* The quote of a string that begins at `*rest`, behind its prefix, which goes with it; or none. */
static struct str take_quote(struct str *rest, bool is_python, bool *is_unicode)
{
        struct str at = *rest;
        *is_unicode = !is_python;
        if (is_python && at.n > 1 && (at.p[1] == '"' || at.p[1] == '\'') &&
                (at.p[0] == 'u' || at.p[0] == 'b')) {
                *is_unicode = at.p[0] == 'u';
                at = str_skip(at, 1);
        }
        if (at.n == 0 || (at.p[0] != '"' && (at.p[0] != '\'' || !is_python)))
                return S("");
        size_t n = is_python && at.n >= 3 && at.p[1] == at.p[0] && at.p[2] == at.p[0] ? 3 : 1;
        *rest = str_skip(at, n);
        return str_take(at, n);
}

static enum err take_strings(
        struct import *i, struct str *rest, bool is_python, struct str quote, bool is_unicode)
{
        enum err err = take_string(i, rest, quote, is_python, is_unicode);
        while (err == ERR_OK && is_python) {
                skip_space(i, rest, true);
                quote = take_quote(rest, true, &is_unicode);
                if (quote.n == 0)
                        break;
                err = take_string(i, rest, quote, true, is_unicode);
        }
        CHECK(wr_end(&i->room) == ERR_OK);
        return err;
}

static bool is_word(char c)
{
        return ascii_is_alnum(c) || c == '_' || c == '.' || c == '-' || c == '+';
}

static struct str take_word(struct str *rest, bool is_python)
{
        size_t n = 0;
        if (is_python && rest->p[0] == '<') {
                n = str_find_byte(*rest, '>');
                n = n < rest->n ? n + 1 : 0;
        }
        while (n < rest->n && is_word(rest->p[n]))
                n++;
        struct str word = str_take(*rest, n);
        *rest = str_skip(*rest, n);
        return word;
}

enum err literal_next(struct import *i, struct str *rest, bool is_python, struct literal *out)
{
        bool is_unicode;
        *out = (struct literal){.kind = LITERAL_END, .text = S("")};
        skip_space(i, rest, is_python);
        if (rest->n == 0)
                return ERR_OK;
        struct str marks = S("{}[]():,=");
        if (str_find_byte(marks, rest->p[0]) < marks.n) {
                *out = (struct literal){.kind = LITERAL_MARK, .mark = rest->p[0]};
                *rest = str_skip(*rest, 1);
                return ERR_OK;
        }
        struct str quote = take_quote(rest, is_python, &is_unicode);
        if (quote.n == 0) {
                struct str word = take_word(rest, is_python);
                if (word.n == 0)
                        return ERR_SYNTAX;
                *out = (struct literal){.kind = LITERAL_WORD, .text = word};
                return ERR_OK;
        }
        size_t at = i->room.n;
        enum err err = take_strings(i, rest, is_python, quote, is_unicode);
        if (err == ERR_OK)
                *out = (struct literal){.kind = LITERAL_TEXT, .text = str_skip(wr_text(&i->room), at)};
        return err;
}

enum err literal_skip(struct import *i, struct str *rest, bool is_python, const struct literal *first)
{
        struct literal l = *first;
        size_t depth = 0, at = i->room.n;
        for (;;) {
                if (l.mark == '{' || l.mark == '[' || l.mark == '(')
                        depth++;
                else if ((l.mark == '}' || l.mark == ']' || l.mark == ')') && depth > 0)
                        depth--;
                else if (l.kind == LITERAL_END || (l.kind == LITERAL_MARK && depth == 0))
                        return ERR_SYNTAX;
                i->room.n = at;
                if (depth == 0)
                        return ERR_OK;
                enum err err = literal_next(i, rest, is_python, &l);
                if (err != ERR_OK)
                        return err;
        }
}
