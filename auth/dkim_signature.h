/* SPDX-License-Identifier: ISC */
/* The DKIM-Signature field (RFC 6376 3.5) as a value, and its relatives ARC-Message-Signature and ARC-Seal (RFC 8617
 * 4.1.2, 4.1.3). Pure; slices are borrowed from the message's header. */
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

/* What a field is of the DKIM signature's family:
 *   DKIM_FIELD            v= is required, and h= must have From
 *   DKIM_ARC_MESSAGE      i= is the instance, v= means nothing; h= may be anything that leaves ARC-Seal out
 *   DKIM_ARC_SEAL         likewise; cv= is required, bh= and c= mean nothing, h= must not be there */
enum dkim_kind { DKIM_FIELD, DKIM_ARC_MESSAGE, DKIM_ARC_SEAL };

struct dkim_signature {
        struct str raw;    /* the whole field */
        struct str b_span; /* what is deleted from it before it is hashed */
        struct str b;      /* base64, possibly folded */
        struct str domain; /* d=; it and s= may have U-labels: write them by dkim_name_write */
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
        size_t instance; /* i= of ARC: 1 to ARC_SETS_MAX, one more for any above; 0: there is none */
        struct str cv;   /* cv= as written */
};

/* Read one field. `raw` is the whole field with its name, which is not looked at.
 *   DKIM_OK, or the first fault, with its detail. What could be read before the fault stands in `*out`, the rest is
 *   empty, so that a report can name the domain. DKIM_SHA1 comes last, when nothing else is wrong. */
enum dkim_fault dkim_signature_parse(
        enum dkim_kind kind, struct str raw, struct dkim_signature *out, struct str *detail);

/* "SELECTOR._domainkey.DOMAIN", where the key stands (3.6.2.1), in A-labels.
 *   ERR_OK, ERR_SPACE */
MUST_USE enum err dkim_key_name(struct str selector, struct str domain, struct wr *w);

/* The digest that is signed (3.7): the covered fields in the order of h=, each name taking the lowest instance not
 * yet taken (5.4.2), at most DKIM_COVERED_MAX, then the signature field itself with the span of its b= deleted.
 *   ERR_OK, or ERR_CRYPTO with zeros in `out` */
MUST_USE enum err dkim_header_digest(const struct mail_header *header, struct str covered, enum canon canon,
        struct str raw, struct str b_span, uint8_t out[SHA256_SIZE]);

/* A running hash of whole fields in relaxed form, as ARC seals them (RFC 8617 5.1.1). Short pieces are gathered: a call of the hash costs more than copying a word. */
struct dkim_hash {
        struct sha256 sha;
        size_t n;
        char text[512];
};

void dkim_hash_init(struct dkim_hash *h);
void dkim_hash_field(struct dkim_hash *h, struct str raw);
/* What a seal signs that stands behind all fields so far; `h` itself goes on without it.
 *   ERR_OK, or ERR_CRYPTO with zeros in `out` */
MUST_USE enum err dkim_hash_sealed(
        struct dkim_hash *h, struct str raw, struct str b_span, uint8_t out[SHA256_SIZE]);
void dkim_hash_drop(struct dkim_hash *h);

#endif
