/* SPDX-License-Identifier: ISC */
#include "store/store.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/hex.h"
#include "host/log.h"
#include "store/ask.h"

static const struct str database_name = {"ptt.db", 6}, spool_name = {"spool", 5};

/* Creating: all of it under another name, then one rename. */

static enum err fill_database(struct store *s, uint64_t spool_size)
{
        enum err err = db_migrate(&s->db, true);
        if (err != ERR_OK)
                return err;
        struct query q;
        query_init(&q, &s->db, SQL_SPOOL_SHARE_PUT);
        query_i64(&q, 1, (int64_t)spool_size);
        err = query_run(&q, NULL);
        if (err == ERR_OK)
                err = reserve_keep(s);
        return err == ERR_OK && s->is_tight ? ERR_FULL : err;
}

static enum err create_database(struct host *h, const char *path, uint64_t spool_size)
{
        struct store *s = calloc(1, sizeof *s);
        if (s == NULL)
                return ERR_MEMORY;
        s->host = h;
        enum err err = db_open(&s->db, h, path, true);
        if (err == ERR_OK)
                err = fill_database(s, spool_size);
        db_close(&s->db);
        free(s);
        return err;
}

struct image_paths {
        char base[FOLDER_PATH_MAX], database[FOLDER_PATH_MAX], wal[FOLDER_PATH_MAX], spool[FOLDER_PATH_MAX];
};

static enum err paths_of(struct str base, struct image_paths *out)
{
        enum err err = folder_path(base, S(""), out->base);
        if (err == ERR_OK)
                err = folder_path(base, database_name, out->database);
        if (err == ERR_OK)
                err = folder_path(base, S("ptt.db-wal"), out->wal);
        return err != ERR_OK ? err : folder_path(base, spool_name, out->spool);
}

static enum err create_at(struct host *h, const struct image_paths *p, uint64_t spool_size)
{
        enum err err = folder_make(p->base);
        if (err != ERR_OK)
                return err;
        err = folder_make(p->spool);
        if (err == ERR_OK)
                err = create_database(h, p->database, spool_size);
        if (err == ERR_OK)
                err = folder_sync(p->base);
        return err;
}

static void create_undo(const struct image_paths *p)
{
        folder_drop(p->wal);
        folder_drop(p->database);
        folder_drop(p->spool);
        folder_drop(p->base);
}

/* "PATH.new-RANDOM", beside `path`. */
static enum err name_beside(struct host *h, struct str path, char *out)
{
        uint8_t random[8];
        struct wr w;
        while (path.n > 1 && path.p[path.n - 1] == '/')
                path.n--;
        host_random(h, random, sizeof random);
        wr_init(&w, out, FOLDER_PATH_MAX - 1);
        wr_str(&w, path);
        wr_str(&w, S(".new-"));
        hex_encode(&w, str_of(random, sizeof random));
        enum err err = wr_end(&w);
        out[w.n] = 0;
        return err == ERR_OK ? ERR_OK : ERR_LIMIT;
}

enum err store_create(struct host *h, struct str path, uint64_t spool_size)
{
        char wanted[FOLDER_PATH_MAX], beside[FOLDER_PATH_MAX];
        struct image_paths paths;
        if (spool_size < STORE_SPOOL_SIZE_MIN || spool_size > STORE_SPOOL_SIZE_MAX)
                return ERR_LIMIT;
        enum err err = folder_path(path, S(""), wanted);
        if (err == ERR_OK)
                err = folder_is_free(wanted);
        if (err == ERR_OK)
                err = name_beside(h, path, beside);
        if (err == ERR_OK)
                err = paths_of(str_of_c(beside), &paths);
        if (err != ERR_OK)
                return err;
        err = create_at(h, &paths, spool_size);
        if (err == ERR_OK)
                err = folder_move(paths.base, wanted);
        if (err != ERR_OK)
                create_undo(&paths);
        return err;
}

/* Opening and recovery. */

static enum err read_share(struct store *s, uint64_t *out)
{
        struct query q;
        enum err err;
        *out = 0;
        query_init(&q, &s->db, SQL_SPOOL_SHARE);
        if (!query_one(&q, &err))
                return err == ERR_NOT_FOUND ? ERR_CORRUPT : err;
        int64_t share = query_get_i64(&q, 0);
        err = query_end(&q);
        if (err == ERR_OK && (share < (int64_t)STORE_SPOOL_SIZE_MIN || share > (int64_t)STORE_SPOOL_SIZE_MAX))
                err = ERR_CORRUPT;
        *out = err == ERR_OK ? (uint64_t)share : 0;
        return err;
}

