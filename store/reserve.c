/* SPDX-License-Identifier: ISC */
#include "store/ask.h"

#include "host/log.h"

#define RESERVE_PAGES 512                 /* fewer free pages than this: make more; one batch takes less */
#define RESERVE_BYTES (4ll * 1024 * 1024) /* a thousand pages, and as much in the log */
#define RESERVE_AGAIN_MS 1000

static enum err pages_free(struct store *s, int64_t *out)
{
        struct query q;
        enum err err;
        *out = 0;
        query_init(&q, &s->db, SQL_PAGES_FREE);
        if (!query_one(&q, &err))
                return err;
        *out = query_get_i64(&q, 0);
        return query_end(&q);
}

/* Write ballast and throw it off: its pages stay in the file, free, and the log keeps its length. */
static enum err ballast(struct store *s)
{
        struct query q;
        enum err err = db_checkpoint(&s->db, 0);
        if (err == ERR_OK)
                err = db_room(&s->db, RESERVE_BYTES);
        if (err != ERR_OK)
                return err;
        query_init(&q, &s->db, SQL_BALLAST_ADD);
        query_i64(&q, 1, RESERVE_BYTES);
        err = query_run(&q, NULL);
        if (err == ERR_OK)
                err = db_checkpoint(&s->db, 0);
        enum err drop = db_run(&s->db, SQL_BALLAST_DROP);
        if (drop == ERR_OK)
                drop = db_checkpoint(&s->db, 0);
        return err != ERR_OK ? err : drop;
}

static void note(struct store *s, bool is_tight)
{
        if (is_tight != s->is_tight) {
                struct log_line l;
                log_begin(&l, s->host, is_tight ? LOG_ERROR : LOG_INFO, "store",
                        is_tight ? "disk-full" : "disk-has-room");
                log_end(&l);
        }
        s->is_tight = is_tight;
        s->tight_until_ms = host_now_ms(s->host) + RESERVE_AGAIN_MS;
}

enum err reserve_keep(struct store *s)
{
        int64_t pages;
        enum err err = pages_free(s, &pages);
        if (err == ERR_OK && pages < RESERVE_PAGES) {
                if (s->is_tight && host_now_ms(s->host) < s->tight_until_ms)
                        return ERR_OK;
                err = ballast(s);
        }
        if (err != ERR_OK && err != ERR_FULL)
                return err;
        note(s, err == ERR_FULL);
        return ERR_OK;
}
