/* SPDX-License-Identifier: ISC */
/* Base 64 (RFC 4648 section 4). */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stddef.h>

#include "base/str.h"
#include "base/wr.h"

/* Characters that `n` bytes become, padding included. */
size_t base64_encoded_size(size_t n);
void base64_encode(struct wr *w, struct str bytes);

/* Decode into `w`; white space (SP HTAB CR LF) between characters is skipped, as DKIM and PEM need.
 *   ERR_OK
 *   ERR_SYNTAX  another character, wrong or missing padding, or bits set behind the last byte
 *   ERR_SPACE   the output does not fit */
MUST_USE enum err base64_decode(struct str text, struct wr *w);

#endif
