/* SPDX-License-Identifier: ISC */
/* Where mail goes, by a zone that stands in a table. */
#define _GNU_SOURCE
#include "serve/mx.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "host/linux/linux.h"
#include "serve/fake_dns.h"

#define SELF "mx.mailingl.st"

struct entry {
        const char *name;
        uint16_t type;
        uint16_t preference;
        const char *value; /* an address, or a name */
};

static const struct entry zone[] = {
        {"plain.test", DNS_TYPE_MX, 10, "a.test"},
        {"two.test", DNS_TYPE_MX, 20, "b.test"},
        {"two.test", DNS_TYPE_MX, 10, "a.test"},
        {"two-twin.test", DNS_TYPE_MX, 7, "b.test"},
        {"two-twin.test", DNS_TYPE_MX, 5, "A.test"},
        {"two-back.test", DNS_TYPE_MX, 10, "b.test"},
        {"two-back.test", DNS_TYPE_MX, 20, "a.test"},
        {"two-equal.test", DNS_TYPE_MX, 10, "b.test"},
        {"two-equal.test", DNS_TYPE_MX, 10, "a.test"},
        {"equal.test", DNS_TYPE_MX, 10, "a.test"},
        {"equal.test", DNS_TYPE_MX, 10, "b.test"},
        {"equal.test", DNS_TYPE_MX, 10, "c.test"},
        {"null.test", DNS_TYPE_MX, 0, "."},
        {"implicit.test", DNS_TYPE_A, 0, "192.0.2.9"},
        {"both.test", DNS_TYPE_MX, 10, "dual.test"},
        {"dual.test", DNS_TYPE_A, 0, "192.0.2.4"},
        {"dual.test", DNS_TYPE_AAAA, 0, "2001:db8::4"},
        {"backup.test", DNS_TYPE_MX, 10, "a.test"},
        {"backup.test", DNS_TYPE_MX, 20, SELF},
        {"backup.test", DNS_TYPE_MX, 20, "b.test"},
        {"backup.test", DNS_TYPE_MX, 30, "c.test"},
        {"ours.test", DNS_TYPE_MX, 10, SELF},
        {"homeless.test", DNS_TYPE_MX, 10, "nowhere.test"},
        {"half.test", DNS_TYPE_MX, 10, "broken.test"},
        {"half.test", DNS_TYPE_MX, 20, "b.test"},
        {"sick.test", DNS_TYPE_MX, 10, "broken.test"},
        {"aliased.test", DNS_TYPE_MX, 10, "alias.test"},
        {"robber6.test", DNS_TYPE_MX, 10, "thief6.test"},
        {"robber4.test", DNS_TYPE_MX, 10, "thief4.test"},
        {"a.test", DNS_TYPE_A, 0, "192.0.2.1"},
        {"b.test", DNS_TYPE_A, 0, "192.0.2.2"},
        {"c.test", DNS_TYPE_A, 0, "192.0.2.3"},
        {SELF, DNS_TYPE_A, 0, "192.0.2.25"},
        {"nodata.test", DNS_TYPE_TXT, 0, "x"},
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
        struct dns_name name = name_of(e->name);
        struct ip ip;
        wr_init(&w, rdata, sizeof rdata);
        if (e->type == DNS_TYPE_MX) {
                dns_mx_write_wire(&w, &(struct dns_mx){e->preference, name_of(e->value)});
        } else {
                CHECK(ip_parse(str_of_c(e->value), &ip) == ERR_OK);
                dns_address_write_wire(&w, &ip);
        }
        fake_record(m, DNS_ANSWER, &name, e->type, 60, wr_text(&w));
}

