/* SPDX-License-Identifier: ISC */
/* The resolver and the exchange under it, against fake servers on loopback. */
#define _GNU_SOURCE
#include "serve/resolver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include "host/linux/linux.h"
#include "serve/fake_dns.h"

#define TIMEOUT_MS 100
#define SERVERS 2

struct world {
        struct host *h;
        void (*body)(struct world *w);
        struct fake_dns server[SERVERS];
        struct resolver *r;
        struct resolver_config config;
        struct arena arena;
        char memory[64 * 1024];
        struct dns_answer answer;
};

static struct dns_name name_of(const char *text)
{
        struct dns_name name;
        CHECK(dns_name_parse(str_of_c(text), &name) == ERR_OK);
        return name;
}

/* The answer that every test waits for is 192.0.2.1; that of an attacker ends in 66. */
static void put_address(struct fake_message *m, const struct dns_name *name, char last)
{
        char address[4] = {(char)192, 0, 2, last};
        fake_record(m, DNS_ANSWER, name, DNS_TYPE_A, 60, str_of(address, 4));
}

static void put_soa(struct fake_message *m)
{
        char rdata[100];
        struct wr w;
        struct dns_name root = name_of("."), host = name_of("ns");
        wr_init(&w, rdata, sizeof rdata);
        dns_soa_write_wire(&w, &(struct dns_soa){host, host, 1, 2, 3, 4, 30});
        fake_record(m, DNS_AUTHORITY, &root, DNS_TYPE_SOA, 3600, wr_text(&w));
}

static void put_alias(struct fake_message *m, const struct dns_name *name, const char *to)
{
        struct dns_name target = name_of(to);
        fake_record(m, DNS_ANSWER, name, DNS_TYPE_CNAME, 40, str_of(target.b, target.n));
}

static void send_address(struct fake_dns *s, const struct fake_query *q)
{
        struct fake_message m;
        fake_begin(&m, q, DNS_RCODE_NOERROR, false);
        put_address(&m, &q->summary.question.name, 1);
        fake_reply(s, q, fake_end(&m));
}

static void send_rcode(struct fake_dns *s, const struct fake_query *q, uint8_t rcode, bool with_soa)
{
        struct fake_message m;
        fake_begin(&m, q, rcode, false);
        if (with_soa)
                put_soa(&m);
        fake_reply(s, q, fake_end(&m));
}

static void send_alias(struct fake_dns *s, const struct fake_query *q, const char *to)
{
        struct fake_message m;
        fake_begin(&m, q, DNS_RCODE_NOERROR, false);
        put_alias(&m, &q->summary.question.name, to);
        fake_reply(s, q, fake_end(&m));
}

static void send_truncated(struct fake_dns *s, const struct fake_query *q)
{
        struct fake_message m;
        if (q->tcp) {
                send_address(s, q);
                return;
        }
        fake_begin(&m, q, DNS_RCODE_NOERROR, true);
        put_address(&m, &q->summary.question.name, 66);
        fake_reply(s, q, fake_end(&m));
}

/* Answers that differ from the right one in one thing each, before it. */
static void send_twins_first(struct fake_dns *s, const struct fake_query *q)
{
        for (int i = 0; i < 7; i++) {
                struct fake_message m;
                struct fake_query twin = *q;
                struct dns_summary *t = &twin.summary;
                if (i == 0)
                        t->header.id ^= 1;
                else if (i == 1)
                        t->question.name = name_of("other");
                else if (i == 2)
                        t->question.type = DNS_TYPE_TXT;
                else if (i == 3)
                        t->question.class = 3;
                else if (i == 4)
                        t->header.opcode = 4;
                fake_begin(&m, &twin, DNS_RCODE_NOERROR, false);
                put_address(&m, &q->summary.question.name, 66);
                struct str message = fake_end(&m);
                if (i == 5)
                        m.buffer[2] = (char)(m.buffer[2] & 0x7f); /* a query, not a response */
                if (i == 6)
                        message = str_take(message, 11);
                fake_reply(s, q, message);
        }
        send_address(s, q);
}

/* The same answer from another port, which knows the port and the id. */
static void send_from_other_port(struct fake_dns *s, const struct fake_query *q)
{
        struct fake_message m;
        struct ip_port at;
        int fd = fake_udp_socket(&at);
        fake_begin(&m, q, DNS_RCODE_NOERROR, false);
        put_address(&m, &q->summary.question.name, 66);
        fake_send(fd, &q->from, fake_end(&m));
        close(fd);
        assert_int_equal(fiber_sleep(s->h->sched, 10), ERR_OK);
        send_address(s, q);
}

