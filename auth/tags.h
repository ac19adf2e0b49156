/* SPDX-License-Identifier: ISC */
/* Tag lists, `name=value; name=value` (RFC 6376 3.2), as DKIM signatures and keys, ARC and DMARC write them. Strict.
 * Pure: no I/O, no allocation. All slices are borrowed from the text. */
#ifndef AUTH_TAGS_H
#define AUTH_TAGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/limits.h"
#include "base/str.h"

struct tag {
        struct str name;
        struct str
                value; /* as written, without white space at its ends; may be folded inside, may be empty */
        struct str
                span; /* all between '=' and the next ';' or the end: what "the value deleted" means (3.5 b=) */
};

struct tags {
        size_t count;
        struct tag list[DKIM_TAGS_MAX];
};

/* Parse a whole tag list. White space is SP, HTAB, and CRLF before one of those.
 *   ERR_OK      at least one tag; one `;` at the end is allowed
 *   ERR_SYNTAX  empty, no `=`, a name that is not a word, a control byte, or a fold that continues nothing
 *   ERR_EXISTS  a name stands twice: the whole list is invalid (3.2)
 *   ERR_LIMIT   more than DKIM_TAGS_MAX tags
 * `out->count` is 0 on every error. Bytes above 127 pass in values (RFC 8616 3). */
MUST_USE enum err tags_parse(struct str text, struct tags *out);
/* Names are case-sensitive (3.2). NULL: not there. */
const struct tag *tags_find(const struct tags *t, struct str name);

/* Walk a colon-separated value: `*rest` begins as the value; each item comes trimmed of white space and may be empty.
 *   false when nothing is left */
bool tags_item(struct str *rest, struct str *item);
/* Is `item` one of the value's items? ASCII case is folded. */
bool tags_has_item(struct str value, struct str item);

#endif
