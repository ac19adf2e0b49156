/* SPDX-License-Identifier: ISC */
#include "tests/sim/image.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "fat/check.h"
#include "store/delivery.h"
#include "store/lists.h"
#include "store/volume.h"
#include "tests/sim/world_inside.h"

#define PAGE 64 /* rows asked for at once */
#define SETTINGS_MAX 16
#define ROOM (256 * 1024)

/* ---- making ---- */

static void put_settings(const struct statement *t, struct store_setting *settings, size_t *count)
{
        static const char *const names[] = {"posting", "max-message", "subscription", "first-post", "who",
                "language", "from", "reply-to", "subject-prefix", "footer", "duplicates", "description"};
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
                struct str value;
                if (statement_has(t, names[i], &value))
                        settings[(*count)++] = (struct store_setting){str_of_c(names[i]), value};
        }
}

/* Gives how many; `*members` is the caller's to free, and the texts are in `room`. */
static size_t find_members(
        const struct scenario *s, struct str list, struct buffer *room, struct str **members)
{
        size_t count = 0, n = 0;
        for (size_t i = 0; i < s->count; i++) {
                const struct statement *m = &s->statements[i];
                if (m->verb != VERB_MEMBER || !str_eq(statement_argument(m, 0), list))
                        continue;
                for (size_t k = 0; k < statement_members(m); k++, count++) {
                        struct wr who;
                        wr_init(&who, buffer_room(room, SMTP_PATH_MAX), SMTP_PATH_MAX);
                        statement_member(m, k, &who);
                        wr_byte(&who, '\n');
                        room->n += wr_text(&who).n;
                }
        }
        struct str rest = buffer_text(room);
        *members = calloc(count + 1, sizeof **members);
        CHECK(*members);
        for (; n < count; n++)
                (void)str_cut(rest, '\n', &(*members)[n], &rest);
        return count;
}

static enum err add_list(
        struct store *store, const struct scenario *s, const struct statement *t, int64_t now_ms)
{
        struct store_setting settings[SETTINGS_MAX];
        struct store_list_new list = {.settings = settings, .now_ms = now_ms};
        struct str moderators[WORLD_MODERATORS_MAX],
                names = statement_text(t, "moderator", S(WORLD_MODERATOR));
        struct str *members;
        struct buffer room = {0};
        int64_t id;
        list.member_count = find_members(s, statement_argument(t, 0), &room, &members);
        (void)str_cut(statement_argument(t, 0), '@', &list.name, &list.domain);
        put_settings(t, settings, &list.setting_count);
        while (names.n > 0 && list.moderator_count < WORLD_MODERATORS_MAX)
                (void)str_cut(names, ',', &moderators[list.moderator_count++], &names);
        list.moderators = moderators;
        list.members = members;
        enum err e = store_list_add(store, &list, &id);
        free(members);
        buffer_free(&room);
        return e;
}

enum err image_make(struct host *h, const struct scenario *s)
{
        struct store *store;
        enum err e = store_create(h, S(IMAGE_NAME));
        if (e == ERR_OK)
                e = store_open_as(h, S(IMAGE_NAME), STORE_TOOL, NULL, &store);
        if (e != ERR_OK)
                return e;
        for (size_t i = 0; e == ERR_OK && i < s->count; i++)
                if (s->statements[i].verb == VERB_LIST)
                        e = add_list(store, s, &s->statements[i], host_wall_ms(h));
        store_close(store);
        return e;
}

/* ---- changing ---- */

