/* SPDX-License-Identifier: ISC */
/* A worker's connection: which host, under which policy, and what to do when its TLS fails. */
#ifndef SERVE_DELIVERY_CONNECT_H
#define SERVE_DELIVERY_CONNECT_H

#include "serve/delivery_worker.h"

/* Open a connection for `job`, to the hosts of its domain; each address is tried in turn, and a host that refuses the
 * session gives way to the next (RFC 5321 5.1). `w->is_open` tells whether there is one; if not, the outcome is that of the
 * job. */
struct delivery_outcome delivery_connect(struct delivery_worker *w, const struct delivery_job *job);
/* End it, with QUIT if `in_order`. Nothing happens when there is none. */
void delivery_disconnect(struct delivery_worker *w, bool in_order);

/* Where mail for `domain` goes: to its mail hosts, or to the relay if there is one.
 *   as mx_find */
MUST_USE enum err delivery_find_hosts(struct lipap *node, struct str domain, struct mx_targets *out);

/* May `job` go over the worker's connection? What was opened for a domain serves that domain. It serves others of the same
 * destination only if both prefer the hosts in the same order (RFC 5321 5.1), and neither asks anything of them: what one host proved
 * to one domain (DANE, MTA-STS) is no proof to another. */
bool delivery_serves(const struct delivery_worker *w, const struct delivery_job *job);
/* Does `domain` ask nothing of its hosts, so that any connection to them will do? When in doubt: false. May ask the DNS and
 * wait; called by who looks up its route. */
bool delivery_is_shareable(struct lipap *node, struct str domain, const struct mx_targets *targets);

#endif
