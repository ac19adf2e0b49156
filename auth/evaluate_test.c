/* SPDX-License-Identifier: ISC */
#include "auth/evaluate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "auth/arc_bench.h"
#include "auth/fake_dns.h"

/* A message of example.com with a signature of its own and a set of example.org, and the DNS of both. */
struct bench {
        struct arc_bench arc;
        struct fake_dns dns;
        struct dkim_keys keys;
        struct arena arena;
        struct dns_known known;
        struct evaluate evaluate;
        size_t early, late; /* rounds of questions before and after the body */
        char memory[4 * FAKE_DNS_ARENA];
};

static void sign(struct arc_bench *a)
{
        struct dkim_sign_params p = {.domain = S("example.com"),
                .selector = S("s1"),
                .header_canon = CANON_RELAXED,
                .body_canon = CANON_SIMPLE,
                .cover = dkim_cover_author,
                .cover_count = dkim_cover_author_count,
                .time_s = ARC_BENCH_NOW - 60};
        uint8_t digest[SHA256_SIZE];
        char field[DKIM_FIELD_MAX];
        struct wr w;
        wr_init(&w, field, sizeof field);
        assert_int_equal(sha256(str_skip(arc_bench_text(a), a->header.body_at), digest), ERR_OK);
        assert_int_equal(dkim_sign(&p, &a->header, digest, a->key, &w), ERR_OK);
        arc_bench_load(a, wr_text(&w), arc_bench_text(a));
}

static int setup(void **state)
{
        struct bench *b = calloc(1, sizeof *b);
        void *arc;
        if (!b || arc_bench_setup(&arc) != 0)
                return -1;
        b->arc = *(struct arc_bench *)arc;
        free(arc);
        *state = b;
        dkim_keys_init(&b->keys);
        arc_bench_load(&b->arc, S(""), S("From: a@example.com\r\nTo: b@example.org\r\n\r\nHello\r\n"));
        sign(&b->arc);
        assert_int_equal(arc_bench_seal(&b->arc, ARC_NONE), ERR_OK);
        return 0;
}

static int teardown(void **state)
{
        struct bench *b = *state;
        dkim_keys_drop(&b->keys);
        crypto_key_free(b->arc.key);
        free(b->arc.message);
        free(b);
        return 0;
}

static void publish(struct bench *b, const char *name)
{
        fake_dns_text(&b->dns, str_of_c(name), str_of(b->arc.record, b->arc.record_n));
}

static void publish_all(struct bench *b)
{
        publish(b, "s1._domainkey.example.com");
        publish(b, "sig._domainkey.example.org");
        publish(b, "seal._domainkey.example.org");
        fake_dns_text(&b->dns, S("_dmarc.example.com"), S("v=DMARC1; p=reject"));
        fake_dns_text(&b->dns, S("example.com"), S("v=spf1 ip4:192.0.2.1 -all"));
}

static const struct evaluation *run(struct bench *b, const char *ip, size_t step, bool one_by_one)
{
        struct spf_input in = {
                .sender = S("a@example.com"), .helo = S("mx.example.com"), .now_s = ARC_BENCH_NOW};
        struct evaluate *e = &b->evaluate;
        struct str body = str_skip(arc_bench_text(&b->arc), b->arc.header.body_at);
        assert_int_equal(ip_parse(str_of_c(ip), &in.ip), ERR_OK);
        arena_init(&b->arena, b->memory, sizeof b->memory);
        dns_known_init(&b->known, &b->arena, EVALUATE_QUESTIONS_MAX);
        evaluate_init(e, &in, &b->arc.header, &b->known);
        for (b->early = 0; evaluate_ask(e) == ERR_AGAIN; b->early++)
                assert_true(fake_dns_round(&b->dns, &b->known, one_by_one) > 0);
        for (; body.n > 0; body = str_skip(body, step))
                evaluate_body(e, str_take(body, step));
        evaluate_body_end(e);
        for (b->late = 0; evaluate_finish(e, &b->keys) == ERR_AGAIN; b->late++)
                assert_true(fake_dns_round(&b->dns, &b->known, one_by_one) > 0);
        evaluate_drop(e);
        return &e->out;
}

static void test_all_pass(void **state)
{
        struct bench *b = *state;
        publish_all(b);
        for (size_t step = 1; step < 10; step++) {
                const struct evaluation *out = run(b, "192.0.2.1", step, step % 2);
                assert_int_equal(out->spf.result, SPF_PASS);
                assert_int_equal(out->dkim_count, 1);
                assert_int_equal(out->dkim[0].result, DKIM_PASS);
                assert_int_equal(out->arc.cv, ARC_PASS);
                assert_int_equal(out->dmarc.result, DMARC_PASS);
                assert_true(out->dmarc.spf_aligned && out->dmarc.dkim_aligned);
                assert_int_equal(b->late, 0);
                if (step % 2 == 0)
                        assert_true(b->early <= 2);
        }
}

