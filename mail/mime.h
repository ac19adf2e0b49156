/* SPDX-License-Identifier: ISC */
/* MIME (RFC 2045, RFC 2046): types of parts, and the text that a person wrote into a message. Pure: no allocation; what is
 * not well formed is read as a mail program would, and never fails. */
#ifndef MAIL_MIME_H
#define MAIL_MIME_H

#include <stdbool.h>

#include "base/str.h"
#include "base/wr.h"

struct mime_type {
        struct str type, subtype; /* as written; compare without regard to case */
        struct str parameters;    /* behind them, from the first ";" on */
};

/* A Content-Type field body (RFC 2045 5.1), with comments and folds. Slices are borrowed.
 *   ERR_OK
 *   ERR_SYNTAX  no type and subtype: `*out` is text/plain without parameters (RFC 2045 5.2) */
MUST_USE enum err mime_type_parse(struct str body, struct mime_type *out);
/* `subtype` may be empty: any. */
bool mime_type_is(const struct mime_type *t, struct str type, struct str subtype);
/* The value of the first parameter of that name, without quotes and backslashes. False, and nothing is written, when there is
 * none; a value that does not fit leaves the cursor full. */
bool mime_parameter(const struct mime_type *t, struct str name, struct wr *value);

/* An entity: the fields of its header section that tell how to read it (of several the first that says something), and its
 * body. Slices are borrowed. */
struct mime_entity {
        struct mime_type type;  /* text/plain if there is no such field */
        struct str encoding;    /* Content-Transfer-Encoding; may be empty */
        struct str disposition; /* Content-Disposition without its parameters; may be empty */
        struct str body;        /* empty when the section has no end */
};
void mime_entity_read(struct str text, struct mime_entity *out);

/* Part of a multipart body, one a call; `boundary` as mime_parameter gives it. `*at` is 0 at first. False: no more. The last
 * part may lack its closing delimiter. */
bool mime_part_next(struct str body, struct str boundary, size_t *at, struct str *part);

/* What the text was found in. */
enum mime_text {
        MIME_TEXT_NONE,  /* no text at all, or nested deeper than MIME_DEPTH_MAX */
        MIME_TEXT_PLAIN, /* text/plain */
        MIME_TEXT_HTML   /* HTML: its text without tags, line by line */
};

#define MIME_DEPTH_MAX 10

/* The text of a whole message: its first text/plain part that is no attachment, or its first text/html part if that is
 * missing or blank. Messages inside (message/rfc822) are not looked into. It is written as well-formed UTF-8 with LF behind
 * each line; of control characters it has only HTAB and LF. Base64, quoted-printable and flowed lines (RFC 3676) are undone;
 * charsets are those of mail/charset.h, of others the ASCII octets count and U+FFFD stands for the rest. What does not fit
 * is left out: then the cursor is full. */
enum mime_text mime_text_read(struct str message, struct wr *w);

#endif
