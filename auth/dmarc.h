/* SPDX-License-Identifier: ISC */
/* What DMARC says of a message (RFC 9989): results, the reasons behind them, and the policy record as a value. The
 * evaluation is auth/dmarc_check.h. */
#ifndef AUTH_DMARC_H
#define AUTH_DMARC_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "base/wr.h"
#include "dns/name.h"

/* RFC 9989 9.2. */
enum dmarc_result {
        DMARC_NONE,      /* no policy applies */
        DMARC_PASS,      /* an identifier that passed is aligned with the author's domain */
        DMARC_FAIL,      /* there is a policy, and none is aligned */
        DMARC_TEMPERROR, /* DNS gave no answer that the verdict hangs on */
        DMARC_PERMERROR, /* there is not one author domain */
        DMARC_RESULT_COUNT
};

/* The word for Authentication-Results. */
struct str dmarc_result_text(enum dmarc_result r);

enum dmarc_fault {
        DMARC_OK, /* pass */
        /* permerror: the From field */
        DMARC_FROM_NONE,    /* there is none, or it has no address */
        DMARC_FROM_TWICE,   /* there are several fields */
        DMARC_FROM_SYNTAX,  /* it is malformed */
        DMARC_FROM_SEVERAL, /* its addresses have different domains */
        DMARC_FROM_DOMAIN,  /* its domain is none that the DNS can have, such as an address literal */
        /* none */
        DMARC_NO_RECORD, /* neither the author domain nor those above it publish a policy */
        DMARC_BAD_RECORD, /* the record at `name` has no valid p=, or an invalid sp= or np=, and no rua= (4.10.1) */
        /* temperror */
        DMARC_TROUBLE,       /* DNS gave no answer about `name` */
        DMARC_TROUBLE_BELOW, /* SPF or DKIM got none for an identifier that would be aligned */
        DMARC_QUESTIONS,     /* more questions than the caller asks for one message */
        /* fail */
        DMARC_NOT_ALIGNED,    /* something passed, for other domains */
        DMARC_NOTHING_PASSED, /* neither SPF nor DKIM passed for any domain */
        DMARC_FAULT_COUNT
};

struct str dmarc_fault_text(enum dmarc_fault f);
enum dmarc_result dmarc_fault_result(enum dmarc_fault f);

enum dmarc_policy { DMARC_POLICY_NONE, DMARC_POLICY_QUARANTINE, DMARC_POLICY_REJECT };

/* "none", "quarantine", "reject" */
struct str dmarc_policy_text(enum dmarc_policy p);

enum dmarc_psd { DMARC_PSD_UNKNOWN, DMARC_PSD_YES, DMARC_PSD_NO };

/* A policy record (4.7) with its defaults filled in. */
struct dmarc_record {
        enum dmarc_policy p, sp, np; /* sp is p, and np is sp, where they are left out */
        bool has_sp, has_np;         /* they are not left out */
        bool is_usable;              /* as 4.10.1 asks: else no policy is to be applied */
        bool strict_dkim, strict_spf;
        bool testing; /* t=y */
        enum dmarc_psd psd;
        struct str rua, ruf; /* as written; borrowed from the text; empty when left out */
};

/* Read the text of a TXT record. Unknown tags and malformed ones are passed over; of a tag that stands twice the first
 * counts. A record without a valid p= (or with an invalid sp= or np=) but with a reporting address in rua= counts as p=none.
 *   ERR_OK
 *   ERR_NOT_FOUND  not a DMARC record: it does not begin with v=DMARC1 (`*out` is that of "p=none" then) */
MUST_USE enum err dmarc_record_parse(struct str text, struct dmarc_record *out);

struct dmarc_verdict {
        enum dmarc_result result;
        enum dmarc_fault fault;
        struct dns_name name;          /* that the fault is about; n = 0: about none */
        struct dns_name author;        /* the Author Domain, in A-labels; n = 0 with a DMARC_FROM_ fault */
        struct dns_name organization;  /* its Organizational Domain; n = 0 when that was not found out */
        struct dns_name policy_domain; /* where the record stands, without _dmarc; n = 0 when there is none */
        struct dmarc_record record;    /* that one; borrowed from the answers */
        struct str record_text;        /* as published; borrowed likewise */
        bool exists; /* the author domain does; false only when np= made it worth a question */
        /* What the owner asks to do with a message that fails: p, sp or np, one step down with t=y. It is filled for a
         * message that passes, too, and is DMARC_POLICY_NONE when no record applies. Never act on it alone (7.4). */
        enum dmarc_policy policy;
        bool spf_aligned, dkim_aligned; /* a passing identifier of that kind is aligned */
        size_t aligned; /* the first such identifier in the input, when the result is DMARC_PASS */
};

/* A sentence without its full stop, for a person who wants to mend it, such as "no DMARC record for example.org or the
 * domains above it". At most DMARC_REASON_MAX bytes, printable ASCII. */
#define DMARC_REASON_MAX (2 * DNS_NAME_TEXT_MAX + 256)
void dmarc_reason_write(struct wr *w, const struct dmarc_verdict *v);

#endif