/* Names that do not exist, each of which would be two questions to somebody's servers. */
static void many_exchanges(struct fake_dns *s, const struct fake_query *q)
{
        struct fake_message m;
        char text[32], rdata[300];
        fake_begin(&m, q, DNS_RCODE_NOERROR, false);
        for (int i = 0; i < 40 && q->summary.question.type == DNS_TYPE_MX; i++) {
                struct wr w;
                (void)snprintf(text, sizeof text, "n%d.test", i);
                wr_init(&w, rdata, sizeof rdata);
                dns_mx_write_wire(&w, &(struct dns_mx){10, name_of(text)});
                fake_record(&m, DNS_ANSWER, &q->summary.question.name, DNS_TYPE_MX, 60, wr_text(&w));
        }
        fake_reply(s, q, fake_end(&m));
}

/* Where an alias leads, and who owns it says for which type it is one; `own` is the address of the other. */
struct alias {
        const char *name;
        uint16_t type; /* 0: for both */
        const char *own;
};

static const struct alias aliases[] = {
        {"alias.test", 0, NULL},
        {"thief6.test", DNS_TYPE_A, "2001:db8::66"},
        {"thief4.test", DNS_TYPE_AAAA, "192.0.2.66"},
};

/* Each leads to dual.test, whose addresses the resolver adds. */
static void answer_alias(struct fake_dns *s, const struct fake_query *q, const struct alias *alias)
{
        struct fake_message m;
        char wire[DNS_NAME_MAX];
        struct wr w;
        struct dns_name name = name_of(alias->name), dual = name_of("dual.test");
        uint16_t type = q->summary.question.type;
        bool is_a = type == DNS_TYPE_A, is_address = is_a || type == DNS_TYPE_AAAA;
        const struct entry at = {"dual.test", type, 0, is_a ? "192.0.2.4" : "2001:db8::4"};
        const struct entry own = {alias->name, type, 0, alias->own};
        wr_init(&w, wire, sizeof wire);
        dns_name_write_wire(&w, &dual);
        fake_begin(&m, q, DNS_RCODE_NOERROR, false);
        if (is_address && (alias->type == 0 || alias->type == type)) {
                fake_record(&m, DNS_ANSWER, &name, DNS_TYPE_CNAME, 60, wr_text(&w));
                put(&m, &at);
        } else if (is_address) {
                put(&m, &own);
        }
        fake_reply(s, q, fake_end(&m));
}

static void answer(struct fake_dns *s, const struct fake_query *q)
{
        struct fake_message m;
        struct dns_name broken = name_of("broken.test"), greedy = name_of("greedy.test");
        bool exists = false;
        if (dns_name_eq(&q->summary.question.name, &broken)) {
                fake_begin(&m, q, DNS_RCODE_SERVFAIL, false);
                fake_reply(s, q, fake_end(&m));
                return;
        }
        for (size_t i = 0; i < sizeof zone / sizeof zone[0]; i++) {
                struct dns_name name = name_of(zone[i].name);
                exists = exists || dns_name_eq(&name, &q->summary.question.name);
        }
        if (dns_name_eq(&q->summary.question.name, &greedy)) {
                many_exchanges(s, q);
                return;
        }
        for (size_t i = 0; i < sizeof aliases / sizeof aliases[0]; i++) {
                struct dns_name name = name_of(aliases[i].name);
                if (dns_name_eq(&q->summary.question.name, &name)) {
                        answer_alias(s, q, &aliases[i]);
                        return;
                }
        }
        fake_begin(&m, q, exists ? DNS_RCODE_NOERROR : DNS_RCODE_NXDOMAIN, false);
        for (size_t i = 0; i < sizeof zone / sizeof zone[0]; i++) {
                struct dns_name name = name_of(zone[i].name);
                if (zone[i].type == q->summary.question.type && dns_name_eq(&name, &q->summary.question.name))
                        put(&m, &zone[i]);
        }
        fake_reply(s, q, fake_end(&m));
}

struct world {
        struct host *h;
        struct resolver *r;
        struct fake_dns server;
        void (*body)(struct world *w);
};

