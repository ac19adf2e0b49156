/* SPDX-License-Identifier: ISC */
#include "serve/evaluation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "host/linux/linux.h"
#include "serve/fake_texts.h"

#define FIELDS 200
#define MESSAGE "From: author@example.org\r\nSubject: x\r\n\r\n"

struct world {
        struct host *h;
        void (*test)(struct world *w);
        struct fake_texts texts;
        struct evaluation_node node;
        struct evaluation_job job;
        struct mail_field fields[FIELDS];
        struct mail_header header;
        struct spf_input spf;
};

static const struct fake_text usual[] = {
        {"example.org", "v=spf1 ip4:192.0.2.1 -all"},
        {"_dmarc.example.org", "v=DMARC1; p=reject"},
        {"ten.example", "v=spf1 include:a0.example include:a1.example include:a2.example include:a3.example"
                        " include:a4.example include:a5.example include:a6.example include:a7.example"
                        " include:a8.example include:a9.example -all"},
        {"a0.example", "v=spf1 ip4:198.51.100.0 -all"},
        {"a1.example", "v=spf1 ip4:198.51.100.1 -all"},
        {"a2.example", "v=spf1 ip4:198.51.100.2 -all"},
        {"a3.example", "v=spf1 ip4:198.51.100.3 -all"},
        {"a4.example", "v=spf1 ip4:198.51.100.4 -all"},
        {"a5.example", "v=spf1 ip4:198.51.100.5 -all"},
        {"a6.example", "v=spf1 ip4:198.51.100.6 -all"},
        {"a7.example", "v=spf1 ip4:198.51.100.7 -all"},
        {"a8.example", "v=spf1 ip4:198.51.100.8 -all"},
        {"a9.example", "v=spf1 ip4:192.0.2.1 -all"},
        {NULL, NULL},
};

static void run_world(void *arg)
{
        struct world *w = arg;
        struct scope scope;
        struct dns_server server = {0};
        scope_open(&scope, w->h->sched, FIBER_NEVER);
        fake_texts_start(&w->texts, w->h, &scope);
        server.at = w->texts.dns.at;
        struct resolver_config config = {
                .servers = &server, .server_count = 1, .timeout_ms = 1000, .rounds = 1};
        struct resolver *r = resolver_new(w->h, &config);
        assert_non_null(r);
        evaluation_node_init(&w->node, w->h, r);
        w->test(w);
        evaluation_node_drop(&w->node);
        resolver_free(r);
        scope_cancel(&scope);
        (void)scope_join(&scope);
        fake_stop(&w->texts.dns);
}

static void with_world(void (*test)(struct world *w))
{
        struct world *w = calloc(1, sizeof *w);
        assert_non_null(w);
        w->test = test;
        w->texts.list = usual;
        w->h = linux_host_new(NULL);
        assert_non_null(w->h);
        linux_host_run(w->h, run_world, w);
        linux_host_free(w->h);
        free(w);
}

static void begin(struct world *w, const char *sender, const char *text)
{
        w->spf = (struct spf_input){.ip = ip_v4(192, 0, 2, 1),
                .sender = str_of_c(sender),
                .helo = S("mx.example.org"),
                .now_s = host_wall_ms(w->h) / 1000};
        assert_int_equal(mail_header_index(str_of_c(text), w->fields, FIELDS, &w->header), ERR_OK);
        evaluation_begin(&w->job, &w->node, &w->spf, &w->header);
}

static int64_t end(struct world *w, enum err want)
{
        int64_t before_ms = host_now_ms(w->h);
        evaluation_body(&w->job, S("Hello\r\n"));
        assert_int_equal(evaluation_end(&w->job), want);
        return host_now_ms(w->h) - before_ms;
}

static void expect(struct world *w, enum spf_result spf, enum dmarc_result dmarc)
{
        assert_int_equal(w->job.evaluate.out.spf.result, spf);
        assert_int_equal(w->job.evaluate.out.dmarc.result, dmarc);
        evaluation_drop(&w->job);
}

