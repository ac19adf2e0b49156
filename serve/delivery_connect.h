/* SPDX-License-Identifier: ISC */
/* A worker's connection: which host, under which policy, and what to do when its TLS fails. */
#ifndef SERVE_DELIVERY_CONNECT_H
#define SERVE_DELIVERY_CONNECT_H

#include "serve/delivery_worker.h"

/* Open a connection to the worker's destination; each address is tried in turn, and a host that refuses the session gives
 * way to the next (RFC 5321 5.1). `w->is_open` tells whether there is one; if not, the outcome is that of the job for
 * which it was wanted. */
struct delivery_outcome delivery_connect(struct delivery_worker *w);
/* End it, with QUIT if `in_order`. Nothing happens when there is none. */
void delivery_disconnect(struct delivery_worker *w, bool in_order);

#endif
