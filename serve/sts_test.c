/* SPDX-License-Identifier: ISC */
/* Policies of MTA-STS as those who deliver see them: an HTTPS server and a DNS server as fibers on loopback, and a store. */
#define _GNU_SOURCE
#include "serve/sts.h"

#include "serve/fake_dns.h"
#include "serve/pem_world.h"
#include "serve/wire.h"
#include "store/rig.h"
#include "store/sts.h"

#define HEAD "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nversion: STSv1\n"
#define ENFORCE HEAD "mode: enforce\nmax_age: 604800\nmx: mx.x.test\n"
#define NONE HEAD "mode: none\nmax_age: 604800\n"
#define BRIEF HEAD "mode: enforce\nmax_age: 1\nmx: mx.x.test\n"
#define FOR_NOW HEAD "mode: enforce\nmax_age: 0\nmx: mx.x.test\n"

struct world {
        struct rig *rig;
        struct host *h;
        struct fake_dns dns;
        struct host_listener *listener;
        struct tls_context *server, *roots;
        struct scope scope;
        struct resolver *resolver;
        struct sts *sts;
        uint16_t port;
        /* What the servers say. */
        const char *id;   /* of the TXT record; NULL: none; "": SERVFAIL */
        const char *text; /* the whole answer; NULL: hang up */
        bool cuts;        /* ends without close_notify */
        bool stalls;
        unsigned asked; /* of the HTTPS server */
};

/* Any name has the loopback's address; _mta-sts.NAME has the record. */
static void answer(struct fake_dns *s, const struct fake_query *q)
{
        const struct world *w = s->arg;
        const struct dns_question *ask = &q->summary.question;
        bool is_bad = ask->type == DNS_TYPE_TXT && w->id && w->id[0] == '\0';
        char rdata[100], text[80];
        struct fake_message m;
        struct wr wire, record;
        fake_begin(&m, q, is_bad ? DNS_RCODE_SERVFAIL : DNS_RCODE_NOERROR, false);
        wr_init(&wire, rdata, sizeof rdata);
        if (ask->type == DNS_TYPE_A) {
                wr_str(&wire, str_of("\x7f\0\0\1", 4));
                fake_record(&m, DNS_ANSWER, &ask->name, DNS_TYPE_A, 60, wr_text(&wire));
        } else if (ask->type == DNS_TYPE_TXT && w->id && !is_bad) {
                wr_init(&record, text, sizeof text);
                wr_str(&record, S("v=STSv1; id="));
                wr_str(&record, str_of_c(w->id));
                dns_txt_write_wire(&wire, wr_text(&record));
                fake_record(&m, DNS_ANSWER, &ask->name, DNS_TYPE_TXT, 0, wr_text(&wire));
        }
        fake_reply(s, q, fake_end(&m));
}

static void serve_one(struct world *w, struct host_tcp *tcp)
{
        const char *why;
        char request[1024];
        struct tls *tls;
        struct wire wire;
        size_t got;
        CHECK(tls_accept(w->server, &tls) == ERR_OK);
        wire_init(&wire, w->h, tcp);
        w->asked++;
        while (w->stalls && fiber_sleep(w->h->sched, 5) == ERR_OK)
                ;
        if (wire_secure(&wire, tls, FIBER_NEVER, &why) == ERR_OK && w->text &&
                wire_read(&wire, request, sizeof request, FIBER_NEVER, &got) == ERR_OK) {
                CHECK(str_has_prefix(str_of(request, got), S("GET /.well-known/mta-sts.txt HTTP/1.1\r\n")));
                (void)(wire_write(&wire, str_of_c(w->text), FIBER_NEVER) == ERR_OK);
                if (!w->cuts) {
                        tls_end(wire.tls);
                        struct str bye = tls_pending(wire.tls);
                        (void)(host_tcp_write(w->h, tcp, bye, FIBER_NEVER) == ERR_OK);
                }
        }
        wire_drop(&wire);
}

static void serve(void *arg)
{
        struct world *w = arg;
        struct host_tcp *tcp;
        struct ip_port peer;
        while (host_accept(w->h, w->listener, FIBER_NEVER, &tcp, &peer) == ERR_OK) {
                serve_one(w, tcp);
                host_tcp_close(w->h, tcp);
        }
}

