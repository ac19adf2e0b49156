/* SPDX-License-Identifier: ISC */
/* The life of a zone as a whole: starts and restarts, rotation, replicas, and clocks that are wrong. */
#include "auth/zone_sim.h"

static void test_first_start(void **state)
{
        (void)state;
        struct sim *s = world();
        struct zone *z = machine();
        assert_int_equal(signs(s, z), 0);
        run(s, z, 1);
        expect_events(s, "created found published served ready");
        assert_int_equal(signs(s, z), START);
        assert_int_equal(expiry_of_signing(s, z), START + 30 * DAY);
        assert_int_equal(s->updates, 2);
        assert_true(str_eq(text_at(s, POINTER), S("v=PTT1; e=1775138006; id=0102030405060708")));
        run(s, z, 2 * DAY);
        expect_events(s, "");
        assert_int_equal(s->updates, 2);
        free(z);
        free(s);
}

/* Lesson: a restart gave another key, or touched the zone. */
static void test_restarts_change_nothing(void **state)
{
        (void)state;
        struct sim *s = world();
        free(settled(s));
        for (int i = 0; i < 50; i++) {
                struct zone *z = machine();
                run(s, z, 1);
                expect_events(s, "found key-found ready");
                assert_int_equal(signs(s, z), START);
                run(s, z, 100);
                free(z);
        }
        assert_int_equal(s->updates, 2);
        free(s);
}

static void test_dns_down_at_start(void **state)
{
        (void)state;
        struct sim *s = world();
        struct zone *z = machine();
        s->is_down = true;
        run(s, z, 300);
        assert_true(detail_has(s, "timed out"));
        assert_true(detail_has(s, "_ptt._domainkey.lists.example.org TXT"));
        assert_true(s->steps < 40); /* it does not hammer */
        s->events_n = 0;
        s->is_down = false;
        run(s, z, 61);
        expect_events(s, "created found published served ready");
        free(z);
        free(s);
}

static void test_dns_down_while_running(void **state)
{
        (void)state;
        struct sim *s = world();
        struct zone *z = settled(s);
        s->is_down = true;
        run(s, z, 10 * DAY);
        assert_int_equal(signs(s, z), START);
        s->events_n = 0;
        while (s->now_s < START + 24 * DAY) /* what is signed must outlive a queue of five days */
                do_step(s, z);
        assert_int_equal(signs(s, z), START);
        s->events_n = 0;
        while (s->now_s < START + 25 * DAY + 120)
                do_step(s, z), s->events_n = s->events_n > 3000 ? 0 : s->events_n;
        assert_int_equal(signs(s, z), 0);
        s->is_down = false;
        s->events_n = 0;
        run(s, z, 70);
        expect_events(s, "chosen found published served ready");
        free(z);
        free(s);
}

/* The whole life of a key: announced, published, switched to, kept, emptied, removed. Lesson: old records never removed. */
static void test_rotation(void **state)
{
        (void)state;
        struct sim *s = world();
        struct zone *z = settled(s);
        s->servers[1].behaviour = LAGS;
        s->servers[1].lag_s = 200;
        run(s, z, START + 22 * DAY - 10 - s->now_s);
        expect_events(s, "");
        run(s, z, 200);
        expect_events(s, "announced published");
        assert_true(
                str_eq(text_at(s, POINTER), S("v=PTT1; e=1775138006; n=1777125206; id=0102030405060708")));
        run(s, z, 100);
        expect_events(s, "served"); /* and nothing more until it is its turn, to the second */
        run(s, z, START + 23 * DAY - 2 - s->now_s);
        expect_events(s, "");
        assert_int_equal(signs(s, z), START);
        run(s, z, 3);
        expect_events(s, "chosen found ready");
        assert_int_equal(signs(s, z), START + 23 * DAY);
        assert_int_equal(s->updates, 5);
        run(s, z, START + 30 * DAY - 2 - s->now_s); /* until x= of the last signature of the old key */
        expect_events(s, "");
        assert_true(text_at(s, KEY).n > 100);
        run(s, z, 3);
        expect_events(s, "emptied");
        assert_true(str_eq(text_at(s, KEY), S("v=DKIM1; k=rsa; p=")));
        run(s, z, 3600 - 150);
        expect_events(s, "");
        run(s, z, 150); /* one TTL later */
        expect_events(s, "removed forgotten");
        assert_int_equal(text_at(s, KEY).n, 0);
        assert_true(str_eq(text_at(s, POINTER), S("v=PTT1; e=1777125206; id=0102030405060708")));
        assert_int_equal(signs(s, z), START + 23 * DAY);
        free(z);
        free(s);
}

