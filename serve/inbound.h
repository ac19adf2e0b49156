/* SPDX-License-Identifier: ISC */
/* lipap's SMTP sessions: which addresses there are, who may use them, and which part of the node takes the message.
 * A transaction has one target, since each list keeps and signs its own copy: a second one is answered 452, which asks
 * the client to send it in another transaction (RFC 5321 4.5.3.1.10). */
#ifndef SERVE_INBOUND_H
#define SERVE_INBOUND_H

#include "serve/lipap.h"

/* One connection, on its own fiber; for smtpd_listen, with a `struct lipap` as ctx. */
void inbound_session(void *ctx, struct host_tcp *tcp, const struct ip_port *peer);

/* The same's: the places that are reserved are for signers, and for proxies, who may speak for one. */
bool inbound_is_favoured(void *ctx, const struct ip_port *peer);

/* Free what sessions have left for those after them, once there is no session any more. */
void inbound_forget(struct lipap *node);

#endif
