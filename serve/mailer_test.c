/* SPDX-License-Identifier: ISC */
/* Mail that lists write: what it says, to whom it goes, and that no notice is lost or doubled. */
#include "serve/list_world.h"

#include "list/notice.h"
#include "store/delivery.h"
#include "store/open_tickets.h"

static int64_t order(
        struct rig *r, int64_t list, const char *kind, const char *to, int64_t request, const char *data)
{
        int64_t id;
        struct store_notice n = {.list = list,
                .kind = str_of_c(kind),
                .address = str_of_c(to),
                .request = request,
                .data = str_of_c(data),
                .made_ms = host_wall_ms(r->host)};
        assert_int_equal(store_notice_add(r->node.store, &n, &id), ERR_OK);
        return id;
}

static size_t messages(struct rig *r)
{
        int64_t ids[64];
        size_t count;
        assert_int_equal(open_tickets(r->node.store, 0, 64, ids, &count), ERR_OK);
        return count;
}

/* From the first mail to the last: the links in the mail itself are what is followed. */
static void find_link(struct str mail, const char *word, char *out, size_t cap)
{
        size_t at = str_find(mail, str_of_c(word));
        assert_true(at < mail.n);
        struct str link = str_take(str_skip(mail, at), strlen(word) + TOKEN_TEXT_SIZE);
        (void)snprintf(out, cap, "%.*s", STR_ARG(link));
}

static void whole_life(struct rig *r)
{
        char link[200];
        int64_t list = new_list(r, "mod", NULL);
        write_to(r, "new@example.org", "mod-subscribe", "gibberish of a stranger", "", "250 2.0.0");
        uint64_t rung = r->node.handover_bell.rung;
        run_mailer(r);
        assert_true(r->node.handover_bell.rung > rung);
        assert_int_equal(messages(r), 1);
        struct str mail = newest(r);
        assert_true(has(mail, "\r\nTo: new@example.org\r\n"));
        assert_true(has(mail, "\r\nAuto-Submitted: auto-replied\r\n"));
        assert_true(has(mail, "<m1@example.org>")); /* In-Reply-To */
        assert_false(has(mail, "gibberish"));
        assert_true(str_has_prefix(mail, S("Received: from mx.mailingl.st")));
        find_link(field_of(mail, "Reply-To", 0), "mod-confirm-", link, sizeof link);
        write_to(r, "new@example.org", link, "Re: x", "", "250 2.0.0");
        run_mailer(r);
        mail = newest(r);
        assert_true(has(mail, "new@example.org"));
        assert_false(has(mail, "<m1@example.org>")); /* the moderators never saw that mail */
        find_link(mail, "mod-accept-", link, sizeof link);
        write_signed(r, "owner@strict.test", link, "", "", "250 2.0.0");
        assert_true(is_member(r, list, "new@example.org"));
        run_mailer(r);
        assert_int_equal(messages(r), 3);
        assert_int_equal(r->node.stats.written, 3);
        assert_true(has(newest(r), "\r\nTo: new@example.org\r\n"));
}

/* Every kind that a decision can name becomes mail. */
static void every_kind(struct rig *r)
{
        static const char *const french[] = {"language", "fr", NULL};
        int64_t lists[] = {new_list(r, "one", NULL), new_list(r, "two", french)};
        for (int k = 0; k < NOTICE_KINDS; k++)
                for (size_t i = 0; i < 2; i++) {
                        char kind[40];
                        int64_t request = 0;
                        struct str name = notice_kind_name((enum notice_kind)k);
                        struct store_request_new row = {.list = lists[i],
                                .purpose = 1 + (unsigned)k % 3,
                                .address = S("new@example.org"),
                                .now_ms = host_wall_ms(r->host)};
                        if (k == NOTICE_POST_WAITS)
                                continue; /* below, with a post */
                        (void)snprintf(kind, sizeof kind, "%.*s", STR_ARG(name));
                        enum err e = store_request_add(r->node.store, &row, &request);
                        assert_true(e == ERR_OK || e == ERR_EXISTS);
                        size_t before = messages(r);
                        order(r, lists[i], kind, "author@example.org", request,
                                k == NOTICE_DIGEST ? "\n\n0 9 0 9" : "new@example.org\n<id@example.org>\n");
                        run_mailer(r);
                        if (messages(r) != before + 1)
                                print_error("%s was not written\n", kind);
                        assert_int_equal(messages(r), before + 1);
                        assert_true(field_of(newest(r), "Subject", 0).n > 10);
                }
}

