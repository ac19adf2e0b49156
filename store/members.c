/* SPDX-License-Identifier: ISC */
#include "store/lists.h"

#include "store/ask.h"

/* One address of one list, as row. ERR_OK, ERR_EXISTS, ERR_NOT_FOUND. */

static enum err member_add(
        struct store *s, int64_t list, struct str address, int64_t now_ms, unsigned options)
{
        struct query q;
        query_init(&q, &s->db, SQL_MEMBER_ADD);
        query_i64(&q, 1, list);
        query_text(&q, 2, address);
        query_i64(&q, 3, now_ms);
        query_i64(&q, 4, options);
        if (address.n > FOLDED_MAX)
                query_fail(&q, ERR_LIMIT);
        return query_run(&q, NULL);
}

static enum err moderator_add(struct store *s, int64_t list, struct str address)
{
        struct query q;
        query_init(&q, &s->db, SQL_MODERATOR_ADD);
        query_i64(&q, 1, list);
        query_folded(&q, 2, address);
        query_text(&q, 3, address);
        return query_run(&q, NULL);
}

static enum err address_remove(struct store *s, enum sql sql, int64_t list, struct str address)
{
        struct query q;
        int64_t changed;
        query_init(&q, &s->db, sql);
        query_i64(&q, 1, list);
        query_folded(&q, 2, address);
        enum err err = query_run(&q, &changed);
        return err == ERR_OK && changed == 0 ? ERR_NOT_FOUND : err;
}

struct single {
        enum store_change what;
        int64_t list;
        struct str address;
        int64_t now_ms;
        unsigned options;
        int64_t id;
};

static enum err change(struct store *s, const struct single *c)
{
        switch (c->what) {
        case STORE_ADD_MEMBER:
                return member_add(s, c->list, c->address, c->now_ms, c->options);
        case STORE_REMOVE_MEMBER:
                return address_remove(s, SQL_MEMBER_REMOVE, c->list, c->address);
        case STORE_ADD_MODERATOR:
                return moderator_add(s, c->list, c->address);
        case STORE_REMOVE_MODERATOR:
                return address_remove(s, SQL_MODERATOR_REMOVE, c->list, c->address);
        }
        return ERR_UNSUPPORTED;
}

static enum err run_single(struct store *s, void *arg)
{
        struct single *c = arg;
        enum err err = change(s, c);
        c->id = db_last_id(&s->db);
        return err;
}

enum err store_member_add(struct store *s, int64_t list, struct str address, int64_t now_ms, int64_t *id)
{
        struct single c = {.what = STORE_ADD_MEMBER, .list = list, .address = address, .now_ms = now_ms};
        enum err err = store_ask(s, run_single, &c);
        *id = err == ERR_OK ? c.id : 0;
        return err;
}

enum err store_member_remove(struct store *s, int64_t list, struct str address)
{
        struct single c = {.what = STORE_REMOVE_MEMBER, .list = list, .address = address};
        return store_ask(s, run_single, &c);
}

enum err store_moderator_add(struct store *s, int64_t list, struct str address)
{
        struct single c = {.what = STORE_ADD_MODERATOR, .list = list, .address = address};
        return store_ask(s, run_single, &c);
}

enum err store_moderator_remove(struct store *s, int64_t list, struct str address)
{
        struct single c = {.what = STORE_REMOVE_MODERATOR, .list = list, .address = address};
        return store_ask(s, run_single, &c);
}

struct options {
        int64_t list;
        struct str address;
        unsigned clear, set;
};

static enum err run_options(struct store *s, void *arg)
{
        const struct options *o = arg;
        struct query q;
        int64_t changed;
        query_init(&q, &s->db, SQL_MEMBER_OPTIONS);
        query_i64(&q, 1, o->list);
        query_folded(&q, 2, o->address);
        query_i64(&q, 3, o->clear);
        query_i64(&q, 4, o->set);
        enum err err = query_run(&q, &changed);
        return err == ERR_LIMIT || (err == ERR_OK && changed == 0) ? ERR_NOT_FOUND : err;
}

