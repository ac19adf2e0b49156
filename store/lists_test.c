/* SPDX-License-Identifier: ISC */
#include "store/rig.h"

static void add_and_find(struct rig *r)
{
        rig_start(r);
        const struct store_setting settings[] = {
                {S("posting"), S("open")}, {S("description"), S("")}, {S("who"), S("nobody")}};
        const struct str moderators[] = {S("Boss@Example.org"), S("boss@example.ORG")};
        const struct str members[] = {S("A.b@Example.net"), S("a.B@example.net"), S("c@example.net")};
        struct store_list_new new = {.name = S("Ptt"),
                .domain = S("MailingL.st"),
                .settings = settings,
                .setting_count = 3,
                .moderators = moderators,
                .moderator_count = 2,
                .members = members,
                .member_count = 3,
                .now_ms = 77};
        struct store_list list;
        struct store_member member;
        struct str *texts;
        size_t n;
        int64_t id, other;
        uint64_t members_now;
        assert_int_equal(store_list_add(r->s, &new, &id), ERR_OK);
        assert_true(id > 0);
        new.name = S("pTT");
        assert_int_equal(store_list_add(r->s, &new, &other), ERR_EXISTS);
        assert_int_equal(other, 0);

        assert_int_equal(store_list_find(r->s, S("PTT"), S("mailingl.ST"), &r->arena, &list), ERR_OK);
        assert_true(list.id == id && str_eq(list.name, S("ptt")) && str_eq(list.domain, S("mailingl.st")));
        assert_int_equal(list.setting_count, 2);
        assert_true(str_eq(store_list_setting(&list, S("posting"), S("subscribers")), S("open")));
        assert_true(str_eq(store_list_setting(&list, S("footer"), S("none")), S("none")));
        assert_int_equal(store_list_find(r->s, S("ptt"), S("other.st"), &r->arena, &list), ERR_NOT_FOUND);
        assert_int_equal(list.id, 0);
        static char long_name[600];
        assert_int_equal(
                store_list_find(r->s, str_of(long_name, 600), S("x"), &r->arena, &list), ERR_NOT_FOUND);
        assert_int_equal(store_list_get(r->s, id + 1, &r->arena, &list), ERR_NOT_FOUND);
        assert_int_equal(store_list_get(r->s, id, &r->arena, &list), ERR_OK);

        assert_int_equal(store_moderators(r->s, id, &r->arena, &texts, &n), ERR_OK);
        assert_true(n == 1 && str_eq(texts[0], S("Boss@Example.org")));
        assert_int_equal(store_member_count(r->s, id, &members_now), ERR_OK);
        assert_int_equal(members_now, 2);
        assert_int_equal(store_member_find(r->s, id, S("a.b@EXAMPLE.NET"), &r->arena, &member), ERR_OK);
        assert_true(
                str_eq(member.address, S("A.b@Example.net")) && member.joined_ms == 77 && member.list == id);
        assert_int_equal(store_member_get(r->s, member.id, &r->arena, &member), ERR_OK);
        assert_true(str_eq(member.address, S("A.b@Example.net")));
        assert_int_equal(store_member_find(r->s, id, S("b@example.net"), &r->arena, &member), ERR_NOT_FOUND);
        assert_int_equal(member.id, 0);
        assert_int_equal(
                store_member_find(r->s, id, str_of(long_name, 600), &r->arena, &member), ERR_NOT_FOUND);
        rig_stop(r);
}

static void change_members(struct rig *r)
{
        rig_start(r);
        int64_t list = rig_list(r, "one", 3), id, before, other;
        struct store_member *page;
        size_t n;
        assert_int_equal(store_member_add(r->s, list, S("m1@d1.EXAMPLE"), 5, &id), ERR_EXISTS);
        assert_int_equal(id, 0);
        assert_int_equal(store_member_add(r->s, list + 1, S("x@y"), 5, &id), ERR_NOT_FOUND);
        assert_int_equal(store_member_add(r->s, list, S("new@d1.example"), 5, &before), ERR_OK);
        assert_int_equal(store_member_remove(r->s, list, S("NEW@d1.example")), ERR_OK);
        assert_int_equal(store_member_remove(r->s, list, S("NEW@d1.example")), ERR_NOT_FOUND);
        /* an id is never used again, or "who joined before" would be a lie */
        assert_int_equal(store_member_add(r->s, list, S("new@d1.example"), 5, &id), ERR_OK);
        assert_true(id > before);
        assert_int_equal(store_members(r->s, list, 0, 3, &r->arena, &page, &n), ERR_OK);
        assert_int_equal(n, 3);
        assert_int_equal(store_members(r->s, list, page[2].id, 3, &r->arena, &page, &n), ERR_OK);
        assert_true(n == 1 && page[0].id == id);
        assert_int_equal(store_moderator_add(r->s, list, S("Boss@example.org")), ERR_EXISTS);
        assert_int_equal(store_moderator_add(r->s, 99, S("x@example.org")), ERR_NOT_FOUND);
        assert_int_equal(store_moderator_add(r->s, list, S("x@example.org")), ERR_OK);
        assert_int_equal(store_moderator_remove(r->s, list, S("X@example.org")), ERR_OK);
        assert_int_equal(store_moderator_remove(r->s, list, S("x@example.org")), ERR_NOT_FOUND);

        other = rig_list(r, "two", 1);
        const int64_t both[] = {list, other}, wrong[] = {list, 99};
        const struct str addresses[] = {S("m0@d0.example"), S("m1@d1.example"), S("z@z.example")};
        struct store_roll roll = {STORE_ADD_MEMBER, wrong, 2, addresses, 3, 9};
        size_t changed;
        assert_int_equal(store_roll_change(r->s, &roll, &changed), ERR_NOT_FOUND);
        assert_int_equal(store_members(r->s, list, 0, 100, &r->arena, &page, &n), ERR_OK);
        assert_int_equal(n, 4); /* all or nothing */
        roll.lists = both;
        assert_int_equal(store_roll_change(r->s, &roll, &changed), ERR_OK);
        assert_int_equal(changed, 3);
        roll.change = STORE_REMOVE_MEMBER;
        assert_int_equal(store_roll_change(r->s, &roll, &changed), ERR_OK);
        assert_int_equal(changed, 6);
        rig_stop(r);
}

