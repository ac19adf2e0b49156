/* SPDX-License-Identifier: ISC */
/* Content-Transfer-Encodings (RFC 2045 6). Pure: no allocation. */
#ifndef MAIL_TRANSFER_H
#define MAIL_TRANSFER_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "base/wr.h"

enum mail_transfer {
        MAIL_TRANSFER_PLAIN, /* 7bit, 8bit, binary, and names that we do not know */
        MAIL_TRANSFER_QUOTED,
        MAIL_TRANSFER_BASE64
};

enum mail_transfer mail_transfer_of(struct str name);

/* Reads the octets of an encoded body, one a call. What is not well formed is passed over, or stands for itself. */
struct mail_transfer_in {
        enum mail_transfer transfer;
        struct str left;
        size_t wsp;     /* white space at the head of `left` that is known not to end a line */
        uint32_t bits;  /* of base64, not yet given */
        unsigned count; /* how many */
};
void mail_transfer_in_init(struct mail_transfer_in *in, enum mail_transfer transfer, struct str body);
/* 0 to 255, or -1: no more. */
int mail_transfer_in_next(struct mail_transfer_in *in);

/* Writes text as quoted-printable (RFC 2045 6.7) in lines of at most 76 octets. What begins a line of text is written so
 * that it can be no line of a mailbox file ("From "), and no lone dot. */
struct mail_quoted_out {
        struct wr *w;
        size_t column;
        char wsp; /* white space that waits for what follows it; 0: none */
};
void mail_quoted_out_init(struct mail_quoted_out *out, struct wr *w);
/* Any octets, in pieces; LF ends a line, CR is dropped. The last octet of all must be LF. */
void mail_quoted_out_write(struct mail_quoted_out *out, struct str text);

#endif
