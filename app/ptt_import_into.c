/* SPDX-License-Identifier: ISC */
/* ptt import: what was gathered, into the list. */
#include <stdlib.h>

#include "app/ptt_import.h"
#include "base/ascii.h"

/* One person an address. */

static int compare_people(const void *a, const void *b)
{
        struct str x = ((const struct person *)a)->address, y = ((const struct person *)b)->address;
        for (size_t i = 0; i < x.n && i < y.n; i++) {
                int c = (unsigned char)ascii_lower(x.p[i]), d = (unsigned char)ascii_lower(y.p[i]);
                if (c != d)
                        return c - d;
        }
        return x.n < y.n ? -1 : x.n > y.n;
}

static void add_person(struct person *into, const struct person *from)
{
        if (!into->is_member && from->is_member)
                into->address = from->address;
        if (into->joined_ms == 0 || (from->joined_ms != 0 && from->joined_ms < into->joined_ms))
                into->joined_ms = from->joined_ms;
        into->options |= from->options;
        into->is_member = into->is_member || from->is_member;
        into->is_moderator = into->is_moderator || from->is_moderator;
        into->is_banned = into->is_banned || from->is_banned;
}

static void merge(struct gathered *g)
{
        size_t kept = 0;
        if (g->count > 0)
                qsort(g->people, g->count, sizeof *g->people, compare_people);
        for (size_t i = 0; i < g->count; i++) {
                if (kept > 0 && compare_people(&g->people[kept - 1], &g->people[i]) == 0)
                        add_person(&g->people[kept - 1], &g->people[i]);
                else
                        g->people[kept++] = g->people[i];
        }
        g->count = kept;
}

/* Into the list. */

struct change {
        struct gathered *gathered;
        struct ptt_progress progress;
        int64_t list, now_ms;
        struct str *addresses; /* room for all */
        size_t members, moderators;
};

/* Those who are members with these options and without a date, or moderators, as one change. */
static enum err roll(struct change *c, struct store *s, enum store_change what, unsigned options)
{
        const struct gathered *g = c->gathered;
        size_t count = 0, changed = 0;
        for (size_t i = 0; i < g->count; i++) {
                const struct person *p = &g->people[i];
                bool is_one = what == STORE_ADD_MODERATOR
                                      ? p->is_moderator
                                      : p->is_member && p->joined_ms == 0 && p->options == options;
                if (is_one)
                        c->addresses[count++] = p->address;
        }
        struct store_roll roll = {.change = what,
                .lists = &c->list,
                .list_count = 1,
                .addresses = c->addresses,
                .address_count = count,
                .now_ms = c->now_ms,
                .options = options,
                .progress = ptt_progress,
                .ctx = &c->progress};
        enum err err = count > 0 ? store_roll_change(s, &roll, &changed) : ERR_OK;
        *(what == STORE_ADD_MODERATOR ? &c->moderators : &c->members) += changed;
        return err;
}

static enum err add_with_date(struct change *c, struct store *s, const struct person *p)
{
        int64_t id;
        enum err err = store_member_add(s, c->list, p->address, p->joined_ms, &id);
        if (err == ERR_EXISTS)
                return ERR_OK;
        c->members += err == ERR_OK;
        return err == ERR_OK && p->options != 0 ? store_member_options(s, c->list, p->address, 0, p->options)
                                                : err;
}

static enum err add_people(struct change *c, struct store *s)
{
        const struct gathered *g = c->gathered;
        enum err err = roll(c, s, STORE_ADD_MODERATOR, 0);
        for (unsigned options = 0; err == ERR_OK && options <= (STORE_NOMAIL | STORE_NO_OWN); options++)
                err = roll(c, s, STORE_ADD_MEMBER, options);
        for (size_t i = 0; err == ERR_OK && i < g->count; i++) {
                const struct person *p = &g->people[i];
                struct store_ban_new ban = {c->list, p->address, S(""), c->now_ms, 0};
                if (p->is_member && p->joined_ms != 0)
                        err = add_with_date(c, s, p);
                if (err == ERR_OK && p->is_banned)
                        err = store_ban_put(s, &ban);
        }
        return err;
}

static enum err change_list(struct store *s, void *ctx)
{
        struct change *c = ctx;
        enum err err = ERR_OK;
        c->members = c->moderators = 0;
        for (size_t i = 0; err == ERR_OK && i < SETTINGS; i++)
                if (c->gathered->settings[i].n > 0)
                        err = store_setting_put(
                                s, c->list, str_of_c(settings[i].name), c->gathered->settings[i]);
        return err == ERR_OK ? add_people(c, s) : err;
}

static void tell(const struct change *c)
{
        const struct gathered *g = c->gathered;
        printf("%zu added, %zu already there\n", c->members, g->members - c->members);
        if (c->moderators > 0)
                printf("moderators added: %zu\n", c->moderators);
        for (size_t i = 0; i < SETTINGS; i++) {
                if (g->settings[i].n == 0)
                        continue;
                printf("%s: ", settings[i].name);
                ptt_text(stdout, g->settings[i]);
                printf("\n");
        }
        for (size_t i = 0; i < g->count; i++) {
                if (!g->people[i].is_banned)
                        continue;
                printf("banned: ");
                ptt_text(stdout, g->people[i].address);
                printf("\n");
        }
        for (size_t i = 0; i < g->left_count; i++) {
                printf("left out: ");
                ptt_text(stdout, g->left[i].name);
                printf("%s", g->left[i].text.n > 0 ? " " : "");
                ptt_text(stdout, str_take(g->left[i].text, 100));
                printf(": %s\n", g->left[i].why);
        }
}

int ptt_import_into(struct gathered *g, struct store *s, struct str name)
{
        merge(g);
        struct change c = {.gathered = g,
                .progress = {.what = "importing"},
                .now_ms = host_wall_ms(g->ptt->host),
                .addresses = malloc((g->count + 1) * sizeof *c.addresses)};
        struct store_list list;
        if (c.addresses == NULL)
                return ptt_say(1, "out of memory", S(""));
        int status = ptt_list(g->ptt, s, name, &list);
        if (status == 0) {
                c.list = list.id;
                enum err err = store_together(s, change_list, &c);
                ptt_progress_end(&c.progress);
                status = err == ERR_OK ? 0 : ptt_trouble(g->ptt, err);
        }
        if (status == 0)
                tell(&c);
        free(c.addresses);
        return status;
}
