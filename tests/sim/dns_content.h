/* SPDX-License-Identifier: ISC */
/* What an answer says, before it is a message: a response code and records in sections. What it borrows (names, data)
 * lives in zones, in a resolver's cache, or in the content itself, which therefore is never copied. */
#ifndef TESTS_SIM_DNS_CONTENT_H
#define TESTS_SIM_DNS_CONTENT_H

#include <stdbool.h>
#include <stdint.h>

#include "dns/message.h"
#include "tests/sim/dns_peer.h"

#define DNS_ITEMS_MAX 128

struct dns_item {
        enum dns_section section;
        const struct dns_name *name;
        uint16_t type;
        uint32_t ttl_s;
        struct str rdata;
};

struct dns_content {
        uint16_t rcode;
        bool is_authoritative;
        bool is_whole; /* every record had room */
        size_t count;
        struct dns_item items[DNS_ITEMS_MAX];
        struct dns_name names[DNS_CNAME_MAX + 1]; /* the question's, and what aliases lead to */
};

/* What a view says with authority (RFC 1034 4.3.2): aliases are followed as far as its zones go. REFUSED when it has no
 * zone for the name. A referral has the cut's NS records, and their addresses as far as the zone has them. */
void dns_content_find(const struct dns_view *view, const struct dns_question *q, struct dns_content *out);

/* For those who fill one themselves. */
void dns_content_init(struct dns_content *c);
void dns_content_add(struct dns_content *c, const struct dns_item *item);

/* The content as a message that answers `request`: header, question, records, OPT.
 *   ERR_OK, or ERR_SPACE */
struct dns_frame {
        struct dns_header header; /* id, opcode and flags of the answer; rcode and counts are the content's */
        const struct dns_question *question; /* or NULL */
        const struct dns_edns *edns;         /* or NULL */
        size_t most;                         /* octets */
};
MUST_USE enum err dns_content_write(const struct dns_content *c, const struct dns_frame *frame, void *buffer,
        size_t cap, struct str *out);

#endif
