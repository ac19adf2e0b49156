/* SPDX-License-Identifier: ISC */
/* Validating a chain (RFC 8617 5.2) in one pass over the body, by "ask again". The body digest is asked of a
 * `struct body_hash` that DKIM may share (auth/dkim_verify.h), before its first byte:
 *
 *     arc_verify_init(&v, &header, now_s, &body)       as soon as the header is there
 *     arc_verify_question(&v, i, &name)                for i below v.count: ask all TXT records at once
 *     body_hash_write(&body, chunk) ... body_hash_end(&body)
 *     arc_verify_check(&v, i, &key)                    for i from 0 on, with the keys made from the answers
 *     v.chain.verdict
 *
 * Signature 0 is the newest ARC-Message-Signature, those behind it are the seals, the newest first. No I/O and no clock;
 * it owns nothing. The header and the body hash stay the caller's. */
#ifndef AUTH_ARC_VERIFY_H
#define AUTH_ARC_VERIFY_H

#include <stddef.h>
#include <stdint.h>

#include "auth/arc_chain.h"
#include "auth/body_hash.h"
#include "auth/dkim_key.h"

#define ARC_SIGNATURES_MAX (ARC_SETS_MAX + 1)

struct arc_verify {
        const struct mail_header *header; /* borrowed */
        const struct body_hash *body;     /* borrowed */
        int64_t now_s;
        struct arc_chain chain;
        struct dkim_signature message; /* the newest ARC-Message-Signature */
        size_t slot;                   /* of its body digest */
        size_t count;                  /* signatures to check; 0 when there is no chain, or a broken one */
        uint8_t digests[ARC_SETS_MAX][SHA256_SIZE]; /* that the seals sign */
        enum err digests_err;
        enum dkim_fault faults[ARC_SIGNATURES_MAX]; /* of those that were checked */
};

void arc_verify_init(
        struct arc_verify *v, const struct mail_header *header, int64_t now_s, struct body_hash *body);

/* The name whose TXT record holds the key of signature `i`.
 *   ERR_OK     `w` has "SELECTOR._domainkey.DOMAIN"
 *   ERR_SPACE  DNS_NAME_MAX bytes are enough */
MUST_USE enum err arc_verify_question(const struct arc_verify *v, size_t i, struct wr *w);
/* Which set signature `i` belongs to. */
size_t arc_verify_instance(const struct arc_verify *v, size_t i);

/* Check signature `i`, after body_hash_end. The first fault settles the verdict; one may still go on, to know about
 * the others.
 *   whether it is right */
bool arc_verify_check(struct arc_verify *v, size_t i, const struct dkim_key *key);

#endif
