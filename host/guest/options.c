/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "host/guest/guest.h"

/* "ADDR" of one family, or "ADDR/LEN" where a length is asked for. */
static bool read_address(struct str text, uint8_t family, struct ip *out, uint8_t *bits)
{
        struct str address = text, length;
        if (bits != NULL) {
                uint64_t n;
                if (!str_cut(text, '/', &address, &length) ||
                        str_to_u64(length, family == 4 ? 32 : 64, &n) != ERR_OK || n < (family == 4 ? 1 : 64))
                        return false;
                *bits = (uint8_t)n;
        }
        return ip_parse(address, out) == ERR_OK && out->family == family;
}

/* Whether `word` is the option `name`; `value` is what follows its '=', or NULL. */
static bool is_option(char *word, const char *name, char **value)
{
        size_t n = strlen(name);
        if (strncmp(word, "--", 2) != 0 || strncmp(word + 2, name, n) != 0)
                return false;
        *value = word[2 + n] == '=' ? word + 2 + n + 1 : NULL;
        return word[2 + n] == '=' || word[2 + n] == 0;
}

/* Reads argv[*at] if it is ours, and the next one if that is its value; false: it is not ours. */
static bool take(struct guest_options *o, char **argv, int *at)
{
        const struct {
                const char *name;
                uint8_t family;
                struct ip *ip;
                uint8_t *bits;
        } known[] = {
                {"ipv4", 4, &o->ipv4, &o->ipv4_bits},
                {"ipv4-gateway", 4, &o->ipv4_gateway, NULL},
                {"ipv6", 6, &o->ipv6, &o->ipv6_bits},
                {"ipv6-gateway", 6, &o->ipv6_gateway, NULL},
        };
        char *word = argv[*at], *value;
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
                if (!is_option(word, known[i].name, &value))
                        continue;
                if (value == NULL && argv[*at + 1] != NULL)
                        value = argv[++*at];
                bool is_first = known[i].ip->family == 0;
                if (!is_first || value == NULL ||
                        !read_address(str_of_c(value), known[i].family, known[i].ip, known[i].bits))
                        if (o->wrong.n == 0)
                                o->wrong = str_of_c(word);
                return true;
        }
        return false;
}

enum err guest_options_take(struct guest_options *o, int *argc, char **argv)
{
        int kept = 1;
        *o = (struct guest_options){0};
        for (int at = 1; at < *argc; at++)
                if (!take(o, argv, &at))
                        argv[kept++] = argv[at];
        argv[kept] = NULL;
        *argc = kept;
        return o->wrong.n == 0 ? ERR_OK : ERR_SYNTAX;
}
