/* SPDX-License-Identifier: ISC */
/* Bounces: what a mail to a return path says about the delivery it answers. Pure: no allocation, no clock.
 *
 * First the machine's words: every message/delivery-status part (RFC 3464, RFC 6533), in whatever it is wrapped, but not
 * inside of a returned message that is no report itself. Without one, the text for people is read: what mail systems without DSN write is a matter of
 * a few shapes (a line that begins with the address below a heading, a phrase with the address behind it), which
 * bounce_text.c holds as tables. Nothing is guessed: a message that fits no shape names no recipient.
 *
 * Answers of people and of vacation programs (RFC 3834), challenges, and reports of success or relay name nobody: their
 * header tells that they are answers, they fit no shape, or they hold words that no bounce has. Auto-Submitted alone does
 * not tell: some bounces say "auto-replied", but then their From says who reports. */
#ifndef MAIL_BOUNCE_H
#define MAIL_BOUNCE_H

#include "base/str.h"
#include "base/wr.h"

#define BOUNCE_RECIPIENTS_MAX 32
#define BOUNCE_TEXT_MAX 16384 /* octets of the text for people that are looked at */
#define BOUNCE_ROOM 16384     /* for what had to be decoded */

enum bounce_kind {
        BOUNCE_NONE,      /* nothing failed, as far as can be read */
        BOUNCE_TEMPORARY, /* delayed: the other side goes on trying */
        BOUNCE_PERMANENT  /* given up */
};

struct bounce_recipient {
        enum bounce_kind kind; /* not BOUNCE_NONE */
        struct str
                address; /* "local@domain" as the bounce writes it: the original recipient where it is told */
        struct str status; /* "5.1.1" (RFC 3463), or empty */
        struct str said;   /* the reason as it is given, on one or more lines; may be empty */
        bool is_bare;      /* a report gave no reason but the status, nor did the text beside it */
};

struct bounce {
        bool is_dsn; /* recipients are from message/delivery-status */
        struct bounce_recipient list[BOUNCE_RECIPIENTS_MAX];
        size_t count; /* each address once; what is beyond the array is left out */
};

/* Memory for one reading; slices of the result may lie in it. */
struct bounce_work {
        char text[BOUNCE_TEXT_MAX], flat[BOUNCE_TEXT_MAX], room[BOUNCE_ROOM];
};

/* `message` is whole, or its beginning. Never fails; slices of `*out` are borrowed from `message` and `work`. */
void bounce_read(struct str message, struct bounce_work *work, struct bounce *out);

/* Inside: is it an answer, by its header? */
bool bounce_is_answer(struct str message);
/* Inside: the text for people. `domain` is that of the reporter, for names without one; may be empty. */
void bounce_text_read(struct str text, struct str domain, struct bounce_work *work, struct bounce *out);
/* Inside: one more recipient, unless it is there already or is no address.
 *   NULL when it was not added */
struct bounce_recipient *bounce_add(struct bounce *b, enum bounce_kind kind, struct str address);

#endif
