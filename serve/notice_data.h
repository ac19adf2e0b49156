/* SPDX-License-Identifier: ISC */
/* What the row of a notice keeps beside its columns: two lines, and a text. Pure. */
#ifndef SERVE_NOTICE_DATA_H
#define SERVE_NOTICE_DATA_H

#include "base/limits.h"
#include "base/str.h"
#include "base/wr.h"
#include "list/notice.h"

#define NOTICE_DATA_MAX (MAIL_ADDRESS_MAX + MAIL_LINE_MAX + 2 + NOTICE_TEXT_MAX)

struct notice_data {
        struct str about;   /* whom the notice speaks of (list/notice.h) */
        struct str answers; /* Message-ID, with brackets, of the mail that it answers */
        struct str text;    /* of the decision */
};

/* A line end in `about` or `answers` would make them another's: such a one is left out. */
void notice_data_write(struct wr *w, const struct notice_data *data);
/* Slices are borrowed. What is missing is empty. */
void notice_data_read(struct str data, struct notice_data *out);

#endif
