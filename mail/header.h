/* SPDX-License-Identifier: ISC */
/* The header section of a message (RFC 5322 2.2) as an index of slices. Pure: no I/O, no allocation; every slice is
 * borrowed from the message. Only the header section has to be in memory, the body may be anywhere.
 *
 * A line ends with CRLF and with nothing else. A lone CR, a lone LF and a NUL are ordinary bytes here: they neither end
 * a line nor the section, and are counted in `bad_bytes`, so that a caller can refuse the message. (The SMTP server
 * refuses lone CR and LF before; blaze makes CRLF out of LF before.) */
#ifndef MAIL_HEADER_H
#define MAIL_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "base/wr.h"

struct mail_field {
        struct str name; /* as written, without white space before the colon (RFC 5322 4.5 allows some) */
        struct str body; /* behind the colon, folded as written, without the final CRLF */
        struct str raw;  /* the whole field with its final CRLF, if the text has one */
};

enum mail_item {
        MAIL_ITEM_FIELD, /* a field with its continuation lines */
        MAIL_ITEM_STRAY, /* not a field: no colon, an empty or wrong name, or a continuation of nothing; only `raw` */
        MAIL_ITEM_END, /* the empty line; `*at` is where the body begins */
        MAIL_ITEM_EOF  /* the text ended without an empty line: there is no body */
};

/* The item of `text` that begins at `*at` (0 at first), which moves behind it. The slices of `*out` are empty where the
 * item has none. A stray takes its continuation lines along. Never fails and always ends. */
enum mail_item mail_item_next(struct str text, size_t *at, struct mail_field *out);

struct mail_header {
        const struct mail_field *fields; /* borrowed: the caller's array, in order of appearance */
        size_t n;
        size_t body_at;   /* where the body begins in the text; its length when there is no empty line */
        bool has_end;     /* the empty line was found */
        size_t strays;    /* items that are no fields */
        struct str stray; /* the first of them */
        size_t bad_bytes; /* lone CR, lone LF and NUL in the section */
};

/* Index the section at the head of `text`; what follows the empty line is not looked at.
 *   ERR_OK     `*out` is filled; strays and bad bytes are counted there and do not fail
 *   ERR_LIMIT  more than `cap` fields, or a section longer than MAIL_HEADER_MAX; `*out` has what came before
 * MAIL_FIELDS_MAX is the usual `cap`. */
MUST_USE enum err mail_header_index(
        struct str text, struct mail_field *fields, size_t cap, struct mail_header *out);

/* Fields by name, without regard to ASCII case. NULL when there is none; `nth` counts from 0. */
const struct mail_field *mail_header_first(const struct mail_header *h, struct str name);
const struct mail_field *mail_header_last(const struct mail_header *h, struct str name);
const struct mail_field *mail_header_nth(const struct mail_header *h, struct str name, size_t nth);
/* From the bottom up, the order of RFC 6376 5.4.2. */
const struct mail_field *mail_header_nth_last(const struct mail_header *h, struct str name, size_t nth);
size_t mail_header_count(const struct mail_header *h, struct str name);

/* A field body on one line (RFC 5322 2.2.3): the CRLF of each fold is dropped and the white space behind it kept; any
 * other CR or LF becomes a space, so that what is written holds neither. */
void mail_unfold(struct wr *w, struct str body);

/* Finds the end of the section in a stream of chunks. */
struct mail_header_end {
        uint8_t matched; /* bytes of CRLF CRLF seen; the section begins as if a CRLF stood before it */
        size_t seen;     /* bytes of the section so far */
};

void mail_header_end_init(struct mail_header_end *e);
/* Take the next chunk.
 *   ERR_OK     the section ends in it: the first `*used` bytes belong to it, its empty line included
 *   ERR_AGAIN  all of the chunk belongs to the section; `*used` is its length
 *   ERR_LIMIT  the section is longer than MAIL_HEADER_MAX; `*used` is 0
 * Do not call it again after ERR_OK or ERR_LIMIT. */
MUST_USE enum err mail_header_end_got(struct mail_header_end *e, struct str chunk, size_t *used);

#endif
