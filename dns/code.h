/* SPDX-License-Identifier: ISC */
/* Numbers of DNS, as IANA lists them, and the names of response codes. */
#ifndef DNS_CODE_H
#define DNS_CODE_H

#include <stdint.h>

#include "base/str.h"

enum dns_type {
        DNS_TYPE_A = 1,
        DNS_TYPE_NS = 2,
        DNS_TYPE_CNAME = 5,
        DNS_TYPE_SOA = 6,
        DNS_TYPE_PTR = 12,
        DNS_TYPE_MX = 15,
        DNS_TYPE_TXT = 16,
        DNS_TYPE_AAAA = 28,
        DNS_TYPE_OPT = 41,
        DNS_TYPE_TLSA = 52,
        DNS_TYPE_TSIG = 250,
        DNS_TYPE_ANY = 255,
};

enum dns_class {
        DNS_CLASS_IN = 1,
        DNS_CLASS_NONE = 254, /* RFC 2136 1.3 */
        DNS_CLASS_ANY = 255,
};

enum dns_opcode {
        DNS_OPCODE_QUERY = 0,
        DNS_OPCODE_UPDATE = 5,
};

/* Twelve bits with EDNS, sixteen in the error field of TSIG. */
enum dns_rcode {
        DNS_RCODE_NOERROR = 0,
        DNS_RCODE_FORMERR = 1,
        DNS_RCODE_SERVFAIL = 2,
        DNS_RCODE_NXDOMAIN = 3,
        DNS_RCODE_NOTIMP = 4,
        DNS_RCODE_REFUSED = 5,
        DNS_RCODE_YXDOMAIN = 6, /* 6 to 10: RFC 2136 2.2 */
        DNS_RCODE_YXRRSET = 7,
        DNS_RCODE_NXRRSET = 8,
        DNS_RCODE_NOTAUTH = 9,
        DNS_RCODE_NOTZONE = 10,
        DNS_RCODE_BADVERS = 16, /* as an EDNS response code */
        DNS_RCODE_BADSIG = 16,  /* 16 to 18 and 22: as a TSIG error, RFC 8945 3 */
        DNS_RCODE_BADKEY = 17,
        DNS_RCODE_BADTIME = 18,
        DNS_RCODE_BADTRUNC = 22,
};

/* "NXDOMAIN" and the like for the response code of a message; "RCODE?" when IANA names none. */
struct str dns_rcode_text(uint16_t rcode);
/* The same for the error field of a TSIG record, where 16 is BADSIG. */
struct str dns_tsig_error_text(uint16_t error);
/* "TXT" and the like for the types above, else "TYPE?". */
struct str dns_type_text(uint16_t type);

#endif