/* Those who ask: a new program on the same image, say. */
static void start(struct world *w)
{
        const struct dns_server at = {.at = w->dns.at};
        const struct resolver_config config = {
                .servers = &at, .server_count = 1, .timeout_ms = 1000, .rounds = 1};
        w->resolver = resolver_new(w->h, &config);
        const struct sts_config sts = {w->h, w->rig->s, w->resolver, w->roots, w->port, 200};
        w->sts = sts_new(&sts);
        assert_true(w->resolver && w->sts);
}

static void stop(struct world *w)
{
        sts_free(w->sts);
        resolver_free(w->resolver);
}

static void begin(struct world *w, struct rig *r)
{
        struct ip_port at = {.ip = ip_v4(127, 0, 0, 1)};
        *w = (struct world){.rig = r, .h = r->h, .port = 20000, .id = "1", .text = ENFORCE};
        rig_start(r);
        scope_open(&w->scope, r->h->sched, FIBER_NEVER);
        w->dns = (struct fake_dns){.h = r->h, .answer = answer, .arg = w};
        fake_start(&w->dns, &w->scope, false);
        while (!w->listener) { /* any port that is free */
                at.port = ++w->port;
                (void)(host_listen(r->h, &at, &w->listener) == ERR_OK);
        }
        assert_int_equal(tls_server_pem(S(PEM_LEAF), S(PEM_LEAF_KEY), &w->server), ERR_OK);
        assert_int_equal(tls_client(S(PEM_ROOT), &w->roots), ERR_OK);
        assert_int_equal(scope_spawn(&w->scope, "https", serve, w), ERR_OK);
        start(w);
}

static void end(struct world *w)
{
        stop(w);
        scope_cancel(&w->scope);
        (void)scope_join(&w->scope);
        host_listener_close(w->h, w->listener);
        fake_stop(&w->dns);
        tls_context_free(w->server);
        tls_context_free(w->roots);
        rig_stop(w->rig);
}

static void expect(struct world *w, const char *domain, const char *host, enum sts_mode mode, bool is_listed)
{
        struct sts_verdict v;
        assert_int_equal(sts_find(w->sts, str_of_c(domain), str_of_c(host), &v), ERR_OK);
        if (v.mode != mode || v.is_listed != is_listed)
                fail_msg("%s, %s: mode %d, listed %d", domain, host, v.mode, v.is_listed);
}

static void fetched_once(struct rig *r)
{
        struct world w;
        begin(&w, r);
        expect(&w, "x.test", "mx.x.test", STS_ENFORCE, true);
        expect(&w, "X.Test.", "MX.X.TEST", STS_ENFORCE, true);
        expect(&w, "x.test", "mx.y.test", STS_ENFORCE, false);
        assert_int_equal(w.asked, 1);
        w.id = NULL; /* a record that is gone takes nothing back */
        expect(&w, "x.test", "mx.x.test", STS_ENFORCE, true);
        w.id = "";
        expect(&w, "x.test", "mx.x.test", STS_ENFORCE, true);
        assert_int_equal(w.asked, 1);
        assert_true(sts_stats(w.sts).fetched == 1 && sts_stats(w.sts).failed == 0);
        end(&w);
}

static void no_policy(struct rig *r)
{
        static const char *const others[] = {"", ".", "[192.0.2.1]", "a..b", "x\\046y.test", "\xc3\xa4.test"};
        struct world w;
        begin(&w, r);
        for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
                expect(&w, others[i], "mx.x.test", STS_NONE, false);
        w.id = NULL;
        expect(&w, "x.test", "mx.x.test", STS_NONE, false);
        w.id = "not/an/id";
        expect(&w, "x.test", "mx.x.test", STS_NONE, false);
        assert_int_equal(w.asked, 0);
        end(&w);
}

/* Another id: fetched anew, and what it says counts at once, also less. */
static void changed(struct rig *r)
{
        struct world w;
        begin(&w, r);
        expect(&w, "x.test", "mx.x.test", STS_ENFORCE, true);
        w.text = NONE;
        expect(&w, "x.test", "mx.x.test", STS_ENFORCE, true);
        w.id = "2";
        expect(&w, "x.test", "mx.x.test", STS_NONE, false);
        assert_int_equal(w.asked, 2);
        expect(&w, "x.test", "mx.x.test", STS_NONE, false);
        assert_int_equal(w.asked, 2);
        end(&w);
}

