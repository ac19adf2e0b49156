/* SPDX-License-Identifier: ISC */
/* The DKIM-Signature field (RFC 6376 3.5) as a value. Pure; slices are borrowed from the message's header. */
#ifndef AUTH_DKIM_SIGNATURE_H
#define AUTH_DKIM_SIGNATURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/canon.h"
#include "auth/dkim.h"
#include "base/str.h"
#include "base/wr.h"
#include "crypto/sha256.h"
#include "mail/header.h"

struct dkim_signature {
        struct str raw;    /* the whole field */
        struct str b_span; /* what is deleted from it before it is hashed */
        struct str b;      /* base64, possibly folded */
        struct str domain; /* d= */
        struct str selector;
        struct str identity; /* i= as written (dkim-quoted-printable), or empty */
        bool identity_below; /* its domain is not d= itself, but below */
        struct str covered;  /* h= */
        enum dkim_algorithm algorithm;
        enum canon header_canon, body_canon;
        uint64_t body_limit; /* l=, or BODY_HASH_ALL */
        bool has_time, has_expiry;
        int64_t time_s, expiry_s; /* t=, x= */
        uint8_t body_hash[SHA256_SIZE];
};

/* Read one field. `raw` is the whole field with its name.
 *   DKIM_OK, or the first fault, with its detail. What could be read before the fault stands in `*out`, the rest is
 *   empty, so that a report can name the domain. DKIM_SHA1 comes last, when nothing else is wrong. */
enum dkim_fault dkim_signature_parse(struct str raw, struct dkim_signature *out, struct str *detail);

/* "SELECTOR._domainkey.DOMAIN", where the key stands (3.6.2.1).
 *   ERR_OK, ERR_SPACE */
MUST_USE enum err dkim_key_name(struct str selector, struct str domain, struct wr *w);

/* The digest that is signed (3.7): the covered fields in the order of h=, each name taking the lowest instance not
 * yet taken (5.4.2), at most DKIM_COVERED_MAX, then the signature field itself with the span of its b= deleted.
 *   ERR_OK, or ERR_CRYPTO with zeros in `out` */
MUST_USE enum err dkim_header_digest(const struct mail_header *header, struct str covered, enum canon canon,
        struct str raw, struct str b_span, uint8_t out[SHA256_SIZE]);

#endif