static void log_bad_extent(struct store *s, int64_t message, const struct spool_extent *e)
{
        struct log_line l;
        log_begin(&l, s->host, LOG_ERROR, "store", "extent-damaged");
        log_i64(&l, "message", message);
        log_u64(&l, "segment", e->segment);
        log_u64(&l, "block", e->block);
        log_u64(&l, "size", e->size);
        log_end(&l);
}

static enum err drop_extent(struct store *s, int64_t message, int64_t place)
{
        struct query q;
        query_init(&q, &s->db, SQL_EXTENT_DROP);
        query_i64(&q, 1, message);
        query_i64(&q, 2, place);
        return query_run(&q, NULL);
}

/* What messages own is taken; everything else is free, whatever a dead process had begun to write there.
 * An extent that cannot be (its segment is lost or cut, its blocks are another's) is said and taken from its message,
 * which then lacks bytes and reads as damaged; left there, its blocks would one day be freed under another message. */
static enum err mark_extents(struct store *s)
{
        struct query q;
        query_init(&q, &s->db, SQL_ALL_EXTENTS);
        while (query_row(&q)) {
                struct spool_extent e = extent_of(&q);
                if (spool_mark(&s->spool, &e) == ERR_OK)
                        continue;
                log_bad_extent(s, query_get_i64(&q, 4), &e);
                query_fail(&q, drop_extent(s, query_get_i64(&q, 4), query_get_i64(&q, 5)));
        }
        return query_end(&q);
}

static enum err read_turn(struct store *s)
{
        struct query q;
        enum err err;
        query_init(&q, &s->db, SQL_POST_TURN);
        if (!query_one(&q, &err))
                return err == ERR_NOT_FOUND ? ERR_OK : err;
        s->turn = query_get_i64(&q, 0);
        return query_end(&q);
}

static void log_recovered(struct store *s, int64_t in_flight)
{
        struct log_line l;
        log_begin(&l, s->host, LOG_INFO, "store", "recovered");
        log_i64(&l, "deliveries-waiting-again", in_flight);
        log_end(&l);
}

static enum err recover(struct store *s)
{
        struct query q;
        int64_t in_flight = 0;
        enum err err = mark_extents(s);
        if (err == ERR_OK)
                err = read_turn(s);
        if (err != ERR_OK)
                return err;
        query_init(&q, &s->db, SQL_RECOVER);
        err = query_run(&q, &in_flight);
        if (err == ERR_OK)
                err = reserve_keep(s);
        if (err == ERR_OK && in_flight > 0)
                log_recovered(s, in_flight);
        return err;
}

static enum err open_parts(struct store *s, struct str path)
{
        struct image_paths paths;
        uint64_t share = 0;
        enum err err = paths_of(path, &paths);
        if (err == ERR_OK)
                err = db_open(&s->db, s->host, paths.database, false);
        if (err == ERR_OK)
                err = db_migrate(&s->db, false);
        if (err == ERR_OK)
                err = read_share(s, &share);
        if (err == ERR_OK)
                err = spool_open(&s->spool, s->host, str_of_c(paths.spool), share);
        return err != ERR_OK ? err : recover(s);
}

enum err store_open(struct host *h, struct str path, struct store **out)
{
        *out = NULL;
        struct store *s = calloc(1, sizeof *s);
        if (s == NULL)
                return ERR_MEMORY;
        s->host = h;
        s->last = &s->first;
        enum err err = open_parts(s, path);
        if (err != ERR_OK) {
                store_close(s);
                return err;
        }
        *out = s;
        return ERR_OK;
}

void store_close(struct store *s)
{
        if (s == NULL)
                return;
        CHECK(!s->has_fiber && s->readers == NULL);
        spool_close(&s->spool);
        db_close(&s->db);
        free(s->freed.items);
        free(s);
}

bool store_is_broken(const struct store *s)
{
        return s->is_broken;
}

struct store_space store_space(const struct store *s)
{
        return (struct store_space){.share = s->spool.share,
                .used = (s->spool.made - s->spool.free) * SPOOL_BLOCK,
                .reserved = s->spool.reserved * SPOOL_BLOCK};
}
