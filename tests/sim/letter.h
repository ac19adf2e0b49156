/* SPDX-License-Identifier: ISC */
/* Letters: what people post, as a pure function of a few words, so that nothing has to be kept to know later whether a
 * copy is what was sent. Each carries the name of its try in the field X-Try and in its Message-ID. */
#ifndef TESTS_SIM_LETTER_H
#define TESTS_SIM_LETTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum letter_shape {
        LETTER_PLAIN,     /* with dots at line starts, empty lines, white space at line ends, folded fields */
        LETTER_8BIT,      /* with bytes above 127 in its body */
        LETTER_BARE,      /* neither Date nor Message-ID: lipap adds them */
        LETTER_LONG_LINE, /* a line in the body that is longer than RFC 5322 2.1.1 lets it be */
        LETTER_NO_END,    /* the last line has no CRLF: the sender of DATA must add it */
        LETTER_HUGE_HEADER, /* a header section above MAIL_HEADER_MAX */
        /* From here on: not to be taken by anybody (letter_is_malformed). */
        LETTER_LF,              /* a line that ends with LF alone */
        LETTER_CR,              /* a CR without LF */
        LETTER_NUL,             /* a NUL */
        LETTER_SMUGGLE_LF,      /* LF "." CRLF and a second transaction behind it */
        LETTER_SMUGGLE_LF_LF,   /* LF "." LF */
        LETTER_SMUGGLE_CR,      /* CR "." CR */
        LETTER_SMUGGLE_CRLF_LF, /* CRLF "." LF */
        LETTER_TWO_FROM,        /* two From fields */
        LETTER_TWO_AUTHORS,     /* two addresses in From, of different domains */
        LETTER_NO_COLON,        /* a line in the header that is no field */
        LETTER_LOOP,            /* the List-Id of the list it goes to */
        LETTER_SHAPES           /* how many there are */
};

struct letter {
        uint64_t seed;
        struct str name;     /* of the try */
        struct str from, to; /* addresses */
        struct str
                second; /* LETTER_TWO_FROM, LETTER_TWO_AUTHORS: the other address; empty: another@other.test */
        struct str front;  /* fields in front of it, such as a signature; each ended by CRLF */
        struct str forged; /* fields that a server must take away: the first on top, the others below To */
        struct str via;    /* the list that From names in the author's place; empty: From is as it was */
        struct str prefix; /* in front of what is drawn for the subject */
        struct str subject, text; /* instead of what is drawn; lines of the text end with LF; NULL: drawn */
        enum letter_shape shape;
        size_t size;         /* of the body, at least */
        struct str smuggled; /* LETTER_SMUGGLE: the name of the try inside */
};

bool letter_is_malformed(enum letter_shape shape);
const char *letter_shape_text(enum letter_shape shape); /* a word, for stories */

/* The bytes of the message, before dots are doubled; owned by the caller: letter_free. */
struct str letter_write(const struct letter *letter);
/* As a server passes it on that took the forged fields away: DATA has ended its last line. */
struct str letter_arriving(const struct letter *letter);
void letter_free(struct str bytes);

/* The name of the try in a message, or empty. */
struct str letter_name(struct str message);

#endif
