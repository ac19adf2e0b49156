/* SPDX-License-Identifier: ISC */
/* Who may post, and who is blamed when that is not seen. */
#include "tests/sim/ledger_rig.h"

enum { PROVEN = 1, UNPROVEN = 2 };

static void play(struct world *w, const char *from, const char *list, unsigned truth, unsigned code)
{
        struct ledger_try_new new = {.author = "ann",
                .post = S("p1"),
                .sender = S("bob@b.test"),
                .from = str_of_c(from),
                .to = S("l@list.test"),
                .size = 10,
                .smuggles = LEDGER_NONE};
        uint32_t t = ledger_try(w->l, &new);
        ledger_try_truth(
                w->l, t, &(struct ledger_truth){.is_told = truth != 0, .is_proven = truth == PROVEN});
        ledger_try_target(w->l, t, str_of_c(list));
        ledger_try_dot(w->l, t);
        ledger_try_answer(w->l, t, code);
        if (code >= 500)
                ledger_try_denied(w->l, t, str_of_c(list), code);
        if (code == 250 && strcmp(list, "l@list.test") == 0)
                deliver_all(w, t);
        if (code == 250 && strcmp(list, "other@list.test") == 0)
                ledger_queued(w->l, S("t0@b.test"), S("bob@b.test"));
        if (code == 250 && strcmp(list, "postmaster@list.test") == 0)
                ledger_queued(w->l, S("t0@b.test"), S("boss@b.test"));
}

static void test_rules(void **state)
{
        static const struct {
                const char *name;
                enum ledger_rule rule;
                const char *from, *to;
                unsigned truth, code;
                const char *comes_to;
        } cases[] = {
                {"a member", LEDGER_MEMBERS, "cat@b.test", "other@list.test", PROVEN, 250, "admitted "},
                {"a member there", LEDGER_MEMBERS, "bob@b.test", "other@list.test", PROVEN, 250, ""},
                {"not proven", LEDGER_MEMBERS, "bob@b.test", "other@list.test", UNPROVEN, 250, "forged "},
                {"not told", LEDGER_MEMBERS, "eve@b.test", "other@list.test", 0, 250, ""},
                {"a member refused", LEDGER_MEMBERS, "bob@b.test", "other@list.test", PROVEN, 550,
                        "refused "},
                {"refused rightly", LEDGER_MEMBERS, "bob@b.test", "other@list.test", UNPROVEN, 550, ""},
                {"put off", LEDGER_MEMBERS, "bob@b.test", "other@list.test", PROVEN, 451, ""},
                {"a stranger refused", LEDGER_MEMBERS, "eve@b.test", "other@list.test", PROVEN, 550, ""},
                {"a moderator", LEDGER_MEMBERS, "mod@b.test", "other@list.test", PROVEN, 250, ""},
                {"everybody", LEDGER_EVERYBODY, "eve@b.test", "other@list.test", PROVEN, 250, ""},
                {"everybody who is", LEDGER_EVERYBODY, "eve@b.test", "other@list.test", UNPROVEN, 250,
                        "forged "},
                {"everybody, refused", LEDGER_EVERYBODY, "eve@b.test", "other@list.test", PROVEN, 550,
                        "refused "},
                {"a member announces", LEDGER_MODERATORS, "bob@b.test", "other@list.test", PROVEN, 250,
                        "admitted "},
                {"a moderator does", LEDGER_MODERATORS, "mod@b.test", "other@list.test", PROVEN, 250, ""},
                {"a moderator may not", LEDGER_MODERATORS, "mod@b.test", "other@list.test", PROVEN, 550,
                        "refused "},
                {"a forged moderator", LEDGER_MODERATORS, "mod@b.test", "other@list.test", UNPROVEN, 250,
                        "forged "},
                {"no rule", LEDGER_NO_RULE, "eve@b.test", "other@list.test", PROVEN, 250, ""},
                {"to a role", LEDGER_MEMBERS, "eve@b.test", "postmaster@list.test", UNPROVEN, 250, ""},
        };
        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct world w;
                char words[100] = "";
                start(&w);
                ledger_list_rule(w.l, w.other, cases[i].rule, false);
                ledger_moderator(w.l, w.other, S("mod@b.test"));
                play(&w, cases[i].from, cases[i].to, cases[i].truth, cases[i].code);
                ledger_judge(w.l);
                for (size_t k = 0; k < ledger_violations(w.l); k++)
                        (void)snprintf(words + strlen(words), sizeof words - strlen(words), "%s ",
                                ledger_violation(w.l, k)->invariant);
                if (strcmp(words, cases[i].comes_to) != 0)
                        fail_msg("%s: comes to \"%s\"", cases[i].name, words);
                ledger_free(w.l);
        }
}

