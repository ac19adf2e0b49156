/* SPDX-License-Identifier: ISC */
/* A whole message checked once, so that later readers of its records meet no surprise. Pure. */
#ifndef DNS_SUMMARY_H
#define DNS_SUMMARY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "dns/message.h"

struct dns_summary {
        struct dns_header header;
        uint16_t rcode;               /* with the bits that EDNS adds */
        struct dns_question question; /* the first; its name is zeros without one */
        bool has_edns;
        bool has_tsig;
};

/* Read a message through, RDATA of known types included.
 *   ERR_OK
 *   ERR_SYNTAX  malformed, more than one OPT (RFC 6891 6.1.1), or a TSIG that is not last (RFC 8945 5.1)
 *   ERR_LIMIT   as dns_reader_init
 * `*out` is filled as far as the message went. */
MUST_USE enum err dns_summary_read(struct str message, struct dns_summary *out);

#endif
