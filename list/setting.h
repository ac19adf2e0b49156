/* SPDX-License-Identifier: ISC */
/* The settings of a list: their names, what they may be, and what they are when nobody has set them. Pure. */
#ifndef LIST_SETTING_H
#define LIST_SETTING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

#define SETTING_TEXT_MAX 200 /* octets of a free text: one header field or line of a footer */

/* In the order of `settings`. */
enum setting_id {
        SETTING_SUBSCRIPTION,
        SETTING_POSTING,
        SETTING_FIRST_POST,
        SETTING_FROM,
        SETTING_REPLY_TO,
        SETTING_SUBJECT_PREFIX,
        SETTING_FOOTER,
        SETTING_WHO,
        SETTING_DUPLICATES,
        SETTING_MAX_MESSAGE,
        SETTING_ARCHIVE,
        SETTING_DESCRIPTION,
        SETTING_LANGUAGE,
        SETTING_REPORT,
        SETTINGS
};

struct setting {
        const char *name;
        const char *values; /* for people: "subscribers | open | ..." */
        const char *standard;
        const char *help;
        const char *help_fr;
};

/* Ends with an entry whose name is NULL. */
extern const struct setting settings[SETTINGS + 1];

/* NULL when there is none of that name. */
const struct setting *setting_find(struct str name);
/* May `value` be the value of that setting?
 *   ERR_OK
 *   ERR_SYNTAX  not one of its words, not a size or language, or a text with a control character or broken UTF-8
 *   ERR_LIMIT   a text longer than SETTING_TEXT_MAX, a size of 0 or above 2^53 */
MUST_USE enum err setting_check(const struct setting *setting, struct str value);

/* The settings in force, for decisions: the standard ones, then those of the list put over them one by one. */
struct setting_values {
        struct str v[SETTINGS]; /* borrowed from what was put */
};
void setting_values_init(struct setting_values *values);
/* A name or value that we do not know (another version wrote it) changes nothing. */
void setting_values_put(struct setting_values *values, struct str name, struct str value);
bool setting_is(const struct setting_values *values, enum setting_id id, struct str word);

#endif
