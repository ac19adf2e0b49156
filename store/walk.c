/* SPDX-License-Identifier: ISC */
#include "store/walk.h"

#define PAGE 64 /* rows with the longest texts fit a small arena */

struct walk {
        struct store *store;
        int64_t of; /* the message or list whose rows they are */
        struct arena *arena;
        void *ctx;
};

/* One page behind `*after`, each row shown to the caller.
 *   ERR_OK with the count of rows, or why the walk ends */
typedef enum err page_fn(const struct walk *w, int64_t *after, size_t *count);

static enum err walk(const struct walk *w, page_fn *page)
{
        const struct arena before = *w->arena;
        int64_t after = 0;
        size_t count = PAGE;
        enum err e = ERR_OK;
        while (e == ERR_OK && count == PAGE) {
                e = page(w, &after, &count);
                *w->arena = before;
        }
        return e;
}

struct queue_walk {
        struct walk walk;
        store_queued_fn *fn;
};

static enum err queue_page(const struct walk *w, int64_t *after, size_t *count)
{
        const struct queue_walk *q = (const struct queue_walk *)w;
        struct store_queued *rows;
        enum err e = store_queue(w->store, *after, PAGE, w->arena, &rows, count);
        for (size_t i = 0; e == ERR_OK && i < *count; i++) {
                *after = rows[i].message;
                e = q->fn(w->ctx, &rows[i]);
        }
        return e;
}

enum err store_walk_queue(struct store *s, struct arena *a, store_queued_fn *fn, void *ctx)
{
        struct queue_walk q = {{s, 0, a, ctx}, fn};
        return walk(&q.walk, queue_page);
}

struct waiting_walk {
        struct walk walk;
        store_waiting_fn *fn;
};

static enum err waiting_page(const struct walk *w, int64_t *after, size_t *count)
{
        const struct waiting_walk *q = (const struct waiting_walk *)w;
        struct store_waiting *rows;
        enum err e = store_queue_waiting(w->store, w->of, *after, PAGE, w->arena, &rows, count);
        for (size_t i = 0; e == ERR_OK && i < *count; i++) {
                *after = rows[i].id;
                e = q->fn(w->ctx, &rows[i]);
        }
        return e;
}

enum err store_walk_waiting(
        struct store *s, int64_t message, struct arena *a, store_waiting_fn *fn, void *ctx)
{
        struct waiting_walk q = {{s, message, a, ctx}, fn};
        return walk(&q.walk, waiting_page);
}

struct result_walk {
        struct walk walk;
        store_result_fn *fn;
};

static enum err result_page(const struct walk *w, int64_t *after, size_t *count)
{
        const struct result_walk *q = (const struct result_walk *)w;
        struct store_result *rows;
        enum err e = store_results(w->store, w->of, *after, PAGE, w->arena, &rows, count);
        for (size_t i = 0; e == ERR_OK && i < *count; i++) {
                *after = rows[i].delivery;
                e = q->fn(w->ctx, &rows[i]);
        }
        return e;
}

enum err store_walk_results(struct store *s, int64_t message, struct arena *a, store_result_fn *fn, void *ctx)
{
        struct result_walk q = {{s, message, a, ctx}, fn};
        return walk(&q.walk, result_page);
}

struct member_walk {
        struct walk walk;
        store_member_fn *fn;
};

static enum err member_page(const struct walk *w, int64_t *after, size_t *count)
{
        const struct member_walk *q = (const struct member_walk *)w;
        struct store_member *rows;
        enum err e = store_members(w->store, w->of, *after, PAGE, w->arena, &rows, count);
        for (size_t i = 0; e == ERR_OK && i < *count; i++) {
                *after = rows[i].id;
                e = q->fn(w->ctx, &rows[i]);
        }
        return e;
}

enum err store_walk_members(struct store *s, int64_t list, struct arena *a, store_member_fn *fn, void *ctx)
{
        struct member_walk q = {{s, list, a, ctx}, fn};
        return walk(&q.walk, member_page);
}
