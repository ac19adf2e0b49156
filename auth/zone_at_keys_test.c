/* SPDX-License-Identifier: ISC */
/* The key records: put back, replaced, removed, and what stands in their way. */
#include "auth/zone_sim.h"

/* Lesson: a second TXT beside the first, a wrong one under our selector. */
static void test_wrong_and_second_record(void **state)
{
        (void)state;
        for (int second = 0; second < 2; second++) {
                struct sim *s = world();
                struct zone *z = settled(s);
                s->servers[1].behaviour = LAGS;
                s->servers[1].lag_s = 100;
                if (!second)
                        assert_int_equal(erase_c(s, KEY), 1);
                add_c(s, KEY, "v=DKIM1; k=rsa; p=AAAA");
                run(s, z, 70);
                expect_events(s, "not-ready replaced");
                assert_int_equal(signs(s, z), 0);
                run(s, z, 120);
                expect_events(s, "served ready");
                assert_true(text_at(s, KEY).n > 100);
                assert_int_equal(s->updates, 3);
                free(z);
                free(s);
        }
}

static void test_too_many_records(void **state)
{
        (void)state;
        struct sim *s = world();
        struct zone *z = settled(s);
        for (int i = 0; i < ZONE_SEEN_MAX; i++)
                add_c(s, KEY, "junk");
        run(s, z, 65);
        assert_true(detail_has(s, "too many"));
        assert_int_equal(signs(s, z), 0);
        assert_int_equal(s->updates, 2);
        free(z);
        free(s);
}

static void test_key_put_back(void **state)
{
        (void)state;
        struct sim *s = world();
        struct zone *z = settled(s);
        assert_int_equal(erase_c(s, KEY), 1);
        run(s, z, 61);
        expect_events(s, "not-ready published served ready");
        assert_int_equal(signs(s, z), START);
        assert_int_equal(s->updates, 3);
        free(z);
        z = machine(); /* also by one that starts */
        assert_int_equal(erase_c(s, KEY), 1);
        run(s, z, 1);
        expect_events(s, "found published served ready");
        free(z);
        free(s);
}

/* A record that was gone and is back is new to the name servers, whoever put it back: we ourselves by an update
 * whose answer was lost, or another process that was faster. */
static void test_put_back_unheard(void **state)
{
        (void)state;
        for (int other = 0; other < 2; other++) {
                struct sim *s = world();
                struct zone *z = settled(s);
                char record[KEY_RECORD_MAX + 1] = {0};
                (void)record_text(S("dkim-1775138006"), record, KEY_RECORD_MAX);
                s->servers[1].behaviour = LAGS;
                s->servers[1].lag_s = 100;
                s->loses_answers = !other;
                assert_int_equal(erase_c(s, KEY), 1);
                while (z->state != ZONE_STATE_WRITE_KEY)
                        do_step(s, z);
                if (other)
                        add_c(s, KEY, record);
                run(s, z, 10);
                expect_events(s, other ? "not-ready key-found" : "not-ready trouble key-found");
                assert_int_equal(signs(s, z), 0);
                run(s, z, 120);
                expect_events(s, "served ready");
                assert_int_equal(s->updates, other ? 2 : 3);
                free(z);
                free(s);
        }
}

/* Where an alias stands no key of ours does. */
static void test_alias_at_the_key(void **state)
{
        (void)state;
        struct sim *s = world();
        struct zone *z = settled(s);
        s->alias = KEY;
        run(s, z, 59);
        expect_events(s, "trouble not-ready");
        assert_true(detail_has(s, "alias"));
        assert_int_equal(signs(s, z), 0);
        s->alias = NULL;
        run(s, z, 59);
        expect_events(s, "key-found served ready");
        free(z);
        free(s);
}

static const struct zone_update_result refused = {.status = ZONE_UPDATE_REFUSED, .rcode = DNS_RCODE_REFUSED};

