/* SPDX-License-Identifier: ISC */
/* EDNS(0): the OPT pseudo-record (RFC 6891 6.1). Pure. */
#ifndef DNS_EDNS_H
#define DNS_EDNS_H

#include <stdbool.h>
#include <stdint.h>

#include "dns/message.h"

struct dns_edns {
        uint16_t udp_size;
        uint8_t rcode_high; /* the upper eight of twelve bits */
        uint8_t version;
        bool dnssec_ok;     /* DO (RFC 3225) */
        struct str options; /* borrowed; well formed */
};

/*   ERR_OK, or ERR_SYNTAX for another type, an owner that is not the root, or options cut short */
MUST_USE enum err dns_edns_read(const struct dns_record *record, struct dns_edns *out);
void dns_edns_write(struct dns_writer *w, const struct dns_edns *edns); /* into the additional section */

#endif