static void world_main(void *arg)
{
        struct world *w = arg;
        struct scope scope;
        w->server = (struct fake_dns){.h = w->h, .answer = answer};
        scope_open(&scope, w->h->sched, FIBER_NEVER);
        fake_start(&w->server, &scope, false);
        struct dns_server server = {.at = w->server.at};
        struct resolver_config config = {
                .servers = &server, .server_count = 1, .timeout_ms = 500, .rounds = 1};
        w->r = resolver_new(w->h, &config);
        assert_non_null(w->r);
        w->body(w);
        resolver_free(w->r);
        scope_cancel(&scope);
        (void)scope_join(&scope);
        fake_stop(&w->server);
}

static void with_world(void (*body)(struct world *w))
{
        struct world w = {.body = body};
        w.h = linux_host_new(NULL);
        assert_non_null(w.h);
        linux_host_run(w.h, world_main, &w);
        linux_host_free(w.h);
}

static enum err find(struct world *w, const char *domain, struct mx_targets *out)
{
        return mx_find(w->r, w->h, str_of_c(domain), S(SELF), host_now_ms(w->h) + 10000, out);
}

/* The addresses as text, parted by spaces. */
static struct str text_of(const struct mx_targets *t, char *into, size_t cap)
{
        struct wr w;
        wr_init(&w, into, cap);
        for (size_t i = 0; i < t->count; i++) {
                if (i > 0)
                        wr_byte(&w, ' ');
                ip_write(&w, &t->at[i].ip);
                assert_int_equal(t->at[i].port, 25);
        }
        return wr_text(&w);
}

static void cases(struct world *w)
{
        static const struct {
                const char *domain;
                enum err err;
                const char *at;
        } table[] = {
                {"plain.test", ERR_OK, "192.0.2.1"},
                {"PLAIN.Test", ERR_OK, "192.0.2.1"},
                {"two.test", ERR_OK, "192.0.2.1 192.0.2.2"},
                {"null.test", ERR_UNSUPPORTED, ""},
                {"implicit.test", ERR_OK, "192.0.2.9"},
                {"both.test", ERR_OK, "2001:db8::4 192.0.2.4"},
                {"backup.test", ERR_OK, "192.0.2.1"}, /* ourselves, equals and worse are left out */
                {"ours.test", ERR_NOT_FOUND, ""},
                {"homeless.test", ERR_NOT_FOUND,
                        ""}, /* an MX without address is no reason for an implicit one */
                {"half.test", ERR_OK, "192.0.2.2"},
                {"sick.test", ERR_DENIED, ""}, /* a dead resolver is no verdict on the domain */
                {"nodata.test", ERR_NOT_FOUND, ""},
                {"absent.test", ERR_NOT_FOUND, ""},
                {"[192.0.2.77]", ERR_OK, "192.0.2.77"},
                {"[IPv6:2001:db8::1]", ERR_OK, "2001:db8::1"},
                {"not a name", ERR_UNSUPPORTED, ""},
        };
        for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
                struct mx_targets t;
                char text[512];
                assert_int_equal(find(w, table[i].domain, &t), table[i].err);
                assert_true(str_eq(text_of(&t, text, sizeof text), str_of_c(table[i].at)));
        }
}

/* A host that was named is that host: its own addresses, and no MX. */
static void one_host(struct world *w)
{
        static const struct {
                const char *host;
                enum err err;
                const char *at;
        } table[] = {
                {"dual.test", ERR_OK, "2001:db8::4 192.0.2.4"},
                {SELF, ERR_OK, "192.0.2.25"},
                {"[192.0.2.77]", ERR_OK, "192.0.2.77"},
                {"plain.test", ERR_NOT_FOUND, ""}, /* it has an MX, and no address */
                {"null.test", ERR_NOT_FOUND, ""},
                {"broken.test", ERR_DENIED, ""},
        };
        for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
                struct mx_targets t;
                char text[512];
                assert_int_equal(
                        mx_find_host(w->r, w->h, str_of_c(table[i].host), host_now_ms(w->h) + 10000, &t),
                        table[i].err);
                assert_true(str_eq(text_of(&t, text, sizeof text), str_of_c(table[i].at)));
        }
}

