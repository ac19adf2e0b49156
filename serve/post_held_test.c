/* SPDX-License-Identifier: ISC */
/* Posts that moderators see first, that are refused by a ban, and that some members get no copy of. */
#include "serve/list_world.h"

#include "store/delivery.h"
#include "store/open_tickets.h"
#include "store/trace.h"

static size_t open_messages(struct rig *r)
{
        int64_t ids[64];
        size_t count;
        assert_int_equal(open_tickets(r->node.store, 0, 64, ids, &count), ERR_OK);
        return count;
}

static int64_t held_request(struct rig *r)
{
        wrote(r, "post-waits", "");
        return last_notice(r)->request;
}

static struct store_message message_of(struct rig *r, int64_t request)
{
        struct store_request row;
        struct store_message m;
        arena_reset(&r->arena);
        assert_int_equal(store_request_get(r->node.store, request, &r->arena, &row), ERR_OK);
        assert_int_not_equal(row.message, 0);
        assert_int_equal(store_message_get(r->node.store, row.message, &r->arena, &m), ERR_OK);
        return m;
}

static enum store_state state_of(struct rig *r, int64_t id)
{
        struct store_message m;
        assert_int_equal(store_message_get(r->node.store, id, &r->arena, &m), ERR_OK);
        return m.state;
}

/* Accepted: it goes out once. Rejected: never, and its space is free. */
static void held(struct rig *r)
{
        static const char *const moderated[] = {"posting", "moderated", NULL};
        struct store_trace *traces;
        size_t count;
        int64_t list = new_list(r, "held", moderated);
        write_to(r, "author@example.org", "held", "one", "hello", "250 2.0.0");
        int64_t first = held_request(r);
        struct store_message m = message_of(r, first);
        assert_int_equal(m.state, STORE_WAITING);
        assert_int_equal(open_messages(r), 0);
        write_to(r, "author@example.org", "held", "two", "hello", "250 2.0.0");
        int64_t second = held_request(r), second_message = message_of(r, second).id;
        assert_int_equal(r->node.stats.held, 2);
        uint64_t rung = r->node.handover_bell.rung;
        write_signed(r, "owner@strict.test", link_of(r, "held", "accept", first), "", "", "250 2.0.0");
        assert_int_equal(state_of(r, m.id), STORE_OPEN);
        assert_true(r->node.has_released && r->node.handover_bell.rung > rung);
        assert_true(has(newest(r), "\r\nSubject: one\r\n"));
        assert_int_equal(
                store_traces(r->node.store, S("<m1@example.org>"), list, 10, &r->arena, &traces, &count),
                ERR_OK);
        assert_int_equal(count, 2);
        assert_true(has(traces[0].text, "\naccepted by: owner@strict.test"));
        assert_false(has(traces[1].text, "accepted by"));
        write_signed(r, "owner@strict.test", link_of(r, "held", "reject", second), "", "", "250 2.0.0");
        assert_int_equal(state_of(r, second_message), STORE_DONE);
        wrote(r, "post-rejected", "author@example.org");
        assert_int_equal(open_messages(r), 1);
        size_t before = notices(r);
        write_signed(r, "owner@strict.test", link_of(r, "held", "accept", second), "", "", "");
        assert_int_equal(state_of(r, second_message), STORE_DONE);
        assert_true(notices(r) <= before + 1);
        /* moderators themselves need no moderator */
        write_signed(r, "owner@strict.test", "held", "three", "hello", "250 2.0.0");
        assert_int_equal(open_messages(r), 2);
}

/* Ten of one author wait, no more. */
static void crowded(struct rig *r)
{
        static const char *const moderated[] = {"posting", "moderated", NULL};
        new_list(r, "held", moderated);
        for (int i = 0; i < 10; i++)
                write_to(r, "author@example.org", "held", "x", "hello", "250 2.0.0");
        write_to(r, "author@example.org", "held", "x", "hello", "452 4.7.28");
        write_to(r, "other@example.org", "held", "x", "hello", "250 2.0.0");
        assert_int_equal(notices(r), 11);
        assert_int_equal(store_space(r->node.store).reserved, 0);
}

