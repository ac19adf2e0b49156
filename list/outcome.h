/* SPDX-License-Identifier: ISC */
/* What became of one command: an enum for decisions, a word for rows of the store, a sentence in the list's language for
 * people. Pure.
 *
 * The text of a notice about outcomes is a line a command: `WORD HTAB LINE LF`, where LINE is the command as it was
 * written, made harmless: well-formed UTF-8 without control characters, at most OUTCOME_LINE_MAX octets. */
#ifndef LIST_OUTCOME_H
#define LIST_OUTCOME_H

#include "base/str.h"
#include "base/wr.h"

#define OUTCOME_LINE_MAX 200

enum outcome {
        OUTCOME_DONE,            /* it is so now */
        OUTCOME_ALREADY,         /* it was so before */
        OUTCOME_FOLLOWS,         /* the answer comes in a mail of its own */
        OUTCOME_CONFIRM,         /* it happens when the confirmation that we sent is answered */
        OUTCOME_CONFIRM_SENT,    /* a confirmation went out less than a day ago: no other one */
        OUTCOME_WAITS,           /* the moderators have been asked, now or before */
        OUTCOME_DECIDED,         /* too late: somebody decided it before */
        OUTCOME_NOT_MEMBER,      /* that address is no member */
        OUTCOME_NOT_BANNED,      /* that address is not banned */
        OUTCOME_BANNED,          /* the address may not join */
        OUTCOME_CLOSED,          /* nobody can join by mail */
        OUTCOME_TOO_MANY,        /* too many requests wait: later */
        OUTCOME_MEMBERS_ONLY,    /* only for members */
        OUTCOME_MODERATORS_ONLY, /* only for moderators */
        OUTCOME_NOBODY,          /* the list's settings give it to nobody */
        OUTCOME_NOT_YOURS,       /* for somebody else's address */
        OUTCOME_UNKNOWN,         /* no such command, setting or option */
        OUTCOME_WRONG,           /* not one of the values that are possible there */
        OUTCOME_TOO_LONG,        /* a text that is too long, a size out of bounds */
        OUTCOME_NO_ADDRESS,      /* an address is missing, or it is none */
        OUTCOME_TOO_MUCH, /* more commands than one message may have: this one and the rest are left out */
        OUTCOMES
};

struct str outcome_word(enum outcome o); /* such as "not-member" */
/*   ERR_OK, or ERR_NOT_FOUND with OUTCOME_UNKNOWN */
MUST_USE enum err outcome_find(struct str word, enum outcome *out);
/* One sentence in lower case without its final dot, UTF-8; `language` "fr" is French, any other English. */
struct str outcome_text(enum outcome o, struct str language);

/* Write one line; what does not fit whole is left out. */
void outcome_line_write(struct wr *w, enum outcome o, struct str line);
/* Read the line at the head of `*text` and move behind it.
 *   ERR_OK
 *   ERR_EOF     `*text` is empty
 *   ERR_SYNTAX  not such a line; it is skipped */
MUST_USE enum err outcome_line_read(struct str *text, enum outcome *o, struct str *line);

#endif
