/* SPDX-License-Identifier: ISC */
/* DNS UPDATE requests (RFC 2136): a zone, prerequisites, then changes, all or nothing at the primary.
 * Pure: no I/O, no allocation. Prerequisites come before changes (else CHECK). What does not fit sticks until
 * dns_update_end. `rdata` holds no compressed names: dns_txt_write_wire and the writers of dns/rdata.h give it. */
#ifndef DNS_UPDATE_H
#define DNS_UPDATE_H

#include <stdint.h>

#include "dns/message.h"

struct dns_update {
        struct dns_writer writer;
};

/* The buffer belongs to the caller; leave TSIG_ROOM (dns/tsig.h) in it for the signature. */
void dns_update_init(
        struct dns_update *u, void *buffer, size_t cap, uint16_t id, const struct dns_name *zone);

/* Prerequisites (2.4). An exact RRset is one call a record: all records of that name and type together must be the
 * RRset, in any order and whatever its TTL. */
void dns_update_need_rrset(struct dns_update *u, const struct dns_name *name, uint16_t type); /* 2.4.1 */
void dns_update_need_exact(
        struct dns_update *u, const struct dns_name *name, uint16_t type, struct str rdata);     /* 2.4.2 */
void dns_update_need_no_rrset(struct dns_update *u, const struct dns_name *name, uint16_t type); /* 2.4.3 */
void dns_update_need_name(struct dns_update *u, const struct dns_name *name);                    /* 2.4.4 */
void dns_update_need_no_name(struct dns_update *u, const struct dns_name *name);                 /* 2.4.5 */

/* Changes (2.5). */
struct dns_update_record {
        const struct dns_name *name;
        uint16_t type;
        uint32_t ttl_s;
        struct str rdata;
};
void dns_update_add(struct dns_update *u, const struct dns_update_record *record);              /* 2.5.1 */
void dns_update_delete_rrset(struct dns_update *u, const struct dns_name *name, uint16_t type); /* 2.5.2 */
void dns_update_delete_name(struct dns_update *u, const struct dns_name *name);                 /* 2.5.3 */
void dns_update_delete_record(
        struct dns_update *u, const struct dns_name *name, uint16_t type, struct str rdata); /* 2.5.4 */

/* The message, borrowed from the buffer: ready for tsig_sign.
 *   ERR_OK, or ERR_SPACE (`*out` is empty then) */
MUST_USE enum err dns_update_end(struct dns_update *u, struct str *out);

#endif
