/* SPDX-License-Identifier: ISC */
/* What deliveries share: mail hosts of several domains, one round trip, and the turn of those for which somebody waits. */
#include "serve/mail_hosts.h"

#include "serve/delivery_internal.h"

static void one_host_of_many_domains_prepare(struct world *w)
{
        w->at[3].greet = NULL;
}

/* Domains with the same mail hosts are one destination: its connections serve all of them. */
static void one_host_of_many_domains(struct world *w)
{
        enum { COUNT = 40 };
        static char text[COUNT][24];
        const char *domains[COUNT + 1] = {NULL};
        for (unsigned i = 0; i < COUNT; i++) {
                (void)snprintf(text[i], sizeof text[i], "d%u.shared.test", i);
                domains[i] = text[i];
        }
        post_to(w, domains, 1, false);
        run(w);
        WAIT_FOR(w, is_done(w));
        assert_int_equal(w->at[3].taken, COUNT);
        assert_in_range(w->at[3].connections, 1, COUNT / 4);
}
WORLD_CASE(one_host_of_many_domains)

/* All below forth.test and back.test have the hosts h0.test and h1.test; these prefer the one, those the other. */
static void answer_in_order(struct fake_dns *s, const struct fake_query *q)
{
        const struct dns_question *asked = &q->summary.question;
        struct dns_name forth, back;
        struct fake_message m;
        CHECK(dns_name_parse(S("forth.test"), &forth) == ERR_OK);
        CHECK(dns_name_parse(S("back.test"), &back) == ERR_OK);
        bool is_back = dns_name_is_under(&asked->name, &back);
        if (!is_back && !dns_name_is_under(&asked->name, &forth)) {
                answer(s, q);
                return;
        }
        fake_begin(&m, q, DNS_RCODE_NOERROR, false);
        for (int i = 0; i < 2 && asked->type == DNS_TYPE_MX; i++) {
                char rdata[300];
                struct dns_name host;
                struct wr w;
                wr_init(&w, rdata, sizeof rdata);
                CHECK(dns_name_parse(i == 0 ? S("h0.test") : S("h1.test"), &host) == ERR_OK);
                dns_mx_write_wire(&w, &(struct dns_mx){(i == 0) == is_back ? 20 : 10, host});
                fake_record(&m, DNS_ANSWER, &asked->name, DNS_TYPE_MX, 60, wr_text(&w));
        }
        fake_reply(s, q, fake_end(&m));
}

static void each_order_is_kept_prepare(struct world *w)
{
        (void)w;
}

/* RFC 5321 5.1: a domain's preference is followed, also where others have the same hosts in another order. Those who agree share
 * connections. */
static void each_order_is_kept(struct world *w)
{
        enum { EACH = 20 };
        static char text[2 * EACH][24];
        const char *domains[2 * EACH + 1] = {NULL};
        for (unsigned i = 0; i < 2 * EACH; i++) {
                (void)snprintf(text[i], sizeof text[i], "d%u.%s.test", i, i < EACH ? "forth" : "back");
                domains[i] = text[i];
        }
        w->dns.answer = answer_in_order;
        post_to(w, domains, 1, false);
        run(w);
        WAIT_FOR(w, is_done(w));
        for (size_t i = 0; i < 2; i++) {
                assert_int_equal(w->at[i].taken, EACH);
                assert_in_range(w->at[i].connections, 1, EACH / 2);
        }
}
WORLD_CASE(each_order_is_kept)

static struct smtp_reply think(struct mail_host *m)
{
        (void)(fiber_sleep(m->world->h->sched, 20) == ERR_OK);
        return smtp_reply_of(250, 0, 0, S("kept"));
}

/* `COUNT` domains, each with a host name of its own, all at the address of host 0; `each` members there. */
static void post_to_names_of_one_address(struct world *w, size_t each)
{
        enum { COUNT = 40 };
        static char text[COUNT][24];
        const char *domains[COUNT + 1] = {NULL};
        for (unsigned i = 0; i < COUNT; i++) {
                (void)snprintf(text[i], sizeof text[i], "d%u.h0.test", i);
                domains[i] = text[i];
        }
        w->node.retry_first_ms = 60000; /* a try that counts would come too late */
        post_to(w, domains, each, false);
        run(w);
        WAIT_FOR(w, is_done(w));
        assert_int_equal(w->at[0].taken, COUNT * each);
}

static struct smtp_reply few_at_a_time(struct mail_host *m)
{
        return m->gate.open > 2 ? smtp_reply_of(421, 7, 0, S("two connections each"))
                                : smtp_reply_plain(220, S("ready"));
}

static void few_at_one_address_prepare(struct world *w)
{
        w->at[0].greet = few_at_a_time;
}

/* An address that takes two connections has them from all destinations there in turn, and nothing is deferred. */
static void few_at_one_address(struct world *w)
{
        post_to_names_of_one_address(w, 2);
}
WORLD_CASE(few_at_one_address)

