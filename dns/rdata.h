/* SPDX-License-Identifier: ISC */
/* RDATA of the records that mail needs: A AAAA (RFC 1035, 3596), NS CNAME PTR MX SOA (RFC 1035 3.3); TXT has dns/txt.h.
 * `wire` is RDATA without compressed names, as dns_rdata_expand gives it. Pure: no I/O, no allocation. */
#ifndef DNS_RDATA_H
#define DNS_RDATA_H

#include <stdint.h>

#include "base/ip.h"
#include "base/str.h"
#include "base/wr.h"
#include "dns/message.h"
#include "dns/name.h"

/* Where RDATA with names is written out: SOA, the longest, has two of them and twenty octets. */
struct dns_rdata_room {
        char b[2 * DNS_NAME_MAX + 20];
};

/* The RDATA of a record with its names uncompressed, and the form checked of the types above, of TXT, and of the other
 * types whose names some writer may compress (RFC 3597 4); the rest is taken as it is. Empty RDATA is right in classes
 * ANY and NONE, where UPDATE uses it.
 *   ERR_OK      `*wire` is borrowed from `room` when the type has names, else from the message
 *   ERR_SYNTAX  (`*wire` is empty) */
MUST_USE enum err dns_rdata_expand(
        const struct dns_record *record, struct dns_rdata_room *room, struct str *wire);

struct dns_mx {
        uint16_t preference;
        struct dns_name exchange; /* the root is a null MX (RFC 7505) */
};

struct dns_soa {
        struct dns_name primary;
        struct dns_name mailbox;
        uint32_t serial;
        uint32_t refresh_s, retry_s, expire_s;
        uint32_t minimum_s; /* the time to live of negative answers (RFC 2308 4) */
};

/* Each: ERR_OK, or ERR_SYNTAX for too few or too many bytes. */
MUST_USE enum err dns_address_parse(struct str wire, struct ip *out);      /* A has 4 bytes, AAAA 16 */
MUST_USE enum err dns_target_parse(struct str wire, struct dns_name *out); /* NS, CNAME, PTR */
MUST_USE enum err dns_mx_parse(struct str wire, struct dns_mx *out);
MUST_USE enum err dns_soa_parse(struct str wire, struct dns_soa *out);

void dns_address_write_wire(struct wr *w, const struct ip *ip);
void dns_mx_write_wire(struct wr *w, const struct dns_mx *mx);
void dns_soa_write_wire(struct wr *w, const struct dns_soa *soa);

/* The name to ask for the PTR of an address: "1.2.0.192.in-addr.arpa" (RFC 1035 3.5), or in ip6.arpa (RFC 3596 2.5). */
void dns_reverse_name(const struct ip *ip, struct dns_name *out);

#endif
