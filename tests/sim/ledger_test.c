/* SPDX-License-Identifier: ISC */
/* What the ledger finds, and what it lets pass. */
#include "tests/sim/ledger_rig.h"

static void good(struct world *w)
{
        (void)post(w, 450);
        (void)post(w, 550);
        deliver_all(w, post(w, 250));
}

static void nobody_has_it(struct world *w)
{
        (void)post(w, 250);
}

static void one_lacks_it(struct world *w)
{
        deliver(w, post(w, 250), "bob@b.test", 250, LEDGER_QUIT);
}

static void one_lacks_it_and_failed(struct world *w)
{
        one_lacks_it(w);
        ledger_refusal(w->l, S("CAT@b.test"));
        ledger_failed(w->l, S("t0@author.test"), S("cat@b.test"));
}

static void one_lacks_it_and_waits(struct world *w)
{
        one_lacks_it(w);
        ledger_queued(w->l, S("<t0@author.test>"), S("cat@B.TEST"));
}

static void failed_without_refusal(struct world *w)
{
        one_lacks_it(w);
        ledger_failed(w->l, S("t0@author.test"), S("cat@b.test"));
}

static void failed_after_days(struct world *w)
{
        failed_without_refusal(w);
        w->now_ms += 4LL * 24 * 60 * 60 * 1000;
}

static void another_failed(struct world *w)
{
        one_lacks_it(w);
        ledger_refusal(w->l, S("bob@b.test"));
        ledger_failed(w->l, S("t0@author.test"), S("bob@b.test"));
        ledger_failed(w->l, S("t1@author.test"), S("cat@b.test"));
        ledger_failed(w->l, S(""), S("cat@b.test"));
        ledger_queued(w->l, S("t9999@author.test"), S(""));
}

static void all_waits(struct world *w)
{
        (void)post(w, 250);
        ledger_queued(w->l, S("t0@author.test"), S(""));
}

static void image_is_read_again(struct world *w)
{
        all_waits(w);
        ledger_failed(w->l, S("t0@author.test"), S("cat@b.test"));
        ledger_image_again(w->l);
}

/* A letter without Message-ID has none in the image either. */
static void bare_failed(struct world *w)
{
        uint32_t t = begin(w, LETTER_BARE);
        ledger_try_target(w->l, t, S("l@list.test"));
        ledger_try_dot(w->l, t);
        ledger_try_answer(w->l, t, 250);
        ledger_refusal(w->l, S("bob@b.test"));
        ledger_refusal(w->l, S("cat@b.test"));
        ledger_failed(w->l, S(""), S("bob@b.test"));
        ledger_failed(w->l, S(""), S("cat@b.test"));
}

static void no_answer_and_kept(struct world *w)
{
        deliver_all(w, post(w, 0));
}

static void no_answer_and_gone(struct world *w)
{
        (void)post(w, 0);
}

static void no_answer_and_half(struct world *w)
{
        deliver(w, post(w, 0), "bob@b.test", 250, LEDGER_QUIT);
}

static void joined_after(struct world *w)
{
        uint32_t t = post(w, 250);
        ledger_member(w->l, w->list, S("dan@b.test"), LEDGER_IN);
        deliver_all(w, t);
}

static void joined_meanwhile(struct world *w)
{
        uint32_t t = post(w, 250);
        ledger_member(w->l, w->list, S("dan@b.test"), LEDGER_MAYBE);
        deliver_all(w, t);
        deliver(w, t, "dan@b.test", 250, LEDGER_QUIT);
}

static void joined_before(struct world *w)
{
        ledger_member(w->l, w->list, S("dan@b.test"), LEDGER_IN);
        deliver_all(w, post(w, 250));
}

static void left_after(struct world *w)
{
        uint32_t t = post(w, 250);
        ledger_member(w->l, w->list, S("cat@b.test"), LEDGER_OUT);
        deliver(w, t, "bob@b.test", 250, LEDGER_QUIT);
}

static void left_after_and_has_it(struct world *w)
{
        left_after(w);
        deliver(w, 0, "cat@b.test", 250, LEDGER_QUIT);
}

static void left_before(struct world *w)
{
        ledger_member(w->l, w->list, S("cat@b.test"), LEDGER_OUT);
        deliver_all(w, post(w, 250));
}