enum err store_member_options(struct store *s, int64_t list, struct str address, unsigned clear, unsigned set)
{
        struct options o = {list, address, clear, set};
        return store_ask(s, run_options, &o);
}

static enum err list_exists(struct store *s, int64_t list)
{
        struct query q;
        enum err err;
        query_init(&q, &s->db, SQL_LIST_GET);
        query_i64(&q, 1, list);
        return query_one(&q, &err) ? query_end(&q) : err;
}

struct roll {
        const struct store_roll *roll;
        size_t changed;
};

static enum err roll_one(struct store *s, struct roll *r, int64_t list)
{
        enum err already = r->roll->change == STORE_ADD_MEMBER || r->roll->change == STORE_ADD_MODERATOR
                                   ? ERR_EXISTS
                                   : ERR_NOT_FOUND;
        enum err err = list_exists(s, list);
        for (size_t i = 0; i < r->roll->address_count && err == ERR_OK; i++) {
                struct single c = {
                        r->roll->change, list, r->roll->addresses[i], r->roll->now_ms, r->roll->options, 0};
                err = change(s, &c);
                if (err == already)
                        err = ERR_OK;
                else
                        r->changed++;
                if (r->roll->progress != NULL && i % 4096 == 0)
                        r->roll->progress(r->roll->ctx, i, r->roll->address_count);
        }
        return err;
}

static enum err run_roll(struct store *s, void *arg)
{
        struct roll *r = arg;
        enum err err = ERR_OK;
        for (size_t i = 0; i < r->roll->list_count && err == ERR_OK; i++)
                err = roll_one(s, r, r->roll->lists[i]);
        return err;
}

enum err store_roll_change(struct store *s, const struct store_roll *roll, size_t *changed)
{
        struct roll r = {.roll = roll};
        enum err err = store_ask(s, run_roll, &r);
        *changed = err == ERR_OK ? r.changed : 0;
        return err;
}

/* Settings. */

static enum err put_setting(struct store *s, int64_t list, struct str name, struct str value)
{
        struct query q;
        query_init(&q, &s->db, value.n > 0 ? SQL_SETTING_PUT : SQL_SETTING_DROP);
        query_i64(&q, 1, list);
        query_text(&q, 2, name);
        if (value.n > 0)
                query_text(&q, 3, value);
        return query_run(&q, NULL);
}

struct put {
        int64_t list;
        struct store_setting setting;
};

static enum err run_put(struct store *s, void *arg)
{
        struct put *p = arg;
        enum err err = list_exists(s, p->list);
        return err != ERR_OK ? err : put_setting(s, p->list, p->setting.name, p->setting.value);
}

enum err store_setting_put(struct store *s, int64_t list, struct str name, struct str value)
{
        struct put p = {list, {name, value}};
        return store_ask(s, run_put, &p);
}

/* A list, whole. */

struct list_add {
        const struct store_list_new *list;
        int64_t id;
};

static enum err run_list_add(struct store *s, void *arg)
{
        struct list_add *add = arg;
        const struct store_list_new *list = add->list;
        struct query q;
        query_init(&q, &s->db, SQL_LIST_ADD);
        query_folded(&q, 1, list->name);
        query_folded(&q, 2, list->domain);
        enum err err = query_run(&q, NULL);
        add->id = db_last_id(&s->db);
        for (size_t i = 0; i < list->setting_count && err == ERR_OK; i++)
                err = put_setting(s, add->id, list->settings[i].name, list->settings[i].value);
        struct store_roll moderators = {.change = STORE_ADD_MODERATOR,
                .lists = &add->id,
                .list_count = 1,
                .addresses = list->moderators,
                .address_count = list->moderator_count,
                .now_ms = list->now_ms};
        struct store_roll members = {.change = STORE_ADD_MEMBER,
                .lists = &add->id,
                .list_count = 1,
                .addresses = list->members,
                .address_count = list->member_count,
                .now_ms = list->now_ms};
        struct roll first = {&moderators, 0}, second = {&members, 0};
        if (err == ERR_OK)
                err = run_roll(s, &first);
        return err != ERR_OK ? err : run_roll(s, &second);
}

