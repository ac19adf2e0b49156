/* SPDX-License-Identifier: ISC */
/* Servers and the resolver on their nodes: what secondaries show when, what a cache keeps, what faults do, and what is
 * told to those who check. */
#include "tests/sim/dns_rig.h"

#define ZONE \
        "@ NS ns1\n@ NS ns2\nns1 A 10.0.0.1\nns2 A 10.0.0.2\nt 100 TXT one\nwww 50 CNAME a.example.net.\n"

/* The only text at a name as a server gives it now: its first byte, or '-' for none, '!' for NXDOMAIN. */
static char text_at(struct rig *r, uint8_t server, const char *name)
{
        struct dns_answer a;
        assert_int_equal(rig_ask(r, server, name, DNS_TYPE_TXT, &a), ERR_OK);
        if (a.status == DNS_FOUND) {
                assert_int_equal(a.count, 1);
                return a.values[0].text.p[0];
        }
        return a.status == DNS_NO_NAME ? '!' : '-';
}

static void change_text(struct rig *r, const char *text)
{
        char line[64];
        struct dns_name name = rig_name("t.example.org");
        (void)dns_zone_erase(dns_zone_find(r->world, &name), &name, DNS_TYPE_TXT);
        (void)snprintf(line, sizeof line, "t.example.org 100 TXT %s", text);
        rig_edit(r, line);
}

/* Secondaries. */

static void play_lag(struct rig *r)
{
        struct dns_zone *z = rig_zone(r, "example.org", ZONE);
        assert_int_equal(text_at(r, 2, "t.example.org"), 'o');
        dns_peer_lag(r->secondary, z, 30000, 60000);
        rig_edit(r, "new.example.org TXT x");
        assert_int_equal(text_at(r, 1, "new.example.org"), 'x');
        assert_int_equal(text_at(r, 2, "new.example.org"), '!');
        rig_sleep(r, 29000);
        assert_int_equal(text_at(r, 2, "new.example.org"), '!');
        rig_sleep(r, 32000);
        assert_int_equal(text_at(r, 2, "new.example.org"), 'x');

        dns_peer_lag(r->secondary, z, FIBER_NEVER, FIBER_NEVER); /* it follows no more */
        change_text(r, "two");
        rig_sleep(r, 86400 * 1000);
        assert_int_equal(text_at(r, 2, "t.example.org"), 'o');
        assert_int_equal(text_at(r, 1, "t.example.org"), 't');
        dns_peer_lag(r->secondary, z, 1000, 1000);
        assert_int_equal(text_at(r, 2, "t.example.org"), 'o');
        rig_sleep(r, 1001);
        assert_int_equal(text_at(r, 2, "t.example.org"), 't');

        dns_peer_lag(r->secondary, z, 0, 0); /* what is on its way now is there at once */
        change_text(r, "three");
        dns_peer_lag(r->secondary, z, 50000, 50000);
        change_text(r, "four");
        dns_peer_lag(r->secondary, z, 0, 0);
        assert_int_equal(text_at(r, 2, "t.example.org"), 'f');
}

static void test_lag(void **state)
{
        (void)state;
        for (uint64_t seed = 1; seed <= 5; seed++)
                (void)rig_run(seed, play_lag);
}

/* RFC 1982: a secondary waits until the serial has passed its own. */
static void play_restore(struct rig *r)
{
        struct dns_zone *z = rig_zone(r, "example.org", ZONE);
        rig_sleep(r, 1000);
        int64_t good_ms = host_now_ms(r->h);
        uint32_t serial = dns_zone_serial(z);
        rig_sleep(r, 1000);
        rig_edit(r, "a.example.org TXT x");
        rig_edit(r, "b.example.org TXT x");
        rig_sleep(r, 1000);
        dns_zone_restore(z, good_ms);
        assert_int_equal(dns_zone_serial(z), serial);
        assert_int_equal(text_at(r, 1, "a.example.org"), '!');
        assert_int_equal(text_at(r, 2, "a.example.org"), 'x');
        rig_edit(r, "c.example.org TXT x");
        rig_edit(r, "d.example.org TXT x"); /* the serial of the secondary's copy, which it keeps */
        assert_int_equal(text_at(r, 2, "a.example.org"), 'x');
        assert_int_equal(text_at(r, 2, "d.example.org"), '!');
        rig_edit(r, "e.example.org TXT x");
        assert_int_equal(text_at(r, 2, "a.example.org"), '!');
        assert_int_equal(text_at(r, 2, "d.example.org"), 'x');
        dns_peer_lag(r->secondary, z, 5000, 5000); /* and what had not left the primary is lost with it */
        good_ms = host_now_ms(r->h);
        rig_sleep(r, 1);
        rig_edit(r, "f.example.org TXT x");
        rig_sleep(r, 1);
        dns_zone_restore(z, good_ms);
        rig_sleep(r, 10000);
        assert_int_equal(text_at(r, 2, "f.example.org"), '!');
}

