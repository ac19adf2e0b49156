/* SPDX-License-Identifier: ISC */
/* The operator's hand on a queue that is being delivered: what is in flight, what rests. */
#include "serve/mail_hosts.h"

static bool is_closed;

static struct smtp_reply closed_at_first(struct mail_host *m)
{
        (void)m;
        return is_closed ? smtp_reply_of(421, 3, 2, S("closed today")) : smtp_reply_plain(220, S("ready"));
}

/* A destination that failed as a whole rests for an hour; the operator knows that it is back. */
static void flush_ends_rests_prepare(struct world *w)
{
        is_closed = true;
        w->at[0].greet = closed_at_first;
}

static void flush_ends_rests(struct world *w)
{
        w->node.retry_first_ms = 60LL * 60 * 1000;
        post(w, "h0.test", 3);
        run(w);
        WAIT_FOR(w, tried(w, 1) == 3);
        is_closed = false;
        size_t connections = w->at[0].connections;
        assert_int_equal(store_queue_flush(w->rig->s, w->message), ERR_OK);
        bell_ring(&w->node.delivery_bell);
        WAIT_FOR(w, tried(w, 2) == 3); /* what was said before counts: nobody asked for the rest to end */
        assert_int_equal(w->at[0].connections, connections);
        lipap_queue_changed(&w->node);
        assert_int_equal(store_queue_flush(w->rig->s, w->message), ERR_OK);
        lipap_queue_changed(&w->node);
        WAIT_FOR(w, is_done(w));
        assert_int_equal(w->at[0].taken, 3);
        assert_false(w->node.has_flushed);
}
WORLD_CASE(flush_ends_rests)

static bool is_patient;

static struct smtp_reply slow_to_answer(struct mail_host *m, const struct smtp_path *to)
{
        (void)to;
        while (is_patient && fiber_sleep(m->world->h->sched, 10) == ERR_OK)
                ;
        return smtp_reply_of(451, 3, 0, S("not today"));
}

static bool is_in_flight(struct world *w)
{
        struct store_waiting *rows;
        return waiting(w, &rows) == 1 && rows[0].in_flight && w->at[0].rcpts == 1;
}

/* Dropped while a host thinks it over: its answer has no row to go to, and that is no trouble. */
static void drop_in_flight_prepare(struct world *w)
{
        is_patient = true;
        w->at[0].rcpt = slow_to_answer;
}

static void drop_in_flight(struct world *w)
{
        post(w, "h0.test", 1);
        run(w);
        WAIT_FOR(w, is_in_flight(w));
        assert_int_equal(store_queue_drop(w->rig->s, w->message), ERR_OK);
        assert_true(is_done(w));
        is_patient = false;
        WAIT_FOR(w, w->node.stats.deferred == 1);
        assert_int_equal(fiber_sleep(w->h->sched, 3 * RETRY_MS), ERR_OK);
        assert_int_equal(w->at[0].rcpts, 1); /* and never again */
        w->at[0].rcpt = NULL;
        w->message = put_post(w, 1, "later", false);
        bell_ring(&w->node.delivery_bell);
        WAIT_FOR(w, is_done(w)); /* others go their way */
}
WORLD_CASE(drop_in_flight)

/* Held while it is in flight: this try ends, and no other begins until it is flushed. */
static void hold_in_flight_prepare(struct world *w)
{
        is_patient = true;
        w->at[0].rcpt = slow_to_answer;
}

static void hold_in_flight(struct world *w)
{
        post(w, "h0.test", 1);
        run(w);
        WAIT_FOR(w, is_in_flight(w));
        assert_int_equal(store_queue_hold(w->rig->s, w->message), ERR_OK);
        is_patient = false;
        WAIT_FOR(w, tried(w, 1) == 1);
        assert_int_equal(fiber_sleep(w->h->sched, 4 * RETRY_MS), ERR_OK);
        assert_int_equal(w->at[0].rcpts, 1);
        w->at[0].rcpt = NULL;
        assert_int_equal(store_queue_flush(w->rig->s, w->message), ERR_OK);
        lipap_queue_changed(&w->node);
        WAIT_FOR(w, is_done(w));
}
WORLD_CASE(hold_in_flight)

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_flush_ends_rests),
                cmocka_unit_test(test_drop_in_flight),
                cmocka_unit_test(test_hold_in_flight),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
