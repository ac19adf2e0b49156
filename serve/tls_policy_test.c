/* SPDX-License-Identifier: ISC */
/* What hosts have to prove, by a zone that stands in a table, of which DNSSEC vouches for a part. */
#define _GNU_SOURCE
#include "serve/tls_policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include "host/linux/linux.h"
#include "serve/fake_dns.h"

#define HASH "0123456789abcdef0123456789abcdef"

struct entry {
        const char *name;
        uint16_t type;
        bool is_secure;
        const char *value; /* of MX the host, of TLSA its three numbers as digits with the data behind */
};

static const struct entry zone[] = {
        {"good.test", DNS_TYPE_MX, true, "mx.good.test"},
        {"mx.good.test", DNS_TYPE_A, true, "192.0.2.1"},
        {"_25._tcp.mx.good.test", DNS_TYPE_TLSA, true, "311" HASH},
        {"none.test", DNS_TYPE_MX, true, "mx.none.test"},
        {"mx.none.test", DNS_TYPE_A, true, "192.0.2.2"},
        {"insecure-mx.test", DNS_TYPE_MX, false, "mx.good.test"},
        {"insecure-a.test", DNS_TYPE_MX, true, "mx.insecure-a.test"},
        {"mx.insecure-a.test", DNS_TYPE_A, false, "192.0.2.3"},
        {"_25._tcp.mx.insecure-a.test", DNS_TYPE_TLSA, true, "311" HASH},
        {"insecure-tlsa.test", DNS_TYPE_MX, true, "mx.insecure-tlsa.test"},
        {"mx.insecure-tlsa.test", DNS_TYPE_A, true, "192.0.2.4"},
        {"_25._tcp.mx.insecure-tlsa.test", DNS_TYPE_TLSA, false, "311" HASH},
        {"bogus-tlsa.test", DNS_TYPE_MX, true, "mx.bogus-tlsa.test"},
        {"mx.bogus-tlsa.test", DNS_TYPE_A, true, "192.0.2.5"},
        {"short.test", DNS_TYPE_MX, true, "mx.short.test"},
        {"mx.short.test", DNS_TYPE_A, true, "192.0.2.6"},
        {"_25._tcp.mx.short.test", DNS_TYPE_TLSA, true, "31"},
        {"alias.test", DNS_TYPE_MX, true, "mx.alias.test"},
        {"mx.alias.test", DNS_TYPE_CNAME, true, "mx.good.test"},
        {"implicit.test", DNS_TYPE_A, true, "192.0.2.7"},
        {"_25._tcp.implicit.test", DNS_TYPE_TLSA, true, "311" HASH},
        {"relay.test", DNS_TYPE_A, true, "192.0.2.8"},
        {"_587._tcp.relay.test", DNS_TYPE_TLSA, true, "311" HASH},
};

static struct dns_name name_of(const char *text)
{
        struct dns_name name;
        CHECK(dns_name_parse(str_of_c(text), &name) == ERR_OK);
        return name;
}

static void put(struct fake_message *m, const struct entry *e)
{
        char rdata[300];
        struct wr w;
        struct dns_name name = name_of(e->name), target;
        struct ip ip;
        wr_init(&w, rdata, sizeof rdata);
        if (e->type == DNS_TYPE_MX) {
                dns_mx_write_wire(&w, &(struct dns_mx){10, name_of(e->value)});
        } else if (e->type == DNS_TYPE_CNAME) {
                target = name_of(e->value);
                dns_name_write_wire(&w, &target);
        } else if (e->type == DNS_TYPE_TLSA) {
                for (size_t i = 0; i < 3 && e->value[i]; i++)
                        wr_byte(&w, (char)(e->value[i] - '0'));
                if (strlen(e->value) > 3)
                        wr_str(&w, str_of_c(e->value + 3));
        } else {
                CHECK(ip_parse(str_of_c(e->value), &ip) == ERR_OK);
                dns_address_write_wire(&w, &ip);
        }
        fake_record(m, DNS_ANSWER, &name, e->type, 60, wr_text(&w));
}

/* The answer with the AD bit when each record of it is vouched for; negative answers are. */
static void answer(struct fake_dns *s, const struct fake_query *q)
{
        const struct dns_question *ask = &q->summary.question;
        struct dns_name bogus = name_of("_25._tcp.mx.bogus-tlsa.test");
        struct fake_message m;
        bool is_secure = true;
        if (dns_name_eq(&ask->name, &bogus)) {
                fake_begin(&m, q, DNS_RCODE_SERVFAIL, false);
                fake_reply(s, q, fake_end(&m));
                return;
        }
        fake_begin(&m, q, DNS_RCODE_NOERROR, false);
        for (size_t i = 0; i < sizeof zone / sizeof zone[0]; i++) {
                struct dns_name name = name_of(zone[i].name);
                bool is_alias = zone[i].type == DNS_TYPE_CNAME;
                if (!dns_name_eq(&name, &ask->name) || (zone[i].type != ask->type && !is_alias))
                        continue;
                put(&m, &zone[i]);
                is_secure = is_secure && zone[i].is_secure;
        }
        struct str message = fake_end(&m);
        if (is_secure)
                m.buffer[3] = (char)(m.buffer[3] | 0x20);
        fake_reply(s, q, message);
}

struct world {
        struct host *h;
        bool is_trusted;
};