/* A year: sixteen keys, never more than three at once, and always one that signs. */
static void test_a_year(void **state)
{
        (void)state;
        struct sim *s = world();
        struct zone *z = settled(s);
        while (s->now_s < START + 365 * DAY) {
                do_step(s, z);
                s->events_n = 0;
                assert_true(signs(s, z) != 0);
                size_t standing = fake_zone_all(&s->zone);
                assert_true(standing <= 4);
        }
        assert_int_equal(s->derivations, 16);
        free(z);
        free(s);
}

/* A restart in the middle of a rotation: the old key signs on until the new one is everywhere. */
static void test_restart_while_rotating(void **state)
{
        (void)state;
        struct sim *s = world();
        free(settled(s));
        s->servers[1].behaviour = LAGS;
        s->servers[1].lag_s = 500;
        s->now_s = START + 23 * DAY;
        struct zone *z = machine();
        run(s, z, 30);
        expect_events(s, "found key-found ready announced published");
        assert_int_equal(signs(s, z), START);
        free(z);
        z = machine();
        run(s, z, 30);
        expect_events(s, "found key-found ready key-found");
        assert_int_equal(signs(s, z), START);
        run(s, z, 600);
        expect_events(s, "served chosen found ready");
        assert_int_equal(signs(s, z), START + 23 * DAY);
        free(z);
        free(s);
}

/* Lesson: a restart after expiry published the old key under a new selector, then a second TXT beside it. */
static void test_start_after_long_absence(void **state)
{
        (void)state;
        struct sim *s = world();
        free(settled(s));
        s->now_s = START + 90 * DAY;
        struct zone *z = machine();
        run(s, z, 2);
        expect_events(s, "found chosen found published served ready emptied");
        assert_int_equal(signs(s, z), START + 90 * DAY);
        run(s, z, 3661);
        expect_events(s, "removed forgotten");
        assert_int_equal(text_at(s, KEY).n, 0);
        free(z);
        free(s);
}

/* Any number of replicas: the zone settles who chooses. */
static void test_replicas(void **state)
{
        (void)state;
        struct sim *s = world();
        struct zone *replicas[4];
        for (size_t i = 0; i < 4; i++)
                replicas[i] = machine();
        unsigned at = 0;
        while (s->now_s < START + 60 * DAY) { /* step by step in turn: the clock runs four times as fast */
                do_step(s, replicas[at++ % 4]);
                s->events_n = 0;
                assert_true(text_at(s, POINTER).n > 0 || s->now_s < START + 60);
        }
        for (size_t i = 0; i < 4; i++) {
                for (int k = 0; k < 20; k++)
                        do_step(s, replicas[i]);
                assert_true(signs(s, replicas[i]) == signs(s, replicas[0]));
        }
        size_t standing = fake_zone_all(&s->zone);
        assert_in_range(standing, 2, 4);
        assert_in_range(s->updates, 14, 16); /* one change a fact, not one a replica */
        for (size_t i = 0; i < 4; i++)
                free(replicas[i]);
        free(s);
}