/* Nobody is blamed for a lie of DNS, nor for a letter that is too large; lies prove nothing, and they end. */
static void test_excuses(void **state)
{
        struct world w;
        (void)state;
        start(&w);
        ledger_list_rule(w.l, w.other, LEDGER_MEMBERS, true);
        play(&w, "bob@b.test", "other@list.test", PROVEN, 552);
        ledger_list_rule(w.l, w.other, LEDGER_MEMBERS, false);
        ledger_dns_lies(w.l, w.now_ms + 1000);
        play(&w, "bob@b.test", "other@list.test", PROVEN, 550);
        assert_int_equal(ledger_violations(w.l), 0);
        play(&w, "bob@b.test", "other@list.test", UNPROVEN, 250);
        assert_int_equal(ledger_violations(w.l), 1);
        w.now_ms += 1000;
        play(&w, "bob@b.test", "other@list.test", PROVEN, 550);
        assert_int_equal(ledger_violations(w.l), 2);
        assert_string_equal(ledger_violation(w.l, 1)->invariant, "refused");
        assert_false(ledger_dns_may_fail(w.l));
        ledger_dns_fails(w.l);
        assert_true(ledger_dns_may_fail(w.l));
        ledger_free(w.l);
}

/* A copy of what nobody has proven is one more violation, also when no answer was heard. */
static void test_copies(void **state)
{
        struct world w;
        (void)state;
        start(&w);
        ledger_list_rule(w.l, w.list, LEDGER_MEMBERS, false);
        uint32_t t = begin(&w, LETTER_PLAIN);
        ledger_try_truth(w.l, t, &(struct ledger_truth){.is_told = true});
        ledger_try_target(w.l, t, S("l@list.test"));
        ledger_try_dot(w.l, t);
        deliver(&w, t, "bob@b.test", 250, LEDGER_QUIT);
        assert_int_equal(ledger_violations(w.l), 1);
        assert_string_equal(ledger_violation(w.l, 0)->invariant, "forged");
        ledger_free(w.l);
}

/* What no list takes may be for those who look after the server: some of it. */
static void test_roles(void **state)
{
        static const struct {
                enum letter_shape shape;
                size_t admitted;
        } cases[] = {{LETTER_TWO_AUTHORS, 1}, {LETTER_LOOP, 1}, {LETTER_TWO_FROM, 2}, {LETTER_NUL, 2}};
        static const char *const to[] = {"l@list.test", "postmaster@list.test"};
        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct world w;
                start(&w);
                for (size_t k = 0; k < 2; k++) {
                        uint32_t t = begin(&w, cases[i].shape);
                        ledger_try_target(w.l, t, str_of_c(to[k]));
                        ledger_try_dot(w.l, t);
                        ledger_try_answer(w.l, t, 250);
                }
                assert_int_equal(ledger_violations(w.l), cases[i].admitted);
                ledger_free(w.l);
        }
}

static void test_outcomes(void **state)
{
        struct world w;
        struct str post_name = S("p1");
        (void)state;
        start(&w);
        assert_false(ledger_post_is_refused(w.l, post_name) || ledger_post_is_deferred(w.l, post_name));
        (void)post(&w, 451);
        assert_true(ledger_post_is_deferred(w.l, post_name) && !ledger_post_is_refused(w.l, post_name));
        (void)post(&w, 550);
        assert_true(ledger_post_is_refused(w.l, post_name) && !ledger_post_is_deferred(w.l, post_name));
        (void)post(&w, 250);
        assert_true(ledger_post_is_accepted(w.l, post_name) && !ledger_post_is_refused(w.l, post_name));
        assert_true(str_eq(ledger_some_member(w.l, w.list, 3), S("cat@b.test")));
        assert_int_equal(ledger_some_member(w.l, LEDGER_NONE, 1).n, 0);
        assert_int_equal(ledger_some_moderator(w.l, w.list, 1).n, 0);
        ledger_free(w.l);
}

