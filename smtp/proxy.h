/* SPDX-License-Identifier: ISC */
/* The PROXY protocol, version 2: what a load balancer says about a connection in front of its bytes. Pure.
 * (The specification is HAProxy's; it is found as proxy-protocol.txt.) */
#ifndef SMTP_PROXY_H
#define SMTP_PROXY_H

#include "base/ip.h"
#include "base/str.h"

#define PROXY_HEAD_SIZE 16  /* up to the length of the rest */
#define PROXY_REST_MAX 1024 /* addresses and what else is told; more is refused */

/* The head, of which all PROXY_HEAD_SIZE bytes are there: how many follow it.
 *   ERR_OK
 *   ERR_SYNTAX  not this protocol, version or command
 *   ERR_LIMIT   more than PROXY_REST_MAX */
MUST_USE enum err proxy_head_parse(struct str head, size_t *rest);
/* The rest. `*from` is whose connection it is; left as it is when the proxy speaks for itself (LOCAL) or tells no address.
 *   ERR_OK
 *   ERR_SYNTAX       too short for its addresses
 *   ERR_UNSUPPORTED  neither TCP over IPv4 nor over IPv6 */
MUST_USE enum err proxy_rest_parse(struct str head, struct str rest, struct ip_port *from);

#endif
