/* SPDX-License-Identifier: ISC */
#include "store/ask.h"
#include "store/rig.h"

static int64_t signed_post(struct rig *r, int64_t list, const char *ticket)
{
        int64_t id;
        assert_int_equal(rig_take(r, list, ticket, 1, 100, 100, &id), ERR_OK);
        assert_int_equal(store_ticket_sign(r->s, id, S("P: 1\r\n")), ERR_OK);
        return id;
}

/* A post that was received at that time, of no bytes. */
static void take_at(struct rig *r, int64_t list, const char *ticket, int64_t received_ms)
{
        struct store_intake *intake;
        int64_t id;
        const struct store_message_new m = {.ticket = str_of_c(ticket),
                .kind = STORE_POST,
                .list = list,
                .domain = S("example.org"),
                .received_ms = received_ms};
        assert_int_equal(store_intake_begin(r->s, 0, &intake), ERR_OK);
        assert_int_equal(store_intake_commit(intake, &m, &id), ERR_OK);
}

static enum store_state state_of(struct rig *r, int64_t id)
{
        struct store_message m;
        assert_int_equal(store_message_get(r->s, id, &r->arena, &m), ERR_OK);
        return m.state;
}

static size_t fill(struct rig *r, size_t limit, struct store_delivery **d)
{
        size_t n;
        arena_reset(&r->arena);
        assert_int_equal(store_post_fill(r->s, 100, limit, &r->arena, d, &n), ERR_OK);
        return n;
}

static size_t due(struct rig *r, int64_t now_ms, size_t limit, struct store_delivery **d)
{
        size_t n;
        assert_int_equal(store_delivery_due(r->s, now_ms, limit, &r->arena, d, &n), ERR_OK);
        return n;
}

static int64_t next_due(struct rig *r)
{
        int64_t when;
        assert_int_equal(store_delivery_next_due(r->s, &when), ERR_OK);
        return when;
}

/* Each member once, in the right bounds; the last result ends the message. */
static void every_member_once(struct rig *r)
{
        rig_start(r);
        int64_t list = rig_list(r, "ptt", 100), id, late;
        struct store_delivery *d;
        bool seen[102] = {false};
        assert_int_equal(next_due(r), INT64_MAX);
        id = signed_post(r, list, "t");
        assert_int_equal(next_due(r), 0);
        assert_int_equal(store_member_add(r->s, list, S("late@x.example"), 1, &late), ERR_OK);
        size_t total = 0;
        for (size_t n; (n = fill(r, 7, &d)) > 0; total += n) {
                for (size_t i = 0; i < n; i++) {
                        assert_true(d[i].message == id && d[i].list == list && d[i].member > 0 &&
                                    d[i].member <= 100);
                        assert_false(seen[d[i].member]);
                        seen[d[i].member] = true;
                        assert_true(d[i].attempts == 0 && d[i].first_ms == 100);
                        assert_true(d[i].address.p[0] == 'M' &&
                                    d[i].domain.p[0] == 'd'); /* as written; lower case */
                        assert_int_equal(state_of(r, id), STORE_SIGNED);
                        assert_int_equal(store_delivery_done(r->s, d[i].id, 1, 250, S("250 ok")), ERR_OK);
                        assert_int_equal(
                                store_delivery_done(r->s, d[i].id, 1, 250, S("250 ok")), ERR_NOT_FOUND);
                }
        }
        assert_int_equal(total, 100);
        assert_int_equal(state_of(r, id), STORE_DONE);
        assert_int_equal(store_space(r->s).used, 0);
        assert_int_equal(next_due(r), INT64_MAX);
        rig_stop(r);
}

/* A small post does not wait behind a large one. */
static void fair_between_posts(struct rig *r)
{
        rig_start(r);
        int64_t big = rig_list(r, "big", 500), small = rig_list(r, "small", 5), a = signed_post(r, big, "a");
        int64_t b = signed_post(r, small, "b");
        struct store_delivery *d;
        size_t n = fill(r, 40, &d), of_b = 0;
        assert_int_equal(n, 40);
        for (size_t i = 0; i < n; i++)
                of_b += d[i].message == b;
        assert_int_equal(of_b, 5);
        assert_int_equal(state_of(r, a), STORE_SIGNED);
        rig_stop(r);

        rig_start(r); /* the cursor stands where it stood, and what was in flight waits again */
        assert_int_equal(due(r, 0, 100, &d), 40);
        assert_int_equal(due(r, INT64_MAX, 100, &d), 0);
        size_t rest = 0;
        while ((n = fill(r, 100, &d)) > 0)
                rest += n;
        assert_int_equal(rest, 500 - 35);
        rig_stop(r);
}

