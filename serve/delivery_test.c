/* SPDX-License-Identifier: ISC */
/* The queue as a whole: its pauses, its clock, one destination beside another, and its end. */
#include "serve/mail_hosts.h"

#include <time.h>

/* ---- places ---- */

static void idle_gives_way_prepare(struct world *w)
{
        w->at[0].greet = NULL;
}

/* Eight times as many destinations as there are places: a connection that waits for more mail to its own destination
 * does not keep the others waiting. It did, and a post to a thousand domains went out at fifty a second. */
static void idle_gives_way(struct world *w)
{
        enum { PLACES = 50, COUNT = 8 * PLACES };
        static char text[COUNT][24];
        const char *domains[COUNT + 1] = {NULL};
        for (unsigned i = 0; i < COUNT; i++) {
                (void)snprintf(text[i], sizeof text[i], "d%u.h%u.test", i, i % HOSTS);
                domains[i] = text[i];
        }
        w->node.delivery_workers = PLACES;
        post_to(w, domains, 1, false);
        int64_t start_ms = host_now_ms(w->h);
        run(w);
        WAIT_FOR(w, is_done(w));
        assert_in_range(host_now_ms(w->h) - start_ms, 0, 4 * DELIVERY_LINGER_MS);
}
WORLD_CASE(idle_gives_way)

/* ---- time ---- */

static struct smtp_reply never_yet(struct mail_host *m, const struct smtp_path *to)
{
        (void)m;
        (void)to;
        return smtp_reply_of(451, 7, 1, S("never"));
}

static void pauses_grow_prepare(struct world *w)
{
        w->at[0].rcpt = never_yet;
}

static void pauses_grow(struct world *w)
{
        struct store_waiting *rows;
        int64_t pause = RETRY_MS;
        post(w, "h0.test", 1);
        run(w);
        for (unsigned i = 1; i <= 4; i++, pause *= 2) {
                int64_t before = host_wall_ms(w->h);
                WAIT_FOR(w, tried(w, i) == 1);
                assert_int_equal(waiting(w, &rows), 1);
                assert_in_range(rows[0].next_ms, before + pause - pause / 4 - 5,
                        host_wall_ms(w->h) + pause + pause / 4 + 5);
        }
}
WORLD_CASE(pauses_grow)

static void gives_up_after_five_days_prepare(struct world *w)
{
        w->at[0].rcpt = never_yet;
}

/* Two rows that were first tried long ago: one a little under five days, one a little over. */
static void gives_up_after_five_days(struct world *w)
{
        static const int64_t ages[] = {DELIVERY_LIFE_MS - 3600000, DELIVERY_LIFE_MS + 3600000};
        struct store_delivery *rows;
        struct store_waiting *left;
        struct store_failure *failed;
        size_t n;
        post(w, "h0.test", 2);
        for (size_t i = 0; i < 2; i++) {
                int64_t then = host_wall_ms(w->h) - ages[i];
                assert_int_equal(store_post_fill(w->rig->s, then, 1, &w->rig->arena, &rows, &n), ERR_OK);
                assert_int_equal(n, 1);
                assert_int_equal(store_delivery_defer(w->rig->s, rows[0].id, then, S("451 never")), ERR_OK);
        }
        w->node.retry_first_ms = 60000;
        run(w);
        WAIT_FOR(w, failures(w, &failed) == 1);
        assert_true(str_eq(failed[0].address, S("m1@h0.test")));
        assert_true(str_eq(failed[0].reply, S("451 4.7.1 never")));
        WAIT_FOR(w, tried(w, 2) == 1);
        assert_int_equal(waiting(w, &left), 1);
        assert_true(str_eq(left[0].address, S("m0@h0.test")));
        assert_true(w->node.stats.failed == 1 && w->node.stats.deferred == 1 && w->node.stats.delivered == 0);
}
WORLD_CASE(gives_up_after_five_days)

static void clock_was_put_back_prepare(struct world *w)
{
        w->at[0].greet = NULL;
}

/* A row that is due in a day, though no pause is that long, was queued under a clock that was a day ahead. */
static void clock_was_put_back(struct world *w)
{
        struct store_delivery *rows;
        struct store_waiting *left;
        size_t n;
        int64_t day = 24LL * 60 * 60 * 1000, now = host_wall_ms(w->h);
        post(w, "h0.test", 1);
        assert_int_equal(store_post_fill(w->rig->s, now + day, 1, &w->rig->arena, &rows, &n), ERR_OK);
        assert_int_equal(store_delivery_defer(w->rig->s, rows[0].id, now + day, S("451 later")), ERR_OK);
        run(w);
        WAIT_FOR(w, waiting(w, &left) == 1 && left[0].next_ms < now + day);
        assert_in_range(left[0].next_ms, now, now + DELIVERY_RETRY_MOST_MS * 3LL / 2);
}
WORLD_CASE(clock_was_put_back)

static int64_t jump_ms;

static int64_t jumped_wall_ms(struct host *h)
{
        (void)h;
        struct timespec t;
        CHECK(clock_gettime(CLOCK_REALTIME, &t) == 0);
        return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000 + jump_ms;
}