static enum err change(struct host *h, struct store *store, struct str list, struct str email, bool joins)
{
        char memory[16 * 1024];
        struct arena arena;
        struct store_list found;
        struct str name, domain;
        int64_t id;
        arena_init(&arena, memory, sizeof memory);
        (void)str_cut(list, '@', &name, &domain);
        enum err e = store_list_find(store, name, domain, &arena, &found);
        if (e != ERR_OK)
                return e;
        e = joins ? store_member_add(store, found.id, email, host_wall_ms(h), &id)
                  : store_member_remove(store, found.id, email);
        return e == ERR_EXISTS || e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err image_change(struct host *h, struct str list, struct str email, bool joins)
{
        struct store *store;
        enum err e = store_open_as(h, S(IMAGE_NAME), STORE_TOOL, NULL, &store);
        if (e != ERR_OK)
                return e;
        e = change(h, store, list, email, joins);
        store_close(store);
        return e;
}

/* ---- looking ---- */

struct looking {
        const struct image_watch *watch;
        struct arena arena;
        char memory[ROOM];
};

static void volume_fault(void *ctx, enum fat_fault fault, struct str path, uint32_t number, bool is_repaired)
{
        struct looking *l = ctx;
        char text[256];
        (void)is_repaired;
        int n = snprintf(
                text, sizeof text, "volume: %.*s: %s (%u)", STR_ARG(path), fat_fault_text(fault), number);
        l->watch->fault(l->watch->ctx, str_of(text, n < (int)sizeof text ? (size_t)n : sizeof text - 1));
}

static void store_fault(void *ctx, struct str fault)
{
        struct looking *l = ctx;
        l->watch->fault(l->watch->ctx, fault);
}

static enum err look_at_volume(struct host *h, struct looking *l)
{
        struct volume v;
        struct fat_checked found;
        enum err e = volume_open(&v, h, S(IMAGE_NAME), VOLUME_REPAIR);
        if (e == ERR_OK) {
                size_t n = fat_check_memory(v.fat);
                struct fat_checker how = {
                        .report = volume_fault, .ctx = l, .memory = malloc(n), .memory_n = n};
                e = how.memory ? fat_check(v.fat, &how, &found) : ERR_MEMORY;
                free(how.memory);
        }
        enum err closed = volume_close(&v);
        return e != ERR_OK ? e : closed;
}

static enum err look_at_message(struct store *store, struct looking *l, const struct store_queued *m)
{
        struct store_waiting *rows;
        size_t count = PAGE;
        enum err e = ERR_OK;
        if (m->is_waiting)
                return ERR_OK; /* for moderators, and nobody was promised it */
        if (m->left > 0 || !m->is_signed)
                l->watch->queued(l->watch->ctx, m->message_id, S(""));
        for (int64_t after = 0; e == ERR_OK && count == PAGE;) {
                struct arena before = l->arena;
                e = store_queue_waiting(store, m->message, after, PAGE, &l->arena, &rows, &count);
                for (size_t i = 0; e == ERR_OK && i < count; i++) {
                        l->watch->queued(l->watch->ctx, m->message_id, rows[i].address);
                        after = rows[i].id;
                }
                l->arena = before;
        }
        return e;
}

static enum err look_at_queue(struct store *store, struct looking *l)
{
        struct store_queued *rows;
        size_t count = PAGE;
        enum err e = ERR_OK;
        for (int64_t after = 0; e == ERR_OK && count == PAGE;) {
                arena_reset(&l->arena);
                e = store_queue(store, after, PAGE, &l->arena, &rows, &count);
                for (size_t i = 0; e == ERR_OK && i < count; i++) {
                        after = rows[i].message;
                        e = look_at_message(store, l, &rows[i]);
                }
        }
        return e;
}

static enum err look_at_failures(struct store *store, struct looking *l)
{
        struct store_failure *rows;
        size_t count = PAGE;
        enum err e = ERR_OK;
        for (int64_t after = 0; e == ERR_OK && count == PAGE;) {
                arena_reset(&l->arena);
                e = store_failures(store, after, PAGE, &l->arena, &rows, &count);
                for (size_t i = 0; e == ERR_OK && i < count; i++) {
                        if (rows[i].message != 0) /* else it is a bounce, which belongs to none */
                                l->watch->failed(l->watch->ctx, rows[i].message_id, rows[i].address);
                        after = rows[i].id;
                }
        }
        return e;
}

static enum err look_at_members(struct store *store, struct looking *l, const struct store_list *list)
{
        char address[SMTP_PATH_MAX];
        struct store_member *rows;
        size_t count = PAGE;
        enum err e = ERR_OK;
        struct wr w;
        wr_init(&w, address, sizeof address);
        wr_str(&w, list->name);
        wr_byte(&w, '@');
        wr_str(&w, list->domain);
        for (int64_t after = 0; e == ERR_OK && count == PAGE;) {
                struct arena before = l->arena;
                e = store_members(store, list->id, after, PAGE, &l->arena, &rows, &count);
                for (size_t i = 0; e == ERR_OK && i < count; i++) {
                        l->watch->member(l->watch->ctx, wr_text(&w), rows[i].address);
                        after = rows[i].id;
                }
                l->arena = before;
        }
        return e;
}

static enum err look_at_lists(struct store *store, struct looking *l)
{
        struct store_list *lists;
        size_t count = 0;
        arena_reset(&l->arena);
        enum err e = store_lists(store, S(""), &l->arena, &lists, &count);
        for (size_t i = 0; e == ERR_OK && i < count; i++)
                e = look_at_members(store, l, &lists[i]);
        return e;
}

static enum err look_at_store(struct host *h, struct looking *l)
{
        struct store_checker how = {.report = store_fault, .ctx = l};
        struct store *store;
        uint64_t faults, left;
        enum err e = store_open_as(h, S(IMAGE_NAME), STORE_REPAIR, NULL, &store);
        if (e != ERR_OK)
                return e;
        e = store_check(store, &how, &faults, &left);
        if (e == ERR_OK)
                e = look_at_queue(store, l);
        if (e == ERR_OK)
                e = look_at_failures(store, l);
        if (e == ERR_OK)
                e = look_at_lists(store, l);
        store_close(store);
        return e;
}

enum err image_look(struct host *h, const struct image_watch *watch)
{
        struct looking *l = calloc(1, sizeof *l);
        if (!l)
                return ERR_MEMORY;
        l->watch = watch;
        arena_init(&l->arena, l->memory, sizeof l->memory);
        enum err e = look_at_volume(h, l);
        if (e == ERR_OK)
                e = look_at_store(h, l);
        free(l);
        return e;
}
