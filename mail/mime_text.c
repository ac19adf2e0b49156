/* SPDX-License-Identifier: ISC */
/* The text of a message: octets come out of a transfer encoding, characters out of a charset, and lines out of flowed text
 * (RFC 3676) or HTML; one character at a time, so that nothing of it has to be kept. */
#include "base/limits.h"
#include "base/utf8.h"
#include "mail/charset.h"
#include "mail/html_text.h"
#include "mail/mime.h"
#include "mail/transfer.h"

#define BOUNDARY_MAX MAIL_LINE_MAX /* RFC 2046 5.1.1 allows 70 */
#define NAME_MAX_SIZE 64           /* of a charset */
#define END UINT32_MAX

/* Characters. */
struct source {
        struct mail_transfer_in in;
        enum charset charset;
        char ahead[4]; /* octets of UTF-8, taken but not yet given */
        size_t count;
};

static uint32_t utf8_code(struct str c)
{
        uint8_t first = (uint8_t)c.p[0];
        if (c.n == 1)
                return first;
        uint32_t code = first & (0xffU >> (c.n + 1));
        for (size_t i = 1; i < c.n; i++)
                code = code << 6 | ((uint8_t)c.p[i] & 0x3f);
        return code;
}

static uint32_t source_next(struct source *s)
{
        while (s->count < sizeof s->ahead) {
                int octet = mail_transfer_in_next(&s->in);
                if (octet < 0)
                        break;
                s->ahead[s->count++] = (char)octet;
        }
        if (s->count == 0)
                return END;
        struct str ahead = str_of(s->ahead, s->count);
        size_t n = s->charset == CHARSET_UTF8 ? utf8_head(ahead) : 0;
        uint32_t code = n > 0 ? utf8_code(str_take(ahead, n)) : charset_code(s->charset, (uint8_t)ahead.p[0]);
        s->count -= n > 0 ? n : 1;
        for (size_t i = 0; i < s->count; i++)
                s->ahead[i] = ahead.p[i + (n > 0 ? n : 1)];
        return code;
}

/* What reading goes by: a line ends with '\n' alone, other controls and no-break spaces are spaces, and marks without a
 * width are left out. */
static uint32_t source_clean(struct source *s)
{
        for (;;) {
                uint32_t code = source_next(s);
                if (code == '\r' && s->count > 0 && s->ahead[0] == '\n')
                        continue;
                if (code == END || code == '\n' || code == '\t')
                        return code;
                if (code == '\r')
                        return '\n';
                if (code < ' ' || (code >= 0x7f && code <= 0xa0))
                        return ' ';
                if (code != 0xfeff && code != 0x200b)
                        return code;
        }
}

/* Lines of text/plain. */
struct lines {
        struct wr *w;
        bool flowed, deletes_space;
        bool is_soft;   /* the last line goes on in this one, if that is quoted as deep */
        unsigned depth; /* of quoting, of the last line */
        unsigned marks; /* ">" at the head of this one */
        size_t size;    /* characters of the line behind its marks */
        bool is_head;   /* marks may still come */
        bool is_signature;
        uint32_t last;
};

/* Behind the marks: now it is known whether the line goes on where the last one ended. An empty one does not. */
static void line_begin(struct lines *l, bool is_empty)
{
        bool joins = l->is_soft && l->marks == l->depth && !is_empty;
        if (l->is_soft && !joins)
                wr_byte(l->w, '\n');
        for (unsigned i = 0; i < l->marks && !joins; i++)
                wr_byte(l->w, '>');
        if (l->marks > 0 && !joins)
                wr_byte(l->w, ' ');
        if (!joins)
                l->size = 0;
        l->depth = l->marks;
        l->is_head = l->is_soft = false;
        l->last = 0;
}

static void line_show(struct lines *l, uint32_t code)
{
        static const char signature[] = "-- ";
        if (l->size == 0)
                l->is_signature = true;
        l->is_signature = l->is_signature && l->size < 3 && code == (uint8_t)signature[l->size];
        utf8_write(l->w, code);
        l->size++;
        l->last = code;
}

