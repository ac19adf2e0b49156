/* SPDX-License-Identifier: ISC */
/* Writes the mail of lists: takes notices (store/notices.h), oldest first, makes a message of each and commits it in the
 * place of its row, so that a death at any moment neither loses nor doubles one. */
#ifndef SERVE_MAILER_H
#define SERVE_MAILER_H

#include "serve/lipap.h"

/* A fiber's function; `lipap` is a struct lipap. Ends when it is cancelled, or when the store has ended. */
void mailer_run(void *lipap);

#endif
