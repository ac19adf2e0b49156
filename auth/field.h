/* SPDX-License-Identifier: ISC */
/* The pieces of which Received-SPF and Authentication-Results are made: words, values, comments (RFC 5322 3.2, RFC 2045
 * 5.1), read and written. For auth/ itself. Pure. */
#ifndef AUTH_FIELD_H
#define AUTH_FIELD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "base/wr.h"
#include "mail/build.h"

/* A cursor over a field body. The first fault sticks: from then on nothing is read. Each function passes over folding
 * white space and comments first. */
struct field_rd {
        struct str rest;
        struct wr *room;    /* where a value goes that is not a slice of the body */
        struct str comment; /* the inside of the first comment passed over since this was emptied */
        enum err fault;     /* ERR_OK, ERR_SYNTAX, or ERR_SPACE when `room` is full */
};

void field_rd_init(struct field_rd *r, struct str body, struct wr *room);
void field_fail(struct field_rd *r, enum err fault); /* keeps an earlier fault */
/* The next byte, which is left there; '\0' at the end and after a fault. A NUL in the text is a fault. */
char field_peek(struct field_rd *r);
bool field_is_end(struct field_rd *r);         /* also after a fault */
bool field_take(struct field_rd *r, char c);   /* take this byte if it is the next */
void field_expect(struct field_rd *r, char c); /* it must be */
/* Letters, digits, inner hyphens and underscores: a Keyword of RFC 8601 2.2, somewhat wider. A fault when there is none. */
struct str field_word(struct field_rd *r);
unsigned field_number(struct field_rd *r); /* digits; a fault when there is none, or above 1000000 */
/* What a quoted string stands for, or any other text up to white space, ";", or a parenthesis; may be empty. A quoted
 * string with something behind it, such as "a b"@example.org, stays as it is written. */
struct str field_value(struct field_rd *r);

/* Writing: pieces for mail_build. */

bool field_is_word(struct str s);  /* what field_word reads, without anything around it */
bool field_is_token(struct str s); /* RFC 2045 5.1: a value that needs no quotes */
/* A value right behind the last piece, as it is or quoted. */
void field_build_value(struct mail_build *b, struct str value, bool is_plain);
/* "(comment)" as a new word, folded at its spaces.
 *   true, or false when its parentheses or backslashes do not match: nothing is written then */
bool field_build_comment(struct mail_build *b, struct str comment);

/* A stranger's text for a value or a comment: at most `most` octets of it; control characters and what is no UTF-8
 * become "?". */
void field_write_clean(struct wr *w, struct str s, size_t most);
/* The same for the inside of a comment: parentheses and backslashes get a backslash in front. */
void field_write_comment(struct wr *w, struct str s, size_t most);

#endif
