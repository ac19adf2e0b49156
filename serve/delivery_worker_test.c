/* SPDX-License-Identifier: ISC */
/* What becomes of one delivery, and of the connection that it went over. */
#include "serve/mail_hosts.h"

#include "serve/delivery_pace.h"

/* ---- outcomes ---- */

/* What one final dot brought is on disk before the next: of n members that were taken, at most one row is left over. */
static struct smtp_reply count_rows(struct mail_host *m)
{
        struct store_waiting *rows;
        size_t left = waiting(m->world, &rows);
        if (m->taken + left > 5)
                m->world->is_in_order = false;
        return smtp_reply_of(250, 0, 0, S("kept"));
}

static void committed_before_the_next_dot_prepare(struct world *w)
{
        w->at[0].end = count_rows;
        w->is_in_order = true;
}

static void committed_before_the_next_dot(struct world *w)
{
        post(w, "h0.test", 5);
        run(w);
        WAIT_FOR(w, is_done(w));
        assert_int_equal(w->at[0].taken, 5);
        assert_int_equal(w->at[0].connections, 1);
        assert_true(w->is_in_order);
}
WORLD_CASE(committed_before_the_next_dot)

static struct smtp_reply greylist(struct mail_host *m, const struct smtp_path *to)
{
        (void)to;
        return m->rcpts <= 2 ? smtp_reply_of(450, 7, 1, S("not yet")) : smtp_reply_of(250, 1, 5, S("yes"));
}

static void greylisted_prepare(struct world *w)
{
        w->at[0].rcpt = greylist;
}

/* 450 is a deferral like any 4yz; the pause grows. */
static void greylisted(struct world *w)
{
        struct store_failure *failed;
        int64_t began = host_now_ms(w->h);
        post(w, "h0.test", 1);
        run(w);
        WAIT_FOR(w, is_done(w));
        assert_int_equal(w->at[0].rcpts, 3);
        assert_true(host_now_ms(w->h) - began >= (RETRY_MS + 2 * RETRY_MS) * 3 / 4);
        assert_int_equal(failures(w, &failed), 0);
}
WORLD_CASE(greylisted)

static struct smtp_reply refuse_first(struct mail_host *m, const struct smtp_path *to)
{
        (void)m;
        return str_eq(to->local, S("m0")) ? smtp_reply_of(550, 1, 1, S("nobody"))
                                          : smtp_reply_of(250, 1, 5, S("yes"));
}

static void refused_prepare(struct world *w)
{
        w->at[0].rcpt = refuse_first;
}

/* Lesson: one RCPT refused poisons the rest of the session. */
static void refused(struct world *w)
{
        struct store_failure *failed;
        post(w, "h0.test", 3);
        run(w);
        WAIT_FOR(w, is_done(w));
        assert_int_equal(w->at[0].taken, 2);
        assert_int_equal(w->at[0].connections, 1);
        assert_int_equal(failures(w, &failed), 1);
        assert_int_equal(failed[0].code, 550);
        assert_true(str_eq(failed[0].address, S("m0@h0.test")));
        assert_true(str_eq(failed[0].reply, S("550 5.1.1 nobody")));
}
WORLD_CASE(refused)

static void no_smtputf8_prepare(struct world *w)
{
        w->at[0].no_smtputf8 = true;
}

static void no_smtputf8(struct world *w)
{
        struct store_failure *failed;
        static const char *const domains[] = {"h0.test", "h1.test", NULL};
        post_to(w, domains, 1, true);
        run(w);
        WAIT_FOR(w, is_done(w));
        assert_int_equal(w->at[0].taken, 0);
        assert_int_equal(w->at[1].taken, 1);
        assert_int_equal(failures(w, &failed), 1);
        assert_true(str_has_prefix(failed[0].reply, S("550 5.6.7")));
}
WORLD_CASE(no_smtputf8)

static void null_mx_prepare(struct world *w)
{
        (void)w;
}

static void null_mx(struct world *w)
{
        struct store_failure *failed;
        post(w, "null.test", 2);
        run(w);
        WAIT_FOR(w, is_done(w));
        assert_int_equal(failures(w, &failed), 2);
        assert_int_equal(failed[0].code, 556);
}
WORLD_CASE(null_mx)

/* All mail goes to the relay, over the same connections, whatever the DNS says of its domains. */
static void relayed_prepare(struct world *w)
{
        (void)w;
}

static void relayed(struct world *w, struct str relay)
{
        static const char *const domains[] = {"h0.test", "null.test", "nowhere.test", NULL};
        w->node.relay = relay;
        post_to(w, domains, 2, false);
        run(w);
        WAIT_FOR(w, is_done(w));
        assert_int_equal(w->at[2].taken, 6);
        assert_int_equal(w->at[0].connections, 0);
        assert_true(w->at[2].connections < 4);
}

static void relayed_by_name(struct world *w)
{
        relayed(w, S("h2.test"));
}

