/* SPDX-License-Identifier: ISC */
/* Mail to the routes of lists: who is heard, and what is in the store afterwards. */
#include "serve/list_world.h"

#include "list/command.h"

static const char *const confirm_rule[] = {"subscription", "confirm", NULL};
static const char *const open_rule[] = {"subscription", "open", NULL};

/* Who is not heard: nothing is written to anyone, and nothing is kept. */
static void refused(struct rig *r)
{
        static const struct {
                const char *name, *from, *local, *field, *want;
        } cases[] = {
                {"forged author", "ann@strict.test", "open-subscribe", "", "550 5.7.26"},
                {"no policy, no pass", "ann@silent.test", "open-subscribe", "", "550 5.7."},
                {"no author", "undisclosed:;", "open-subscribe", "", "554 5.6.0"},
                {"automatic reply", "x@example.org", "open-subscribe", "Auto-Submitted: auto-replied\r\n",
                        "550 5.7.1"},
                {"bulk mail", "x@example.org", "open-subscribe", "Precedence: bulk\r\n", "550 5.7.1"},
                {"mail of a list", "x@example.org", "open-help", "List-Id: <other.example.org>\r\n",
                        "550 5.7.1"},
                {"a program's address", "mailer-daemon@example.org", "open-help", "", "550 5.7.1"},
                {"settings are for moderators", "author@example.org", "open-settings", "", "550 5.7.1"},
                {"why is for moderators", "author@example.org", "open-why", "", "550 5."},
                {"members are for members", "x@example.org", "open-subscribers", "", "550 5.7.1"},
                {"owners hear proven authors alone", "ann@strict.test", "open-owner", "", "550 5.7.26"},
                {"options are for members", "x@example.org", "open-options", "", "550 5.7.1"},
        };
        new_list(r, "open", open_rule);
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                char text[1000], to[100];
                (void)snprintf(text, sizeof text, "From: %s\r\n%s\r\nx\r\n", cases[i].from, cases[i].field);
                (void)snprintf(to, sizeof to, "%s@mailingl.st", cases[i].local);
                print_message("%s\n", cases[i].name);
                deliver(r, &r->stranger_at, "author@example.org", to, str_of_c(text), cases[i].want);
                assert_int_equal(notices(r), 0);
        }
        assert_false(is_member(r, 3, "ann@strict.test"));
}

/* What the address alone tells. */
static void recipients(struct rig *r)
{
        static const struct {
                const char *from, *local, *want;
        } cases[] = {
                {"author@example.org", "ptt-subscribe", "250 2.1.5"},
                {"author@example.org", "PTT-Unsubscribe", "250 2.1.5"},
                {"author@example.org", "news-and.views-help", "250 2.1.5"},
                {"author@example.org", "ptt-remove-a=b.test", "250 2.1.5"},
                {"author@example.org", "ptt-owner", "250 2.1.5"},
                {"", "ptt-subscribe", "550 5.7.1"},
                {"", "ptt-owner", "550 5.7.1"},
                {"author@example.org", "nobody-subscribe", "550 5.1.1"},
                {"author@example.org", "ptt-accept-", "550 5.1.1"},
                {"author@example.org", "ptt-confirm-aaaaaaaaaaaaaaaaaaaaaaaa", "550 5.1.1"},
                {"author@example.org", "ptt-reject-aaaaaaaaaaaaaaaaaaaaaaaa", "550 5.1.1"},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                char script[400];
                (void)snprintf(script, sizeof script,
                        "C: MAIL FROM:<%s>\nS: 250\nC: RCPT TO:<%s@mailingl.st>\nS: %s\nC: QUIT\nS: 221",
                        cases[i].from, cases[i].local, cases[i].want);
                stranger(r, script);
        }
        /* a token of one purpose or list is none of another's */
        const char *link = link_of(r, "ptt", "confirm", 1);
        char script[400];
        (void)snprintf(script, sizeof script,
                "C: MAIL FROM:<author@example.org>\nS: 250\nC: RCPT TO:<ptt-accept%s@mailingl.st>\nS: 550 "
                "5.1.1\n"
                "C: RCPT TO:<news-and.views-confirm%s@mailingl.st>\nS: 550 5.1.1\n"
                "C: RCPT TO:<%s@mailingl.st>\nS: 250 2.1.5",
                strrchr(link, '-'), strrchr(link, '-'), link);
        stranger(r, script);
}

