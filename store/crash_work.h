/* SPDX-License-Identifier: ISC */
/* For the test of power cuts: everything that a server and an operator do to a store, call by call. Of each call it is
 * noted at which operation of the disk it began and was answered, and what the store then held. */
#ifndef STORE_CRASH_WORK_H
#define STORE_CRASH_WORK_H

#include "store/crash_calls.h"

/* Moderation. */

static inline enum err work_hold_one(struct work *w, unsigned which, size_t size)
{
        char name[32];
        struct moderate *m = &w->held[which];
        *m = (struct moderate){.ticket = work_name(w, which ? "w" : "v", name),
                .list = w->list,
                .now_ms = 5000 + w->round,
                .is_accepted = which == 0};
        enum err err = work_bytes(w, m->ticket, size, &m->intake);
        if (err != ERR_OK)
                return err;
        err = store_intake_sync(m->intake);
        if (err == ERR_OK && store_together(w->s, moderate_in_vain, m) == ERR_IO)
                err = ERR_IO;
        if (err == ERR_OK)
                err = store_together(w->s, moderate_hold, m);
        store_intake_abort(m->intake);
        return err;
}

static inline enum err work_hold_small(struct work *w)
{
        return work_hold_one(w, 0, 900);
}

static inline enum err work_hold_large(struct work *w)
{
        return work_hold_one(w, 1, 100000);
}

static inline enum err work_accept(struct work *w)
{
        w->held[0].ticket = S("accepted");
        return store_together(w->s, moderate_decide, &w->held[0]);
}

static inline enum err work_reject(struct work *w)
{
        w->held[1].ticket = S("rejected");
        return store_together(w->s, moderate_decide, &w->held[1]);
}

/* The mail of the oldest notice. */
static inline enum err work_write_notice(struct work *w)
{
        static char memory[4096];
        char name[32];
        struct arena a;
        struct store_notice *n;
        size_t count;
        int64_t id;
        arena_init(&a, memory, sizeof memory);
        enum err err = store_notices(w->s, 0, 1, &a, &n, &count);
        if (err != ERR_OK)
                return err;
        assert_int_equal(count, 1);
        w->notice = n->id;
        err = work_take(w, work_name(w, "n", name), true, 800, &id);
        w->notice = 0;
        return err;
}

static inline enum err work_ban(struct work *w)
{
        const struct store_ban_new ban = {.list = w->list,
                .address = S("Troll@x.example"),
                .by = S("boss@example.org"),
                .now_ms = 1000,
                .until_ms = 6000};
        return store_ban_put(w->s, &ban);
}

static inline enum err work_expire(struct work *w)
{
        size_t count;
        return store_bans_expire(w->s, 6000, 5, &count);
}

static inline enum err work_forget_traces(struct work *w)
{
        size_t count;
        return store_trace_forget(w->s, 5001 + w->round, 2, &count);
}

/* A round; each line is one change. */
static const struct work_step {
        const char *name;
        enum err (*run)(struct work *w);
} work_steps[] = {
        {"open", work_reopen},
        {"add a list", work_list_add},
        {"put a long setting", work_setting_long},
        {"put a short setting", work_setting_short},
        {"add a moderator", work_moderator_add},
        {"add a member", work_member_add},
        {"take in a large message", work_take_large},
        {"add many members", work_roll_add},
        {"remove a member", work_member_remove},
        {"remove a moderator", work_moderator_remove},
        {"take in a small message", work_take_small},
        {"take in a middle message", work_take_middle},
        {"take in a forward", work_take_forward},
        {"sign the small message", work_sign_small},
        {"hand out members", work_fill},
        {"deliver", work_done},
        {"defer", work_defer},
        {"fail", work_fail},
        {"return", work_return},
        {"drop the large message", work_drop_large},
        {"sign the forward", work_sign_forward},
        {"hand out what is due", work_due},
        {"deliver what was due", work_done},
        {"defer what was due", work_defer},
        {"fail what was due", work_fail},
        {"several at once", work_group},
        {"hold a post", work_hold_small},
        {"ban", work_ban},
        {"hold a large post", work_hold_large},
        {"accept a post", work_accept},
        {"write a notice", work_write_notice},
        {"reject a post", work_reject},
        {"end bans", work_expire},
        {"forget traces", work_forget_traces},
        {"sign the middle message", work_sign_middle},
        {"hand out more members", work_fill_more},
        {"hold", work_hold},
        {"record a bounce", work_bounce},
        {"deliver one of more", work_done},
        {"return all", work_return_all},
        {"flush", work_flush},
        {"remove many members", work_roll_remove},
        {"hasten", work_hasten},
        {"drop the middle message", work_drop_middle},
        {"take a setting away", work_setting_away},
        {"forget", work_forget},
        {"close", work_end},
};

enum { WORK_STEPS = sizeof work_steps / sizeof work_steps[0] };

/* Playing it. */

static inline struct moment *work_moment(struct work *w)
{
        if (w->count == w->cap) {
                w->cap = w->cap > 0 ? w->cap * 2 : 64;
                w->moments = realloc(w->moments, w->cap * sizeof *w->moments);
                assert_non_null(w->moments);
        }
        struct moment *m = &w->moments[w->count++];
        *m = (struct moment){0};
        return m;
}

/* Nothing in the store changes by telling, and it is at rest afterwards. */
static inline void work_tell(struct work *w, struct moment *m)
{
        if (w->is_blind)
                return;
        unsigned pages = w->s != NULL ? w->s->db.wal_pages : 0;
        w->checkpoints += w->s != NULL && pages < w->log_pages;
        w->log_pages = pages;
        if (w->s != NULL)
                truth_tell(&m->truth, w->s, WORK_MESSAGES);
        else
                truth_add(&m->truth, "%s", w->moments[w->count - 2].truth.text);
}

static inline bool work_step(struct work *w, const char *name, enum err (*run)(struct work *w))
{
        uint64_t begin = w->machine.disk->operations;
        w->err = run(w);
        if (w->err != ERR_OK)
                return false;
        struct moment *m = work_moment(w);
        m->name = name;
        m->round = w->round;
        m->begin = begin;
        m->end = w->machine.disk->operations;
        m->is_group = run == work_group;
        m->is_open = w->s != NULL;
        memcpy(m->answered, w->answered, sizeof m->answered);
        work_tell(w, m);
        return true;
}

static inline void work_main(void *arg)
{
        struct work *w = arg;
        bool goes_on = work_step(w, "start", work_open);
        for (w->round = 0; goes_on && w->round < WORK_ROUNDS; w->round++)
                for (size_t i = 0; goes_on && i < WORK_STEPS; i++)
                        goes_on = work_step(w, work_steps[i].name, work_steps[i].run);
        if (!goes_on && w->s != NULL)
                assert_int_equal(work_setting_short(w), ERR_IO); /* a failure is final */
        if (w->s != NULL)
                (void)work_close(w);
}

static inline void work_free(struct work *w)
{
        for (size_t i = 0; i < w->count; i++)
                truth_free(&w->moments[i].truth);
        free(w->moments);
        w->moments = NULL;
        w->count = w->cap = 0;
}

#endif
