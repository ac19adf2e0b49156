/* SPDX-License-Identifier: ISC */
/* A writing cursor over a buffer that the caller owns. The first write that does not fit sticks: nothing after it is
 * written, so an encoder writes a whole structure and tests once. */
#ifndef BASE_WR_H
#define BASE_WR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct wr {
        char *p;
        size_t cap;
        size_t n;  /* bytes written */
        bool full; /* a write did not fit; the buffer holds the whole writes before it */
};

void wr_init(struct wr *w, void *buffer, size_t cap);
void wr_str(struct wr *w, struct str s);
void wr_byte(struct wr *w, char c);
void wr_be16(struct wr *w, uint16_t v);
void wr_be32(struct wr *w, uint32_t v);
void wr_be48(struct wr *w, uint64_t v);
void wr_u64(struct wr *w, uint64_t v);                         /* decimal */
void wr_u64_padded(struct wr *w, uint64_t v, unsigned digits); /* decimal, zeros in front */
void wr_lower(struct wr *w, struct str s);                     /* ASCII upper case made lower */
void wr_patch_be16(struct wr *w, size_t at, uint16_t v);       /* overwrites bytes written before */

struct str wr_text(const struct wr *w); /* what was written; borrowed from the buffer */
/* ERR_OK, or ERR_SPACE when a write did not fit. */
MUST_USE enum err wr_end(const struct wr *w);

#endif
