/* SPDX-License-Identifier: ISC */
/* All rows of a kind, page by page, so that no queue is too long for the caller's memory. See store.h for what holds for
 * every call. */
#ifndef STORE_WALK_H
#define STORE_WALK_H

#include "store/delivery.h"
#include "store/lists.h"
#include "store/trace.h"

/* Called for each row, in the order of their ids; between pages the store may change. Rows live until the next page; what
 * `a` held before stays, and is all that it holds afterwards. What is not ERR_OK ends the walk.
 *   ERR_OK, what the function gave, or trouble of the store */
typedef enum err store_queued_fn(void *ctx, const struct store_queued *row);
MUST_USE enum err store_walk_queue(struct store *s, struct arena *a, store_queued_fn *fn, void *ctx);

typedef enum err store_waiting_fn(void *ctx, const struct store_waiting *row);
MUST_USE enum err store_walk_waiting(
        struct store *s, int64_t message, struct arena *a, store_waiting_fn *fn, void *ctx);

typedef enum err store_result_fn(void *ctx, const struct store_result *row);
MUST_USE enum err store_walk_results(
        struct store *s, int64_t message, struct arena *a, store_result_fn *fn, void *ctx);

typedef enum err store_member_fn(void *ctx, const struct store_member *row);
MUST_USE enum err store_walk_members(
        struct store *s, int64_t list, struct arena *a, store_member_fn *fn, void *ctx);

#endif
