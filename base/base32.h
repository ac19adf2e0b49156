/* SPDX-License-Identifier: ISC */
/* Base 32 (RFC 4648 section 6) in lower case and without padding: for tokens and tickets inside local parts. */
#ifndef BASE_BASE32_H
#define BASE_BASE32_H

#include <stddef.h>

#include "base/str.h"
#include "base/wr.h"

/* Characters that `n` bytes become: ceil(8 n / 5). */
size_t base32_encoded_size(size_t n);
void base32_encode(struct wr *w, struct str bytes);

/* Decode without regard to case.
 *   ERR_OK
 *   ERR_SYNTAX  another character, a length that no bytes have, or bits set behind the last byte
 *   ERR_SPACE   the output does not fit */
MUST_USE enum err base32_decode(struct str text, struct wr *w);

#endif