static void whole_domains(struct rig *r)
{
        rig_start(r);
        rig_list(r, "b", 0);
        int64_t a = rig_list(r, "a.x-y", 0);
        struct store_list_new new = {.name = S("c"), .domain = S("Zoo.example")};
        struct store_list *lists;
        struct str *texts;
        size_t n;
        int64_t id;
        assert_int_equal(store_list_add(r->s, &new, &id), ERR_OK);
        assert_int_equal(store_moderator_add(r->s, a, S("second@example.org")), ERR_OK);
        assert_int_equal(store_moderator_add(r->s, id, S("zoo@example.org")), ERR_OK);
        assert_int_equal(store_lists(r->s, S(""), &r->arena, &lists, &n), ERR_OK);
        assert_true(n == 3 && str_eq(lists[0].name, S("a.x-y")) && str_eq(lists[2].name, S("c")));
        assert_int_equal(store_lists(r->s, S("EXAMPLE.org"), &r->arena, &lists, &n), ERR_OK);
        assert_int_equal(n, 2);
        assert_int_equal(store_domains(r->s, &r->arena, &texts, &n), ERR_OK);
        assert_true(n == 2 && str_eq(texts[0], S("example.org")) && str_eq(texts[1], S("zoo.example")));
        assert_int_equal(store_domain_moderators(r->s, S("Example.org"), &r->arena, &texts, &n), ERR_OK);
        assert_true(n == 2 && str_eq(texts[0], S("boss@example.org")) &&
                    str_eq(texts[1], S("second@example.org")));
        assert_int_equal(store_domain_moderators(r->s, S("no.example"), &r->arena, &texts, &n), ERR_OK);
        assert_int_equal(n, 0);
        assert_int_equal(store_setting_put(r->s, a, S("who"), S("nobody")), ERR_OK);
        assert_int_equal(store_setting_put(r->s, a, S("who"), S("moderators")), ERR_OK);
        assert_int_equal(store_setting_put(r->s, 99, S("who"), S("moderators")), ERR_NOT_FOUND);
        struct store_list list;
        assert_int_equal(store_list_get(r->s, a, &r->arena, &list), ERR_OK);
        assert_true(list.setting_count == 1 && str_eq(list.settings[0].value, S("moderators")));
        assert_int_equal(store_setting_put(r->s, a, S("who"), S("")), ERR_OK);
        assert_int_equal(store_list_get(r->s, a, &r->arena, &list), ERR_OK);
        assert_int_equal(list.setting_count, 0);
        rig_stop(r);
}

/* A full arena undoes nothing and breaks nothing. */
static void small_arena(struct rig *r)
{
        rig_start(r);
        int64_t id = rig_list(r, "ptt", 50);
        char memory[64];
        struct arena small;
        struct store_list list;
        struct store_member *members;
        size_t n;
        arena_init(&small, memory, 4);
        assert_int_equal(store_list_get(r->s, id, &small, &list), ERR_MEMORY);
        assert_int_equal(list.id, 0);
        arena_init(&small, memory, sizeof memory);
        assert_int_equal(store_members(r->s, id, 0, 50, &small, &members, &n), ERR_MEMORY);
        assert_true(members == NULL && n == 0);
        assert_int_equal(store_members(r->s, id, 0, 50, &r->arena, &members, &n), ERR_OK);
        assert_int_equal(n, 50);
        rig_stop(r);
}

RIG_CASE(add_and_find)
RIG_CASE(change_members)
RIG_CASE(whole_domains)
RIG_CASE(small_arena)

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_add_and_find),
                cmocka_unit_test(test_change_members),
                cmocka_unit_test(test_whole_domains),
                cmocka_unit_test(test_small_arena),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
