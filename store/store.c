/* SPDX-License-Identifier: ISC */
#include "store/store.h"

#include <stdlib.h>

#include "base/check.h"
#include "host/log.h"
#include "store/ask.h"

#define SPARE_MIN (4ull * 1024 * 1024)
#define SPARE_SHARE 8 /* the spool leaves an eighth of the volume to the database */

static struct store *store_new(struct host *h)
{
        struct store *s = calloc(1, sizeof *s);
        if (s == NULL)
                return NULL;
        s->host = h;
        s->changes.last = &s->changes.first;
        s->looks.last = &s->looks.first;
        return s;
}

/* Creating. The volume is whole before the database is; until the database is, nothing of it can be opened. */

static enum err fill(struct store *s)
{
        enum err err = fat_mkdir(s->volume.fat, S("spool"), volume_now_s(&s->volume));
        if (err == ERR_OK && (s->vfs = vfs_new(&s->volume)) == NULL)
                err = ERR_MEMORY;
        if (err == ERR_OK)
                err = db_open(&s->db, s->host, s->vfs, true);
        if (err == ERR_OK)
                err = db_migrate(&s->db, true);
        if (err == ERR_OK)
                err = reserve_keep(s);
        return err == ERR_OK && s->is_tight ? ERR_FULL : err;
}

enum err store_create(struct host *h, struct str path)
{
        struct store *s = store_new(h);
        if (s == NULL)
                return ERR_MEMORY;
        enum err err = volume_make(&s->volume, h, path);
        if (err == ERR_OK)
                err = fill(s);
        db_close(&s->db);
        vfs_free(s->vfs);
        enum err closed = volume_close(&s->volume);
        free(s);
        return err != ERR_OK ? err : closed;
}

/* Opening and recovery. */

static uint64_t spare_of(const struct store *s)
{
        uint64_t part = s->volume.device.size / SPARE_SHARE;
        return part > SPARE_MIN ? part : SPARE_MIN;
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
                s->bad_extents++;
                if (s->user == STORE_CHECK)
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
        log_c(&l, "image", fat_state_text(s->volume.state));
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
        if (err == ERR_OK)
                err = results_count(s);
        if (err != ERR_OK || s->user == STORE_CHECK)
                return err;
        query_init(&q, &s->db, SQL_RECOVER);
        err = query_run(&q, &in_flight);
        if (err == ERR_OK)
                err = reserve_keep(s);
        if (err == ERR_OK && (in_flight > 0 || s->volume.state != FAT_CLEAN))
                log_recovered(s, in_flight);
        return err;
}

static enum err open_volume(struct store *s, struct str path)
{
        static const enum volume_user users[] = {[STORE_SERVER] = VOLUME_SERVER,
                [STORE_TOOL] = VOLUME_TOOL,
                [STORE_REPAIR] = VOLUME_REPAIR,
                [STORE_CHECK] = VOLUME_CHECK};
        enum err err = volume_open(&s->volume, s->host, path, users[s->user]);
        if (err == ERR_UNSUPPORTED || err == ERR_CORRUPT ||
                (err == ERR_DENIED && s->volume.state == FAT_FOREIGN))
                s->why = fat_state_text(s->volume.state);
        return err == ERR_DENIED && s->volume.state == FAT_FOREIGN ? ERR_UNSUPPORTED : err;
}

/* Pages that rotted are found now and not in the middle of the night. The log comes first: what a death tore while it
 * was brought into the database is whole in there. */
static enum err verify(struct store *s)
{
        uint64_t damaged = 0;
        enum err err = db_checkpoint_all(&s->db);
        if (err == ERR_OK)
                err = vfs_verify(s->vfs, NULL, NULL, &damaged);
        return err == ERR_OK && damaged > 0 ? ERR_CORRUPT : err;
}

static enum err open_database(struct store *s)
{
        s->vfs = vfs_new(&s->volume);
        if (s->vfs == NULL)
                return ERR_MEMORY;
        enum err err = db_open(&s->db, s->host, s->vfs, false);
        if (err == ERR_OK)
                err = db_migrate(&s->db, false);
        if (err == ERR_OK && s->user == STORE_SERVER)
                err = verify(s);
        if (err == ERR_NOT_FOUND) {
                s->why = "there is no database in it";
                return ERR_UNSUPPORTED;
        }
        if (err == ERR_UNSUPPORTED)
                s->why = "it was written by a newer version";
        if (err == ERR_CORRUPT)
                s->why = "its database is damaged";
        return err;
}

