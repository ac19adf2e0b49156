/* SPDX-License-Identifier: ISC */
/* UPDATE at the primary (RFC 2136 3): prerequisites, permission, changes; all or nothing. No I/O, no clock. */
#ifndef TESTS_SIM_DNS_CHANGE_H
#define TESTS_SIM_DNS_CHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "tests/sim/dns_zone.h"

/* Where a key may change records. */
struct dns_scope {
        struct dns_name name; /* at or below it */
        uint16_t type;        /* DNS_TYPE_ANY: every one */
};

struct dns_change {
        struct str message; /* well formed, as dns_summary_read has it; its zone section is not read */
        const struct dns_scope *scopes; /* the change must lie in one of them; none: anywhere in the zone */
        size_t scope_count;
        bool is_deaf; /* judge, and change nothing */
        int64_t now_ms;
        /* out */
        bool has_version; /* a version was made: the newest */
};

/* The response code: NOERROR when it is done, FORMERR, NOTZONE, NXDOMAIN, YXDOMAIN, NXRRSET, YXRRSET, or REFUSED for what
 * lies outside of the scopes. */
uint16_t dns_change_apply(struct dns_zone *z, struct dns_change *change);

#endif
