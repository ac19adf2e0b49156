/* SPDX-License-Identifier: ISC */
#include "tests/sim/book_inside.h"

struct book *book_new(struct ledger *ledger, void (*told)(void *ctx, uint32_t note), void *ctx)
{
        struct book *b = calloc(1, sizeof *b);
        CHECK(b);
        b->ledger = ledger;
        b->told = told;
        b->ctx = ctx;
        return b;
}

static void effects_free(struct book_effect *effects, size_t count)
{
        for (size_t i = 0; i < count; i++)
                str_free(effects[i].key);
}

void book_free(struct book *b)
{
        if (!b)
                return;
        for (size_t i = 0; i < b->ask_count; i++) {
                str_free(b->asks[i].from);
                effects_free(b->asks[i].effects, b->asks[i].count);
        }
        for (size_t i = 0; i < b->command_count; i++)
                effects_free(b->commands[i].effects, b->commands[i].count);
        for (size_t i = 0; i < b->matter_count; i++)
                str_free(b->matters[i].key);
        for (size_t i = 0; i < b->person_count; i++)
                str_free(b->people[i].address);
        for (size_t i = 0; i < b->note_count; i++) {
                str_free(b->notes[i].list);
                str_free(b->notes[i].to);
                str_free(b->notes[i].id);
                str_free(b->notes[i].bytes);
        }
        free(b->lists);
        free(b->asks);
        free(b->matters);
        free(b->commands);
        free(b->people);
        free(b->notes);
        free(b);
}

struct book_list *book_list_of(struct book *b, uint32_t list)
{
        while (b->list_count <= list) {
                b->lists = array_grow(b->lists, b->list_count, &b->list_cap, sizeof *b->lists);
                b->lists[b->list_count++] = (struct book_list){BOOK_MODERATED};
        }
        return &b->lists[list];
}

void book_setting(struct book *b, uint32_t list, struct str name, struct str value)
{
        static const char *const words[] = {"moderated", "confirm", "open", "closed"};
        if (str_eq(name, S("first-post")))
                ledger_list_first_post(b->ledger, list, str_eq(value, S("moderated")));
        for (int i = 0; str_eq(name, S("subscription")) && i < 4; i++)
                if (str_eq(value, str_of_c(words[i])))
                        book_list_of(b, list)->subscription = i;
}

/* Names may have hyphens: the longest list that fits. */
uint32_t book_route(const struct book *b, struct str address, struct str *word)
{
        uint32_t best = LEDGER_NONE;
        struct str local, domain;
        size_t longest = 0, at = str_find_last_byte(address, '@');
        local = str_take(address, at);
        domain = str_skip(address, at + 1);
        for (uint32_t i = 0; i < ledger_lists(b->ledger); i++) {
                struct str name, home;
                (void)str_cut(ledger_list_address(b->ledger, i), '@', &name, &home);
                if (ledger_list_kind(b->ledger, i) != LEDGER_LIST || !str_eq_nocase(home, domain) ||
                        !str_has_prefix_nocase(local, name) || name.n < longest ||
                        (local.n > name.n && local.p[name.n] != '-'))
                        continue;
                best = i;
                longest = name.n;
                *word = str_skip(local, name.n + 1);
        }
        return best;
}

struct book_person *book_person_of(struct book *b, uint32_t list, struct str address)
{
        for (size_t i = 0; i < b->person_count; i++)
                if (b->people[i].list == list && str_eq_nocase(b->people[i].address, address))
                        return &b->people[i];
        b->people = array_grow(b->people, b->person_count, &b->person_cap, sizeof *b->people);
        b->people[b->person_count] = (struct book_person){.list = list, .address = str_copy(address)};
        return &b->people[b->person_count++];
}

void book_owe(struct book *b, uint32_t list, struct str address, unsigned n)
{
        book_person_of(b, list, address)->owed += n;
}