static void relayed_by_address(struct world *w)
{
        relayed(w, S("[127.0.0.4]"));
}
#define relayed_by_name_prepare relayed_prepare
#define relayed_by_address_prepare relayed_prepare
WORLD_CASE(relayed_by_name)
WORLD_CASE(relayed_by_address)

/* ---- connections ---- */

/* 421 in the middle: the second message on a connection. */
static struct smtp_reply one_each(struct mail_host *m, const struct smtp_path *to)
{
        (void)to;
        return m->taken == m->connections ? smtp_reply_of(421, 7, 0, S("enough for one connection"))
                                          : smtp_reply_of(250, 1, 5, S("yes"));
}

static void enough_of_a_session_prepare(struct world *w)
{
        w->at[0].rcpt = one_each;
}

/* A server that takes one message a connection is given the next at once over another, and no try is counted. */
static void enough_of_a_session(struct world *w)
{
        w->node.retry_first_ms = 60000; /* a try that counts would come too late */
        post(w, "h0.test", 4);
        run(w);
        WAIT_FOR(w, is_done(w));
        assert_int_equal(w->at[0].taken, 4);
        assert_int_equal(w->at[0].connections, 4);
}
WORLD_CASE(enough_of_a_session)

static struct smtp_reply go_away(struct mail_host *m)
{
        return m->is_full ? smtp_reply_of(421, 3, 2, S("closing down")) : smtp_reply_plain(220, S("ready"));
}

static void closing_down_prepare(struct world *w)
{
        w->at[0].greet = go_away;
        w->at[0].is_full = true;
}

/* The whole destination failed: all that waits for it is deferred by one connection, and what comes then is not tried
 * in vain. Nothing is lost. */
static void closing_down(struct world *w)
{
        struct store_waiting *rows;
        struct store_failure *failed;
        w->node.retry_first_ms = 1500;
        post(w, "h0.test", 200);
        run(w);
        WAIT_FOR(w, tried(w, 1) == 200);
        assert_int_equal(w->at[0].connections, 1);
        assert_int_equal(waiting(w, &rows), 200);
        assert_true(str_eq(rows[0].reply, S("421 4.3.2 closing down")));
        w->at[0].is_full = false;
        WAIT_FOR(w, is_done(w));
        assert_int_equal(w->at[0].taken, 200);
        assert_int_equal(failures(w, &failed), 0);
}
WORLD_CASE(closing_down)

/* The first member of the post has been waited for since longer than any pause goes on. */
static void begin_long_ago(struct world *w)
{
        struct store_delivery *row;
        size_t n;
        int64_t long_ago = host_wall_ms(w->h) - DELIVERY_LIFE_MS - 60000;
        arena_reset(&w->rig->arena);
        assert_int_equal(store_post_fill(w->rig->s, long_ago, 1, &w->rig->arena, &row, &n), ERR_OK);
        assert_int_equal(n, 1);
        assert_int_equal(store_delivery_return(w->rig->s, row->id, 0), ERR_OK);
}

static void one_expires_prepare(struct world *w)
{
        closing_down_prepare(w);
}

/* One delivery has been tried for days, and ends when its destination fails once more. Those that wait behind it have just
 * begun: they are deferred, and arrive. */
static void one_expires(struct world *w)
{
        struct store_failure *failed;
        post(w, "h0.test", 20);
        begin_long_ago(w);
        w->node.retry_first_ms = 1500;
        run(w);
        WAIT_FOR(w, tried(w, 1) + failures(w, &failed) == 20);
        assert_int_equal(failures(w, &failed), 1);
        assert_true(str_eq(failed[0].address, S("m0@h0.test")));
        w->at[0].is_full = false;
        WAIT_FOR(w, is_done(w));
        assert_int_equal(w->at[0].taken, 19);
}
WORLD_CASE(one_expires)

static struct smtp_reply one_at_a_time(struct mail_host *m)
{
        return m->gate.open > 1 ? smtp_reply_of(421, 7, 0, S("one connection each"))
                                : smtp_reply_plain(220, S("ready"));
}

static struct smtp_reply take_time(struct mail_host *m)
{
        (void)(fiber_sleep(m->world->h->sched, 5) == ERR_OK);
        return smtp_reply_of(250, 0, 0, S("kept"));
}

static void one_connection_each_prepare(struct world *w)
{
        w->at[0].greet = one_at_a_time;
        w->at[0].end = take_time;
}

/* A host that refuses the second connection gets all over the first, and nothing is deferred. */
static void one_connection_each(struct world *w)
{
        w->node.retry_first_ms = 60000;
        post(w, "h0.test", 100);
        run(w);
        WAIT_FOR(w, is_done(w));
        assert_int_equal(w->at[0].taken, 100);
        assert_true(w->at[0].connections > 1 && w->at[0].connections < 10);
}
WORLD_CASE(one_connection_each)

static struct smtp_reply one_and_then_none(struct mail_host *m, const struct smtp_path *to)
{
        (void)to;
        return m->is_full ? smtp_reply_of(421, 7, 0, S("enough for one connection"))
                          : smtp_reply_of(250, 1, 5, S("yes"));
}