static void test_restore(void **state)
{
        (void)state;
        (void)rig_run(1, play_restore);
}

/* The resolver. */

static void play_resolver(struct rig *r)
{
        struct dns_answer a;
        struct dns_peer_stats s;
        struct dns_zone *z = rig_zone(r, "example.org", ZONE);
        (void)rig_zone(r, "example.net", "a 200 A 10.0.0.5");
        assert_int_equal(text_at(r, 3, "t.example.org"), 'o');
        s = dns_peer_stats(r->resolver);
        assert_true(s.asked == 1 && s.hits == 0 && s.cached == 1);
        change_text(r, "two");
        rig_sleep(r, 98000);
        assert_int_equal(text_at(r, 3, "T.Example.Org"), 'o'); /* older, but within its TTL */
        assert_int_equal(rig_ask(r, 3, "t.example.org", DNS_TYPE_TXT, &a), ERR_OK);
        assert_in_range(a.ttl_s, 1, 2);
        assert_false(a.is_authoritative);
        rig_sleep(r, 2000);
        assert_int_equal(text_at(r, 3, "t.example.org"), 't');
        s = dns_peer_stats(r->resolver);
        assert_true(s.asked == 2 && s.hits == 2);

        assert_int_equal(
                text_at(r, 3, "new.example.org"), '!'); /* so is a negative answer, by the SOA's minimum */
        rig_edit(r, "new.example.org TXT x");
        rig_sleep(r, (DNS_SOA_MINIMUM_S - 1) * 1000);
        assert_int_equal(text_at(r, 3, "new.example.org"), '!');
        rig_sleep(r, 1000);
        assert_int_equal(text_at(r, 3, "new.example.org"), 'x');
        assert_int_equal(rig_ask(r, 3, "t.example.org", DNS_TYPE_A, &a), ERR_OK);
        assert_int_equal(a.status, DNS_NO_DATA);

        assert_int_equal(
                rig_ask(r, 3, "www.example.org", DNS_TYPE_A, &a), ERR_OK); /* an alias to another zone */
        assert_int_equal(a.status, DNS_FOUND);
        assert_true(a.count == 1 && a.values[0].ip.b[3] == 5 && a.ttl_s == 50);
        assert_int_equal(rig_ask(r, 3, "www.example.org", DNS_TYPE_TXT, &a), ERR_OK);
        assert_int_equal(a.status, DNS_NO_DATA);

        assert_int_equal(rig_ask(r, 3, "a.test", DNS_TYPE_A, &a), ERR_OK);
        assert_int_equal(a.status, DNS_NO_NAME);
        rig_edit(r, "loop.example.org CNAME loop.example.org");
        assert_int_equal(rig_ask(r, 3, "loop.example.org", DNS_TYPE_A, &a), ERR_DENIED);
        assert_int_equal(dns_zone_serial(z), dns_zone_serial(z));
}

static void test_resolver(void **state)
{
        (void)state;
        for (uint64_t seed = 1; seed <= 3; seed++)
                (void)rig_run(seed, play_resolver);
}

