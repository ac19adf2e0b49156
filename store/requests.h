/* SPDX-License-Identifier: ISC */
/* Requests: what waits for somebody's answer by mail, such as joining a list, or a post for its moderators. A row says
 * what, its id goes into the token of the answer (40 bits suffice, and no id is used twice), and its end makes that token
 * worthless. What a purpose means is the caller's. See store.h for what holds for every call.
 * A page of requests needs up to STORE_DATA_MAX and 2 KiB of the arena for each. */
#ifndef STORE_REQUESTS_H
#define STORE_REQUESTS_H

#include "store/store.h"

#define STORE_DATA_MAX (64 * 1024) /* of a request, or of a notice */

struct store_request_new {
        int64_t list;
        unsigned purpose;   /* 1 to 255 */
        struct str address; /* who asks */
        struct str data;    /* what the caller wants to know later */
        int64_t message;    /* the post that waits with it (messages.h), or 0 */
        int64_t now_ms;
};

struct store_request {
        int64_t id, list;
        struct str list_name, domain; /* of the list */
        unsigned purpose;
        struct str address, data;
        int64_t message;
        int64_t made_ms;
        int64_t told_ms; /* when mail about it was last ordered, or 0 */
};

/* One for a list, purpose and address, but any number with posts.
 *   ERR_OK
 *   ERR_EXISTS     there is one, `*id` names it, and nothing has changed
 *   ERR_NOT_FOUND  no such list or message
 *   ERR_LIMIT      more than STORE_DATA_MAX bytes of data    (`*id` is 0 on these) */
MUST_USE enum err store_request_add(struct store *s, const struct store_request_new *request, int64_t *id);
/*   ERR_OK, or ERR_NOT_FOUND with an id of 0: it never was, or has ended */
MUST_USE enum err store_request_get(struct store *s, int64_t id, struct arena *a, struct store_request *out);
/* The one without a post. Outcomes as above. */
MUST_USE enum err store_request_find(struct store *s, int64_t list, unsigned purpose, struct str address,
        struct arena *a, struct store_request *out);
/* Set told_ms.
 *   ERR_OK, or ERR_NOT_FOUND */
MUST_USE enum err store_request_tell(struct store *s, int64_t id, int64_t now_ms);
/* It is answered, or has expired. Its post, if it has one, is released or dropped by the caller in the same change.
 *   ERR_OK, or ERR_NOT_FOUND: somebody was quicker */
MUST_USE enum err store_request_end(struct store *s, int64_t id);

/* How many wait, counted by index: for bounds on what strangers can pile up. */
struct store_request_counts {
        uint64_t list;   /* at this list */
        uint64_t domain; /* of these, those asked from the domain of the address */
        uint64_t posts;  /* of these, posts of the address itself */
};
MUST_USE enum err store_request_count(
        struct store *s, int64_t list, struct str address, struct store_request_counts *out);

/* Up to `limit` requests of `list` (0: of all) with an id above `after`, oldest first. */
MUST_USE enum err store_requests(struct store *s, int64_t list, int64_t after, size_t limit, struct arena *a,
        struct store_request **out, size_t *count);
/* Up to `limit` of all lists that were made before `before_ms`, oldest first: to be ended one by one. */
MUST_USE enum err store_requests_old(struct store *s, int64_t before_ms, size_t limit, struct arena *a,
        struct store_request **out, size_t *count);

#endif
