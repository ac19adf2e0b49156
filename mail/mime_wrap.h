/* SPDX-License-Identifier: ISC */
/* A whole message put into a multipart/mixed, with a text behind it (RFC 2046 5.1.3). What the author wrote becomes the first
 * part, its body octet for octet: nothing is decoded or encoded again, so that signed and encrypted entities stay whole.
 * Pure: no I/O, no allocation.
 *
 *     the header without its Content- fields
 *     mime_wrap_fields                              what the new entity says of itself
 *     the empty line
 *     mime_wrap_open                                the part's delimiter, the Content- fields, an empty line
 *     the body as it came
 *     mime_wrap_close                               the text's part */
#ifndef MAIL_MIME_WRAP_H
#define MAIL_MIME_WRAP_H

#include <stdbool.h>

#include "base/str.h"
#include "base/wr.h"
#include "mail/header.h"

/* A field that describes the body (RFC 2045 3): it goes with the author's entity. */
bool mime_is_content_field(struct str name);

struct mime_wrap {
        char text[32];
        struct str boundary;
};

/* `random` octets, at most 16, of which nobody knew when the body was written: it holds no such delimiter then. */
void mime_wrap_init(struct mime_wrap *m, struct str random);
/* Content-Type, Content-Transfer-Encoding where the body needs one (RFC 2045 6.4), and MIME-Version if `header`, that of the
 * message, has none. */
void mime_wrap_fields(
        const struct mime_wrap *m, struct wr *w, const struct mail_header *header, bool is_8bit);
void mime_wrap_open(const struct mime_wrap *m, struct wr *w, const struct mail_header *header);
/* `text` is well-formed UTF-8; LF parts its lines. */
void mime_wrap_close(const struct mime_wrap *m, struct wr *w, struct str text);

#endif
