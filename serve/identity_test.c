/* SPDX-License-Identifier: ISC */
/* Keys by the clock and the password. The records in the zone: tests/system/tls.py, with a real primary. */
#include "serve/identity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "base/limits.h"
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

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_same_key),
                cmocka_unit_test(test_given),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