static void results(struct rig *r)
{
        rig_start(r);
        int64_t list = rig_list(r, "ptt", 3), id = signed_post(r, list, "t");
        struct store_delivery *d, *again;
        struct store_queued *queue;
        struct store_waiting *waiting;
        struct store_failure *failures;
        struct store_backlog backlog;
        static char long_reply[2000];
        size_t n;
        memset(long_reply, 'x', sizeof long_reply);
        assert_int_equal(fill(r, 2, &d), 2);
        assert_int_equal(store_queue(r->s, 0, 10, &r->arena, &queue, &n), ERR_OK);
        assert_true(n == 1 && queue[0].message == id && queue[0].left == 1 && queue[0].is_signed);
        assert_true(str_eq(queue[0].list_name, S("ptt")) && queue[0].size == 100);

        assert_int_equal(store_delivery_defer(r->s, d[0].id, 5000, S("450 4.2.0 later")), ERR_OK);
        assert_int_equal(store_delivery_defer(r->s, d[0].id, 9000, S("twice")), ERR_NOT_FOUND);
        assert_int_equal(store_delivery_fail(r->s, d[0].id, 1, 500, S("not in flight")), ERR_NOT_FOUND);
        assert_int_equal(store_delivery_return(r->s, d[1].id, 6000), ERR_OK);
        assert_int_equal(next_due(r), 0); /* the cursor */
        assert_int_equal(fill(r, 9, &again), 1);
        assert_int_equal(
                store_delivery_fail(r->s, again[0].id, 77, 550, str_of(long_reply, sizeof long_reply)),
                ERR_OK);
        assert_int_equal(next_due(r), 5000);
        assert_int_equal(due(r, 4999, 9, &again), 0);
        assert_int_equal(store_queue_waiting(r->s, id, 0, 9, &r->arena, &waiting, &n), ERR_OK);
        assert_true(n == 2 && waiting[0].attempts == 1 && waiting[1].attempts == 0);
        assert_int_equal(store_backlog(r->s, &backlog), ERR_OK);
        assert_true(backlog.open == 0 && backlog.messages == 1 && backlog.waiting == 2);
        assert_int_equal(backlog.oldest_ms, 5000);
        assert_true(str_eq(waiting[0].reply, S("450 4.2.0 later")) && !waiting[0].in_flight &&
                    waiting[0].next_ms == 5000);
        assert_int_equal(store_queue_waiting(r->s, id, waiting[0].id, 9, &r->arena, &waiting, &n), ERR_OK);
        assert_true(n == 1 && waiting[0].reply.n == 0);

        assert_int_equal(due(r, 5000, 9, &again), 1);
        assert_true(again[0].attempts == 1 && again[0].first_ms == 100 && again[0].message == id);
        assert_int_equal(next_due(r), 6000);
        assert_int_equal(store_delivery_done(r->s, again[0].id, 1, 250, S("250 ok")), ERR_OK);
        assert_int_equal(due(r, 1 << 20, 9, &again), 1);
        assert_int_equal(state_of(r, id), STORE_SIGNED);
        assert_int_equal(store_delivery_done(r->s, again[0].id, 1, 250, S("250 ok")), ERR_OK);
        assert_int_equal(state_of(r, id), STORE_DONE);

        assert_int_equal(store_failures(r->s, 0, 9, &r->arena, &failures, &n), ERR_OK);
        assert_true(
                n == 1 && failures[0].member == 3 && failures[0].code == 550 && failures[0].time_ms == 77);
        assert_true(failures[0].reply.n == STORE_REPLY_MAX && str_eq(failures[0].list_name, S("ptt")));
        assert_true(str_eq(failures[0].address, S("M2@D2.example")) && failures[0].message == id);
        assert_int_equal(store_queue(r->s, 0, 10, &r->arena, &queue, &n), ERR_OK);
        assert_int_equal(n, 0);
        assert_int_equal(store_backlog(r->s, &backlog), ERR_OK);
        assert_true(backlog.messages == 0 && backlog.waiting == 0 && backlog.oldest_ms == 0);
        rig_stop(r);
}

static void bounces(struct rig *r)
{
        rig_start(r);
        rig_list(r, "ptt", 3);
        struct store_failure *f;
        size_t n;
        assert_int_equal(store_failure_add(r->s, 2, 55, S("said")), ERR_OK);
        assert_int_equal(store_failure_add(r->s, 99, 55, S("nobody")), ERR_NOT_FOUND);
        assert_int_equal(store_failures(r->s, 0, 9, &r->arena, &f, &n), ERR_OK);
        assert_true(n == 1 && f[0].member == 2 && f[0].message == 0 && str_eq(f[0].reply, S("said")));
        assert_true(str_eq(f[0].address, S("M1@D1.example")) && f[0].time_ms == 55 && f[0].code == 0);
        rig_stop(r);
}

