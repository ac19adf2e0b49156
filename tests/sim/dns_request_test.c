/* SPDX-License-Identifier: ISC */
/* Requests as bytes, right and hostile, and the bytes of their answers; no network. */
#include "tests/sim/dns_request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/exact.h"
#include "dns/answer.h"
#include "dns/update.h"

#define NOW_S 1800000000u
#define KEY "k._update.example.org:SHA512:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
#define LABEL "a23456789012345678901234567890123456789012345678901234567890123"

struct desk {
        struct sim *sim;
        struct dns_world *world;
        struct dns_peer *peer, *idle;
        char answer[DNS_MESSAGE_MAX];
};

static struct dns_name name_of(const char *text)
{
        struct dns_name name;
        assert_int_equal(dns_name_parse(str_of_c(text), &name), ERR_OK);
        return name;
}

static void open_desk(struct desk *d)
{
        static const char text[] =
                "@ NS ns1\nns1 A 10.0.0.1\n@ MX 10 mx\nmx A 10.0.0.2\nmx AAAA 2001:db8::2\n"
                "www CNAME mx\nout CNAME a.example.net.\naway CNAME a.test.\n"
                "loop CNAME pool\npool CNAME loop\nd0 CNAME c0\nc0 CNAME c1\nc1 CNAME c2\n"
                "c2 CNAME c3\nc3 CNAME c4\nc4 CNAME c5\nc5 CNAME c6\nc6 CNAME c7\nc7 CNAME mx\n*.wild TXT "
                "any\n"
                "sub NS ns.sub\nsub NS ns.else.test.\nns.sub A 10.0.0.4\n";
        struct ip ip = ip_v4(10, 0, 0, 1), other = ip_v4(10, 0, 0, 2);
        struct dns_zone *z;
        size_t line;
        *d = (struct desk){.sim = sim_new(1, NULL)};
        d->world = dns_world_new(d->sim);
        d->peer = dns_peer_new(d->world, sim_node_add(d->sim, "ns1", &ip, 1, NULL), DNS_PEER_SERVER);
        d->idle = dns_peer_new(d->world, sim_node_add(d->sim, "idle", &other, 1, NULL), DNS_PEER_SERVER);
        assert_int_equal(dns_zone_new(d->world, S("example.org"), &z), ERR_OK);
        assert_int_equal(dns_zone_edit(z, str_of(text, sizeof text - 1), &line), ERR_OK);
        dns_peer_serve(d->peer, z, DNS_PRIMARY);
        assert_int_equal(dns_zone_new(d->world, S("example.net"), &z), ERR_OK);
        assert_int_equal(dns_zone_edit(z, S("a A 10.0.0.5"), &line), ERR_OK);
        dns_peer_serve(d->peer, z, DNS_PRIMARY);
        assert_int_equal(dns_key_add(d->world, S(KEY), S("example.org")), ERR_OK);
}

static void close_desk(struct desk *d)
{
        sim_free(d->sim);
        dns_world_free(d->world);
}

static struct str ask(struct desk *d, struct dns_peer *p, struct str message, bool over_tcp)
{
        struct dns_request r;
        struct dns_content content;
        struct str answer, whole = exact(message);
        dns_request_read(&r, p, whole, over_tcp, NOW_S);
        struct dns_view view = {d->world, p, sim_now(d->sim)};
        if (dns_request_is_question(&r))
                dns_content_find(&view, &r.summary.question, &content);
        else
                dns_request_settle(&r, &content);
        dns_request_answer(&r, &content, d->answer, sizeof d->answer, &answer);
        exact_free(whole);
        return answer;
}

struct question {
        const char *name;
        uint16_t type;
        unsigned edns; /* size; 0: none */
};

static struct str write_question(const struct question *q, char *buffer, size_t cap)
{
        struct dns_writer w;
        struct str message;
        dns_writer_init(&w, buffer, cap, &(struct dns_header){.id = 77, .recursion_desired = true});
        struct dns_question question = {name_of(q->name), q->type, DNS_CLASS_IN};
        dns_writer_question(&w, &question);
        if (q->edns)
                dns_edns_write(&w, &(struct dns_edns){.udp_size = (uint16_t)q->edns});
        assert_int_equal(dns_writer_end(&w, &message), ERR_OK);
        return message;
}

