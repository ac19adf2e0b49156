/* SPDX-License-Identifier: ISC */
#include "fat/name.h"

#include <string.h>

#include "base/utf8.h"

/* Code page 850, the upper half: what mtools and fsck.fat take for short names. */
static const uint16_t page_850[128] = {
        0x00c7,
        0x00fc,
        0x00e9,
        0x00e2,
        0x00e4,
        0x00e0,
        0x00e5,
        0x00e7,
        0x00ea,
        0x00eb,
        0x00e8,
        0x00ef,
        0x00ee,
        0x00ec,
        0x00c4,
        0x00c5,
        0x00c9,
        0x00e6,
        0x00c6,
        0x00f4,
        0x00f6,
        0x00f2,
        0x00fb,
        0x00f9,
        0x00ff,
        0x00d6,
        0x00dc,
        0x00f8,
        0x00a3,
        0x00d8,
        0x00d7,
        0x0192,
        0x00e1,
        0x00ed,
        0x00f3,
        0x00fa,
        0x00f1,
        0x00d1,
        0x00aa,
        0x00ba,
        0x00bf,
        0x00ae,
        0x00ac,
        0x00bd,
        0x00bc,
        0x00a1,
        0x00ab,
        0x00bb,
        0x2591,
        0x2592,
        0x2593,
        0x2502,
        0x2524,
        0x00c1,
        0x00c2,
        0x00c0,
        0x00a9,
        0x2563,
        0x2551,
        0x2557,
        0x255d,
        0x00a2,
        0x00a5,
        0x2510,
        0x2514,
        0x2534,
        0x252c,
        0x251c,
        0x2500,
        0x253c,
        0x00e3,
        0x00c3,
        0x255a,
        0x2554,
        0x2569,
        0x2566,
        0x2560,
        0x2550,
        0x256c,
        0x00a4,
        0x00f0,
        0x00d0,
        0x00ca,
        0x00cb,
        0x00c8,
        0x0131,
        0x00cd,
        0x00ce,
        0x00cf,
        0x2518,
        0x250c,
        0x2588,
        0x2584,
        0x00a6,
        0x00cc,
        0x2580,
        0x00d3,
        0x00df,
        0x00d4,
        0x00d2,
        0x00f5,
        0x00d5,
        0x00b5,
        0x00fe,
        0x00de,
        0x00da,
        0x00db,
        0x00d9,
        0x00fd,
        0x00dd,
        0x00af,
        0x00b4,
        0x00ad,
        0x00b1,
        0x2017,
        0x00be,
        0x00b6,
        0x00a7,
        0x00f7,
        0x00b8,
        0x00b0,
        0x00a8,
        0x00b7,
        0x00b9,
        0x00b3,
        0x00b2,
        0x25a0,
        0x00a0,
};

static bool is_one_of(uint16_t unit, struct str set)
{
        return unit < 0x80 && str_find_byte(set, (char)unit) < set.n;
}

static bool is_dots(const struct fat_name *name)
{
        return name->n >= 1 && name->n <= 2 && name->units[0] == '.' && name->units[name->n - 1] == '.';
}

bool fat_name_eq(const struct fat_name *a, const struct fat_name *b)
{
        if (a->n != b->n)
                return false;
        for (size_t i = 0; i < a->n; i++)
                if (a->units[i] != b->units[i] && fat_upper(a->units[i]) != fat_upper(b->units[i]))
                        return false;
        return true;
}

/* The character of a well-formed sequence of `n` octets. */
static uint32_t utf8_code(const char *p, size_t n)
{
        uint32_t code = n == 1 ? (uint8_t)p[0] : (uint8_t)p[0] & (0xffu >> (n + 1));
        for (size_t i = 1; i < n; i++)
                code = code << 6 | ((uint8_t)p[i] & 0x3f);
        return code;
}

static bool put_code(struct fat_name *out, uint32_t code)
{
        size_t need = code >= 0x10000 ? 2 : 1;
        if (need > FAT_NAME_UNITS_MAX - out->n)
                return false;
        if (need == 2)
                out->units[out->n++] = (uint16_t)(0xd800 + ((code - 0x10000) >> 10));
        out->units[out->n++] = need == 2 ? (uint16_t)(0xdc00 + ((code - 0x10000) & 0x3ff)) : (uint16_t)code;
        return true;
}

enum err fat_name_parse(struct str utf8, struct fat_name *out)
{
        out->n = 0;
        bool is_long = false;
        for (struct str s = utf8; s.n > 0;) {
                size_t n = utf8_head(s);
                uint32_t code = n > 0 ? utf8_code(s.p, n) : 0;
                if (code < 0x20 || code == 0x7f ||
                        (code < 0x80 && is_one_of((uint16_t)code, S("\"*/:<>?\\|"))))
                        return ERR_SYNTAX;
                is_long = is_long || !put_code(out, code);
                s = str_skip(s, n);
        }
        if (utf8.n == 0 || utf8.p[utf8.n - 1] == ' ' || utf8.p[utf8.n - 1] == '.')
                return ERR_SYNTAX;
        return is_long ? ERR_LIMIT : ERR_OK;
}

bool fat_name_is_sane(const struct fat_name *name)
{
        for (size_t i = 0; i < name->n; i++)
                if (name->units[i] < 0x20 || name->units[i] == 0x7f || is_one_of(name->units[i], S("/\\")))
                        return false;
        return name->n > 0 && !is_dots(name);
}

