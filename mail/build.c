/* SPDX-License-Identifier: ISC */
#include "mail/build.h"

#include <string.h>

#include "base/ascii.h"
#include "base/check.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "mail/encoded_word.h"
#include "mail/percent.h"

static void fail(struct mail_build *b, enum err fault)
{
        if (b->fault == ERR_OK)
                b->fault = fault;
}

static bool is_clean(struct str s)
{
        for (size_t i = 0; i < s.n; i++)
                if (ascii_is_control(s.p[i]))
                        return false;
        return utf8_is_valid(s);
}

/* Make the last fold of this line real. */
static void break_line(struct mail_build *b)
{
        struct wr *w = b->w;
        size_t tail = w->n - b->fold;
        wr_str(w, S("\r\n"));
        if (w->full)
                return;
        memmove(w->p + b->fold + 2, w->p + b->fold, tail);
        memcpy(w->p + b->fold, "\r\n", 2);
        b->line = b->fold + 2;
        b->fold = 0;
}

static void append(struct mail_build *b, struct str piece)
{
        if (!is_clean(piece))
                fail(b, ERR_SYNTAX);
        if (b->fault != ERR_OK)
                return;
        wr_str(b->w, piece);
        if (b->w->n - b->line > MAIL_LINE_GOAL && b->fold > 0)
                break_line(b);
        if (b->w->full)
                fail(b, ERR_SPACE);
        else if (b->w->n - b->line > MAIL_LINE_MAX)
                fail(b, ERR_LIMIT);
}

void mail_build_begin(struct mail_build *b, struct wr *w, struct str name)
{
        *b = (struct mail_build){.w = w, .begin = w->n, .line = w->n};
        CHECK(name.n > 0 && str_find_byte(name, ':') == name.n);
        for (size_t i = 0; i < name.n; i++)
                CHECK(ascii_is_graph(name.p[i]));
        append(b, name);
        append(b, S(":"));
}

void mail_build_word(struct mail_build *b, struct str piece)
{
        if (b->fault != ERR_OK)
                return;
        size_t fold = b->w->n;
        wr_byte(b->w, ' ');
        b->fold = fold;
        append(b, piece);
}

void mail_build_line(struct mail_build *b, struct str piece)
{
        mail_build_word(b, piece);
        if (b->fault == ERR_OK && b->fold > 0)
                break_line(b);
        if (b->w->full)
                fail(b, ERR_SPACE);
}

void mail_build_glue(struct mail_build *b, struct str piece)
{
        append(b, piece);
}

enum err mail_build_end(struct mail_build *b)
{
        if (b->fault == ERR_OK)
                wr_str(b->w, S("\r\n"));
        if (b->w->full)
                fail(b, ERR_SPACE);
        if (b->fault != ERR_OK)
                b->w->n = b->begin;
        return b->fault;
}

static bool is_space(char c)
{
        return c == ' ' || ascii_is_control(c);
}

static struct str trim_spaces(struct str s)
{
        while (s.n > 0 && is_space(s.p[0]))
                s = str_skip(s, 1);
        while (s.n > 0 && is_space(s.p[s.n - 1]))
                s.n--;
        return s;
}

/* The spaces at the head of `s` and the word behind them. */
static size_t spaced_word_size(struct str s, size_t *spaces)
{
        size_t at = 0;
        while (at < s.n && is_space(s.p[at]))
                at++;
        *spaces = at;
        while (at < s.n && !is_space(s.p[at]))
                at++;
        return at;
}

/* A word that cannot stand for itself: beyond ASCII, too long for a line, or taken for an encoded-word. */
static bool must_encode(struct str word)
{
        if (word.n > MAIL_LINE_GOAL - 2 || str_find(word, S("=?")) < word.n)
                return true;
        for (size_t i = 0; i < word.n; i++)
                if (ascii_is_8bit(word.p[i]))
                        return true;
        return false;
}

/* Encoded-words, the first as long as the line has room for; on a line of its own when that is too little. */
static void build_encoded(struct mail_build *b, struct str text)
{
        while (text.n > 0 && b->fault == ERR_OK) {
                char buffer[MAIL_ENCODED_WORD_MAX];
                struct wr word;
                size_t column = b->w->n - b->line + 1;
                size_t room = column < MAIL_LINE_GOAL ? MAIL_LINE_GOAL - column : 0;
                wr_init(&word, buffer, sizeof buffer);
                bool done = mail_encoded_word_write(&word, &text, room) ||
                            mail_encoded_word_write(&word, &text, MAIL_ENCODED_WORD_MAX);
                CHECK(done);
                mail_build_word(b, wr_text(&word));
        }
}

/* A word and the spaces before it: the first is where the line may break, the others stay with the word. */
static void build_spaced(struct mail_build *b, size_t spaces, struct str word)
{
        mail_build_word(b, spaces > 1 ? S(" ") : word);
        for (size_t i = 2; i < spaces; i++)
                mail_build_glue(b, S(" "));
        if (spaces > 1)
                mail_build_glue(b, word);
}

/* The words at the head of `s`, with the spaces before each, that must be encoded, or have so many spaces before them
 * that no line holds both: they go together, since the space
 * between two encoded-words is lost. */
static size_t encoded_run_size(struct str s)
{
        size_t run = 0;
        for (;;) {
                size_t spaces, n = spaced_word_size(str_skip(s, run), &spaces);
                struct str word = str_skip(str_take(str_skip(s, run), n), spaces);
                if (!must_encode(word) && n < MAIL_LINE_GOAL)
                        return run;
                run += n;
        }
}