static void test_each_alone(void **state)
{
        struct bench *b = *state;
        publish_all(b);
        const struct evaluation *out = run(b, "192.0.2.2", 9, false);
        assert_int_equal(out->spf.result, SPF_FAIL);
        assert_int_equal(out->dmarc.result, DMARC_PASS);
        assert_false(out->dmarc.spf_aligned);
        struct str all = arc_bench_text(&b->arc);
        b->arc.message[all.n - 3] ^= 1; /* the body */
        out = run(b, "192.0.2.1", 9, false);
        assert_int_equal(out->dkim[0].fault, DKIM_BODY);
        assert_int_equal(out->arc.fault, ARC_MESSAGE_SIGNATURE);
        assert_int_equal(out->arc.dkim, DKIM_BODY);
        assert_int_equal(out->dmarc.result, DMARC_PASS);
        assert_false(out->dmarc.dkim_aligned);
        out = run(b, "192.0.2.2", 9, false);
        assert_int_equal(out->dmarc.result, DMARC_FAIL);
        assert_int_equal(out->dmarc.policy, DMARC_POLICY_REJECT);
}

static void test_dns_trouble(void **state)
{
        struct bench *b = *state;
        fake_dns_text(&b->dns, S("_dmarc.example.com"), S("v=DMARC1; p=reject"));
        fake_dns_add(&b->dns, S("s1._domainkey.example.com\tTROUBLE\tTXT"));
        fake_dns_add(&b->dns, S("example.com\tTROUBLE\tTXT"));
        fake_dns_add(&b->dns, S("sig._domainkey.example.org\tTROUBLE\tTXT"));
        const struct evaluation *out = run(b, "192.0.2.1", 9, false);
        assert_int_equal(out->spf.result, SPF_TEMPERROR);
        assert_int_equal(out->dkim[0].result, DKIM_TEMPERROR);
        assert_int_equal(out->arc.cv, ARC_FAIL);
        assert_true(out->arc.is_temporary);
        assert_int_equal(out->dmarc.result, DMARC_TEMPERROR);
}

static void test_key_in_testing_gives_no_credit(void **state)
{
        struct bench *b = *state;
        char text[600];
        struct wr w;
        wr_init(&w, text, sizeof text);
        wr_str(&w, str_of(b->arc.record, b->arc.record_n));
        wr_str(&w, S("; t=y"));
        fake_dns_text(&b->dns, S("s1._domainkey.example.com"), wr_text(&w));
        fake_dns_text(&b->dns, S("_dmarc.example.com"), S("v=DMARC1; p=reject"));
        const struct evaluation *out = run(b, "192.0.2.1", 9, false);
        assert_int_equal(out->dkim[0].result, DKIM_PASS);
        assert_int_equal(out->dmarc.result, DMARC_FAIL);
}

static void test_bare_message(void **state)
{
        struct bench *b = *state;
        arc_bench_load(&b->arc, S(""), S(""));
        const struct evaluation *out = run(b, "192.0.2.1", 9, false);
        assert_int_equal(out->spf.result, SPF_NONE);
        assert_int_equal(out->dkim_count, 0);
        assert_int_equal(out->arc.cv, ARC_NONE);
        assert_int_equal(out->dmarc.result, DMARC_PERMERROR);
}

/* 990 signatures and sets up to 60: no more questions than the limits allow, and a verdict. */
static void test_flood(void **state)
{
        struct bench *b = *state;
        char text[MAIL_HEADER_MAX];
        struct wr w;
        publish_all(b);
        wr_init(&w, text, sizeof text);
        const struct mail_field *signature = mail_header_first(&b->arc.header, S("DKIM-Signature"));
        for (size_t i = 0; i < 500; i++)
                wr_str(&w, signature->raw);
        for (size_t i = 0; i < 60; i++) {
                wr_str(&w, S("ARC-Seal: i="));
                wr_u64(&w, i);
                wr_str(&w, S("; cv=pass; a=ed25519-sha256; d=example.org; s=s; b=eA==\r\n"));
        }
        assert_int_equal(wr_end(&w), ERR_OK);
        arc_bench_load(&b->arc, wr_text(&w), arc_bench_text(&b->arc));
        const struct evaluation *out = run(b, "192.0.2.2", 9, false);
        assert_int_equal(out->dkim_count, DKIM_SIGNATURES_MAX);
        assert_int_equal(out->arc.cv, ARC_FAIL);
        assert_int_equal(out->dmarc.result, DMARC_PASS);
        assert_true(b->known.count < 16);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_all_pass, setup, teardown),
                cmocka_unit_test_setup_teardown(test_each_alone, setup, teardown),
                cmocka_unit_test_setup_teardown(test_dns_trouble, setup, teardown),
                cmocka_unit_test_setup_teardown(test_key_in_testing_gives_no_credit, setup, teardown),
                cmocka_unit_test_setup_teardown(test_bare_message, setup, teardown),
                cmocka_unit_test_setup_teardown(test_flood, setup, teardown),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