static struct smtp_reply be_full(struct mail_host *m)
{
        m->is_full = true;
        return smtp_reply_of(250, 0, 0, S("kept"));
}

static struct smtp_reply forget_it(struct mail_host *m)
{
        bool was_full = m->is_full;
        m->is_full = false;
        return was_full ? smtp_reply_of(421, 7, 0, S("too many connections"))
                        : smtp_reply_plain(220, S("ready"));
}

static void counts_the_last_one_prepare(struct world *w)
{
        w->at[0].rcpt = one_and_then_none;
        w->at[0].end = be_full;
        w->at[0].greet = forget_it;
}

/* A server (Exim) that has enough of a session, and for a moment has not forgotten it when the next one comes: no try is
 * counted, and nothing rests for minutes. */
static void counts_the_last_one(struct world *w)
{
        w->node.retry_first_ms = 60000;
        post(w, "h0.test", 2);
        run(w);
        WAIT_FOR(w, is_done(w));
        assert_int_equal(w->at[0].taken, 2);
        assert_int_equal(w->at[0].connections, 3);
}
WORLD_CASE(counts_the_last_one)

static struct smtp_reply dismiss_first(struct mail_host *m, const struct smtp_path *to)
{
        (void)m;
        return str_eq(to->local, S("m0")) ? smtp_reply_of(421, 3, 0, S("not that one"))
                                          : smtp_reply_of(250, 1, 5, S("yes"));
}

static void dismissed_for_one_prepare(struct world *w)
{
        w->at[0].rcpt = dismiss_first;
}

/* 421 to one recipient puts that one off: the others arrive, and none of them has been tried in vain. */
static void dismissed_for_one(struct world *w)
{
        struct store_waiting *rows;
        w->node.retry_first_ms = 60000;
        post(w, "h0.test", 20);
        run(w);
        WAIT_FOR(w, w->at[0].taken == 19);
        WAIT_FOR(w, waiting(w, &rows) == 1);
        assert_true(str_eq(rows[0].reply, S("421 4.3.0 not that one")));
        assert_int_equal(tried(w, 1), 1);
}
WORLD_CASE(dismissed_for_one)

static struct smtp_reply dismiss(struct mail_host *m, const struct smtp_path *to)
{
        (void)m;
        (void)to;
        return smtp_reply_of(421, 7, 0, S("too much of you"));
}

static void dismissed_for_all_prepare(struct world *w)
{
        w->at[0].rcpt = dismiss;
}

/* One that says 421 to everybody is not asked for each of them. */
static void dismissed_for_all(struct world *w)
{
        w->node.retry_first_ms = 60000;
        post(w, "h0.test", 20);
        run(w);
        WAIT_FOR(w, tried(w, 1) == 20);
        assert_in_range(w->at[0].rcpts, DELIVERY_PACE_DISMISSED, DELIVERY_PACE_DISMISSED + 1);
}
WORLD_CASE(dismissed_for_all)

static void went_stale_prepare(struct world *w)
{
        w->at[0].is_hasty = true;
        w->at[1].idle_ms = 300;
}

/* A reused connection that the other side closed, with or without a word, is opened anew without counting a try. */
static void went_stale(struct world *w)
{
        static const char *const domains[] = {"h0.test", "h1.test", NULL};
        w->node.retry_first_ms = 60000; /* a try that counts would come too late */
        post_to(w, domains, 3, false);
        run(w);
        WAIT_FOR(w, is_done(w));
        assert_int_equal(w->at[0].taken, 3);
        assert_int_equal(w->at[0].connections, 3);
        size_t before = w->at[1].connections; /* 1, unless a busy machine let it idle already */
        assert_true(before >= 1);
        /* the host hangs up on the idle connection while the worker still has it */
        assert_int_equal(fiber_sleep(w->h->sched, 800), ERR_OK);
        struct store_message m;
        assert_int_equal(store_message_get(w->rig->s, w->message, &w->rig->arena, &m), ERR_OK);
        w->message = put_post(w, m.list, "u", false);
        bell_ring(&w->node.delivery_bell);
        WAIT_FOR(w, is_done(w));
        assert_int_equal(w->at[1].taken, 6);
        assert_true(w->at[1].connections > before);
}
WORLD_CASE(went_stale)

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_committed_before_the_next_dot),
                cmocka_unit_test(test_greylisted),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_no_smtputf8),
                cmocka_unit_test(test_null_mx),
                cmocka_unit_test(test_relayed_by_name),
                cmocka_unit_test(test_relayed_by_address),
                cmocka_unit_test(test_enough_of_a_session),
                cmocka_unit_test(test_closing_down),
                cmocka_unit_test(test_one_expires),
                cmocka_unit_test(test_one_connection_each),
                cmocka_unit_test(test_counts_the_last_one),
                cmocka_unit_test(test_dismissed_for_one),
                cmocka_unit_test(test_dismissed_for_all),
                cmocka_unit_test(test_went_stale),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
