/* SPDX-License-Identifier: ISC */
/* Another password, revoked keys, and zones that forget: what replaces, revokes and restores. */
#include "auth/zone_sim.h"

static struct zone *machine_with_mode(uint8_t id, enum zone_mode mode)
{
        struct zone_config config = usual_config(id);
        config.mode = mode;
        return machine_of(&config);
}

static void expect_pointer(const struct sim *s, const char *text)
{
        if (!str_eq(text_at(s, POINTER), str_of_c(text)))
                fail_msg("pointer: %.*s; expected: %s", STR_ARG(text_at(s, POINTER)), text);
}

/* --replace: a new epoch, and the other's records stand until their time. */
static void test_replace(void **state)
{
        (void)state;
        struct sim *s = world();
        struct zone *old = settled(s);
        int64_t at = s->now_s;
        struct str record = text_at(s, KEY);
        struct zone *z = machine_with_mode(9, ZONE_REPLACES);
        run(s, z, 2);
        expect_events(s, "taken-over found published served ready");
        assert_int_equal(signs(s, z), at);
        assert_true(str_eq(text_at(s, KEY), record));
        struct zone_pointer pointer;
        assert_int_equal(zone_pointer_parse(text_at(s, POINTER), &pointer), ERR_OK);
        assert_true(pointer.old_n == 1 && pointer.old[0].is_former && pointer.old[0].epoch == START);
        assert_int_equal(pointer.old[0].until_s, START + 30 * DAY);
        run(s, old, 120); /* the one whose keys these were */
        assert_int_equal(signs(s, old), 0);
        s->events_n = 0;
        run(s, z, START + 30 * DAY - 60 - s->now_s);
        assert_true(str_eq(text_at(s, KEY), record));
        run(s, z, 3600 + 200);
        assert_int_equal(text_at(s, KEY).n, 0);
        free(old);
        free(z);
        free(s);
}

/* Two that replace do not fight: who was replaced stays so. */
static void test_replaced_once(void **state)
{
        (void)state;
        struct sim *s = world();
        struct zone *first = machine_with_mode(1, ZONE_REPLACES),
                    *second = machine_with_mode(2, ZONE_REPLACES);
        run(s, first, 100);
        run(s, second, 100);
        run(s, first, 100);
        run(s, second, 100);
        assert_int_equal(signs(s, first), 0);
        assert_true(signs(s, second) != 0);
        assert_int_equal(s->updates, 4);
        free(first);
        free(second);
        free(s);
}

/* --revoke with a new password: the pointer moves, older records are empty, the old password's signers stop. */
static void test_revoke(void **state)
{
        (void)state;
        struct sim *s = world();
        struct zone *old = settled(s);
        int64_t at = s->now_s;
        struct zone *z = machine_with_mode(9, ZONE_REVOKES);
        run(s, z, 2);
        expect_events(s, "taken-over emptied");
        assert_int_equal(zone_revoked(z), ERR_OK);
        assert_true(str_eq(text_at(s, KEY), S("v=DKIM1; k=rsa; p=")));
        run(s, old, 120);
        assert_int_equal(signs(s, old), 0);
        assert_true(str_eq(text_at(s, KEY), S("v=DKIM1; k=rsa; p=")));
        s->events_n = 0;
        struct zone *next = machine_with_id(9);
        run(s, next, 2);
        expect_events(s, "found published served ready");
        assert_int_equal(signs(s, next), at);
        run(s, next, 25 * DAY); /* named as long as somebody may still hold it for good, then gone */
        assert_true(text_at(s, KEY).n > 0);
        run(s, next, 8 * DAY);
        assert_int_equal(text_at(s, KEY).n, 0);
        free(old);
        free(z);
        free(next);
        free(s);
}

/* With the same password: signers that run move on by themselves, also one that slept through it. */
static void test_revoke_with_same_password(void **state)
{
        (void)state;
        struct sim *s = world();
        struct zone *running = settled(s), *asleep = machine();
        run(s, asleep, 100);
        int64_t at = s->now_s;
        struct zone *z = machine_with_mode(1, ZONE_REVOKES_SAME);
        s->events_n = 0;
        run(s, z, 2);
        expect_events(s, "taken-over emptied");
        assert_int_equal(zone_revoked(z), ERR_OK);
        run(s, running, 120);
        expect_events(s, "found not-ready published served ready");
        assert_int_equal(signs(s, running), at);
        run(s, running, 20 * DAY);
        run(s, asleep, 120);
        assert_int_equal(signs(s, asleep), at);
        assert_true(str_eq(text_at(s, KEY), S("v=DKIM1; k=rsa; p=")));
        free(running);
        free(asleep);
        free(z);
        free(s);
}

/* A replica whose clock is behind does not put back what was revoked; nor does it count as revoked when our own clock
 * is set back meanwhile. */
