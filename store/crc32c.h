/* SPDX-License-Identifier: ISC */
/* CRC-32C (Castagnoli; RFC 9260 appendix A), eight bytes a step: by the processor where it has an instruction for it,
 * else by tables. Pure; the tables belong to the caller. */
#ifndef STORE_CRC32C_H
#define STORE_CRC32C_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct crc32c {
        uint32_t table[8][256];
        bool has_instruction; /* for a test to take away */
};

void crc32c_init(struct crc32c *c);
/* `crc` is 0 for the first bytes, then what the bytes before gave. */
uint32_t crc32c_update(const struct crc32c *c, uint32_t crc, struct str bytes);

#endif
