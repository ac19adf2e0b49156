/* SPDX-License-Identifier: ISC */
/* A thin face over SQLite: the connection, and queries whose first fault sticks, so that a caller binds, steps and
 * reads, and tests once at query_end. Only the store fiber (or who stands in for it) comes here. */
#ifndef STORE_DB_H
#define STORE_DB_H

#include <sqlite3.h>

#include "base/arena.h"
#include "base/str.h"
#include "host/host.h"
#include "store/sql.h"
#include "store/vfs.h"

struct db {
        sqlite3 *c;
        struct vfs *vfs;
        struct host *host;
        sqlite3_stmt *statements[SQL_COUNT];
        unsigned wal_pages; /* in the write-ahead log after the last commit */
        bool broken;        /* the disk failed: final */
};

/* Open the database of the volume under `vfs`, which is borrowed until db_close.
 *   ERR_OK, ERR_NOT_FOUND, ERR_CORRUPT, ERR_FULL, ERR_IO, ERR_MEMORY; db_close also after an error */
MUST_USE enum err db_open(struct db *d, struct host *h, struct vfs *vfs, bool create);
void db_close(struct db *d);
/* Bring the schema to SCHEMA_VERSION, each step in one transaction.
 *   ERR_OK, ERR_UNSUPPORTED (newer than ours), ERR_CORRUPT (not an image's database) or as above */
MUST_USE enum err db_migrate(struct db *d, bool create);

/* ERR_EXISTS and ERR_NOT_FOUND are what constraints give: a key that is there, a reference to what is not. */
MUST_USE enum err db_run(struct db *d, enum sql sql); /* a statement without values */
/* Is a transaction open? SQLite ends one by itself on some errors. */
bool db_in_transaction(const struct db *d);
/* Bring the log into the database when it has grown long. */
MUST_USE enum err db_checkpoint(struct db *d, unsigned more_than_pages);
/* The same for a log that an earlier process has left. */
MUST_USE enum err db_checkpoint_all(struct db *d);

/* Make sure that the database can grow by `bytes`: a log that cannot be brought into the database for want of space
 * would never end.
 *   ERR_OK, ERR_FULL */
MUST_USE enum err db_room(struct db *d, int64_t bytes);

struct query {
        struct db *db;
        sqlite3_stmt *st;
        enum err err;
};

void query_init(struct query *q, struct db *d, enum sql sql);
void query_i64(struct query *q, int at, int64_t value);
void query_text(struct query *q, int at, struct str value);   /* borrowed until query_end */
void query_blob(struct query *q, int at, struct str value);   /* likewise */
void query_folded(struct query *q, int at, struct str value); /* in lower case; ERR_LIMIT above FOLDED_MAX */
#define FOLDED_MAX 512
/* The next row, or false: at the end, or after a fault. */
bool query_row(struct query *q);
/* Rows from here to the end; then the query stands before its first row again. */
size_t query_count(struct query *q);
int64_t query_get_i64(struct query *q, int column);
struct str query_get(struct query *q, int column); /* text or blob, borrowed until the next row */
struct str query_copy(struct query *q, int column, struct arena *a);
void query_fail(struct query *q, enum err err); /* keeps an earlier fault */
/* Every query ends here.
 *   ERR_OK, or the first fault */
MUST_USE enum err query_end(struct query *q);
/* For statements without rows: step, then end. `*changed` (may be NULL) counts rows. */
MUST_USE enum err query_run(struct query *q, int64_t *changed);
/* For one row at most: true and standing on it, or false and ended with `*err`, ERR_NOT_FOUND for no row. */
bool query_one(struct query *q, enum err *err);
int64_t db_last_id(const struct db *d);

#endif