static void left_and_came_back(struct world *w)
{
        uint32_t t = post(w, 250);
        ledger_member(w->l, w->list, S("cat@b.test"), LEDGER_OUT);
        ledger_member(w->l, w->list, S("cat@b.test"), LEDGER_IN);
        deliver(w, t, "bob@b.test", 250, LEDGER_QUIT);
}

static void refused_and_delivered(struct world *w)
{
        deliver(w, post(w, 554), "bob@b.test", 250, LEDGER_QUIT);
}

static void put_off_and_delivered(struct world *w)
{
        deliver(w, post(w, 451), "bob@b.test", 250, LEDGER_QUIT);
}

/* The copy is faster than the refusal. */
static void delivered_and_refused(struct world *w)
{
        uint32_t t = post(w, 0);
        deliver_all(w, t);
        ledger_try_answer(w->l, t, 554);
}

static void disk_fails(struct world *w)
{
        ledger_disk_fails(w->l);
        deliver_all(w, post(w, 451));
        (void)post(w, 451);
}

static void disk_fails_no_excuse(struct world *w)
{
        ledger_disk_fails(w->l);
        deliver(w, post(w, 554), "bob@b.test", 250, LEDGER_QUIT);
}

static void disk_failed_before(struct world *w)
{
        ledger_disk_fails(w->l);
        ledger_disk_mended(w->l);
        deliver(w, post(w, 451), "bob@b.test", 250, LEDGER_QUIT);
}

static void disk_failed_meanwhile(struct world *w)
{
        uint32_t t = post(w, 0);
        ledger_disk_fails(w->l);
        ledger_disk_mended(w->l);
        ledger_try_answer(w->l, t, 451);
        deliver_all(w, t);
}

static void unsent_and_delivered(struct world *w)
{
        uint32_t t = begin(w, LETTER_PLAIN);
        ledger_try_target(w->l, t, S("l@list.test"));
        deliver(w, t, "bob@b.test", 250, LEDGER_QUIT);
}

static void of_nobody(struct world *w)
{
        deliver(w, LEDGER_NONE, "bob@b.test", 250, LEDGER_QUIT);
}

static void to_a_stranger(struct world *w)
{
        uint32_t t = post(w, 250);
        deliver_all(w, t);
        deliver(w, t, "eve@evil.test", 250, LEDGER_QUIT);
}

static void through_another_list(struct world *w)
{
        uint32_t t = post(w, 250), c = ledger_connection(w->l, "mx1");
        deliver_all(w, t);
        ledger_copy(w->l, c, t, w->other, S("bob@b.test"));
}

static void through_no_list(struct world *w)
{
        uint32_t t = post(w, 250), c = ledger_connection(w->l, "mx1");
        deliver_all(w, t);
        ledger_copy(w->l, c, t, LEDGER_NONE, S("bob@b.test"));
}

static void both_lists(struct world *w)
{
        uint32_t t = begin(w, LETTER_PLAIN), c;
        ledger_try_target(w->l, t, S("l@list.test"));
        ledger_try_target(w->l, t, S("other@list.test"));
        ledger_try_target(w->l, t, S("l@list.test")); /* the same again */
        ledger_try_dot(w->l, t);
        ledger_try_answer(w->l, t, 250);
        deliver_all(w, t);
        c = ledger_connection(w->l, "mx1");
        ledger_connection_dot(w->l, c);
        ledger_copy(w->l, c, t, w->other, S("bob@b.test"));
        ledger_connection_end(w->l, c, LEDGER_QUIT);
}

static void one_of_both_lists(struct world *w)
{
        uint32_t t = begin(w, LETTER_PLAIN);
        ledger_try_target(w->l, t, S("l@list.test"));
        ledger_try_target(w->l, t, S("other@list.test"));
        ledger_try_dot(w->l, t);
        ledger_try_answer(w->l, t, 250);
        deliver_all(w, t);
}

static void leak(struct world *w)
{
        ledger_try_target(w->l, begin(w, LETTER_PLAIN), S("victim@stranger.test"));
}

static void malformed_is_taken(struct world *w)
{
        uint32_t t = begin(w, LETTER_SMUGGLE_LF);
        ledger_try_target(w->l, t, S("other@list.test"));
        ledger_try_dot(w->l, t);
        ledger_try_answer(w->l, t, 250);
        ledger_member(w->l, w->other, S("bob@b.test"), LEDGER_OUT);
}

