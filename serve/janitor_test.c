/* SPDX-License-Identifier: ISC */
/* What time ends. */
#include "serve/list_world.h"

#include "list/decide.h"
#include "serve/act.h"
#include "store/ask.h"
#include "store/trace.h"

#define DAY_MS (24LL * 60 * 60 * 1000)

static int64_t ask(
        struct rig *r, int64_t list, unsigned purpose, const char *address, int64_t message, int64_t age_ms)
{
        int64_t id;
        struct store_request_new row = {.list = list,
                .purpose = purpose,
                .address = str_of_c(address),
                .data = S("m1@example.org"),
                .message = message,
                .now_ms = host_wall_ms(r->host) - age_ms};
        assert_int_equal(store_request_add(r->node.store, &row, &id), ERR_OK);
        return id;
}

static bool waits(struct rig *r, int64_t request)
{
        struct store_request row;
        arena_reset(&r->arena);
        enum err e = store_request_get(r->node.store, request, &r->arena, &row);
        assert_true(e == ERR_OK || e == ERR_NOT_FOUND);
        return e == ERR_OK;
}

static void requests(struct rig *r)
{
        int64_t list = new_list(r, "plain", NULL);
        int64_t old = ask(r, list, REQUEST_JOIN_CONFIRM, "old@example.org", 0, 7 * DAY_MS + 1);
        int64_t young = ask(r, list, REQUEST_JOIN_CONFIRM, "young@example.org", 0, 7 * DAY_MS - 60000);
        run_janitor(r);
        assert_false(waits(r, old));
        assert_true(waits(r, young));
        assert_int_equal(r->node.stats.expired, 1);
        assert_int_equal(notices(r), 0); /* nobody is told of what nobody else saw */
}

/* The post goes, its space is free, and its author is told, once. */
static void held_posts(struct rig *r)
{
        static const char *const moderated[] = {"posting", "moderated", NULL};
        struct store_request row;
        struct store_message m;
        int64_t list = new_list(r, "held", moderated);
        write_to(r, "author@example.org", "held", "x", "hello", "250 2.0.0");
        assert_int_equal(store_request_get(r->node.store, last_notice(r)->request, &r->arena, &row), ERR_OK);
        int64_t message = row.message;
        assert_int_equal(store_request_end(r->node.store, row.id), ERR_OK);
        int64_t old = ask(r, list, REQUEST_POST, "author@example.org", message, 8 * DAY_MS);
        run_janitor(r);
        assert_false(waits(r, old));
        wrote(r, "post-expired", "author@example.org");
        assert_int_equal(store_message_get(r->node.store, message, &r->arena, &m), ERR_OK);
        assert_int_equal(m.state, STORE_DONE);
        assert_int_equal(store_space(r->node.store).used, 0);
        size_t before = notices(r);
        run_janitor(r);
        assert_int_equal(notices(r), before);
}

/* On a full disk there is no room to tell anybody, but a held post must give up its own. */
static void held_posts_of_a_full_disk(struct rig *r)
{
        static const char *const moderated[] = {"posting", "moderated", NULL};
        struct store_request row;
        int64_t list = new_list(r, "held", moderated);
        write_to(r, "author@example.org", "held", "x", "hello", "250 2.0.0");
        assert_int_equal(store_request_get(r->node.store, last_notice(r)->request, &r->arena, &row), ERR_OK);
        int64_t message = row.message;
        assert_int_equal(store_request_end(r->node.store, row.id), ERR_OK);
        int64_t old = ask(r, list, REQUEST_POST, "author@example.org", message, 8 * DAY_MS);
        size_t before = notices(r);
        r->node.store->is_tight = true; /* until the end of the next change */
        run_janitor(r);
        assert_false(waits(r, old));
        assert_int_equal(store_space(r->node.store).used, 0);
        assert_true(notices(r) <= before + 1);
}

static enum err tell_without_room(struct store *s, void *ctx)
{
        struct act *a = ctx;
        struct decision d = {.count = 1};
        d.actions[0] = (struct decide_action){
                .kind = DECIDE_TELL, .notice = NOTICE_HELP, .address = S("author@example.org")};
        s->is_tight = true;
        return act_carry_out(a, &d);
}

/* Only what frees room may leave its mail out. */
static void tells_if_room(struct rig *r)
{
        struct act a = {.node = &r->node, .arena = &r->arena, .list = new_list(r, "plain", NULL)};
        assert_int_equal(store_together(r->node.store, tell_without_room, &a), ERR_FULL);
        a.tells_if_room = true;
        assert_int_equal(store_together(r->node.store, tell_without_room, &a), ERR_OK);
        assert_false(a.has_told);
        assert_int_equal(notices(r), 0);
}

static void bans_and_traces(struct rig *r)
{
        int64_t list = new_list(r, "plain", NULL), now_ms = host_wall_ms(r->host);
        struct store_ban *bans;
        struct store_trace *traces;
        size_t count;
        struct store_ban_new ban = {
                .list = list, .address = S("a@a.test"), .now_ms = now_ms - DAY_MS, .until_ms = now_ms - 1};
        assert_int_equal(store_ban_put(r->node.store, &ban), ERR_OK);
        ban.address = S("b@b.test");
        ban.until_ms = 0;
        assert_int_equal(store_ban_put(r->node.store, &ban), ERR_OK);
        write_to(r, "author@example.org", "plain", "x", "hello", "250 2.0.0");
        run_janitor(r);
        arena_reset(&r->arena);
        assert_int_equal(store_bans(r->node.store, list, S(""), 10, &r->arena, &bans, &count), ERR_OK);
        assert_int_equal(count, 1);
        assert_int_equal(
                store_traces(r->node.store, S("<m1@example.org>"), list, 10, &r->arena, &traces, &count),
                ERR_OK);
        assert_int_equal(count, 1);
}

LIST_TEST(requests)
LIST_TEST(held_posts)
LIST_TEST(held_posts_of_a_full_disk)
LIST_TEST(tells_if_room)
LIST_TEST(bans_and_traces)

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_requests),
                cmocka_unit_test(test_held_posts),
                cmocka_unit_test(test_held_posts_of_a_full_disk),
                cmocka_unit_test(test_tells_if_room),
                cmocka_unit_test(test_bans_and_traces),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