/* A member's first post waits; those after one was accepted do not. */
static void first_post(struct rig *r)
{
        static const char *const rule[] = {"first-post", "moderated", NULL};
        new_list(r, "first", rule);
        write_to(r, "author@example.org", "first", "one", "hello", "250 2.0.0");
        assert_int_equal(open_messages(r), 0);
        write_signed(
                r, "owner@strict.test", link_of(r, "first", "accept", held_request(r)), "", "", "250 2.0.0");
        assert_int_equal(open_messages(r), 1);
        write_to(r, "author@example.org", "first", "two", "hello", "250 2.0.0");
        assert_int_equal(open_messages(r), 2);
}

static void banned(struct rig *r)
{
        static const char *const open[] = {"posting", "open", NULL};
        int64_t list = new_list(r, "open", open);
        struct store_ban_new ban = {
                .list = list, .address = S("Eve@example.org"), .now_ms = host_wall_ms(r->host)};
        write_to(r, "eve@example.org", "open", "x", "hello", "250 2.0.0");
        assert_int_equal(store_ban_put(r->node.store, &ban), ERR_OK);
        write_to(r, "eve@example.org", "open", "x", "hello", "550 5.7.1");
        assert_int_equal(open_messages(r), 1);
        assert_int_equal(store_space(r->node.store).reserved, 0);
}

/* Sign all that waits, and count who is to get it. */
static size_t copies(struct rig *r)
{
        struct store_delivery *out, *due;
        size_t more;
        int64_t ids[64];
        size_t count;
        arena_reset(&r->arena);
        assert_int_equal(open_tickets(r->node.store, 0, 64, ids, &count), ERR_OK);
        for (size_t i = 0; i < count; i++)
                assert_int_equal(
                        store_ticket_sign(r->node.store, ids[i], S("DKIM-Signature: x\r\n")), ERR_OK);
        assert_int_equal(
                store_post_fill(r->node.store, host_wall_ms(r->host), 64, &r->arena, &out, &count), ERR_OK);
        assert_int_equal(
                store_delivery_due(r->node.store, host_wall_ms(r->host) + 1000, 64, &r->arena, &due, &more),
                ERR_OK);
        return count + more;
}

static void no_copies(struct rig *r)
{
        static const char *const skip[] = {"duplicates", "skip", NULL};
        int64_t list = new_list(r, "skip", skip), id;
        char text[500];
        assert_int_equal(store_member_add(r->node.store, list, S("b@b.test"), 1, &id), ERR_OK);
        assert_int_equal(store_member_add(r->node.store, list, S("c@c.test"), 1, &id), ERR_OK);
        write_to(r, "author@example.org", "skip", "x", "hello", "250 2.0.0");
        assert_int_equal(copies(r), 3);
        (void)snprintf(text, sizeof text, "%s",
                "From: author@example.org\r\nTo: skip@mailingl.st, \"B\" <B@b.test>\r\n"
                "Cc: friends: c@c.test, stranger@d.test;\r\n\r\nhello\r\n");
        deliver(r, &r->stranger_at, "author@example.org", "skip@mailingl.st", str_of_c(text), "250 2.0.0");
        assert_int_equal(copies(r), 1);
        assert_int_equal(
                store_member_options(r->node.store, list, S("author@example.org"), 0, STORE_NO_OWN), ERR_OK);
        deliver(r, &r->stranger_at, "author@example.org", "skip@mailingl.st", str_of_c(text), "250 2.0.0");
        assert_int_equal(copies(r), 0);
        write_to(r, "author@example.org", "skip", "x", "hello", "250 2.0.0");
        assert_int_equal(copies(r), 2);
}

