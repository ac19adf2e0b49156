/* SPDX-License-Identifier: ISC */
/* Lists, their settings, moderators and members. See store.h for what holds for every call. */
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
        void (*progress)(void *ctx, uint64_t done, uint64_t all); /* or NULL */
        void *ctx;
};
MUST_USE enum err store_roll_change(struct store *s, const struct store_roll *roll, size_t *changed);

#endif
