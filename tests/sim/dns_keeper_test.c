/* SPDX-License-Identifier: ISC */
/* The product's keeper of signing keys (serve/zone.h) against the simulated servers: days of virtual time in which keys
 * are published, adopted and changed while servers lag, fail, forget and are edited by hand. */
#include "tests/sim/dns_rig.h"

#include "serve/zone.h"

#define DOMAIN "lists.example.org"
#define POINTER "_ptt._domainkey." DOMAIN
#define KEY_NAME "k._update.example.org"
#define HOUR INT64_C(3600000)
#define ZONE "@ NS ns1\n@ NS ns2\nns1 A 10.0.0.1\nns2 A 10.0.0.2\n"

struct stage {
        struct rig *rig;
        struct dns_zone *zone;
        struct tsig_key tsig;
        struct scope scope;
        struct zone_keeper *keepers[3];
        size_t keeper_count;
        size_t epochs;     /* seen in use */
        char selector[64]; /* of the one seen last: its DKIM key */
};

static void open_stage(struct stage *s, struct rig *r)
{
        *s = (struct stage){.rig = r, .zone = rig_zone(r, "example.org", ZONE), .tsig = rig_key(KEY_NAME)};
        rig_key_add(r, KEY_NAME, "example.org");
        scope_open(&s->scope, r->h->sched, FIBER_NEVER);
}

static void close_stage(struct stage *s)
{
        scope_cancel(&s->scope);
        (void)scope_join(&s->scope);
        for (size_t i = 0; i < s->keeper_count; i++)
                zone_keeper_free(s->keepers[i]);
}

static struct zone_keeper *start_keeper(struct stage *s, uint8_t password)
{
        struct key_password p = {.n = PASSWORD_MIN, .bytes = {password}};
        struct zone_keeper_config config = {
                .domain = S(DOMAIN),
                .zone = rig_name("example.org"),
                .primary = rig_server(1, false),
                .tsig = &s->tsig,
                .password = &p,
                .selector = S("dkim-%d"),
                .arc_selector = S("arc-%d"),
                .has_ed25519 = true,
                .validity_s = 3 * 86400,
                .overlap_s = 86400,
                .queue_life_s = 43200,
                .ttl_s = 600,
        };
        struct zone_keeper **k = &s->keepers[s->keeper_count++];
        assert_int_equal(zone_keeper_new(s->rig->h, &config, k), ERR_OK);
        assert_int_equal(scope_spawn(&s->scope, "zone", zone_keeper_run, *k), ERR_OK);
        return *k;
}

/* Does each server now show the record alone? */
struct look {
        int64_t now_ms;
        struct str record;
        size_t servers;
};

static bool look_at(void *arg, const struct dns_possible *p)
{
        struct look *l = arg;
        if (p->until_ms <= l->now_ms)
                return true; /* only in caches; nobody but us knew of the name */
        l->servers++;
        return p->answer->status == DNS_FOUND && p->answer->count == 1 &&
               str_eq(p->answer->values[0].text, l->record);
}

static void check_key(struct stage *s, const struct zone_signing_key *key)
{
        struct dns_name name, domain = rig_name("_domainkey." DOMAIN);
        char record[KEY_RECORD_MAX];
        struct wr w;
        wr_init(&w, record, sizeof record);
        assert_int_equal(key_record_write(key->key, &w), ERR_OK);
        assert_int_equal(dns_name_join(key->selector, &domain, &name), ERR_OK);
        struct look l = {.now_ms = host_now_ms(s->rig->h), .record = wr_text(&w)};
        if (!dns_world_possible(s->rig->world, &name, DNS_TYPE_TXT, l.now_ms, look_at, &l) || l.servers != 2)
                fail_msg("%.*s signs, and not every server has it", STR_ARG(key->selector));
        assert_true(key->expiry_s - key->time_s >= 43200 && key->expiry_s - key->time_s <= 3 * 86400);
}

