/* SPDX-License-Identifier: ISC */
#include "base/rd.h"

void rd_init(struct rd *r, struct str bytes)
{
        *r = (struct rd){.p = (const uint8_t *)bytes.p, .n = bytes.n};
}

size_t rd_left(const struct rd *r)
{
        return r->fault == ERR_OK ? r->n - r->at : 0;
}

void rd_fail(struct rd *r, enum err fault)
{
        if (r->fault == ERR_OK)
                r->fault = fault;
}

struct str rd_bytes(struct rd *r, size_t n)
{
        if (n > rd_left(r)) {
                rd_fail(r, ERR_SYNTAX);
                return (struct str){NULL, 0};
        }
        struct str s = str_of(r->p + r->at, n);
        r->at += n;
        return s;
}

static uint64_t read_be(struct rd *r, size_t n)
{
        uint64_t value = 0;
        struct str s = rd_bytes(r, n);
        for (size_t i = 0; i < s.n; i++)
                value = value << 8 | (uint8_t)s.p[i];
        return value;
}

uint8_t rd_u8(struct rd *r)
{
        return (uint8_t)read_be(r, 1);
}

uint16_t rd_be16(struct rd *r)
{
        return (uint16_t)read_be(r, 2);
}

uint32_t rd_be32(struct rd *r)
{
        return (uint32_t)read_be(r, 4);
}

uint64_t rd_be48(struct rd *r)
{
        return read_be(r, 6);
}

void rd_seek(struct rd *r, size_t at)
{
        if (r->fault != ERR_OK)
                return;
        if (at > r->n)
                rd_fail(r, ERR_SYNTAX);
        else
                r->at = at;
}
