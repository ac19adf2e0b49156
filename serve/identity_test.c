/* SPDX-License-Identifier: ISC */
/* Keys by the clock and the password. The records in the zone: tests/system/tls.py, with a real primary. */
#include "serve/identity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "base/limits.h"
#include "crypto/tls_pair.h"
#include "host/sim/sim.h"
#include "serve/loopback.h"
#include "serve/pem_world.h"

#define PASSWORD "AAECAwQFBgcICQoLDA0ODw=="

static void make(struct loopback *l, const char *password, const char *hostname, struct identity *id)
{
        struct key_password secret;
        struct scope scope;
        assert_int_equal(key_password_parse(str_of_c(password), &secret), ERR_OK);
        memset(id, 0, sizeof *id);
        assert_int_equal(identity_init(id, l->host, str_of_c(hostname), &secret), ERR_OK);
        key_password_wipe(&secret);
        scope_open(&scope, l->host->sched, FIBER_NEVER);
        assert_int_equal(scope_spawn(&scope, "identity", identity_run, id), ERR_OK);
        while (!id->context)
                assert_int_equal(fiber_sleep(l->host->sched, 5), ERR_OK);
        scope_cancel(&scope);
        (void)scope_join(&scope);
}

/* Restarted, or started twice, it is the same key; another password or name gives another one. */
static void same_key(void *arg)
{
        struct loopback *l = arg;
        struct identity one, two, other, elsewhere;
        uint8_t hash[SHA256_SIZE];
        make(l, PASSWORD, "mx.example.org", &one);
        make(l, PASSWORD, "mx.example.org", &two);
        make(l, "BBECAwQFBgcICQoLDA0ODw==", "mx.example.org", &other);
        make(l, PASSWORD, "mx2.example.org", &elsewhere);
        int64_t now = host_wall_ms(l->host) / 1000;
        assert_true(one.epoch % TLS_PERIOD_S == 0 && one.epoch <= now && now < one.epoch + TLS_PERIOD_S);
        assert_true(tls_server_until(one.context) == one.epoch + TLS_PERIOD_S + TLS_SLACK_S);
        assert_int_equal(tls_server_key_hash(one.context, hash), ERR_OK);
        assert_memory_equal(hash, one.hashes[0], sizeof hash);
        assert_memory_equal(one.hashes, two.hashes, sizeof one.hashes);
        assert_memory_not_equal(one.hashes[0], one.hashes[1], SHA256_SIZE);
        assert_memory_not_equal(one.hashes[0], other.hashes[0], SHA256_SIZE);
        assert_memory_not_equal(one.hashes[0], elsewhere.hashes[0], SHA256_SIZE);
        identity_drop(&one);
        identity_drop(&two);
        identity_drop(&other);
        identity_drop(&elsewhere);
}

static void test_same_key(void **state)
{
        struct loopback l = {0};
        (void)state;
        loopback_run(&l, same_key);
}

static enum err give(struct identity *id, struct loopback *l, const char *certificate, const char *key)
{
        return identity_give(id, l->host, str_of_c(certificate), str_of_c(key));
}

/* One that is renewed takes the place of the former; one that cannot be used does not. */
static void given(void *arg)
{
        struct loopback *l = arg;
        struct identity id = {0};
        assert_int_equal(give(&id, l, "no certificate", "no key"), ERR_SYNTAX);
        assert_null(id.context);
        assert_int_equal(give(&id, l, PEM_LEAF, PEM_LEAF_KEY), ERR_OK);
        struct tls_context *first = id.context;
        assert_non_null(first);
        assert_int_equal(give(&id, l, PEM_LEAF, PEM_LEAF_KEY), ERR_OK);
        assert_ptr_equal(id.context, first);
        assert_int_equal(give(&id, l, PEM_OTHER, PEM_LEAF_KEY), ERR_MISMATCH);
        assert_int_equal(give(&id, l, "", ""), ERR_SYNTAX);
        assert_ptr_equal(id.context, first);
        assert_int_equal(give(&id, l, PEM_OTHER, PEM_OTHER_KEY), ERR_OK);
        assert_non_null(id.context);
        assert_ptr_not_equal(id.context, first);
        identity_drop(&id);
}