/* The first promise: a key that signs is one that every server serves. Gives whether there is one. */
static bool check_signing(struct stage *s, const struct zone_keeper *k)
{
        struct zone_signing_set set;
        struct zone_keeper_status status;
        bool is_ready = zone_keeper_keys(k, &set) == ERR_OK;
        zone_keeper_status(k, &status);
        assert_true(status.is_ready == is_ready && (status.lack == ZONE_LACK_NONE) == is_ready);
        for (int kind = 0; kind < ZONE_KINDS; kind++)
                if (set.keys[kind].key)
                        check_key(s, &set.keys[kind]);
        if (!is_ready)
                return false;
        assert_true(status.epoch == set.keys[ZONE_DKIM_RSA].epoch);
        if (!str_eq(set.keys[ZONE_DKIM_RSA].selector, str_of_c(s->selector))) {
                (void)snprintf(
                        s->selector, sizeof s->selector, "%.*s", STR_ARG(set.keys[ZONE_DKIM_RSA].selector));
                s->epochs++;
        }
        return true;
}

/* Look each `step_ms` until there is a key, at most `most_ms`; how long it took. */
static int64_t wait_ready(struct stage *s, const struct zone_keeper *k, int64_t step_ms, int64_t most_ms)
{
        int64_t begin_ms = host_now_ms(s->rig->h);
        while (!check_signing(s, k)) {
                assert_true(host_now_ms(s->rig->h) - begin_ms < most_ms);
                rig_sleep(s->rig, step_ms);
        }
        return host_now_ms(s->rig->h) - begin_ms;
}

static size_t texts_below_domain(const struct stage *s)
{
        struct dns_name below = rig_name("_domainkey." DOMAIN);
        size_t n = 0;
        for (size_t i = 0; i < s->zone->owner_count; i++)
                if (dns_name_is_under(&s->zone->owners[i]->name, &below))
                        n += dns_store_count(
                                s->zone, dns_store_newest(s->zone), &s->zone->owners[i]->name, DNS_TYPE_TXT);
        return n;
}

/* Publishing waits for the slowest server; a second signer adopts; another password changes nothing. */
static void play_publishes(struct rig *r)
{
        struct stage s;
        struct zone_signing_key key;
        struct str reason;
        open_stage(&s, r);
        dns_peer_lag(r->secondary, s.zone, 90000, 90000);
        struct zone_keeper *k = start_keeper(&s, 1);
        assert_in_range(wait_ready(&s, k, 500, 200000), 90000, 100000);
        assert_int_equal(texts_below_domain(&s), 4);
        assert_int_equal(dns_peer_stats(r->primary).updates, 4);
        struct zone_keeper *second = start_keeper(&s, 1);
        assert_in_range(wait_ready(&s, second, 100, 30000), 0, 10000);
        assert_int_equal(s.epochs, 1);
        struct zone_keeper *other = start_keeper(&s, 2);
        rig_sleep(r, HOUR);
        assert_int_equal(zone_keeper_key(other, &key, &reason), ERR_NOT_FOUND);
        assert_true(str_find(reason, S("another password")) < reason.n);
        assert_int_equal(dns_peer_stats(r->primary).updates, 4);
        assert_true(check_signing(&s, k) && check_signing(&s, second));
        close_stage(&s);
}

/* Days: a new key each second day, while the secondary lags. */
static void play_rotates(struct rig *r)
{
        struct stage s;
        open_stage(&s, r);
        dns_peer_lag(r->secondary, s.zone, 0, 300000);
        struct zone_keeper *k = start_keeper(&s, 1);
        (void)wait_ready(&s, k, 1000, HOUR);
        for (int64_t end_ms = host_now_ms(r->h) + 108 * HOUR; host_now_ms(r->h) < end_ms;) {
                rig_sleep(r, 20000);
                assert_true(check_signing(&s, k));
        }
        assert_int_equal(s.epochs, 3);
        assert_int_equal(texts_below_domain(&s), 7); /* the pointer, and two epochs' keys */
        close_stage(&s);
}

