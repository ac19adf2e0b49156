/* SPDX-License-Identifier: ISC */
/* The settings of a list: their names, what they may be, and what they are when nobody has set them. Pure. */
#ifndef LIST_SETTING_H
#define LIST_SETTING_H

#include <stddef.h>

#include "base/str.h"

#define SETTING_TEXT_MAX 200 /* octets of a free text: one header field or line of a footer */

struct setting {
        const char *name;
        const char *values; /* for people: "subscribers | open | ..." */
        const char *standard;
        const char *help;
};

/* Ends with an entry whose name is NULL. */
extern const struct setting settings[];

/* NULL when there is none of that name. */
const struct setting *setting_find(struct str name);
/* May `value` be the value of that setting?
 *   ERR_OK
 *   ERR_SYNTAX  not one of its words, not a size or language, or a text with a control character or broken UTF-8
 *   ERR_LIMIT   a text longer than SETTING_TEXT_MAX, a size of 0 or above 2^53 */
MUST_USE enum err setting_check(const struct setting *setting, struct str value);

#endif
