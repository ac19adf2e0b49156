/* SPDX-License-Identifier: ISC */
/* For tests and the fuzzer: a list in memory, of which facts are read and on which decisions are carried out, as a server
 * does it with its store. */
#ifndef LIST_DECIDE_WORLD_H
#define LIST_DECIDE_WORLD_H

#include <string.h>

#include "base/check.h"
#include "list/decide.h"

#define WORLD_PEOPLE 600 /* four mails, each naming as many as it may */
#define WORLD_REQUESTS 32
#define WORLD_DAY_MS (24LL * 60 * 60 * 1000)

struct world_person {
        char address[MAIL_ADDRESS_MAX + 1];
        bool is_member, is_moderator, is_banned;
        bool options[MEMBER_OPTIONS];
};

struct world_request {
        int64_t id; /* 0: ended */
        enum request_purpose purpose;
        char address[MAIL_ADDRESS_MAX + 1];
        char data[NOTICE_TEXT_MAX];
        size_t data_size;
        int64_t made_ms;
};

struct world {
        struct world_person people[WORLD_PEOPLE];
        size_t people_count;
        struct world_request requests[WORLD_REQUESTS];
        size_t request_count;                        /* ids are 1 to this */
        char values[SETTINGS][SETTING_TEXT_MAX + 1]; /* empty: the standard */
        int64_t now_ms;
        uint64_t crowd_of_domain, crowd_of_list, held; /* beside the requests that are here */
        struct decide_run run;
};

/* One mail. */
struct world_mail {
        enum route_kind route;
        struct str author;
        enum decide_proof proof;
        int64_t token; /* the request that it names */
        bool is_token_stale;
        struct str user; /* of NAME-remove-USER=DOMAIN */
        struct str subject, text;
};

/* Told of every decision before it is carried out. `command` is NULL for that of the end. */
typedef void world_watch(
        void *ctx, const struct command *command, const struct decide_facts *f, const struct decision *d);

static inline struct world_person *world_person(struct world *w, struct str address)
{
        for (size_t i = 0; i < w->people_count; i++)
                if (str_eq_nocase(str_of_c(w->people[i].address), address))
                        return &w->people[i];
        CHECK(w->people_count < WORLD_PEOPLE && address.n <= MAIL_ADDRESS_MAX);
        struct world_person *p = &w->people[w->people_count++];
        memcpy(p->address, address.p, address.n);
        p->options[OPTION_OWN_POSTS] = true;
        return p;
}

static inline struct decide_request world_request(const struct world_request *r)
{
        return (struct decide_request){.id = r->id,
                .purpose = r->purpose,
                .address = str_of_c(r->address),
                .data = str_of(r->data, r->data_size),
                .made_ms = r->made_ms};
}

static inline struct decide_request world_waiting(
        const struct world *w, enum request_purpose purpose, struct str address)
{
        for (size_t i = 0; i < w->request_count; i++)
                if (w->requests[i].id != 0 && w->requests[i].purpose == purpose &&
                        str_eq_nocase(str_of_c(w->requests[i].address), address))
                        return world_request(&w->requests[i]);
        return (struct decide_request){.id = 0};
}

static inline struct decide_person world_facts_of(struct world *w, struct str address)
{
        struct decide_person out = {.address = address};
        if (address.n == 0)
                return out;
        const struct world_person *p = world_person(w, address);
        out.is_member = p->is_member;
        out.is_moderator = p->is_moderator;
        out.is_banned = p->is_banned;
        memcpy(out.options, p->options, sizeof out.options);
        out.join_confirm = world_waiting(w, REQUEST_JOIN_CONFIRM, address);
        out.join_decide = world_waiting(w, REQUEST_JOIN_DECIDE, address);
        out.change_confirm = world_waiting(w, REQUEST_CHANGE_CONFIRM, address);
        return out;
}

static inline void world_facts(struct world *w, const struct world_mail *m,
        const struct decide_wanted *wanted, struct decide_facts *f)
{
        *f = (struct decide_facts){.now_ms = w->now_ms};
        setting_values_init(&f->settings);
        for (size_t i = 0; i < SETTINGS; i++)
                if (w->values[i][0] != '\0')
                        f->settings.v[i] = str_of_c(w->values[i]);
        f->proof = m->proof;
        f->message_id = S("m@a.example");
        f->is_token_fresh = !m->is_token_stale;
        if (m->token > 0 && (size_t)m->token <= w->request_count && w->requests[m->token - 1].id != 0)
                f->request = world_request(&w->requests[m->token - 1]);
        f->actor = world_facts_of(w, wanted->actor.n > 0 ? wanted->actor : m->author);
        f->target = world_facts_of(w, wanted->of_request ? f->request.address : wanted->target);
        f->waiting_of_domain = w->crowd_of_domain;
        f->waiting_of_list = w->crowd_of_list;
        f->held_of_author = w->held;
}

