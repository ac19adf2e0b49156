/* SPDX-License-Identifier: ISC */
/* --dns-server, --dns-key and --dns-key-file: what nec and lipap may change in the DNS, and where. */
#ifndef APP_DNS_KEYS_H
#define APP_DNS_KEYS_H

#include "app/options.h"
#include "dns/tsig.h"
#include "serve/dns_exchange.h"

#define DNS_KEYS_MAX 32

struct dns_keys {
        struct tsig_key list[DNS_KEYS_MAX];
        size_t count;
        struct dns_server server; /* the primary; port 0: none is named */
};

/* Read the three options for `program`; what is wrong is said in one line, without any secret.
 *   -1: go on; else the program ends with this status */
int dns_keys_read(struct dns_keys *k, const struct options *options, const char *program);
/* The key of the longest zone around `name`. One whose own name points to no zone serves every name as a zone of its own.
 * NULL when there is none. */
const struct tsig_key *dns_keys_choose(
        const struct dns_keys *k, const struct dns_name *name, struct dns_name *zone);
void dns_keys_wipe(struct dns_keys *k);

#endif