static struct smtp_reply greylist_long(struct mail_host *m, const struct smtp_path *to)
{
        (void)to;
        return m->rcpts <= 20 ? smtp_reply_of(450, 7, 1, S("not yet")) : smtp_reply_of(250, 1, 5, S("yes"));
}

static void clock_jumps_prepare(struct world *w)
{
        w->at[0].rcpt = greylist_long;
}

/* While it runs, a wall clock that is set by a month neither stops what waits nor makes it due, nor old enough to be
 * given up. */
static void clock_jumps(struct world *w)
{
        static const int64_t months[] = {-30, 30};
        const struct host_ops *ops = w->h->ops;
        struct host_ops jumped = *ops;
        struct store_failure *failed;
        jumped.wall_ms = jumped_wall_ms;
        jump_ms = 0;
        w->h->ops = &jumped;
        w->node.retry_first_ms = 1000;
        post(w, "h0.test", 20);
        for (size_t i = 0; i < 2; i++) {
                w->at[0].rcpts = 0;
                jump_ms = 0;
                int64_t began = host_now_ms(w->h);
                run(w);
                WAIT_FOR(w, tried(w, 1) == 20);
                jump_ms = months[i] * 24 * 60 * 60 * 1000;
                WAIT_FOR(w, is_done(w));
                assert_true(host_now_ms(w->h) - began >= 750);
                assert_int_equal(w->at[0].rcpts, 40);
                halt(w);
                struct store_message m;
                assert_int_equal(store_message_get(w->rig->s, w->message, &w->rig->arena, &m), ERR_OK);
                if (i == 0)
                        w->message = put_post(w, m.list, "u", false);
        }
        assert_int_equal(failures(w, &failed), 0);
        run(w); /* what `stop` halts */
        w->h->ops = ops;
}
WORLD_CASE(clock_jumps)

/* ---- fairness and the end ---- */

static void mute_host_prepare(struct world *w)
{
        w->at[0].is_mute = true;
}

#define DEAD_POSTS 10

/* A host that takes connections and never speaks, for which more waits than fits into memory, holds up no other, and
 * gets one connection. What was taken into memory for it in vain counts as no try. */
static void mute_host(struct world *w)
{
        static const char *const domains[] = {"h1.test", NULL};
        assert_true(DELIVERY_JOBS_MAX < DEAD_POSTS * 500); /* else the loops below make too few */
        struct str first[500];
        char(*text)[32] = calloc(500, sizeof *text);
        int64_t list;
        assert_non_null(text);
        for (size_t i = 0; i < 500; i++) {
                (void)snprintf(text[i], sizeof text[i], "x%zu@h0.test", i);
                first[i] = str_of_c(text[i]);
        }
        struct store_list_new dead = {
                .name = S("dead"), .domain = S("example.org"), .members = first, .member_count = 500};
        assert_int_equal(store_list_add(w->rig->s, &dead, &list), ERR_OK);
        free(text);
        for (int i = 0; i < DEAD_POSTS; i++) {
                char ticket[8];
                (void)snprintf(ticket, sizeof ticket, "d%d", i);
                (void)put_post(w, list, ticket, false);
        }
        run(w);
        WAIT_FOR(w, w->at[0].connections > 0);
        assert_int_equal(fiber_sleep(w->h->sched, 300), ERR_OK); /* its jobs fill the memory */
        post_to(w, domains, 20, false);
        bell_ring(&w->node.delivery_bell);
        WAIT_FOR(w, is_done(w));
        assert_int_equal(w->at[1].taken, 20);
        assert_int_equal(w->at[0].connections, 1);
        w->message = 1;
        assert_int_equal(tried(w, 1), 0);
}
WORLD_CASE(mute_host)

static struct smtp_reply think(struct mail_host *m)
{
        m->is_full = true;
        (void)(fiber_sleep(m->world->h->sched, 300) == ERR_OK);
        return smtp_reply_of(250, 0, 0, S("kept"));
}

static void stopped_behind_the_dot_prepare(struct world *w)
{
        w->at[0].end = think;
}

/* Delivery ends while a host thinks about a message that it has: its word is waited for and kept, or the next start
 * would send a second copy. What had no turn waits in the store. */
static void stopped_behind_the_dot(struct world *w)
{
        struct store_waiting *rows;
        post(w, "h0.test", 4);
        run(w);
        WAIT_FOR(w, w->at[0].is_full);
        int64_t began = host_now_ms(w->h);
        halt(w);
        assert_true(host_now_ms(w->h) - began < 3000);
        assert_int_equal(w->at[0].taken, 1);
        assert_int_equal(waiting(w, &rows), 3);
        for (size_t i = 0; i < 3; i++)
                assert_true(!rows[i].in_flight && rows[i].attempts == 0);
        w->at[0].end = NULL;
        run(w);
        WAIT_FOR(w, is_done(w));
        assert_int_equal(w->at[0].taken, 4);
}
WORLD_CASE(stopped_behind_the_dot)

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_idle_gives_way),
                cmocka_unit_test(test_pauses_grow),
                cmocka_unit_test(test_gives_up_after_five_days),
                cmocka_unit_test(test_clock_was_put_back),
                cmocka_unit_test(test_clock_jumps),
                cmocka_unit_test(test_mute_host),
                cmocka_unit_test(test_stopped_behind_the_dot),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
