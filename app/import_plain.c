/* SPDX-License-Identifier: ISC */
/* One address a line, or CSV: of spreadsheets, of our own export, and of the tables of Mailman 3. */
#include <string.h>

#include "app/import_internal.h"
#include "base/ascii.h"

#define COLUMNS_MAX 64

enum column {
        COLUMN_OTHER,
        COLUMN_ADDRESS,
        COLUMN_OPTIONS, /* our own words for them */
        COLUMN_JOINED,
        COLUMN_ROLE, /* Mailman 3, word or number, as the next ones */
        COLUMN_STATUS,
        COLUMN_MODE,
        COLUMN_OWN,
        COLUMN_LIST
};

struct plain {
        struct import *import;
        enum column columns[COLUMNS_MAX];
        size_t address; /* the number of its column */
        bool has_titles;
};

static const struct {
        const char *title;
        enum column column;
} titles[] = {
        {"email", COLUMN_ADDRESS},
        {"e-mail", COLUMN_ADDRESS},
        {"address", COLUMN_ADDRESS},
        {"email address", COLUMN_ADDRESS},
        {"e-mail address", COLUMN_ADDRESS},
        {"mail", COLUMN_ADDRESS},
        {"options", COLUMN_OPTIONS},
        {"joined", COLUMN_JOINED},
        {"role", COLUMN_ROLE},
        {"delivery_status", COLUMN_STATUS},
        {"delivery_mode", COLUMN_MODE},
        {"receive_own_postings", COLUMN_OWN},
        {"list_id", COLUMN_LIST},
};

static bool is_separator(char c)
{
        return c == ',' || c == ';' || c == '\t';
}

/* Where a quoted field ends: a quote that is not doubled (RFC 4180 2.7), or the end. */
static size_t closing_quote(struct str s)
{
        size_t n = 0;
        while (n < s.n && (s.p[n] != '"' || (n + 1 < s.n && s.p[n + 1] == '"')))
                n += s.p[n] == '"' ? 2 : 1;
        return n;
}

/* Each two quotes are one. */
static struct str undouble(struct import *i, struct str field)
{
        size_t at = i->room.n;
        if (str_find_byte(field, '"') == field.n)
                return field;
        for (size_t k = 0; k < field.n; k += field.p[k] == '"' ? 2 : 1)
                wr_byte(&i->room, field.p[k]);
        return str_skip(wr_text(&i->room), at);
}

/* One field of a line, without its quotes. */
static struct str next_field(struct import *i, struct str *line)
{
        struct str rest = *line, inside = S("");
        while (rest.n > 0 && rest.p[0] == ' ')
                rest = str_skip(rest, 1);
        bool is_quoted = rest.n > 0 && rest.p[0] == '"';
        if (is_quoted) {
                inside = str_take(str_skip(rest, 1), closing_quote(str_skip(rest, 1)));
                *line = str_skip(rest, inside.n + 2);
        }
        size_t n = 0;
        while (n < line->n && !is_separator(line->p[n]))
                n++;
        struct str field = is_quoted ? undouble(i, inside) : str_take(*line, n);
        *line = str_skip(*line, n + 1);
        return str_trim(field);
}

static enum column column_of(struct str title)
{
        for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++)
                if (str_eq_nocase(title, str_of_c(titles[i].title)))
                        return titles[i].column;
        return COLUMN_OTHER;
}

/* The titles of CSV say which column the address is in; without any, it is the first one. */
static bool take_titles(struct plain *p, struct str line)
{
        enum column columns[COLUMNS_MAX] = {COLUMN_OTHER};
        size_t address = COLUMNS_MAX;
        for (size_t i = 0; line.n > 0 && i < COLUMNS_MAX; i++) {
                columns[i] = column_of(next_field(p->import, &line));
                if (columns[i] == COLUMN_ADDRESS && address == COLUMNS_MAX)
                        address = i;
        }
        if (address == COLUMNS_MAX)
                return false;
        memcpy(p->columns, columns, sizeof columns);
        p->address = address;
        p->has_titles = true;
        return true;
}

