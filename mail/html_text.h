/* SPDX-License-Identifier: ISC */
/* The text of HTML as a person reads it, minimally: tags, comments, scripts and styles are left out, blocks and <br> end
 * lines, white space is folded, the common entities are undone, and lines of a <blockquote> begin with "> ". For reading commands
 * out of mail that has no plain text; not for showing. Pure: any input, one character a call. */
#ifndef MAIL_HTML_TEXT_H
#define MAIL_HTML_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/wr.h"

#define HTML_QUOTE_MAX 8 /* depth of quoting that is shown */
#define HTML_NAME_MAX 10 /* of a tag or entity that we know */

enum html_state { HTML_TEXT, HTML_ENTITY, HTML_NAME, HTML_TAG, HTML_QUOTED, HTML_COMMENT };

struct html_text {
        struct wr *w;
        enum html_state state;
        char name[HTML_NAME_MAX + 2]; /* of the tag or entity being read, in lower case */
        size_t name_size;             /* may pass what `name` holds: then it is none that we know */
        char mark;                    /* the quote that ends an attribute */
        unsigned dashes;              /* of a comment's end */
        char skipped;                 /* first letter of the element whose text is left out; 0: none */
        unsigned depth;               /* of quoting */
        bool has_text, has_blank;     /* of this line: text was written; white space stands behind it */
};

void html_text_init(struct html_text *h, struct wr *w);
void html_text_put(struct html_text *h, uint32_t code);
/* Ends the last line. */
void html_text_end(struct html_text *h);

#endif
