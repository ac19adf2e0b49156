/* SPDX-License-Identifier: ISC */
/* What the ledger finds, and what it lets pass: each case is a short history and the words that it must come to. */
#include "tests/sim/ledger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

struct world {
        struct ledger *l;
        uint32_t list, other, role;
        int64_t now_ms;
};

static int64_t now_ms(void *ctx)
{
        return ((struct world *)ctx)->now_ms++;
}

static uint32_t begin(struct world *w, enum letter_shape shape)
{
        struct ledger_try_new new = {.author = "ann",
                .post = S("p1"),
                .sender = S("ann@author.test"),
                .to = S("l@list.test"),
                .shape = shape,
                .size = 10,
                .smuggles = LEDGER_NONE};
        return ledger_try(w->l, &new);
}

/* A whole try at the list, answered with `code`; 0: no answer. */
static uint32_t post(struct world *w, unsigned code)
{
        uint32_t t = begin(w, LETTER_PLAIN);
        ledger_try_target(w->l, t, S("L@list.test"));
        ledger_try_dot(w->l, t);
        if (code != 0)
                ledger_try_answer(w->l, t, code);
        return t;
}

/* A copy over a connection of its own. */
static void deliver(struct world *w, uint32_t t, const char *to, unsigned code, enum ledger_end end)
{
        uint32_t c = ledger_connection(w->l, "mx1");
        ledger_connection_dot(w->l, c);
        ledger_copy(w->l, c, t, w->list, str_of_c(to));
        if (code != 0)
                ledger_connection_answered(w->l, c, code);
        ledger_connection_end(w->l, c, end);
}

static void deliver_all(struct world *w, uint32_t t)
{
        deliver(w, t, "bob@b.test", 250, LEDGER_QUIT);
        deliver(w, t, "CAT@b.test", 250, LEDGER_QUIT);
}

/* ---- histories ---- */

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
        ledger_failed(w->l, S("t0@author.test"), S("cat@b.test"));
}

static void one_lacks_it_and_waits(struct world *w)
{
        one_lacks_it(w);
        ledger_queued(w->l, S("<t0@author.test>"), S("cat@B.TEST"));
}