/* One server is down, or lies about itself: the other is asked. Both are: SERVFAIL, and nothing of it is kept. */
static void play_resolver_in_trouble(struct rig *r)
{
        struct dns_answer a;
        char name[64];
        (void)rig_zone(r, "example.org", ZONE "* TXT any\n");
        static const enum dns_fault faults[] = {DNS_FAULT_DROP, DNS_FAULT_SERVFAIL, DNS_FAULT_REFUSED,
                DNS_FAULT_WRONG_ID, DNS_FAULT_OTHER_NAME};
        for (size_t i = 0; i < 5; i++) {
                dns_peer_fault(r->primary, faults[i], SIM_PPM, 0);
                for (unsigned n = 0, ok = 0; n < 4;
                        n++) { /* tries are drawn: the odds of failing are 1 to 15 */
                        (void)snprintf(name, sizeof name, "x%zu-%u.example.org", i, n);
                        ok += rig_ask(r, 3, name, DNS_TYPE_TXT, &a) == ERR_OK && a.status == DNS_FOUND;
                        assert_true(n < 3 || ok > 0);
                }
                dns_peer_fault(r->secondary, faults[i], SIM_PPM, 0);
                (void)snprintf(name, sizeof name, "y%zu.example.org", i);
                assert_int_equal(rig_ask(r, 3, name, DNS_TYPE_TXT, &a), ERR_DENIED);
                assert_int_equal(a.rcode, DNS_RCODE_SERVFAIL);
                dns_peer_faults_clear(r->primary);
                dns_peer_faults_clear(r->secondary);
                assert_int_equal(text_at(r, 3, name), 'a');
        }
        dns_peer_fault(r->primary, DNS_FAULT_TRUNCATE, SIM_PPM, 0);
        dns_peer_fault(r->secondary, DNS_FAULT_NO_EDNS, SIM_PPM, 0);
        for (unsigned n = 0; n < 8; n++) {
                (void)snprintf(name, sizeof name, "z%u.example.org", n);
                assert_int_equal(text_at(r, 3, name), 'a');
        }
        assert_true(dns_peer_stats(r->primary).over_tcp > 0);
}

static void test_resolver_in_trouble(void **state)
{
        (void)state;
        for (uint64_t seed = 1; seed <= 3; seed++)
                (void)rig_run(seed, play_resolver_in_trouble);
}

static void play_resolver_bounds(struct rig *r)
{
        struct dns_answer a;
        char name[64];
        (void)rig_zone(r, "example.org", "* 600 A 10.0.0.7\nsoon 60 A 10.0.0.8\n");
        assert_int_equal(rig_ask(r, 3, "soon.example.org", DNS_TYPE_A, &a), ERR_OK);
        for (unsigned n = 0; n < 1100; n++) {
                (void)snprintf(name, sizeof name, "x%u.example.org", n);
                assert_int_equal(rig_ask(r, 3, name, DNS_TYPE_A, &a), ERR_OK);
        }
        assert_int_equal(dns_peer_stats(r->resolver).cached, 1024);
        uint64_t asked = dns_peer_stats(r->resolver).asked;
        assert_int_equal(rig_ask(r, 3, "x1099.example.org", DNS_TYPE_A, &a), ERR_OK);
        assert_int_equal(dns_peer_stats(r->resolver).asked, asked);
        assert_int_equal(rig_ask(r, 3, "soon.example.org", DNS_TYPE_A, &a), ERR_OK); /* the first to go */
        assert_int_equal(dns_peer_stats(r->resolver).asked, asked + 1);
}

static void test_resolver_bounds(void **state)
{
        (void)state;
        (void)rig_run(1, play_resolver_bounds);
}

/* Faults about questions. */

