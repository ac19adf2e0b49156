/* SPDX-License-Identifier: ISC */
/* Verifying all signatures of a message (RFC 6376 6) in one pass over its body, by "ask again":
 *
 *     dkim_verify_init(&v, &header, now_s)             as soon as the header is there
 *     dkim_verify_question(&v, i, &name)              for i below v.count: ask all TXT records at once
 *     dkim_verify_body(&v, chunk) ...                 meanwhile
 *     dkim_verify_body_end(&v)
 *     dkim_verify_verdict(&v, i, &key)                with the key made from the answer (auth/dkim_key.h)
 *     dkim_verify_drop(&v)
 *
 * No I/O and no clock. The header's bytes and index stay the caller's and must live until the drop. */
#ifndef AUTH_DKIM_VERIFY_H
#define AUTH_DKIM_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/body_hash.h"
#include "auth/dkim.h"
#include "auth/dkim_key.h"
#include "auth/dkim_signature.h"
#include "base/limits.h"
#include "base/str.h"
#include "base/wr.h"
#include "mail/header.h"

struct dkim_verify {
        const struct mail_header *header; /* borrowed */
        int64_t now_s;
        size_t count;   /* signatures looked at, from the top */
        size_t ignored; /* signatures beyond DKIM_SIGNATURES_MAX */
        struct {
                struct dkim_signature signature;
                struct dkim_verdict early; /* a fault of the field itself, or DKIM_OK */
                size_t slot;               /* of its body digest */
                bool is_judged; /* by another, whose `digest` this is: its key is not asked again */
                bool fits;      /* b= was found to be the key's signature of `digest`, the header's */
                uint8_t digest[SHA256_SIZE];
        } list[DKIM_SIGNATURES_MAX];
        struct body_hash body;
};

void dkim_verify_init(struct dkim_verify *v, const struct mail_header *header, int64_t now_s);
void dkim_verify_body(struct dkim_verify *v, struct str bytes);
void dkim_verify_body_end(struct dkim_verify *v);

/* The name whose TXT record holds the key of signature `i`.
 *   ERR_OK         `w` has "SELECTOR._domainkey.DOMAIN"
 *   ERR_NOT_FOUND  no key is needed: the field alone decides
 *   ERR_SPACE      DNS_NAME_MAX bytes are enough */
MUST_USE enum err dkim_verify_question(const struct dkim_verify *v, size_t i, struct wr *w);

/* The verdict on signature `i`, after dkim_verify_body_end. `key` may be NULL when no key was needed, and may serve
 * several signatures. A signature past its x= is DKIM_EXPIRED only if all else is right. */
struct dkim_verdict dkim_verify_verdict(struct dkim_verify *v, size_t i, const struct dkim_key *key);
/* Signature `i` was judged in `before`, on another header, and is to be judged in `v` by the same key. If it was right there,
 * and still has the same b=, it is now right for the same digest of the header and for no other: nothing is verified again. */
void dkim_verify_judged(struct dkim_verify *v, size_t i, const struct dkim_verify *before);

void dkim_verify_drop(struct dkim_verify *v);

#endif
