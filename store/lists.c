/* SPDX-License-Identifier: ISC */
#include "store/lists.h"

#include "store/ask.h"

/* Lists. */

static enum err read_settings(struct store *s, int64_t list, struct arena *a, struct store_list *out)
{
        struct query q;
        query_init(&q, &s->db, SQL_SETTINGS);
        query_i64(&q, 1, list);
        size_t count = query_count(&q);
        struct store_setting *settings = arena_alloc(a, count * sizeof *settings);
        if (settings == NULL)
                query_fail(&q, ERR_MEMORY);
        for (size_t i = 0; query_row(&q); i++) {
                settings[i].name = query_copy(&q, 0, a);
                settings[i].value = query_copy(&q, 1, a);
        }
        out->settings = settings;
        out->setting_count = count;
        return query_end(&q);
}

/* The row that `q` stands on. */
static void read_list(struct query *q, struct arena *a, struct store_list *out)
{
        *out = (struct store_list){.id = query_get_i64(q, 0)};
        out->name = query_copy(q, 1, a);
        out->domain = query_copy(q, 2, a);
}

static enum err take_list(struct store *s, struct query *q, struct arena *a, struct store_list *out)
{
        enum err err;
        if (!query_one(q, &err))
                return err;
        read_list(q, a, out);
        err = query_end(q);
        return err != ERR_OK ? err : read_settings(s, out->id, a, out);
}

struct find {
        struct str name, domain;
        int64_t id;
        struct arena *arena;
        struct store_list *out;
};

static enum err find_by_name(struct store *s, void *arg)
{
        struct find *f = arg;
        struct query q;
        query_init(&q, &s->db, SQL_LIST_FIND);
        query_folded(&q, 1, f->domain);
        query_folded(&q, 2, f->name);
        return take_list(s, &q, f->arena, f->out);
}

static enum err find_by_id(struct store *s, void *arg)
{
        struct find *f = arg;
        struct query q;
        query_init(&q, &s->db, SQL_LIST_GET);
        query_i64(&q, 1, f->id);
        return take_list(s, &q, f->arena, f->out);
}

static enum err find(struct store *s, request_fn *how, struct find *f)
{
        *f->out = (struct store_list){0};
        enum err err = store_look(s, how, f);
        if (err != ERR_OK)
                *f->out = (struct store_list){0};
        return err;
}

enum err store_list_find(
        struct store *s, struct str name, struct str domain, struct arena *a, struct store_list *out)
{
        struct find f = {.name = name, .domain = domain, .arena = a, .out = out};
        /* nothing that long was ever added */
        if (name.n > FOLDED_MAX || domain.n > FOLDED_MAX) {
                *out = (struct store_list){0};
                return ERR_NOT_FOUND;
        }
        return find(s, find_by_name, &f);
}

enum err store_list_get(struct store *s, int64_t id, struct arena *a, struct store_list *out)
{
        struct find f = {.id = id, .arena = a, .out = out};
        return find(s, find_by_id, &f);
}

struct str store_list_setting(const struct store_list *list, struct str name, struct str otherwise)
{
        for (size_t i = 0; i < list->setting_count; i++)
                if (str_eq(list->settings[i].name, name))
                        return list->settings[i].value;
        return otherwise;
}

struct all {
        struct str domain;
        struct arena *arena;
        void *out;
        size_t count;
};

static enum err all_lists(struct store *s, void *arg)
{
        struct all *all = arg;
        struct query q;
        query_init(&q, &s->db, SQL_LISTS);
        query_folded(&q, 1, all->domain);
        all->count = query_count(&q);
        struct store_list *lists = arena_alloc(all->arena, all->count * sizeof *lists);
        if (lists == NULL)
                query_fail(&q, ERR_MEMORY);
        for (size_t i = 0; query_row(&q); i++)
                read_list(&q, all->arena, &lists[i]);
        enum err err = query_end(&q);
        for (size_t i = 0; err == ERR_OK && i < all->count; i++)
                err = read_settings(s, lists[i].id, all->arena, &lists[i]);
        all->out = lists;
        return err;
}

enum err store_lists(
        struct store *s, struct str domain, struct arena *a, struct store_list **out, size_t *count)
{
        struct all all = {.domain = domain, .arena = a};
        enum err err = store_look(s, all_lists, &all);
        *out = err == ERR_OK ? all.out : NULL;
        *count = err == ERR_OK ? all.count : 0;
        return err;
}

/* All rows of a query of one text column. */
static enum err read_texts(struct query *q, struct arena *a, struct all *all)
{
        all->count = query_count(q);
        struct str *texts = arena_alloc(a, all->count * sizeof *texts);
        if (texts == NULL)
                query_fail(q, ERR_MEMORY);
        for (size_t i = 0; query_row(q); i++)
                texts[i] = query_copy(q, 0, a);
        all->out = texts;
        return query_end(q);
}

static enum err all_domains(struct store *s, void *arg)
{
        struct all *all = arg;
        struct query q;
        query_init(&q, &s->db, SQL_DOMAINS);
        return read_texts(&q, all->arena, all);
}

static enum err all_domain_moderators(struct store *s, void *arg)
{
        struct all *all = arg;
        struct query q;
        query_init(&q, &s->db, SQL_DOMAIN_MODERATORS);
        query_folded(&q, 1, all->domain);
        return read_texts(&q, all->arena, all);
}

static enum err ask_texts(struct store *s, request_fn *fn, struct all *all, struct str **out, size_t *count)
{
        enum err err = store_look(s, fn, all);
        *out = err == ERR_OK ? all->out : NULL;
        *count = err == ERR_OK ? all->count : 0;
        return err;
}

enum err store_domains(struct store *s, struct arena *a, struct str **out, size_t *count)
{
        struct all all = {.arena = a};
        return ask_texts(s, all_domains, &all, out, count);
}

enum err store_domain_moderators(
        struct store *s, struct str domain, struct arena *a, struct str **out, size_t *count)
{
        struct all all = {.domain = domain, .arena = a};
        return ask_texts(s, all_domain_moderators, &all, out, count);
}

struct moderators {
        int64_t list;
        struct all all;
};

static enum err all_moderators(struct store *s, void *arg)
{
        struct moderators *m = arg;
        struct query q;
        query_init(&q, &s->db, SQL_MODERATORS);
        query_i64(&q, 1, m->list);
        return read_texts(&q, m->all.arena, &m->all);
}

struct moderator_find {
        int64_t list;
        struct str address;
};

static enum err find_moderator(struct store *s, void *arg)
{
        const struct moderator_find *f = arg;
        struct query q;
        enum err err;
        query_init(&q, &s->db, SQL_MODERATOR_FIND);
        query_i64(&q, 1, f->list);
        query_folded(&q, 2, f->address);
        return query_one(&q, &err) ? query_end(&q) : err;
}

enum err store_moderator_find(struct store *s, int64_t list, struct str address)
{
        struct moderator_find f = {list, address};
        enum err err = store_look(s, find_moderator, &f);
        return err == ERR_LIMIT ? ERR_NOT_FOUND : err; /* longer than any address that was added */
}

enum err store_moderators(struct store *s, int64_t list, struct arena *a, struct str **out, size_t *count)
{
        struct moderators m = {.list = list, .all = {.arena = a}};
        enum err err = store_look(s, all_moderators, &m);
        *out = err == ERR_OK ? m.all.out : NULL;
        *count = err == ERR_OK ? m.all.count : 0;
        return err;
}
