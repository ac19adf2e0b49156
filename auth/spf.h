/* SPDX-License-Identifier: ISC */
/* What SPF says of a client (RFC 7208): results, and the reasons behind them. The evaluation is auth/spf_check.h. */
#ifndef AUTH_SPF_H
#define AUTH_SPF_H

#include <stdbool.h>

#include "base/str.h"
#include "base/wr.h"
#include "dns/name.h"

/* RFC 7208 2.6, RFC 8601 2.7.2. */
enum spf_result {
        SPF_NONE,      /* no record, or no domain that could have one */
        SPF_NEUTRAL,   /* the domain says nothing of this client */
        SPF_PASS,      /* the client may send for the domain */
        SPF_FAIL,      /* it may not */
        SPF_SOFTFAIL,  /* it probably may not */
        SPF_TEMPERROR, /* DNS gave no answer now */
        SPF_PERMERROR, /* the record cannot be evaluated until somebody mends it */
        SPF_RESULT_COUNT
};

/* The word for Received-SPF and Authentication-Results. */
struct str spf_result_text(enum spf_result r);
/* That word read, ASCII case ignored: false, and SPF_NONE, for another one. */
bool spf_result_parse(struct str word, enum spf_result *out);

enum spf_fault {
        SPF_OK, /* the record decided: `term` matched, or none did and that is neutral */
        /* none */
        SPF_NO_DOMAIN, /* the identity has no domain, or one that is not fully qualified (4.3) */
        SPF_NO_NAME,   /* the domain does not exist */
        SPF_NO_RECORD, /* it has no SPF record */
        /* temperror */
        SPF_TROUBLE, /* DNS gave no answer about `name` */
        /* permerror, each about the record of `name` */
        SPF_RECORDS,        /* there are several (4.5) */
        SPF_SYNTAX,         /* `term` is malformed */
        SPF_MECHANISM,      /* `term` is an unknown mechanism */
        SPF_MODIFIER_TWICE, /* `term` is a second redirect= or exp= (6) */
        SPF_TARGET,         /* `term` includes or redirects to a domain without a record (5.2, 6.1) */
        SPF_LOOKUPS,        /* with `term` there are more than SPF_LOOKUPS_MAX lookups */
        SPF_VOIDS,          /* with `term` more than SPF_VOIDS_MAX of them find nothing */
        SPF_HOSTS,          /* `term` has more than SPF_HOSTS_MAX mail exchangers */
        SPF_QUESTIONS,      /* asking about `name`, too, would be more than the caller asks for one message */
        SPF_FAULT_COUNT
};

struct spf_verdict {
        enum spf_result result;
        enum spf_fault fault;
        bool is_helo;         /* the identity is the HELO name, since the sender is empty (2.4) */
        struct str domain;    /* of the identity, as it was given; borrowed from the input */
        struct dns_name name; /* as the fault says, or whose record decided; n = 0 for SPF_NO_DOMAIN */
        struct str term;      /* of that record; empty when no term decided; borrowed from the answers */
        struct str
                explanation; /* of a fail, when it was asked for and there is one: printable ASCII of a stranger, in
                                 * the arena of the answers */
};

/* A sentence without its full stop, for a person who wants to mend it, such as
 * "example.org: a term of the SPF record is malformed: ip4:192.0.2.256". At most SPF_REASON_MAX bytes, printable
 * ASCII (other bytes are '?'). */
#define SPF_REASON_MAX (2 * DNS_NAME_TEXT_MAX + 256)
void spf_reason_write(struct wr *w, const struct spf_verdict *v);

#endif
