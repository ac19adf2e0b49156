/* SPDX-License-Identifier: ISC */
#include "store/messages.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/limits.h"
#include "store/ask.h"

struct store_intake {
        struct store *store;
        uint64_t reserved; /* blocks that are ours and not yet written */
        uint64_t size;
        enum err err;              /* sticks */
        struct store_intake *next; /* of a change of several calls, while it runs */
        bool has_head, is_synced, is_added, is_kept;
        struct spool_extent *extents;
        size_t count, cap;
        size_t held; /* bytes in `buffer` */
        char buffer[SPOOL_EXTENT_MAX];
};

static enum err nothing(struct store *s, void *arg)
{
        (void)s;
        (void)arg;
        return ERR_OK;
}

/* A store without room for results takes nothing in; asking it makes it look again. */
static enum err room(struct store *s)
{
        if (s->is_broken)
                return ERR_IO;
        if (s->is_tight && host_now_ms(s->host) >= s->tight_until_ms) {
                enum err err = store_ask(s, nothing, NULL);
                if (err != ERR_OK)
                        return err;
        }
        return s->is_tight ? ERR_FULL : ERR_OK;
}

static enum err run_grow(struct store *s, void *arg)
{
        const uint64_t *blocks = arg;
        enum err err = spool_grow(&s->spool, *blocks);
        if (err == ERR_IO)
                store_break(s, "spool", err);
        return err;
}

/* Segments are made by the store fiber; then look again, for others may have been quicker. */
static enum err reserve(struct store *s, uint64_t blocks)
{
        enum err err;
        while ((err = spool_reserve(&s->spool, blocks)) == ERR_AGAIN) {
                err = store_ask(s, run_grow, &blocks);
                if (err != ERR_OK)
                        break;
        }
        return err;
}

enum err store_intake_begin(struct store *s, uint64_t expected_size, struct store_intake **out)
{
        *out = NULL;
        enum err err = room(s);
        if (err != ERR_OK)
                return err;
        if (expected_size > s->spool.share)
                return ERR_FULL;
        struct store_intake *i = malloc(sizeof *i);
        if (i == NULL)
                return ERR_MEMORY;
        memset(i, 0, offsetof(struct store_intake, buffer));
        i->store = s;
        err = reserve(s, spool_blocks(expected_size));
        if (err != ERR_OK) {
                if (err == ERR_IO)
                        store_break(s, "spool", err);
                free(i);
                return err;
        }
        i->reserved = spool_blocks(expected_size);
        *out = i;
        return ERR_OK;
}

static enum err note_extent(struct store_intake *i, const struct spool_extent *e)
{
        if (i->count == i->cap) {
                size_t cap = i->cap ? i->cap * 2 : 8;
                struct spool_extent *extents = realloc(i->extents, cap * sizeof *extents);
                if (extents == NULL)
                        return ERR_MEMORY;
                i->extents = extents;
                i->cap = cap;
        }
        i->extents[i->count++] = *e;
        return ERR_OK;
}

static enum err write_extent(struct store_intake *i, struct str bytes, size_t *written)
{
        struct spool *p = &i->store->spool;
        struct spool_extent e;
        *written = 0;
        enum err err = spool_write(p, bytes, &e);
        if (err != ERR_OK)
                return err;
        i->reserved -= spool_blocks(e.size);
        err = note_extent(i, &e);
        if (err != ERR_OK)
                freed_give(i->store, 0, &e, 1);
        *written = e.size;
        return err;
}

static enum err write_bytes(struct store_intake *i, struct str bytes)
{
        uint64_t need = spool_blocks(bytes.n);
        if (need > i->reserved) {
                enum err err = reserve(i->store, need - i->reserved);
                if (err != ERR_OK)
                        return err;
                i->reserved = need;
        }
        enum err err = ERR_OK;
        for (size_t n; bytes.n > 0 && err == ERR_OK; bytes = str_skip(bytes, n))
                err = write_extent(i, str_take(bytes, SPOOL_EXTENT_MAX), &n);
        return err;
}

/* What is held goes to the spool. */
static enum err write_held(struct store_intake *i)
{
        enum err err = write_bytes(i, str_of(i->buffer, i->held));
        i->held = 0;
        return err;
}