static void line_end(struct lines *l)
{
        bool signature = l->is_signature && l->size == 3;
        if (l->is_head)
                line_begin(l, true);
        l->is_soft = l->flowed && l->last == ' ' && !signature;
        if (l->is_soft && l->deletes_space && l->w->n > 0 && !l->w->full)
                l->w->n--;
        if (!l->is_soft)
                wr_byte(l->w, '\n');
        l->is_head = true;
        l->marks = 0;
        l->is_signature = false;
}

/* RFC 3676 4.4, 4.5: behind the marks one space is stuffing. */
static void flowed_put(struct lines *l, uint32_t code)
{
        if (!l->is_head) {
                line_show(l, code);
                return;
        }
        if (code == '>' && l->marks < HTML_QUOTE_MAX) {
                l->marks++;
                return;
        }
        line_begin(l, false);
        if (code != ' ')
                line_show(l, code);
}

static void write_plain(struct source *s, struct lines *l)
{
        uint32_t code, last = '\n';
        while ((code = source_clean(s)) != END) {
                if (code == '\n')
                        line_end(l);
                else if (l->flowed)
                        flowed_put(l, code);
                else
                        utf8_write(l->w, code);
                last = code;
        }
        if (last != '\n' || l->is_soft)
                wr_byte(l->w, '\n');
}

static void write_html(struct source *s, struct wr *w)
{
        struct html_text h;
        uint32_t code;
        html_text_init(&h, w);
        while ((code = source_clean(s)) != END)
                html_text_put(&h, code);
        html_text_end(&h);
}

/* A parameter as a short word, empty when there is none or it is longer. */
static struct str parameter(const struct mime_type *t, struct str name, char *buffer, size_t cap)
{
        struct wr w;
        wr_init(&w, buffer, cap);
        return mime_parameter(t, name, &w) && !w.full ? wr_text(&w) : S("");
}

static void write_text(const struct mime_entity *e, bool html, struct wr *w)
{
        char buffer[NAME_MAX_SIZE];
        struct str charset = parameter(&e->type, S("charset"), buffer, sizeof buffer);
        struct source s = {.charset = charset.n == 0 ? CHARSET_UTF8 : charset_of(charset)};
        mail_transfer_in_init(&s.in, mail_transfer_of(e->encoding), e->body);
        if (html) {
                write_html(&s, w);
                return;
        }
        struct lines l = {.w = w, .is_head = true};
        l.flowed = str_eq_nocase(parameter(&e->type, S("format"), buffer, sizeof buffer), S("flowed"));
        l.deletes_space = str_eq_nocase(parameter(&e->type, S("delsp"), buffer, sizeof buffer), S("yes"));
        write_plain(&s, &l);
}

/* The first part of that subtype of text, from the outside in and from the top down. */
static bool find_text(struct str text, struct str subtype, unsigned depth, struct mime_entity *out)
{
        char buffer[BOUNDARY_MAX];
        struct str part;
        size_t at = 0;
        mime_entity_read(text, out);
        if (mime_type_is(&out->type, S("text"), subtype))
                return !str_eq_nocase(out->disposition, S("attachment"));
        if (!mime_type_is(&out->type, S("multipart"), S("")) || depth == MIME_DEPTH_MAX ||
                mime_type_is(&out->type, S("multipart"), S("digest")))
                return false;
        struct str boundary = parameter(&out->type, S("boundary"), buffer, sizeof buffer), body = out->body;
        while (boundary.n > 0 && mime_part_next(body, boundary, &at, &part))
                if (find_text(part, subtype, depth + 1, out))
                        return true;
        return false;
}

static bool is_blank(struct str text)
{
        for (size_t i = 0; i < text.n; i++)
                if (text.p[i] != ' ' && text.p[i] != '\n' && text.p[i] != '\t')
                        return false;
        return true;
}

enum mime_text mime_text_read(struct str message, struct wr *w)
{
        struct mime_entity plain, html;
        struct wr undo = *w;
        bool has_plain = find_text(message, S("plain"), 0, &plain);
        if (has_plain)
                write_text(&plain, false, w);
        if ((has_plain && !is_blank(str_skip(wr_text(w), undo.n))) ||
                !find_text(message, S("html"), 0, &html))
                return has_plain ? MIME_TEXT_PLAIN : MIME_TEXT_NONE;
        *w = undo;
        write_text(&html, true, w);
        return MIME_TEXT_HTML;
}