static void play_faults(struct rig *r)
{
        struct dns_answer a;
        (void)rig_zone(r, "example.org", ZONE "mx A 10.0.0.6\nmx AAAA 2001:db8::6\n");
        dns_peer_fault(r->primary, DNS_FAULT_WRONG_ADDRESS, SIM_PPM, 0);
        assert_int_equal(rig_ask(r, 1, "mx.example.org", DNS_TYPE_A, &a), ERR_OK);
        assert_int_equal(a.values[0].ip.b[3], 66);
        assert_int_equal(rig_ask(r, 1, "mx.example.org", DNS_TYPE_AAAA, &a), ERR_OK);
        assert_int_equal(a.values[0].ip.b[15], 0x66);
        assert_int_equal(text_at(r, 1, "t.example.org"), 'o');
        dns_peer_faults_clear(r->primary);
        dns_peer_fault(r->primary, DNS_FAULT_WRONG_TEXT, SIM_PPM, 0);
        assert_int_equal(text_at(r, 1, "t.example.org"), 'w');
        dns_peer_faults_clear(r->primary);
        dns_peer_fault(r->primary, DNS_FAULT_NO_NAME, SIM_PPM, 0);
        assert_int_equal(text_at(r, 1, "t.example.org"), '!');
        dns_peer_faults_clear(r->primary);
        dns_peer_fault(r->primary, DNS_FAULT_WRONG_ID, SIM_PPM, 0);
        assert_int_equal(rig_ask(r, 1, "t.example.org", DNS_TYPE_TXT, &a), ERR_TIMEOUT);
        dns_peer_faults_clear(r->primary);
        dns_peer_fault(r->primary, DNS_FAULT_OTHER_NAME, SIM_PPM, 0);
        assert_int_equal(rig_ask(r, 1, "t.example.org", DNS_TYPE_TXT, &a), ERR_TIMEOUT);
        dns_peer_faults_clear(r->primary);
        dns_peer_fault(r->primary, DNS_FAULT_TRUNCATE, SIM_PPM, 0);
        dns_peer_fault(r->primary, DNS_FAULT_NO_TCP, SIM_PPM, 0);
        assert_int_equal(rig_ask(r, 1, "t.example.org", DNS_TYPE_TXT, &a), ERR_CLOSED);
        dns_peer_fault(r->primary, DNS_FAULT_NO_TCP, 0, 0);
        assert_int_equal(text_at(r, 1, "t.example.org"), 'o');
        dns_peer_faults_clear(r->primary);
        dns_peer_fault(r->primary, DNS_FAULT_DROP, SIM_PPM / 2, 0); /* about half of them */
        unsigned lost = 0;
        for (int i = 0; i < 40; i++)
                lost += rig_ask(r, 1, "t.example.org", DNS_TYPE_TXT, &a) == ERR_TIMEOUT;
        assert_in_range(lost, 8, 32);
}

static void test_faults(void **state)
{
        (void)state;
        (void)rig_run(1, play_faults);
}

static void test_fault_names(void **state)
{
        (void)state;
        enum dns_fault fault;
        for (unsigned i = 0; i < DNS_FAULTS; i++) {
                assert_int_equal(dns_fault_parse(dns_fault_text((enum dns_fault)i), &fault), ERR_OK);
                assert_int_equal(fault, i);
        }
        assert_int_equal(dns_fault_parse(S("delays"), &fault), ERR_NOT_FOUND);
        assert_int_equal(dns_fault_parse(S(""), &fault), ERR_NOT_FOUND);
}

/* For those who check. */

struct seen {
        char text[16];
        size_t n;
};

static bool note(void *arg, const struct dns_possible *p)
{
        struct seen *s = arg;
        assert_true(s->n < sizeof s->text);
        s->text[s->n++] = p->answer->status == DNS_FOUND ? p->answer->values[0].text.p[0] : '!';
        return true;
}

/* All that a resolver may answer: first letters, the primary's before the secondary's. */
static void expect_possible(struct rig *r, const char *name, int64_t at_ms, const char *expected)
{
        struct seen s = {0};
        struct dns_name n = rig_name(name);
        assert_true(dns_world_possible(r->world, &n, DNS_TYPE_TXT, at_ms, note, &s));
        if (!str_eq(str_of(s.text, s.n), str_of_c(expected)))
                fail_msg("%s: %.*s, expected %s", name, (int)s.n, s.text, expected);
}

static char looked_up(struct rig *r, const struct dns_peer *p, int64_t at_ms)
{
        struct dns_answer a;
        struct arena arena;
        struct dns_name name = rig_name("t.example.org");
        arena_init(&arena, r->answer, sizeof r->answer);
        assert_int_equal(dns_world_lookup(r->world, p, &name, DNS_TYPE_TXT, at_ms, &arena, &a), ERR_OK);
        return a.status == DNS_FOUND ? a.values[0].text.p[0] : '!';
}

