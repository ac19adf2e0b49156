/* SPDX-License-Identifier: ISC */
/* Writes header fields. Lines aim at MAIL_LINE_GOAL, never pass MAIL_LINE_MAX, and break only where a piece ends.
 * Nobody but this writes a CR or LF: a piece that holds one, or another control character, makes the whole field fail,
 * so no caller's text can become a field of its own. Pure: no clock, no allocation.
 *
 * A field is written whole or not at all: when its end reports an error, the buffer is as before its beginning.
 * ("Piece" below: octets that stay together; spaces inside one are no fold.) */
#ifndef MAIL_BUILD_H
#define MAIL_BUILD_H

#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/str.h"
#include "base/wr.h"
#include "mail/address.h"

struct mail_build {
        struct wr *w; /* borrowed until mail_build_end */
        size_t begin; /* where the field begins */
        size_t line;  /* where the present line begins */
        size_t fold;  /* the last space at which this line may break; 0: none */
        enum err fault;
};

/* Begin a field. `name` is one of ours, or a field name that was parsed: letters, digits, hyphens and the like. */
void mail_build_begin(struct mail_build *b, struct wr *w, struct str name);
/* A space, at which the line may break, and a piece behind it. */
void mail_build_word(struct mail_build *b, struct str piece);
/* The same at the head of a new line. */
void mail_build_line(struct mail_build *b, struct str piece);
/* A piece right behind the last one, without a chance to break between them. */
void mail_build_glue(struct mail_build *b, struct str piece);
/* Unstructured UTF-8 text, broken at its spaces; words beyond ASCII become encoded-words (RFC 2047), and so do words
 * that look like one or are too long for a line. Control characters become spaces before. */
void mail_build_text(struct mail_build *b, struct str utf8);
/* A display name as a phrase: atoms, a quoted string, or encoded-words. */
void mail_build_phrase(struct mail_build *b, struct str utf8);
/* "Display <local@domain>", or "local@domain" when `display` is empty. */
void mail_build_mailbox(struct mail_build *b, struct str display, const struct mail_address *address);
/* "<local@domain>" */
void mail_build_path(struct mail_build *b, const struct mail_address *address);
/* "; name=value" (RFC 2045 5.1): quoted where it must be, in the form of RFC 2231 beyond ASCII. */
void mail_build_parameter(struct mail_build *b, struct str name, struct str value);
/* End the field with its CRLF.
 *   ERR_OK
 *   ERR_SYNTAX  a piece had a control character or ill-formed UTF-8
 *   ERR_LIMIT   a line would have passed MAIL_LINE_MAX
 *   ERR_SPACE   the buffer is too small (the cursor says so from then on) */
MUST_USE enum err mail_build_end(struct mail_build *b);

/* Whole fields; outcomes as mail_build_end. */

struct mail_person {
        struct str display; /* UTF-8, may be empty */
        struct mail_address address;
};

MUST_USE enum err mail_build_unstructured(struct wr *w, struct str name, struct str utf8);
/* "Name: A <a@b>, c@d" for at least one person. */
MUST_USE enum err mail_build_persons(
        struct wr *w, struct str name, const struct mail_person *persons, size_t n);
MUST_USE enum err mail_build_date(struct wr *w, int64_t unix_s);
MUST_USE enum err mail_build_message_id(struct wr *w, struct str random, int64_t now_ms, struct str domain);
/* "List-Id: Description <name.domain>" (RFC 2919); `description` may be empty. */
MUST_USE enum err mail_build_list_id(
        struct wr *w, struct str description, struct str list_name, struct str domain);
/* "Name: <mailto:local@domain?subject=...>" (RFC 2369, RFC 6068); `subject` may be empty. */
MUST_USE enum err mail_build_mailto(
        struct wr *w, struct str name, const struct mail_address *address, struct str subject);
/* "mailto:local@domain?subject=...", for a text. At most MAIL_MAILTO_MAX octets for a subject of 16. */
#define MAIL_MAILTO_MAX 1024
void mail_mailto_write(struct wr *w, const struct mail_address *address, struct str subject);

/* RFC 5321 4.4. Texts from a peer (`helo`) may hold anything: what is no domain and no literal stands in a comment. */
struct mail_received {
        struct str helo;     /* what the client called itself; may be empty */
        struct str reverse;  /* its name by DNS, if it was looked up and confirmed; may be empty */
        struct ip client;    /* family 0: not said */
        struct str by;       /* our host name */
        struct str protocol; /* "ESMTPS" and the like (RFC 3848, RFC 6531); may be empty */
        struct str id;       /* our id for the message, an atom; may be empty */
        const struct mail_address *for_; /* NULL when there are several recipients */
        int64_t unix_s;
};
MUST_USE enum err mail_build_received(struct wr *w, const struct mail_received *r);

#endif
