/* SPDX-License-Identifier: ISC */
/* For tests: a list whose members fail, on a clock of the test's own. */
#ifndef SERVE_BOUNCE_SCENE_H
#define SERVE_BOUNCE_SCENE_H

#include "serve/list_world.h"

#include "serve/bounce_judge.h"
#include "store/delivery.h"
#include "store/judge.h"
#include "store/open_tickets.h"

#define DAY JUDGE_DAY_MS
#define REFUSED "550 5.1.1 no such user"

static int64_t clock_ms;

static inline int64_t told_ms(struct host *h)
{
        (void)h;
        return clock_ms;
}

struct scene {
        struct rig *rig;
        const struct host_ops *ops;
        struct host_ops told;
        int64_t list;
        unsigned posts;
};

/* A list with `members` mN@d.example, on 2024-10-04. */
static inline void scene_begin(struct scene *c, struct rig *r, size_t members)
{
        *c = (struct scene){.rig = r, .ops = r->host->ops, .told = *r->host->ops};
        c->told.wall_ms = told_ms;
        r->host->ops = &c->told;
        clock_ms = 20000 * DAY + DAY / 2;
        c->list = new_list(r, "judged", NULL);
        for (size_t i = 0; i < members; i++) {
                char address[40];
                int64_t id;
                (void)snprintf(address, sizeof address, "m%zu@D.example", i);
                assert_int_equal(
                        store_member_add(r->node.store, c->list, str_of_c(address), clock_ms, &id), ERR_OK);
        }
}

static inline void scene_end(struct scene *c)
{
        c->rig->host->ops = c->ops;
}

/* A post, signed: deliveries can be handed out. */
static inline int64_t new_post(struct scene *c)
{
        struct store_intake *intake;
        char ticket[16];
        int64_t id;
        (void)snprintf(ticket, sizeof ticket, "t%u", c->posts++);
        struct store_message_new m = {.ticket = str_of_c(ticket),
                .kind = STORE_POST,
                .list = c->list,
                .domain = S("mailingl.st"),
                .message_id = S("<x@y>"),
                .front = S("A: b\r\n"),
                .received_ms = clock_ms};
        assert_int_equal(store_intake_begin(c->rig->node.store, 10, &intake), ERR_OK);
        assert_int_equal(store_intake_write(intake, S("\r\nhello\r\n")), ERR_OK);
        assert_int_equal(store_intake_commit(intake, &m, &id), ERR_OK);
        assert_int_equal(store_ticket_sign(c->rig->node.store, id, S("P: q\r\n")), ERR_OK);
        return id;
}

/* All that is to be delivered now: those whose address begins with `bad` fail with `said`. */
static inline size_t deliver_all(struct scene *c, const char *bad, unsigned code, const char *said)
{
        struct lipap *node = &c->rig->node;
        struct store_delivery *rows;
        size_t count, failed = 0, due;
        arena_reset(&c->rig->arena);
        assert_int_equal(store_post_fill(node->store, clock_ms, 200, &c->rig->arena, &rows, &count), ERR_OK);
        for (size_t i = 0; i <= count; i++) {
                struct store_delivery *d = &rows[i];
                if (i == count) { /* and forwards */
                        assert_int_equal(
                                store_delivery_due(node->store, clock_ms, 1, &c->rig->arena, &d, &due),
                                ERR_OK);
                        if (due == 0)
                                break;
                        i--;
                }
                if (!str_has_prefix(d->address, str_of_c(bad))) {
                        assert_int_equal(
                                store_delivery_done(node->store, d->id, clock_ms, 250, S("250 ok")), ERR_OK);
                        bounce_judge_done(node, d->domain);
                        continue;
                }
                failed++;
                assert_int_equal(bounce_judge_failed(node, &(struct bounce_judge_delivery){.id = d->id,
                                                                   .message = d->message,
                                                                   .member = d->member,
                                                                   .code = code,
                                                                   .said = str_of_c(said)}),
                        ERR_OK);
        }
        return failed;
}

static inline size_t post_fails(struct scene *c, const char *bad, unsigned code, const char *said)
{
        (void)new_post(c);
        return deliver_all(c, bad, code, said);
}

/* How many notices of that kind wait. */
static inline size_t notices_of(struct scene *c, const char *kind)
{
        struct store_notice *list;
        size_t count, n = 0;
        arena_reset(&c->rig->arena);
        assert_int_equal(store_notices(c->rig->node.store, 0, 60, &c->rig->arena, &list, &count), ERR_OK);
        for (size_t i = 0; i < count; i++)
                n += str_eq(list[i].kind, str_of_c(kind));
        return n;
}

static inline void drop_notices(struct scene *c)
{
        struct store_notice *list;
        size_t count;
        arena_reset(&c->rig->arena);
        assert_int_equal(store_notices(c->rig->node.store, 0, 60, &c->rig->arena, &list, &count), ERR_OK);
        for (size_t i = 0; i < count; i++)
                assert_int_equal(store_notice_drop(c->rig->node.store, list[i].id), ERR_OK);
}

static inline struct store_score score_of_member(struct scene *c, const char *address)
{
        struct store_member m;
        struct store_score s;
        arena_reset(&c->rig->arena);
        assert_int_equal(
                store_member_find(c->rig->node.store, c->list, str_of_c(address), &c->rig->arena, &m),
                ERR_OK);
        assert_int_equal(store_score_get(c->rig->node.store, m.id, &c->rig->arena, &s), ERR_OK);
        return s;
}

/* Write what waits as mail, and have nec's copy back. Gives the newest message. */
static inline struct store_message send_notices(struct scene *c)
{
        int64_t ids[64];
        struct store_message m = {0};
        size_t count;
        run_mailer(c->rig);
        assert_int_equal(open_tickets(c->rig->node.store, 0, 64, ids, &count), ERR_OK);
        for (size_t i = 0; i < count; i++) {
                assert_int_equal(store_ticket_sign(c->rig->node.store, ids[i], S("")), ERR_OK);
                assert_int_equal(store_message_get(c->rig->node.store, ids[i], &c->rig->arena, &m), ERR_OK);
        }
        return m;
}

#endif
