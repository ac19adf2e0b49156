/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "base/wr.h"
#include "store/ask.h"

struct checking {
        struct store *store;
        const struct store_checker *how;
        uint64_t faults, left;
        uint64_t done, all; /* extents */
};

static void fault(struct checking *c, struct str text, bool is_left)
{
        c->faults++;
        c->left += is_left;
        c->how->report(c->how->ctx, text);
}

static void progress(void *ctx, uint64_t done, uint64_t all)
{
        struct checking *c = ctx;
        if (c->how->progress != NULL)
                c->how->progress(c->how->ctx, done, all);
}

/* "message 7: WHAT" */
static void message_fault(struct checking *c, int64_t message, struct str what, bool is_left)
{
        char text[160];
        struct wr w;
        wr_init(&w, text, sizeof text);
        wr_str(&w, S("message "));
        wr_u64(&w, (uint64_t)message);
        wr_str(&w, S(": "));
        wr_str(&w, what);
        fault(c, wr_text(&w), is_left);
}

/* The database. */

static enum err run_integrity(struct checking *c, enum sql sql, uint64_t *found)
{
        struct query q;
        *found = 0;
        query_init(&q, &c->store->db, sql);
        while (query_row(&q)) {
                struct str line = query_get(&q, sql == SQL_INTEGRITY ? 0 : 1);
                if (sql == SQL_INTEGRITY && str_eq(line, S("ok")))
                        continue;
                ++*found;
                fault(c, sql == SQL_INTEGRITY ? line : S("a row refers to one that is missing"), true);
        }
        return query_end(&q);
}

static enum err check_database(struct checking *c)
{
        struct store *s = c->store;
        uint64_t damaged = 0, found = 0, orphans;
        enum err err = db_checkpoint_all(&s->db);
        if (err == ERR_OK)
                err = vfs_verify(s->vfs, progress, c, &damaged);
        if (damaged > 0)
                fault(c, S("pages of the database are damaged; restore it from a copy"), true);
        if (err == ERR_OK)
                err = run_integrity(c, SQL_INTEGRITY, &found);
        if (err == ERR_OK && found > 0 && damaged == 0 && c->how->repair) {
                uint64_t before = c->left - found;
                err = db_run(&s->db, SQL_REINDEX);
                c->left = before;
                if (err == ERR_OK)
                        err = run_integrity(c, SQL_INTEGRITY, &found);
        }
        if (err == ERR_OK)
                err = run_integrity(c, SQL_FOREIGN_KEYS, &orphans);
        if (err == ERR_CORRUPT) { /* what cannot even be walked through */
                fault(c, S("the database is damaged; restore it from a copy"), true);
                return ERR_OK;
        }
        return err;
}

/* The spool. */

static enum err check_sizes(struct checking *c)
{
        struct query q;
        query_init(&q, &c->store->db, SQL_SIZES_WRONG);
        while (query_row(&q))
                message_fault(c, query_get_i64(&q, 0), S("lacks bytes in the spool"), true);
        return query_end(&q);
}

/* A post and the request that it waits with live and end together. A request for one that has been decided on is worth
 * nothing; a post that nobody is asked about would wait for ever, and what is right for it only its reader can say. */
static enum err check_waiting(struct checking *c)
{
        struct query q;
        enum err err;
        query_init(&q, &c->store->db, SQL_WAITING_LOST);
        while (query_row(&q))
                message_fault(c, query_get_i64(&q, 0), S("waits for moderators, and nobody is asked"), true);
        err = query_end(&q);
        if (err != ERR_OK)
                return err;
        query_init(&q, &c->store->db, SQL_REQUESTS_LOST);
        while (query_row(&q))
                message_fault(c, query_get_i64(&q, 0), S("a request waits for it, and it does not wait"),
                        !c->how->repair);
        err = query_end(&q);
        return err == ERR_OK && c->how->repair ? db_run(&c->store->db, SQL_REQUESTS_MEND) : err;
}

static enum err check_extents(struct checking *c, char *room)
{
        struct query q;
        int64_t last = 0;
        query_init(&q, &c->store->db, SQL_ALL_EXTENTS);
        while (query_row(&q)) {
                struct spool_extent e = extent_of(&q);
                enum err err = spool_read(&c->store->spool, &e, room);
                if (err == ERR_CORRUPT && query_get_i64(&q, 4) != last)
                        message_fault(c, last = query_get_i64(&q, 4), S("its bytes in the spool are damaged"),
                                true);
                else if (err != ERR_CORRUPT)
                        query_fail(&q, err);
                if (c->done++ % 64 == 0)
                        progress(c, c->done, c->all);
        }
        return query_end(&q);
}

static enum err count_extents(struct checking *c)
{
        struct query q;
        enum err err;
        query_init(&q, &c->store->db, SQL_EXTENT_COUNT);
        if (!query_one(&q, &err))
                return err;
        c->all = (uint64_t)query_get_i64(&q, 0);
        return query_end(&q);
}

static enum err check_spool(struct checking *c)
{
        struct store *s = c->store;
        char *room = malloc(SPOOL_EXTENT_MAX);
        if (room == NULL)
                return ERR_MEMORY;
        if (s->bad_extents > 0)
                fault(c, S("spool space is missing or given to two messages"), s->user == STORE_CHECK);
        enum err err = count_extents(c);
        if (err == ERR_OK)
                err = check_sizes(c);
        if (err == ERR_OK)
                err = check_waiting(c);
        if (err == ERR_OK)
                err = check_extents(c, room);
        free(room);
        return err;
}

enum err store_check(struct store *s, const struct store_checker *how, uint64_t *faults, uint64_t *left)
{
        struct checking c = {.store = s, .how = how};
        enum err err = check_database(&c);
        if (err == ERR_OK)
                err = check_spool(&c);
        if (err == ERR_CORRUPT) {
                fault(&c, S("the database is damaged; restore it from a copy"), true);
                err = ERR_OK;
        }
        *faults = c.faults;
        *left = c.left;
        return err;
}
