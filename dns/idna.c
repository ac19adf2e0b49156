/* SPDX-License-Identifier: ISC */
#include "dns/idna.h"

#include "base/ascii.h"
#include "base/limits.h"
#include "base/utf8.h"

/* RFC 3492 5 */
#define BASE 36
#define T_MIN 1
#define T_MAX 26
#define SKEW 38
#define DAMP 700
#define INITIAL_BIAS 72
#define INITIAL_N 128

static bool is_ascii(struct str s)
{
        for (size_t i = 0; i < s.n; i++)
                if (ascii_is_8bit(s.p[i]))
                        return false;
        return true;
}

/* The characters of a label, ASCII letters in lower case. */
static enum err decode(struct str label, uint32_t codes[DNS_LABEL_MAX], size_t *count)
{
        for (*count = 0; label.n > 0; ++*count) {
                size_t n = utf8_head(label);
                if (n == 0)
                        return ERR_SYNTAX;
                if (*count == DNS_LABEL_MAX)
                        return ERR_LIMIT;
                uint8_t first = (uint8_t)ascii_lower(label.p[0]);
                uint32_t code = n == 1 ? first : first & (0x7fu >> n);
                for (size_t i = 1; i < n; i++)
                        code = code << 6 | ((uint8_t)label.p[i] & 0x3fu);
                codes[*count] = code;
                label = str_skip(label, n);
        }
        return ERR_OK;
}

/* RFC 3492 6.1 */
static uint32_t adapt(uint32_t delta, uint32_t points, bool is_first)
{
        uint32_t k = 0;
        delta = is_first ? delta / DAMP : delta / 2;
        delta += delta / points;
        for (; delta > (BASE - T_MIN) * T_MAX / 2; k += BASE)
                delta /= BASE - T_MIN;
        return k + (BASE - T_MIN + 1) * delta / (delta + SKEW);
}

/* One delta as a variable-length integer (RFC 3492 3.3) */
static void write_delta(struct wr *w, uint32_t delta, uint32_t bias)
{
        static const char digits[] = "abcdefghijklmnopqrstuvwxyz0123456789";
        for (uint32_t k = BASE;; k += BASE) {
                uint32_t t = k <= bias + T_MIN ? T_MIN : k >= bias + T_MAX ? T_MAX : k - bias;
                if (delta < t) {
                        wr_byte(w, digits[delta]);
                        return;
                }
                wr_byte(w, digits[t + (delta - t) % (BASE - t)]);
                delta = (delta - t) / (BASE - t);
        }
}

/* The least character that is at least `n`; there is one. */
static uint32_t least_from(const uint32_t *codes, size_t count, uint32_t n)
{
        uint32_t least = UINT32_MAX;
        for (size_t i = 0; i < count; i++)
                if (codes[i] >= n && codes[i] < least)
                        least = codes[i];
        return least;
}

/* RFC 3492 6.3. With at most 63 characters below 2^21 no sum comes near 2^32. */
static void write_punycode(struct wr *w, const uint32_t *codes, size_t count)
{
        uint32_t n = INITIAL_N, delta = 0, bias = INITIAL_BIAS, handled = 0, basic;
        for (size_t i = 0; i < count; i++)
                if (codes[i] < INITIAL_N) {
                        wr_byte(w, (char)codes[i]);
                        handled++;
                }
        basic = handled;
        if (basic > 0)
                wr_byte(w, '-');
        for (; handled < count; n++, delta++) {
                uint32_t m = least_from(codes, count, n);
                delta += (m - n) * (handled + 1);
                n = m;
                for (size_t i = 0; i < count; i++) {
                        delta += codes[i] < n;
                        if (codes[i] != n)
                                continue;
                        write_delta(w, delta, bias);
                        bias = adapt(delta, handled + 1, handled == basic);
                        delta = 0;
                        handled++;
                }
        }
}

static enum err write_label(struct wr *w, struct str label)
{
        char room[8 * DNS_LABEL_MAX];
        uint32_t codes[DNS_LABEL_MAX];
        size_t count;
        struct wr made;
        if (is_ascii(label)) {
                wr_str(w, label);
                return ERR_OK;
        }
        enum err e = decode(label, codes, &count);
        if (e != ERR_OK)
                return e;
        wr_init(&made, room, sizeof room);
        wr_str(&made, S("xn--"));
        write_punycode(&made, codes, count);
        if (made.full || made.n > DNS_LABEL_MAX)
                return ERR_LIMIT;
        wr_str(w, wr_text(&made));
        return ERR_OK;
}

enum err dns_idna_write(struct wr *w, struct str domain)
{
        struct str label;
        for (;;) {
                bool is_more = str_cut(domain, '.', &label, &domain);
                enum err e = write_label(w, label);
                if (e != ERR_OK)
                        return e;
                if (!is_more)
                        return wr_end(w);
                wr_byte(w, '.');
        }
}