static void held_post(struct rig *r)
{
        static const char *const moderated[] = {"posting", "moderated", NULL};
        new_list(r, "held", moderated);
        write_to(r, "author@example.org", "held", "look at this", "first line\r\n.second line", "250 2.0.0");
        run_mailer(r);
        struct str mail = newest(r);
        assert_true(has(mail, "Content-Type: message/rfc822"));
        assert_true(has(mail, "\r\nSubject: look at this\r\n\r\nfirst line\r\n"));
        assert_true(has(mail, "held-accept-") && has(mail, "held-reject-"));
        assert_true(str_has_suffix_nocase(mail, S("--\r\n")));
}

/* A post that is too large to be shown now does not keep other mail from being written. */
static void no_room_for_one(struct rig *r)
{
        enum { LARGE = 400000, LEFT = 200000 };
        static const char *const moderated[] = {"posting", "moderated", NULL};
        static char post[LARGE];
        struct store_intake *others;
        struct scope scope;
        struct wr w;
        int64_t list = new_list(r, "held", moderated);
        wr_init(&w, post, sizeof post);
        wr_str(&w, S("From: author@example.org\r\n\r\n"));
        while (w.n < sizeof post - 100)
                wr_str(&w, S("a line of a large post\r\n"));
        deliver(r, &r->stranger_at, "author@example.org", "held@mailingl.st", wr_text(&w), "250 2.0.0");
        order(r, list, "help", "author@example.org", 0, "\n\n");
        struct store_space space = store_space(r->node.store);
        uint64_t room = space.share - space.used - space.reserved - LEFT;
        while (store_intake_begin(r->node.store, room, &others) != ERR_OK)
                room -= LEFT / 4;
        scope_open(&scope, r->host->sched, FIBER_NEVER);
        assert_int_equal(scope_spawn(&scope, "mailer", mailer_run, &r->node), ERR_OK);
        assert_int_equal(fiber_sleep(r->host->sched, 500), ERR_OK);
        scope_cancel(&scope);
        (void)scope_join(&scope);
        assert_int_equal(notices(r), 1);
        assert_true(has(newest(r), "\r\nTo: author@example.org\r\n"));
        store_intake_abort(others);
        run_mailer(r);
        assert_true(has(newest(r), "Content-Type: message/rfc822"));
}

/* Members and paths are streamed, however many there are. */
static void streams(struct rig *r)
{
        int64_t list = new_list(r, "many", NULL), id;
        for (int i = 0; i < 450; i++) {
                char address[40];
                (void)snprintf(address, sizeof address, "m%d@members.test", i);
                assert_int_equal(store_member_add(r->node.store, list, str_of_c(address), 1, &id), ERR_OK);
        }
        write_to(r, "author@example.org", "many-subscribers", "", "", "250 2.0.0");
        run_mailer(r);
        assert_true(has(newest(r), "author@example.org"));
        assert_true(has(newest(r), "m0@members.test"));
        assert_true(has(newest(r), "m449@members.test"));
        write_to(r, "author@example.org", "many", "x", "hello", "250 2.0.0"); /* <m1@example.org> */
        write_signed(r, "owner@strict.test", "many-why", "<m1@example.org>", "", "250 2.0.0");
        run_mailer(r);
        assert_true(has(newest(r), "m1@example.org"));
        assert_true(has(newest(r), "spf"));
        write_signed(r, "owner@strict.test", "many-why", "<never@example.org>", "", "250 2.0.0");
        run_mailer(r);
        assert_true(has(newest(r), "nothing is known"));
}

