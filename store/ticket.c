/* SPDX-License-Identifier: ISC */
#include "store/messages.h"

#include "store/ask.h"

#define REFUSED_MAX 100

struct get {
        int64_t id;
        struct str ticket;
        struct arena *arena;
        struct store_message *out;
};

static void read_message(struct query *q, struct arena *a, struct store_message *out)
{
        int64_t flags = query_get_i64(q, 4);
        *out = (struct store_message){.id = query_get_i64(q, 0),
                .list = query_get_i64(q, 1),
                .kind = (enum store_kind)query_get_i64(q, 2),
                .state = (enum store_state)query_get_i64(q, 3),
                .is_8bit = (flags & MESSAGE_8BIT) != 0,
                .is_smtputf8 = (flags & MESSAGE_SMTPUTF8) != 0,
                .received_ms = query_get_i64(q, 5),
                .prefix_size = (uint64_t)query_get_i64(q, 6),
                .front_size = (uint64_t)query_get_i64(q, 7),
                .body_size = (uint64_t)query_get_i64(q, 8)};
        out->probe = query_get_i64(q, 13);
        out->ticket = query_copy(q, 9, a);
        out->domain = query_copy(q, 10, a);
        out->sender = query_copy(q, 11, a);
        out->message_id = query_copy(q, 12, a);
}

static enum err take_message(struct query *q, struct get *get)
{
        enum err err;
        if (!query_one(q, &err))
                return err;
        read_message(q, get->arena, get->out);
        return query_end(q);
}

static enum err get_by_id(struct store *s, void *arg)
{
        struct get *get = arg;
        struct query q;
        query_init(&q, &s->db, SQL_MESSAGE_GET);
        query_i64(&q, 1, get->id);
        return take_message(&q, get);
}

static enum err get_by_ticket(struct store *s, void *arg)
{
        struct get *get = arg;
        struct query q;
        query_init(&q, &s->db, SQL_MESSAGE_TICKET);
        query_folded(&q, 1, get->ticket);
        return take_message(&q, get);
}

static enum err ask_message(struct store *s, request_fn *fn, struct get *get)
{
        enum err err = store_look(s, fn, get);
        if (err != ERR_OK)
                *get->out = (struct store_message){0};
        return err == ERR_LIMIT ? ERR_NOT_FOUND : err; /* longer than any ticket */
}

enum err store_message_get(struct store *s, int64_t id, struct arena *a, struct store_message *out)
{
        struct get get = {.id = id, .arena = a, .out = out};
        return ask_message(s, get_by_id, &get);
}

enum err store_ticket_find(struct store *s, struct str ticket, struct arena *a, struct store_message *out)
{
        struct get get = {.ticket = ticket, .arena = a, .out = out};
        return ask_message(s, get_by_ticket, &get);
}

struct open {
        enum sql statement;
        int64_t after;
        size_t cap, count;
        int64_t *ids;
};

static enum err open_tickets(struct store *s, void *arg)
{
        struct open *o = arg;
        struct query q;
        query_init(&q, &s->db, o->statement);
        query_i64(&q, 1, o->after);
        query_i64(&q, 2, (int64_t)o->cap);
        o->count = 0;
        while (query_row(&q))
                o->ids[o->count++] = query_get_i64(&q, 0);
        return query_end(&q);
}

enum err store_tickets_open(
        struct store *s, enum store_kind kind, int64_t after, size_t cap, int64_t *ids, size_t *count)
{
        struct open o = {kind == STORE_POST ? SQL_POSTS_OPEN : SQL_FORWARDS_OPEN, after, cap, 0, ids};
        enum err err = store_look(s, open_tickets, &o);
        *count = err == ERR_OK ? o.count : 0;
        return err;
}

/* Signing. */

struct sign {
        int64_t id;
        struct str prefix;
        int64_t list;  /* 0: a forward */
        int64_t probe; /* of a forward: the member */
};