static void test_given(void **state)
{
        struct loopback l = {0};
        (void)state;
        loopback_run(&l, given);
}

/* ---- a day in a moment ---- */

#define HOUR_MS (60LL * 60 * 1000)

struct day {
        struct identity id;
        struct tls_context *client;
        unsigned looks;
};

/* A session with what is used now: was it resumed? */
static bool meet(struct day *d)
{
        const struct tls_expect expect = {.name = S("mx.example.org"), .may_resume = true};
        enum err client, server;
        struct pair p;
        char got[8];
        size_t n;
        assert_int_equal(tls_accept(d->id.context, &p.server), ERR_OK);
        assert_int_equal(tls_connect(d->client, &expect, &p.client), ERR_OK);
        shake(&p, 100000, &client, &server);
        assert_true(client == ERR_OK && server == ERR_OK);
        assert_int_equal(tls_read(p.client, got, sizeof got, &n), ERR_AGAIN); /* takes the tickets */
        bool is_resumed = tls_is_resumed(p.client);
        drop(&p);
        return is_resumed;
}

/* The files are gone at the first look, and others from the third on. */
static enum err give_again(struct identity *id, void *ctx)
{
        struct day *d = ctx;
        d->looks++;
        if (d->looks == 1)
                return ERR_NOT_FOUND;
        return d->looks < 3 ? identity_give(id, id->host, S(PEM_LEAF), S(PEM_LEAF_KEY))
                            : identity_give(id, id->host, S(PEM_OTHER), S(PEM_OTHER_KEY));
}

static int a_day(struct host *h, void *arg)
{
        struct day *d = arg;
        struct scope scope;
        assert_int_equal(identity_give(&d->id, h, S(PEM_LEAF), S(PEM_LEAF_KEY)), ERR_OK);
        d->id.give_again = give_again;
        d->id.ctx = d;
        struct tls_context *first = d->id.context;
        scope_open(&scope, h->sched, FIBER_NEVER);
        assert_int_equal(scope_spawn(&scope, "identity", identity_run, &d->id), ERR_OK);
        assert_false(meet(d));
        assert_true(meet(d));
        assert_int_equal(fiber_sleep(h->sched, HOUR_MS + HOUR_MS / 2), ERR_OK);
        assert_int_equal(d->looks, 1);
        assert_ptr_equal(d->id.context, first);
        assert_true(meet(d)); /* the keys before the last change still count */
        assert_int_equal(fiber_sleep(h->sched, HOUR_MS), ERR_OK);
        assert_ptr_equal(d->id.context, first);
        assert_int_equal(fiber_sleep(h->sched, HOUR_MS), ERR_OK);
        assert_int_equal(d->looks, 3);
        assert_ptr_not_equal(d->id.context, first);
        assert_false(meet(d));
        assert_int_equal(fiber_sleep(h->sched, 2 * HOUR_MS), ERR_OK);
        assert_false(meet(d)); /* by now they have changed twice */
        scope_cancel(&scope);
        (void)scope_join(&scope);
        identity_drop(&d->id);
        return 0;
}

static void run_day(struct sim *sim, void *arg)
{
        const struct ip address = ip_v4(192, 0, 2, 1);
        struct sim_node *node = sim_node_add(sim, "lipap", &address, 1, NULL);
        int status;
        sim_node_start(node, a_day, arg);
        assert_int_equal(sim_node_join(node, FIBER_NEVER, &status), ERR_OK);
        assert_int_equal(status, 0);
}

/* Each hour a certificate that was given is looked at, and keys of tickets change. */
static void test_each_hour(void **state)
{
        struct sim *sim = sim_new(1, NULL);
        struct day d = {.looks = 0};
        (void)state;
        assert_int_equal(tls_client(S(""), &d.client), ERR_OK);
        sim_run(sim, run_day, &d);
        assert_null(sim_failure(sim));
        sim_free(sim);
        tls_context_free(d.client);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_same_key),
                cmocka_unit_test(test_given),
                cmocka_unit_test(test_each_hour),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