static void play_possible(struct rig *r)
{
        struct dns_zone *z = rig_zone(r, "example.org", "t 100 TXT one");
        struct dns_name t = rig_name("t.example.org");
        size_t line;
        int64_t begin_ms = host_now_ms(r->h);
        dns_peer_lag(r->secondary, z, 30000, 30000);
        rig_sleep(r, 10000);
        assert_int_equal(dns_zone_erase(z, &t, DNS_TYPE_TXT), 1); /* at 10 s; at the secondary at 40 s */
        rig_sleep(r, 10000);
        assert_int_equal(dns_zone_edit(z, S("t 5 TXT two"), &line), ERR_OK); /* at 20 s, and at 50 s */
        expect_possible(r, "t.example.org", begin_ms + 5000, "oo");
        expect_possible(r, "t.example.org", begin_ms + 15000, "o!o");
        expect_possible(r, "t.example.org", begin_ms + 30000, "o!to"); /* NXDOMAIN lasts 60 s */
        expect_possible(r, "t.example.org", begin_ms + 45000, "o!to!");
        expect_possible(r, "t.example.org", begin_ms + 60000, "o!to!t");
        expect_possible(r, "t.example.org", begin_ms + 79999, "o!to!t"); /* the negative one until then */
        expect_possible(r, "t.example.org", begin_ms + 80000, "oto!t");
        expect_possible(r, "t.example.org", begin_ms + 110000, "tot");
        expect_possible(r, "t.example.org", begin_ms + 139999, "tot");
        expect_possible(r, "t.example.org", begin_ms + 140000, "tt");
        assert_int_equal(looked_up(r, NULL, begin_ms + 9999), 'o');
        assert_int_equal(looked_up(r, NULL, begin_ms + 10000), '!');
        assert_int_equal(looked_up(r, r->primary, begin_ms + 20000), 't');
        assert_int_equal(looked_up(r, r->secondary, begin_ms + 39999), 'o');
        assert_int_equal(looked_up(r, r->secondary, begin_ms + 40000), '!');
        assert_int_equal(looked_up(r, r->secondary, begin_ms + 50000), 't');
}

static void test_possible(void **state)
{
        (void)state;
        (void)rig_run(1, play_possible);
}

/* By hand. */

static void play_edits(struct rig *r)
{
        size_t line;
        struct dns_zone *z = rig_zone(r, "example.org", ZONE), *other;
        uint32_t serial = dns_zone_serial(z);
        assert_int_equal(dns_zone_new(r->world, S("Example.ORG."), &other), ERR_EXISTS);
        assert_int_equal(dns_zone_new(r->world, S("a..b"), &other), ERR_SYNTAX);
        assert_null(other);
        assert_int_equal(
                dns_zone_edit(z, S("a A 10.0.0.1\n\n; why\nb A 10.0.0\nc A 10.0.0.1"), &line), ERR_SYNTAX);
        assert_int_equal(line, 4);
        assert_int_equal(dns_zone_edit(z, S("a A 10.0.0.1\nwww A 10.0.0.1\n"), &line), ERR_DENIED);
        assert_int_equal(line, 2);
        assert_int_equal(dns_zone_edit(z, S("t CNAME www"), &line), ERR_DENIED);
        assert_int_equal(dns_zone_edit(z, S("t.test. A 10.0.0.1"), &line), ERR_DENIED);
        assert_int_equal(dns_zone_edit(z, S("t SOA a b 9 9 9 9 9"), &line), ERR_DENIED);
        assert_int_equal(dns_zone_serial(z), serial);
        assert_int_equal(dns_world_holds(r->world, S("a.example.org A 10.0.0.1")), ERR_MISMATCH);
        assert_int_equal(dns_world_edit(r->world, S("a.test A 10.0.0.1")), ERR_NOT_FOUND);
        assert_int_equal(dns_world_edit(r->world, S("a.example.org A")), ERR_SYNTAX);
        assert_int_equal(dns_world_edit(r->world, S("www.example.org A 10.0.0.1")), ERR_DENIED);
        assert_int_equal(dns_world_edit(r->world, S("a.example.org 5 A 10.0.0.1")), ERR_OK);
        assert_int_equal(dns_world_holds(r->world, S("a.example.org A 10.0.0.1")), ERR_OK);
        assert_int_equal(
                dns_world_edit(r->world, S("a.example.org 5 A 10.0.0.1")), ERR_OK); /* no new version */
        assert_int_equal(dns_zone_serial(z), serial + 1);
        assert_int_equal(dns_zone_erase(z, dns_zone_origin(z), DNS_TYPE_ANY), 2);
        assert_int_equal(dns_zone_erase(z, dns_zone_origin(z), DNS_TYPE_ANY), 0);
        assert_int_equal(dns_zone_serial(z), serial + 2);
        assert_int_equal(dns_key_add(r->world, S("k:SHA256"), S("example.org")), ERR_SYNTAX);
        assert_int_equal(dns_key_add(r->world, S("k:SHA256:" RIG_SECRET), S("example.net")), ERR_NOT_FOUND);
        assert_int_equal(dns_key_add(r->world, S("k:SHA256:" RIG_SECRET), S("example.org")), ERR_OK);
        assert_int_equal(dns_key_add(r->world, S("K:SHA512:" RIG_SECRET), S("example.org")), ERR_EXISTS);
}

