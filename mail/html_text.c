/* SPDX-License-Identifier: ISC */
#include "mail/html_text.h"

#include "base/ascii.h"
#include "base/utf8.h"

void html_text_init(struct html_text *h, struct wr *w)
{
        *h = (struct html_text){.w = w};
}

static bool is_blank(uint32_t code)
{
        return code <= ' ' || code == 0x7f || (code >= 0x80 && code <= 0xa0);
}

static void show(struct html_text *h, uint32_t code)
{
        if (h->skipped != 0)
                return;
        if (is_blank(code)) {
                h->has_blank = h->has_text;
                return;
        }
        for (unsigned i = 0; !h->has_text && i < h->depth && i < HTML_QUOTE_MAX; i++)
                wr_str(h->w, S("> "));
        if (h->has_blank)
                wr_byte(h->w, ' ');
        utf8_write(h->w, code);
        h->has_text = true;
        h->has_blank = false;
}

static void end_line(struct html_text *h, bool always)
{
        if (h->skipped != 0)
                return;
        if (h->has_text || always)
                wr_byte(h->w, '\n');
        h->has_text = h->has_blank = false;
}

static struct str name_of(const struct html_text *h)
{
        return str_of(h->name, h->name_size <= sizeof h->name ? h->name_size : 0);
}

static void name_begin(struct html_text *h, enum html_state state)
{
        h->state = state;
        h->name_size = 0;
}

static void name_put(struct html_text *h, uint32_t code)
{
        if (h->name_size < sizeof h->name)
                h->name[h->name_size] = code < 0x80 ? ascii_lower((char)code) : '?';
        if (h->name_size <= sizeof h->name)
                h->name_size++;
}

static bool is_among(struct str name, const char *const *names)
{
        for (; *names; names++)
                if (str_eq(name, str_of_c(*names)))
                        return true;
        return false;
}

/* A tag whose name has been read, with the slash of one that ends an element. */
static void tag_got(struct html_text *h)
{
        static const char *const blocks[] = {"p", "div", "tr", "li", "ul", "ol", "dl", "dt", "dd", "table",
                "pre", "hr", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "body", "html", "section",
                "article", "header", "footer", NULL};
        static const char *const hidden[] = {"script", "style", "title", "head", NULL};
        struct str name = name_of(h);
        bool ends = str_has_prefix(name, S("/"));
        name = str_skip(name, ends);
        if (is_among(name, hidden)) {
                if (!ends && h->skipped == 0)
                        h->skipped = name.p[1];
                else if (ends && h->skipped == name.p[1])
                        h->skipped = 0;
        } else if (str_eq(name, S("body"))) {
                h->skipped = 0;
        }
        if (str_eq(name, S("br")))
                end_line(h, true);
        else if (is_among(name, blocks))
                end_line(h, false);
        if (h->skipped == 0 && str_eq(name, S("blockquote")))
                h->depth = ends ? h->depth - (h->depth > 0) : h->depth + 1;
}

/* What follows "&": a character reference without its mark and semicolon. 0: none that we know. */
static uint32_t entity_code(struct str name)
{
        static const struct {
                struct str name;
                uint32_t code;
        } named[] = {{{"amp", 3}, '&'}, {{"lt", 2}, '<'}, {{"gt", 2}, '>'}, {{"quot", 4}, '"'},
                {{"apos", 4}, '\''}, {{"nbsp", 4}, ' '}};
        bool hex = str_has_prefix(name, S("#x"));
        uint32_t code = 0;
        for (size_t i = 0; i < sizeof named / sizeof named[0]; i++)
                if (str_eq(named[i].name, name))
                        return named[i].code;
        if (!str_has_prefix(name, S("#")))
                return 0;
        for (size_t i = hex ? 2 : 1; i < name.n; i++) {
                char c = name.p[i];
                if (!(hex ? ascii_is_hex(c) : ascii_is_digit(c)) || code > 0x10ffff)
                        return 0;
                code = code * (hex ? 16 : 10) +
                       (uint32_t)(ascii_is_digit(c) ? c - '0' : ascii_lower(c) - 'a' + 10);
        }
        return code;
}

/* It was no reference after all: what was read stands for itself. */
static void entity_show(struct html_text *h)
{
        struct str name = name_of(h);
        show(h, '&');
        for (size_t i = 0; i < name.n; i++)
                show(h, (uint8_t)name.p[i]);
        h->state = HTML_TEXT;
}

static void entity_put(struct html_text *h, uint32_t code)
{
        bool belongs = code < 0x80 && (ascii_is_alnum((char)code) || (code == '#' && h->name_size == 0));
        if (belongs && h->name_size < HTML_NAME_MAX) {
                name_put(h, code);
                return;
        }
        uint32_t meant = code == ';' ? entity_code(name_of(h)) : 0;
        h->state = HTML_TEXT;
        if (meant != 0) {
                show(h, meant);
                return;
        }
        entity_show(h);
        html_text_put(h, code);
}

/* "<" and what follows it directly: a name, "/", "!" or "?" make it a tag. */
static void name_got(struct html_text *h, uint32_t code)
{
        if (h->name_size == 0 &&
                !(code < 0x80 && (ascii_is_alpha((char)code) || code == '/' || code == '!' || code == '?'))) {
                h->state = HTML_TEXT;
                show(h, '<');
                html_text_put(h, code);
                return;
        }
        if (code < 0x80 && (ascii_is_alnum((char)code) || code == '!' || code == '-' || code == '?' ||
                                   (code == '/' && h->name_size == 0))) {
                name_put(h, code);
                if (str_eq(name_of(h), S("!--"))) {
                        h->state = HTML_COMMENT;
                        h->dashes = 0;
                }
                return;
        }
        h->state = HTML_TAG;
        html_text_put(h, code);
}

static void tag_put(struct html_text *h, uint32_t code)
{
        if (code == '>') {
                h->state = HTML_TEXT;
                tag_got(h);
        } else if (code == '"' || code == '\'') {
                h->state = HTML_QUOTED;
                h->mark = (char)code;
        }
}

static void comment_put(struct html_text *h, uint32_t code)
{
        if (code == '>' && h->dashes >= 2)
                h->state = HTML_TEXT;
        h->dashes = code == '-' ? h->dashes + (h->dashes < 2) : 0;
}

static void text_put(struct html_text *h, uint32_t code)
{
        if (code == '<')
                name_begin(h, HTML_NAME);
        else if (code == '&' && h->skipped == 0)
                name_begin(h, HTML_ENTITY);
        else
                show(h, code);
}

void html_text_put(struct html_text *h, uint32_t code)
{
        switch (h->state) {
        case HTML_TEXT:
                text_put(h, code);
                break;
        case HTML_ENTITY:
                entity_put(h, code);
                break;
        case HTML_NAME:
                name_got(h, code);
                break;
        case HTML_TAG:
                tag_put(h, code);
                break;
        case HTML_QUOTED:
                if (code == (uint8_t)h->mark)
                        h->state = HTML_TAG;
                break;
        case HTML_COMMENT:
                comment_put(h, code);
                break;
        }
}

void html_text_end(struct html_text *h)
{
        if (h->state == HTML_ENTITY)
                entity_show(h);
        else if (h->state == HTML_NAME && h->name_size == 0)
                show(h, '<');
        h->skipped = 0;
        end_line(h, false);
}
