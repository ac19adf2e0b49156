/* SPDX-License-Identifier: ISC */
#include "store/ask.h"
#include "store/delivery.h"

struct bounce {
        int64_t member, now_ms;
        struct str said;
};

static enum err run_bounce(struct store *s, void *arg)
{
        const struct bounce *b = arg;
        struct query q;
        int64_t changed;
        query_init(&q, &s->db, SQL_FAILURE_BOUNCE);
        query_i64(&q, 1, b->member);
        query_i64(&q, 2, b->now_ms);
        query_text(&q, 3, b->said);
        query_i64(&q, 4, b->now_ms - STORE_BOUNCES_MS + 1);
        enum err err = query_run(&q, &changed);
        return err == ERR_OK && changed == 0 ? ERR_NOT_FOUND : err;
}

enum err store_failure_add(struct store *s, int64_t member, int64_t now_ms, struct str said)
{
        struct bounce b = {member, now_ms, str_take(said, STORE_REPLY_MAX)};
        return store_ask(s, run_bounce, &b);
}