#define DAY (24LL * 60 * 60 * 1000)

/* Whoever has a return path can send to it without end: of a day there are no more than it got copies, and one. */
static void no_more_bounces_than_posts(struct rig *r)
{
        const int64_t day = 20000 * DAY;
        rig_start(r);
        int64_t list = rig_list(r, "ptt", 3), other = rig_list(r, "other", 1), id;
        assert_int_equal(store_failure_add(r->s, 2, day, S("said")), ERR_OK);
        assert_int_equal(store_failure_add(r->s, 2, day + 1, S("said")), ERR_NOT_FOUND);
        assert_int_equal(store_failure_add(r->s, 1, day + 1, S("said")), ERR_OK);
        assert_int_equal(store_failure_add(r->s, 2, day + DAY - 1, S("said")), ERR_NOT_FOUND);
        assert_int_equal(store_failure_add(r->s, 2, day + DAY, S("said")), ERR_OK);
        take_at(r, list, "a", day + DAY);
        take_at(r, list, "b", day + DAY);
        take_at(r, other, "c", day + DAY);
        assert_int_equal(store_failure_add(r->s, 2, day + DAY + 1, S("said")), ERR_OK);
        assert_int_equal(store_failure_add(r->s, 2, day + DAY + 2, S("said")), ERR_OK);
        assert_int_equal(store_failure_add(r->s, 2, day + DAY + 2, S("said")), ERR_NOT_FOUND);
        assert_int_equal(store_failure_add(r->s, 2, day - 9 * DAY, S("a clock set back")), ERR_OK);
        /* what a server refuses in SMTP is no bounce, and takes no bounce's place */
        id = signed_post(r, list, "d");
        struct store_delivery *d;
        assert_int_equal(fill(r, 10, &d), 3);
        assert_int_equal(store_delivery_fail(r->s, d[0].id, day + 9 * DAY, 550, S("550 no")), ERR_OK);
        assert_int_equal(d[0].message, id);
        assert_int_equal(store_failure_add(r->s, d[0].member, day + 9 * DAY, S("said")), ERR_OK);
        rig_stop(r);
}

/* The end of delivery, and a clock that was put back. */
static void all_at_once(struct rig *r)
{
        rig_start(r);
        int64_t list = rig_list(r, "ptt", 4);
        struct store_delivery *d;
        signed_post(r, list, "t");
        assert_int_equal(fill(r, 4, &d), 4);
        assert_int_equal(store_delivery_defer(r->s, d[0].id, 900, S("450 x")), ERR_OK);
        assert_int_equal(store_delivery_defer(r->s, d[1].id, 90000, S("450 x")), ERR_OK);
        assert_int_equal(store_delivery_return_all(r->s), ERR_OK);
        assert_int_equal(store_delivery_hasten(r->s, 1000), ERR_OK);
        assert_int_equal(due(r, 0, 9, &d), 2);
        assert_true(d[0].attempts == 0 && d[1].attempts == 0);
        assert_int_equal(due(r, 899, 9, &d), 0);
        assert_int_equal(due(r, 999, 9, &d), 1);
        assert_int_equal(due(r, 1000, 9, &d), 1);
        assert_int_equal(d[0].attempts, 1);
        rig_stop(r);
}

/* Members who leave while their post waits: the cursor does not stumble, the message ends. */
static void leaving_members(struct rig *r)
{
        rig_start(r);
        int64_t list = rig_list(r, "ptt", 20), id = signed_post(r, list, "t");
        struct store_delivery *d;
        assert_int_equal(fill(r, 5, &d), 5);
        for (size_t i = 0; i < 5; i++)
                assert_int_equal(store_delivery_done(r->s, d[i].id, 1, 250, S("250 ok")), ERR_OK);
        for (int i = 0; i < 20; i++) {
                char address[48];
                (void)snprintf(address, sizeof address, "m%d@d%d.example", i, i % 7);
                assert_int_equal(store_member_remove(r->s, list, str_of_c(address)), ERR_OK);
        }
        assert_int_equal(state_of(r, id), STORE_SIGNED);
        assert_int_equal(fill(r, 5, &d), 0);
        assert_int_equal(state_of(r, id), STORE_DONE);
        rig_stop(r);
}

/* Many fibers at once: all get their own answer, one wrong one among them undoes nothing. */
struct worker {
        struct rig *r;
        int64_t delivery;
        enum err wanted;
        size_t *running;
};

static void work(void *arg)
{
        struct worker *w = arg;
        assert_int_equal(store_delivery_done(w->r->s, w->delivery, 1, 250, S("250 ok")), w->wanted);
        --*w->running;
}

