/* SPDX-License-Identifier: ISC */
/* A reading cursor over bytes from a peer. The first fault sticks: from then on every read gives 0 or an empty slice,
 * so a decoder reads a whole structure and tests `fault` once. Big-endian integers, as on the wire. */
#ifndef BASE_RD_H
#define BASE_RD_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct rd {
        const uint8_t *p;
        size_t n;
        size_t at;      /* next byte to read; at most n */
        enum err fault; /* ERR_OK, or the first fault: ERR_SYNTAX for reading past the end */
};

void rd_init(struct rd *r, struct str bytes); /* borrows `bytes` */
size_t rd_left(const struct rd *r);
uint8_t rd_u8(struct rd *r);
uint16_t rd_be16(struct rd *r);
uint32_t rd_be32(struct rd *r);
uint64_t rd_be48(struct rd *r);
struct str rd_bytes(struct rd *r, size_t n); /* borrowed from the input */
void rd_seek(struct rd *r, size_t at);       /* past the end is a fault */
void rd_fail(struct rd *r, enum err fault);  /* keeps an earlier fault */

#endif
