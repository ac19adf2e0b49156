/* SPDX-License-Identifier: ISC */
#include "app/import.h"

#include <string.h>

#include "app/import_internal.h"
#include "base/ascii.h"
#include "base/check.h"
#include "base/time_text.h"
#include "base/utf8.h"
#include "list/setting.h"

static const struct {
        const char *name;
        enum import_format format;
        enum err (*read)(struct import *i);
} formats[] = {
        {"", IMPORT_PLAIN, import_plain},
        {"mailman2", IMPORT_MAILMAN2, import_mailman2},
        {"mailman3", IMPORT_MAILMAN3, import_mailman3},
        {"mlmmj", IMPORT_MLMMJ, import_mlmmj},
        {"sympa", IMPORT_SYMPA, import_sympa},
};

enum err import_format_of(struct str name, enum import_format *out)
{
        *out = IMPORT_PLAIN;
        for (size_t i = 1; i < sizeof formats / sizeof formats[0]; i++)
                if (str_eq(name, str_of_c(formats[i].name))) {
                        *out = formats[i].format;
                        return ERR_OK;
                }
        return ERR_NOT_FOUND;
}

enum err import_give(struct import *i, struct import_item item)
{
        item.line = i->line;
        return i->sink.take(i->sink.ctx, &item);
}

enum err import_left(struct import *i, struct str theirs, const char *why)
{
        return import_give(i, (struct import_item){.kind = IMPORT_LEFT, .name = theirs, .why = why});
}

static enum err give_setting(struct import *i, const char *ours, struct str value)
{
        return import_give(
                i, (struct import_item){.kind = IMPORT_SETTING, .name = str_of_c(ours), .text = value});
}

enum err import_same_list(struct import *i, struct str id)
{
        if (id.n > sizeof i->list)
                return ERR_DENIED;
        if (i->list_n == 0 && id.n > 0) {
                memcpy(i->list, id.p, id.n);
                i->list_n = id.n;
        }
        return id.n == 0 || str_eq_nocase(id, str_of(i->list, i->list_n)) ? ERR_OK : ERR_DENIED;
}

/* Values. */

const struct import_setting *import_find(const struct import_setting *table, struct str theirs)
{
        for (; table->theirs != NULL; table++)
                if (str_eq(str_of_c(table->theirs), theirs))
                        return table;
        return NULL;
}

struct str import_word(const struct import_word *words, struct str theirs)
{
        for (; words->theirs != NULL; words++) {
                struct str word = str_of_c(words->theirs);
                bool is_prefix = word.p[word.n - 1] == '*';
                if (is_prefix ? str_has_prefix(theirs, str_take(word, word.n - 1)) : str_eq(theirs, word))
                        return words->ours != NULL ? str_of_c(words->ours) : S("");
        }
        return S("");
}

static bool has_placeholder(struct str text)
{
        static const char *const marks[] = {"%(", "%d", "%0", "[%", "${"};
        for (size_t k = 0; k < sizeof marks / sizeof marks[0]; k++)
                if (str_find(text, str_of_c(marks[k])) < text.n)
                        return true;
        return false;
}

static enum err set_text(struct import *i, const struct import_setting *s, struct str value)
{
        value = str_trim(value);
        if (value.n == 0)
                value = S("none");
        if (has_placeholder(value))
                return import_left(i, str_of_c(s->theirs), "has placeholders");
        if (str_find_byte(value, '\n') < value.n)
                return import_left(i, str_of_c(s->theirs), "has more than one line");
        switch (setting_check(setting_find(str_of_c(s->ours)), value)) {
        case ERR_OK:
                return give_setting(i, s->ours, value);
        case ERR_LIMIT:
                return import_left(i, str_of_c(s->theirs), "is longer than 200 octets");
        default:
                return import_left(i, str_of_c(s->theirs), "has control characters");
        }
}

static enum err set_size(struct import *i, const struct import_setting *s, struct str value)
{
        uint64_t size;
        char text[32];
        struct wr w;
        if (str_to_u64(value, 1 << 30, &size) != ERR_OK)
                return import_left(i, str_of_c(s->theirs), "is no size");
        if (size == 0)
                return import_left(i, str_of_c(s->theirs), "every list here has a limit");
        wr_init(&w, text, sizeof text);
        wr_u64(&w, size);
        if (s->rule == IMPORT_KILOBYTES)
                wr_byte(&w, 'K');
        return give_setting(i, s->ours, wr_text(&w));
}

/* "pt_BR", "en-us" */
static enum err set_language(struct import *i, const struct import_setting *s, struct str value)
{
        size_t n = 0;
        while (n < value.n && ascii_is_alpha(value.p[n]))
                n++;
        value = str_take(value, n);
        if (setting_check(setting_find(str_of_c(s->ours)), value) != ERR_OK)
                return import_left(i, str_of_c(s->theirs), "is no language");
        return give_setting(i, s->ours, value);
}

