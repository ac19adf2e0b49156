/* SPDX-License-Identifier: ISC */
/* What moderators are told from time to time. */
#include "serve/bounce_scene.h"

static void tell_now(struct scene *c)
{
        static char memory[128 * 1024];
        struct arena arena;
        arena_init(&arena, memory, sizeof memory);
        assert_int_equal(bounce_told_round(&c->rig->node, &arena, clock_ms), ERR_OK);
}

static void one_digest_a_day(struct rig *r)
{
        struct scene c;
        scene_begin(&c, r, 3);
        tell_now(&c);
        assert_int_equal(notices(r), 0);
        (void)post_fails(&c, "m1@", 550, REFUSED);
        tell_now(&c);
        assert_int_equal(notices_of(&c, "digest"), 1);
        for (int hour = 0; hour < 23; hour++) {
                clock_ms += DAY / 24;
                (void)post_fails(&c, "m1@", 550, REFUSED);
                tell_now(&c);
        }
        assert_int_equal(notices_of(&c, "digest"), 1);
        clock_ms += DAY / 24;
        tell_now(&c);
        assert_int_equal(notices_of(&c, "digest"), 2);
        clock_ms += 2 * DAY; /* nothing failed */
        tell_now(&c);
        assert_int_equal(notices_of(&c, "digest"), 2);
        struct store_message m = send_notices(&c);
        struct store_reader *reader;
        char text[16000];
        size_t got;
        assert_int_equal(store_reader_open(r->node.store, m.id, STORE_SENT, &reader), ERR_OK);
        assert_int_equal(store_reader_read(reader, 0, text, sizeof text, &got), ERR_OK);
        store_reader_close(reader);
        assert_true(str_find(str_of(text, got), S("no such address: 23\r\n")) < got);
        assert_true(str_find(str_of(text, got), S("m1@D.example: " REFUSED "\r\n")) < got);
        scene_end(&c);
}
LIST_TEST(one_digest_a_day)

/* A hundred are named, the rest is counted; page after page, and in the language of the list. */
static void many_failures(struct rig *r)
{
        struct scene c;
        static char text[64 * 1024];
        struct store_reader *reader;
        size_t got, lines = 0;
        scene_begin(&c, r, 130);
        assert_int_equal(store_setting_put(r->node.store, c.list, S("language"), S("fr")), ERR_OK);
        tell_now(&c);
        assert_int_equal(post_fails(&c, "m", 550, "550 5.7.1 no, by our policy"), 130);
        tell_now(&c);
        struct store_message m = send_notices(&c);
        assert_int_equal(store_reader_open(r->node.store, m.id, STORE_SENT, &reader), ERR_OK);
        assert_int_equal(store_reader_read(reader, 0, text, sizeof text, &got), ERR_OK);
        store_reader_close(reader);
        struct str mail = str_of(text, got), rest = mail;
        for (size_t at; (at = str_find(rest, S("@D.example: 550 5.7.1 no"))) < rest.n; lines++)
                rest = str_skip(rest, at + 1);
        assert_int_equal(lines, 100);
        assert_true(str_find(mail, S("et 30 de plus\r\n")) < mail.n);
        assert_true(str_find(mail, S(": 130\r\n")) < mail.n);
        scene_end(&c);
}
LIST_TEST(many_failures)

/* A clock that jumps ahead and back tells nothing twice, and does not fall silent for as long as it jumped. */
static void clock_jumps(struct rig *r)
{
        struct scene c;
        scene_begin(&c, r, 3);
        tell_now(&c);
        (void)post_fails(&c, "m1@", 550, REFUSED);
        clock_ms += 1000 * DAY;
        tell_now(&c);
        assert_int_equal(notices_of(&c, "digest"), 1);
        size_t reports = notices_of(&c, "report");
        clock_ms -= 1000 * DAY;
        tell_now(&c);
        (void)post_fails(&c, "m1@", 550, REFUSED);
        tell_now(&c);
        assert_int_equal(notices_of(&c, "digest"), 1);
        assert_int_equal(notices_of(&c, "report"), reports);
        clock_ms += DAY;
        tell_now(&c);
        assert_int_equal(notices_of(&c, "digest"), 2);
        scene_end(&c);
}
LIST_TEST(clock_jumps)

static void weekly_reports(struct rig *r)
{
        struct scene c;
        scene_begin(&c, r, 3);
        tell_now(&c); /* its first week begins */
        (void)post_fails(&c, "nobody", 0, "");
        clock_ms += 7 * DAY - 1;
        tell_now(&c);
        assert_int_equal(notices_of(&c, "report"), 0);
        clock_ms += 1;
        tell_now(&c);
        tell_now(&c);
        assert_int_equal(notices_of(&c, "report"), 1);
        struct store_notice n = *last_notice(r);
        assert_true(str_find(n.data, S("members: 4\n")) < n.data.n);
        assert_true(str_find(n.data, S("posts: 1\n")) < n.data.n);
        assert_true(str_find(n.data, S("copies delivered: 4\n")) < n.data.n);
        assert_true(str_find(n.data, S("  D.example: 0 s\n")) < n.data.n);
        drop_notices(&c);
        clock_ms += 7 * DAY; /* nothing was posted, nobody came or went */
        tell_now(&c);
        assert_int_equal(notices_of(&c, "report"), 0);
        assert_int_equal(store_member_remove(r->node.store, c.list, S("m1@d.example")), ERR_OK);
        clock_ms += 7 * DAY;
        tell_now(&c);
        assert_int_equal(notices_of(&c, "report"), 1);
        n = *last_notice(r);
        assert_true(str_find(n.data, S("left: 1\n")) < n.data.n);
        assert_int_equal(store_setting_put(r->node.store, c.list, S("report"), S("off")), ERR_OK);
        (void)post_fails(&c, "nobody", 0, "");
        clock_ms += 7 * DAY;
        tell_now(&c);
        assert_int_equal(notices_of(&c, "report"), 1);
        scene_end(&c);
}
LIST_TEST(weekly_reports)

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_one_digest_a_day),
                cmocka_unit_test(test_many_failures),
                cmocka_unit_test(test_clock_jumps),
                cmocka_unit_test(test_weekly_reports),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