void mail_build_text(struct mail_build *b, struct str utf8)
{
        struct str left = trim_spaces(utf8);
        while (left.n > 0 && b->fault == ERR_OK) {
                size_t spaces, next = spaced_word_size(left, &spaces), run = encoded_run_size(left);
                if (run > 0)
                        build_encoded(b, str_skip(str_take(left, run), spaces > 0 ? 1 : 0));
                else
                        build_spaced(b, spaces, str_skip(str_take(left, next), spaces));
                left = str_skip(left, run > 0 ? run : next);
        }
}

/* A phrase of atoms with single spaces between them. */
static bool is_atoms(struct str s)
{
        bool more = true;
        while (more) {
                struct str atom, rest;
                more = str_cut(s, ' ', &atom, &rest);
                if (mail_atom_size(atom, MAIL_ASCII) != atom.n || must_encode(atom) || atom.n == 0)
                        return false;
                s = rest;
        }
        return true;
}

/* `s` as a quoted string if that is ASCII and no longer than `w` has room. */
static bool quote(struct wr *w, struct str s)
{
        wr_byte(w, '"');
        for (size_t i = 0; i < s.n; i++) {
                if (ascii_is_8bit(s.p[i]))
                        return false;
                if (s.p[i] == '"' || s.p[i] == '\\')
                        wr_byte(w, '\\');
                wr_byte(w, ascii_is_control(s.p[i]) ? ' ' : s.p[i]);
        }
        wr_byte(w, '"');
        return !w->full;
}

void mail_build_phrase(struct mail_build *b, struct str utf8)
{
        char buffer[MAIL_LINE_GOAL - 1];
        struct wr quoted;
        struct str s = trim_spaces(utf8);
        wr_init(&quoted, buffer, sizeof buffer);
        if (s.n == 0)
                return;
        if (is_atoms(s))
                mail_build_text(b, s);
        else if (quote(&quoted, s))
                mail_build_word(b, wr_text(&quoted));
        else
                build_encoded(b, s);
}

/* The address between two marks, as one piece. */
static void build_address(
        struct mail_build *b, struct str before, const struct mail_address *a, struct str behind)
{
        char buffer[2 * SMTP_LOCAL_PART_MAX + SMTP_DOMAIN_MAX + 8];
        struct wr text;
        struct ip ip;
        if (a->local.n == 0 || a->local.n > SMTP_LOCAL_PART_MAX ||
                (!mail_domain_is_valid(a->domain, MAIL_UTF8) &&
                        mail_literal_parse(a->domain, &ip) != ERR_OK)) {
                fail(b, ERR_SYNTAX);
                return;
        }
        wr_init(&text, buffer, sizeof buffer);
        wr_str(&text, before);
        mail_address_write(&text, a);
        wr_str(&text, behind);
        CHECK(!text.full);
        mail_build_word(b, wr_text(&text));
}

void mail_build_path(struct mail_build *b, const struct mail_address *address)
{
        build_address(b, S("<"), address, S(">"));
}

void mail_build_mailbox(struct mail_build *b, struct str display, const struct mail_address *address)
{
        if (trim_spaces(display).n == 0) {
                build_address(b, S(""), address, S(""));
                return;
        }
        mail_build_phrase(b, display);
        mail_build_path(b, address);
}

/* token = 1*<graphic ASCII but tspecials> (RFC 2045 5.1) */
static bool is_token(struct str s)
{
        struct str specials = S("()<>@,;:\\\"/[]?=");
        for (size_t i = 0; i < s.n; i++)
                if (!ascii_is_graph(s.p[i]) || str_find_byte(specials, s.p[i]) < specials.n)
                        return false;
        return s.n > 0;
}

void mail_build_parameter(struct mail_build *b, struct str name, struct str value)
{
        char buffer[MAIL_LINE_MAX];
        struct wr text;
        CHECK(is_token(name));
        wr_init(&text, buffer, sizeof buffer);
        if (!is_clean(value))
                fail(b, ERR_SYNTAX);
        mail_build_glue(b, S(";"));
        wr_str(&text, name);
        wr_byte(&text, '=');
        if (is_token(value)) {
                wr_str(&text, value);
        } else if (!quote(&text, value)) {
                wr_init(&text, buffer, sizeof buffer);
                wr_str(&text, name);
                wr_str(&text, S("*=utf-8''")); /* RFC 2231 4 */
                mail_percent_encode(&text, value, S("-._~"));
        }
        if (text.full)
                fail(b, ERR_LIMIT);
        mail_build_word(b, wr_text(&text));
}

enum err mail_build_unstructured(struct wr *w, struct str name, struct str utf8)
{
        struct mail_build b;
        mail_build_begin(&b, w, name);
        mail_build_text(&b, utf8);
        return mail_build_end(&b);
}

enum err mail_build_persons(struct wr *w, struct str name, const struct mail_person *persons, size_t n)
{
        struct mail_build b;
        CHECK(n > 0);
        mail_build_begin(&b, w, name);
        for (size_t i = 0; i < n; i++) {
                mail_build_mailbox(&b, persons[i].display, &persons[i].address);
                if (i + 1 < n)
                        mail_build_glue(&b, S(","));
        }
        return mail_build_end(&b);
}