static void test_revoke_with_clocks_apart(void **state)
{
        (void)state;
        struct sim *s = world();
        struct zone *running = settled(s), *z = machine_with_mode(1, ZONE_REVOKES_SAME);
        const struct str empty = S("v=DKIM1; k=rsa; p=");
        unsigned updates = s->updates;
        while (s->updates == updates)
                do_step(s, z);
        s->now_s -= 30;
        run(s, z, 2);
        assert_int_equal(zone_revoked(z), ERR_OK);
        assert_true(str_eq(text_at(s, KEY), empty));
        s->now_s -= ZONE_CLOCKS_APART_S - 60;
        for (int i = 0; i < 1000; i++) {
                do_step(s, running);
                assert_true(str_eq(text_at(s, KEY), empty));
        }
        assert_true(signs(s, running) > START);
        free(running);
        free(z);
        free(s);
}

static void test_revoke_refused(void **state)
{
        (void)state;
        static const struct {
                uint8_t id;
                enum zone_mode mode;
                bool has_zone;
                enum err outcome;
                const char *says;
        } cases[] = {
                {1, ZONE_REVOKES, true, ERR_DENIED, "this very password"},
                {9, ZONE_REVOKES_SAME, true, ERR_DENIED, "leave out --same-password"},
                {1, ZONE_REVOKES, false, ERR_NOT_FOUND, ""},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct sim *s = world();
                if (cases[i].has_zone)
                        free(settled(s));
                unsigned updates = s->updates;
                struct zone *z = machine_with_mode(cases[i].id, cases[i].mode);
                run(s, z, 10);
                assert_int_equal(zone_revoked(z), cases[i].outcome);
                assert_true(cases[i].says[0] == '\0' || detail_has(s, cases[i].says));
                assert_int_equal(s->updates, updates);
                free(z);
                free(s);
        }
}

/* Its answers are lost, and the zone is away in between: it ends where it should, with one new epoch. */
static void test_revoke_in_trouble(void **state)
{
        (void)state;
        struct sim *s = world();
        free(settled(s));
        struct zone *z = machine_with_mode(9, ZONE_REVOKES);
        s->loses_answers = true;
        run(s, z, 3);
        s->is_down = true;
        run(s, z, 60);
        assert_int_equal(zone_revoked(z), ERR_AGAIN);
        s->is_down = false;
        run(s, z, 120);
        assert_int_equal(zone_revoked(z), ERR_OK);
        assert_int_equal(s->updates, 4);
        free(z);
        free(s);
}

/* The zone was restored from before all, and another process has begun anew: what the first one signed still verifies. */
static void test_restored_and_begun_anew(void **state)
{
        (void)state;
        struct sim *s = world();
        struct zone *z = settled(s);
        struct str record = text_at(s, KEY);
        char kept[KEY_RECORD_MAX];
        memcpy(kept, record.p, record.n);
        s->zone = (struct fake_zone){0};
        struct zone *other = machine();
        int64_t at = s->now_s;
        run(s, other, 10);
        assert_int_equal(signs(s, other), at);
        s->events_n = 0;
        run(s, z, 120);
        assert_int_equal(signs(s, z), at);
        assert_true(str_eq(text_at(s, KEY), str_of(kept, record.n)));
        char text[128];
        struct wr w;
        wr_init(&w, text, sizeof text - 1);
        wr_str(&w, S("v=PTT1; e="));
        wr_u64(&w, (uint64_t)at);
        wr_str(&w, S("; r=1775138006:1777730006; id=0102030405060708"));
        text[w.n] = '\0';
        expect_pointer(s, text);
        run(s, other, 120);
        expect_pointer(s, text);
        free(z);
        free(other);
        free(s);
}

/* A restored zone that refuses updates: the keys are looked at all the same. */
static void test_restored_and_refused(void **state)
{
        (void)state;
        struct sim *s = world();
        struct zone *z = settled(s);
        erase_c(s, POINTER);
        s->says = (struct zone_update_result){.status = ZONE_UPDATE_REFUSED, .rcode = DNS_RCODE_REFUSED};
        run(s, z, 130);
        assert_int_equal(signs(s, z), START);
        assert_int_equal(erase_c(s, KEY), 1);
        run(s, z, 61);
        assert_int_equal(signs(s, z), 0);
        s->says = (struct zone_update_result){.status = ZONE_UPDATE_DONE};
        run(s, z, 61);
        assert_int_equal(signs(s, z), START);
        expect_pointer(s, "v=PTT1; e=1775138006; id=0102030405060708");
        free(z);
        free(s);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_replace),
                cmocka_unit_test(test_replaced_once),
                cmocka_unit_test(test_revoke),
                cmocka_unit_test(test_revoke_with_same_password),
                cmocka_unit_test(test_revoke_with_clocks_apart),
                cmocka_unit_test(test_revoke_refused),
                cmocka_unit_test(test_revoke_in_trouble),
                cmocka_unit_test(test_restored_and_begun_anew),
                cmocka_unit_test(test_restored_and_refused),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
