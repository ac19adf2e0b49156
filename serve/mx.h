/* SPDX-License-Identifier: ISC */
/* Where mail for a domain goes: RFC 5321 5.1 and RFC 7505, on top of the resolver. */
#ifndef SERVE_MX_H
#define SERVE_MX_H

#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/limits.h"
#include "base/str.h"
#include "serve/resolver.h"

struct mx_host {
        struct dns_name name; /* as the MX record has it, or the domain itself */
        struct dns_name base; /* where its aliases lead, if that is one name for A and AAAA; else the same */
        uint8_t rank;         /* of its preference: 0 is tried first, equal ones in any order */
        bool is_secure;       /* DNSSEC vouches for the way from the domain to its addresses (RFC 7672 2.2) */
};

struct mx_targets {
        struct ip_port at[MX_ADDRESSES_MAX]; /* in the order to be tried; port 25 */
        uint8_t host_of[MX_ADDRESSES_MAX];   /* index in `hosts` */
        size_t count;
        struct mx_host hosts[MX_HOSTS_MAX];
        size_t host_count;     /* 0 for an address literal */
        struct dns_name first; /* by preference and then by name; nothing for a literal */
        uint32_t ttl_s;        /* so long the answers hold; UINT32_MAX for a literal */
};

/* Find the addresses of the hosts for `domain` (a name, or an address literal with its brackets): by preference, at
 * random among equals, A and AAAA of each; the domain's own addresses when it has no MX. `self` is our own host name:
 * it and all hosts of the same or a worse preference are left out, so that mail does not go round. Of the others the
 * first MX_HOSTS_MAX, of equals by their names, are looked up: who owns a domain shall not have us ask for hundreds of
 * names, and shall be the same set each time.
 *   ERR_OK           at least one address
 *   ERR_UNSUPPORTED  a null MX, or not a name: this domain takes no mail, and never will today
 *   ERR_NOT_FOUND    no such domain, or neither MX nor address
 *   ERR_DENIED, ERR_TIMEOUT and others of resolver_lookup: not known now
 * `out->count` is 0 on errors. */
MUST_USE enum err mx_find(struct resolver *r, struct host *h, struct str domain, struct str self,
        int64_t deadline_ms, struct mx_targets *out);

/* The same for one host that was named, a name or an address literal: whatever MX records it has. */
MUST_USE enum err mx_find_host(
        struct resolver *r, struct host *h, struct str host, int64_t deadline_ms, struct mx_targets *out);

/* A digest of the set of hosts, whatever their order: of their base names without case, or of a literal's address.
 * Domains of one digest are served by the same hosts; nobody can make another set with it, so no domain can get at the
 * mail of another.
 *   ERR_OK, ERR_MEMORY */
#define MX_KEY_SIZE 32
MUST_USE enum err mx_key(const struct mx_targets *targets, uint8_t key[MX_KEY_SIZE]);
/* The same of the hosts with their ranks: who has one order, may use what was opened for another domain of that order. */
MUST_USE enum err mx_order(const struct mx_targets *targets, uint8_t order[MX_KEY_SIZE]);

#endif