/* ---- who wants no copy ---- */

/* A post of bob's that names cat, with a copy for `to`. */
static void play_copy(struct world *w, const char *to)
{
        struct ledger_try_new new = {.author = "bob",
                .post = S("p1"),
                .sender = S("bob@b.test"),
                .to = S("l@list.test, <CAT@b.test>"),
                .smuggles = LEDGER_NONE};
        uint32_t t = ledger_try(w->l, &new);
        ledger_try_target(w->l, t, S("l@list.test"));
        ledger_try_dot(w->l, t);
        ledger_try_answer(w->l, t, 250);
        if (to)
                deliver(w, t, to, 250, LEDGER_QUIT);
}

static void test_unwanted(void **state)
{
        static const struct {
                const char *name;
                bool skips, no_own, is_quiet; /* the list; bob; cat */
                const char *to, *comes_to;
        } cases[] = {
                {"both must have it", false, false, false, NULL, "lost lost "},
                {"cat is named", true, false, false, "bob@b.test", ""},
                {"cat is named and has it", true, true, false, "cat@b.test", "unwanted "},
                {"bob wants none of his", false, true, false, "cat@b.test", ""},
                {"bob has one of his", true, true, false, "bob@b.test", "unwanted "},
                {"cat wants none at all", false, false, true, "bob@b.test", ""},
                {"cat has one", false, true, true, "cat@b.test", "relayed "},
        };
        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct world w;
                char words[100] = "";
                start(&w);
                ledger_list_skips(w.l, w.list, cases[i].skips);
                if (cases[i].no_own)
                        ledger_own_posts(w.l, w.list, S("bob@b.test"), LEDGER_OUT);
                if (cases[i].is_quiet)
                        ledger_member(w.l, w.list, S("cat@b.test"), LEDGER_QUIET);
                play_copy(&w, cases[i].to);
                ledger_judge(w.l);
                for (size_t k = 0; k < ledger_violations(w.l); k++)
                        (void)snprintf(words + strlen(words), sizeof words - strlen(words), "%s ",
                                ledger_violation(w.l, k)->invariant);
                if (strcmp(words, cases[i].comes_to) != 0)
                        fail_msg("%s: comes to \"%s\"", cases[i].name, words);
                ledger_free(w.l);
        }
}

/* A ban, and a first post that waits until one was let through. */
static void test_standing(void **state)
{
        struct world w;
        (void)state;
        start(&w);
        ledger_list_rule(w.l, w.list, LEDGER_MEMBERS, false);
        ledger_list_first_post(w.l, w.list, true);
        assert_int_equal(ledger_hold(w.l, post(&w, 550), w.list), LEDGER_FREE);
        ledger_member(w.l, w.list, S("ann@author.test"), LEDGER_IN);
        uint32_t t = post(&w, 250);
        assert_int_equal(ledger_hold(w.l, t, w.list), LEDGER_WAITS);
        ledger_hold_put(w.l, t, w.list, LEDGER_RELEASED);
        t = post(&w, 250);
        assert_int_equal(ledger_hold(w.l, t, w.list), LEDGER_FREE);
        ledger_member(w.l, w.list, S("ann@author.test"), LEDGER_OUT);
        ledger_member(w.l, w.list, S("ann@author.test"), LEDGER_IN);
        assert_int_equal(ledger_hold(w.l, post(&w, 250), w.list), LEDGER_WAITS);
        size_t before = ledger_violations(w.l);
        ledger_ban(w.l, w.other, S("bob@b.test"), LEDGER_OUT);
        ledger_list_rule(w.l, w.other, LEDGER_EVERYBODY, false);
        play(&w, "bob@b.test", "other@list.test", PROVEN, 250);
        assert_int_equal(ledger_violations(w.l), before + 1);
        ledger_ban(w.l, w.other, S("BOB@b.test"), LEDGER_IN);
        play(&w, "bob@b.test", "other@list.test", PROVEN, 250);
        assert_int_equal(ledger_violations(w.l), before + 1);
        ledger_free(w.l);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_unwanted),
                cmocka_unit_test(test_standing),
                cmocka_unit_test(test_rules),
                cmocka_unit_test(test_excuses),
                cmocka_unit_test(test_copies),
                cmocka_unit_test(test_roles),
                cmocka_unit_test(test_outcomes),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
