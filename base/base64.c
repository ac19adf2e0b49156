/* SPDX-License-Identifier: ISC */
#include "base/base64.h"

#include "base/ascii.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t base64_encoded_size(size_t n)
{
        return (n + 2) / 3 * 4;
}

void base64_encode(struct wr *w, struct str bytes)
{
        for (size_t i = 0; i < bytes.n; i += 3) {
                size_t have = bytes.n - i < 3 ? bytes.n - i : 3;
                uint32_t group = 0;
                char out[4];
                for (size_t k = 0; k < 3; k++)
                        group = group << 8 | (k < have ? (uint8_t)bytes.p[i + k] : 0);
                for (size_t k = 0; k < 4; k++)
                        out[k] = k <= have ? alphabet[group >> (18 - 6 * k) & 63] : '=';
                wr_str(w, str_of(out, 4));
        }
}

/* From '+' to 'z': the value of a character with IN, or 0 outside of the alphabet. A table, since branches cannot foresee
 * what comes. */
#define IN 64
static const uint8_t values[] = {126, 0, 0, 0, 127, 116, 117, 118, 119, 120, 121, 122, 123, 124, 125, 0, 0, 0,
        0, 0, 0, 0, 64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77, 78, 79, 80, 81, 82, 83, 84, 85,
        86, 87, 88, 89, 0, 0, 0, 0, 0, 0, 90, 91, 92, 93, 94, 95, 96, 97, 98, 99, 100, 101, 102, 103, 104,
        105, 106, 107, 108, 109, 110, 111, 112, 113, 114, 115};

static uint8_t value_of(char c)
{
        size_t at = (size_t)(uint8_t)c - '+';
        return at < sizeof values ? values[at] : 0;
}

/* Four characters of the alphabet at once.
 *   whether they are */
static bool take_four(const char *p, uint32_t *group)
{
        uint8_t a = value_of(p[0]), b = value_of(p[1]), c = value_of(p[2]), d = value_of(p[3]);
        *group = (a & 63U) << 18 | (b & 63U) << 12 | (c & 63U) << 6 | (d & 63U);
        return (a & b & c & d & IN) != 0;
}

/* As many groups at the head of the text as come one behind the other.
 *   how many characters were taken */
static size_t take_fours(struct str text, struct wr *w)
{
        size_t at = 0;
        uint32_t group;
        for (; text.n - at >= 4 && !w->full && w->cap - w->n >= 3 && take_four(text.p + at, &group);
                at += 4) {
                char *p = w->p + w->n;
                p[0] = (char)(uint8_t)(group >> 16);
                p[1] = (char)(uint8_t)(group >> 8);
                p[2] = (char)(uint8_t)group;
                w->n += 3;
        }
        return at;
}

static void put_group(struct wr *w, uint32_t group, size_t n)
{
        char bytes[3] = {(char)(uint8_t)(group >> 16), (char)(uint8_t)(group >> 8), (char)(uint8_t)group};
        wr_str(w, str_of(bytes, n));
}

enum err base64_decode(struct str text, struct wr *w)
{
        uint32_t group = 0;
        size_t have = 0, padding = 0;
        for (size_t i = 0; i < text.n; i++) {
                if (have == 0 && padding == 0)
                        i += take_fours(str_skip(text, i), w);
                if (i == text.n)
                        break;
                char c = text.p[i];
                uint8_t value = value_of(c);
                if (value == 0) {
                        padding += c == '=';
                        if (c != '=' && !ascii_is_wsp(c) && c != '\r' && c != '\n')
                                return ERR_SYNTAX;
                        continue;
                }
                if (padding > 0)
                        return ERR_SYNTAX;
                group = (have == 0 ? 0 : group << 6) | (value & 63U);
                if (++have == 4) {
                        put_group(w, group, 3);
                        have = 0;
                }
        }
        if (have == 0)
                return padding == 0 ? wr_end(w) : ERR_SYNTAX;
        if (have == 1 || padding != 4 - have)
                return ERR_SYNTAX;
        group <<= 6 * (4 - have);
        if ((group & (have == 2 ? 0xffffU : 0xffU)) != 0)
                return ERR_SYNTAX;
        put_group(w, group, have - 1);
        return wr_end(w);
}
