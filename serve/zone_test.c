/* SPDX-License-Identifier: ISC */
/* The keeper against a primary on loopback, with real UPDATEs and TSIG. */
#define _GNU_SOURCE
#include "serve/zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "host/linux/linux.h"
#include "serve/fake_primary.h"

#define DOMAIN "lists.example.org"
#define POINTER "_ptt._domainkey." DOMAIN

struct world {
        struct host *h;
        struct scope scope;
        struct fake_primary *primary;
        struct tsig_key tsig; /* what the keeper signs with */
        struct zone_keeper *keeper;
        void (*play)(struct world *w);
};

static void start_with(struct world *w, uint8_t password, bool has_all_kinds, enum zone_mode mode)
{
        struct key_password p = {.n = PASSWORD_MIN, .bytes = {password}};
        struct zone_keeper_config config = {
                .domain = S(DOMAIN),
                .zone = fake_name("example.org"),
                .primary = {.at = w->primary->dns.at},
                .tsig = &w->tsig,
                .password = &p,
                .selector = S("dkim-%d"),
                .arc_selector = has_all_kinds ? S("arc-%d") : S(""),
                .has_ed25519 = has_all_kinds,
                .mode = mode,
                .validity_s = 30 * 86400,
                .overlap_s = 7 * 86400,
                .queue_life_s = 5 * 86400,
                .ttl_s = 60,
        };
        assert_int_equal(zone_keeper_new(w->h, &config, &w->keeper), ERR_OK);
        assert_int_equal(scope_spawn(&w->scope, "zone", zone_keeper_run, w->keeper), ERR_OK);
}

static void start_keeper(struct world *w, uint8_t password)
{
        start_with(w, password, false, ZONE_KEEPS);
}

/* Wait until there is a key, or until the reason has `text`. */
static void wait_for(struct world *w, const char *text)
{
        for (int i = 0; i < 2000; i++) {
                struct zone_signing_key key;
                struct str reason;
                if (zone_keeper_key(w->keeper, &key, &reason) == ERR_OK
                                ? !text
                                : text && str_find(reason, str_of_c(text)) < reason.n)
                        return;
                assert_int_equal(fiber_sleep(w->h->sched, 10), ERR_OK);
        }
        fail_msg("waited in vain for %s", text ? text : "a key");
}

static void run_world(void *arg)
{
        struct world *w = arg;
        w->primary = malloc(sizeof *w->primary);
        assert_non_null(w->primary);
        scope_open(&w->scope, w->h->sched, FIBER_NEVER);
        fake_primary_start(w->primary, w->h, &w->scope);
        w->tsig = w->primary->key;
        w->play(w);
        scope_cancel(&w->scope);
        (void)scope_join(&w->scope);
        zone_keeper_free(w->keeper);
        fake_stop(&w->primary->dns);
        free(w->primary);
}

static void play(void (*what)(struct world *w))
{
        struct world w = {.h = linux_host_new(NULL), .play = what};
        assert_non_null(w.h);
        linux_host_run(w.h, run_world, &w);
        linux_host_free(w.h);
}

static void stop_keeper(struct world *w)
{
        scope_cancel(&w->scope);
        (void)scope_join(&w->scope);
        zone_keeper_free(w->keeper);
        w->keeper = NULL;
}

/* The zone goes on in a new primary: fibers of the old scope are gone. */
static void restart_primary(struct world *w)
{
        struct fake_zone zone = w->primary->zone;
        fake_stop(&w->primary->dns);
        scope_open(&w->scope, w->h->sched, FIBER_NEVER);
        fake_primary_start(w->primary, w->h, &w->scope);
        w->primary->zone = zone;
}