static enum err stick(struct store_intake *i, enum err err)
{
        if (err == ERR_IO)
                store_break(i->store, "spool", err);
        if (i->err == ERR_OK)
                i->err = err;
        return i->err;
}

enum err store_intake_write(struct store_intake *i, struct str bytes)
{
        CHECK(!i->is_synced);
        while (bytes.n > 0 && i->err == ERR_OK) {
                struct str part = str_take(bytes, sizeof i->buffer - i->held);
                memcpy(i->buffer + i->held, part.p, part.n);
                i->held += part.n;
                i->size += part.n;
                bytes = str_skip(bytes, part.n);
                if (i->held == sizeof i->buffer)
                        stick(i, write_held(i));
        }
        return i->err;
}

/* The extents from `first` on come before the others. */
static void rotate(struct store_intake *i, size_t first)
{
        for (size_t n = i->count - first; n > 0 && first > 0; n--) {
                struct spool_extent last = i->extents[i->count - 1];
                memmove(i->extents + 1, i->extents, (i->count - 1) * sizeof last);
                i->extents[0] = last;
        }
}

enum err store_intake_head(struct store_intake *i, struct str bytes)
{
        CHECK(!i->has_head && !i->is_synced);
        i->has_head = true;
        i->size += bytes.n;
        if (i->count == 0 && bytes.n <= sizeof i->buffer - i->held) {
                memmove(i->buffer + bytes.n, i->buffer, i->held);
                memcpy(i->buffer, bytes.p, bytes.n);
                i->held += bytes.n;
                return i->err;
        }
        size_t before = i->count;
        if (i->err == ERR_OK && stick(i, write_bytes(i, bytes)) == ERR_OK)
                rotate(i, before);
        return i->err;
}

uint64_t store_intake_size(const struct store_intake *i)
{
        return i->size;
}

/* The extents now belong to a message, or are given back. */
static void drop(struct store_intake *i, bool keep_extents)
{
        spool_unreserve(&i->store->spool, i->reserved);
        if (!keep_extents)
                freed_give(i->store, 0, i->extents, i->count);
        free(i->extents);
        free(i);
}

void store_intake_abort(struct store_intake *i)
{
        if (i != NULL)
                drop(i, i->is_kept);
}

struct commit {
        const struct store_intake *intake;
        const struct store_message_new *message;
        int64_t id;
};

static enum err add_message(struct store *s, struct commit *c)
{
        const struct store_message_new *m = c->message;
        struct query q;
        query_init(&q, &s->db, SQL_MESSAGE_ADD);
        query_folded(&q, 1, m->ticket);
        query_i64(&q, 2, m->kind);
        query_i64(&q, 3, m->list);
        query_folded(&q, 4, m->domain);
        query_text(&q, 5, m->sender);
        query_text(&q, 6, str_take(m->message_id, MAIL_LINE_MAX));
        query_i64(&q, 7, (m->is_8bit ? MESSAGE_8BIT : 0) | (m->is_smtputf8 ? MESSAGE_SMTPUTF8 : 0));
        query_i64(&q, 8, m->received_ms);
        query_i64(&q, 9, (int64_t)c->intake->size);
        query_blob(&q, 10, m->front);
        query_i64(&q, 11, m->waits ? STORE_WAITING : STORE_OPEN);
        query_i64(&q, 12, m->probe);
        enum err err = query_run(&q, NULL);
        c->id = db_last_id(&s->db);
        return err;
}

static enum err add_extents(struct store *s, const struct commit *c)
{
        enum err err = ERR_OK;
        for (size_t i = 0; i < c->intake->count && err == ERR_OK; i++) {
                const struct spool_extent *e = &c->intake->extents[i];
                struct query q;
                query_init(&q, &s->db, SQL_EXTENT_ADD);
                query_i64(&q, 1, c->id);
                query_i64(&q, 2, (int64_t)i);
                query_i64(&q, 3, e->segment);
                query_i64(&q, 4, e->block);
                query_i64(&q, 5, e->size);
                query_i64(&q, 6, e->crc);
                err = query_run(&q, NULL);
        }
        return err;
}