static void malformed_comes_unanswered(struct world *w)
{
        uint32_t t = begin(w, LETTER_NUL);
        ledger_try_target(w->l, t, S("l@list.test"));
        ledger_try_dot(w->l, t);
        deliver(w, t, "bob@b.test", 250, LEDGER_QUIT);
        deliver(w, t, "cat@b.test", 250, LEDGER_QUIT);
}

/* Ann's letter to one of the lists is answered 550; she is no member of the other list, which takes nobody's. */
static void deny(struct world *w, bool takes, enum ledger_membership is, const char *list)
{
        if (takes)
                ledger_list_rule(w->l, w->list, LEDGER_MEMBERS, false);
        ledger_member(w->l, w->list, S("Ann@author.test"), LEDGER_IN);
        ledger_member(w->l, w->list, S("ann@author.test"), is);
        ledger_try_denied(w->l, begin(w, LETTER_PLAIN), str_of_c(list), 550);
}

static void denied(struct world *w)
{
        deny(w, true, LEDGER_IN, "l@list.test");
}

static void denied_rightly(struct world *w)
{
        deny(w, false, LEDGER_IN, "l@list.test");
        deny(w, true, LEDGER_OUT, "l@list.test");
        deny(w, true, LEDGER_MAYBE, "l@list.test");
        deny(w, true, LEDGER_IN, "other@list.test");
        deny(w, true, LEDGER_IN, "none@list.test");
}

static void role(struct world *w)
{
        uint32_t t = begin(w, LETTER_PLAIN), c = ledger_connection(w->l, "mx1");
        ledger_try_target(w->l, t, S("postmaster@list.test"));
        ledger_try_dot(w->l, t);
        ledger_try_answer(w->l, t, 250);
        ledger_connection_dot(w->l, c);
        ledger_copy(w->l, c, t, w->role, S("boss@b.test"));
}

static void role_lacks_it(struct world *w)
{
        uint32_t t = begin(w, LETTER_PLAIN);
        ledger_try_target(w->l, t, S("postmaster@list.test"));
        ledger_try_dot(w->l, t);
        ledger_try_answer(w->l, t, 250);
}

static const struct history histories[] = {
        {"good", good, ""},
        {"nobody has it", nobody_has_it, "lost lost ", true},
        {"one lacks it", one_lacks_it, "lost ", true},
        {"one lacks it and failed", one_lacks_it_and_failed, ""},
        {"one lacks it and waits", one_lacks_it_and_waits, ""},
        {"failed without refusal", failed_without_refusal, "failed "},
        {"failed after days", failed_after_days, ""},
        {"another failed", another_failed, "lost ", true},
        {"all waits", all_waits, ""},
        {"image is read again", image_is_read_again, "lost lost ", true},
        {"bare failed", bare_failed, ""},
        {"no answer and kept", no_answer_and_kept, ""},
        {"no answer and gone", no_answer_and_gone, ""},
        {"no answer and half", no_answer_and_half, "lost ", true},
        {"joined after", joined_after, ""},
        {"joined meanwhile", joined_meanwhile, ""},
        {"joined before", joined_before, "lost ", true},
        {"left after", left_after, ""},
        {"left after and has it", left_after_and_has_it, ""},
        {"left before", left_before, "relayed "},
        {"left and came back", left_and_came_back, ""},
        {"refused and delivered", refused_and_delivered, "invented "},
        {"put off and delivered", put_off_and_delivered, "invented "},
        {"delivered and refused", delivered_and_refused, "invented "},
        {"disk fails", disk_fails, ""},
        {"disk fails, no excuse", disk_fails_no_excuse, "invented "},
        {"disk failed before", disk_failed_before, "invented "},
        {"disk failed meanwhile", disk_failed_meanwhile, ""},
        {"unsent and delivered", unsent_and_delivered, "invented "},
        {"of nobody", of_nobody, "invented "},
        {"to a stranger", to_a_stranger, "relayed "},
        {"through another list", through_another_list, "invented "},
        {"through no list", through_no_list, "relayed "},
        {"both lists", both_lists, ""},
        {"one of both lists", one_of_both_lists, "lost ", true},
        {"leak", leak, "relayed "},
        {"malformed is taken", malformed_is_taken, "admitted "},
        {"malformed comes unanswered", malformed_comes_unanswered, "admitted admitted "},
        {"denied", denied, "refused "},
        {"denied rightly", denied_rightly, ""},
        {"role", role, ""},
        {"role lacks it", role_lacks_it, "lost ", true},
};