/* As if what is kept had been fetched so long ago. */
static void make_older(struct world *w, int64_t by_ms)
{
        struct store_sts row;
        int64_t now_ms = host_wall_ms(w->h);
        arena_reset(&w->rig->arena);
        assert_int_equal(store_sts_get(w->rig->s, S("x.test"), now_ms, &w->rig->arena, &row), ERR_OK);
        row.fetched_ms -= by_ms;
        row.expires_ms -= by_ms;
        assert_int_equal(store_sts_put(w->rig->s, &row, now_ms - by_ms), ERR_OK);
}

/* After a day the same id is no reason not to look. */
static void refreshed(struct rig *r)
{
        struct world w;
        begin(&w, r);
        expect(&w, "x.test", "mx.x.test", STS_ENFORCE, true);
        make_older(&w, STS_REFRESH_MS);
        w.text = NONE;
        expect(&w, "x.test", "mx.x.test", STS_NONE, false);
        assert_int_equal(w.asked, 2);
        end(&w);
}

/* Nor is a record that is gone, or withheld: the policy would end, and be forgotten. */
static void refreshed_without_record(struct rig *r)
{
        static const char *const ids[] = {NULL, "", "not/an/id"};
        struct world w;
        struct store_sts row;
        begin(&w, r);
        expect(&w, "x.test", "mx.x.test", STS_ENFORCE, true);
        for (unsigned i = 0; i < 3; i++) {
                w.id = ids[i];
                make_older(&w, STS_REFRESH_MS);
                expect(&w, "x.test", "mx.x.test", STS_ENFORCE, true);
                expect(&w, "x.test", "mx.x.test", STS_ENFORCE, true);
                assert_int_equal(w.asked, 2 + i);
        }
        w.id = "1";
        expect(&w, "x.test", "mx.x.test", STS_ENFORCE, true); /* it was kept under its old id */
        assert_int_equal(w.asked, 4);
        make_older(&w, STS_REFRESH_MS);
        w.id = w.text = NULL;
        expect(&w, "x.test", "mx.x.test", STS_ENFORCE, true);
        expect(&w, "x.test", "mx.x.test", STS_ENFORCE, true);
        assert_int_equal(w.asked, 5);
        assert_int_equal(store_sts_get(r->s, S("x.test"), host_wall_ms(w.h), &r->arena, &row), ERR_OK);
        assert_true(row.expires_ms <= row.fetched_ms + 604800 * 1000LL);
        end(&w);
}

/* One that is to be kept for no time is not fetched for each connection. */
static void kept_for_no_time(struct rig *r)
{
        struct world w;
        begin(&w, r);
        w.text = FOR_NOW;
        for (int i = 0; i < 3; i++)
                expect(&w, "x.test", "mx.x.test", STS_ENFORCE, true);
        assert_int_equal(w.asked, 1);
        w.id = "2";
        w.text = NONE;
        expect(&w, "x.test", "mx.x.test", STS_NONE, false);
        assert_int_equal(w.asked, 2);
        end(&w);
}

/* What cannot be had is not asked for again and again; what is kept counts meanwhile. */
static void failed(struct rig *r)
{
        static const char *const bad[] = {NULL, "", "HTTP/1.1 404 Not Found\r\n\r\n",
                "HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n", HEAD "mode: enforce\n"};
        struct world w;
        begin(&w, r);
        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
                w.text = bad[i];
                w.asked = 0;
                expect(&w, "x.test", "mx.x.test", STS_NONE, false);
                expect(&w, "x.test", "mx.x.test", STS_NONE, false);
                assert_int_equal(w.asked, 1);
                assert_int_equal(sts_stats(w.sts).failed, 1);
                stop(&w);
                start(&w);
        }
        w.text = ENFORCE;
        expect(&w, "x.test", "mx.x.test", STS_ENFORCE, true);
        w.id = "2";
        w.text = NULL;
        w.asked = 0;
        expect(&w, "x.test", "mx.x.test", STS_ENFORCE, true);
        expect(&w, "x.test", "mx.x.test", STS_ENFORCE, true);
        assert_int_equal(w.asked, 1);
        end(&w);
}