/* The zone publishes exactly what the key says of itself. */
static void play_publishes(struct world *w)
{
        struct zone_signing_key key;
        struct str reason;
        char record[KEY_RECORD_MAX], name[128];
        struct wr r, n;
        start_keeper(w, 1);
        assert_int_equal(zone_keeper_key(w->keeper, &key, &reason), ERR_NOT_FOUND);
        wait_for(w, NULL);
        assert_int_equal(zone_keeper_key(w->keeper, &key, &reason), ERR_OK);
        wr_init(&r, record, sizeof record);
        wr_init(&n, name, sizeof name - 1);
        assert_int_equal(key_record_write(key.key, &r), ERR_OK);
        wr_str(&n, key.selector);
        wr_str(&n, S("._domainkey." DOMAIN));
        name[n.n] = '\0';
        assert_true(str_eq(fake_zone_only(&w->primary->zone, name), wr_text(&r)));
        assert_true(crypto_key_is_private(key.key));
        assert_int_equal(w->primary->updates, 2);
        assert_int_equal(w->primary->dns.over_udp, 0); /* where answers could be forged blindly */
        assert_in_range(key.expiry_s - key.time_s, 30 * 86400 - 60, 30 * 86400);

        stop_keeper(w); /* and another process finds the same */
        restart_primary(w);
        start_keeper(w, 1);
        wait_for(w, NULL);
        assert_int_equal(zone_keeper_key(w->keeper, &key, &reason), ERR_OK);
        char again[KEY_RECORD_MAX];
        wr_init(&n, again, sizeof again);
        assert_int_equal(key_record_write(key.key, &n), ERR_OK);
        assert_true(str_eq(wr_text(&n), wr_text(&r)));
        assert_int_equal(w->primary->updates, 0);

        stop_keeper(w); /* one with another password does not */
        restart_primary(w);
        start_keeper(w, 2);
        wait_for(w, "another password");
        assert_int_equal(w->primary->updates, 0);
}

static void expect_record(const struct world *w, const struct zone_signing_key *key)
{
        char record[KEY_RECORD_MAX], name[128];
        struct wr r, n;
        wr_init(&r, record, sizeof record);
        wr_init(&n, name, sizeof name - 1);
        assert_int_equal(key_record_write(key->key, &r), ERR_OK);
        wr_str(&n, key->selector);
        wr_str(&n, S("._domainkey." DOMAIN));
        name[n.n] = '\0';
        assert_true(str_eq(fake_zone_only(&w->primary->zone, name), wr_text(&r)));
}

/* Three keys of one epoch, each what its record says; and what those who watch are told. */
static void play_kinds(struct world *w)
{
        struct zone_signing_set set;
        struct zone_keeper_status status;
        start_with(w, 1, true, ZONE_KEEPS);
        zone_keeper_status(w->keeper, &status);
        assert_true(!status.is_ready && status.lack == ZONE_LACK_UNREAD && status.epoch == 0);
        assert_int_equal(zone_keeper_keys(w->keeper, &set), ERR_NOT_FOUND);
        assert_true(set.lack == ZONE_LACK_UNREAD && set.reason.n > 0 && !set.keys[ZONE_ARC_RSA].key);
        wait_for(w, NULL);
        assert_int_equal(zone_keeper_keys(w->keeper, &set), ERR_OK);
        assert_true(set.lack == ZONE_LACK_NONE && set.reason.n == 0);
        for (int kind = 0; kind < ZONE_KINDS; kind++) {
                expect_record(w, &set.keys[kind]);
                assert_int_equal(set.keys[kind].epoch, set.keys[0].epoch);
        }
        assert_int_equal(crypto_key_kind(set.keys[ZONE_DKIM_ED25519].key), CRYPTO_KEY_ED25519);
        assert_true(str_has_prefix(set.keys[ZONE_DKIM_ED25519].selector, S("dkim-ed25519-")));
        assert_true(str_has_prefix(set.keys[ZONE_ARC_RSA].selector, S("arc-")));
        zone_keeper_status(w->keeper, &status);
        assert_true(status.is_ready && status.epoch == set.keys[0].epoch && status.next == 0);
        assert_int_equal(status.expiry_s, status.epoch + 30 * 86400);
        assert_int_equal(status.change_s, status.epoch + 23 * 86400);
        assert_int_equal(status.updates, 4);
        assert_true(status.read_s >= status.epoch);
}

/* A revocation ends by itself, and leaves nothing that verifies. */
static void play_revokes(struct world *w)
{
        struct zone_signing_key key;
        struct str reason;
        char name[128];
        struct wr n;
        start_keeper(w, 1);
        wait_for(w, NULL);
        assert_int_equal(zone_keeper_key(w->keeper, &key, &reason), ERR_OK);
        wr_init(&n, name, sizeof name - 1);
        wr_str(&n, key.selector);
        wr_str(&n, S("._domainkey." DOMAIN));
        name[n.n] = '\0';
        stop_keeper(w);
        restart_primary(w);
        start_with(w, 2, true, ZONE_REVOKES);
        while (zone_keeper_revoked(w->keeper) == ERR_AGAIN)
                assert_int_equal(fiber_sleep(w->h->sched, 10), ERR_OK);
        assert_int_equal(zone_keeper_revoked(w->keeper), ERR_OK);
        assert_true(str_eq(fake_zone_only(&w->primary->zone, name), S("v=DKIM1; k=rsa; p=")));
        assert_int_equal(fake_zone_all(&w->primary->zone), 2);
}