static const struct answer_case {
        struct question question;
        uint16_t rcode;
        bool is_authoritative;
        uint16_t answers, authorities, additionals;
} answers[] = {
        {{"example.org", DNS_TYPE_SOA, 0}, 0, true, 1, 0, 0},
        {{"example.org", DNS_TYPE_MX, 0}, 0, true, 1, 0, 0},
        {{"example.org", DNS_TYPE_ANY, 0}, 0, true, 3, 0, 0},
        {{"EXAMPLE.org", DNS_TYPE_TXT, 1232}, 0, true, 0, 1, 1},
        {{"none.example.org", DNS_TYPE_A, 0}, DNS_RCODE_NXDOMAIN, true, 0, 1, 0},
        {{"www.example.org", DNS_TYPE_A, 0}, 0, true, 2, 0, 0},
        {{"www.example.org", DNS_TYPE_TXT, 0}, 0, true, 1, 1, 0},
        {{"out.example.org", DNS_TYPE_A, 0}, 0, true, 2, 0, 0}, /* into another zone of ours */
        {{"out.example.org", DNS_TYPE_TXT, 0}, 0, true, 1, 1, 0},
        {{"away.example.org", DNS_TYPE_A, 0}, 0, true, 1, 0, 0}, /* out of all of them */
        {{"loop.example.org", DNS_TYPE_A, 0}, 0, true, 2, 0, 0},
        {{"c0.example.org", DNS_TYPE_A, 0}, 0, true, 9, 0, 0},
        {{"d0.example.org", DNS_TYPE_A, 0}, DNS_RCODE_SERVFAIL, true, 9, 0, 0}, /* one more */
        {{"x.wild.example.org", DNS_TYPE_TXT, 0}, 0, true, 1, 0, 0},
        {{"x.sub.example.org", DNS_TYPE_A, 0}, 0, false, 0, 2, 1},
        {{"a.test", DNS_TYPE_A, 0}, DNS_RCODE_REFUSED, false, 0, 0, 0},
        {{"example.org", 252 /* AXFR */, 0}, DNS_RCODE_REFUSED, false, 0, 0, 0},
        {{"org", DNS_TYPE_SOA, 0}, DNS_RCODE_REFUSED, false, 0, 0, 0},
};

static void test_answers(void **state)
{
        (void)state;
        struct desk d;
        open_desk(&d);
        for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
                const struct answer_case *c = &answers[i];
                char buffer[600];
                struct dns_summary s;
                struct str message = write_question(&c->question, buffer, sizeof buffer);
                for (int over_tcp = 0; over_tcp < 2; over_tcp++) {
                        struct str answer = ask(&d, d.peer, message, over_tcp);
                        assert_int_equal(dns_summary_read(answer, &s), ERR_OK);
                        if (s.rcode != c->rcode || s.header.is_authoritative != c->is_authoritative ||
                                s.header.counts[1] != c->answers || s.header.counts[2] != c->authorities ||
                                s.header.counts[3] != c->additionals)
                                fail_msg("%s type %u: %s aa=%d %u %u %u", c->question.name, c->question.type,
                                        dns_rcode_text(s.rcode).p, s.header.is_authoritative,
                                        s.header.counts[1], s.header.counts[2], s.header.counts[3]);
                        assert_true(s.header.is_response && s.header.id == 77 && !s.header.is_truncated);
                        assert_true(s.header.recursion_desired && !s.header.recursion_available);
                }
        }
        struct dns_summary refused; /* one that has no copy of the zone */
        char question[600];
        struct str message = write_question(&answers[0].question, question, sizeof question);
        assert_int_equal(dns_summary_read(ask(&d, d.idle, message, false), &refused), ERR_OK);
        assert_int_equal(refused.rcode, DNS_RCODE_REFUSED);
        close_desk(&d);
}

