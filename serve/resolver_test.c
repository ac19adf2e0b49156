/* SPDX-License-Identifier: ISC */
/* The resolver and the exchange under it: what is answered, and what is made of bad answers. */
#include "serve/resolver_world.h"

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
        struct resolver_stats stats;
        resolver_stats(w->r, &stats);
        assert_int_equal(stats.errors.by_rcode[DNS_RCODE_SERVFAIL], 2);
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

/* A server that takes longer than the first try waits is waited for in the next one. */
static void answer_late(struct fake_dns *s, const struct fake_query *q)
{
        if (fiber_sleep(s->h->sched, TIMEOUT_MS + TIMEOUT_MS / 4) == ERR_OK)
                send_address(s, q);
}

static void late(struct world *w)
{
        assert_int_equal(look_up(w, "ok"), ERR_OK);
        assert_int_equal(w->server[0].over_udp, 2);
}

static void test_late(void **state)
{
        (void)state;
        static struct world w = {.server[0].answer = answer_late, .config.server_count = 1};
        run(&w, late);
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
                cmocka_unit_test(test_late),
                cmocka_unit_test(test_said_and_silent),
                cmocka_unit_test(test_negative),
                cmocka_unit_test(test_arena_too_small),
                cmocka_unit_test(test_authentic),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