/* As servers before EDNS: the header alone. */
static void send_formerr(struct fake_dns *s, const struct fake_query *q)
{
        struct fake_message m;
        if (!q->summary.has_edns) {
                send_address(s, q);
                return;
        }
        fake_begin(&m, q, DNS_RCODE_FORMERR, false);
        dns_writer_init(&m.w, m.buffer, sizeof m.buffer,
                &(struct dns_header){
                        .id = q->summary.header.id, .is_response = true, .rcode = DNS_RCODE_FORMERR});
        fake_reply(s, q, fake_end(&m));
}

static void send_oversized(struct fake_dns *s, const struct fake_query *q)
{
        static const char rdata[2000];
        struct fake_message m;
        if (q->tcp) {
                send_address(s, q);
                return;
        }
        fake_begin(&m, q, DNS_RCODE_NOERROR, false);
        fake_record(&m, DNS_ADDITIONAL, &q->summary.question.name, 65280, 60, str_of(rdata, sizeof rdata));
        fake_reply(s, q, fake_end(&m));
}

/* Answer by the name asked for. */
static void answer_by_name(struct fake_dns *s, const struct fake_query *q)
{
        struct str label = dns_name_label(&q->summary.question.name, 0);
        assert_true(q->summary.header.recursion_desired && q->summary.header.authentic_data);
        if (str_eq(label, S("silent")))
                return;
        if (str_eq(label, S("cut")))
                send_truncated(s, q);
        else if (str_eq(label, S("twins")))
                send_twins_first(s, q);
        else if (str_eq(label, S("spoofed")))
                send_from_other_port(s, q);
        else if (str_eq(label, S("formerr")))
                send_formerr(s, q);
        else if (str_eq(label, S("oversized")))
                send_oversized(s, q);
        else if (str_eq(label, S("servfail")))
                send_rcode(s, q, DNS_RCODE_SERVFAIL, false);
        else if (str_eq(label, S("refused")))
                send_rcode(s, q, DNS_RCODE_REFUSED, false);
        else if (str_eq(label, S("none")))
                send_rcode(s, q, DNS_RCODE_NXDOMAIN, true);
        else if (str_eq(label, S("none-no-soa")))
                send_rcode(s, q, DNS_RCODE_NXDOMAIN, false);
        else if (str_eq(label, S("empty")))
                send_rcode(s, q, DNS_RCODE_NOERROR, true);
        else if (str_eq(label, S("alias")))
                send_alias(s, q, "ok");
        else if (str_eq(label, S("alias-to-none")))
                send_alias(s, q, "none");
        else if (str_eq(label, S("ring-1")))
                send_alias(s, q, "ring-2");
        else if (str_eq(label, S("ring-2")))
                send_alias(s, q, "ring-1");
        else
                send_address(s, q);
}

static void answer_nothing(struct fake_dns *s, const struct fake_query *q)
{
        (void)s;
        (void)q;
}

static void answer_servfail(struct fake_dns *s, const struct fake_query *q)
{
        send_rcode(s, q, DNS_RCODE_SERVFAIL, false);
}

static void run_world(void *arg)
{
        struct world *w = arg;
        struct scope scope;
        struct dns_server servers[SERVERS] = {0};
        scope_open(&scope, w->h->sched, FIBER_NEVER);
        for (size_t i = 0; i < SERVERS; i++) {
                w->server[i].h = w->h;
                if (!w->server[i].answer)
                        w->server[i].answer = answer_by_name;
                fake_start(&w->server[i], &scope, true);
                servers[i].at = w->server[i].at;
        }
        w->config.servers = servers;
        if (w->config.server_count == 0)
                w->config.server_count = SERVERS;
        w->config.timeout_ms = TIMEOUT_MS;
        w->r = resolver_new(w->h, &w->config);
        assert_non_null(w->r);
        w->body(w);
        resolver_free(w->r);
        scope_cancel(&scope);
        (void)scope_join(&scope);
        for (size_t i = 0; i < SERVERS; i++)
                fake_stop(&w->server[i]);
}

static void run(struct world *w, void (*body)(struct world *w))
{
        w->h = linux_host_new(NULL);
        assert_non_null(w->h);
        w->body = body;
        linux_host_run(w->h, run_world, w);
        linux_host_free(w->h);
}

