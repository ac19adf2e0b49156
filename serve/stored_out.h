/* SPDX-License-Identifier: ISC */
/* A stored message on its way out over an open connection, to a signer or to a subscriber's server. */
#ifndef SERVE_STORED_OUT_H
#define SERVE_STORED_OUT_H

#include "serve/smtp_out.h"
#include "store/messages.h"

/* What MAIL says of a message to the server of `out`. 8BITMIME is asked for where it is offered. Where it is not, 8-bit text
 * goes out as it is, as most servers on the Internet do: recoding it would break every signature. SMTPUTF8 is
 * different: what needs it cannot be said without it. */
struct smtp_mail_params stored_out_params(
        const struct smtp_out *out, bool is_8bit, bool is_smtputf8, uint64_t size);

/* All bytes of `reader` as the message, after 354.
 *   ERR_OK, ERR_CORRUPT and other errors of store_reader_read (the other side has no whole message), or those of
 *   smtp_out_body */
MUST_USE enum err stored_out_body(struct smtp_out *out, struct store_reader *reader);

#endif
