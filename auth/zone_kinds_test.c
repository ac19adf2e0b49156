/* SPDX-License-Identifier: ISC */
/* Three kinds of key under one epoch, and what happens to one of them. */
#include "auth/zone_sim.h"

#define ED25519 "dkim-ed25519-1775138006._domainkey.lists.example.org"
#define ARC "arc-1775138006._domainkey.lists.example.org"

static struct zone *machine_of_three(void)
{
        struct zone_config config = usual_config(1);
        config.has_ed25519 = true;
        config.arc_selector = S("arc-%d");
        return machine_of(&config);
}

static struct zone *settled_three(struct sim *s)
{
        struct zone *z = machine_of_three();
        run(s, z, DAY);
        s->events_n = 0;
        return z;
}

static void expect_signing(
        const struct sim *s, const struct zone *z, int64_t rsa, int64_t ed25519, int64_t arc)
{
        assert_int_equal(signs_kind(s, z, ZONE_DKIM_RSA), rsa);
        assert_int_equal(signs_kind(s, z, ZONE_DKIM_ED25519), ed25519);
        assert_int_equal(signs_kind(s, z, ZONE_ARC_RSA), arc);
}

static void test_start(void **state)
{
        (void)state;
        struct sim *s = world();
        struct zone *z = machine_of_three();
        run(s, z, 1);
        expect_events(
                s, "created found published published published served served served ready ready ready");
        expect_signing(s, z, START, START, START);
        assert_true(text_at(s, KEY).n > 0 && text_at(s, ED25519).n > 0 && text_at(s, ARC).n > 0);
        assert_int_equal(s->updates, 4);
        free(z);
        z = machine_of_three();
        run(s, z, 2);
        assert_int_equal(s->updates, 4);
        expect_signing(s, z, START, START, START);
        free(z);
        free(s);
}

/* A zone from before there were other kinds: its epoch gets them, while its key signs on. */
static void test_kinds_added(void **state)
{
        (void)state;
        struct sim *s = world();
        free(settled(s));
        s->servers[1].behaviour = LAGS;
        s->servers[1].lag_s = 100;
        struct zone *z = machine_of_three();
        run(s, z, 30);
        expect_events(s, "found key-found published published ready");
        expect_signing(s, z, START, 0, 0);
        run(s, z, 120);
        expect_events(s, "served served ready ready");
        expect_signing(s, z, START, START, START);
        free(z);
        free(s);
}

/* Each kind rests alone, and the older key of its kind signs meanwhile. */
static void test_one_kind_spoilt(void **state)
{
        (void)state;
        static const char *const names[] = {KEY, ED25519, ARC};
        for (int kind = 0; kind < 3; kind++) {
                struct sim *s = world();
                struct zone *z = settled_three(s);
                int64_t expected[3] = {START, START, START};
                s->servers[1].behaviour = LAGS;
                s->servers[1].lag_s = 100;
                add_c(s, names[kind], "v=DKIM1; k=rsa; p=AAAA");
                run(s, z, 70);
                expect_events(s, "not-ready replaced");
                expected[kind] = 0;
                expect_signing(s, z, expected[0], expected[1], expected[2]);
                run(s, z, 120);
                expect_events(s, "served ready");
                expect_signing(s, z, START, START, START);
                free(z);
                free(s);
        }
}

static void test_old_kind_stands_in(void **state)
{
        (void)state;
        struct sim *s = world();
        struct zone *z = settled_three(s);
        run(s, z, START + 24 * DAY - s->now_s);
        int64_t second = START + 23 * DAY;
        expect_signing(s, z, second, second, second);
        s->servers[1].behaviour = LAGS;
        s->servers[1].lag_s = 100;
        assert_int_equal(erase_c(s, "arc-1777125206._domainkey.lists.example.org"), 1);
        run(s, z, 70);
        expect_signing(s, z, second, second, START);
        run(s, z, 120);
        expect_signing(s, z, second, second, second);
        free(z);
        free(s);
}

/* All records of an old epoch go, also of a kind that is no longer wanted. */
static void test_retired(void **state)
{
        (void)state;
        for (int wanted = 0; wanted < 2; wanted++) {
                struct sim *s = world();
                struct zone *z = settled_three(s);
                run(s, z, START + 24 * DAY - s->now_s);
                if (!wanted) {
                        struct zone_config config = z->config;
                        config.has_ed25519 = false;
                        free(z);
                        z = machine_of(&config);
                }
                run(s, z, START + 30 * DAY + 10 - s->now_s);
                assert_true(str_eq(text_at(s, KEY), S("v=DKIM1; k=rsa; p=")));
                assert_true(str_eq(text_at(s, ED25519), S("v=DKIM1; k=ed25519; p=")));
                assert_true(str_eq(text_at(s, ARC), S("v=DKIM1; k=rsa; p=")));
                run(s, z, 3700);
                assert_int_equal(text_at(s, KEY).n + text_at(s, ED25519).n + text_at(s, ARC).n, 0);
                assert_true(str_eq(text_at(s, POINTER), S("v=PTT1; e=1777125206; id=0102030405060708")));
                free(z);
                free(s);
        }
}

/* A kind that the zone will not take holds up no other, nor the change of keys. */
static void test_one_kind_impossible(void **state)
{
        (void)state;
        struct sim *s = world();
        for (int i = 0; i < 2; i++)
                for (int k = 0; k < ZONE_SEEN_MAX + 1; k++)
                        add_c(s, i == 0 ? ARC : "arc-1777125206._domainkey.lists.example.org", "junk");
        struct zone *z = machine_of_three();
        run(s, z, 10);
        expect_signing(s, z, START, START, 0);
        run(s, z, START + 24 * DAY - s->now_s);
        expect_signing(s, z, START + 23 * DAY, START + 23 * DAY, 0);
        free(z);
        free(s);
}

/* Ten processes at the same moment, step by step in every turn: one epoch, and all sign with it. */
static void test_simultaneous_starts(void **state)
{
        (void)state;
        for (unsigned turn = 1; turn <= 7; turn++) {
                struct sim *s = world();
                struct zone *z[10];
                for (size_t i = 0; i < 10; i++)
                        z[i] = machine_of_three();
                for (unsigned at = 0, steps = 0; steps < 2000; steps++, at += turn)
                        do_step(s, z[at % 10 * 7 % 10]), s->events_n = 0;
                for (size_t i = 0; i < 10; i++) {
                        int64_t epoch = signs(s, z[i]);
                        if (epoch == 0 && (turn == 2 || turn == 4 || turn == 5 || turn == 6))
                                continue; /* its turn never came */
                        assert_in_range(epoch, START, START + 100);
                        expect_signing(s, z[i], epoch, epoch, epoch);
                }
                assert_int_equal(s->updates, 4);
                assert_int_equal(fake_zone_all(&s->zone), 4);
                for (size_t i = 0; i < 10; i++)
                        free(z[i]);
                free(s);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_start),
                cmocka_unit_test(test_kinds_added),
                cmocka_unit_test(test_one_kind_spoilt),
                cmocka_unit_test(test_old_kind_stands_in),
                cmocka_unit_test(test_retired),
                cmocka_unit_test(test_one_kind_impossible),
                cmocka_unit_test(test_simultaneous_starts),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
