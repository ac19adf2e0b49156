/* SPDX-License-Identifier: ISC */
/* What DKIM says of a signature (RFC 6376 as updated by RFC 8301 and RFC 8463): results, and the faults behind them. */
#ifndef AUTH_DKIM_H
#define AUTH_DKIM_H

#include <stdbool.h>

#include "base/str.h"
#include "base/wr.h"

/* RFC 8601 2.7.1, and one of ours. */
enum dkim_result {
        DKIM_NONE,      /* not signed */
        DKIM_PASS,      /* the signature is right */
        DKIM_EXPIRED,   /* right, but past its x= */
        DKIM_POLICY,    /* right, but covers less than it should, or its t= lies in the future */
        DKIM_FAIL,      /* header or body are not what was signed */
        DKIM_TEMPERROR, /* could not be verified now: the key's name server, or the cryptographic library */
        DKIM_PERMERROR, /* can never be verified: malformed, no key, a refused algorithm */
};

/* The word for Authentication-Results; DKIM_EXPIRED is written "policy". */
struct str dkim_result_text(enum dkim_result r);

enum dkim_fault {
        DKIM_OK,
        /* the signature field */
        DKIM_TAG_LIST,      /* not a tag list */
        DKIM_TAG_TWICE,     /* a tag stands twice */
        DKIM_TAGS_MANY,     /* over DKIM_TAGS_MAX */
        DKIM_VERSION,       /* v= is not 1 */
        DKIM_TAG_MISSING,   /* a required tag is missing: detail names it */
        DKIM_TAG_VALUE,     /* a tag's value is malformed: detail names it */
        DKIM_ALGORITHM,     /* a= is unknown */
        DKIM_SHA1,          /* a=rsa-sha1 (RFC 8301 3.1) */
        DKIM_CANON,         /* c= is unknown */
        DKIM_QUERY,         /* q= offers no dns/txt */
        DKIM_FROM_UNSIGNED, /* h= leaves From out (5.4) */
        DKIM_IDENTITY,      /* i= is not within d= (3.5) */
        DKIM_TIMES,         /* x= is not later than t= */
        DKIM_FUTURE,        /* t= lies in the future */
        /* the key */
        DKIM_KEY_NONE,     /* no TXT record, or no such name */
        DKIM_KEY_SEVERAL,  /* several TXT records (3.6.2.2) */
        DKIM_KEY_TROUBLE,  /* DNS gave no answer */
        DKIM_KEY_RECORD,   /* not a tag list, or p= is missing */
        DKIM_KEY_VERSION,  /* v= is not DKIM1, or not first */
        DKIM_KEY_TYPE,     /* k= is unknown */
        DKIM_KEY_REVOKED,  /* p= is empty */
        DKIM_KEY_HASH,     /* h= leaves sha256 out */
        DKIM_KEY_SERVICE,  /* s= is neither * nor email */
        DKIM_KEY_DATA,     /* p= holds no key of that type */
        DKIM_KEY_SHORT,    /* RSA under DKIM_KEY_BITS_MIN */
        DKIM_KEY_LONG,     /* RSA over DKIM_KEY_BITS_MAX */
        DKIM_KEY_MISMATCH, /* the key's type is not that of a= */
        DKIM_KEY_STRICT,   /* t=s, and the domain of i= is not d= */
        /* the message */
        DKIM_BODY,         /* the body hash differs */
        DKIM_BODY_SHORT,   /* the body is shorter than l= */
        DKIM_BODY_PARTIAL, /* l= leaves bytes at the end uncovered */
        DKIM_SIGNATURE,    /* the signature does not fit the header */
        DKIM_FIELD_ADDED, /* so, and a field is there as often as h= names it, which suits an added one: detail names it */
        DKIM_PAST,    /* x= lies in the past */
        DKIM_LIBRARY, /* the cryptographic library failed */
        DKIM_FAULT_COUNT
};

/* A sentence without its full stop, for a person who wants to mend it. */
struct str dkim_fault_text(enum dkim_fault f);
enum dkim_result dkim_fault_result(
        enum dkim_fault f); /* the result that each fault means; DKIM_OK is DKIM_PASS */

struct dkim_verdict {
        enum dkim_result result;
        enum dkim_fault fault;
        struct str detail; /* a tag's or a field's name, or empty; borrowed from the message */
        bool testing;      /* the key says t=y: give the signer no credit (RFC 6376 3.6.1) */
};

/* The whole reason, for a person who wants to mend it, such as "there is no key record (TXT) in DNS:
 * s1._domainkey.example.org" or "a tag of the signature has a malformed value: bh". `selector`
 * and `domain` are those of the signature, whose U-labels are written as A-labels. At most DKIM_REASON_MAX bytes of printable ASCII, since the parser leaves no
 * other in any of these. */
#define DKIM_REASON_MAX 1024
void dkim_reason_write(
        struct wr *w, enum dkim_fault fault, struct str detail, struct str selector, struct str domain);

enum dkim_algorithm { DKIM_RSA_SHA256, DKIM_ED25519_SHA256, DKIM_RSA_SHA1 };

#endif
