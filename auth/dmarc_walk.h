/* SPDX-License-Identifier: ISC */
/* The tree walk of DMARC (RFC 9989 4.10) by "ask again". For auth/ itself. Pure. */
#ifndef AUTH_DMARC_WALK_H
#define AUTH_DMARC_WALK_H

#include <stdbool.h>
#include <stddef.h>

#include "auth/dmarc.h"
#include "base/limits.h"
#include "base/str.h"
#include "dns/known.h"

struct dmarc_found {
        struct dns_name domain;
        struct dmarc_record record;
        struct str text;
};

struct dmarc_walk {
        /* DNS_KNOWN_FOUND when it came to its end, whether or not there are records; else DNS_KNOWN_TROUBLE or
         * DNS_KNOWN_TOO_MANY about `name`, or DNS_KNOWN_WANTED: all its questions are noted. */
        enum dns_knowledge state;
        struct dns_name name;
        struct dns_name organization; /* of the domain where it started; n = 0 unless it came to its end */
        size_t count;                 /* records found until then, from the longest name to the shortest */
        struct dmarc_found found[DMARC_WALK_MAX];
};

void dmarc_walk(struct dns_known *known, const struct dns_name *start, struct dmarc_walk *out);

/* The record to be applied to mail of `author`, from its own walk (4.10.1); NULL when there is none, or none is known. */
const struct dmarc_found *dmarc_walk_policy(const struct dmarc_walk *walk, const struct dns_name *author);

#endif
