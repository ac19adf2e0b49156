/* SPDX-License-Identifier: ISC */
/* The name servers: nothing signs before they show its key. */
#include "auth/zone_sim.h"

/* Lesson: no wait for propagation. */
static void test_name_server_lags(void **state)
{
        (void)state;
        struct sim *s = world();
        struct zone *z = machine();
        s->servers[1].behaviour = LAGS;
        s->servers[1].lag_s = 300;
        run(s, z, 290);
        expect_events(s, "created found published");
        struct str reason = reason_of(s, z);
        assert_true(str_find(reason, S("192.0.2.2: no such record")) < reason.n);
        run(s, z, 20);
        expect_events(s, "served ready");
        free(z);
        free(s);
}

static void test_name_server_silent(void **state)
{
        (void)state;
        static const enum behaviour behaviours[] = {SILENT, REFUSES};
        for (size_t i = 0; i < 2; i++) {
                struct sim *s = world();
                struct zone *z = machine();
                s->servers[1].behaviour = behaviours[i];
                run(s, z, ZONE_PROOF_MAX_S - 20);
                expect_events(s, "created found published");
                run(s, z, 60);
                expect_events(s, "not-served ready");
                free(z);
                free(s);
        }
}

/* The simulator's seed 321: the clock was set ahead by half an hour, and the key signed before the zone served it. */
static void test_clock_set_ahead(void **state)
{
        (void)state;
        static const int jumps_s[] = {1800, -1800};
        for (size_t i = 0; i < 2; i++) {
                struct sim *s = world();
                struct zone *z = machine();
                s->servers[1].behaviour = LAGS;
                s->servers[1].lag_s = 300 + 2000;
                run(s, z, 30);
                s->now_s += jumps_s[i];
                run(s, z, 200);
                expect_events(s, "created found published");
                free(z);
                free(s);
        }
}

/* The simulator's seed 2393: the same, and the signer was killed and started again. What stood in the zone looked as if
 * it had for long, and signed at once. */
static void test_started_with_clock_ahead(void **state)
{
        (void)state;
        static const struct {
                int64_t lag_s;
                const char *events;
        } cases[] = {{300, "ready"}, {DAY, ""}};
        for (size_t i = 0; i < 2; i++) {
                struct sim *s = world();
                struct zone *z = machine();
                s->servers[1].behaviour = LAGS;
                s->servers[1].lag_s = 1800 + cases[i].lag_s;
                run(s, z, 30);
                free(z);
                s->now_s += 1800;
                z = machine();
                run(s, z, 200);
                expect_events(s, "created found published found key-found");
                run(s, z, ZONE_PROOF_MAX_S - 300);
                expect_events(s, cases[i].events);
                run(s, z, 200);
                expect_events(s, i == 0 ? "" : "not-served ready");
                free(z);
                free(s);
        }
}

/* The simulator's seed 3016: the primary answered SERVFAIL when it was asked for the address of a secondary that lagged;
 * that one was not asked then, and the key signed. */
static void test_address_not_told(void **state)
{
        (void)state;
        static const struct {
                const char *name;
                uint16_t rcode;
                const char *events;
        } cases[] = {
                {"ns2.example.org", DNS_RCODE_SERVFAIL, "created found published"},
                {"ns2.example.org", DNS_RCODE_REFUSED, "created found published"},
                {"ns2.elsewhere.net", DNS_RCODE_SERVFAIL, "created found published"},
                {"ns2.elsewhere.net", DNS_RCODE_REFUSED, "created found published unasked served ready"},
                {"ns2.elsewhere.net", DNS_RCODE_NOTAUTH, "created found published unasked served ready"},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct sim *s = world();
                struct zone *z = machine();
                s->servers[1].name = cases[i].name;
                s->servers[1].address_rcode = cases[i].rcode;
                run(s, z, 30);
                expect_events(s, cases[i].events);
                s->servers[1].address_rcode = 0;
                run(s, z, 30);
                assert_int_equal(signs(s, z), START);
                free(z);
                free(s);
        }
}

/* No other trouble with the servers keeps a key from signing that stood there before: a restart is no outage. */
static void test_started_with_servers_in_trouble(void **state)
{
        (void)state;
        static const enum behaviour behaviours[] = {SERVES, SILENT, REFUSES};
        for (size_t i = 0; i < 3; i++) {
                struct sim *s = world();
                free(settled(s));
                struct zone *z = machine();
                s->now_s = START + DAY;
                s->servers[1].behaviour = behaviours[i];
                run(s, z, 10);
                expect_events(s, "found key-found ready");
                free(z);
                free(s);
        }
}

/* One address of a server that cannot be reached does not matter beside another that serves. */
static void test_one_address_is_enough(void **state)
{
        (void)state;
        static const struct {
                enum behaviour second;
                const char *events;
        } cases[] = {
                {SILENT, "created found published served ready"},
                {REFUSES, "created found published"},
        };
        for (size_t i = 0; i < 2; i++) {
                struct sim *s = world();
                struct zone *z = machine();
                s->servers[2] = (struct server){
                        .ip = "2001:db8::2", .name = "ns2.example.org", .behaviour = cases[i].second};
                run(s, z, 30);
                expect_events(s, cases[i].events);
                free(z);
                free(s);
        }
}

static void test_name_server_without_address(void **state)
{
        (void)state;
        struct sim *s = world();
        struct zone *z = machine();
        s->servers[1].name = "ns.example.net"; /* its address belongs to another name here */
        s->servers[2] = s->servers[1];
        s->servers[2].name = NULL;
        s->servers[1].ip = "10.0.0.1";
        run(s, z, 2);
        expect_events(s, "created found published served ready");
        free(z);
        free(s);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_name_server_lags),
                cmocka_unit_test(test_name_server_silent),
                cmocka_unit_test(test_clock_set_ahead),
                cmocka_unit_test(test_address_not_told),
                cmocka_unit_test(test_started_with_clock_ahead),
                cmocka_unit_test(test_started_with_servers_in_trouble),
                cmocka_unit_test(test_one_address_is_enough),
                cmocka_unit_test(test_name_server_without_address),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
