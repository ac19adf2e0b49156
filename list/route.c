/* SPDX-License-Identifier: ISC */
#include "list/route.h"

/* Words that follow a list's name and a hyphen. */
static const struct str words[] = {
        {"subscribe", 9},
        {"unsubscribe", 11},
        {"subscribers", 11},
        {"settings", 8},
        {"help", 4},
        {"request", 7},
        {"options", 7},
        {"why", 3},
        {"owner", 5},
};

/* Words that are followed by a hyphen and a token or an address. */
static const struct str words_with_token[] = {
        {"accept", 6},
        {"reject", 6},
        {"confirm", 7},
        {"return", 6},
        {"remove", 6},
};

static const struct str ours[] = {
        {"postmaster", 10},
        {"abuse", 5},
        {"admin-request", 13},
};

/* Where "-WORD-" stands for the `nth` time from the right in `s`; s.n when it does not. */
static size_t find_infix(struct str s, struct str word, size_t nth)
{
        for (size_t at = s.n; at > 0; at--) {
                struct str rest = str_skip(s, at - 1);
                if (rest.n < word.n + 2 || rest.p[0] != '-' || rest.p[word.n + 1] != '-')
                        continue;
                if (str_eq_nocase(str_take(str_skip(rest, 1), word.n), word) && nth-- == 0)
                        return at - 1;
        }
        return s.n;
}

static struct route read_return(struct str local, size_t nth)
{
        struct str word = S("return");
        size_t at = find_infix(local, word, nth);
        if (at == local.n || at == 0)
                return (struct route){.kind = ROUTE_NONE};
        return (struct route){
                .kind = ROUTE_RETURN, .list = str_take(local, at), .token = str_skip(local, at + word.n + 2)};
}

struct route route_read(struct str local, size_t nth)
{
        struct str ticket = S("_signed.");
        if (str_has_prefix_nocase(local, ticket)) {
                if (nth > 0)
                        return (struct route){.kind = ROUTE_NONE};
                return (struct route){.kind = ROUTE_SIGNED, .token = str_skip(local, ticket.n)};
        }
        if (str_eq_nocase(local, ours[0]) || str_eq_nocase(local, ours[1]))
                return (struct route){.kind = nth == 0 ? ROUTE_POSTMASTER : ROUTE_NONE};
        if (nth == 0)
                return (struct route){.kind = ROUTE_POST, .list = local};
        return read_return(local, nth - 1);
}

bool route_is_reserved(struct str list_name)
{
        for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
                if (str_eq_nocase(list_name, ours[i]))
                        return true;
        if (list_name.n > 0 && list_name.p[0] == '_')
                return true;
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
                size_t n = words[i].n;
                if (list_name.n > n + 1 && list_name.p[list_name.n - n - 1] == '-' &&
                        str_has_suffix_nocase(list_name, words[i]))
                        return true;
        }
        for (size_t i = 0; i < sizeof words_with_token / sizeof words_with_token[0]; i++) {
                size_t n = words_with_token[i].n;
                if (find_infix(list_name, words_with_token[i], 0) < list_name.n)
                        return true;
                if (list_name.n > n + 1 && list_name.p[list_name.n - n - 1] == '-' &&
                        str_has_suffix_nocase(list_name, words_with_token[i]))
                        return true;
        }
        return false;
}