/* What people and disasters do to the zone is put right. */
static void play_repairs(struct rig *r)
{
        struct stage s;
        size_t line;
        open_stage(&s, r);
        rig_sleep(r, 60000);
        int64_t empty_ms = host_now_ms(r->h);
        struct zone_keeper *k = start_keeper(&s, 1);
        rig_sleep(r, 1000);
        (void)wait_ready(&s, k, 500, HOUR);
        char name[128];
        (void)snprintf(name, sizeof name, "%s._domainkey." DOMAIN, s.selector);
        struct dns_name key = rig_name(name), pointer = rig_name(POINTER);

        assert_int_equal(dns_zone_erase(s.zone, &key, DNS_TYPE_TXT), 1);
        rig_sleep(r, 70000);
        assert_true(check_signing(&s, k));
        (void)snprintf(name, sizeof name, "%s._domainkey.lists TXT second", s.selector);
        assert_int_equal(dns_zone_edit(s.zone, str_of_c(name), &line), ERR_OK);
        rig_sleep(r, 70000);
        assert_true(check_signing(&s, k));
        assert_int_equal(dns_zone_erase(s.zone, &pointer, DNS_TYPE_TXT), 1);
        rig_sleep(r, 70000);
        assert_true(check_signing(&s, k));
        assert_int_equal(texts_below_domain(&s), 4);
        assert_int_equal(s.epochs, 1);

        rig_sleep(r, HOUR); /* an old key that was lost is looked for at each server like a new one */
        assert_int_equal(dns_zone_erase(s.zone, &key, DNS_TYPE_TXT), 1);
        dns_peer_lag(r->secondary, s.zone, 90000, 90000);
        rig_sleep(r, 62000);
        assert_in_range(wait_ready(&s, k, 500, 200000), 60000, 100000);
        dns_peer_lag(r->secondary, s.zone, 0, 0);

        dns_zone_restore(s.zone, empty_ms); /* the secondary keeps what it has, until the serial has passed */
        rig_sleep(r, 70000);
        assert_int_equal(texts_below_domain(&s), 4);
        assert_int_equal(dns_zone_edit(s.zone, S("@ SOA ns1 h 1000 300 60 86400 60"), &line), ERR_OK);
        rig_sleep(r, 70000);
        assert_true(check_signing(&s, k));
        close_stage(&s);
}

/* All that may go wrong on the way, drawn by the seed: in the end a key signs, and never one that is not served. */
static void play_trouble(struct rig *r)
{
        static const enum dns_fault faults[] = {DNS_FAULT_DELAY, DNS_FAULT_DROP, DNS_FAULT_SERVFAIL,
                DNS_FAULT_REFUSED, DNS_FAULT_NOTAUTH, DNS_FAULT_TRUNCATE, DNS_FAULT_NO_EDNS, DNS_FAULT_NO_TCP,
                DNS_FAULT_WRONG_ID, DNS_FAULT_OTHER_NAME, DNS_FAULT_LOST_ANSWER, DNS_FAULT_DEAF};
        struct sim_random random = sim_random_of(sim_seed(r->sim), S("test"), S("trouble"));
        struct stage s;
        open_stage(&s, r);
        dns_peer_lag(r->secondary, s.zone, 0, 120000);
        struct zone_keeper *k = start_keeper(&s, 1), *second = start_keeper(&s, 1);
        for (unsigned hour = 0; hour < 60; hour++) {
                struct dns_peer *p = sim_random_chance(&random, SIM_PPM / 2) ? r->primary : r->secondary;
                dns_peer_faults_clear(p);
                for (int i = 0; i < 3; i++) {
                        enum dns_fault fault =
                                faults[sim_random_below(&random, sizeof faults / sizeof faults[0])];
                        uint32_t ppm = (uint32_t)sim_random_below(&random, SIM_PPM);
                        dns_peer_fault(p, fault, ppm, sim_random_between(&random, 0, 15000));
                }
                dns_peer_fault(p, DNS_FAULT_CLOCK, SIM_PPM, sim_random_between(&random, -600, 600));
                for (int i = 0; i < 60; i++) {
                        rig_sleep(r, HOUR / 60);
                        (void)check_signing(&s, k);
                        (void)check_signing(&s, second);
                }
        }
        dns_peer_faults_clear(r->primary);
        dns_peer_faults_clear(r->secondary);
        rig_sleep(r, HOUR);
        assert_true(check_signing(&s, k) && check_signing(&s, second));
        assert_true(s.epochs >= 2);
        close_stage(&s);
}

static void test_publishes(void **state)
{
        (void)state;
        (void)rig_run(1, play_publishes);
}

static void test_rotates(void **state)
{
        (void)state;
        (void)rig_run(1, play_rotates);
}

static void test_repairs(void **state)
{
        (void)state;
        (void)rig_run(1, play_repairs);
}

static void test_trouble(void **state)
{
        (void)state;
        (void)rig_run(1, play_trouble);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_publishes),
                cmocka_unit_test(test_rotates),
                cmocka_unit_test(test_repairs),
                cmocka_unit_test(test_trouble),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
