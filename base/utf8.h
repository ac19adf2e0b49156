/* SPDX-License-Identifier: ISC */
/* Well-formed UTF-8 (RFC 3629): no surrogates, nothing above U+10FFFF, no longer form than needed. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "base/wr.h"

/* Octets of the character at the head of `s`: 1 to 4, or 0 when `s` is empty or ill-formed there. */
size_t utf8_head(struct str s);
bool utf8_is_valid(struct str s);             /* true for an empty one */
void utf8_write(struct wr *w, uint32_t code); /* U+FFFD for what is no character */

#endif