/* A text that somebody has cut off would be another policy. */
static void cut(struct rig *r)
{
        struct world w;
        begin(&w, r);
        w.cuts = true;
        expect(&w, "x.test", "mx.x.test", STS_NONE, false);
        assert_int_equal(w.asked, 1);
        end(&w);
}

/* The certificate is for mta-sts.x.test, and for no other domain. */
static void another_name(struct rig *r)
{
        struct world w;
        begin(&w, r);
        expect(&w, "y.test", "mx.x.test", STS_NONE, false);
        assert_int_equal(sts_stats(w.sts).failed, 1);
        tls_context_free(w.roots);
        assert_int_equal(tls_client(S(PEM_OTHER), &w.roots), ERR_OK);
        stop(&w);
        start(&w);
        expect(&w, "x.test", "mx.x.test", STS_NONE, false); /* no root of ours leads to it */
        assert_int_equal(sts_stats(w.sts).failed, 1);
        end(&w);
}

/* Over a restart, without DNS and without the server: whoever suppresses them gains nothing. */
static void kept(struct rig *r)
{
        struct world w;
        begin(&w, r);
        expect(&w, "x.test", "mx.x.test", STS_ENFORCE, true);
        w.id = "";
        w.text = NULL;
        stop(&w);
        rig_stop(r);
        rig_start(r);
        start(&w);
        expect(&w, "x.test", "mx.x.test", STS_ENFORCE, true);
        expect(&w, "x.test", "mx.y.test", STS_ENFORCE, false);
        end(&w);
}

static void expired(struct rig *r)
{
        struct world w;
        begin(&w, r);
        w.text = BRIEF;
        expect(&w, "x.test", "mx.x.test", STS_ENFORCE, true);
        w.text = NULL;
        assert_int_equal(fiber_sleep(w.h->sched, 1100), ERR_OK);
        expect(&w, "x.test", "mx.x.test", STS_NONE, false);
        end(&w);
}

/* A disk that is full keeps nothing, and takes nothing away from what was fetched. */
static void full(struct rig *r)
{
        struct world w;
        begin(&w, r);
        r->s->is_tight = true;
        expect(&w, "x.test", "mx.x.test", STS_ENFORCE, true);
        expect(&w, "x.test", "mx.y.test", STS_ENFORCE, false);
        r->s->is_tight = false;
        end(&w);
}

/* ---- many at once ---- */

struct asker {
        struct world *w;
        char domain[24]; /* empty: x.test */
        enum err err;
        struct sts_verdict verdict;
};

static void ask(void *arg)
{
        struct asker *a = arg;
        struct str domain = a->domain[0] ? str_of_c(a->domain) : S("x.test");
        a->err = sts_find(a->w->sts, domain, S("mx.x.test"), &a->verdict);
}

static void together(struct rig *r)
{
        struct asker askers[8];
        struct scope scope;
        struct world w;
        begin(&w, r);
        scope_open(&scope, w.h->sched, FIBER_NEVER);
        for (size_t i = 0; i < 8; i++) {
                askers[i] = (struct asker){.w = &w};
                assert_int_equal(scope_spawn(&scope, "ask", ask, &askers[i]), ERR_OK);
        }
        assert_int_equal(scope_join(&scope), ERR_OK);
        for (size_t i = 0; i < 8; i++)
                assert_true(askers[i].err == ERR_OK && askers[i].verdict.mode == STS_ENFORCE);
        assert_int_equal(w.asked, 1);
        end(&w);
}

/* When the one who fetches is cancelled, another one of those who wait does it. */
static void taken_over(struct rig *r)
{
        struct asker first, second;
        struct scope one, other;
        struct world w;
        begin(&w, r);
        first = second = (struct asker){.w = &w};
        w.stalls = true;
        scope_open(&one, w.h->sched, FIBER_NEVER);
        scope_open(&other, w.h->sched, FIBER_NEVER);
        assert_int_equal(scope_spawn(&one, "first", ask, &first), ERR_OK);
        while (w.asked == 0)
                assert_int_equal(fiber_sleep(w.h->sched, 5), ERR_OK);
        assert_int_equal(scope_spawn(&other, "second", ask, &second), ERR_OK);
        assert_int_equal(fiber_sleep(w.h->sched, 20), ERR_OK);
        scope_cancel(&one);
        w.stalls = false;
        (void)scope_join(&other);
        (void)scope_join(&one);
        assert_int_equal(first.err, ERR_CANCELLED);
        assert_int_equal(second.err, ERR_OK);
        assert_int_equal(second.verdict.mode, STS_ENFORCE);
        assert_int_equal(w.asked, 2);
        end(&w);
}