/* Wildcards and negative answers as a client reads them. */
static void test_meaning(void **state)
{
        (void)state;
        static char memory[DNS_ANSWER_ROOM];
        struct desk d;
        struct dns_answer a;
        struct arena arena;
        open_desk(&d);
        struct dns_name wild = name_of("x.wild.example.org"), none = name_of("none.example.org");
        arena_init(&arena, memory, sizeof memory);
        assert_int_equal(
                dns_world_lookup(d.world, d.peer, &wild, DNS_TYPE_TXT, SIM_START_MS, &arena, &a), ERR_OK);
        assert_int_equal(a.status, DNS_FOUND);
        assert_true(dns_name_eq(&a.name, &wild) && str_eq(a.values[0].text, S("any")) && a.ttl_s == 300);
        assert_int_equal(
                dns_world_lookup(d.world, d.peer, &none, DNS_TYPE_TXT, SIM_START_MS, &arena, &a), ERR_OK);
        assert_int_equal(a.status, DNS_NO_NAME);
        assert_true(a.is_cacheable && a.ttl_s == DNS_SOA_MINIMUM_S);
        assert_int_equal(dns_world_lookup(d.world, d.idle, &none, DNS_TYPE_TXT, SIM_START_MS, &arena, &a),
                ERR_DENIED); /* no copy */
        assert_int_equal(dns_world_lookup(d.world, d.peer, &none, DNS_TYPE_TXT, SIM_START_MS - 1, &arena, &a),
                ERR_DENIED); /* not yet */
        struct dns_name away = name_of("away.example.org"), loop = name_of("loop.example.org");
        assert_int_equal(
                dns_world_lookup(d.world, NULL, &away, DNS_TYPE_A, SIM_START_MS, &arena, &a), ERR_DENIED);
        assert_int_equal(
                dns_world_lookup(d.world, NULL, &loop, DNS_TYPE_A, SIM_START_MS, &arena, &a), ERR_LIMIT);
        close_desk(&d);
}

/* Sizes. */

static bool is_cut(struct str answer)
{
        struct dns_summary s;
        assert_int_equal(dns_summary_read(answer, &s), ERR_OK);
        assert_true(s.header.is_truncated == (s.header.counts[1] == 0));
        return s.header.is_truncated;
}

static void test_truncation(void **state)
{
        (void)state;
        struct desk d;
        char line[1100], buffer[600];
        struct wr w;
        open_desk(&d);
        wr_init(&w, line, sizeof line);
        wr_str(&w, S("big.example.org TXT"));
        for (size_t i = 0; i < 800; i++) { /* 4 strings: some 850 octets in all */
                if (i % 200 == 0)
                        wr_byte(&w, ' ');
                wr_byte(&w, 'x');
        }
        assert_int_equal(dns_world_edit(d.world, wr_text(&w)), ERR_OK);
        static const struct {
                unsigned edns;
                bool over_tcp, is_cut;
        } sizes[] = {{0, false, true}, {0, true, false}, {100, false, true}, {512, false, true},
                {849, false, true}, {1232, false, false}, {4096, false, false}, {100, true, false}};
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
                struct question q = {"big.example.org", DNS_TYPE_TXT, sizes[i].edns};
                struct str message = write_question(&q, buffer, sizeof buffer);
                struct str answer = ask(&d, d.peer, message, sizes[i].over_tcp);
                if (is_cut(answer) != sizes[i].is_cut)
                        fail_msg("case %zu: %zu octets", i, answer.n);
        }
        /* the very octet: the whole answer is as long as told over TCP */
        struct question q = {"big.example.org", DNS_TYPE_TXT, 1232};
        unsigned whole = (unsigned)ask(&d, d.peer, write_question(&q, buffer, sizeof buffer), true).n;
        q.edns = whole;
        assert_false(is_cut(ask(&d, d.peer, write_question(&q, buffer, sizeof buffer), false)));
        q.edns = whole - 1;
        assert_true(is_cut(ask(&d, d.peer, write_question(&q, buffer, sizeof buffer), false)));
        /* a requester's size below 512 counts as 512 (RFC 6891 6.2.3) */
        struct dns_name name = name_of("big.example.org");
        (void)dns_zone_erase(dns_zone_find(d.world, &name), &name, DNS_TYPE_ANY);
        assert_int_equal(dns_world_edit(d.world, str_take(wr_text(&w), 19 + 201)), ERR_OK);
        q.edns = 100;
        assert_false(is_cut(ask(&d, d.peer, write_question(&q, buffer, sizeof buffer), false)));
        close_desk(&d);
}