/* Lesson: MX of equal preference dropped. All are there, and each comes first at some time. */
static void equals(struct world *w)
{
        unsigned first[4] = {0};
        for (int i = 0; i < 120; i++) {
                struct mx_targets t;
                assert_int_equal(find(w, "equal.test", &t), ERR_OK);
                assert_int_equal(t.count, 3);
                first[t.at[0].ip.b[3]]++;
        }
        for (int i = 1; i <= 3; i++)
                assert_true(first[i] > 0);
}

/* Who owns a domain shall not have us ask for hundreds of names. */
static void greedy(struct world *w)
{
        struct mx_targets t;
        assert_int_equal(find(w, "greedy.test", &t), ERR_NOT_FOUND);
        assert_true(w->server.over_udp > MX_HOSTS_MAX && w->server.over_udp <= 1 + 2 * MX_HOSTS_MAX);
}

typedef enum err digest_fn(const struct mx_targets *targets, uint8_t digest[MX_KEY_SIZE]);

static bool is_same(struct world *w, const char *a, const char *b, digest_fn *digest)
{
        struct mx_targets of_a, of_b;
        uint8_t key_a[MX_KEY_SIZE], key_b[MX_KEY_SIZE];
        assert_int_equal(find(w, a, &of_a), ERR_OK);
        assert_int_equal(find(w, b, &of_b), ERR_OK);
        assert_int_equal(digest(&of_a, key_a), ERR_OK);
        assert_int_equal(digest(&of_b, key_b), ERR_OK);
        return memcmp(key_a, key_b, MX_KEY_SIZE) == 0;
}

/* Domains with the same hosts are one destination, and share connections where they agree on the order. A host of one's own that is an alias of somebody else's for one type of
 * address only is no way to get at that one's mail. */
static void keys(struct world *w)
{
        static const struct {
                const char *a, *b;
                bool is_one_set, is_one_order;
        } table[] = {
                {"both.test", "BOTH.test", true, true},
                {"both.test", "aliased.test", true, true},
                {"dual.test", "both.test", true, true},
                {"equal.test", "equal.test", true, true},
                {"two.test", "equal.test", false, false},
                {"two.test", "two-twin.test", true, true},
                {"two.test", "two-back.test", true, false},
                {"two.test", "two-equal.test", true, false},
                {"two-back.test", "two-equal.test", true, false},
                {"plain.test", "two.test", false, false},
                {"both.test", "robber6.test", false, false},
                {"both.test", "robber4.test", false, false},
                {"robber4.test", "robber4.test", true, true},
                {"[192.0.2.77]", "[192.0.2.77]", true, true},
                {"[192.0.2.77]", "[192.0.2.78]", false, false},
                {"[32.1.13.184]", "[IPv6:2001:db8::]", false, false},
        };
        for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
                if (is_same(w, table[i].a, table[i].b, mx_key) != table[i].is_one_set ||
                        is_same(w, table[i].a, table[i].b, mx_order) != table[i].is_one_order)
                        fail_msg("%s and %s", table[i].a, table[i].b);
}

static void test_keys(void **state)
{
        (void)state;
        with_world(keys);
}

static void test_many_exchanges(void **state)
{
        (void)state;
        with_world(greedy);
}

static void test_cases(void **state)
{
        (void)state;
        with_world(cases);
}

static void test_one_host(void **state)
{
        (void)state;
        with_world(one_host);
}

static void test_equal_preference_is_shuffled(void **state)
{
        (void)state;
        with_world(equals);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_cases),
                cmocka_unit_test(test_one_host),
                cmocka_unit_test(test_keys),
                cmocka_unit_test(test_many_exchanges),
                cmocka_unit_test(test_equal_preference_is_shuffled),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