static struct smtp_reply note_open(struct mail_host *m)
{
        m->most_open = m->gate.open > m->most_open ? m->gate.open : m->most_open;
        return smtp_reply_plain(220, S("ready"));
}

static void bound_at_one_address_prepare(struct world *w)
{
        w->at[0].greet = note_open;
        w->at[0].end = think;
}

/* One that says nothing of a bound has one nevertheless. */
static void bound_at_one_address(struct world *w)
{
        post_to_names_of_one_address(w, 1);
        assert_in_range(w->at[0].most_open, DELIVERY_WORKERS_EACH / 2, DELIVERY_WORKERS_EACH);
}
WORLD_CASE(bound_at_one_address)

static struct smtp_reply refuse_first(struct mail_host *m, const struct smtp_path *to)
{
        (void)m;
        return str_eq(to->local, S("m0")) ? smtp_reply_of(550, 1, 1, S("nobody"))
                                          : smtp_reply_of(250, 1, 5, S("yes"));
}

static void all_in_one_write_prepare(struct world *w)
{
        w->at[0].has_chunks = true;
        w->at[0].rcpt = refuse_first;
}

/* The message goes out behind its envelope. A refused recipient gets none, and the session goes on. */
static void all_in_one_write(struct world *w)
{
        struct store_failure *failed;
        post(w, "h0.test", 4);
        run(w);
        WAIT_FOR(w, is_done(w));
        assert_int_equal(w->at[0].taken, 3);
        assert_int_equal(w->at[0].connections, 1);
        assert_int_equal(failures(w, &failed), 1);
        assert_true(str_eq(failed[0].address, S("m0@h0.test")));
        assert_true(str_eq(failed[0].reply, S("550 5.1.1 nobody")));
}
WORLD_CASE(all_in_one_write)

/* Takes MAIL after a refused chunk only behind RSET, as RFC 3030 2 lets it. */
static void refused_chunk_prepare(struct world *w)
{
        static const struct mail_step strict[] = {{"220 strict\r\n", "\r\n"},
                {"250-strict\r\n250-PIPELINING\r\n250 CHUNKING\r\n", "hello\r\n"},
                {"250 yes\r\n250 yes\r\n554 5.7.1 not that\r\n", "RSET\r\n"}, {"250 yes\r\n", "hello\r\n"},
                {"250 yes\r\n250 yes\r\n250 kept\r\n", NULL}};
        w->at[0].script = strict;
}

/* What a host says to a whole message in one chunk leaves its transaction undetermined: the next begins anew. */
static void refused_chunk(struct world *w)
{
        struct store_failure *failed;
        w->node.retry_first_ms = 60000; /* a try that counts would come too late */
        post(w, "h0.test", 2);
        run(w);
        WAIT_FOR(w, is_done(w));
        assert_int_equal(w->at[0].taken, 1);
        assert_int_equal(w->at[0].connections, 1);
        assert_int_equal(failures(w, &failed), 1);
        assert_true(str_eq(failed[0].address, S("m0@h0.test")));
}
WORLD_CASE(refused_chunk)

static void urgent_before_posts_prepare(struct world *w)
{
        w->at[0].end = think;
        w->at[0].is_full = false;
}

static int64_t put_forward(struct world *w, const char *ticket, struct str to)
{
        struct store_intake *intake;
        int64_t id;
        const struct store_message_new m = {.ticket = str_of_c(ticket),
                .kind = STORE_FORWARD,
                .domain = S("example.org"),
                .recipients = &to,
                .recipient_count = 1};
        assert_int_equal(store_intake_begin(w->rig->s, 0, &intake), ERR_OK);
        assert_int_equal(store_intake_write(intake, S("From: a@example.org\r\n\r\nhello\r\n")), ERR_OK);
        assert_int_equal(store_intake_commit(intake, &m, &id), ERR_OK);
        assert_int_equal(store_ticket_sign(w->rig->s, id, S("P: 1\r\n")), ERR_OK);
        bell_ring(&w->node.delivery_bell);
        return id;
}

/* What a person waits for does not stand behind a post that takes many times as long, to more than fit into memory. */
static void urgent_before_posts(struct world *w)
{
        post(w, "h0.test", DELIVERY_JOBS_MAX + 1000);
        run(w);
        WAIT_FOR(w, w->at[0].taken > 20);
        int64_t post_id = w->message, began_ms = host_now_ms(w->h);
        w->message = put_forward(w, "f", S("ann@h0.test"));
        WAIT_FOR(w, is_done(w));
        assert_in_range(host_now_ms(w->h) - began_ms, 0, 3000);
        w->message = post_id;
        assert_false(is_done(w));
}
WORLD_CASE(urgent_before_posts)

/* open.test and signed.test have the hosts h0.test and dead.test, where nobody listens; DNSSEC vouches only for the way from
 * signed.test, and about the TLSA records of h0.test there is no answer. */