/* A clock that is wrong cannot change the zone: TSIG says BADTIME. It stops signing at most, and goes on when it is right. */
static void test_clock_jumps(void **state)
{
        (void)state;
        static const struct {
                int64_t by_s;
                bool signs;
        } jumps[] = {{DAY, true}, {-DAY, true}, {365 * DAY, false}, {-365 * DAY, true}};
        for (size_t i = 0; i < sizeof jumps / sizeof jumps[0]; i++) {
                struct sim *s = world();
                struct zone *z = settled(s);
                s->now_s += jumps[i].by_s;
                s->says = (struct zone_update_result){.status = ZONE_UPDATE_REFUSED,
                        .rcode = DNS_RCODE_NOTAUTH,
                        .tsig_error = DNS_RCODE_BADTIME,
                        .server_time_s = (uint64_t)(s->now_s - jumps[i].by_s),
                        .our_time_s = (uint64_t)s->now_s};
                run(s, z, 600);
                assert_int_equal(signs(s, z), jumps[i].signs ? START : 0);
                s->now_s -= jumps[i].by_s;
                s->says = (struct zone_update_result){.status = ZONE_UPDATE_DONE};
                run(s, z, 61);
                assert_int_equal(signs(s, z), START);
                assert_true(text_at(s, KEY).n > 0);
                assert_true(str_eq(text_at(s, POINTER), S("v=PTT1; e=1775138006; id=0102030405060708")));
                assert_int_equal(s->updates, 2);
                free(z);
                free(s);
        }
}

/* A primary that was restored from a backup, older than the last rotation: what it has lost is put back. */
static void test_zone_restored(void **state)
{
        (void)state;
        struct sim *s = world();
        struct zone *z = settled(s);
        struct fake_zone *backup = malloc(sizeof *backup);
        assert_non_null(backup);
        *backup = s->zone;
        run(s, z, 23 * DAY);
        int64_t second = signs(s, z);
        assert_true(second > START);
        s->events_n = 0;
        s->zone = *backup;
        run(s, z, 61);
        expect_events(s, "restored ready published served ready");
        assert_int_equal(signs(s, z), second);
        assert_published(s, z);
        assert_int_equal(fake_zone_all(&s->zone), 3); /* pointer, the key of the backup, the new one */
        free(backup);
        free(z);
        free(s);
}

static void test_selector_patterns(void **state)
{
        (void)state;
        static const struct {
                const char *pattern;
                enum err err;
                const char *selector;
        } cases[] = {
                {"dkim-%d", ERR_OK, "dkim-1775138006"},
                {"%d", ERR_OK, "1775138006"},
                {"Sel%dX", ERR_OK, "sel1775138006x"},
                {"dkim", ERR_SYNTAX, NULL},
                {"", ERR_SYNTAX, NULL},
                {"a.%d", ERR_SYNTAX, NULL},
                {"%d%d", ERR_SYNTAX, NULL},
                {"%s%d", ERR_SYNTAX, NULL},
                {"a b%d", ERR_SYNTAX, NULL},
                {"01234567890123456789012345678901234567890123%d", ERR_OK,
                        "012345678901234567890123456789012345678901231775138006"},
                {"012345678901234567890123456789012345678901234%d", ERR_LIMIT, NULL},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                char text[DNS_LABEL_MAX];
                struct wr w;
                wr_init(&w, text, sizeof text);
                assert_int_equal(zone_selector_check(str_of_c(cases[i].pattern)), cases[i].err);
                if (!cases[i].selector)
                        continue;
                zone_selector_write(&w, str_of_c(cases[i].pattern), ZONE_DKIM_RSA, START);
                assert_true(str_eq(wr_text(&w), str_of_c(cases[i].selector)));
                wr_init(&w, text, sizeof text); /* the longest of all fits */
                zone_selector_write(&w, str_of_c(cases[i].pattern), ZONE_DKIM_ED25519, ZONE_EPOCH_MAX);
                assert_int_equal(wr_end(&w), ERR_OK);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_first_start),
                cmocka_unit_test(test_restarts_change_nothing),
                cmocka_unit_test(test_dns_down_at_start),
                cmocka_unit_test(test_dns_down_while_running),
                cmocka_unit_test(test_rotation),
                cmocka_unit_test(test_a_year),
                cmocka_unit_test(test_restart_while_rotating),
                cmocka_unit_test(test_start_after_long_absence),
                cmocka_unit_test(test_replicas),
                cmocka_unit_test(test_clock_jumps),
                cmocka_unit_test(test_zone_restored),
                cmocka_unit_test(test_selector_patterns),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
