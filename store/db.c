/* SPDX-License-Identifier: ISC */
#include "store/db.h"

#include <string.h>

#include "base/check.h"
#include "base/wr.h"
#include "host/log.h"

#define DATABASE "ptt.db"

static enum err err_of_io(struct db *d, int rc)
{
        if (rc == SQLITE_IOERR_NOMEM)
                return ERR_MEMORY;
        if (!d->broken) {
                struct log_line l;
                log_begin(&l, d->host, LOG_ERROR, "store", "database-failed");
                log_c(&l, "reason", sqlite3_errstr(rc));
                log_i64(&l, "code", rc);
                log_err(&l, vfs_fault(d->vfs));
                log_end(&l);
        }
        d->broken = true;
        return ERR_IO;
}

static enum err err_of(struct db *d, int rc)
{
        switch (rc & 255) {
        case SQLITE_OK:
        case SQLITE_DONE:
        case SQLITE_ROW:
                return ERR_OK;
        case SQLITE_CONSTRAINT:
                return rc == SQLITE_CONSTRAINT_FOREIGNKEY ? ERR_NOT_FOUND : ERR_EXISTS;
        case SQLITE_FULL:
                return ERR_FULL;
        case SQLITE_IOERR:
                return err_of_io(d, rc);
        case SQLITE_NOMEM:
                return ERR_MEMORY;
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
                return ERR_BUSY;
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
                return ERR_CORRUPT;
        case SQLITE_CANTOPEN:
                return vfs_fault(d->vfs) != ERR_OK ? vfs_fault(d->vfs) : ERR_CORRUPT;
        case SQLITE_READONLY:
        case SQLITE_PERM:
                return ERR_DENIED;
        case SQLITE_TOOBIG:
                return ERR_LIMIT;
        default:
                /* a fault of ours in a statement */
                check_failed(__FILE__, __LINE__, sqlite3_errmsg(d->c));
        }
}

static enum err execute(struct db *d, const char *sql)
{
        return err_of(d, sqlite3_exec(d->c, sql, NULL, NULL, NULL));
}

static int note_wal(void *arg, sqlite3 *c, const char *name, int pages)
{
        (void)c;
        (void)name;
        struct db *d = arg;
        d->wal_pages = (unsigned)pages;
        return SQLITE_OK;
}

/* A new database: pages of our size with room for their checksum; no rollback journal, not even for a moment. */
static enum err set_up_new(struct db *d)
{
        int reserved = VFS_RESERVED;
        if (sqlite3_file_control(d->c, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved) != SQLITE_OK)
                return ERR_UNSUPPORTED;
        return execute(d, "PRAGMA page_size = 4096; PRAGMA journal_mode = OFF;");
}

