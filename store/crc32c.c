/* SPDX-License-Identifier: ISC */
#include "store/crc32c.h"

#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#define POLYNOMIAL 0x82f63b78u /* 0x1edc6f41 with its bits reversed */

#if defined(__x86_64__)
static bool find_instruction(void)
{
        unsigned a, b, c, d;
        return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_SSE4_2) != 0;
}

__attribute__((target("sse4.2"))) static uint32_t by_instruction(uint32_t crc, struct str bytes)
{
        const char *p = bytes.p;
        size_t n = bytes.n;
        uint64_t wide = crc;
        for (; n >= 8; p += 8, n -= 8) {
                uint64_t v;
                memcpy(&v, p, 8);
                wide = __builtin_ia32_crc32di(wide, v);
        }
        crc = (uint32_t)wide;
        for (; n > 0; p++, n--)
                crc = __builtin_ia32_crc32qi(crc, (uint8_t)*p);
        return crc;
}
#else
static bool find_instruction(void)
{
        return false;
}

static uint32_t by_instruction(uint32_t crc, struct str bytes)
{
        (void)bytes;
        return crc;
}
#endif

void crc32c_init(struct crc32c *c)
{
        c->has_instruction = find_instruction();
        for (uint32_t i = 0; i < 256; i++) {
                uint32_t crc = i;
                for (int bit = 0; bit < 8; bit++)
                        crc = (crc >> 1) ^ ((crc & 1) ? POLYNOMIAL : 0);
                c->table[0][i] = crc;
        }
        /* table[k][i]: the effect of byte i when k more bytes follow it */
        for (uint32_t i = 0; i < 256; i++)
                for (int k = 1; k < 8; k++) {
                        uint32_t crc = c->table[k - 1][i];
                        c->table[k][i] = (crc >> 8) ^ c->table[0][crc & 255];
                }
}

static uint32_t le32(const uint8_t *p)
{
        return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint32_t by_tables(const struct crc32c *c, uint32_t crc, struct str bytes)
{
        const uint32_t(*t)[256] = c->table;
        const uint8_t *p = (const uint8_t *)bytes.p;
        size_t n = bytes.n;
        for (; n >= 8; p += 8, n -= 8) {
                uint32_t low = crc ^ le32(p), high = le32(p + 4);
                crc = t[7][low & 255] ^ t[6][low >> 8 & 255] ^ t[5][low >> 16 & 255] ^ t[4][low >> 24] ^
                      t[3][high & 255] ^ t[2][high >> 8 & 255] ^ t[1][high >> 16 & 255] ^ t[0][high >> 24];
        }
        for (; n > 0; p++, n--)
                crc = (crc >> 8) ^ t[0][(crc ^ *p) & 255];
        return crc;
}

uint32_t crc32c_update(const struct crc32c *c, uint32_t crc, struct str bytes)
{
        return c->has_instruction ? ~by_instruction(~crc, bytes) : ~by_tables(c, ~crc, bytes);
}