/* ---- joining and leaving ---- */

static void joins_and_leaves(struct rig *r)
{
        int64_t list = new_list(r, "open", open_rule);
        write_to(r, "New@example.org", "open-subscribe", "", "", "250 2.0.0");
        assert_true(is_member(r, list, "new@example.org"));
        wrote(r, "welcome", "new@example.org");
        write_to(r, "new@example.org", "open-subscribe", "", "", "250 2.0.0");
        wrote(r, "already-member", "new@example.org");
        write_to(r, "NEW@example.org", "open-unsubscribe", "", "", "250 2.0.0");
        assert_false(is_member(r, list, "new@example.org"));
        wrote(r, "goodbye", "new@example.org");
        write_to(r, "new@example.org", "open-unsubscribe", "", "", "250 2.0.0");
        wrote(r, "not-member", "new@example.org");
        assert_int_equal(notices(r), 4);
        assert_int_equal(r->node.stats.commands[ROUTE_SUBSCRIBE], 2);
        assert_int_equal(r->node.stats.commands[ROUTE_UNSUBSCRIBE], 2);
}

/* The link makes the member, once, whoever's name stands in From. */
static void confirms(struct rig *r)
{
        int64_t list = new_list(r, "confirm", confirm_rule);
        write_to(r, "new@example.org", "confirm-subscribe", "", "", "250 2.0.0");
        assert_false(is_member(r, list, "new@example.org"));
        wrote(r, "confirm-join", "new@example.org");
        int64_t request = last_notice(r)->request;
        assert_int_not_equal(request, 0);
        write_to(r, "new@example.org", "confirm-subscribe", "", "", "250 2.0.0");
        assert_int_equal(notices(r), 1); /* one a day */
        const char *link = link_of(r, "confirm", "confirm", request);
        write_to(r, "ann@bare.test", link, "", "", "250 2.0.0");
        assert_true(is_member(r, list, "new@example.org"));
        assert_false(is_member(r, list, "ann@bare.test"));
        wrote(r, "welcome", "new@example.org");
        write_to(r, "new@example.org", link_of(r, "confirm", "confirm", request), "", "", "550 5.7.1");
        assert_int_equal(notices(r), 2);
}

/* Confirmed, then decided by a moderator; who comes second is told so. */
static void moderators_decide(struct rig *r)
{
        int64_t list = new_list(r, "mod", NULL);
        write_to(r, "new@example.org", "mod-subscribe", "", "", "250 2.0.0");
        write_to(r, "new@example.org", link_of(r, "mod", "confirm", last_notice(r)->request), "", "",
                "250 2.0.0");
        assert_false(is_member(r, list, "new@example.org"));
        wrote(r, "join-waits", "");
        int64_t request = last_notice(r)->request;
        write_to(r, "new@example.org", link_of(r, "mod", "accept", request), "", "", "550 5.7.1");
        write_to(r, "owner@strict.test", link_of(r, "mod", "accept", request), "", "", "550 5.7.26");
        assert_false(is_member(r, list, "new@example.org"));
        write_signed(r, "owner@strict.test", link_of(r, "mod", "accept", request), "", "", "250 2.0.0");
        assert_true(is_member(r, list, "new@example.org"));
        wrote(r, "welcome", "new@example.org");
        write_signed(r, "owner@strict.test", link_of(r, "mod", "reject", request), "", "", "");
        assert_true(is_member(r, list, "new@example.org"));
        wrote(r, "request-decided", "owner@strict.test");
}

/* ---- what moderators do ---- */

static struct str setting_of(struct rig *r, int64_t id, const char *name)
{
        struct store_list list;
        arena_reset(&r->arena);
        assert_int_equal(store_list_get(r->node.store, id, &r->arena, &list), ERR_OK);
        return store_list_setting(&list, str_of_c(name), S(""));
}