struct a_case {
        const char *domain;
        enum err err;
        enum smtp_client_tls tls;
        enum tls_expect_kind kind;
        size_t records;
        const char *name;
        uint16_t port; /* 0: 25 */
};

static const struct a_case trusted[] = {
        {"good.test", ERR_OK, SMTP_CLIENT_TLS_MUST, TLS_EXPECT_DANE, 1, "mx.good.test"},
        {"none.test", ERR_OK, SMTP_CLIENT_TLS_MAY, TLS_EXPECT_NOTHING, 0, "mx.none.test"},
        {"insecure-mx.test", ERR_OK, SMTP_CLIENT_TLS_MAY, TLS_EXPECT_NOTHING, 0, "mx.good.test"},
        {"insecure-a.test", ERR_OK, SMTP_CLIENT_TLS_MAY, TLS_EXPECT_NOTHING, 0, "mx.insecure-a.test"},
        {"insecure-tlsa.test", ERR_OK, SMTP_CLIENT_TLS_MAY, TLS_EXPECT_NOTHING, 0, "mx.insecure-tlsa.test"},
        {"bogus-tlsa.test", ERR_DENIED, SMTP_CLIENT_TLS_MUST, TLS_EXPECT_NOTHING, 0, "mx.bogus-tlsa.test"},
        {"short.test", ERR_OK, SMTP_CLIENT_TLS_MUST, TLS_EXPECT_NOTHING, 0, "mx.short.test"},
        {"alias.test", ERR_OK, SMTP_CLIENT_TLS_MUST, TLS_EXPECT_DANE, 1, "mx.good.test"},
        {"implicit.test", ERR_OK, SMTP_CLIENT_TLS_MUST, TLS_EXPECT_DANE, 1, "implicit.test"},
        {"[192.0.2.1]", ERR_OK, SMTP_CLIENT_TLS_MAY, TLS_EXPECT_NOTHING, 0, ""},
        /* each port has records of its own */
        {"relay.test", ERR_OK, SMTP_CLIENT_TLS_MUST, TLS_EXPECT_DANE, 1, "relay.test", 587},
        {"relay.test", ERR_OK, SMTP_CLIENT_TLS_MAY, TLS_EXPECT_NOTHING, 0, "relay.test"},
        {"good.test", ERR_OK, SMTP_CLIENT_TLS_MAY, TLS_EXPECT_NOTHING, 0, "mx.good.test", 587},
};

static void check(struct world *w, struct resolver *r, const struct a_case *c)
{
        static char memory[2 * DNS_ANSWER_ROOM];
        struct mx_targets targets;
        struct tls_policy policy;
        struct arena arena;
        int64_t deadline_ms = host_now_ms(w->h) + 10000;
        arena_init(&arena, memory, sizeof memory);
        assert_int_equal(
                mx_find(r, w->h, str_of_c(c->domain), S("self.test"), deadline_ms, &targets), ERR_OK);
        const struct tls_policy_question q = {.resolver = r,
                .targets = &targets,
                .domain = str_of_c(c->domain),
                .port = c->port ? c->port : 25,
                .deadline_ms = deadline_ms,
                .arena = &arena};
        enum err e = tls_policy_find(&q, &policy);
        if (!w->is_trusted) {
                assert_int_equal(e, ERR_OK);
                assert_int_equal(policy.tls, SMTP_CLIENT_TLS_MAY);
                return;
        }
        if (e != c->err || policy.tls != c->tls || policy.expect.kind != c->kind ||
                policy.expect.tlsa_count != c->records || !str_eq(policy.expect.name, str_of_c(c->name)))
                fail_msg("%s: %s, tls %d, kind %d, %zu records, \"%.*s\"", c->domain, err_text(e), policy.tls,
                        policy.expect.kind, policy.expect.tlsa_count, STR_ARG(policy.expect.name));
        if (policy.expect.kind == TLS_EXPECT_DANE) {
                assert_true(str_eq(policy.expect.tlsa[0].data, S(HASH)));
                assert_int_equal(policy.expect.tlsa[0].usage, 3);
                assert_true(str_eq(policy.expect.other, str_of_c(c->domain)));
        }
}

static void world_main(void *arg)
{
        struct world *w = arg;
        struct fake_dns server = {.h = w->h, .answer = answer};
        struct scope scope;
        scope_open(&scope, w->h->sched, FIBER_NEVER);
        fake_start(&server, &scope, false);
        struct dns_server at = {.at = server.at, .is_trusted = w->is_trusted};
        struct resolver_config config = {.servers = &at, .server_count = 1, .timeout_ms = 500, .rounds = 1};
        struct resolver *r = resolver_new(w->h, &config);
        assert_non_null(r);
        for (size_t i = 0; i < sizeof trusted / sizeof trusted[0]; i++)
                check(w, r, &trusted[i]);
        resolver_free(r);
        scope_cancel(&scope);
        (void)scope_join(&scope);
        fake_stop(&server);
}

static void with_world(bool is_trusted)
{
        struct world w = {.is_trusted = is_trusted};
        w.h = linux_host_new(NULL);
        assert_non_null(w.h);
        linux_host_run(w.h, world_main, &w);
        linux_host_free(w.h);
}

static void test_trusted(void **state)
{
        (void)state;
        with_world(true);
}

/* The AD bit of any other server is nobody's word: no host is asked for anything. */
static void test_untrusted(void **state)
{
        (void)state;
        with_world(false);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_trusted),
                cmocka_unit_test(test_untrusted),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
