/* SPDX-License-Identifier: ISC */
#include "smtp/reply.h"

#include <string.h>

#include "base/ascii.h"
#include "base/check.h"

/* RFC 5321 4.5.3.1.5: the most octets of a reply line, its code and CRLF included. */
#define WRITTEN_LINE_MAX 512

struct smtp_reply smtp_reply_of(uint16_t code, uint16_t subject, uint16_t detail, struct str text)
{
        struct smtp_enhanced enhanced = {(uint16_t)(code / 100), subject, detail};
        return (struct smtp_reply){.code = code, .enhanced = enhanced, .text = text};
}

struct smtp_reply smtp_reply_plain(uint16_t code, struct str text)
{
        return (struct smtp_reply){.code = code, .text = text};
}

bool smtp_reply_is_positive(const struct smtp_reply *r)
{
        return r->code / 100 == 2;
}

bool smtp_reply_is_transient(const struct smtp_reply *r)
{
        return r->code / 100 == 4;
}

bool smtp_reply_is_permanent(const struct smtp_reply *r)
{
        return r->code / 100 == 5;
}

void smtp_enhanced_write(struct wr *w, const struct smtp_enhanced *e)
{
        if (e->class == 0)
                return;
        wr_u64(w, e->class);
        wr_byte(w, '.');
        wr_u64(w, e->subject);
        wr_byte(w, '.');
        wr_u64(w, e->detail);
}

/* Take the next line of at most `most` octets off `text`; a longer one is parted, at a space if it has one. */
static struct str take_line(struct str *text, size_t most)
{
        struct str line = str_take(*text, str_find_byte(*text, '\n'));
        size_t skipped = line.n;
        if (line.n > most) {
                size_t space = str_find_last_byte(str_take(line, most), ' ');
                skipped = space > 0 && space < most ? space + 1 : most;
                line = str_take(line, skipped);
        } else {
                skipped += skipped < text->n; /* the LF */
        }
        *text = str_skip(*text, skipped);
        return line;
}

/* textstring = 1*(%d09 / %d32-126) */
static void write_text(struct wr *w, struct str text)
{
        for (size_t i = 0; i < text.n; i++) {
                char c = text.p[i];
                bool is_text = c == '\t' || c == ' ' || ascii_is_graph(c);
                wr_byte(w, is_text ? c : '?');
        }
}

void smtp_reply_write(struct wr *w, const struct smtp_reply *r, bool enhanced)
{
        char prefix_bytes[32];
        struct wr prefix;
        struct str text = r->text;
        size_t room = SMTP_REPLY_WRITTEN_MAX;
        bool is_last;
        CHECK(r->code >= 200 && r->code <= 599);
        wr_init(&prefix, prefix_bytes, sizeof prefix_bytes);
        if (enhanced && r->enhanced.class == r->code / 100) { /* RFC 2034 4: the class is the first digit */
                smtp_enhanced_write(&prefix, &r->enhanced);
                wr_byte(&prefix, ' ');
        }
        do {
                struct str line = take_line(&text, WRITTEN_LINE_MAX - 6 - prefix.n);
                room -= 6 + prefix.n + line.n;
                is_last = text.n == 0 || room < WRITTEN_LINE_MAX;
                wr_u64(w, r->code);
                wr_byte(w, is_last ? ' ' : '-');
                wr_str(w, wr_text(&prefix));
                write_text(w, line);
                wr_str(w, S("\r\n"));
        } while (!is_last);
}

/* One to three digits of an enhanced code's part, off the head of `text`. */
static bool take_part(struct str *text, uint16_t *part)
{
        size_t n = 0;
        *part = 0;
        while (n < 3 && n < text->n && ascii_is_digit(text->p[n])) {
                *part = (uint16_t)(*part * 10 + (text->p[n] - '0'));
                n++;
        }
        *text = str_skip(*text, n);
        return n > 0;
}

static bool take_dot(struct str *text)
{
        bool has_dot = text->n > 0 && text->p[0] == '.';
        *text = str_skip(*text, has_dot);
        return has_dot;
}

/* status-code = class "." subject "." detail (RFC 3463 2), with the class of the reply; other text stays text. */
static void take_enhanced(struct smtp_reply_line *line)
{
        struct smtp_enhanced e;
        struct str text = line->text;
        if (!take_part(&text, &e.class) || e.class != line->code / 100 || !take_dot(&text) ||
                !take_part(&text, &e.subject) || !take_dot(&text) || !take_part(&text, &e.detail))
                return;
        if (text.n > 0 && text.p[0] != ' ')
                return;
        line->enhanced = e;
        line->text = str_skip(text, 1);
}

/* Reply-line = Reply-code [ ("-" / SP) textstring ] (RFC 5321 4.2.1, 4.3.1: clients take a code without text) */
static enum err parse_codes(struct str line, struct smtp_reply_line *out)
{
        if (line.n < 3 || line.p[0] < '2' || line.p[0] > '5' || !ascii_is_digit(line.p[1]) ||
                !ascii_is_digit(line.p[2]))
                return ERR_SYNTAX;
        if (line.n > 3 && line.p[3] != ' ' && line.p[3] != '-')
                return ERR_SYNTAX;
        out->code = (uint16_t)((line.p[0] - '0') * 100 + (line.p[1] - '0') * 10 + (line.p[2] - '0'));
        out->is_last = line.n == 3 || line.p[3] == ' ';
        out->text = str_skip(line, 4);
        take_enhanced(out);
        return ERR_OK;
}

enum err smtp_reply_line_parse(struct str in, struct smtp_reply_line *out, size_t *used)
{
        struct str head = str_take(in, SMTP_REPLY_LINE_MAX);
        size_t lf = str_find_byte(head, '\n');
        *out = (struct smtp_reply_line){0};
        *used = 0;
        if (lf == head.n)
                return head.n < SMTP_REPLY_LINE_MAX ? ERR_AGAIN : ERR_LIMIT;
        if (lf == 0 || head.p[lf - 1] != '\r')
                return ERR_SYNTAX;
        struct str line = str_take(head, lf - 1);
        if (str_find_byte(line, '\r') < line.n || str_find_byte(line, '\0') < line.n)
                return ERR_SYNTAX;
        enum err e = parse_codes(line, out);
        if (e == ERR_OK)
                *used = lf + 1;
        return e;
}

void smtp_reply_gather_init(struct smtp_reply_gather *g)
{
        g->code = 0;
        g->enhanced = (struct smtp_enhanced){0};
        g->lines = 0;
        g->n = 0;
}

static void gather_text(struct smtp_reply_gather *g, struct str text)
{
        for (size_t i = 0; i < text.n && g->n < sizeof g->text; i++) {
                char c = text.p[i];
                g->text[g->n++] = ascii_is_control(c) && c != '\t' && c != '\n' ? '?' : c;
        }
}

enum err smtp_reply_gather_line(struct smtp_reply_gather *g, const struct smtp_reply_line *line)
{
        if (g->lines > 0 && line->code != g->code)
                return ERR_SYNTAX;
        if (g->lines == SMTP_REPLY_LINES_MAX)
                return ERR_LIMIT;
        g->code = line->code;
        if (g->enhanced.class == 0)
                g->enhanced = line->enhanced;
        if (g->lines > 0)
                gather_text(g, S("\n"));
        gather_text(g, line->text);
        g->lines++;
        return line->is_last ? ERR_OK : ERR_AGAIN;
}

struct smtp_reply smtp_reply_gathered(const struct smtp_reply_gather *g)
{
        return (struct smtp_reply){.code = g->code, .enhanced = g->enhanced, .text = str_of(g->text, g->n)};
}
