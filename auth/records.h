/* SPDX-License-Identifier: ISC */
/* What a domain needs in the DNS, held against what is live, by the engines that judge others' mail. Pure: whoever owns
 * `known` (dns/known.h) puts its open questions to the DNS and compares again, until none is wanted:
 *
 *     for (records_compare(&r); r.known->wanted > 0; records_compare(&r))
 *             ask all that is wanted;
 *     r.tell = ...;
 *     records_compare(&r);            the last time: findings are told and counted */
#ifndef AUTH_RECORDS_H
#define AUTH_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/str.h"
#include "base/wr.h"
#include "dns/known.h"
#include "dns/name.h"

#define RECORDS_ADDRESSES 4 /* of a host name that are looked at */

struct records_plan {
        struct str domain, hostname;       /* valid names */
        struct ip addresses[2];            /* from which mail goes out: of each family at most one */
        size_t address_count;              /* 0: not known here, those of the host name are taken */
        struct str selector, arc_selector; /* nec's patterns, with their %d */
};

/* What is to be said of one record. */
enum records_verdict {
        RECORDS_OK,
        RECORDS_ADVICE, /* right, and could be better; or not there, and not needed */
        RECORDS_MISSING,
        RECORDS_WRONG,
        RECORDS_UNKNOWN /* the DNS gave no answer */
};
struct records_finding {
        enum records_verdict verdict;
        const struct dns_name *name;
        uint16_t type;
        const char *why;  /* may be empty */
        struct str about; /* may be empty, and may hold a stranger's text: anything */
};
typedef void records_tell_fn(void *ctx, const struct records_finding *finding);
/* "missing  _dmarc.mailingl.st TXT: no DMARC record", on one line without its end; control characters as "?". */
void records_finding_write(struct wr *w, const struct records_finding *finding);

/* A comparison; all but plan and known are zeros at first, and `tell` is given for the last run. */
struct records {
        const struct records_plan *plan;
        struct dns_known *known;
        records_tell_fn *tell;
        void *ctx;
        unsigned bad;                           /* findings that are missing or wrong */
        unsigned unknown;                       /* those of which the DNS told nothing */
        struct ip addresses[RECORDS_ADDRESSES]; /* of this run */
        size_t address_count;
};
void records_compare(struct records *r);

/* The name of `labels` (may be empty) in front of a domain; the root when there is no such name. */
struct dns_name records_name(struct str labels, struct str domain);

/* For records_*.c alone. */
void records_tell(struct records *r, enum records_verdict verdict, const struct dns_name *name, uint16_t type,
        const char *why, struct str about);
/* The records at `name`: NULL when there are none, which was told then as `missing`, unless that is RECORDS_OK. */
const struct dns_answer *records_look(struct records *r, const struct dns_name *name, uint16_t type,
        enum records_verdict missing, const char *why);
void records_compare_keys(struct records *r); /* the pointer and the selectors that it names */
void records_compare_tlsa(struct records *r);

#endif