/* A rotation that is refused for ever keeps nobody from looking at the key that signs meanwhile. */
static void test_key_gone_and_rotation_refused(void **state)
{
        (void)state;
        struct sim *s = world();
        struct zone *z = settled(s);
        s->now_s = START + 24 * DAY;
        s->says = refused;
        run(s, z, 300);
        assert_int_equal(signs(s, z), START);
        assert_true(s->steps < 10000 && detail_has(s, "REFUSED"));
        s->events_n = 0;
        assert_int_equal(erase_c(s, KEY), 1);
        run(s, z, 61);
        assert_int_equal(signs(s, z), 0);
        assert_int_equal(text_at(s, KEY).n, 0);
        free(z);
        free(s);
}

/* A refused key record: the old one, which signs meanwhile, is looked at all the same. */
static void test_old_key_gone_and_new_one_refused(void **state)
{
        (void)state;
        struct sim *s = world();
        struct zone *z = settled(s);
        s->now_s = START + 23 * DAY;
        while (z->state != ZONE_STATE_WRITE_KEY)
                do_step(s, z);
        s->says = refused;
        run(s, z, 61);
        assert_int_equal(signs(s, z), START);
        assert_int_equal(erase_c(s, KEY), 1);
        run(s, z, 61);
        assert_int_equal(signs(s, z), 0);
        unsigned steps = s->steps;
        run(s, z, 3600);
        assert_true(s->steps - steps < 3600 / ZONE_REST_S * 10); /* it does not hammer */
        s->says = (struct zone_update_result){.status = ZONE_UPDATE_DONE};
        run(s, z, 61);
        assert_int_equal(signs(s, z), START + 23 * DAY);
        free(z);
        free(s);
}

/* What stands in the way at an old key's name holds up neither the new key nor, later, anything but its own removal. */
static void test_old_key_spoilt(void **state)
{
        (void)state;
        for (int alias = 0; alias < 2; alias++) {
                struct sim *s = world();
                struct zone *z = settled(s);
                s->now_s = START + 23 * DAY;
                while (z->state != ZONE_STATE_WRITE_KEY)
                        do_step(s, z);
                if (alias)
                        erase_c(s, s->alias = KEY);
                else
                        for (int i = 0; i < ZONE_SEEN_MAX; i++)
                                add_c(s, KEY, "junk");
                run(s, z, 61);
                assert_int_equal(signs(s, z), START + 23 * DAY);
                run(s, z, 8 * DAY);
                assert_true(alias || detail_has(s, "too many"));
                struct zone_pointer pointer;
                assert_int_equal(zone_pointer_parse(text_at(s, POINTER), &pointer), ERR_OK);
                assert_int_equal(pointer.old_n, alias ? 0 : 1);
                run(s, z, 16 * DAY); /* the next rotation */
                assert_in_range(signs(s, z), START + 46 * DAY, START + 46 * DAY + 200);
                free(z);
                free(s);
        }
}

/* Another --validity was in force when the old key was left: it does not sign beyond its record. */
static void test_old_key_ends_with_its_record(void **state)
{
        (void)state;
        struct sim *s = world();
        free(settled(s));
        erase_c(s, POINTER);
        add_c(s, POINTER, "v=PTT1; e=1775200000; r=1775138006:1775738006; id=0102030405060708");
        s->now_s = 1775200000;
        s->servers[1].behaviour = SILENT;
        struct zone *z = machine();
        run(s, z, 60);
        assert_int_equal(signs(s, z), START);
        assert_int_equal(expiry_of_signing(s, z), 1775738006);
        free(z);
        free(s);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_wrong_and_second_record),
                cmocka_unit_test(test_too_many_records),
                cmocka_unit_test(test_key_put_back),
                cmocka_unit_test(test_put_back_unheard),
                cmocka_unit_test(test_alias_at_the_key),
                cmocka_unit_test(test_key_gone_and_rotation_refused),
                cmocka_unit_test(test_old_key_gone_and_new_one_refused),
                cmocka_unit_test(test_old_key_spoilt),
                cmocka_unit_test(test_old_key_ends_with_its_record),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
