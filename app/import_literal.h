/* SPDX-License-Identifier: ISC */
/* The words of JSON (RFC 8259) and of the literals that Python's repr and pprint write: one reader for both, since
 * they differ in their strings only. No structure is checked here but that each word is whole. */
#ifndef APP_IMPORT_LITERAL_H
#define APP_IMPORT_LITERAL_H

#include "app/import_internal.h"

enum literal_kind {
        LITERAL_END,
        LITERAL_TEXT, /* a string, decoded, in the room; Python's adjacent ones are one */
        LITERAL_WORD, /* a number, True, null, the name of a variable, Python's <object> */
        LITERAL_MARK  /* one of { } [ ] ( ) : , = */
};

struct literal {
        enum literal_kind kind;
        struct str text; /* of TEXT and WORD */
        char mark;       /* of MARK, else 0 */
};

/* Takes one off `*rest` and counts lines.
 *   ERR_OK, or ERR_SYNTAX: no word, or its end is missing; `*out` is LITERAL_END then */
enum err literal_next(struct import *i, struct str *rest, bool is_python, struct literal *out);
/* Past the value that begins with `first`. */
enum err literal_skip(struct import *i, struct str *rest, bool is_python, const struct literal *first);

#endif
