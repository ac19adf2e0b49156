/* SPDX-License-Identifier: ISC */
#include "base/quantity.h"

#include "base/ascii.h"

static const uint64_t duration_most_s = 100ULL * 366 * 86400;
static const uint64_t size_most = 1ULL << 53;

/* A number and an optional unit letter out of `units`, whose factors stand in `factors`. */
static enum err parse(
        struct str text, const char *units, const uint64_t *factors, uint64_t most, uint64_t *out)
{
        uint64_t factor = 1, number;
        *out = 0;
        if (text.n > 1 && !ascii_is_digit(text.p[text.n - 1])) {
                size_t i = 0;
                while (units[i] != '\0' && units[i] != text.p[text.n - 1])
                        i++;
                if (units[i] == '\0')
                        return ERR_SYNTAX;
                factor = factors[i];
                text.n--;
        }
        enum err e = str_to_u64(text, UINT64_MAX, &number);
        if (e != ERR_OK)
                return e;
        if (number > most / factor)
                return ERR_LIMIT;
        *out = number * factor;
        return ERR_OK;
}

enum err quantity_duration_parse(struct str text, int64_t *out_s)
{
        static const uint64_t factors[] = {1, 60, 3600, 86400};
        uint64_t value;
        enum err e = parse(text, "smhd", factors, duration_most_s, &value);
        *out_s = (int64_t)value;
        return e;
}

enum err quantity_size_parse(struct str text, uint64_t *out)
{
        static const uint64_t factors[] = {1ULL << 10, 1ULL << 20, 1ULL << 30};
        return parse(text, "KMG", factors, size_most, out);
}
