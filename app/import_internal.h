/* SPDX-License-Identifier: ISC */
/* What the readers of import.h share. */
#ifndef APP_IMPORT_INTERNAL_H
#define APP_IMPORT_INTERNAL_H

#include "app/import.h"
#include "base/wr.h"

#define IMPORT_LIST_MAX 320 /* a local part and a domain */

/* What the members of the other list may post, and what all others may: together they are our `posting`. */
enum import_right { IMPORT_UNSAID, IMPORT_FREE, IMPORT_HELD, IMPORT_REFUSED };

struct import {
        const struct import_file *file;
        struct import_sink sink;
        struct wr room;
        size_t line;
        size_t digests; /* members who got digests */
        enum import_right members, others;
        char list
                [IMPORT_LIST_MAX]; /* Mailman 3's id of the list whose members these are; empty: not told yet */
        size_t list_n;
};

/* Mailman 3 can tell the members of all lists in one answer: none of them is to get into a list of ours unseen.
 *   ERR_OK      `id` is that of all before, or empty
 *   ERR_DENIED  another one, or too long to compare */
enum err import_same_list(struct import *i, struct str id);

enum err import_plain(struct import *i);
enum err import_mailman2(struct import *i);
enum err import_mailman3(struct import *i);
enum err import_mlmmj(struct import *i);
enum err import_sympa(struct import *i);

/* Give the sink one item; its line is the current one. */
enum err import_give(struct import *i, struct import_item item);
enum err import_left(struct import *i, struct str theirs, const char *why);

/* How a setting of theirs becomes one of ours. */
enum import_rule {
        IMPORT_WORDS,     /* by a table */
        IMPORT_TEXT,      /* a text in one line, without placeholders */
        IMPORT_KILOBYTES, /* a size in units of 1024 */
        IMPORT_BYTES,     /* a size; 0 is none, and none of ours is without limit */
        IMPORT_LANGUAGE,  /* a tag, of which the first part counts */
        IMPORT_ABSENT     /* there is no such thing here */
};
struct import_word {
        const char
                *theirs;  /* a final `*` stands for any rest; the first that matches counts; ends with NULL */
        const char *ours; /* NULL: there is none */
};
struct import_setting {
        const char *theirs; /* ends with NULL */
        const char *ours;
        enum import_rule rule;
        const struct import_word *words;
};
/* The setting of that name in a table, or NULL. */
const struct import_setting *import_find(const struct import_setting *table, struct str theirs);
/* Their value, as ours to the sink, or as left. */
enum err import_set(struct import *i, const struct import_setting *setting, struct str value);
/* Our word for theirs, "" when there is none. */
struct str import_word(const struct import_word *words, struct str theirs);

/* Each line of a text in turn, counted, without its end; false behind the last. */
bool import_line(struct import *i, struct str *rest, struct str *line);
/* `text` in UTF-8: as it is, or read as ISO 8859-1, in the room. */
struct str import_utf8(struct import *i, struct str text);
/* Digits are Unix seconds; else "2026-11-22", "2026-11-22T17:00:00Z" and the like; 0 for anything else. */
int64_t import_time_ms(struct str text);

#endif
