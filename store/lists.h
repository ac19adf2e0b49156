/* SPDX-License-Identifier: ISC */
/* Lists, their settings, moderators, members and bans. See store.h for what holds for every call. */
#ifndef STORE_LISTS_H
#define STORE_LISTS_H

#include "store/store.h"

struct store_setting {
        struct str name, value;
};

struct store_list {
        int64_t id;
        struct str name, domain; /* in lower case */
        const struct store_setting *settings;
        size_t setting_count; /* only those that differ from what the program takes as default */
};

struct store_list_new {
        struct str name, domain;
        const struct store_setting *settings;
        size_t setting_count;
        const struct str *moderators, *members;
        size_t moderator_count, member_count;
        int64_t now_ms;
};

struct store_member {
        int64_t id; /* never used again, and greater than that of everyone who joined before */
        int64_t list;
        struct str address; /* as it was written */
        int64_t joined_ms;
        unsigned options; /* of enum store_option */
};

/* What a member has chosen, and what is known of it. */
enum store_option {
        STORE_NOMAIL = 1, /* gets no posts */
        STORE_NO_OWN =
                2, /* gets no copy of its own posts: who takes one in leaves it out (messages.h, skip) */
        STORE_ACCEPTED = 4 /* a post of it was let through: see the setting first-post */
};

/* A list with its settings, moderators and members, all or nothing. The same address twice counts once.
 *   ERR_OK, or ERR_EXISTS; `*id` is 0 on errors */
MUST_USE enum err store_list_add(struct store *s, const struct store_list_new *list, int64_t *id);
/*   ERR_OK, or ERR_NOT_FOUND with an id of 0 */
MUST_USE enum err store_list_find(
        struct store *s, struct str name, struct str domain, struct arena *a, struct store_list *out);
MUST_USE enum err store_list_get(struct store *s, int64_t id, struct arena *a, struct store_list *out);
/* All lists of `domain` (empty: of every domain), by domain and name.
 *   ERR_OK, also for none */
MUST_USE enum err store_lists(
        struct store *s, struct str domain, struct arena *a, struct store_list **out, size_t *count);
/* The domains that have lists, in lower case and order. */
MUST_USE enum err store_domains(struct store *s, struct arena *a, struct str **out, size_t *count);

/* An empty value takes the setting away.
 *   ERR_OK, or ERR_NOT_FOUND (no such list) */
MUST_USE enum err store_setting_put(struct store *s, int64_t list, struct str name, struct str value);
/* The value of a setting in `list`, or `otherwise` when it is not set. */
struct str store_list_setting(const struct store_list *list, struct str name, struct str otherwise);

/*   ERR_OK, or ERR_NOT_FOUND with an id of 0 */
MUST_USE enum err store_member_find(
        struct store *s, int64_t list, struct str address, struct arena *a, struct store_member *out);
MUST_USE enum err store_member_get(
        struct store *s, int64_t member, struct arena *a, struct store_member *out);
/*   ERR_OK, ERR_EXISTS, or ERR_NOT_FOUND (no such list) */
MUST_USE enum err store_member_add(
        struct store *s, int64_t list, struct str address, int64_t now_ms, int64_t *id);
/* Take the options `clear` from a member, and give it `set`.
 *   ERR_OK, or ERR_NOT_FOUND */
MUST_USE enum err store_member_options(
        struct store *s, int64_t list, struct str address, unsigned clear, unsigned set);
/* What already waits for the member is still delivered.
 *   ERR_OK, or ERR_NOT_FOUND */
MUST_USE enum err store_member_remove(struct store *s, int64_t list, struct str address);
/* Up to `limit` members with an id above `after`, by id. */
MUST_USE enum err store_members(struct store *s, int64_t list, int64_t after, size_t limit, struct arena *a,
        struct store_member **out, size_t *count);
MUST_USE enum err store_member_count(struct store *s, int64_t list, uint64_t *count);

/* Addresses of the moderators of a list, and of all lists of a domain (each once). */
MUST_USE enum err store_moderators(
        struct store *s, int64_t list, struct arena *a, struct str **out, size_t *count);
MUST_USE enum err store_domain_moderators(
        struct store *s, struct str domain, struct arena *a, struct str **out, size_t *count);
/* Is it one of them?
 *   ERR_OK, or ERR_NOT_FOUND */
MUST_USE enum err store_moderator_find(struct store *s, int64_t list, struct str address);
/*   ERR_OK, ERR_EXISTS, or ERR_NOT_FOUND (no such list) */
MUST_USE enum err store_moderator_add(struct store *s, int64_t list, struct str address);
/*   ERR_OK, or ERR_NOT_FOUND */
MUST_USE enum err store_moderator_remove(struct store *s, int64_t list, struct str address);

/* One change to several lists and addresses, all or nothing, for the operator's tool.
 * `lists` times `addresses`; what is already so is left so, and `*changed` counts what was not. Very many addresses go
 * fastest in the order of their bytes without ASCII case.
 *   ERR_OK, or ERR_NOT_FOUND (no such list) */
enum store_change { STORE_ADD_MEMBER, STORE_REMOVE_MEMBER, STORE_ADD_MODERATOR, STORE_REMOVE_MODERATOR };
struct store_roll {
        enum store_change change;
        const int64_t *lists;
        size_t list_count;
        const struct str *addresses;
        size_t address_count;
        int64_t now_ms;
        unsigned options;                                         /* of members that are added */
        void (*progress)(void *ctx, uint64_t done, uint64_t all); /* or NULL */
        void *ctx;
};
MUST_USE enum err store_roll_change(struct store *s, const struct store_roll *roll, size_t *changed);

/* Bans: addresses from which a list takes nothing. */
struct store_ban {
        int64_t list;
        struct str list_name, domain; /* of the list */
        struct str address, by;       /* as written; by: who made it, or empty */
        int64_t made_ms, until_ms;    /* until_ms 0: for ever */
};
/* Of one that is there, `by` and the times are made these.
 *   ERR_OK, or ERR_NOT_FOUND (no such list) */
struct store_ban_new {
        int64_t list;
        struct str address, by;
        int64_t now_ms, until_ms;
};
MUST_USE enum err store_ban_put(struct store *s, const struct store_ban_new *ban);
/*   ERR_OK, or ERR_NOT_FOUND */
MUST_USE enum err store_ban_remove(struct store *s, int64_t list, struct str address);
/* Is there one in force at `now_ms`?
 *   ERR_OK, or ERR_NOT_FOUND */
MUST_USE enum err store_ban_find(struct store *s, int64_t list, struct str address, int64_t now_ms);
/* Up to `limit` bans of `list`, by address without case, behind the address `after` (empty: from the start). */
MUST_USE enum err store_bans(struct store *s, int64_t list, struct str after, size_t limit, struct arena *a,
        struct store_ban **out, size_t *count);
/* Take away up to `limit` bans that have ended; `*count` is how many went. */
MUST_USE enum err store_bans_expire(struct store *s, int64_t now_ms, size_t limit, size_t *count);

#endif