static enum err look_up_type(struct world *w, const char *text, uint16_t type)
{
        struct dns_name name = name_of(text);
        arena_init(&w->arena, w->memory, sizeof w->memory);
        return resolver_lookup(w->r, &name, type, host_now_ms(w->h) + 10000, &w->arena, &w->answer);
}

static enum err look_up(struct world *w, const char *text)
{
        return look_up_type(w, text, DNS_TYPE_A);
}

static bool is_right(const struct dns_answer *a)
{
        return a->status == DNS_FOUND && a->count == 1 && a->values[0].ip.b[3] == 1;
}

static size_t asked(const struct world *w)
{
        size_t n = 0;
        for (size_t i = 0; i < SERVERS; i++)
                n += w->server[i].over_udp + w->server[i].over_tcp;
        return n;
}

static void found(struct world *w)
{
        static const struct {
                const char *name;
                size_t udp, tcp;
        } cases[] = {
                {"ok.example", 1, 0},
                {"cut", 1, 1},
                {"oversized", 1, 1},
                {"twins", 1, 0},
                {"spoofed", 1, 0},
                {"formerr", 2, 0},
                {"alias", 2, 0},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                size_t udp = w->server[0].over_udp, tcp = w->server[0].over_tcp;
                enum err e = look_up(w, cases[i].name);
                if (e != ERR_OK || !is_right(&w->answer))
                        fail_msg("%s: %s", cases[i].name, err_text(e));
                assert_int_equal(w->server[0].over_udp - udp, cases[i].udp);
                assert_int_equal(w->server[0].over_tcp - tcp, cases[i].tcp);
        }
        assert_int_equal(w->server[1].over_udp + w->server[1].over_tcp, 0);
}

static void test_found(void **state)
{
        (void)state;
        static struct world w;
        run(&w, found);
}

static void failures(struct world *w)
{
        assert_int_equal(look_up(w, "servfail"), ERR_DENIED);
        assert_int_equal(w->answer.rcode, DNS_RCODE_SERVFAIL);
        assert_int_equal(w->answer.count, 0);
        assert_int_equal(asked(w), 2); /* both said so: no second round */
        assert_int_equal(look_up(w, "refused"), ERR_DENIED);
        assert_int_equal(w->answer.rcode, DNS_RCODE_REFUSED);
        assert_int_equal(look_up(w, "ring-1"), ERR_LIMIT);
        size_t before = asked(w);
        assert_int_equal(look_up(w, "servfail"), ERR_DENIED); /* a failure is not remembered */
        assert_int_equal(asked(w), before + 2);
        before = asked(w);
        assert_int_equal(look_up(w, "silent"), ERR_TIMEOUT);
        assert_int_equal(asked(w) - before, 2 * DNS_QUERY_ROUNDS);
}

static void test_failures(void **state)
{
        (void)state;
        static struct world w;
        run(&w, failures);
}

static void second_server(struct world *w)
{
        int64_t start_ms = host_now_ms(w->h);
        assert_int_equal(look_up(w, "ok"), ERR_OK);
        assert_true(is_right(&w->answer));
        assert_int_equal(w->server[0].over_udp, 1);
        assert_int_equal(w->server[1].over_udp, 1);
        bool has_waited = host_now_ms(w->h) - start_ms >= TIMEOUT_MS;
        assert_int_equal(has_waited, w->server[0].answer == answer_nothing);
}

static void test_timeout_then_second(void **state)
{
        (void)state;
        static struct world w = {.server[0].answer = answer_nothing};
        run(&w, second_server);
}

static void test_servfail_then_second(void **state)
{
        (void)state;
        static struct world w = {.server[0].answer = answer_servfail};
        run(&w, second_server);
}

/* A server that fails and one that is silent: what was said is told. */
static void said_and_silent(struct world *w)
{
        assert_int_equal(look_up(w, "ok"), ERR_DENIED);
        assert_int_equal(w->answer.rcode, DNS_RCODE_SERVFAIL);
}

static void test_said_and_silent(void **state)
{
        (void)state;
        static struct world w = {.server[0].answer = answer_servfail, .server[1].answer = answer_nothing};
        run(&w, said_and_silent);
}

