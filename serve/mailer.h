/* SPDX-License-Identifier: ISC */
/* Writes the mail of lists: takes notices (store/notices.h), oldest first, makes a message of each and commits it in the
 * place of its row, so that a death at any moment neither loses nor doubles one. */
#ifndef SERVE_MAILER_H
#define SERVE_MAILER_H

#include "serve/lipap.h"

/* A fiber's function; `lipap` is a struct lipap. Ends when it is cancelled, or when the store has ended. */
void mailer_run(void *lipap);

/* The field that stands in front of mail of our own: it holds an id that nobody else can have chosen, so that the signed
 * copy is known by it.
 *   ERR_OK, ERR_SPACE, ERR_SYNTAX */
MUST_USE enum err mailer_front_write(const struct lipap *node, int64_t now_ms, struct wr *w);

#endif