/* Open becomes signed, once. */
static enum err sign_row(struct store *s, struct sign *sign)
{
        struct query q;
        int64_t changed;
        query_init(&q, &s->db, SQL_MESSAGE_SIGN);
        query_i64(&q, 1, sign->id);
        query_blob(&q, 2, sign->prefix);
        enum err err = query_run(&q, &changed);
        if (err != ERR_OK)
                return err;
        query_init(&q, &s->db, SQL_MESSAGE_GET);
        query_i64(&q, 1, sign->id);
        if (!query_one(&q, &err))
                return err;
        sign->list = query_get_i64(&q, 2) == STORE_POST ? query_get_i64(&q, 1) : 0;
        sign->probe = query_get_i64(&q, 13);
        err = query_end(&q);
        return err == ERR_OK && changed == 0 ? ERR_EXISTS : err;
}

/* Who joined before now has an id up to the highest one. */
static enum err add_post(struct store *s, const struct sign *sign)
{
        struct query q;
        enum err err;
        query_init(&q, &s->db, SQL_MEMBER_LAST);
        query_i64(&q, 1, sign->list);
        if (!query_one(&q, &err))
                return err;
        int64_t bound = query_get_i64(&q, 0);
        err = query_end(&q);
        if (err != ERR_OK)
                return err;
        query_init(&q, &s->db, SQL_POST_ADD);
        query_i64(&q, 1, sign->id);
        query_i64(&q, 2, sign->list);
        query_i64(&q, 3, bound);
        query_i64(&q, 4, ++s->turn);
        return query_run(&q, NULL);
}

static enum err add_forward(struct store *s, const struct sign *sign)
{
        struct query q, add;
        int64_t now_ms = host_wall_ms(s->host);
        query_init(&q, &s->db, SQL_RECIPIENTS);
        query_i64(&q, 1, sign->id);
        while (query_row(&q)) {
                struct str address = query_get(&q, 0);
                query_init(&add, &s->db, SQL_DELIVERY_ADD);
                query_i64(&add, 1, sign->id);
                query_i64(&add, 2, sign->probe);
                query_text(&add, 3, address);
                query_folded(&add, 4, address_domain(address));
                query_i64(&add, 5, now_ms);
                query_i64(
                        &add, 6, 0); /* due at once, whatever the clock does, or when it is no longer held */
                query_fail(&q, query_run(&add, NULL));
        }
        return query_end(&q);
}

enum err message_sign(struct store *s, int64_t message, struct str prefix)
{
        struct sign sign = {message, prefix, 0};
        enum err err = sign_row(s, &sign);
        if (err == ERR_OK)
                err = sign.list != 0 ? add_post(s, &sign) : add_forward(s, &sign);
        return err != ERR_OK ? err : message_finish(s, sign.id); /* a forward to nobody is done */
}

static enum err run_sign(struct store *s, void *arg)
{
        const struct sign *sign = arg;
        return message_sign(s, sign->id, sign->prefix);
}

enum err store_ticket_sign(struct store *s, int64_t id, struct str prefix)
{
        struct sign sign = {.id = id, .prefix = prefix};
        return store_ask(s, run_sign, &sign);
}

/* Trouble with it. */

struct trouble {
        int64_t id;
        unsigned code;
        struct str text;
};

static enum err run_trouble(struct store *s, void *arg)
{
        const struct trouble *t = arg;
        struct query q;
        query_init(&q, &s->db, SQL_TROUBLE_PUT);
        query_i64(&q, 1, t->id);
        query_i64(&q, 2, t->code);
        query_text(&q, 3, str_take(t->text, STORE_TROUBLE_MAX));
        return query_run(&q, NULL);
}

enum err store_trouble_put(struct store *s, int64_t id, unsigned code, struct str text)
{
        struct trouble t = {id, code, text};
        return store_ask(s, run_trouble, &t);
}

static enum err run_refused(struct store *s, void *arg)
{
        uint64_t *count = arg;
        struct query q;
        enum err err;
        query_init(&q, &s->db, SQL_TROUBLES_REFUSED);
        query_i64(&q, 1, REFUSED_MAX);
        if (!query_one(&q, &err))
                return err;
        *count = (uint64_t)query_get_i64(&q, 0);
        return query_end(&q);
}

enum err store_troubles_refused(struct store *s, uint64_t *count)
{
        *count = 0;
        return store_look(s, run_refused, count);
}

/* A post that moderators have decided on. */