/* Of a crowd in To, the first hundred are looked at. */
static void crowd_is_named(struct rig *r)
{
        static const char *const skip[] = {"duplicates", "skip", NULL};
        char text[8192];
        int64_t list = new_list(r, "crowd", skip), id;
        assert_int_equal(store_member_add(r->node.store, list, S("u99@b.test"), 1, &id), ERR_OK);
        assert_int_equal(store_member_add(r->node.store, list, S("u100@b.test"), 1, &id), ERR_OK);
        int n = snprintf(text, sizeof text, "From: author@example.org\r\nTo: u0@b.test");
        for (int i = 1; i < 200; i++)
                n += snprintf(text + n, sizeof text - (size_t)n, ",\r\n u%d@b.test", i);
        (void)snprintf(text + n, sizeof text - (size_t)n, "\r\n\r\nhello\r\n");
        deliver(r, &r->stranger_at, "author@example.org", "crowd@mailingl.st", str_of_c(text), "250 2.0.0");
        assert_int_equal(copies(r), 2); /* the author's, and u100's */
}

/* What goes out: the list's fields in front of the author's, and a trace of why. */
static void goes_out(struct rig *r)
{
        static const char *const changes[] = {"subject-prefix", "[x]", "footer", "The end.", NULL};
        struct store_trace *traces;
        size_t count;
        int64_t plain = new_list(r, "plain", NULL);
        write_to(r, "author@example.org", "plain", "one", "hello", "250 2.0.0");
        struct str got = newest(r);
        assert_true(has(got, "\r\nList-Id: <plain.mailingl.st>\r\n"));
        assert_true(has(got, "\r\nList-Unsubscribe: <mailto:plain-unsubscribe@mailingl.st>\r\n"));
        assert_true(has(got, "\r\nFrom: author@example.org\r\n"));
        assert_true(str_has_prefix(got, S("Received: ")));
        assert_true(str_has_suffix_nocase(got, S("Subject: one\r\n\r\nhello\r\n")));
        assert_int_equal(
                store_traces(r->node.store, S("<m1@example.org>"), plain, 10, &r->arena, &traces, &count),
                ERR_OK);
        assert_int_equal(count, 1);
        assert_true(has(traces[0].text, "author@example.org"));
        assert_true(has(traces[0].text, "from: no-policy\n"));
        new_list(r, "changes", changes);
        write_to(r, "author@example.org", "changes", "one", "hello", "250 2.0.0");
        assert_true(has(newest(r), "\r\nSubject: [x] one\r\n"));
        assert_true(has(newest(r), "The end."));
}

/* To the moderators, as it is, when the author is proven. */
static void to_owners(struct rig *r)
{
        new_list(r, "plain", NULL);
        write_to(r, "x@example.org", "plain-owner", "help", "please", "250 2.0.0");
        struct str got = newest(r);
        assert_true(has(got, "\r\nSubject: help\r\n"));
        assert_false(has(got, "List-Id:"));
        assert_int_equal(copies(r), 1);
        deliver(r, &r->stranger_at, "x@example.org", "plain-owner@mailingl.st",
                S("From: x@example.org\r\nAuto-Submitted: auto-replied\r\n\r\naway\r\n"), "554 5.7.1");
}

LIST_TEST(held)
LIST_TEST(crowded)
LIST_TEST(first_post)
LIST_TEST(banned)
LIST_TEST(no_copies)
LIST_TEST(crowd_is_named)
LIST_TEST(goes_out)
LIST_TEST(to_owners)

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_held),
                cmocka_unit_test(test_crowded),
                cmocka_unit_test(test_first_post),
                cmocka_unit_test(test_banned),
                cmocka_unit_test(test_no_copies),
                cmocka_unit_test(test_crowd_is_named),
                cmocka_unit_test(test_goes_out),
                cmocka_unit_test(test_to_owners),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
