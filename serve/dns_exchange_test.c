/* SPDX-License-Identifier: ISC */
/* Servers' text, and questions to one authoritative server; resolver_test.c has the hostile answers over UDP. */
#define _GNU_SOURCE
#include "serve/dns_exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include "host/linux/linux.h"
#include "serve/fake_dns.h"

static void test_server_parse(void **state)
{
        (void)state;
        static const struct {
                const char *text;
                enum err err;
                bool tcp;
                const char *at;
        } cases[] = {
                {"192.0.2.1", ERR_OK, false, "192.0.2.1:53"},
                {"udp:192.0.2.1", ERR_OK, false, "192.0.2.1:53"},
                {"tcp:192.0.2.1:5353", ERR_OK, true, "192.0.2.1:5353"},
                {"TCP:[2001:db8::1]:54", ERR_OK, true, "[2001:db8::1]:54"},
                {"udp:2001:db8::1", ERR_OK, false, "[2001:db8::1]:53"},
                {"", ERR_SYNTAX, false, NULL},
                {"udp:", ERR_SYNTAX, false, NULL},
                {"tls:192.0.2.1", ERR_SYNTAX, false, NULL},
                {"udp:192.0.2.1:0x35", ERR_SYNTAX, false, NULL},
                {"udp:udp:192.0.2.1", ERR_SYNTAX, false, NULL},
                {"ns.example.org", ERR_SYNTAX, false, NULL},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct dns_server server;
                char text[IP_PORT_TEXT_MAX];
                struct wr w;
                assert_int_equal(dns_server_parse(str_of_c(cases[i].text), &server), cases[i].err);
                assert_false(server.is_trusted);
                if (cases[i].err != ERR_OK)
                        continue;
                wr_init(&w, text, sizeof text);
                ip_port_write(&w, &server.at);
                assert_int_equal(server.tcp_only, cases[i].tcp);
                assert_true(str_eq(wr_text(&w), str_of_c(cases[i].at)));
        }
}

/* How the fake server behaves. */
enum manner {
        PLAIN,
        REFERRAL, /* NOERROR, but not its zone */
        SERVFAIL,
        DEAF_ONCE, /* the first request is lost */
        DEAF,
        ALIAS,
        HANG_UP,    /* TCP: closes without an answer */
        CUT_LENGTH, /* TCP: announces more than it sends */
        DRIP,       /* TCP: a byte at a time */
        OTHER_ID,   /* TCP: answers something else */
        ENDLESS,    /* TCP: more records than we read */
};

struct world {
        struct host *h;
        enum manner manner;
        bool tcp;
        bool no_tcp;
        struct fake_dns fake;
        struct dns_answer answer;
        struct arena arena;
        char memory[8192];
        enum err err;
};

static void drip(struct fake_dns *s, const struct fake_query *q, struct str message)
{
        char framed[512];
        struct wr w;
        wr_init(&w, framed, sizeof framed);
        wr_be16(&w, (uint16_t)message.n);
        wr_str(&w, message);
        assert_int_equal(wr_end(&w), ERR_OK);
        for (size_t i = 0; i < w.n; i++) {
                assert_int_equal(host_tcp_write(s->h, q->tcp, str_of(framed + i, 1), FIBER_NEVER), ERR_OK);
                assert_int_equal(fiber_sleep(s->h->sched, i < 5 ? 2 : 0), ERR_OK);
        }
}

static void send_records(
        struct fake_dns *s, const struct fake_query *q, struct dns_header h, enum manner manner)
{
        struct fake_message m;
        struct dns_name other = {0};
        const struct dns_name *name = &q->summary.question.name;
        assert_int_equal(dns_name_parse(S("elsewhere"), &other), ERR_OK);
        dns_writer_init(&m.w, m.buffer, sizeof m.buffer, &h);
        dns_writer_question(&m.w, &q->summary.question);
        if (manner == ALIAS)
                fake_record(&m, DNS_ANSWER, name, DNS_TYPE_CNAME, 60, str_of(other.b, other.n));
        else if (manner == REFERRAL)
                fake_record(&m, DNS_AUTHORITY, name, DNS_TYPE_NS, 60, str_of(other.b, other.n));
        else
                fake_record(&m, DNS_ANSWER, name, DNS_TYPE_TXT, 60, S("\1x\1y"));
        struct str message = fake_end(&m);
        if (manner == ENDLESS)
                m.buffer[6] = 127;
        if (manner == DRIP)
                drip(s, q, message);
        else
                fake_reply(s, q, message);
}

