/* SPDX-License-Identifier: ISC */
/* SHA-256 of a message body in canonical form, for any number of signatures in one pass (RFC 6376 3.7).
 *
 *     body_hash_init(&b);
 *     slot = body_hash_want(&b, CANON_RELAXED, BODY_HASH_ALL);
 *     body_hash_write(&b, chunk) ...
 *     body_hash_end(&b);
 *     body_hash_result(&b, slot)
 *
 * Equal wishes share a slot, and each canonical form is computed once. */
#ifndef AUTH_BODY_HASH_H
#define AUTH_BODY_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/canon.h"
#include "base/limits.h"
#include "base/str.h"
#include "crypto/sha256.h"

#define BODY_HASH_ALL UINT64_MAX /* no l= */
#define BODY_HASH_SLICE 8192     /* read at one time */
#define BODY_HASH_GATHER 1024    /* short pieces are gathered, for fewer calls of the hash */

struct body_hash_slot {
        enum canon canon;
        uint64_t limit; /* l=: bytes of the canonical body that count, or BODY_HASH_ALL */
        uint64_t used;  /* of those, seen so far */
        struct sha256 sha;
        enum err err; /* of the digest: ERR_OK or ERR_CRYPTO, after body_hash_end */
        uint8_t digest[SHA256_SIZE];
};

struct body_hash_form {
        bool wanted;
        struct canon_body body;
        uint64_t size; /* canonical bytes so far */
        size_t gathered;
        char gather[BODY_HASH_GATHER];
};

struct body_hash {
        size_t count;
        bool ended;
        struct body_hash_slot slots[BODY_HASHES_MAX];
        struct body_hash_form forms[CANON_COUNT];
};

void body_hash_init(struct body_hash *b);
/* Ask for a digest; only before the first body_hash_write. At most BODY_HASHES_MAX different ones, which is our own
 * promise: signatures beyond DKIM_SIGNATURES_MAX are not looked at.
 *   the slot, for body_hash_result */
size_t body_hash_want(struct body_hash *b, enum canon canon, uint64_t limit);
void body_hash_write(struct body_hash *b, struct str bytes);
void body_hash_end(struct body_hash *b);
void body_hash_drop(struct body_hash *b); /* harmless after body_hash_end */
/* Instead of writing and ending: `b` gets its digests from `ended`, which has seen the very bytes that `b` is about.
 *   ERR_OK         `b` is ended
 *   ERR_NOT_FOUND  `ended` has not all that `b` wants; nothing was done */
MUST_USE enum err body_hash_lend(struct body_hash *b, const struct body_hash *ended);

/* After body_hash_end: the digest.
 *   ERR_OK, or ERR_CRYPTO with zeros in `out` */
MUST_USE enum err body_hash_result(const struct body_hash *b, size_t slot, uint8_t out[SHA256_SIZE]);
/* After body_hash_end: bytes of the slot's whole canonical body, whatever its limit. */
uint64_t body_hash_size(const struct body_hash *b, size_t slot);

#endif
