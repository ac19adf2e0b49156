/* SPDX-License-Identifier: ISC */
/* What a mail says, for those that are read and obeyed: its header and the beginning of its body, kept in memory while it
 * comes in. Zero-initialised is ready, and is a mail whose text does not count. */
#ifndef SERVE_TEXT_IN_H
#define SERVE_TEXT_IN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/str.h"
#include "base/wr.h"
#include "mail/header.h"
#include "smtp/reply.h"

struct text_in {
        char *message; /* owned: header and text; NULL: the text does not count */
        size_t n, room;
        bool is_too_large, is_out_of_memory;
};
void text_in_begin(struct text_in *t, struct str header); /* it is whole; copied */
void text_in_got(struct text_in *t, struct str body);     /* more of the body */
void text_in_drop(struct text_in *t);
/* Why it cannot be read: code 0 when it can. */
struct smtp_reply text_in_refusal(const struct text_in *t);
/* The text as UTF-8 with LF, taken out of MIME. */
void text_in_read(const struct text_in *t, struct wr *w);
/* The subject, decoded, on one line; empty when `a` is full. */
struct str text_in_subject(const struct mail_header *header, struct arena *a);

#endif
