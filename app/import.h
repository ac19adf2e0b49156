/* SPDX-License-Identifier: ISC */
/* Dumps of other list managers, and plain lists of addresses, read into what a list of ours can hold: its people and its
 * settings. Pure: no I/O, no clock; whose text it is decides nothing but what the caller is given.
 *
 *   plain     one address a line, "Name <address>" too, or CSV (RFC 4180) with titles
 *   mailman2  `config_list -o`, `dumpdb` of config.pck, `list_members`; told apart by their first bytes
 *   mailman3  JSON of the REST interface (config, roster, bans), CSV of its tables, `mailman members`
 *   mlmmj     the files of a list's folder
 *   sympa     the files of a list's folder: config, dumps of members, owners and editors */
#ifndef APP_IMPORT_H
#define APP_IMPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum import_format { IMPORT_PLAIN, IMPORT_MAILMAN2, IMPORT_MAILMAN3, IMPORT_MLMMJ, IMPORT_SYMPA };

/*   ERR_OK, or ERR_NOT_FOUND with IMPORT_PLAIN */
MUST_USE enum err import_format_of(struct str name, enum import_format *out);

enum import_kind {
        IMPORT_MEMBER,    /* with the flags, which add to those of other items of the same address */
        IMPORT_OPTIONS,   /* flags of an address, which need not be a member's */
        IMPORT_MODERATOR, /* owners too */
        IMPORT_BAN,
        IMPORT_SETTING, /* one of list/setting.h, with a value that it may have; a later one replaces an earlier */
        IMPORT_LEFT /* theirs, and cannot be had here */
};

struct import_item {
        enum import_kind kind;
        struct str
                text; /* the address as written, to be checked; "Name <address>" too; or the setting's value */
        struct str name;   /* of the setting, or of what was left */
        const char *why;   /* it was left: a short phrase that lives for ever */
        int64_t joined_ms; /* of a member, 0: not told */
        bool is_nomail, no_own_posts;
        size_t line; /* from 1, where it stands */
};

/* Gets each item; its slices are borrowed for the call. What it returns, if not ERR_OK, ends the reading. */
struct import_sink {
        enum err (*take)(void *ctx, const struct import_item *item);
        void *ctx;
};

/* One file. `path` is its name as far as known: its last parts tell which of mlmmj's and sympa's it is. `room` has
 * IMPORT_ROOM(text.n) bytes for decoded strings. `*line` is where the reading ended.
 *   ERR_OK
 *   ERR_SYNTAX  not what the format says, at that line
 *   ERR_LIMIT   nested too deeply there
 *   ERR_DENIED  who stands there is of another list than those before
 *   what the sink returned */
#define IMPORT_ROOM(text_n) (3 * (text_n) + 64)
struct import_file {
        enum import_format format;
        struct str path, text;
        char *room;
};
MUST_USE enum err import_read(const struct import_file *file, struct import_sink sink, size_t *line);

/* What of a folder belongs to the dump of a list, in the order in which it is to be read; "x/" stands for each file in x.
 * Ends with NULL; NULL itself for formats that know no folder. */
const char *const *import_folder(enum import_format format);

#endif