static void negative(struct world *w)
{
        static const struct {
                const char *name;
                enum dns_status status;
                size_t first, second; /* queries */
        } cases[] = {
                {"none", DNS_NO_NAME, 1, 0},
                {"empty", DNS_NO_DATA, 1, 0},
                {"none-no-soa", DNS_NO_NAME, 1, 1},
                {"alias-to-none", DNS_NO_NAME, 2, 0},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                for (int again = 0; again < 2; again++) {
                        size_t before = asked(w);
                        assert_int_equal(look_up(w, cases[i].name), ERR_OK);
                        assert_int_equal(w->answer.status, cases[i].status);
                        assert_int_equal(w->answer.count, 0);
                        assert_int_equal(asked(w) - before, again ? cases[i].second : cases[i].first);
                        if (cases[i].second == 0)
                                assert_in_range(w->answer.ttl_s, 28, 30); /* the SOA's MINIMUM */
                }
        }
}

static void test_negative(void **state)
{
        (void)state;
        static struct world w;
        run(&w, negative);
}

static void cached(struct world *w)
{
        struct resolver_stats stats;
        assert_int_equal(look_up(w, "ok"), ERR_OK);
        assert_int_equal(w->answer.ttl_s, 60);
        assert_int_equal(fiber_sleep(w->h->sched, 2), ERR_OK);
        assert_int_equal(look_up(w, "OK."), ERR_OK);
        assert_true(is_right(&w->answer));
        assert_in_range(w->answer.ttl_s, 50, 59); /* what remains, in whole seconds */
        assert_int_equal(asked(w), 1);
        assert_int_equal(look_up_type(w, "ok", DNS_TYPE_TXT), ERR_OK); /* another type is another question */
        assert_int_equal(w->answer.status, DNS_NO_DATA);
        assert_int_equal(asked(w), 2);
        resolver_flush(w->r);
        assert_int_equal(look_up(w, "ok"), ERR_OK);
        assert_int_equal(asked(w), 3);
        resolver_stats(w->r, &stats);
        assert_true(stats.lookups == 4 && stats.hits == 1 && stats.queries == 3 && stats.entries == 1);
}

static void test_cached(void **state)
{
        (void)state;
        static struct world w;
        run(&w, cached);
}

static void bounded(struct world *w)
{
        struct resolver_stats stats;
        for (int i = 0; i < 40; i++) {
                char text[8] = {'x', (char)('a' + i / 26), (char)('a' + i % 26)};
                assert_int_equal(look_up(w, text), ERR_OK);
        }
        resolver_stats(w->r, &stats);
        assert_true(stats.entries == 10 && stats.evicted == 30);
}

static void test_cache_bound(void **state)
{
        (void)state;
        static struct world w = {.config.cache_entries = 10};
        run(&w, bounded);
}

/* Many fibers, one question. */
#define ASKERS 50
struct asker {
        struct world *w;
        const char *name;
        int64_t patience_ms;
        enum err err;
        bool right;
};

static void ask(void *arg)
{
        struct asker *a = arg;
        char memory[2048];
        struct arena arena;
        struct dns_answer answer;
        struct dns_name name = name_of(a->name);
        arena_init(&arena, memory, sizeof memory);
        a->err = resolver_lookup(
                a->w->r, &name, DNS_TYPE_A, host_now_ms(a->w->h) + a->patience_ms, &arena, &answer);
        a->right = a->err == ERR_OK && is_right(&answer);
}

static void shared(struct world *w)
{
        struct asker askers[ASKERS];
        struct resolver_stats stats;
        struct scope scope;
        scope_open(&scope, w->h->sched, FIBER_NEVER);
        for (size_t i = 0; i < ASKERS; i++) {
                askers[i] = (struct asker){.w = w, .name = i % 2 ? "ok" : "OK", .patience_ms = 5000};
                assert_int_equal(scope_spawn(&scope, "asker", ask, &askers[i]), ERR_OK);
        }
        assert_int_equal(scope_join(&scope), ERR_OK);
        for (size_t i = 0; i < ASKERS; i++)
                assert_true(askers[i].right);
        assert_int_equal(asked(w), 1);
        resolver_stats(w->r, &stats);
        assert_true(stats.shared == ASKERS - 1 && stats.queries == 1);
}

static void test_shared(void **state)
{
        (void)state;
        static struct world w;
        run(&w, shared);
}