/* Exclusive from before the first look: then the index of the log lies in our memory, and nothing is shared. */
static enum err set_up(struct db *d, bool create)
{
        sqlite3_extended_result_codes(d->c, 1);
        sqlite3_busy_timeout(d->c, 0);
        enum err err = execute(d, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA temp_store = MEMORY;");
        if (err == ERR_OK && create)
                err = set_up_new(d);
        if (err == ERR_OK)
                err = execute(d, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                                 "PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;"
                                 "PRAGMA cache_size = -8192; BEGIN IMMEDIATE; COMMIT;");
        sqlite3_wal_hook(
                d->c, note_wal, d); /* in the place of SQLite's own, which hides failed checkpoints */
        return err;
}

enum err db_open(struct db *d, struct host *h, struct vfs *vfs, bool create)
{
        memset(d, 0, sizeof *d);
        d->host = h;
        d->vfs = vfs;
        int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (create ? SQLITE_OPEN_CREATE : 0);
        int rc = sqlite3_open_v2(DATABASE, &d->c, flags, vfs_name(vfs));
        if (d->c == NULL)
                return ERR_MEMORY;
        return rc != SQLITE_OK ? err_of(d, rc) : set_up(d, create);
}

void db_close(struct db *d)
{
        for (size_t i = 0; i < SQL_COUNT; i++) {
                sqlite3_finalize(d->statements[i]);
                d->statements[i] = NULL;
        }
        /* A log that is left behind would be read at the next start, over the database: when one of its frames rots, what
         * stands before that frame is believed, and older than the database. If it fails, the log stays. */
        if (d->c != NULL && !d->broken)
                (void)sqlite3_wal_checkpoint_v2(d->c, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
        CHECK(sqlite3_close(d->c) == SQLITE_OK); /* every query was ended */
        d->c = NULL;
}

static enum err pragma(struct db *d, const char *sql, int64_t *out)
{
        sqlite3_stmt *st = NULL;
        *out = 0;
        int rc = sqlite3_prepare_v2(d->c, sql, -1, &st, NULL);
        if (rc == SQLITE_OK)
                rc = sqlite3_step(st);
        if (rc == SQLITE_ROW)
                *out = sqlite3_column_int64(st, 0);
        enum err err = err_of(d, rc);
        sqlite3_finalize(st);
        return err;
}

static enum err migrate_step(struct db *d, int64_t from)
{
        char sql[96];
        struct wr w;
        wr_init(&w, sql, sizeof sql);
        wr_str(&w, S("PRAGMA application_id = "));
        wr_u64(&w, SCHEMA_APPLICATION);
        wr_str(&w, S("; PRAGMA user_version = "));
        wr_u64(&w, (uint64_t)from + 1);
        wr_byte(&w, 0);
        enum err err = wr_end(&w);
        if (err == ERR_OK)
                err = db_run(d, SQL_BEGIN);
        if (err == ERR_OK)
                err = execute(d, schema_steps[from]);
        if (err == ERR_OK)
                err = execute(d, sql);
        if (err == ERR_OK)
                err = db_run(d, SQL_COMMIT);
        if (err != ERR_OK && db_in_transaction(d) && db_run(d, SQL_ROLLBACK) != ERR_OK)
                d->broken = true;
        return err;
}

enum err db_migrate(struct db *d, bool create)
{
        int64_t version, application;
        enum err err = pragma(d, "PRAGMA user_version", &version);
        if (err == ERR_OK)
                err = pragma(d, "PRAGMA application_id", &application);
        if (err != ERR_OK)
                return err;
        if (!create && (version < 1 || application != SCHEMA_APPLICATION))
                return ERR_CORRUPT;
        if (version > SCHEMA_VERSION)
                return ERR_UNSUPPORTED;
        for (; err == ERR_OK && version < SCHEMA_VERSION; version++)
                err = migrate_step(d, version);
        return err;
}

enum err db_run(struct db *d, enum sql sql)
{
        struct query q;
        query_init(&q, d, sql);
        return query_run(&q, NULL);
}

bool db_in_transaction(const struct db *d)
{
        return sqlite3_get_autocommit(d->c) == 0;
}

enum err db_checkpoint_all(struct db *d)
{
        int rc = sqlite3_wal_checkpoint_v2(d->c, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
        enum err err = err_of(d, rc);
        if (err == ERR_OK)
                d->wal_pages = 0;
        return err;
}

enum err db_checkpoint(struct db *d, unsigned more_than_pages)
{
        return d->wal_pages <= more_than_pages ? ERR_OK : db_checkpoint_all(d);
}

enum err db_room(struct db *d, int64_t bytes)
{
        int64_t pages;
        enum err err = pragma(d, "PRAGMA page_count", &pages);
        sqlite3_int64 size = pages * VFS_PAGE + bytes;
        return err != ERR_OK ? err
                             : err_of(d, sqlite3_file_control(d->c, "main", SQLITE_FCNTL_SIZE_HINT, &size));
}

int64_t db_last_id(const struct db *d)
{
        return sqlite3_last_insert_rowid(d->c);
}

/* Queries. */

void query_init(struct query *q, struct db *d, enum sql sql)
{
        *q = (struct query){.db = d, .err = d->broken ? ERR_IO : ERR_OK};
        sqlite3_stmt **st = &d->statements[sql];
        if (*st == NULL && q->err == ERR_OK)
                q->err = err_of(
                        d, sqlite3_prepare_v3(d->c, sql_text[sql], -1, SQLITE_PREPARE_PERSISTENT, st, NULL));
        q->st = *st;
}

static void note(struct query *q, int rc)
{
        query_fail(q, err_of(q->db, rc));
}

void query_i64(struct query *q, int at, int64_t value)
{
        if (q->err == ERR_OK)
                note(q, sqlite3_bind_int64(q->st, at, value));
}

/* SQLite takes a NULL pointer for NULL, where an empty slice is meant. */
void query_text(struct query *q, int at, struct str value)
{
        if (q->err == ERR_OK)
                note(q, sqlite3_bind_text64(
                                q->st, at, value.n ? value.p : "", value.n, SQLITE_STATIC, SQLITE_UTF8));
}

void query_blob(struct query *q, int at, struct str value)
{
        if (q->err == ERR_OK)
                note(q, sqlite3_bind_blob64(q->st, at, value.n ? value.p : "", value.n, SQLITE_STATIC));
}

void query_folded(struct query *q, int at, struct str value)
{
        char folded[FOLDED_MAX];
        struct wr w;
        wr_init(&w, folded, sizeof folded);
        wr_lower(&w, value);
        if (wr_end(&w) != ERR_OK)
                query_fail(q, ERR_LIMIT);
        if (q->err == ERR_OK)
                note(q, sqlite3_bind_text64(q->st, at, folded, w.n, SQLITE_TRANSIENT, SQLITE_UTF8));
}

bool query_row(struct query *q)
{
        if (q->err != ERR_OK)
                return false;
        int rc = sqlite3_step(q->st);
        note(q, rc);
        return rc == SQLITE_ROW;
}

size_t query_count(struct query *q)
{
        size_t n = 0;
        while (query_row(q))
                n++;
        if (q->err == ERR_OK)
                sqlite3_reset(q->st);
        return q->err == ERR_OK ? n : 0;
}

int64_t query_get_i64(struct query *q, int column)
{
        return q->err == ERR_OK ? sqlite3_column_int64(q->st, column) : 0;
}

struct str query_get(struct query *q, int column)
{
        if (q->err != ERR_OK)
                return S("");
        const void *p = sqlite3_column_blob(q->st, column); /* text as it is stored */
        int n = sqlite3_column_bytes(q->st, column);
        if (p == NULL && n > 0)
                query_fail(q, ERR_MEMORY);
        return p == NULL ? S("") : str_of(p, (size_t)n);
}

struct str query_copy(struct query *q, int column, struct arena *a)
{
        struct str copy;
        enum err err = arena_copy(a, query_get(q, column), &copy);
        if (err != ERR_OK)
                query_fail(q, err);
        return copy;
}

void query_fail(struct query *q, enum err err)
{
        if (q->err == ERR_OK)
                q->err = err;
}

enum err query_end(struct query *q)
{
        if (q->st != NULL) {
                sqlite3_reset(q->st);
                sqlite3_clear_bindings(q->st);
        }
        q->st = NULL;
        return q->err;
}

enum err query_run(struct query *q, int64_t *changed)
{
        CHECK(!query_row(q));
        if (changed != NULL)
                *changed = q->err == ERR_OK ? sqlite3_changes64(q->db->c) : 0;
        return query_end(q);
}

bool query_one(struct query *q, enum err *err)
{
        *err = ERR_OK;
        if (query_row(q))
                return true;
        query_fail(q, ERR_NOT_FOUND);
        *err = query_end(q);
        return false;
}