/* Hostile requests. */

#define HEADER(flags, questions) "\0\7" flags "\0" questions "\0\0\0\0\0\0"
#define QUESTION "\7example\3org\0"

static const struct hostile {
        const char *label;
        struct str message;
        int rcode; /* -1: no answer */
} hostiles[] = {
        {"nothing", {"", 0}, -1},
        {"half a header", {"\0\7\0\0\0\1", 6}, -1},
        {"an answer", {HEADER("\200\0", "\1") QUESTION "\0\1\0\1", 29}, -1},
        {"header alone", {HEADER("\0\0", "\0"), 12}, DNS_RCODE_FORMERR},
        {"question missing", {HEADER("\0\0", "\1"), 12}, DNS_RCODE_FORMERR},
        {"two questions", {HEADER("\0\0", "\2") QUESTION "\0\1\0\1" QUESTION "\0\1\0\1", 46},
                DNS_RCODE_FORMERR},
        {"bytes behind", {HEADER("\0\0", "\1") QUESTION "\0\1\0\1x", 30}, DNS_RCODE_FORMERR},
        {"class CH", {HEADER("\0\0", "\1") QUESTION "\0\1\0\3", 29}, DNS_RCODE_REFUSED},
        {"a name that points at itself", {HEADER("\0\0", "\1") "\300\14\0\1\0\1", 18}, DNS_RCODE_FORMERR},
        {"NOTIFY", {HEADER("\040\0", "\1") QUESTION "\0\6\0\1", 29}, DNS_RCODE_NOTIMP},
        {"STATUS", {HEADER("\020\0", "\0"), 12}, DNS_RCODE_NOTIMP},
        {"update of a type", {HEADER("\050\0", "\1") QUESTION "\0\1\0\1", 29}, DNS_RCODE_FORMERR},
        {"update without zone", {HEADER("\050\0", "\0"), 12}, DNS_RCODE_FORMERR},
        {"update of two zones", {HEADER("\050\0", "\2") QUESTION "\0\6\0\1" QUESTION "\0\6\0\1", 46},
                DNS_RCODE_FORMERR},
        {"update of class CH", {HEADER("\050\0", "\1") QUESTION "\0\6\0\3", 29}, DNS_RCODE_NOTAUTH},
        {"update that nobody signed", {HEADER("\050\0", "\1") QUESTION "\0\6\0\1", 29}, DNS_RCODE_REFUSED},
        {"EDNS 1", {"\0\7\0\0\0\1\0\0\0\0\0\1" QUESTION "\0\1\0\1\0\0\51\4\320\0\1\0\0\0\0", 40},
                DNS_RCODE_BADVERS},
        {"two OPT",
                {"\0\7\0\0\0\1\0\0\0\0\0\2" QUESTION
                 "\0\1\0\1\0\0\51\4\320\0\0\0\0\0\0\0\0\51\4\320\0\0\0\0\0\0",
                        51},
                DNS_RCODE_FORMERR},
};

static void test_hostile(void **state)
{
        (void)state;
        struct desk d;
        open_desk(&d);
        for (size_t i = 0; i < sizeof hostiles / sizeof hostiles[0]; i++) {
                const struct hostile *h = &hostiles[i];
                struct dns_summary s;
                struct str answer = ask(&d, d.peer, h->message, i % 2);
                if (answer.n == 0 && h->rcode < 0)
                        continue;
                if (answer.n == 0 || dns_summary_read(answer, &s) != ERR_OK || s.rcode != h->rcode)
                        fail_msg("%s: %zu octets, %s", h->label, answer.n,
                                answer.n ? dns_rcode_text(s.rcode).p : "none");
                assert_int_equal(s.header.id, 7);
        }
        close_desk(&d);
}