static void test_edits(void **state)
{
        (void)state;
        (void)rig_run(1, play_edits);
}

/* Kills: the zone stays, the cache goes. */
static void play_kills(struct rig *r)
{
        struct dns_answer a;
        int status;
        (void)rig_zone(r, "example.org", ZONE);
        assert_int_equal(text_at(r, 3, "t.example.org"), 'o');
        dns_peer_fault(r->primary, DNS_FAULT_DELAY, SIM_PPM, 3000);
        assert_int_equal(rig_ask(r, 1, "t.example.org", DNS_TYPE_TXT, &a), ERR_OK);
        for (size_t i = 0; i < 3; i++) {
                sim_node_kill(r->nodes[i], i % 2 ? SIM_KILL_POWER : SIM_KILL_PROCESS);
                assert_int_equal(sim_node_join(r->nodes[i], FIBER_NEVER, &status), ERR_OK);
                assert_int_equal(status, SIM_STATUS_KILLED);
        }
        assert_true(rig_ask(r, 1, "t.example.org", DNS_TYPE_TXT, &a) != ERR_OK);
        struct dns_peer *peers[3] = {r->primary, r->secondary, r->resolver};
        for (size_t i = 0; i < 3; i++)
                sim_node_start(r->nodes[i], dns_peer_run, peers[i]);
        dns_peer_faults_clear(r->primary);
        uint64_t asked = dns_peer_stats(r->resolver).asked;
        assert_int_equal(text_at(r, 3, "t.example.org"), 'o');
        assert_int_equal(dns_peer_stats(r->resolver).asked, asked + 1);
}

static void test_kills(void **state)
{
        (void)state;
        (void)rig_run(1, play_kills);
}

/* The same seed, the same trace, whatever is drawn. */
static void play_random(struct rig *r)
{
        struct dns_answer a;
        char name[64];
        struct dns_zone *z = rig_zone(r, "example.org", ZONE "* 20 TXT any\n");
        dns_peer_lag(r->secondary, z, 0, 90000);
        for (unsigned i = 0; i < DNS_FAULTS; i++)
                for (uint8_t p = 0; p < 2; p++)
                        dns_peer_fault(p ? r->primary : r->secondary, (enum dns_fault)i, 60000, 700);
        for (unsigned i = 0; i < 150; i++) {
                (void)snprintf(name, sizeof name, "x%u.example.org", i % 20);
                (void)(rig_ask(r, (uint8_t)(1 + i % 3), name, DNS_TYPE_TXT, &a) == ERR_OK);
                if (i % 10 == 0)
                        change_text(r, name);
        }
}

static void test_same_trace(void **state)
{
        (void)state;
        uint64_t first = rig_run(7, play_random);
        assert_true(rig_run(7, play_random) == first);
        assert_true(rig_run(8, play_random) != first);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_lag),
                cmocka_unit_test(test_restore),
                cmocka_unit_test(test_resolver),
                cmocka_unit_test(test_resolver_in_trouble),
                cmocka_unit_test(test_resolver_bounds),
                cmocka_unit_test(test_faults),
                cmocka_unit_test(test_fault_names),
                cmocka_unit_test(test_possible),
                cmocka_unit_test(test_edits),
                cmocka_unit_test(test_kills),
                cmocka_unit_test(test_same_trace),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