static enum err add_recipients(struct store *s, const struct commit *c)
{
        enum err err = ERR_OK;
        for (size_t i = 0; i < c->message->recipient_count && err == ERR_OK; i++) {
                struct query q;
                query_init(&q, &s->db, SQL_RECIPIENT_ADD);
                query_i64(&q, 1, c->id);
                query_i64(&q, 2, (int64_t)i);
                query_text(&q, 3, c->message->recipients[i]);
                err = query_run(&q, NULL);
        }
        return err;
}

/* An address that is nobody's, or longer than any, is nothing. */
static enum err add_skips(struct store *s, const struct commit *c)
{
        enum err err = ERR_OK;
        for (size_t i = 0; i < c->message->skip_count && err == ERR_OK; i++) {
                struct query q;
                if (c->message->skip[i].n > FOLDED_MAX)
                        continue;
                query_init(&q, &s->db, SQL_SKIP_ADD);
                query_i64(&q, 1, c->id);
                query_i64(&q, 2, c->message->list);
                query_folded(&q, 3, c->message->skip[i]);
                err = query_run(&q, NULL);
        }
        return err;
}

static enum err run_commit(struct store *s, void *arg)
{
        struct commit *c = arg;
        const struct store_message_new *m = c->message;
        enum err err = add_message(s, c);
        if (err == ERR_OK)
                err = add_extents(s, c);
        if (err == ERR_OK)
                err = add_recipients(s, c);
        if (err == ERR_OK)
                err = add_skips(s, c);
        if (err == ERR_OK && m->trace.n > 0)
                err = trace_begin(s, c->id, m->message_id, m->trace);
        if (err == ERR_OK && m->is_unsigned)
                err = message_sign(s, c->id, S(""));
        return err == ERR_OK && m->notice != 0 ? notice_end(s, m->notice) : err;
}

enum err store_intake_sync(struct store_intake *i)
{
        struct store *s = i->store;
        struct sched *sched = s->host->sched;
        bool is_fiber = sched_current(sched) != NULL;
        CHECK(!i->is_synced && !store_is_together(s));
        i->is_synced = true;
        if (is_fiber && fiber_is_cancelled(sched))
                stick(i, ERR_CANCELLED);
        /* from here on the outcome is the disk's alone */
        if (is_fiber)
                fiber_shield(sched, true);
        if (i->err == ERR_OK && i->held > 0)
                stick(i, write_held(i));
        if (i->err == ERR_OK && i->count > 0)
                stick(i, volume_flush(&s->volume));
        if (is_fiber)
                fiber_shield(sched, false);
        return i->err;
}

static void check_message(const struct store_message_new *m)
{
        CHECK((m->kind == STORE_POST) == (m->list != 0 && m->recipient_count == 0));
        CHECK(m->kind == STORE_POST || (!m->waits && m->skip_count == 0));
        CHECK(m->kind == STORE_FORWARD || !m->is_unsigned);
}

enum err store_intake_add(struct store_intake *i, const struct store_message_new *message, int64_t *id)
{
        struct store *s = i->store;
        struct commit c = {i, message, 0};
        check_message(message);
        CHECK(i->is_synced && !i->is_added && store_is_together(s));
        enum err err = i->err != ERR_OK ? i->err : store_ask(s, run_commit, &c);
        if (err == ERR_OK) {
                i->is_added = true;
                i->next = s->together->intakes;
                s->together->intakes = i;
        }
        *id = err == ERR_OK ? c.id : 0;
        return err;
}

struct store_intake *intake_settle(struct store_intake *i, bool is_kept)
{
        struct store_intake *next = i->next;
        i->is_kept = is_kept;
        i->is_added = is_kept;
        i->next = NULL;
        return next;
}

enum err store_intake_commit(struct store_intake *i, const struct store_message_new *message, int64_t *id)
{
        struct store *s = i->store;
        struct commit c = {i, message, 0};
        check_message(message);
        enum err err = store_intake_sync(i);
        if (err == ERR_OK)
                err = store_ask(s, run_commit, &c);
        /* after a failed commit nobody knows whether the row is there: then its bytes stay too */
        drop(i, err == ERR_OK || s->is_broken);
        *id = err == ERR_OK ? c.id : 0;
        return err;
}