static void play_wrong_key(struct world *w)
{
        w->tsig.secret[0] ^= 1;
        start_keeper(w, 1);
        wait_for(w, "NOTAUTH");
        assert_int_equal(fake_zone_all(&w->primary->zone), 0);
        w->tsig.secret[0] ^= 1; /* the keeper borrows it: it resumes by itself */
        wait_for(w, NULL);
        assert_int_equal(fake_zone_all(&w->primary->zone), 2);
}

/* A clock that is wrong by more than the fudge changes nothing in the zone, and the log tells both clocks. */
static void play_wrong_clock(struct world *w)
{
        static const int64_t ahead_s[] = {TSIG_FUDGE_S + 10, -86400, 365 * 86400};
        for (size_t i = 0; i < sizeof ahead_s / sizeof ahead_s[0]; i++) {
                w->primary->ahead_s = ahead_s[i];
                start_keeper(w, 1);
                wait_for(w, "TSIG BADTIME, its clock says ");
                assert_int_equal(fake_zone_all(&w->primary->zone), 0);
                stop_keeper(w);
                restart_primary(w);
        }
        w->primary->ahead_s = TSIG_FUDGE_S - 10;
        start_keeper(w, 1);
        wait_for(w, NULL);
        assert_int_equal(fake_zone_all(&w->primary->zone), 2);
        w->primary->ahead_s = 86400; /* it jumps: nothing is to be changed, so nothing is noticed */
        wait_for(w, NULL);
        assert_int_equal(w->primary->updates, 2);
}

static void play_broken_primary(struct world *w)
{
        w->primary->is_broken = true;
        start_keeper(w, 1);
        wait_for(w, "SERVFAIL");
        w->primary->is_broken = false;
        wait_for(w, NULL);
}

static void play_cancelled_while_deriving(struct world *w)
{
        start_keeper(w, 1);
        while (fake_zone_all(&w->primary->zone) == 0) /* the pointer stands: the search begins */
                assert_int_equal(fiber_sleep(w->h->sched, 1), ERR_OK);
        int64_t begin_ms = host_now_ms(w->h);
        stop_keeper(w);
        assert_true(host_now_ms(w->h) - begin_ms < 1000);
        scope_open(&w->scope, w->h->sched, FIBER_NEVER);
}

static void play_primary_without_tcp(struct world *w)
{
        scope_cancel(&w->scope);
        (void)scope_join(&w->scope);
        fake_stop(&w->primary->dns);
        w->primary->dns.listener = NULL;
        scope_open(&w->scope, w->h->sched, FIBER_NEVER);
        fake_start(&w->primary->dns, &w->scope, false);
        start_keeper(w, 1);
        wait_for(w, NULL);
        assert_int_equal(w->primary->dns.over_tcp, 0);
        assert_int_equal(w->primary->updates, 2);
}

static void test_primary_without_tcp(void **state)
{
        (void)state;
        play(play_primary_without_tcp);
}

static void test_publishes(void **state)
{
        (void)state;
        play(play_publishes);
}

static void test_kinds(void **state)
{
        (void)state;
        play(play_kinds);
}

static void test_revokes(void **state)
{
        (void)state;
        play(play_revokes);
}

static void test_wrong_key(void **state)
{
        (void)state;
        play(play_wrong_key);
}

static void test_wrong_clock(void **state)
{
        (void)state;
        play(play_wrong_clock);
}

static void test_broken_primary(void **state)
{
        (void)state;
        play(play_broken_primary);
}

static void test_cancelled_while_deriving(void **state)
{
        (void)state;
        play(play_cancelled_while_deriving);
}

static void test_domains(void **state)
{
        (void)state;
        struct host *h = linux_host_new(NULL);
        struct key_password p = {.n = PASSWORD_MIN};
        struct zone_keeper_config config = {.domain = S("not a domain"),
                .password = &p,
                .selector = S("dkim-%d"),
                .validity_s = 2,
                .overlap_s = 1};
        struct zone_keeper *k;
        assert_non_null(h);
        assert_int_equal(zone_keeper_new(h, &config, &k), ERR_SYNTAX);
        assert_null(k);
        zone_keeper_free(k);
        linux_host_free(h);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_publishes),
                cmocka_unit_test(test_kinds),
                cmocka_unit_test(test_revokes),
                cmocka_unit_test(test_wrong_key),
                cmocka_unit_test(test_primary_without_tcp),
                cmocka_unit_test(test_wrong_clock),
                cmocka_unit_test(test_broken_primary),
                cmocka_unit_test(test_cancelled_while_deriving),
                cmocka_unit_test(test_domains),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