/* What has lost its meaning, or cannot be understood, goes without mail and stops nobody. */
static void dropped(struct rig *r)
{
        int64_t list = new_list(r, "plain", NULL);
        order(r, list, "confirm-join", "new@example.org", 77, "\n\n");
        order(r, list, "of-another-version", "new@example.org", 0, "\n\n");
        order(r, list, "welcome", "no address", 0, "\n\n");
        order(r, list, "options", "nobody@example.org", 0, "\n\n");
        assert_int_equal(store_moderator_remove(r->node.store, list, S("owner@strict.test")), ERR_OK);
        order(r, list, "settings-changed", "", 0, "a@b.test\n\nposting\ta\tb\n");
        order(r, list, "welcome", "new@example.org", 0, "\n\n");
        run_mailer(r);
        assert_int_equal(messages(r), 1);
        assert_int_equal(r->node.stats.written, 1);
}

static void to_all_moderators(struct rig *r)
{
        struct store_delivery *out;
        int64_t ids[4];
        size_t count;
        int64_t list = new_list(r, "plain", NULL);
        assert_int_equal(store_moderator_add(r->node.store, list, S("second@example.org")), ERR_OK);
        order(r, list, "settings-changed", "", 0, "a@b.test\n\nposting\ta\tb\n");
        run_mailer(r);
        assert_int_equal(open_tickets(r->node.store, 0, 4, ids, &count), ERR_OK);
        assert_int_equal(store_ticket_sign(r->node.store, ids[0], S("DKIM-Signature: x\r\n")), ERR_OK);
        arena_reset(&r->arena);
        assert_int_equal(
                store_delivery_due(r->node.store, host_wall_ms(r->host) + 1000, 9, &r->arena, &out, &count),
                ERR_OK);
        assert_int_equal(count, 2);
}

/* A list that nobody looks after: what its moderators should read goes to the admin. */
static void to_the_admin_instead(struct rig *r)
{
        int64_t list = new_list(r, "plain", NULL);
        r->node.admin = S("boss@strict.test");
        assert_int_equal(store_moderator_remove(r->node.store, list, S("owner@strict.test")), ERR_OK);
        order(r, list, "settings-changed", "", 0, "a@b.test\n\nposting\ta\tb\n");
        run_mailer(r);
        assert_int_equal(messages(r), 1);
        struct store_queued *queued;
        struct store_waiting *rows;
        size_t count;
        arena_reset(&r->arena);
        assert_int_equal(store_queue(r->node.store, 0, 9, &r->arena, &queued, &count), ERR_OK);
        assert_int_equal(
                store_ticket_sign(r->node.store, queued[0].message, S("DKIM-Signature: x\r\n")), ERR_OK);
        assert_int_equal(
                store_queue_waiting(r->node.store, queued[0].message, 0, 9, &r->arena, &rows, &count),
                ERR_OK);
        assert_true(count == 1 && str_eq(rows[0].address, r->node.admin));
}

LIST_TEST(whole_life)
LIST_TEST(every_kind)
LIST_TEST(held_post)
LIST_TEST(no_room_for_one)
LIST_TEST(streams)
LIST_TEST(dropped)
LIST_TEST(to_all_moderators)
LIST_TEST(to_the_admin_instead)

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_whole_life),
                cmocka_unit_test(test_every_kind),
                cmocka_unit_test(test_held_post),
                cmocka_unit_test(test_no_room_for_one),
                cmocka_unit_test(test_streams),
                cmocka_unit_test(test_dropped),
                cmocka_unit_test(test_to_all_moderators),
                cmocka_unit_test(test_to_the_admin_instead),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