static void answer_signed(struct fake_dns *s, const struct fake_query *q)
{
        static const char *const hosts[] = {"h0.test", "dead.test"};
        const struct dns_question *asked = &q->summary.question;
        struct dns_name signed_name, name;
        struct fake_message m;
        CHECK(dns_name_parse(S("signed.test"), &signed_name) == ERR_OK);
        bool is_mx = asked->type == DNS_TYPE_MX,
             is_secure = !is_mx || dns_name_eq(&asked->name, &signed_name);
        CHECK(dns_name_parse(str_of_c(hosts[0]), &name) == ERR_OK);
        bool is_broken = asked->type == DNS_TYPE_TLSA && dns_name_is_under(&asked->name, &name);
        fake_begin(&m, q, is_broken ? DNS_RCODE_SERVFAIL : DNS_RCODE_NOERROR, false);
        for (uint8_t i = 0; i < 2; i++) {
                const struct ip ip = ip_v4(127, 0, 0, i == 0 ? 2 : 99);
                char rdata[300];
                struct wr w;
                wr_init(&w, rdata, sizeof rdata);
                CHECK(dns_name_parse(str_of_c(hosts[i]), &name) == ERR_OK);
                if (is_mx)
                        dns_mx_write_wire(&w, &(struct dns_mx){(uint16_t)(10 + i), name});
                else if (asked->type == DNS_TYPE_A && dns_name_eq(&asked->name, &name))
                        dns_address_write_wire(&w, &ip);
                if (wr_text(&w).n > 0)
                        fake_record(&m, DNS_ANSWER, &asked->name, asked->type, 60, wr_text(&w));
        }
        struct str message = fake_end(&m);
        m.buffer[3] = (char)(m.buffer[3] | (is_secure ? 0x20 : 0)); /* AD */
        fake_reply(s, q, message);
}

static void trust_resolver(struct world *w)
{
        w->server.is_trusted = true;
        const struct resolver_config config = {
                .servers = &w->server, .server_count = 1, .timeout_ms = 500, .rounds = 1};
        resolver_free(w->node.resolver);
        w->node.resolver = resolver_new(w->h, &config);
        assert_non_null(w->node.resolver);
}

static void asks_for_more_prepare(struct world *w)
{
        (void)w;
}

/* One domain asks for proof that one of its hosts does not give, and the other cannot be reached. That is no reason to leave
 * the hosts alone for those who ask for nothing. */
static void asks_for_more(struct world *w)
{
        trust_resolver(w);
        w->dns.answer = answer_signed;
        w->node.retry_first_ms = 60000;
        post(w, "signed.test", 1);
        run(w);
        WAIT_FOR(w, tried(w, 1) == 1);
        assert_int_equal(w->at[0].connections, 0);
        w->message = put_forward(w, "f", S("ann@open.test"));
        WAIT_FOR(w, is_done(w));
        assert_int_equal(w->at[0].taken, 1);
}
WORLD_CASE(asks_for_more)

static struct smtp_reply hold_on(struct mail_host *m)
{
        while (m->is_full && fiber_sleep(m->world->h->sched, 5) == ERR_OK)
                ;
        return smtp_reply_plain(220, S("ready"));
}

static void asks_for_more_meanwhile_prepare(struct world *w)
{
        w->at[0].is_full = true;
        w->at[0].greet = hold_on;
}

/* A domain that comes to ask for proof while its mail waits: that does not go over the connection of one that asks for none. */
static void asks_for_more_meanwhile(struct world *w)
{
        const struct str name = S("signed.test");
        w->dns.answer = answer_signed;
        w->node.retry_first_ms = 60000;
        post(w, "open.test", 1);
        run(w);
        WAIT_FOR(w, w->at[0].connections == 1);
        w->message = put_forward(w, "f", S("ann@signed.test"));
        WAIT_FOR(w, delivery_route_get(w->node.delivery, name)->destination);
        trust_resolver(w);
        w->node.has_flushed = true; /* so that its route is looked up anew, for the next one */
        (void)put_forward(w, "g", S("bob@signed.test"));
        WAIT_FOR(w, !delivery_route_get(w->node.delivery, name)->is_shareable);
        w->at[0].is_full = false;
        WAIT_FOR(w, tried(w, 1) == 1);
        assert_int_equal(w->at[0].taken, 1);
}
WORLD_CASE(asks_for_more_meanwhile)

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_one_host_of_many_domains),
                cmocka_unit_test(test_each_order_is_kept),
                cmocka_unit_test(test_few_at_one_address),
                cmocka_unit_test(test_bound_at_one_address),
                cmocka_unit_test(test_all_in_one_write),
                cmocka_unit_test(test_refused_chunk),
                cmocka_unit_test(test_asks_for_more),
                cmocka_unit_test(test_asks_for_more_meanwhile),
                cmocka_unit_test(test_urgent_before_posts),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
