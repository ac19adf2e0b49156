/* SPDX-License-Identifier: ISC */
#include "base/wr.h"

#include <string.h>

#include "base/ascii.h"
#include "base/check.h"

void wr_init(struct wr *w, void *buffer, size_t cap)
{
        *w = (struct wr){.p = buffer, .cap = cap};
}

void wr_str(struct wr *w, struct str s)
{
        if (w->full || s.n > w->cap - w->n) {
                w->full = true;
                return;
        }
        if (s.n > 0)
                memcpy(w->p + w->n, s.p, s.n);
        w->n += s.n;
}

void wr_byte(struct wr *w, char c)
{
        wr_str(w, str_of(&c, 1));
}

static void write_be(struct wr *w, uint64_t v, size_t n)
{
        char bytes[8];
        for (size_t i = 0; i < n; i++)
                bytes[i] = (char)(uint8_t)(v >> (8 * (n - 1 - i)));
        wr_str(w, str_of(bytes, n));
}

void wr_be16(struct wr *w, uint16_t v)
{
        write_be(w, v, 2);
}

void wr_be32(struct wr *w, uint32_t v)
{
        write_be(w, v, 4);
}

void wr_be48(struct wr *w, uint64_t v)
{
        write_be(w, v, 6);
}

void wr_u64_padded(struct wr *w, uint64_t v, unsigned digits)
{
        char text[20];
        size_t at = sizeof text;
        CHECK(digits <= sizeof text);
        do {
                text[--at] = (char)('0' + v % 10);
                v /= 10;
        } while (v > 0);
        while (sizeof text - at < digits)
                text[--at] = '0';
        wr_str(w, str_of(text + at, sizeof text - at));
}

void wr_u64(struct wr *w, uint64_t v)
{
        wr_u64_padded(w, v, 1);
}

void wr_lower(struct wr *w, struct str s)
{
        size_t from = w->n;
        wr_str(w, s);
        for (size_t i = from; i < w->n; i++)
                w->p[i] = ascii_lower(w->p[i]);
}

void wr_patch_be16(struct wr *w, size_t at, uint16_t v)
{
        if (w->full)
                return;
        CHECK(w->n >= 2 && at <= w->n - 2);
        w->p[at] = (char)(uint8_t)(v >> 8);
        w->p[at + 1] = (char)(uint8_t)v;
}

struct str wr_text(const struct wr *w)
{
        return str_of(w->p, w->n);
}

enum err wr_end(const struct wr *w)
{
        return w->full ? ERR_SPACE : ERR_OK;
}
