/* SPDX-License-Identifier: ISC */
/* What one question was answered: the value that resolvers give and that SPF, DKIM and DMARC take.
 * Reads a response without trusting more of it than the chain of records that starts at the question's name. Pure. */
#ifndef DNS_ANSWER_H
#define DNS_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/ip.h"
#include "dns/code.h"
#include "dns/message.h"
#include "dns/name.h"
#include "dns/rdata.h"

enum dns_status {
        DNS_FOUND,   /* at least one record */
        DNS_NO_DATA, /* the name exists, but has no record of this type */
        DNS_NO_NAME, /* NXDOMAIN */
        DNS_ALIAS, /* the chain of CNAMEs leads to `name`, about which this message says nothing; resolvers go on, so
                      * only dns_answer_read and a query to one authoritative server give it */
};

struct dns_value {
        struct str
                wire; /* the RDATA, uncompressed: for UPDATE's exact prerequisites, and for types not listed here */
        union {
                struct ip ip;         /* A, AAAA */
                struct dns_name name; /* NS, CNAME, PTR */
                struct dns_mx mx;     /* MX */
                struct str text;      /* TXT: the strings joined */
        };
};

struct dns_answer {
        enum dns_status status;
        uint16_t type;
        uint16_t rcode; /* NOERROR or NXDOMAIN; with an error, what the server said if it said something */
        bool is_secure; /* the AD bit of a server that is trusted for it */
        bool is_authoritative; /* the AA bit */
        bool is_cacheable;     /* false for a negative answer without SOA (RFC 2308 5) */
        uint32_t ttl_s; /* the least on the way; of a negative answer as RFC 2308 5 says, 0 without SOA */
        struct dns_name name; /* where the values stand, after CNAMEs */
        size_t count;
        struct dns_value *values; /* in the arena */
};

/* Enough arena for any one message. */
#define DNS_ANSWER_ROOM (DNS_RECORDS_MAX * (sizeof(struct dns_value) + 2 * 32) + 3 * DNS_MESSAGE_MAX)

/* Read a response to the question (name, type, class IN), following CNAMEs inside the message. Records of the answer
 * section that are not on that chain are ignored, duplicates are given once. Times to live above 2^31 - 1 are 0
 * (RFC 2181 8). `is_secure` is the AD bit as it stands: the caller knows whether to believe it.
 *   ERR_OK
 *   ERR_SYNTAX  not a response, or malformed
 *   ERR_LIMIT   more than DNS_CNAME_MAX aliases or a loop of them, or above DNS_RECORDS_MAX records
 *   ERR_DENIED  another rcode than NOERROR and NXDOMAIN (in `out->rcode`)
 *   ERR_MEMORY  the arena is full                 (`out->count` is 0 on errors) */
MUST_USE enum err dns_answer_read(struct str message, const struct dns_name *name, uint16_t type,
        struct arena *arena, struct dns_answer *out);

/* A copy that lives in another arena, and the arena bytes that it needs there at most.
 *   ERR_OK, or ERR_MEMORY (`out->count` is 0 then) */
MUST_USE enum err dns_answer_copy(const struct dns_answer *from, struct arena *arena, struct dns_answer *out);
size_t dns_answer_size(const struct dns_answer *answer);

#endif