/* One who looked at what was kept before another's fetch ended, and then fails to fetch, does not go without. */
static void kept_meanwhile(struct rig *r)
{
        const struct store_sts row = {S("x.test"), S("1"),
                S("version: STSv1\nmode: enforce\nmax_age: 604800\nmx: mx.x.test\n"), 0, INT64_MAX};
        struct scope scope;
        struct world w;
        struct asker asker;
        begin(&w, r);
        asker = (struct asker){.w = &w};
        w.stalls = true;
        w.text = NULL;
        scope_open(&scope, w.h->sched, FIBER_NEVER);
        assert_int_equal(scope_spawn(&scope, "ask", ask, &asker), ERR_OK);
        while (w.asked == 0)
                assert_int_equal(fiber_sleep(w.h->sched, 5), ERR_OK);
        assert_int_equal(store_sts_put(r->s, &row, host_wall_ms(w.h)), ERR_OK);
        w.stalls = false;
        assert_int_equal(scope_join(&scope), ERR_OK);
        assert_int_equal(sts_stats(w.sts).failed, 1);
        assert_true(asker.err == ERR_OK && asker.verdict.mode == STS_ENFORCE && asker.verdict.is_listed);
        end(&w);
}

/* Servers of policies that stall take all places: the others wait for one in bounds, and what is kept counts. */
static void no_place(struct rig *r)
{
        const struct store_sts row = {S("kept.test"), S("0"),
                S("version: STSv1\nmode: enforce\nmax_age: 604800\nmx: mx.x.test\n"), 0, INT64_MAX};
        struct asker *askers = calloc(STS_FETCHES_MAX, sizeof *askers);
        struct scope scope;
        struct world w;
        assert_non_null(askers);
        begin(&w, r);
        w.stalls = true;
        assert_int_equal(store_sts_put(r->s, &row, host_wall_ms(w.h)), ERR_OK);
        scope_open(&scope, w.h->sched, FIBER_NEVER);
        for (size_t i = 0; i < STS_FETCHES_MAX; i++) {
                askers[i].w = &w;
                (void)snprintf(askers[i].domain, sizeof askers[i].domain, "n%zu.x.test", i);
                assert_int_equal(scope_spawn(&scope, "ask", ask, &askers[i]), ERR_OK);
        }
        while (w.asked == 0)
                assert_int_equal(fiber_sleep(w.h->sched, 5), ERR_OK);
        expect(&w, "kept.test", "mx.x.test", STS_ENFORCE, true);
        expect(&w, "other.test", "mx.x.test", STS_NONE, false);
        assert_int_equal(sts_stats(w.sts).failed, 2);
        scope_cancel(&scope);
        (void)scope_join(&scope);
        end(&w);
        free(askers);
}

RIG_CASE(fetched_once)
RIG_CASE(no_policy)
RIG_CASE(changed)
RIG_CASE(refreshed)
RIG_CASE(refreshed_without_record)
RIG_CASE(kept_for_no_time)
RIG_CASE(failed)
RIG_CASE(cut)
RIG_CASE(another_name)
RIG_CASE(kept)
RIG_CASE(expired)
RIG_CASE(full)
RIG_CASE(together)
RIG_CASE(taken_over)
RIG_CASE(kept_meanwhile)
RIG_CASE(no_place)

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_fetched_once),
                cmocka_unit_test(test_no_policy),
                cmocka_unit_test(test_changed),
                cmocka_unit_test(test_refreshed),
                cmocka_unit_test(test_refreshed_without_record),
                cmocka_unit_test(test_kept_for_no_time),
                cmocka_unit_test(test_failed),
                cmocka_unit_test(test_cut),
                cmocka_unit_test(test_another_name),
                cmocka_unit_test(test_kept),
                cmocka_unit_test(test_expired),
                cmocka_unit_test(test_full),
                cmocka_unit_test(test_together),
                cmocka_unit_test(test_taken_over),
                cmocka_unit_test(test_kept_meanwhile),
                cmocka_unit_test(test_no_place),
        };
        return cmocka_run_group_tests_name("sts", tests, NULL, NULL);
}
