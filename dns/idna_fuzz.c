/* SPDX-License-Identifier: ISC */
/* A domain: what is written is what it was when ASCII, and decodes to it when not (RFC 3492 6.2). */
#include <stdint.h>

#include "base/ascii.h"
#include "base/check.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "dns/idna.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t digit(char c)
{
        return ascii_is_digit(c) ? (uint32_t)(c - '0') + 26 : (uint32_t)(c - 'a');
}

static uint32_t adapt(uint32_t delta, uint32_t points, bool is_first)
{
        uint32_t k = 0;
        delta = is_first ? delta / 700 : delta / 2;
        for (delta += delta / points; delta > 455; k += 36)
                delta /= 35;
        return k + 36 * delta / (delta + 38);
}

/* One generalised integer (6.2); the text moves behind it. */
static uint32_t take_number(struct str *text, uint32_t bias)
{
        uint32_t value = 0, weight = 1;
        for (uint32_t k = 36;; k += 36) {
                uint32_t t = k <= bias ? 1 : k >= bias + 26 ? 26 : k - bias;
                CHECK(text->n > 0);
                uint32_t d = digit(text->p[0]);
                *text = str_skip(*text, 1);
                value += d * weight;
                if (d < t)
                        return value;
                weight *= 36 - t;
        }
}

/* The label behind "xn--" in UTF-8. */
static void decode(struct str text, struct wr *w)
{
        uint32_t codes[DNS_LABEL_MAX], n = 128, i = 0, bias = 72, count = 0;
        size_t dash = str_find_last_byte(text, '-');
        for (size_t k = 0; dash < text.n && k < dash; k++)
                codes[count++] = (uint8_t)text.p[k];
        if (dash < text.n)
                text = str_skip(text, dash + 1);
        while (text.n > 0) {
                uint32_t delta = take_number(&text, bias);
                i += delta;
                bias = adapt(delta, count + 1, i == delta && n == 128);
                n += i / (count + 1);
                i %= count + 1;
                CHECK(count < DNS_LABEL_MAX);
                for (uint32_t k = count++; k > i; k--)
                        codes[k] = codes[k - 1];
                codes[i++] = n;
        }
        for (uint32_t k = 0; k < count; k++)
                utf8_write(w, codes[k]);
}

static void check_label(struct str in, struct str out)
{
        char room[8 * DNS_LABEL_MAX];
        struct wr w;
        bool is_ascii = true;
        for (size_t i = 0; i < in.n; i++)
                is_ascii = is_ascii && !ascii_is_8bit(in.p[i]);
        if (is_ascii) {
                CHECK(str_eq(in, out));
                return;
        }
        CHECK(out.n <= DNS_LABEL_MAX && str_has_prefix(out, S("xn--")));
        wr_init(&w, room, sizeof room);
        decode(str_skip(out, 4), &w);
        CHECK(str_eq_nocase(in, wr_text(&w)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        char room[4096];
        struct str in = str_of(data, size), out, in_label, out_label;
        struct wr w;
        wr_init(&w, room, sizeof room);
        if (dns_idna_write(&w, in) != ERR_OK)
                return 0;
        out = wr_text(&w);
        for (;;) {
                bool is_more = str_cut(in, '.', &in_label, &in);
                CHECK(str_cut(out, '.', &out_label, &out) == is_more);
                check_label(in_label, out_label);
                if (!is_more)
                        return 0;
        }
}
