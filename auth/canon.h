/* SPDX-License-Identifier: ISC */
/* Canonical forms of header fields and bodies (RFC 6376 3.4), given out piece by piece.
 * Pure: no allocation; pieces are borrowed and gone after the call that gives them. Only CRLF ends a line: a lone CR or
 * LF is a byte like any other. */
#ifndef AUTH_CANON_H
#define AUTH_CANON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum canon { CANON_SIMPLE, CANON_RELAXED };
#define CANON_COUNT 2

/* Where canonical bytes go. */
struct canon_sink {
        void (*put)(void *arg, struct str bytes);
        void *arg;
};

/* One header field (3.4.1, 3.4.2), with a CRLF at its end. `raw` is the whole field from its name to its last byte, with or
 * without the final CRLF; it must hold a colon. */
void canon_field(enum canon canon, struct str raw, struct canon_sink sink);
/* A signature's own field as it is hashed (3.7): without the bytes of `hole`, a slice of `raw` behind an '=' that ends
 * before a ';' or at the end of the field, and without a CRLF at its end. */
void canon_signature_field(enum canon canon, struct str raw, struct str hole, struct canon_sink sink);

/* A body in chunks of any size (3.4.3, 3.4.4). Zero bytes are enough to begin with: canon_body_init is the zero struct. */
struct canon_body {
        enum canon canon;
        bool any;       /* something was given out */
        bool open;      /* and did not end in CRLF */
        bool cr;        /* the last chunk ended in a CR that may begin a CRLF */
        bool blank;     /* relaxed: white space seen since the last byte given out */
        uint64_t lines; /* empty lines held back: they may be those at the end */
};

void canon_body_init(struct canon_body *b, enum canon canon);
void canon_body_write(struct canon_body *b, struct str bytes, struct canon_sink sink);
/* The end of the body: an empty simple body is CRLF, an empty relaxed one nothing; a last line without CRLF gets one. */
void canon_body_end(struct canon_body *b, struct canon_sink sink);

#endif
