/* SPDX-License-Identifier: ISC */
/* The checks of one signature, shared by DKIM (RFC 6376 6.1.3) and ARC. For auth/ itself; pure. */
#ifndef AUTH_DKIM_CHECK_H
#define AUTH_DKIM_CHECK_H

#include <stddef.h>
#include <stdint.h>

#include "auth/body_hash.h"
#include "auth/dkim_key.h"
#include "auth/dkim_signature.h"

/* Each gives DKIM_OK or a fault. The signature is one that dkim_signature_parse found right. */

/* Is there a key, and is it one for this signature? */
enum dkim_fault dkim_check_key(const struct dkim_signature *s, const struct dkim_key *key);
/* Does the body have the digest that bh= says? After body_hash_end. */
enum dkim_fault dkim_check_body(const struct dkim_signature *s, const struct body_hash *body, size_t slot);
/* Is b= a signature of this digest? */
enum dkim_fault dkim_check_digest(
        const struct dkim_signature *s, const uint8_t digest[SHA256_SIZE], const struct crypto_key *key);
/* l=, t= and x= of a signature that is right otherwise. */
enum dkim_fault dkim_check_limits(
        const struct dkim_signature *s, const struct body_hash *body, size_t slot, int64_t now_s);

#endif