/* The database, its log and the segments that can be opened. */
static enum err are_apart(struct store *s)
{
        size_t count = 2 + s->spool.count;
        struct area own[2] = {0};
        const struct area **areas = calloc(count, sizeof *areas);
        if (areas == NULL)
                return ERR_MEMORY;
        enum err err = area_open(&s->volume, S("ptt.db"), &own[0]);
        if (err == ERR_OK)
                err = area_open(&s->volume, S("ptt.db-wal"), &own[1]);
        if (err == ERR_NOT_FOUND || err == ERR_CORRUPT) /* said when the database is opened */
                err = ERR_OK;
        for (size_t i = 0; i < count; i++)
                areas[i] = i < 2 ? &own[i] : &s->spool.segments[i - 2].area;
        if (err == ERR_OK)
                err = areas_are_apart(areas, count);
        area_close(&own[0]);
        area_close(&own[1]);
        free(areas);
        return err;
}

/* The folder that a repair makes is empty: what messages had in it is gone. */
static enum err remake_folder(struct store *s)
{
        enum err err = fat_mkdir(s->volume.fat, S("spool"), volume_now_s(&s->volume));
        s->bad_extents += err == ERR_OK;
        return err == ERR_EXISTS ? ERR_OK : err;
}

static enum err open_spool(struct store *s)
{
        enum err err = s->user == STORE_REPAIR ? remake_folder(s) : ERR_OK;
        if (err == ERR_OK)
                err = spool_open(&s->spool, &s->volume, spare_of(s));
        return err;
}

/* Nothing is written into a file before it is known that it is apart from the others. But what the database says of the
 * image, its version say, comes before what is wrong with the spool. */
static enum err open_parts(struct store *s, struct str path)
{
        enum err err = open_volume(s, path);
        if (err != ERR_OK)
                return err;
        s->why = "its spool is damaged";
        enum err spool = open_spool(s);
        if (spool != ERR_OK && spool != ERR_CORRUPT)
                return spool;
        s->why = "its files share space";
        err = are_apart(s);
        if (err != ERR_OK)
                return err;
        s->why = "";
        err = open_database(s);
        if (err != ERR_OK)
                return err;
        s->why = spool == ERR_OK ? "its database is damaged" : "its spool is damaged";
        return spool == ERR_OK ? recover(s) : spool;
}

enum err store_open_as(
        struct host *h, struct str path, enum store_user user, const char **why, struct store **out)
{
        *out = NULL;
        if (why != NULL)
                *why = "";
        struct store *s = store_new(h);
        if (s == NULL)
                return ERR_MEMORY;
        s->user = user;
        s->why = "";
        enum err err = open_parts(s, path);
        if (err != ERR_OK) {
                if (why != NULL)
                        *why = s->why;
                store_close(s);
                return err;
        }
        *out = s;
        return ERR_OK;
}

enum err store_open(struct host *h, struct str path, struct store **out)
{
        return store_open_as(h, path, STORE_SERVER, NULL, out);
}

/* Files. */

struct file_read {
        struct str path;
        size_t max;
        struct arena *arena;
        struct str *out;
};

static enum err read_whole(struct fat_file *file, const struct file_read *r)
{
        size_t got;
        if (file->size > r->max)
                return ERR_LIMIT;
        char *bytes = arena_alloc(r->arena, file->size);
        if (bytes == NULL)
                return ERR_MEMORY;
        enum err err = fat_read(file, 0, bytes, file->size, &got);
        if (err == ERR_OK)
                *r->out = str_of(bytes, got);
        return err;
}

static enum err run_file_read(struct store *s, void *arg)
{
        struct file_read *r = arg;
        struct fat_file file;
        enum err err = fat_file_open(s->volume.fat, &file, r->path, FAT_OPEN, volume_now_s(&s->volume));
        if (err != ERR_OK)
                return err;
        err = read_whole(&file, r);
        fat_file_close(&file);
        return err;
}

enum err store_file_read(struct store *s, struct str path, size_t max, struct arena *a, struct str *out)
{
        struct file_read r = {path, max, a, out};
        *out = S("");
        enum err err = store_look(s, run_file_read, &r);
        return err == ERR_SYNTAX ? ERR_NOT_FOUND : err; /* a folder, or no name that a file can have */
}

/* Closing. */

static void log_close_failed(struct store *s, enum err err)
{
        struct log_line l;
        log_begin(&l, s->host, LOG_ERROR, "store", "close-failed");
        log_err(&l, err);
        log_end(&l);
}

void store_close(struct store *s)
{
        if (s == NULL)
                return;
        CHECK(!s->has_fiber && s->readers == NULL);
        spool_close(&s->spool);
        db_close(&s->db);
        vfs_free(s->vfs);
        enum err err = volume_close(&s->volume);
        if (err != ERR_OK)
                log_close_failed(s, err);
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
                .reserved = s->spool.reserved * SPOOL_BLOCK,
                .is_tight = s->is_tight};
}
