/* SPDX-License-Identifier: ISC */
/* What the files of the client engine share; for them alone. */
#ifndef SMTP_CLIENT_PARTS_H
#define SMTP_CLIENT_PARTS_H

#include "smtp/client.h"

/* Make room for `n` bytes of output.
 *   ERR_OK, or ERR_AGAIN */
enum err client_reserve(struct smtp_client *c, size_t n);
void client_put(struct smtp_client *c, struct str bytes); /* must fit */
/* What was put last is the end of a command, whose reply is now to come. */
void client_queue(struct smtp_client *c, enum smtp_client_command command);
/* May a command be given now?
 *   ERR_OK, ERR_AGAIN, ERR_SEQUENCE as smtp/client.h says of all commands */
enum err client_ready(struct smtp_client *c);

#endif