static void another_failed(struct world *w)
{
        one_lacks_it(w);
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

/* ---- twice ---- */

static void twice(struct world *w, unsigned code, enum ledger_end end)
{
        uint32_t t = post(w, 250);
        deliver_all(w, t);
        deliver(w, t, "bob@b.test", code, end);
}

static void twice_for_nothing(struct world *w)
{
        twice(w, 250, LEDGER_QUIT);
}

static void twice_after_eof(struct world *w)
{
        twice(w, 250, LEDGER_EOF);
}

static void twice_still_open(struct world *w)
{
        twice(w, 250, LEDGER_OPEN);
}

static void twice_answered_and_closed(struct world *w)
{
        twice(w, 250, LEDGER_CLOSED);
}

static void twice_dropped(struct world *w)
{
        twice(w, 0, LEDGER_DROPPED);
}

static void twice_unanswered(struct world *w)
{
        twice(w, 0, LEDGER_EOF);
}

static void twice_reset(struct world *w)
{
        twice(w, 250, LEDGER_RESET);
}

static void twice_silent(struct world *w)
{
        twice(w, 250, LEDGER_SILENCE);
}

static void twice_died(struct world *w)
{
        twice(w, 250, LEDGER_DIED);
}

/* A kill while the connection is open, and one when it is not. */
static void twice_killed(struct world *w, const char *host, bool is_late)
{
        uint32_t t = post(w, 250), c = ledger_connection(w->l, "mx1");
        ledger_connection_dot(w->l, c);
        ledger_copy(w->l, c, t, w->list, S("bob@b.test"));
        ledger_connection_answered(w->l, c, 250);
        if (is_late)
                ledger_connection_end(w->l, c, LEDGER_EOF);
        ledger_fault(w->l, host, "a kill");
        if (!is_late)
                ledger_connection_end(w->l, c, LEDGER_EOF);
        deliver_all(w, t);
}

static void twice_killed_then(struct world *w)
{
        twice_killed(w, NULL, false);
}

static void twice_its_host_killed(struct world *w)
{
        twice_killed(w, "mx1", false);
}

static void twice_another_killed(struct world *w)
{
        twice_killed(w, "mx2", false);
}

static void twice_killed_later(struct world *w)
{
        twice_killed(w, NULL, true);
}

/* The connection broke, but long after: another dot had come on it. */
static void twice_not_the_last(struct world *w)
{
        uint32_t t = post(w, 250), c = ledger_connection(w->l, "mx1");
        ledger_connection_dot(w->l, c);
        ledger_copy(w->l, c, t, w->list, S("bob@b.test"));
        ledger_connection_answered(w->l, c, 250);
        ledger_connection_dot(w->l, c);
        ledger_connection_end(w->l, c, LEDGER_RESET);
        deliver_all(w, t);
}

static void thrice_broken_twice(struct world *w)
{
        uint32_t t = post(w, 250);
        deliver(w, t, "bob@b.test", 0, LEDGER_RESET);
        deliver(w, t, "bob@b.test", 0, LEDGER_DROPPED);
        deliver_all(w, t);
}

static void thrice_broken_once(struct world *w)
{
        uint32_t t = post(w, 250);
        deliver(w, t, "bob@b.test", 0, LEDGER_RESET);
        deliver(w, t, "bob@b.test", 250, LEDGER_QUIT);
        deliver_all(w, t);
}

/* What came over the broken connection may have been noted last. */
static void twice_the_broken_one_is_late(struct world *w)
{
        uint32_t t = post(w, 250);
        deliver_all(w, t);
        deliver(w, t, "bob@b.test", 0, LEDGER_RESET);
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

/* `is_settled` is asked before the judge comes. */
#define YES true
static const struct history {
        const char *name;
        void (*play)(struct world *w);
        const char *comes_to;
        bool is_settled;
} histories[] = {
        {"good", good, "", YES},
        {"nobody has it", nobody_has_it, "lost lost ", false},
        {"one lacks it", one_lacks_it, "lost ", false},
        {"one lacks it and failed", one_lacks_it_and_failed, "", YES},
        {"one lacks it and waits", one_lacks_it_and_waits, "", YES},
        {"another failed", another_failed, "lost ", false},
        {"all waits", all_waits, "", YES},
        {"image is read again", image_is_read_again, "lost lost ", false},
        {"bare failed", bare_failed, "", YES},
        {"no answer and kept", no_answer_and_kept, "", YES},
        {"no answer and gone", no_answer_and_gone, "", YES},
        {"no answer and half", no_answer_and_half, "lost ", false},
        {"joined after", joined_after, "", YES},
        {"joined meanwhile", joined_meanwhile, "", YES},
        {"joined before", joined_before, "lost ", false},
        {"left after", left_after, "", YES},
        {"left after and has it", left_after_and_has_it, "", YES},
        {"left before", left_before, "relayed ", YES},
        {"left and came back", left_and_came_back, "", YES},
        {"refused and delivered", refused_and_delivered, "invented ", YES},
        {"put off and delivered", put_off_and_delivered, "invented ", YES},
        {"delivered and refused", delivered_and_refused, "invented ", YES},
        {"disk fails", disk_fails, "", YES},
        {"disk fails, no excuse", disk_fails_no_excuse, "invented ", YES},
        {"unsent and delivered", unsent_and_delivered, "invented ", YES},
        {"of nobody", of_nobody, "invented ", YES},
        {"to a stranger", to_a_stranger, "relayed ", YES},
        {"through another list", through_another_list, "invented ", YES},
        {"through no list", through_no_list, "relayed ", YES},
        {"both lists", both_lists, "", YES},
        {"one of both lists", one_of_both_lists, "lost ", false},
        {"leak", leak, "relayed ", YES},
        {"malformed is taken", malformed_is_taken, "admitted ", YES},
        {"malformed comes unanswered", malformed_comes_unanswered, "admitted admitted ", YES},
        {"twice for nothing", twice_for_nothing, "duplicate ", YES},
        {"twice after EOF", twice_after_eof, "duplicate ", YES},
        {"twice, still open", twice_still_open, "duplicate ", YES},
        {"twice, answered and closed", twice_answered_and_closed, "duplicate ", YES},
        {"twice, dropped", twice_dropped, "", YES},
        {"twice, unanswered", twice_unanswered, "", YES},
        {"twice, reset", twice_reset, "", YES},
        {"twice, silent", twice_silent, "", YES},
        {"twice, died", twice_died, "", YES},
        {"twice, killed then", twice_killed_then, "", YES},
        {"twice, its host killed", twice_its_host_killed, "", YES},
        {"twice, another killed", twice_another_killed, "duplicate ", YES},
        {"twice, killed later", twice_killed_later, "duplicate ", YES},
        {"twice, not the last dot", twice_not_the_last, "duplicate ", YES},
        {"thrice, broken twice", thrice_broken_twice, "", YES},
        {"thrice, broken once", thrice_broken_once, "duplicate ", YES},
        {"twice, the broken one is late", twice_the_broken_one_is_late, "", YES},
        {"role", role, "", YES},
        {"role lacks it", role_lacks_it, "lost ", false},
};

static void start(struct world *w)
{
        const struct ledger_config config = {.seed = 1, .now_ms = now_ms, .ctx = w};
        *w = (struct world){.now_ms = 1000};
        w->l = ledger_new(&config);
        w->list = ledger_list(w->l, S("l@list.test"), LEDGER_LIST);
        w->other = ledger_list(w->l, S("other@list.test"), LEDGER_LIST);
        w->role = ledger_list(w->l, S("postmaster@list.test"), LEDGER_ROLE);
        assert_int_equal(ledger_list(w->l, S("L@LIST.test"), LEDGER_LIST), w->list);
        ledger_member(w->l, w->list, S("bob@b.test"), LEDGER_IN);
        ledger_member(w->l, w->list, S("cat@b.test"), LEDGER_IN);
        ledger_member(w->l, w->other, S("bob@b.test"), LEDGER_IN);
        ledger_member(w->l, w->role, S("boss@b.test"), LEDGER_IN);
}

static void test_histories(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof histories / sizeof histories[0]; i++) {
                struct world w;
                char words[200] = "";
                start(&w);
                histories[i].play(&w);
                bool is_settled = ledger_is_settled(w.l);
                ledger_judge(w.l);
                for (size_t k = 0; k < ledger_violations(w.l); k++) {
                        size_t n = strlen(words);
                        (void)snprintf(
                                words + n, sizeof words - n, "%s ", ledger_violation(w.l, k)->invariant);
                        assert_true(strlen(ledger_violation(w.l, k)->story) > 20);
                }
                if (strcmp(words, histories[i].comes_to) != 0 || is_settled != histories[i].is_settled)
                        fail_msg("%s: comes to \"%s\", settled %d", histories[i].name, words, is_settled);
                ledger_free(w.l);
        }
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
