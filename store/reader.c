/* SPDX-License-Identifier: ISC */
#include "store/messages.h"

#include <stdlib.h>
#include <string.h>

#include "store/ask.h"

struct store_reader {
        struct store *store;
        struct store_reader *next; /* of the store's open readers */
        int64_t message;
        bool owns; /* the message is done: the last reader frees its extents */
        struct spool_extent *extents;
        uint64_t *starts; /* of each extent in the body, and behind them the body's size */
        size_t count;
        char *head; /* prefix and front */
        size_t head_size;
        size_t loaded; /* which extent is in `buffer`; `count`: none */
        char buffer[SPOOL_EXTENT_MAX];
};

bool reader_keeps(struct store *s, int64_t message)
{
        bool keeps = false;
        for (struct store_reader *r = s->readers; r != NULL; r = r->next)
                if (r->message == message)
                        keeps = r->owns = true;
        return keeps;
}

static void unlink_reader(struct store_reader *r)
{
        struct store_reader **at = &r->store->readers;
        while (*at != NULL && *at != r)
                at = &(*at)->next;
        if (*at == r)
                *at = r->next;
}

static void release(struct store_reader *r)
{
        free(r->extents);
        free(r->starts);
        free(r->head);
        free(r);
}

static enum err load_head(struct store *s, struct store_reader *r, enum store_part part)
{
        struct query q;
        enum err err;
        query_init(&q, &s->db, SQL_MESSAGE_PARTS);
        query_i64(&q, 1, r->message);
        if (!query_one(&q, &err))
                return err;
        struct str prefix = part == STORE_WHOLE ? query_get(&q, 0) : S("");
        struct str front = query_get(&q, 1);
        r->head_size = prefix.n + front.n;
        r->head = malloc(r->head_size + 1);
        if (r->head == NULL) {
                query_fail(&q, ERR_MEMORY);
        } else {
                memcpy(r->head, prefix.p, prefix.n);
                memcpy(r->head + prefix.n, front.p, front.n);
        }
        return query_end(&q);
}

static enum err load_extents(struct store *s, struct store_reader *r)
{
        struct query q;
        query_init(&q, &s->db, SQL_EXTENTS);
        query_i64(&q, 1, r->message);
        r->count = query_count(&q);
        r->extents = calloc(r->count + 1, sizeof *r->extents);
        r->starts = calloc(r->count + 1, sizeof *r->starts);
        if (r->extents == NULL || r->starts == NULL)
                query_fail(&q, ERR_MEMORY);
        for (size_t i = 0; query_row(&q); i++) {
                r->extents[i] = extent_of(&q);
                r->starts[i + 1] = r->starts[i] + r->extents[i].size;
                if (!spool_has(&s->spool, &r->extents[i]))
                        query_fail(&q, ERR_CORRUPT);
        }
        return query_end(&q);
}

/* The extents must be all that was received. */
static enum err check_size(struct store *s, const struct store_reader *r)
{
        struct query q;
        enum err err;
        query_init(&q, &s->db, SQL_MESSAGE_GET);
        query_i64(&q, 1, r->message);
        if (!query_one(&q, &err))
                return err;
        if ((uint64_t)query_get_i64(&q, 8) != r->starts[r->count])
                query_fail(&q, ERR_CORRUPT);
        return query_end(&q);
}

struct reader_open {
        struct store_reader *reader;
        enum store_part part;
};

/* Linked in the same request, so that no other one can free the extents in between. */
static enum err run_open(struct store *s, void *arg)
{
        struct reader_open *o = arg;
        struct store_reader *r = o->reader;
        enum err err = load_head(s, r, o->part);
        if (err == ERR_OK)
                err = load_extents(s, r);
        if (err == ERR_OK)
                err = check_size(s, r);
        if (err != ERR_OK)
                return err;
        r->next = s->readers;
        s->readers = r;
        return ERR_OK;
}

enum err store_reader_open(struct store *s, int64_t message, enum store_part part, struct store_reader **out)
{
        *out = NULL;
        struct store_reader *r = malloc(sizeof *r);
        if (r == NULL)
                return ERR_MEMORY;
        memset(r, 0, offsetof(struct store_reader, buffer));
        r->store = s;
        r->message = message;
        struct reader_open o = {r, part};
        enum err err = store_look(s, run_open, &o);
        if (err != ERR_OK) {
                unlink_reader(r);
                release(r);
                return err;
        }
        r->loaded = r->count;
        *out = r;
        return ERR_OK;
}

uint64_t store_reader_size(const struct store_reader *r)
{
        return r->head_size + r->starts[r->count];
}

/* The extent that holds byte `at` of the body. */
static size_t extent_at(const struct store_reader *r, uint64_t at)
{
        size_t low = 0, high = r->count;
        while (high - low > 1) {
                size_t middle = low + (high - low) / 2;
                if (r->starts[middle] <= at)
                        low = middle;
                else
                        high = middle;
        }
        return low;
}

static enum err load(struct store_reader *r, size_t extent)
{
        if (r->loaded == extent)
                return ERR_OK;
        r->loaded = r->count;
        enum err err = spool_read(&r->store->spool, &r->extents[extent], r->buffer);
        if (err == ERR_OK)
                r->loaded = extent;
        else if (err == ERR_IO)
                store_break(r->store, "spool", err);
        return err;
}

/* A piece at `at` that lies in one part; the message is longer than `at`. */
static enum err piece_at(struct store_reader *r, uint64_t at, struct str *out)
{
        *out = S("");
        if (at < r->head_size) {
                *out = str_of(r->head + at, r->head_size - (size_t)at);
                return ERR_OK;
        }
        at -= r->head_size;
        size_t extent = extent_at(r, at);
        enum err err = load(r, extent);
        if (err == ERR_OK)
                *out = str_skip(str_of(r->buffer, r->extents[extent].size), (size_t)(at - r->starts[extent]));
        return err;
}

enum err store_reader_read(struct store_reader *r, uint64_t at, void *into, size_t cap, size_t *got)
{
        uint64_t size = store_reader_size(r);
        size_t n = 0;
        *got = 0;
        while (n < cap && at < size) {
                struct str piece;
                enum err err = piece_at(r, at, &piece);
                if (err != ERR_OK)
                        return err;
                piece = str_take(piece, cap - n);
                memcpy((char *)into + n, piece.p, piece.n);
                n += piece.n;
                at += piece.n;
        }
        *got = n;
        return ERR_OK;
}

void store_reader_close(struct store_reader *r)
{
        if (r == NULL)
                return;
        unlink_reader(r);
        if (r->owns && !reader_keeps(r->store, r->message))
                freed_give(r->store, r->message, r->extents, r->count);
        release(r);
}