static void usual_message(struct world *w)
{
        struct resolver_stats before, after;
        begin(w, "author@example.org", MESSAGE);
        end(w, ERR_OK);
        expect(w, SPF_PASS, DMARC_PASS);
        begin(w, "author@example.net", MESSAGE);
        end(w, ERR_OK);
        expect(w, SPF_NONE, DMARC_FAIL);
        /* what is remembered is not asked again, and needs no fiber */
        resolver_stats(w->node.resolver, &before);
        size_t fibers = sched_fibers(w->h->sched);
        begin(w, "author@example.org", MESSAGE);
        assert_int_equal(sched_fibers(w->h->sched), fibers);
        end(w, ERR_OK);
        expect(w, SPF_PASS, DMARC_PASS);
        resolver_stats(w->node.resolver, &after);
        assert_int_equal(after.queries, before.queries);
        assert_int_equal(after.hits - before.hits, after.lookups - before.lookups);
}

/* The answers of ten includes and of DMARC come while the body does: one delay a level, and none at the end. */
static void asked_at_once(struct world *w)
{
        w->texts.delay_ms = 200;
        begin(w, "author@ten.example", MESSAGE);
        assert_int_equal(fiber_sleep(w->h->sched, 900), ERR_OK);
        assert_true(w->texts.most_waiting >= 10);
        assert_int_equal(w->texts.waiting, 0);
        assert_true(end(w, ERR_OK) < 150);
        expect(w, SPF_PASS, DMARC_FAIL);
}

/* A message may want more answers than are asked for at one time. */
static void dozens(struct world *w)
{
        char text[8192];
        struct wr wr;
        wr_init(&wr, text, sizeof text);
        for (int i = 0; i < DKIM_SIGNATURES_MAX; i++) {
                char field[200];
                snprintf(field, sizeof field,
                        "DKIM-Signature: v=1; a=rsa-sha256; d=d%d.example; s=s; h=from;\r\n"
                        " bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA\r\n",
                        i);
                wr_str(&wr, str_of_c(field));
        }
        for (int i = 1; i <= ARC_SETS_MAX; i++) {
                char set[600];
                snprintf(set, sizeof set,
                        "ARC-Seal: i=%d; a=rsa-sha256; cv=%s; d=a%d.example; s=s; b=AAAA\r\n"
                        "ARC-Message-Signature: i=%d; a=rsa-sha256; d=a%d.example; s=m; h=from;\r\n"
                        " bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA\r\n"
                        "ARC-Authentication-Results: i=%d; x; arc=none\r\n",
                        i, i == 1 ? "none" : "pass", i, i, i, i);
                if (wr.n + 600 < sizeof text)
                        wr_str(&wr, str_of_c(set));
        }
        wr_str(&wr, S(MESSAGE));
        wr_byte(&wr, '\0');
        assert_int_equal(wr_end(&wr), ERR_OK);
        w->texts.delay_ms = 50;
        begin(w, "author@ten.example", text);
        assert_true(end(w, ERR_OK) < 900);
        assert_true(w->job.known.count > 20 && w->job.known.wanted == 0);
        assert_int_equal(w->job.evaluate.out.dkim_count, DKIM_SIGNATURES_MAX);
        assert_int_equal(w->job.evaluate.out.dkim[7].fault, DKIM_KEY_NONE);
        expect(w, SPF_PASS, DMARC_FAIL);
}

static void dead_resolver(struct world *w)
{
        w->texts.is_silent = true;
        w->node.patience_ms = 100;
        begin(w, "author@example.org", MESSAGE);
        int64_t took_ms = end(w, ERR_OK);
        assert_true(took_ms >= 90 && took_ms < 800);
        expect(w, SPF_TEMPERROR, DMARC_TEMPERROR);
        /* the resolver's own patience ends before ours */
        w->node.patience_ms = 5000;
        begin(w, "author@example.org", MESSAGE);
        assert_true(end(w, ERR_OK) < 4500);
        expect(w, SPF_TEMPERROR, DMARC_TEMPERROR);
        /* nothing of it is remembered */
        w->texts.is_silent = false;
        begin(w, "author@example.org", MESSAGE);
        end(w, ERR_OK);
        expect(w, SPF_PASS, DMARC_PASS);
}

/* A slow one is waited for behind the final dot, within the bound. */
static void slow_resolver(struct world *w)
{
        w->texts.delay_ms = 400;
        w->node.patience_ms = 5000;
        begin(w, "author@example.org", MESSAGE);
        int64_t took_ms = end(w, ERR_OK);
        assert_true(took_ms >= 300 && took_ms < 2000);
        expect(w, SPF_PASS, DMARC_PASS);
}