/* An update of example.org that adds a text at n if that name is free. */
static struct str write_update(char *buffer, size_t cap, struct tsig_mac *mac)
{
        struct tsig_key key;
        struct dns_update u;
        struct str message, whole;
        assert_int_equal(tsig_key_parse(S(KEY), &key), ERR_OK);
        struct dns_name zone = name_of("example.org"), name = name_of("n.example.org");
        dns_update_init(&u, buffer, cap, 7, &zone);
        dns_update_need_no_name(&u, &name);
        dns_update_add(&u, &(struct dns_update_record){&name, DNS_TYPE_TXT, 60, S("\3new")});
        assert_int_equal(dns_update_end(&u, &message), ERR_OK);
        struct tsig_input in = {.buffer = buffer,
                .n = message.n,
                .cap = cap,
                .fields = {.time_s = NOW_S, .fudge_s = TSIG_FUDGE_S}};
        assert_int_equal(tsig_sign(&key, &in, &whole, mac), ERR_OK);
        return whole;
}

static struct tsig_result verify(struct str answer, struct str request_mac)
{
        struct tsig_key key;
        struct tsig_result result;
        assert_int_equal(tsig_key_parse(S(KEY), &key), ERR_OK);
        assert_int_equal(tsig_verify(&key, answer, request_mac, NOW_S, &result), ERR_OK);
        return result;
}

static uint32_t serial_of(const struct desk *d)
{
        struct dns_name zone = name_of("example.org");
        return dns_zone_serial(dns_zone_find(d->world, &zone));
}

/* Every prefix and every single changed octet of a signed update: never harm, and never a change of the zone. */
static void test_signed_bytes(void **state)
{
        (void)state;
        struct desk d;
        char buffer[2048];
        struct tsig_mac mac;
        open_desk(&d);
        struct str whole = write_update(buffer, sizeof buffer, &mac);
        uint32_t serial = serial_of(&d);
        for (size_t n = 0; n < whole.n; n++)
                (void)ask(&d, d.peer, str_take(whole, n), n % 2);
        for (size_t i = 2; i < whole.n; i++) { /* the id is not signed: the record has the original one */
                bool is_letter = (buffer[i] | 0x20) >= 'a' && (buffer[i] | 0x20) <= 'z';
                char change = is_letter ? 0x11 : 0x20; /* case is not signed in every place */
                buffer[i] = (char)(buffer[i] ^ change);
                (void)ask(&d, d.peer, whole, i % 2);
                buffer[i] = (char)(buffer[i] ^ change);
        }
        assert_int_equal(serial_of(&d), serial);
        struct tsig_result tsig = verify(ask(&d, d.peer, whole, false), str_of(mac.b, mac.n));
        assert_true(tsig.verdict == TSIG_GOOD && tsig.error == 0);
        assert_int_equal(serial_of(&d), serial + 1);
        close_desk(&d);
}

/* RFC 8945 5.2.2.1: half of a MAC is a signature, and not enough. */
static void test_truncated_signature(void **state)
{
        (void)state;
        struct desk d;
        char buffer[2048];
        struct tsig_mac mac;
        struct wr w;
        open_desk(&d);
        struct str whole = write_update(buffer, sizeof buffer, &mac);
        uint32_t serial = serial_of(&d);
        size_t rdata_at = whole.n - (13 + 16 + 64), mac_at = whole.n - 6 - 64;
        wr_init(&w, buffer, sizeof buffer);
        w.n = whole.n;
        wr_patch_be16(&w, rdata_at - 2, 13 + 16 + 32);
        wr_patch_be16(&w, mac_at - 2, 32);
        memmove(buffer + mac_at + 32, buffer + mac_at + 64, 6);
        struct str answer = ask(&d, d.peer, str_take(whole, whole.n - 32), false);
        struct tsig_result tsig = verify(answer, str_of(mac.b, 32));
        assert_true(tsig.verdict == TSIG_GOOD && tsig.error == DNS_RCODE_BADTRUNC);
        assert_int_equal(serial_of(&d), serial);
        close_desk(&d);
}

