/* SPDX-License-Identifier: ISC */
/* ptt dns: what a domain needs in the DNS, as a plan; printed by ptt_dns.c, compared with what is live by
 * ptt_dns_check.c. */
#ifndef APP_PTT_DNS_H
#define APP_PTT_DNS_H

#include <stdbool.h>
#include <stddef.h>

#include "app/ptt.h"
#include "auth/records.h"
#include "serve/resolver.h"

struct ptt_dns_plan {
        struct records_plan records; /* borrows from the command line */
        struct dns_server servers[RESOLVER_SERVERS_MAX];
        size_t server_count;
};

/* Compare all with what is live.
 *   0 when nothing is missing, wrong or unknown, else 1 */
int ptt_dns_check(struct ptt *p, const struct ptt_dns_plan *plan);

#endif
