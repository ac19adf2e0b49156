/* SPDX-License-Identifier: ISC */
/* SMTP replies (RFC 5321 4.2) with enhanced status codes (RFC 2034, RFC 3463). Pure: no I/O, no allocation, no clock.
 * One type serves both directions: what a server is to say and what a client was told. */
#ifndef SMTP_REPLY_H
#define SMTP_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/str.h"
#include "base/wr.h"

/* The most that smtp_reply_write writes for one reply: longer texts lose their end. */
#define SMTP_REPLY_WRITTEN_MAX 2048

struct smtp_enhanced {
        uint16_t class; /* 2, 4 or 5; 0: the reply has no enhanced code */
        uint16_t subject, detail;
};

struct smtp_reply {
        uint16_t code; /* 200 to 599; 0: no reply at all */
        struct smtp_enhanced enhanced;
        struct str
                text; /* lines are parted by LF, without code and enhanced code; borrowed as its giver says */
};

/* A reply to give: the class of the enhanced code is the first digit of `code` (RFC 2034 4). */
struct smtp_reply smtp_reply_of(uint16_t code, uint16_t subject, uint16_t detail, struct str text);
/* The same without an enhanced code, as for banners, EHLO and 354. */
struct smtp_reply smtp_reply_plain(uint16_t code, struct str text);

bool smtp_reply_is_positive(const struct smtp_reply *r);  /* 2yz */
bool smtp_reply_is_transient(const struct smtp_reply *r); /* 4yz */
bool smtp_reply_is_permanent(const struct smtp_reply *r); /* 5yz */

/* Write `r` as one or several lines of at most 512 octets (RFC 5321 4.5.3.1.5), the enhanced code on each unless
 * `enhanced` is false. Only this function writes the CRLFs: control and 8-bit characters of the text become '?'.
 * What is written never exceeds SMTP_REPLY_WRITTEN_MAX. */
void smtp_reply_write(struct wr *w, const struct smtp_reply *r, bool enhanced);

/* "5.1.1" as text, as in a DSN; nothing when there is none. */
void smtp_enhanced_write(struct wr *w, const struct smtp_enhanced *e);

struct smtp_reply_line {
        uint16_t code;
        bool is_last; /* false: "250-", more lines follow */
        struct smtp_enhanced enhanced;
        struct str text; /* without the codes; borrowed from the input */
};

/* Parse one reply line from the head of `in` and say how much was used.
 *   ERR_OK      `*out` is filled, `*used` counts the line and its CRLF
 *   ERR_AGAIN   no CRLF yet; `*used` is 0: call again with more bytes
 *   ERR_SYNTAX  not a reply line, or a bare CR, bare LF or NUL in it: the session cannot be resynchronised
 *   ERR_LIMIT   longer than SMTP_REPLY_LINE_MAX with its CRLF */
MUST_USE enum err smtp_reply_line_parse(struct str in, struct smtp_reply_line *out, size_t *used);

/* Gathers the lines of one reply. The text it keeps is bounded: beyond SMTP_REPLY_TEXT_MAX the rest is left out. */
struct smtp_reply_gather {
        uint16_t code;
        struct smtp_enhanced enhanced;
        unsigned lines;
        size_t n;
        char text[SMTP_REPLY_TEXT_MAX];
};

void smtp_reply_gather_init(struct smtp_reply_gather *g);
/* Add a line.
 *   ERR_OK      it was the last: smtp_reply_gathered gives the reply
 *   ERR_AGAIN   more lines are to come
 *   ERR_SYNTAX  its code differs from the first line's (RFC 5321 4.2.1)
 *   ERR_LIMIT   more than SMTP_REPLY_LINES_MAX lines */
MUST_USE enum err smtp_reply_gather_line(struct smtp_reply_gather *g, const struct smtp_reply_line *line);
struct smtp_reply smtp_reply_gathered(const struct smtp_reply_gather *g); /* borrowed from `g` */

#endif
