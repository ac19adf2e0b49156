/* SPDX-License-Identifier: ISC */
/* Keys from passwords and keys from keys. What is written is secret: the caller wipes it (crypto/bytes.h). */
#ifndef CRYPTO_KDF_H
#define CRYPTO_KDF_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

#define HKDF_SIZE_MAX (255 * 32) /* RFC 5869 2.3 */

/* PBKDF2 with HMAC-SHA-256 (RFC 8018 5.2). It computes for as long as `rounds` asks, without a pause.
 *   ERR_OK, or ERR_CRYPTO with zeros in `out` */
MUST_USE enum err kdf_pbkdf2(struct str password, struct str salt, uint32_t rounds, uint8_t *out, size_t n);

/* HKDF-Expand with SHA-256 (RFC 5869 2.3); `n` is at most HKDF_SIZE_MAX.
 *   ERR_OK, or ERR_CRYPTO with zeros in `out` */
MUST_USE enum err kdf_hkdf_expand(struct str key, struct str info, uint8_t *out, size_t n);

#endif
