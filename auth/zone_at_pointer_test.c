/* SPDX-License-Identifier: ISC */
/* The pointer: ours, another's, none, spoilt. */
#include "auth/zone_sim.h"

static void test_foreign_password(void **state)
{
        (void)state;
        struct sim *s = world();
        free(settled(s));
        struct zone *z = machine_with_id(9);
        run(s, z, DAY);
        expect_events(s, "trouble");
        assert_true(detail_has(s, "another password"));
        assert_true(detail_has(s, "0102030405060708"));
        assert_int_equal(signs(s, z), 0);
        assert_int_equal(s->updates, 2);
        assert_int_equal(s->derivations, 1);
        free(z);
        free(s);
}

static void test_taken_over_while_running(void **state)
{
        (void)state;
        struct sim *s = world();
        struct zone *z = settled(s);
        assert_int_equal(erase_c(s, POINTER), 1);
        add_c(s, POINTER, "v=PTT1; e=1775200000; id=ffffffffffffffff");
        run(s, z, 120);
        expect_events(s, "trouble not-ready");
        assert_int_equal(s->updates, 2);
        assert_int_equal(erase_c(s, POINTER), 1); /* and given back */
        add_c(s, POINTER, "v=PTT1; e=1775138006; id=0102030405060708");
        run(s, z, 120);
        expect_events(s, "found key-found ready");
        free(z);
        free(s);
}

static void test_pointer_put_back(void **state)
{
        (void)state;
        struct sim *s = world();
        struct zone *z = settled(s);
        assert_int_equal(erase_c(s, POINTER), 1);
        run(s, z, 61);
        expect_events(s, "created");
        assert_true(str_eq(text_at(s, POINTER), S("v=PTT1; e=1775138006; id=0102030405060708")));
        assert_int_equal(signs(s, z), START);
        free(z);
        free(s);
}

static void test_pointer_of_others(void **state)
{
        (void)state;
        static const char *const texts[] = {"hello", "v=PTT2; e=3; id=0102030405060708", "v=PTT1; e=x"};
        for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
                for (int running = 0; running < 2; running++) {
                        struct sim *s = world();
                        struct zone *z = running ? settled(s) : machine();
                        unsigned updates = s->updates;
                        erase_c(s, POINTER);
                        add_c(s, POINTER, texts[i]);
                        run(s, z, 61);
                        assert_true(detail_has(s, "no pointer of this program"));
                        assert_int_equal(s->updates, updates);
                        assert_int_equal(signs(s, z), running ? START : 0); /* the key is still published */
                        free(z);
                        free(s);
                }
        struct sim *s = world();
        struct zone *z = settled(s);
        add_c(s, POINTER, "v=PTT1; e=1; id=0102030405060708");
        run(s, z, 61);
        assert_true(detail_has(s, "more than one"));
        assert_int_equal(s->updates, 2);
        free(z);
        free(s);
}

static void test_alias(void **state)
{
        (void)state;
        struct sim *s = world();
        struct zone *z = machine();
        s->has_alias = true;
        run(s, z, 30);
        assert_true(detail_has(s, "alias"));
        assert_int_equal(s->updates, 0);
        free(z);
        free(s);
}

/* Whatever somebody has put at the pointer, the keys that sign are looked at, and nothing is changed. */
static void test_key_gone_and_pointer_spoilt(void **state)
{
        (void)state;
        for (int alias = 0; alias < 2; alias++) {
                struct sim *s = world();
                struct zone *z = settled(s);
                if (alias)
                        s->alias = POINTER;
                else
                        add_c(s, POINTER, "v=PTT1; e=1; id=0102030405060708");
                run(s, z, 59);
                expect_events(s, "trouble");
                assert_int_equal(signs(s, z), START);
                assert_int_equal(erase_c(s, KEY), 1);
                run(s, z, 59);
                expect_events(s, "trouble not-ready");
                assert_int_equal(signs(s, z), 0);
                assert_int_equal(s->updates, 2);
                s->alias = NULL;
                erase_c(s, POINTER);
                run(s, z, 59);
                expect_events(s, "created published served ready");
                assert_int_equal(signs(s, z), START);
                free(z);
                free(s);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_foreign_password),
                cmocka_unit_test(test_taken_over_while_running),
                cmocka_unit_test(test_pointer_put_back),
                cmocka_unit_test(test_pointer_of_others),
                cmocka_unit_test(test_alias),
                cmocka_unit_test(test_key_gone_and_pointer_spoilt),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