static void changes_settings(struct rig *r)
{
        int64_t list = new_list(r, "open", open_rule);
        write_signed(r, "owner@strict.test", "open-settings", "", "", "250 2.0.0");
        wrote(r, "settings", "owner@strict.test");
        write_signed(r, "owner@strict.test", "open-settings", "Re: settings",
                "> posting: subscribers\r\nposting: announce\r\nwho = moderators", "250 2.0.0");
        assert_true(str_eq(setting_of(r, list, "posting"), S("announce")));
        assert_true(str_eq(setting_of(r, list, "who"), S("moderators")));
        assert_int_equal(notices(r), 3); /* the answer, and what changed */
        /* by quoted-printable, and in HTML beside plain text */
        write_signed(r, "owner@strict.test", "open-settings",
                "x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; "
                "charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable",
                "posting: sub=\r\nscribers", "250 2.0.0");
        assert_true(str_eq(setting_of(r, list, "posting"), S("subscribers")) ||
                    setting_of(r, list, "posting").n == 0);
}

/* The members have what their moderators signed: a copy of it, sent to a route, asks for nothing. */
static void copies_are_not_obeyed(struct rig *r)
{
        static const char *const locals[] = {"open-remove-author=example.org", "open-unsubscribe",
                "open-settings", "open-why", "open-subscribe"};
        int64_t list = new_list(r, "open", open_rule);
        for (size_t i = 0; i < sizeof locals / sizeof locals[0]; i++) {
                char room[12000], to[200];
                struct str post = signed_by("strict.test",
                        "From: owner@strict.test\r\nTo: open@mailingl.st\r\nSubject: <m1@example.org>\r\n\r\n"
                        "posting: open\r\n",
                        room, sizeof room);
                (void)snprintf(to, sizeof to, "%s@mailingl.st", locals[i]);
                deliver(r, &r->stranger_at, "eve@example.org", to, post, "550 5.7.1");
        }
        assert_int_equal(notices(r), 0);
        assert_true(is_member(r, list, "author@example.org"));
        assert_false(is_member(r, list, "owner@strict.test"));
}

/* A confirmation may come under any name: the ban is the moderator's all the same. */
static void bans_are_the_moderators(struct rig *r)
{
        struct store_ban *bans;
        size_t count;
        int64_t list = new_list(r, "open", open_rule);
        assert_int_equal(store_moderator_add(r->node.store, list, S("boss@example.org")), ERR_OK);
        write_to(r, "boss@example.org", "open-request", "ban eve@example.org", "", "250 2.0.0");
        write_to(r, "owner@strict.test", link_of(r, "open", "confirm", last_notice(r)->request), "", "",
                "250 2.0.0");
        arena_reset(&r->arena);
        assert_int_equal(store_bans(r->node.store, list, S(""), 9, &r->arena, &bans, &count), ERR_OK);
        assert_int_equal(count, 1);
        assert_true(str_eq(bans[0].by, S("boss@example.org")));
}

/* What SPF alone proves waits for the moderator's own answer. */
static void spf_alone_confirms(struct rig *r)
{
        int64_t list = new_list(r, "open", open_rule);
        assert_int_equal(store_moderator_add(r->node.store, list, S("boss@example.org")), ERR_OK);
        write_to(r, "boss@example.org", "open-request", "x",
                "remove author@example.org\r\nban eve@example.org\r\n", "250 2.0.0");
        assert_true(is_member(r, list, "author@example.org"));
        wrote(r, "confirm-change", "boss@example.org");
        write_to(r, "boss@example.org", link_of(r, "open", "confirm", last_notice(r)->request), "", "",
                "250 2.0.0");
        assert_false(is_member(r, list, "author@example.org"));
        assert_int_equal(
                store_ban_find(r->node.store, list, S("eve@example.org"), host_wall_ms(r->host)), ERR_OK);
        write_to(r, "eve@example.org", "open-subscribe", "", "", "550 5.7.1");
        assert_false(is_member(r, list, "eve@example.org"));
}

static void several_commands(struct rig *r)
{
        int64_t list = new_list(r, "open", open_rule);
        write_to(r, "new@example.org", "open-request", "hello",
                "join\r\nleave victim@example.org\r\nnonsense\r\nhelp\r\n-- \r\nleave\r\n", "250 2.0.0");
        assert_true(is_member(r, list, "new@example.org"));
        wrote(r, "outcome", "new@example.org");
        struct str data = last_notice(r)->data;
        assert_true(has(data, "<m1@example.org>"));
        assert_true(has(data, "not-yours\tleave victim@example.org\n"));
        assert_true(has(data, "unknown\tnonsense\n"));
}