static enum err take_options(struct import_item *item, struct str words)
{
        while (words.n > 0) {
                struct str word;
                (void)str_cut(words, ' ', &word, &words);
                if (str_eq_nocase(word, S("nomail")))
                        item->is_nomail = true;
                else if (str_eq_nocase(word, S("no-own-posts")))
                        item->no_own_posts = true;
                else if (word.n > 0)
                        return ERR_SYNTAX;
        }
        return ERR_OK;
}

/* Mailman 3's MemberRole, as word or number. Nonmembers are addresses it has an opinion about. */
static bool take_role(struct import_item *item, struct str role)
{
        static const struct import_word roles[] = {{"member", "member"}, {"1", "member"},
                {"owner", "moderator"}, {"2", "moderator"}, {"moderator", "moderator"}, {"3", "moderator"},
                {NULL, NULL}};
        struct str ours = role.n == 0 ? S("member") : import_word(roles, role);
        if (str_eq(ours, S("moderator")))
                item->kind = IMPORT_MODERATOR;
        return ours.n > 0;
}

static enum err take_field(
        struct plain *p, struct import_item *item, enum column column, struct str field, bool *is_wanted)
{
        switch (column) {
        case COLUMN_OPTIONS:
                return take_options(item, field);
        case COLUMN_JOINED:
                item->joined_ms = import_time_ms(field);
                return field.n == 0 || item->joined_ms > 0 ? ERR_OK : ERR_SYNTAX;
        case COLUMN_ROLE:
                *is_wanted = take_role(item, field);
                return ERR_OK;
        case COLUMN_STATUS:
                item->is_nomail = field.n > 0 && !str_eq(field, S("enabled")) && !str_eq(field, S("1"));
                return ERR_OK;
        case COLUMN_MODE:
                p->import->digests += field.n > 0 && !str_eq(field, S("regular")) && !str_eq(field, S("1"));
                return ERR_OK;
        case COLUMN_OWN:
                item->no_own_posts = str_has_prefix_nocase(field, S("f")) || str_eq(field, S("0"));
                return ERR_OK;
        case COLUMN_LIST:
                return import_same_list(p->import, field);
        case COLUMN_ADDRESS:
        case COLUMN_OTHER:
                break;
        }
        return ERR_OK;
}

static enum err take_csv(struct plain *p, struct str line)
{
        struct import_item item = {.kind = IMPORT_MEMBER};
        bool is_wanted = true;
        enum err err = ERR_OK;
        for (size_t i = 0; err == ERR_OK && line.n > 0; i++) {
                struct str field = next_field(p->import, &line);
                if (i == p->address)
                        item.text = field;
                else if (i < COLUMNS_MAX)
                        err = take_field(p, &item, p->columns[i], field, &is_wanted);
        }
        if (err == ERR_OK && item.text.n == 0)
                err = ERR_SYNTAX;
        return err == ERR_OK && is_wanted ? import_give(p->import, item) : err;
}

static bool is_csv(struct str line)
{
        for (size_t i = 0; i < line.n; i++)
                if (is_separator(line.p[i]))
                        return line.p[0] != '<' && str_find_byte(line, '<') == line.n;
        return false;
}

enum err import_plain(struct import *i)
{
        struct plain p = {.import = i};
        struct str rest = i->file->text, line;
        bool is_first = true;
        enum err err = ERR_OK;
        if (str_has_prefix(rest, S("\xef\xbb\xbf"))) /* a byte order mark */
                rest = str_skip(rest, 3);
        while (err == ERR_OK && import_line(i, &rest, &line)) {
                i->room.n = 0;
                struct str trimmed = str_trim(line);
                if (trimmed.n == 0 || trimmed.p[0] == '#')
                        continue;
                if (is_first && take_titles(&p, line))
                        err = ERR_OK;
                else if (p.has_titles || is_csv(trimmed))
                        err = take_csv(&p, line);
                else
                        err = import_give(i, (struct import_item){.kind = IMPORT_MEMBER, .text = trimmed});
                is_first = false;
        }
        return err;
}