/*   ERR_OK, ERR_NOT_FOUND: it does not wait */
static enum err decide(struct store *s, int64_t message, enum store_state state)
{
        struct query q;
        int64_t changed;
        query_init(&q, &s->db, SQL_MESSAGE_DECIDE);
        query_i64(&q, 1, message);
        query_i64(&q, 2, state);
        enum err err = query_run(&q, &changed);
        return err == ERR_OK && changed == 0 ? ERR_NOT_FOUND : err;
}

/* By way of signed, with nothing to deliver. */
enum err post_drop(struct store *s, int64_t message)
{
        enum err err = decide(s, message, STORE_SIGNED);
        return err != ERR_OK ? err : message_finish(s, message);
}

static enum err run_release(struct store *s, void *arg)
{
        return decide(s, *(const int64_t *)arg, STORE_OPEN);
}

static enum err run_post_drop(struct store *s, void *arg)
{
        return post_drop(s, *(const int64_t *)arg);
}

enum err store_post_release(struct store *s, int64_t id)
{
        return store_ask(s, run_release, &id);
}

enum err store_post_drop(struct store *s, int64_t id)
{
        return store_ask(s, run_post_drop, &id);
}

/* Done. */

static enum err free_extents(struct store *s, int64_t message)
{
        struct query q;
        query_init(&q, &s->db, SQL_EXTENTS);
        query_i64(&q, 1, message);
        while (query_row(&q)) {
                struct spool_extent e = extent_of(&q);
                query_fail(&q, freed_add(&s->freed, message, &e));
        }
        return query_end(&q);
}

static enum err drop_rows(struct store *s, enum sql sql, int64_t message)
{
        struct query q;
        query_init(&q, &s->db, sql);
        query_i64(&q, 1, message);
        return query_run(&q, NULL);
}

enum err message_finish(struct store *s, int64_t message)
{
        struct query q;
        int64_t changed;
        query_init(&q, &s->db, SQL_MESSAGE_FINISH);
        query_i64(&q, 1, message);
        enum err err = query_run(&q, &changed);
        if (err != ERR_OK || changed == 0)
                return err;
        err = free_extents(s, message);
        if (err == ERR_OK)
                err = drop_rows(s, SQL_EXTENTS_DROP, message);
        if (err == ERR_OK)
                err = drop_rows(s, SQL_SKIPS_DROP, message);
        return err != ERR_OK ? err : drop_rows(s, SQL_RECIPIENTS_DROP, message);
}

enum err message_finish_later(struct store *s, int64_t message)
{
        struct ended_list *ended = &s->ended;
        for (size_t i = 0; i < ended->count; i++)
                if (ended->messages[i] == message)
                        return ERR_OK;
        if (ended->count == ENDED_MAX)
                return message_finish(s, message);
        ended->messages[ended->count++] = message;
        return ERR_OK;
}

/* Also of those whose change was undone: nothing ends a message of which something is left. */
enum err messages_finish(struct store *s)
{
        enum err err = ERR_OK;
        for (; s->ended.count > 0 && err == ERR_OK; s->ended.count--)
                err = message_finish(s, s->ended.messages[s->ended.count - 1]);
        return err;
}

struct forget {
        int64_t before_ms;
        size_t limit, count;
};

static enum err forget_some(struct store *s, struct forget *f, enum sql find, enum sql drop)
{
        struct query q;
        query_init(&q, &s->db, find);
        query_i64(&q, 1, f->before_ms);
        query_i64(&q, 2, (int64_t)f->limit);
        while (query_row(&q)) {
                query_fail(&q, drop_rows(s, drop, query_get_i64(&q, 0)));
                f->count++;
        }
        return query_end(&q);
}

static enum err run_forget(struct store *s, void *arg)
{
        struct forget *f = arg;
        enum err err = forget_some(s, f, SQL_MESSAGES_FORGET, SQL_MESSAGE_DROP);
        return err != ERR_OK ? err : forget_some(s, f, SQL_FAILURES_FORGET, SQL_FAILURE_DROP);
}

enum err store_forget(struct store *s, int64_t before_ms, size_t limit, size_t *count)
{
        struct forget f = {before_ms, limit, 0};
        enum err err = store_ask(s, run_forget, &f);
        *count = err == ERR_OK ? f.count : 0;
        return err;
}