static void nothing_asked(struct rig *r)
{
        (void)new_list(r, "open", open_rule);
        write_to(r, "new@example.org", "open-request", "", "\r\n", "250 2.0.0");
        assert_int_equal(notices(r), 1);
        wrote(r, "help", "new@example.org");
}

static void long_mail(struct rig *r)
{
        size_t n = COMMAND_TEXT_MAX + 4096;
        char *text = malloc(n);
        int64_t list = new_list(r, "open", open_rule);
        static const char start[] = "From: new@example.org\r\n\r\n";
        assert_non_null(text);
        for (size_t i = 0; i < n; i += 64)
                memcpy(text + i, "joinjoinjoinjoinjoinjoinjoinjoinjoinjoinjoinjoinjoinjoinjoinjo\r\n", 64);
        memcpy(text, start, sizeof start - 1);
        deliver(r, &r->stranger_at, "new@example.org", "open-request@mailingl.st", str_of(text, n),
                "554 5.3.4");
        assert_int_equal(notices(r), 0);
        /* where the text does not count, it does no harm */
        deliver(r, &r->stranger_at, "new@example.org", "open-subscribe@mailingl.st", str_of(text, n),
                "250 2.0.0");
        assert_true(is_member(r, list, "new@example.org"));
        free(text);
}

static void options(struct rig *r)
{
        struct store_member m;
        int64_t list = new_list(r, "open", open_rule);
        write_to(
                r, "author@example.org", "open-options", "", "nomail: on\r\nown-posts: off\r\n", "250 2.0.0");
        wrote(r, "options", "author@example.org");
        assert_int_equal(
                store_member_find(r->node.store, list, S("author@example.org"), &r->arena, &m), ERR_OK);
        assert_int_equal(m.options, STORE_NOMAIL | STORE_NO_OWN);
        write_to(
                r, "author@example.org", "open-options", "", "nomail: off\r\nown-posts: on\r\n", "250 2.0.0");
        assert_int_equal(
                store_member_find(r->node.store, list, S("author@example.org"), &r->arena, &m), ERR_OK);
        assert_int_equal(m.options, 0);
}

/* What is asked while the DNS is silent is refused for now; a confirmation needs no proof. */
static void dead_resolver(struct rig *r)
{
        int64_t list = new_list(r, "confirm", confirm_rule), request;
        struct store_request_new row = {
                .list = list, .purpose = 1, .address = S("new@example.org"), .now_ms = host_wall_ms(r->host)};
        assert_int_equal(store_request_add(r->node.store, &row, &request), ERR_OK);
        r->texts.is_silent = true;
        r->node.evaluations.patience_ms = 100;
        write_to(r, "other@example.org", "confirm-subscribe", "", "", "451 4.7.");
        write_to(r, "new@example.org", link_of(r, "confirm", "confirm", request), "", "", "250 2.0.0");
        assert_true(is_member(r, list, "new@example.org"));
        r->texts.is_silent = false;
        assert_int_equal(fiber_sleep(r->host->sched, 500), ERR_OK);
}

LIST_TEST(refused)
LIST_TEST(recipients)
LIST_TEST(joins_and_leaves)
LIST_TEST(confirms)
LIST_TEST(moderators_decide)
LIST_TEST(changes_settings)
LIST_TEST(copies_are_not_obeyed)
LIST_TEST(bans_are_the_moderators)
LIST_TEST(spf_alone_confirms)
LIST_TEST(several_commands)
LIST_TEST(nothing_asked)
LIST_TEST(long_mail)
LIST_TEST(options)
LIST_TEST(dead_resolver)

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_recipients),
                cmocka_unit_test(test_joins_and_leaves),
                cmocka_unit_test(test_confirms),
                cmocka_unit_test(test_moderators_decide),
                cmocka_unit_test(test_changes_settings),
                cmocka_unit_test(test_copies_are_not_obeyed),
                cmocka_unit_test(test_bans_are_the_moderators),
                cmocka_unit_test(test_spf_alone_confirms),
                cmocka_unit_test(test_several_commands),
                cmocka_unit_test(test_nothing_asked),
                cmocka_unit_test(test_long_mail),
                cmocka_unit_test(test_options),
                cmocka_unit_test(test_dead_resolver),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