static void group_commit(struct rig *r)
{
        rig_start(r);
        enum { N = 300 };
        int64_t list = rig_list(r, "ptt", N), id = signed_post(r, list, "t");
        struct store_delivery *d;
        static struct worker workers[N + 30];
        size_t running = N + 30;
        struct scope scope;
        assert_int_equal(fill(r, N, &d), N);
        scope_open(&scope, r->h->sched, FIBER_NEVER);
        for (size_t i = 0; i < N + 30; i++) {
                bool is_wrong = i % 11 == 0;
                workers[i] = (struct worker){r, is_wrong ? 100000 : d[i - i / 11 - 1].id,
                        is_wrong ? ERR_NOT_FOUND : ERR_OK, &running};
                assert_int_equal(scope_spawn(&scope, "worker", work, &workers[i]), ERR_OK);
        }
        int64_t began_ms = host_now_ms(r->h);
        assert_int_equal(scope_join(&scope), ERR_OK);
        assert_true(host_now_ms(r->h) - began_ms < 5000);
        assert_int_equal(running, 0);
        assert_int_equal(state_of(r, id), STORE_DONE);
        assert_int_equal(r->s->results, N); /* also of those that ran again beside a wrong one */
        rig_stop(r);
}

/* The last results of more posts than one transaction notes. */
static void many_end_at_once(struct rig *r)
{
        enum { POSTS = ENDED_MAX + 5 };
        rig_start(r);
        int64_t list = rig_list(r, "ptt", 1), ids[POSTS];
        struct store_delivery *d;
        static struct worker workers[POSTS];
        size_t running = POSTS;
        struct scope scope;
        for (int i = 0; i < POSTS; i++) {
                char ticket[8];
                (void)snprintf(ticket, sizeof ticket, "t%d", i);
                ids[i] = signed_post(r, list, ticket);
        }
        assert_int_equal(fill(r, POSTS, &d), POSTS);
        scope_open(&scope, r->h->sched, FIBER_NEVER);
        for (size_t i = 0; i < POSTS; i++) {
                workers[i] = (struct worker){r, d[i].id, ERR_OK, &running};
                assert_int_equal(scope_spawn(&scope, "worker", work, &workers[i]), ERR_OK);
        }
        assert_int_equal(scope_join(&scope), ERR_OK);
        for (size_t i = 0; i < POSTS; i++)
                assert_int_equal(state_of(r, ids[i]), STORE_DONE);
        assert_int_equal(store_space(r->s).used, 0);
        rig_stop(r);
}

/* A cancelled fiber still gets the true answer, and a request that waits at the end is done. */
static void cancelled_worker(void *arg)
{
        struct worker *w = arg;
        assert_int_equal(fiber_sleep(w->r->h->sched, 60000), ERR_CANCELLED);
        assert_int_equal(store_delivery_done(w->r->s, w->delivery, 1, 250, S("250 ok")), ERR_OK);
        --*w->running;
}

static void asked_while_cancelled(struct rig *r)
{
        rig_start(r);
        int64_t list = rig_list(r, "ptt", 2), id = signed_post(r, list, "t");
        struct store_delivery *d;
        struct worker workers[2];
        size_t running = 2;
        struct scope scope;
        assert_int_equal(fill(r, 2, &d), 2);
        scope_open(&scope, r->h->sched, FIBER_NEVER);
        for (size_t i = 0; i < 2; i++) {
                workers[i] = (struct worker){r, d[i].id, ERR_OK, &running};
                assert_int_equal(scope_spawn(&scope, "worker", cancelled_worker, &workers[i]), ERR_OK);
        }
        fiber_yield(r->h->sched);
        scope_cancel(&scope);
        scope_join(&scope);
        assert_int_equal(running, 0);
        assert_int_equal(state_of(r, id), STORE_DONE);
        scope_cancel(&r->scope);
        scope_join(&r->scope);
        assert_int_equal(store_delivery_done(r->s, 1, 1, 250, S("250 ok")), ERR_CLOSED);
        store_close(r->s);
}

RIG_CASE(every_member_once)
RIG_CASE(fair_between_posts)
RIG_CASE(results)
RIG_CASE(bounces)
RIG_CASE(no_more_bounces_than_posts)
RIG_CASE(leaving_members)
RIG_CASE(all_at_once)
RIG_CASE(group_commit)
RIG_CASE(many_end_at_once)
RIG_CASE(asked_while_cancelled)

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_every_member_once),
                cmocka_unit_test(test_fair_between_posts),
                cmocka_unit_test(test_results),
                cmocka_unit_test(test_bounces),
                cmocka_unit_test(test_no_more_bounces_than_posts),
                cmocka_unit_test(test_leaving_members),
                cmocka_unit_test(test_all_at_once),
                cmocka_unit_test(test_group_commit),
                cmocka_unit_test(test_many_end_at_once),
                cmocka_unit_test(test_asked_while_cancelled),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