/* Who asked first gives up; who waits with it still gets the answer, and the answer is kept. */
static void first_gives_up(struct world *w)
{
        struct asker hasty = {.w = w, .name = "spoofed", .patience_ms = 3};
        struct asker patient = {.w = w, .name = "spoofed", .patience_ms = 5000};
        struct scope scope, cancelled;
        struct asker gone = patient;
        scope_open(&scope, w->h->sched, FIBER_NEVER);
        scope_open(&cancelled, w->h->sched, FIBER_NEVER);
        assert_int_equal(scope_spawn(&scope, "hasty", ask, &hasty), ERR_OK);
        assert_int_equal(scope_spawn(&cancelled, "gone", ask, &gone), ERR_OK);
        assert_int_equal(scope_spawn(&scope, "patient", ask, &patient), ERR_OK);
        assert_int_equal(fiber_sleep(w->h->sched, 2), ERR_OK);
        scope_cancel(&cancelled);
        (void)scope_join(&cancelled);
        assert_int_equal(scope_join(&scope), ERR_OK);
        assert_int_equal(hasty.err, ERR_TIMEOUT);
        assert_int_equal(gone.err, ERR_CANCELLED);
        assert_true(patient.right);
        assert_int_equal(asked(w), 1);
}

static void test_first_gives_up(void **state)
{
        (void)state;
        static struct world w;
        run(&w, first_gives_up);
}

/* A resolver is freed while queries are on their way. */
static void freed_in_flight(struct world *w)
{
        struct asker hasty = {.w = w, .name = "silent", .patience_ms = 3};
        struct scope scope;
        scope_open(&scope, w->h->sched, FIBER_NEVER);
        assert_int_equal(scope_spawn(&scope, "hasty", ask, &hasty), ERR_OK);
        assert_int_equal(scope_join(&scope), ERR_OK);
        assert_int_equal(hasty.err, ERR_TIMEOUT);
}

static void test_freed_in_flight(void **state)
{
        (void)state;
        static struct world w;
        run(&w, freed_in_flight);
}

static void arena_too_small(struct world *w)
{
        struct dns_name name = name_of("ok");
        arena_init(&w->arena, w->memory, 16);
        for (int i = 0; i < 2; i++) { /* from a server, then from the cache */
                enum err e = resolver_lookup(
                        w->r, &name, DNS_TYPE_A, host_now_ms(w->h) + 1000, &w->arena, &w->answer);
                assert_int_equal(e, ERR_MEMORY);
                assert_int_equal(w->answer.count, 0);
        }
}

static void test_arena_too_small(void **state)
{
        (void)state;
        static struct world w;
        run(&w, arena_too_small);
}

/* AD counts only from a server that is trusted for it. */
static void answer_authentic(struct fake_dns *s, const struct fake_query *q)
{
        struct fake_message m;
        fake_begin(&m, q, DNS_RCODE_NOERROR, false);
        put_address(&m, &q->summary.question.name, 1);
        struct str message = fake_end(&m);
        m.buffer[3] = (char)(m.buffer[3] | 0x20);
        fake_reply(s, q, message);
}

static void authentic(struct world *w)
{
        struct dns_server trusted = {.at = w->server[0].at, .is_trusted = true};
        struct resolver_config config = {.servers = &trusted, .server_count = 1};
        struct resolver *untrusting = w->r;
        assert_int_equal(look_up(w, "ok"), ERR_OK);
        assert_false(w->answer.is_secure);
        w->r = resolver_new(w->h, &config);
        assert_int_equal(look_up(w, "ok"), ERR_OK);
        assert_true(w->answer.is_secure);
        assert_int_equal(look_up(w, "ok"), ERR_OK);
        assert_true(w->answer.is_secure);
        resolver_free(w->r);
        w->r = untrusting;
}

static void test_authentic(void **state)
{
        (void)state;
        static struct world w = {.server[0].answer = answer_authentic};
        run(&w, authentic);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_found),
                cmocka_unit_test(test_failures),
                cmocka_unit_test(test_timeout_then_second),
                cmocka_unit_test(test_servfail_then_second),
                cmocka_unit_test(test_said_and_silent),
                cmocka_unit_test(test_negative),
                cmocka_unit_test(test_cached),
                cmocka_unit_test(test_cache_bound),
                cmocka_unit_test(test_shared),
                cmocka_unit_test(test_first_gives_up),
                cmocka_unit_test(test_freed_in_flight),
                cmocka_unit_test(test_arena_too_small),
                cmocka_unit_test(test_authentic),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
