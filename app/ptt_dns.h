/* SPDX-License-Identifier: ISC */
/* ptt dns: what a domain needs in the DNS, as a plan; printed by ptt_dns.c, compared with what is live by
 * ptt_dns_check.c and ptt_dns_keys.c. */
#ifndef APP_PTT_DNS_H
#define APP_PTT_DNS_H

#include <stdbool.h>
#include <stddef.h>

#include "app/ptt.h"
#include "base/ip.h"
#include "dns/known.h"
#include "serve/resolver.h"

#define PTT_DNS_ADDRESSES 2

struct ptt_dns_plan {
        struct str domain, hostname; /* borrowed from the command line */
        struct ip addresses[PTT_DNS_ADDRESSES];
        size_t address_count;
        struct str selector, arc_selector; /* patterns */
        struct dns_server servers[RESOLVER_SERVERS_MAX];
        size_t server_count;
};

/* What is to be said of one record. */
enum ptt_dns_verdict {
        PTT_DNS_OK,
        PTT_DNS_ADVICE, /* right, and could be better; or not there, and not needed */
        PTT_DNS_MISSING,
        PTT_DNS_WRONG,
        PTT_DNS_UNKNOWN /* the DNS gave no answer */
};

/* A comparison: run again and again over what is known, silent until every answer is there. */
struct ptt_dns_check {
        struct ptt *ptt;
        const struct ptt_dns_plan *plan;
        struct dns_known known;
        bool is_told; /* the last run */
        unsigned bad; /* verdicts that are neither ok nor advice */
};

/* One verdict: a line on standard output, unless the run is a silent one. `why` and `about` may be empty. */
void ptt_dns_tell(struct ptt_dns_check *c, enum ptt_dns_verdict verdict, const struct dns_name *name,
        uint16_t type, const char *why, struct str about);
/* The records at `name`: NULL when there are none, which was told then, as `missing` unless that is PTT_DNS_OK. */
const struct dns_answer *ptt_dns_look(struct ptt_dns_check *c, const struct dns_name *name, uint16_t type,
        enum ptt_dns_verdict missing, const char *why);
/* The name of `labels` (may be empty) in front of a domain of the plan. */
struct dns_name ptt_dns_name(struct str labels, struct str domain);

/* Compare all with what is live.
 *   0 when nothing is missing, wrong or unknown, else 1 */
int ptt_dns_check(struct ptt *p, const struct ptt_dns_plan *plan);
void ptt_dns_check_keys(struct ptt_dns_check *c); /* the pointer and the selectors that it names */
void ptt_dns_check_tlsa(struct ptt_dns_check *c);

#endif
