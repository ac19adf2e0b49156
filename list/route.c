/* SPDX-License-Identifier: ISC */
#include "list/route.h"

/* What follows a list's name and a hyphen; `has_token`: another hyphen and a token or an address follow. */
static const struct {
        struct str word;
        bool has_token;
} routes[ROUTE_KINDS] = {
        [ROUTE_SUBSCRIBE] = {{"subscribe", 9}, false},
        [ROUTE_UNSUBSCRIBE] = {{"unsubscribe", 11}, false},
        [ROUTE_SUBSCRIBERS] = {{"subscribers", 11}, false},
        [ROUTE_SETTINGS] = {{"settings", 8}, false},
        [ROUTE_OPTIONS] = {{"options", 7}, false},
        [ROUTE_HELP] = {{"help", 4}, false},
        [ROUTE_REQUEST] = {{"request", 7}, false},
        [ROUTE_WHY] = {{"why", 3}, false},
        [ROUTE_REMOVE] = {{"remove", 6}, true},
        [ROUTE_CONFIRM] = {{"confirm", 7}, true},
        [ROUTE_ACCEPT] = {{"accept", 6}, true},
        [ROUTE_REJECT] = {{"reject", 6}, true},
        [ROUTE_OWNER] = {{"owner", 5}, false},
        [ROUTE_RETURN] = {{"return", 6}, true},
};

static const struct str ours[] = {
        {"postmaster", 10},
        {"abuse", 5},
        {"admin-request", 13},
};

struct str route_word(enum route_kind kind)
{
        return kind < ROUTE_KINDS && routes[kind].word.n > 0 ? routes[kind].word : S("");
}

bool route_is_command(enum route_kind kind)
{
        return kind >= ROUTE_SUBSCRIBE && kind <= ROUTE_REJECT;
}

/* What `rest`, behind a list's name and a hyphen, means. */
static struct route read_rest(struct str rest)
{
        for (enum route_kind kind = 0; kind < ROUTE_KINDS; kind++) {
                struct str word = routes[kind].word;
                if (word.n == 0 || !str_has_prefix_nocase(rest, word))
                        continue;
                if (!routes[kind].has_token && rest.n == word.n)
                        return (struct route){.kind = kind};
                if (routes[kind].has_token && rest.n > word.n && rest.p[word.n] == '-')
                        return (struct route){.kind = kind, .token = str_skip(rest, word.n + 1)};
        }
        return (struct route){.kind = ROUTE_NONE};
}

static struct route read_command(struct str local, size_t nth)
{
        for (size_t at = local.n; at-- > 1;) {
                if (local.p[at] != '-')
                        continue;
                struct route r = read_rest(str_skip(local, at + 1));
                if (r.kind == ROUTE_NONE || nth-- > 0)
                        continue;
                r.list = str_take(local, at);
                return r;
        }
        return (struct route){.kind = ROUTE_NONE};
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
        return read_command(local, nth - 1);
}

/* A name that ends in the word of a route with a token would be read with the rest of a longer address. */
static bool ends_in_word(struct str name)
{
        for (enum route_kind kind = 0; kind < ROUTE_KINDS; kind++) {
                struct str word = routes[kind].word;
                if (word.n > 0 && name.n > word.n + 1 && name.p[name.n - word.n - 1] == '-' &&
                        str_has_suffix_nocase(name, word))
                        return true;
        }
        return false;
}

bool route_is_reserved(struct str list_name)
{
        for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
                if (str_eq_nocase(list_name, ours[i]))
                        return true;
        if (str_eq_nocase(list_name, S("admin"))) /* its -request is the admin's */
                return true;
        if (list_name.n > 0 && list_name.p[0] == '_')
                return true;
        return ends_in_word(list_name) || read_command(list_name, 0).kind != ROUTE_NONE;
}