enum err import_set(struct import *i, const struct import_setting *s, struct str value)
{
        struct str ours;
        switch (s->rule) {
        case IMPORT_WORDS:
                ours = import_word(s->words, value);
                return ours.n > 0 ? give_setting(i, s->ours, ours)
                                  : import_left(i, str_of_c(s->theirs), "has no like here");
        case IMPORT_TEXT:
                return set_text(i, s, import_utf8(i, value));
        case IMPORT_KILOBYTES:
        case IMPORT_BYTES:
                return set_size(i, s, str_trim(value));
        case IMPORT_LANGUAGE:
                return set_language(i, s, value);
        case IMPORT_ABSENT:
                break;
        }
        return import_left(i, str_of_c(s->theirs), "has no like here");
}

/* What was gathered over the file. */
static enum err finish(struct import *i)
{
        enum err err = ERR_OK;
        if (i->digests > 0)
                err = import_left(i, S("digests"), "who got them gets every post by itself");
        if (err != ERR_OK || (i->members == IMPORT_UNSAID && i->others == IMPORT_UNSAID))
                return err;
        if (i->members == IMPORT_HELD || i->members == IMPORT_REFUSED)
                return give_setting(i, "posting", i->members == IMPORT_HELD ? S("moderated") : S("announce"));
        if (i->others == IMPORT_FREE)
                return give_setting(i, "posting", S("open"));
        err = give_setting(i, "posting", S("subscribers"));
        return err == ERR_OK && i->others == IMPORT_HELD
                       ? import_left(i, S("held posts of others"), "they are refused here")
                       : err;
}

enum err import_read(const struct import_file *file, struct import_sink sink, size_t *line)
{
        struct import i = {.file = file, .sink = sink};
        wr_init(&i.room, file->room, IMPORT_ROOM(file->text.n));
        enum err err = ERR_OK;
        for (size_t k = 0; k < sizeof formats / sizeof formats[0]; k++)
                if (formats[k].format == file->format)
                        err = formats[k].read(&i);
        if (err == ERR_OK)
                err = finish(&i);
        *line = i.line;
        return err;
}

const char *const *import_folder(enum import_format format)
{
        /* What comes later replaces what comes earlier: a list that is closed to joining is so however people would join. */
        static const char *const mlmmj[] = {"control/listaddress", "control/nosubconfirm", "control/submod",
                "control/closedlistsub", "control/closedlist", "control/subonlypost",
                "control/modnonsubposts", "control/moderated", "control/modonlypost", "control/owner",
                "control/moderators", "control/prefix", "control/footer", "control/maxmailsize",
                "control/noarchive", "control/notmetoo", "control/access", "control/customheaders",
                "subscribers.d/", "digesters.d/", "nomailsubs.d/", NULL};
        static const char *const sympa[] = {"config", "message.footer", "message_footer", "owner.dump",
                "editor.dump", "subscribers.db.dump", "member.dump", NULL};
        return format == IMPORT_MLMMJ ? mlmmj : format == IMPORT_SYMPA ? sympa : NULL;
}

/* Text. */

bool import_line(struct import *i, struct str *rest, struct str *line)
{
        if (rest->n == 0)
                return false;
        (void)str_cut(*rest, '\n', line, rest);
        if (line->n > 0 && line->p[line->n - 1] == '\r')
                line->n--;
        i->line++;
        return true;
}

struct str import_utf8(struct import *i, struct str text)
{
        if (utf8_is_valid(text))
                return text;
        size_t at = i->room.n;
        for (size_t k = 0; k < text.n; k++)
                utf8_write(&i->room, (unsigned char)text.p[k]);
        CHECK(wr_end(&i->room) == ERR_OK);
        return str_skip(wr_text(&i->room), at);
}

static bool digits(struct str *text, size_t n, char before, int *out)
{
        uint64_t number;
        if (before != 0 && (text->n == 0 || text->p[0] != before))
                return false;
        *text = str_skip(*text, before != 0);
        if (text->n < n || str_to_u64(str_take(*text, n), 9999, &number) != ERR_OK)
                return false;
        *out = (int)number;
        *text = str_skip(*text, n);
        return true;
}

int64_t import_time_ms(struct str text)
{
        uint64_t unix_s;
        struct time_civil c = {0};
        int ms = 0;
        if (str_to_u64(text, TIME_UNIX_MAX, &unix_s) == ERR_OK)
                return (int64_t)unix_s * 1000;
        if (!digits(&text, 4, 0, &c.year) || !digits(&text, 2, '-', &c.month) ||
                !digits(&text, 2, '-', &c.day) || c.year < 1970 || c.month < 1 || c.month > 12 || c.day < 1 ||
                c.day > time_days_in_month(c.year, c.month))
                return 0;
        char before = text.n > 0 && (text.p[0] == 'T' || text.p[0] == ' ') ? text.p[0] : 'T';
        if (digits(&text, 2, before, &c.hour) && digits(&text, 2, ':', &c.minute))
                (void)(digits(&text, 2, ':', &c.second) && digits(&text, 3, '.', &ms));
        if (c.hour > 23 || c.minute > 59 || c.second > 59)
                return 0;
        return time_unix_of_civil(&c) * 1000 + ms;
}