static void answer(struct fake_dns *s, const struct fake_query *q)
{
        const struct world *w = s->arg;
        struct dns_header h = q->summary.header;
        assert_false(h.recursion_desired);
        assert_true(q->summary.has_edns);
        h.is_response = true;
        h.is_authoritative = w->manner != REFERRAL;
        h.authentic_data = true;
        if (w->manner == SERVFAIL)
                h.rcode = DNS_RCODE_SERVFAIL;
        if (w->manner == OTHER_ID)
                h.id ^= 1;
        if (w->manner == DEAF || w->manner == HANG_UP || (w->manner == DEAF_ONCE && s->over_udp == 1))
                return;
        if (w->manner == CUT_LENGTH)
                (void)(host_tcp_write(s->h, q->tcp, str_of("\1\0abc", 5), FIBER_NEVER) == ERR_OK);
        else
                send_records(s, q, h, w->manner);
}

static void run_world(void *arg)
{
        struct world *w = arg;
        struct scope scope;
        struct dns_name name;
        scope_open(&scope, w->h->sched, FIBER_NEVER);
        w->fake = (struct fake_dns){.h = w->h, .answer = answer, .arg = w};
        fake_start(&w->fake, &scope, !w->no_tcp);
        struct dns_server server = {.at = w->fake.at, .tcp_only = w->tcp};
        assert_int_equal(dns_name_parse(S("k._domainkey.example.org"), &name), ERR_OK);
        arena_init(&w->arena, w->memory, sizeof w->memory);
        int64_t patience_ms = w->manner == DEAF_ONCE ? DNS_QUERY_TIMEOUT_MS + 2000 : 300;
        w->err = dns_query_server(
                w->h, &server, &name, DNS_TYPE_TXT, host_now_ms(w->h) + patience_ms, &w->arena, &w->answer);
        scope_cancel(&scope);
        (void)scope_join(&scope);
        fake_stop(&w->fake);
}

static void test_query_server(void **state)
{
        (void)state;
        static const struct {
                const char *label;
                enum manner manner;
                bool tcp, no_tcp;
                enum err err;
                enum dns_status status;
                size_t udp, tcp_seen;
        } cases[] = {
                {"plain", PLAIN, false, false, ERR_OK, DNS_FOUND, 1, 0},
                {"plain over TCP", PLAIN, true, false, ERR_OK, DNS_FOUND, 0, 1},
                {"a byte at a time", DRIP, true, false, ERR_OK, DNS_FOUND, 0, 1},
                {"referral", REFERRAL, false, false, ERR_DENIED, 0, 1, 0},
                {"servfail", SERVFAIL, false, false, ERR_DENIED, 0, 1, 0},
                {"a request lost", DEAF_ONCE, false, false, ERR_OK, DNS_FOUND, 2, 0},
                {"deaf", DEAF, false, false, ERR_TIMEOUT, 0, 1, 0},
                {"alias", ALIAS, false, false, ERR_OK, DNS_ALIAS, 1, 0},
                {"nobody there", PLAIN, true, true, ERR_REFUSED, 0, 0, 0},
                {"hang up", HANG_UP, true, false, ERR_CLOSED, 0, 0, DNS_QUERY_ROUNDS},
                {"cut", CUT_LENGTH, true, false, ERR_CLOSED, 0, 0, DNS_QUERY_ROUNDS},
                {"another answer", OTHER_ID, true, false, ERR_MISMATCH, 0, 0, 1},
                {"too many records", ENDLESS, true, false, ERR_LIMIT, 0, 0, 1},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                static struct world w;
                w = (struct world){.manner = cases[i].manner, .tcp = cases[i].tcp, .no_tcp = cases[i].no_tcp};
                w.h = linux_host_new(NULL);
                linux_host_run(w.h, run_world, &w);
                linux_host_free(w.h);
                if (w.err != cases[i].err || (w.err == ERR_OK && w.answer.status != cases[i].status))
                        fail_msg("%s: %s", cases[i].label, err_text(w.err));
                if (w.fake.over_udp != cases[i].udp && cases[i].manner != DEAF)
                        fail_msg("%s: %zu over UDP", cases[i].label, w.fake.over_udp);
                assert_int_equal(w.fake.over_tcp, cases[i].tcp_seen);
                assert_int_equal(w.answer.count, w.err == ERR_OK && w.answer.status == DNS_FOUND);
                assert_false(w.answer.is_secure); /* AD of a server that is not trusted */
                if (w.answer.count > 0)
                        assert_true(str_eq(w.answer.values[0].wire, S("\1x\1y")) &&
                                    str_eq(w.answer.values[0].text, S("xy")));
                if (cases[i].manner == SERVFAIL)
                        assert_int_equal(w.answer.rcode, DNS_RCODE_SERVFAIL);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_server_parse),
                cmocka_unit_test(test_query_server),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