enum err store_list_add(struct store *s, const struct store_list_new *list, int64_t *id)
{
        struct list_add add = {list, 0};
        enum err err = store_ask(s, run_list_add, &add);
        *id = err == ERR_OK ? add.id : 0;
        return err;
}

/* Looking members up. */

struct look {
        int64_t list, id, after;
        struct str address;
        size_t limit, count;
        struct arena *arena;
        struct store_member *out;
};

static void read_member(struct query *q, struct arena *a, struct store_member *out)
{
        out->id = query_get_i64(q, 0);
        out->list = query_get_i64(q, 1);
        out->address = query_copy(q, 2, a);
        out->joined_ms = query_get_i64(q, 3);
        out->options = (unsigned)query_get_i64(q, 4);
}

static enum err take_member(struct query *q, struct look *look)
{
        enum err err;
        if (!query_one(q, &err))
                return err;
        read_member(q, look->arena, look->out);
        return query_end(q);
}

static enum err member_by_address(struct store *s, void *arg)
{
        struct look *look = arg;
        struct query q;
        query_init(&q, &s->db, SQL_MEMBER_FIND);
        query_i64(&q, 1, look->list);
        query_folded(&q, 2, look->address);
        return take_member(&q, look);
}

static enum err member_by_id(struct store *s, void *arg)
{
        struct look *look = arg;
        struct query q;
        query_init(&q, &s->db, SQL_MEMBER_GET);
        query_i64(&q, 1, look->id);
        return take_member(&q, look);
}

static enum err ask_member(struct store *s, request_fn *fn, struct look *look)
{
        enum err err = store_look(s, fn, look);
        if (err != ERR_OK)
                *look->out = (struct store_member){0};
        return err == ERR_LIMIT ? ERR_NOT_FOUND : err; /* longer than any address that was added */
}

enum err store_member_find(
        struct store *s, int64_t list, struct str address, struct arena *a, struct store_member *out)
{
        struct look look = {.list = list, .address = address, .arena = a, .out = out};
        return ask_member(s, member_by_address, &look);
}

enum err store_member_get(struct store *s, int64_t member, struct arena *a, struct store_member *out)
{
        struct look look = {.id = member, .arena = a, .out = out};
        return ask_member(s, member_by_id, &look);
}

static enum err members_page(struct store *s, void *arg)
{
        struct look *look = arg;
        struct query q;
        query_init(&q, &s->db, SQL_MEMBERS);
        query_i64(&q, 1, look->list);
        query_i64(&q, 2, look->after);
        query_i64(&q, 3, (int64_t)look->limit);
        look->count = query_count(&q);
        look->out = arena_alloc(look->arena, look->count * sizeof *look->out);
        if (look->out == NULL)
                query_fail(&q, ERR_MEMORY);
        for (size_t i = 0; query_row(&q); i++)
                read_member(&q, look->arena, &look->out[i]);
        return query_end(&q);
}

enum err store_members(struct store *s, int64_t list, int64_t after, size_t limit, struct arena *a,
        struct store_member **out, size_t *count)
{
        struct look look = {.list = list, .after = after, .limit = limit, .arena = a};
        enum err err = store_look(s, members_page, &look);
        *out = err == ERR_OK ? look.out : NULL;
        *count = err == ERR_OK ? look.count : 0;
        return err;
}

static enum err count_members(struct store *s, void *arg)
{
        struct look *look = arg;
        struct query q;
        enum err err;
        query_init(&q, &s->db, SQL_MEMBER_COUNT);
        query_i64(&q, 1, look->list);
        if (!query_one(&q, &err))
                return err;
        look->count = (size_t)query_get_i64(&q, 0);
        return query_end(&q);
}

enum err store_member_count(struct store *s, int64_t list, uint64_t *count)
{
        struct look look = {.list = list};
        enum err err = store_look(s, count_members, &look);
        *count = err == ERR_OK ? look.count : 0;
        return err;
}
