/* SPDX-License-Identifier: ISC */
/* What the files of smtp_out share; for them alone. */
#ifndef SERVE_SMTP_OUT_PARTS_H
#define SERVE_SMTP_OUT_PARTS_H

#include "serve/smtp_out.h"

/* Write what is pending. When the connection is gone, what the server said before may still be read.
 *   ERR_OK, ERR_TIMEOUT, ERR_CANCELLED */
MUST_USE enum err smtp_out_flush(struct smtp_out *o);
/* The session is over; `e`. */
enum err smtp_out_fail(struct smtp_out *o, enum err e);
/* The next answer. */
MUST_USE enum err smtp_out_take(struct smtp_out *o, struct smtp_reply *reply);
/* The same when the server has the message: what it says is waited for a moment even by a fiber that is cancelled, or the
 * message would go out a second time. */
MUST_USE enum err smtp_out_take_verdict(struct smtp_out *o, struct smtp_reply *reply);
/* The end of the message is given.
 *   ERR_OK, ERR_SEQUENCE, ERR_SYNTAX, or those of a write */
MUST_USE enum err smtp_out_give_end(struct smtp_out *o);

#endif
