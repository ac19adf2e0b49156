/* SPDX-License-Identifier: ISC */
/* Connections that come through a proxy of ours, which says in front of them for whom it speaks (smtp/proxy.h). */
#ifndef SERVE_PROXIED_H
#define SERVE_PROXIED_H

#include "serve/lipap.h"

/* `*out` is whose connection it is: `peer` itself, unless that is a proxy.
 *   false: a proxy that does not say it; the connection is of no use */
bool proxied_peer(struct lipap *node, struct host_tcp *tcp, const struct ip_port *peer, struct ip_port *out);

#endif