void fat_name_write(struct wr *w, const struct fat_name *name)
{
        for (size_t i = 0; i < name->n; i++) {
                uint32_t code = name->units[i];
                if (code >= 0xd800 && code < 0xdc00 && i + 1 < name->n && name->units[i + 1] >= 0xdc00 &&
                        name->units[i + 1] < 0xe000)
                        code = 0x10000 + ((code - 0xd800) << 10) + (name->units[++i] - 0xdc00u);
                utf8_write(w, code);
        }
}

/* One half of a short name, without the spaces that fill it. */
static void decode_part(const uint8_t *raw, size_t n, bool is_lower, struct fat_name *out)
{
        while (n > 0 && raw[n - 1] == ' ')
                n--;
        for (size_t i = 0; i < n; i++) {
                uint16_t unit = raw[i] < 0x80 ? raw[i] : page_850[raw[i] - 0x80];
                if (unit < 0x20 || unit == 0x7f || is_one_of(unit, S("/\\")))
                        unit = '_';
                if (is_lower && unit >= 'A' && unit <= 'Z')
                        unit = (uint16_t)(unit + 32);
                out->units[out->n++] = unit;
        }
}

void fat_short_decode(const uint8_t raw[FAT_SHORT_SIZE], uint8_t flags, struct fat_name *out)
{
        uint8_t base[8];
        memcpy(base, raw, sizeof base);
        if (base[0] == 0x05) /* stands for the byte that marks a free entry */
                base[0] = 0xe5;
        out->n = 0;
        decode_part(base, 8, (flags & 0x08) != 0, out);
        size_t dot = out->n++;
        out->units[dot] = '.';
        decode_part(raw + 8, 3, (flags & 0x10) != 0, out);
        if (out->n == dot + 1)
                out->n = dot;
        if (!fat_name_is_sane(out) && out->n <= 2) { /* empty, "." or ".." where no such entry belongs */
                out->units[0] = '_';
                out->n = out->n > 0 ? out->n : 1;
        }
}

static bool is_short_byte(uint16_t unit)
{
        return unit > 0x20 && unit < 0x7f && !(unit >= 'a' && unit <= 'z') &&
               !is_one_of(unit, S("\"*+,./:;<=>?[\\]|"));
}

bool fat_short_is_valid(const uint8_t raw[FAT_SHORT_SIZE])
{
        if (raw[0] == ' ')
                return false;
        for (size_t i = 0; i < FAT_SHORT_SIZE; i++)
                if (raw[i] < 0x80 && raw[i] != ' ' && !is_short_byte(raw[i]) && !(i == 0 && raw[i] == 0x05))
                        return false;
        return true;
}

static size_t last_dot(const struct fat_name *name)
{
        size_t dot = name->n;
        for (size_t i = 0; i < name->n; i++)
                if (name->units[i] == '.')
                        dot = i;
        return dot;
}

bool fat_short_encode(const struct fat_name *name, uint8_t raw[FAT_SHORT_SIZE])
{
        size_t dot = last_dot(name);
        size_t extension = dot < name->n ? name->n - dot - 1 : 0;
        memset(raw, ' ', FAT_SHORT_SIZE);
        if (dot == 0 || dot > 8 || extension > 3 || (dot < name->n && extension == 0))
                return false;
        for (size_t i = 0; i < name->n; i++) {
                if (i == dot)
                        continue;
                if (!is_short_byte(name->units[i]))
                        return false;
                raw[i < dot ? i : 8 + i - dot - 1] = (uint8_t)name->units[i];
        }
        return true;
}

/* Upper case; spaces and dots vanish, what a short name cannot hold is '_'. */
static size_t basis_part(const uint16_t *units, size_t n, uint8_t *out, size_t most)
{
        size_t used = 0;
        for (size_t i = 0; i < n && used < most; i++) {
                uint16_t unit = fat_upper(units[i]);
                if (unit == ' ' || unit == '.' || (unit >= 0xdc00 && unit < 0xe000))
                        continue;
                out[used++] = is_short_byte(unit) ? (uint8_t)unit : '_';
        }
        return used;
}

size_t fat_short_basis(const struct fat_name *name, uint8_t raw[FAT_SHORT_SIZE])
{
        size_t lead = 0, dot = last_dot(name);
        while (lead < name->n && name->units[lead] == '.')
                lead++;
        if (dot < lead) /* only dots in front, as in ".profile": no extension */
                dot = name->n;
        memset(raw, ' ', FAT_SHORT_SIZE);
        size_t n = basis_part(name->units + lead, dot - lead, raw, 8);
        if (n == 0)
                raw[n++] = '_';
        if (dot < name->n)
                basis_part(name->units + dot + 1, name->n - dot - 1, raw + 8, 3);
        return n;
}

void fat_short_tail(uint8_t raw[FAT_SHORT_SIZE], size_t base_n, uint32_t number)
{
        uint8_t digits[8];
        size_t n = 0;
        for (; number > 0 && n < 6; number /= 10)
                digits[n++] = (uint8_t)('0' + number % 10);
        size_t at = base_n < 8 - n - 1 ? base_n : 8 - n - 1;
        memset(raw + at, ' ', 8 - at);
        raw[at++] = '~';
        while (n > 0)
                raw[at++] = digits[--n];
}

uint8_t fat_short_sum(const uint8_t raw[FAT_SHORT_SIZE])
{
        uint8_t sum = 0;
        for (size_t i = 0; i < FAT_SHORT_SIZE; i++)
                sum = (uint8_t)((sum << 7 | sum >> 1) + raw[i]);
        return sum;
}