static void others_go_on(void *arg)
{
        struct world *w = arg;
        assert_int_equal(fiber_sleep(w->h->sched, 50), ERR_OK);
        w->texts.dns.over_tcp = 1; /* a mark: this fiber ran while the other one waited */
}

static void a_wait_blocks_nobody_else(struct world *w)
{
        struct scope scope;
        w->texts.delay_ms = 300;
        scope_open(&scope, w->h->sched, FIBER_NEVER);
        assert_int_equal(scope_spawn(&scope, "other", others_go_on, w), ERR_OK);
        begin(w, "author@example.org", MESSAGE);
        end(w, ERR_OK);
        assert_int_equal(w->texts.dns.over_tcp, 1);
        expect(w, SPF_PASS, DMARC_PASS);
        assert_int_equal(scope_join(&scope), ERR_OK);
}

/* The peer goes away: dropped at any point, with questions on their way. */
static void dropped(struct world *w)
{
        w->texts.is_silent = true;
        begin(w, "author@example.org", MESSAGE);
        evaluation_drop(&w->job);
        begin(w, "author@example.org", MESSAGE);
        assert_int_equal(fiber_sleep(w->h->sched, 20), ERR_OK);
        evaluation_body(&w->job, S("x\r\n"));
        int64_t before_ms = host_now_ms(w->h);
        evaluation_drop(&w->job);
        assert_true(host_now_ms(w->h) - before_ms < 500);
        assert_int_equal(w->node.asking.left, EVALUATIONS_ASKING_MAX);
}

static void end_in_fiber(void *arg)
{
        struct world *w = arg;
        begin(w, "author@example.org", MESSAGE);
        assert_true(end(w, ERR_CANCELLED) < 2000);
        evaluation_drop(&w->job);
}

static void cancelled(struct world *w)
{
        struct scope scope;
        w->texts.is_silent = true;
        scope_open(&scope, w->h->sched, FIBER_NEVER);
        assert_int_equal(scope_spawn(&scope, "session", end_in_fiber, w), ERR_OK);
        assert_int_equal(fiber_sleep(w->h->sched, 50), ERR_OK);
        scope_cancel(&scope);
        (void)scope_join(&scope);
        assert_int_equal(w->node.asking.left, EVALUATIONS_ASKING_MAX);
}

/* Who waits for a turn waits no longer than for answers. */
static void many_messages(struct world *w)
{
        w->node.asking.left = 0;
        w->node.patience_ms = 100;
        begin(w, "author@example.org", MESSAGE);
        assert_true(end(w, ERR_OK) < 800);
        expect(w, SPF_TEMPERROR, DMARC_TEMPERROR);
}

/* Answers beyond the memory of a message settle its verdicts, too. */
static void large_answers(struct world *w)
{
        w->spf = (struct spf_input){
                .ip = ip_v4(192, 0, 2, 1), .sender = S("author@example.org"), .helo = S("x")};
        assert_int_equal(mail_header_index(S(MESSAGE), w->fields, FIELDS, &w->header), ERR_OK);
        evaluation_begin(&w->job, &w->node, &w->spf, &w->header);
        w->job.arena.cap = w->job.arena.used; /* the questions stand there, and no answer fits */
        end(w, ERR_OK);
        expect(w, SPF_TEMPERROR, DMARC_TEMPERROR);
}

#define TEST(name)                            \
        static void test_##name(void **state) \
        {                                     \
                (void)state;                  \
                with_world(name);             \
        }
TEST(usual_message)
TEST(asked_at_once)
TEST(dozens)
TEST(dead_resolver)
TEST(slow_resolver)
TEST(a_wait_blocks_nobody_else)
TEST(dropped)
TEST(cancelled)
TEST(many_messages)
TEST(large_answers)

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_usual_message),
                cmocka_unit_test(test_asked_at_once),
                cmocka_unit_test(test_dozens),
                cmocka_unit_test(test_dead_resolver),
                cmocka_unit_test(test_slow_resolver),
                cmocka_unit_test(test_a_wait_blocks_nobody_else),
                cmocka_unit_test(test_dropped),
                cmocka_unit_test(test_cancelled),
                cmocka_unit_test(test_many_messages),
                cmocka_unit_test(test_large_answers),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
