/* SPDX-License-Identifier: ISC */
#include "serve/delivery_letter.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/check.h"
#include "store/lists.h"
#include "store/messages.h"

#define ROOM 8192 /* for the rows of a message and of a list */

static void drop(struct delivery_letters *all, struct delivery_letter *l)
{
        for (size_t i = 0; i < DELIVERY_LETTERS_MAX && l->is_listed; i++)
                if (all->at[i] == l)
                        all->at[i] = NULL;
        l->is_listed = false;
        all->bytes -= l->bytes.n;
        free((char *)(uintptr_t)l->bytes.p);
        l->bytes = S("");
}

/* Of those that nobody has, the one that was used longest ago; NULL: there is none. */
static struct delivery_letter *oldest(const struct delivery_letters *all, bool has_bytes)
{
        struct delivery_letter *found = NULL;
        for (size_t i = 0; i < DELIVERY_LETTERS_MAX; i++) {
                struct delivery_letter *l = all->at[i];
                bool fits = l && l->users == 0 && (!has_bytes || l->bytes.n > 0);
                if (fits && (!found || l->used < found->used))
                        found = l;
        }
        return found;
}

/* A place that is free, or made so; NULL: all are in use. */
static struct delivery_letter **place_for_one(struct delivery_letters *all)
{
        struct delivery_letter *victim = NULL, **free_place = NULL;
        for (size_t i = 0; i < DELIVERY_LETTERS_MAX && !free_place; i++)
                if (!all->at[i])
                        free_place = &all->at[i];
        if (free_place || !(victim = oldest(all, false)))
                return free_place;
        for (size_t i = 0; i < DELIVERY_LETTERS_MAX; i++)
                if (all->at[i] == victim)
                        free_place = &all->at[i];
        drop(all, victim);
        free(victim);
        return free_place;
}

static bool make_room(struct delivery_letters *all, size_t n)
{
        while (all->bytes + n > DELIVERY_LETTERS_BYTES_MAX) {
                struct delivery_letter *victim = oldest(all, true);
                if (!victim)
                        return false;
                drop(all, victim);
                free(victim);
        }
        return true;
}

/* ---- reading ---- */

static enum err read_rows(struct delivery_letter *l, struct lipap *node)
{
        char *memory = malloc(ROOM);
        struct arena arena;
        struct store_message m;
        struct store_list list;
        struct wr w;
        if (!memory)
                return ERR_MEMORY;
        arena_init(&arena, memory, ROOM);
        enum err e = store_message_get(node->store, l->message, &arena, &m);
        if (e == ERR_OK) {
                l->list = m.list;
                l->is_8bit = m.is_8bit;
                l->is_smtputf8 = m.is_smtputf8;
                l->is_probe = m.probe != 0;
                l->domain = lipap_domain_find(node, m.domain);
        }
        if (e == ERR_OK && m.list != 0)
                e = store_list_get(node->store, m.list, &arena, &list);
        if (e == ERR_OK && m.list != 0) {
                wr_init(&w, l->text, sizeof l->text);
                wr_str(&w, list.name);
                l->list_name = wr_text(&w);
                wr_str(&w, list.domain);
                l->list_domain = str_skip(wr_text(&w), l->list_name.n);
                e = wr_end(&w);
        }
        free(memory);
        return e;
}

/* Where the bytes are not kept, at least the end is looked at. */
static enum err read_end(struct delivery_letter *l, struct store_reader *reader)
{
        char end[2];
        size_t got = 0;
        enum err e = l->size < sizeof end
                             ? ERR_OK
                             : store_reader_read(reader, l->size - sizeof end, end, sizeof end, &got);
        l->ends_a_line = str_eq(str_of(end, got), S("\r\n"));
        return e;
}

static enum err read_bytes(
        struct delivery_letters *all, struct delivery_letter *l, struct store_reader *reader)
{
        char *bytes = NULL;
        size_t size = (size_t)l->size, got = 0;
        if (l->size <= DELIVERY_LETTER_MAX && make_room(all, size))
                bytes = malloc(size > 0 ? size : 1);
        if (!bytes)
                return read_end(l, reader);
        all->bytes += size; /* before anybody else may look for room */
        enum err e = store_reader_read(reader, 0, bytes, size, &got);
        l->bytes = str_of(bytes, size);
        l->ends_a_line = str_has_suffix_nocase(l->bytes, S("\r\n"));
        return e == ERR_OK && got < size ? ERR_CORRUPT : e;
}

static enum err load(struct delivery_letters *all, struct delivery_letter *l, struct lipap *node)
{
        struct store_reader *reader;
        enum err e = read_rows(l, node);
        if (e == ERR_OK)
                e = store_reader_open(node->store, l->message, STORE_WHOLE, &reader);
        if (e != ERR_OK)
                return e;
        l->size = store_reader_size(reader);
        e = read_bytes(all, l, reader);
        store_reader_close(reader);
        return e;
}

/* ---- who has one ---- */

static struct delivery_letter *find(struct delivery_letters *all, int64_t message)
{
        for (size_t i = 0; i < DELIVERY_LETTERS_MAX; i++)
                if (all->at[i] && all->at[i]->message == message)
                        return all->at[i];
        return NULL;
}

static enum err open_new(
        struct delivery_letters *all, struct lipap *node, int64_t message, struct delivery_letter **out)
{
        struct delivery_letter *l = calloc(1, sizeof *l), **place = place_for_one(all);
        if (!l)
                return ERR_MEMORY;
        l->message = message;
        l->users = 1;
        l->is_loading = true;
        l->is_listed = place != NULL;
        if (place)
                *place = l;
        enum err e = load(all, l, node);
        l->is_loading = false;
        bell_ring(&all->bell);
        if (e == ERR_OK) {
                *out = l;
                return ERR_OK;
        }
        drop(all, l); /* who waits for it tries it anew, and learns why */
        free(l);
        return e;
}

enum err delivery_letter_open(
        struct delivery_letters *all, struct lipap *node, int64_t message, struct delivery_letter **out)
{
        struct delivery_letter *l;
        enum err e = ERR_OK;
        *out = NULL;
        for (;;) {
                uint64_t rung = all->bell.rung;
                l = find(all, message);
                if (!l || !l->is_loading)
                        break;
                e = bell_wait(&all->bell, node->host->sched, rung, FIBER_NEVER);
                if (e != ERR_OK)
                        return e;
        }
        if (!l) {
                e = open_new(all, node, message, &l);
        } else {
                l->users++;
        }
        if (e == ERR_OK) {
                l->used = ++all->turn;
                *out = l;
        }
        return e;
}

void delivery_letter_close(struct delivery_letters *all, struct delivery_letter *l)
{
        if (!l)
                return;
        CHECK(l->users > 0);
        l->users--;
        if (l->users > 0 || l->is_listed)
                return;
        drop(all, l);
        free(l);
}

void delivery_letters_end(struct delivery_letters *all)
{
        for (size_t i = 0; i < DELIVERY_LETTERS_MAX; i++) {
                struct delivery_letter *l = all->at[i];
                if (!l)
                        continue;
                CHECK(l->users == 0);
                drop(all, l);
                free(l);
        }
}
