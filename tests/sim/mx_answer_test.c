/* SPDX-License-Identifier: ISC */
/* What a mail host answers by its temperament, and whether clients heed it. */
#include "tests/sim/mx_rig.h"

static void limits_a_minute(struct world *w)
{
        struct talk t;
        assert_int_equal(hello(w, &t), 250);
        assert_int_equal(deliver(w, &t, "bob@b.test"), 250);
        assert_int_equal(deliver(w, &t, "bob@b.test"), 250);
        assert_int_equal(deliver(w, &t, "bob@b.test"), 451);
        pass_ms(w, MINUTE_MS);
        assert_int_equal(deliver(w, &t, "bob@b.test"), 250);
        talk_quit(&t);
        nothing_is_wrong(w);
}

static void limits_connections(struct world *w)
{
        struct talk first, second, third;
        assert_int_equal(hello(w, &first), 250);
        assert_int_equal(hello(w, &second), 250);
        assert_int_equal(hello(w, &third), 421);
        talk_close(&third);
        talk_quit(&first);
        pass_ms(w, 1000);
        assert_int_equal(hello(w, &third), 250);
        assert_int_equal(deliver(w, &third, "bob@b.test"), 250);
        talk_quit(&third);
        talk_quit(&second);
        nothing_is_wrong(w);
}

static void tells_mailboxes_apart(struct world *w)
{
        struct talk t;
        assert_int_equal(hello(w, &t), 250);
        assert_int_equal(deliver(w, &t, "bob@b.test"), 552);
        assert_true(strstr(t.text, "5.2.2") != NULL);
        talk_quit(&t);
        assert_int_equal(deliver_alone(w, "cat@b.test"), 250);
}

static void blocks(struct world *w)
{
        struct talk t;
        assert_int_equal(hello(w, &t), 250);
        assert_int_equal(deliver(w, &t, "bob@b.test"), 550);
        assert_true(strstr(t.text, "5.7.1") != NULL);
        talk_quit(&t);
}

/* A client that comes again at once, however often it is put off. */
static void blames_a_hasty_client(struct world *w)
{
        struct talk t;
        for (unsigned i = 0; i < 2; i++) /* two letters wait for bob, and something else may */
                assert_int_equal(deliver_alone(w, "bob@b.test"), 450);
        assert_int_equal(hello(w, &t), 250);
        assert_int_equal(talk_ask(&t, "MAIL FROM:<%s>", RIG_PATH), 250);
        assert_int_equal(talk_ask(&t, "RCPT TO:<bob@b.test>"), 450);
        nothing_is_wrong(w);
        assert_int_equal(talk_ask(&t, "RCPT TO:<bob@b.test>"), 450);
        talk_quit(&t);
        is_blamed(w, "polite", "mail for bob@b.test off");
}

static void excuses_a_client_that_waits(struct world *w)
{
        for (unsigned i = 0; i < 5; i++) {
                pass_ms(w, 4 * MINUTE_MS + (int64_t)i * 500);
                assert_int_equal(deliver_alone(w, "bob@b.test"), 450);
        }
        nothing_is_wrong(w);
        mx_judge(w->mx);
        nothing_is_wrong(w);
}

/* Second tries after the same pause, for many. */
static void blames_a_clockwork(struct world *w)
{
        char to[30][24];
        for (unsigned round = 0; round < 2; round++) {
                for (unsigned i = 0; i < 30; i++) {
                        (void)snprintf(to[i], sizeof to[i], "bob+%u@b.test", i);
                        ledger_member(w->rig.ledger, w->rig.list, str_of_c(to[i]), LEDGER_IN);
                        assert_int_equal(deliver_alone(w, to[i]), 450);
                }
                nothing_is_wrong(w);
                pass_ms(w, 5 * MINUTE_MS);
        }
        mx_judge(w->mx);
        is_blamed(w, "polite", "no jitter");
}

static void blames_a_crowd(struct world *w)
{
        struct talk first, other;
        assert_int_equal(hello(w, &first), 250);
        for (unsigned i = 0; i < 9; i++) {
                assert_int_equal(hello(w, &other), 421);
                talk_close(&other);
        }
        nothing_is_wrong(w);
        for (unsigned i = 0; i < 9; i++) {
                assert_int_equal(hello(w, &other), 421);
                talk_close(&other);
        }
        is_blamed(w, "polite", "turned its client away");
        talk_quit(&first);
}

static const struct scene scenes[] = {
        {"limits a minute", limits_a_minute, "per-minute=2"},
        {"limits connections", limits_connections, "connections=2"},
        {"tells mailboxes apart", tells_mailboxes_apart, "full-users=bob refused-users=abe"},
        {"blocks", blocks, "blocks=yes"},
        {"blames a hasty client", blames_a_hasty_client, "greylist=1h"},
        {"excuses a client that waits", excuses_a_client_that_waits, "greylist=1h"},
        {"blames a clockwork", blames_a_clockwork, "greylist=1h"},
        {"blames a crowd", blames_a_crowd, "connections=1"},
};

static void test_scenes(void **state)
{
        (void)state;
        play_scenes(scenes, sizeof scenes / sizeof scenes[0]);
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_scenes)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
