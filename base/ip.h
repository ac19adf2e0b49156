/* SPDX-License-Identifier: ISC */
/* IP addresses, address and port, and networks: values and their text. No resolving, no sockets. */
#ifndef BASE_IP_H
#define BASE_IP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "base/wr.h"

#define IP_TEXT_MAX 48      /* the longest text of an address, with room for a NUL */
#define IP_PORT_TEXT_MAX 56 /* "[address]:65535" */

struct ip {
        uint8_t family; /* 4 or 6; 0: no address */
        uint8_t b[16];  /* network order; four bytes are used for IPv4, the others are 0 */
};

struct ip_port {
        struct ip ip;
        uint16_t port;
};

struct ip_net {
        struct ip ip; /* bits behind the prefix are 0 */
        uint8_t bits; /* 0 to 32 or 128 */
};

struct ip ip_v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d);

/* "192.0.2.1" or "2001:db8::1" (RFC 4291 2.2, with or without a dotted tail; no zone).
 *   ERR_OK, or ERR_SYNTAX with family 0 */
MUST_USE enum err ip_parse(struct str text, struct ip *out);
/* "IP", "IP:PORT" or "[IPv6]:PORT", "[IPv6]"; without a port: `port`.
 *   ERR_OK, or ERR_SYNTAX */
MUST_USE enum err ip_port_parse(struct str text, uint16_t port, struct ip_port *out);
/* "IP/BITS" or "IP" (all bits).
 *   ERR_OK, or ERR_SYNTAX, also for bits set behind the prefix */
MUST_USE enum err ip_net_parse(struct str text, struct ip_net *out);

void ip_write(struct wr *w, const struct ip *ip);           /* IPv6 as RFC 5952 says */
void ip_port_write(struct wr *w, const struct ip_port *ip); /* "192.0.2.1:25", "[2001:db8::1]:25" */

bool ip_eq(const struct ip *a, const struct ip *b);
bool ip_is_loopback(const struct ip *ip);
bool ip_net_has(
        const struct ip_net *net, const struct ip *ip); /* an IPv4-mapped IPv6 address counts as IPv4 */
struct ip ip_unmapped(const struct ip *ip);             /* ::ffff:a.b.c.d becomes a.b.c.d */

#endif
