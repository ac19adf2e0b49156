/* SPDX-License-Identifier: ISC */
/* Notices: mail that is to be written. A row is made in the change that is its reason; whoever writes the mail commits it
 * with store_message_new.notice (messages.h), so that row and message change places in one transaction and a death in
 * between neither loses nor doubles any. See store.h for what holds for every call.
 * A page of notices needs up to STORE_DATA_MAX and 2 KiB of the arena for each. */
#ifndef STORE_NOTICES_H
#define STORE_NOTICES_H

#include "store/requests.h"

struct store_notice {
        int64_t id, list;   /* list: never 0 */
        struct str kind;    /* its name, as the caller gives it */
        struct str address; /* to whom; empty: to the moderators of the list */
        int64_t request;    /* that it is about (it may have ended meanwhile), or 0 */
        struct str data;
        int64_t made_ms;
};

/* `notice->id` is not looked at.
 *   ERR_OK, ERR_NOT_FOUND (no such list), ERR_LIMIT (more than STORE_DATA_MAX bytes of data); `*id` is 0 on errors */
MUST_USE enum err store_notice_add(struct store *s, const struct store_notice *notice, int64_t *id);
/* Up to `limit` notices with an id above `after`, oldest first. */
MUST_USE enum err store_notices(struct store *s, int64_t after, size_t limit, struct arena *a,
        struct store_notice **out, size_t *count);
/* Nobody is to be told.
 *   ERR_OK, or ERR_NOT_FOUND */
MUST_USE enum err store_notice_drop(struct store *s, int64_t id);

#endif
