/* SPDX-License-Identifier: ISC */
/* Evaluating DMARC (RFC 9989 5.3) on the verdicts of SPF and DKIM, by "ask again" (dns/known.h). Pure: no I/O, no clock.
 *
 * A tree walk costs at most DMARC_WALK_MAX questions, all noted at once. Identifiers cost a walk of their own only if
 * they lie under the author's Organizational Domain and alignment is relaxed, so that strangers cost nothing. */
#ifndef AUTH_DMARC_CHECK_H
#define AUTH_DMARC_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "auth/dmarc.h"
#include "base/str.h"
#include "dns/known.h"
#include "mail/address.h"
#include "mail/header.h"

/* The Author Domain (5.3.1): that of all addresses of the one From field. */
struct dmarc_author {
        enum dmarc_fault fault;      /* DMARC_OK, or a DMARC_FROM_ one */
        struct dns_name domain;      /* U-labels made A-labels; n = 0 on faults */
        size_t count;                /* addresses; they all have that domain */
        struct mail_address address; /* the first of them, borrowed from the header; empty on faults */
};

/* The DNS name of a mail domain, U-labels made A-labels: true, or false when it has none (an address literal, say). */
bool dmarc_name_of(struct str domain, struct dns_name *out);

void dmarc_author_find(const struct mail_header *header, struct dmarc_author *out);

/* What SPF or DKIM found of one domain. Verdicts that are neither may be left out. */
struct dmarc_identifier {
        enum { DMARC_BY_SPF, DMARC_BY_DKIM } by;
        enum { DMARC_ID_PASSED, DMARC_ID_TROUBLE /* temperror */, DMARC_ID_OTHER } state;
        /* Of SPF: that of MAIL FROM, which for the null sender is that of HELO (3.2.4). Of DKIM: d=. */
        struct str domain;
};

struct dmarc_input {
        const struct dmarc_author *author;
        const struct dmarc_identifier *identifiers;
        size_t identifier_count; /* those beyond DMARC_IDENTIFIERS_MAX are passed over */
};

/* Evaluate with the answers so far.
 *   ERR_OK     `*out` is the verdict
 *   ERR_AGAIN  some questions are wanted in `known`: give the answers and call again (`*out` is DMARC_NONE) */
MUST_USE enum err dmarc_check(
        const struct dmarc_input *in, struct dns_known *known, struct dmarc_verdict *out);

#endif