static void test_histories(void **state)
{
        (void)state;
        play_histories(histories, sizeof histories / sizeof histories[0]);
}

static void test_story(void **state)
{
        struct world w;
        (void)state;
        start(&w);
        one_lacks_it(&w);
        ledger_judge(w.l);
        const struct ledger_violation *v = ledger_violation(w.l, 0);
        assert_non_null(strstr(v->story, "post p1 (t0) answered 250 to author ann at 0.0"));
        assert_non_null(strstr(v->story, "never to member cat@b.test"));
        assert_null(ledger_violation(w.l, 1));
        for (unsigned i = 0; i < 2 * LEDGER_STORIES_MAX; i++)
                ledger_violate(w.l, "lost", "again %u", i);
        assert_int_equal(ledger_violations(w.l), 2 * LEDGER_STORIES_MAX + 1);
        assert_null(ledger_violation(w.l, LEDGER_STORIES_MAX));
        ledger_free(w.l);
}

/* Settled is found again and again as things change. */
static void test_settling(void **state)
{
        struct world w;
        (void)state;
        start(&w);
        assert_true(ledger_is_settled(w.l));
        uint32_t unknown = post(&w, 0), accepted = post(&w, 250);
        assert_false(ledger_is_settled(w.l));
        deliver_all(&w, accepted);
        assert_true(ledger_is_settled(w.l));
        deliver(&w, unknown, "bob@b.test", 250, LEDGER_QUIT);
        assert_false(ledger_is_settled(w.l));
        deliver(&w, unknown, "cat@b.test", 250, LEDGER_QUIT);
        assert_true(ledger_is_settled(w.l));
        assert_int_equal(ledger_count(w.l, S("p1"), S("")), 4);
        assert_int_equal(ledger_count(w.l, S("p1"), S("BOB@b.test")), 2);
        assert_int_equal(ledger_count(w.l, S("p2"), S("")), 0);
        assert_true(ledger_post_is_accepted(w.l, S("p1")));
        assert_false(ledger_post_is_accepted(w.l, S("p2")));
        struct ledger_sum sum = ledger_sum(w.l);
        assert_int_equal(sum.posts, 1);
        assert_int_equal(sum.tries, 2);
        assert_int_equal(sum.accepted, 1);
        assert_int_equal(sum.unknown, 1);
        assert_int_equal(sum.copies, 4);
        assert_int_equal(sum.connections, 4);
        ledger_free(w.l);
}

/* Many members: the table of names grows, and each is found. */
static void test_many_members(void **state)
{
        struct world w;
        char address[40];
        (void)state;
        start(&w);
        for (unsigned i = 0; i < 5000; i++) {
                (void)snprintf(address, sizeof address, "member%u@b.test", i);
                ledger_member(w.l, w.list, str_of_c(address), LEDGER_IN);
        }
        for (unsigned i = 0; i < 5000; i++) {
                (void)snprintf(address, sizeof address, "MEMBER%u@b.test", i);
                assert_true(ledger_is_known(w.l, w.list, str_of_c(address)));
                assert_false(ledger_is_known(w.l, w.other, str_of_c(address)));
        }
        assert_false(ledger_is_known(w.l, w.list, S("member5000@b.test")));
        assert_false(ledger_is_known(w.l, LEDGER_NONE, S("member1@b.test")));
        ledger_free(w.l);
}

static void test_names(void **state)
{
        struct world w;
        (void)state;
        start(&w);
        assert_int_equal(ledger_try_find(w.l, S("t0")), LEDGER_NONE);
        (void)post(&w, 250);
        assert_int_equal(ledger_try_find(w.l, S("t0")), 0);
        assert_int_equal(ledger_try_find(w.l, S("t1")), LEDGER_NONE);
        assert_int_equal(ledger_try_find(w.l, S("x0")), LEDGER_NONE);
        assert_int_equal(ledger_try_find(w.l, S("t")), LEDGER_NONE);
        assert_int_equal(ledger_try_find(w.l, S("")), LEDGER_NONE);
        assert_null(ledger_try_get(w.l, LEDGER_NONE));
        ledger_free(w.l);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_histories),
                cmocka_unit_test(test_story),
                cmocka_unit_test(test_settling),
                cmocka_unit_test(test_many_members),
                cmocka_unit_test(test_names),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