/* Requests with a few octets changed at random: each answer is one that can be read, to that request. */
static void test_random_bytes(void **state)
{
        (void)state;
        struct desk d;
        char good[2][2048], buffer[2048];
        struct tsig_mac mac;
        struct question q = {"out.example.org", DNS_TYPE_ANY, 1232};
        struct sim_random random = sim_random_of(1, S("test"), S("bytes"));
        open_desk(&d);
        struct str requests[2] = {
                write_question(&q, good[0], sizeof good[0]), write_update(good[1], sizeof good[1], &mac)};
        for (int i = 0; i < 20000; i++) {
                struct str request = requests[i % 2];
                struct dns_summary s;
                memcpy(buffer, request.p, request.n);
                for (uint64_t n = sim_random_below(&random, 5); n > 0; n--) {
                        size_t at = sim_random_below(&random, request.n);
                        buffer[at] = (char)sim_random_below(&random, 256);
                }
                size_t cut = sim_random_below(&random, 4) == 0 ? sim_random_below(&random, request.n) : 0;
                struct str answer = ask(&d, d.peer, str_of(buffer, request.n - cut), i % 3 == 0);
                if (answer.n == 0)
                        continue;
                assert_int_equal(dns_summary_read(answer, &s), ERR_OK);
                assert_true(s.header.is_response && answer.p[0] == buffer[0] && answer.p[1] == buffer[1]);
                assert_true(i % 3 == 0 || answer.n <= DNS_UDP_SIZE);
        }
        close_desk(&d);
}

/* A key name, an algorithm and a question so long that nothing fits 512 octets: an answer all the same. */
static void test_long_names(void **state)
{
        (void)state;
        struct desk d;
        char buffer[2048], rdata[300];
        struct dns_writer w;
        struct wr r;
        struct str message;
        struct dns_summary s;
        open_desk(&d);
        struct dns_name name = name_of(LABEL "." LABEL "." LABEL ".example.org");
        dns_writer_init(&w, buffer, sizeof buffer, &(struct dns_header){.id = 9});
        dns_writer_question(&w, &(struct dns_question){name, DNS_TYPE_A, DNS_CLASS_IN});
        wr_init(&r, rdata, sizeof rdata);
        dns_name_write_wire(&r, &name);
        wr_str(&r, str_of("\0\0\0\0\0\0\1\54\0\0\0\11\0\0\0\0", 16));
        dns_writer_record(&w, &(struct dns_record_out){
                                      DNS_ADDITIONAL, &name, DNS_TYPE_TSIG, DNS_CLASS_ANY, 0, wr_text(&r)});
        assert_int_equal(dns_writer_end(&w, &message), ERR_OK);
        for (int over_tcp = 0; over_tcp < 2; over_tcp++) {
                assert_int_equal(dns_summary_read(ask(&d, d.peer, message, over_tcp), &s), ERR_OK);
                assert_int_equal(s.rcode, DNS_RCODE_NOTAUTH);
                assert_true(s.has_tsig);
        }
        close_desk(&d);
}

/* More records than an answer holds are none. */
static void test_many_records(void **state)
{
        (void)state;
        struct desk d;
        char line[64], buffer[600];
        struct question q = {"many.example.org", DNS_TYPE_A, 1232};
        open_desk(&d);
        for (unsigned i = 0; i <= DNS_ITEMS_MAX; i++) {
                struct str answer = ask(&d, d.peer, write_question(&q, buffer, sizeof buffer), true);
                struct dns_summary s;
                assert_int_equal(dns_summary_read(answer, &s), ERR_OK);
                assert_int_equal(s.header.counts[1], i);
                (void)snprintf(line, sizeof line, "many.example.org A 10.1.%u.%u", i / 256, i % 256);
                assert_int_equal(dns_world_edit(d.world, str_of_c(line)), ERR_OK);
        }
        assert_true(is_cut(ask(&d, d.peer, write_question(&q, buffer, sizeof buffer), true)));
        close_desk(&d);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_answers),
                cmocka_unit_test(test_meaning),
                cmocka_unit_test(test_truncation),
                cmocka_unit_test(test_hostile),
                cmocka_unit_test(test_signed_bytes),
                cmocka_unit_test(test_truncated_signature),
                cmocka_unit_test(test_random_bytes),
                cmocka_unit_test(test_long_names),
                cmocka_unit_test(test_many_records),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