static inline int64_t world_add_request(
        struct world *w, enum request_purpose purpose, struct str address, struct str data)
{
        CHECK(w->request_count < WORLD_REQUESTS && data.n <= NOTICE_TEXT_MAX && address.n > 0);
        CHECK(purpose == REQUEST_POST || world_waiting(w, purpose, address).id == 0);
        struct world_request *r = &w->requests[w->request_count++];
        *r = (struct world_request){
                .id = (int64_t)w->request_count, .purpose = purpose, .made_ms = w->now_ms};
        memcpy(r->address, address.p, address.n);
        if (data.n > 0)
                memcpy(r->data, data.p, data.n);
        r->data_size = data.n;
        return r->id;
}

static inline void world_act(struct world *w, const struct decide_action *a)
{
        struct world_person *p =
                a->address.n > 0 && a->kind != DECIDE_TELL ? world_person(w, a->address) : NULL;
        switch (a->kind) {
        case DECIDE_ADD_MEMBER:
        case DECIDE_REMOVE_MEMBER:
                CHECK(p && p->is_member == (a->kind == DECIDE_REMOVE_MEMBER));
                p->is_member = a->kind == DECIDE_ADD_MEMBER;
                break;
        case DECIDE_SET_SETTING:
                memset(w->values[a->setting], 0, sizeof w->values[a->setting]);
                if (a->value.n > 0)
                        memcpy(w->values[a->setting], a->value.p, a->value.n);
                break;
        case DECIDE_SET_OPTION:
                CHECK(p && p->is_member);
                p->options[a->option] = a->on;
                break;
        case DECIDE_BAN:
        case DECIDE_UNBAN:
                CHECK(p && p->is_banned == (a->kind == DECIDE_UNBAN));
                p->is_banned = a->kind == DECIDE_BAN;
                break;
        case DECIDE_ADD_REQUEST:
                (void)world_add_request(w, a->purpose, a->address, a->data);
                break;
        case DECIDE_END_REQUEST:
                CHECK(a->request > 0 && w->requests[a->request - 1].id == a->request);
                w->requests[a->request - 1].id = 0;
                break;
        default: /* posts go out or away, mail is written: elsewhere */
                break;
        }
}

static inline void world_carry_out(struct world *w, const struct decision *d)
{
        for (size_t i = 0; i < d->count; i++)
                world_act(w, &d->actions[i]);
}

static inline const struct command *world_command(const struct decide_run *run)
{
        return run->at < run->commands.count ? &run->commands.list[run->at]
                                             : &run->confirmed.list[run->at - run->commands.count];
}

/* All of one mail; the last decision has the reply. */
static inline struct decide_reply world_mail(
        struct world *w, const struct world_mail *m, world_watch *watch, void *ctx)
{
        static struct decision d;
        struct decide_facts facts;
        struct decide_wanted wanted;
        char memory[MAIL_ADDRESS_MAX + 64];
        struct arena arena;
        arena_init(&arena, memory, sizeof memory);
        world_facts(w, m, &(struct decide_wanted){.actor = m->author}, &facts);
        struct command_input in = {.route = m->route,
                .token = m->user,
                .subject = m->subject,
                .text = m->text,
                .in_force = &facts.settings};
        CHECK(commands_read(&in, &arena, &w->run.commands) == ERR_OK);
        decide_begin(&w->run, m->route);
        while (decide_next(&w->run, &wanted)) {
                world_facts(w, m, &wanted, &facts);
                const struct command *command = world_command(&w->run);
                decide_step(&w->run, &facts, &d);
                watch(ctx, command, &facts, &d);
                world_carry_out(w, &d);
        }
        world_facts(w, m, &(struct decide_wanted){.actor = decide_actor(&w->run)}, &facts);
        decide_end(&w->run, &facts, &d);
        watch(ctx, NULL, &facts, &d);
        world_carry_out(w, &d);
        return d.reply;
}

#endif
