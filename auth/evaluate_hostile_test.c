/* SPDX-License-Identifier: ISC */
/* What a hostile message may cost: each gets its verdict, and asks and keeps no more than the names of base/limits.h say. */
#include "auth/evaluate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "auth/arc_seal.h"
#include "auth/dkim_sign.h"
#include "auth/fake_dns.h"

#define NOW 1700000000
#define FIELDS 12000 /* more than MAIL_FIELDS_MAX, to see what lies behind that ceiling */
#define TEXT_MAX (2 << 20)
#define GOOD "From: a@a.example\r\nTo: b@example.org\r\nSubject: hi\r\n\r\nHello\r\n"

struct world {
        struct fake_dns dns;
        struct dkim_keys keys;
        struct crypto_key *key;
        char record[512];
        size_t record_n;
        struct arena arena;
        struct dns_known known;
        struct evaluate evaluate;
        struct mail_field fields[FIELDS];
        struct mail_header header;
        char *message; /* owned, exactly the message */
        struct wr w;   /* makes one */
        char text[TEXT_MAX];
        char memory[FAKE_DNS_ARENA];
};

static int setup(void **state)
{
        static const uint8_t seed[ED25519_SEED_SIZE] = {6, 3, 7, 6};
        struct world *x = calloc(1, sizeof *x);
        struct wr w;
        if (!x || crypto_key_ed25519_private(seed, &x->key) != ERR_OK)
                return -1;
        wr_init(&w, x->record, sizeof x->record);
        assert_int_equal(dkim_key_record_write(x->key, &w), ERR_OK);
        x->record_n = w.n;
        wr_init(&x->w, x->text, sizeof x->text);
        dkim_keys_init(&x->keys);
        *state = x;
        return 0;
}

static int teardown(void **state)
{
        struct world *x = *state;
        dkim_keys_drop(&x->keys);
        crypto_key_free(x->key);
        free(x->message);
        free(x);
        return 0;
}

static struct str record(const struct world *x)
{
        return str_of(x->record, x->record_n);
}

static void say(struct world *x, const char *text)
{
        wr_str(&x->w, str_of_c(text));
}

static void say_number(struct world *x, size_t n)
{
        wr_u64(&x->w, n);
}

static void say_often(struct world *x, const char *text, size_t times)
{
        for (size_t i = 0; i < times; i++)
                say(x, text);
}

/* Take what was said as the message, in a block of its size. */
static enum err load(struct world *x, size_t fields)
{
        struct str text = wr_text(&x->w);
        assert_int_equal(wr_end(&x->w), ERR_OK);
        free(x->message);
        x->message = malloc(text.n > 0 ? text.n : 1);
        assert_non_null(x->message);
        memcpy(x->message, text.p, text.n);
        wr_init(&x->w, x->text, sizeof x->text);
        return mail_header_index(str_of(x->message, text.n), x->fields, fields, &x->header);
}

/* The verdicts on what was loaded. The ceilings hold for every message. */
static const struct evaluation *judge(struct world *x, struct str body)
{
        struct spf_input in = {.sender = S("a@a.example"), .helo = S("mx.a.example"), .now_s = NOW};
        struct evaluate *e = &x->evaluate;
        assert_int_equal(ip_parse(S("192.0.2.1"), &in.ip), ERR_OK);
        arena_init(&x->arena, x->memory, sizeof x->memory);
        dns_known_init(&x->known, &x->arena, EVALUATE_QUESTIONS_MAX);
        evaluate_init(e, &in, &x->header, &x->known);
        while (evaluate_ask(e) == ERR_AGAIN)
                assert_true(fake_dns_round(&x->dns, &x->known, false) > 0);
        evaluate_body(e, body);
        evaluate_body_end(e);
        while (evaluate_finish(e, &x->keys) == ERR_AGAIN)
                assert_true(fake_dns_round(&x->dns, &x->known, false) > 0);
        evaluate_drop(e);
        assert_true(x->known.count <= EVALUATE_QUESTIONS_MAX);
        assert_true(e->out.dkim_count <= DKIM_SIGNATURES_MAX);
        assert_true(e->dkim.body.count <= BODY_HASHES_MAX);
        return &e->out;
}

static const struct evaluation *judge_said(struct world *x)
{
        size_t n = x->w.n;
        assert_int_equal(load(x, FIELDS), ERR_OK);
        return judge(x, str_skip(str_of(x->message, n), x->header.body_at));
}

/* Questions whose names hold this. */
static size_t asked(const struct world *x, const char *label)
{
        size_t count = 0;
        for (const struct dns_fact *f = x->known.first; f; f = f->next) {
                char text[DNS_NAME_TEXT_MAX];
                struct wr w;
                wr_init(&w, text, sizeof text);
                dns_name_write(&w, &f->name);
                count += str_find(wr_text(&w), str_of_c(label)) < w.n;
        }
        return count;
}

/* A signature of a.example over GOOD, and GOOD. */
static void say_signed(struct world *x)
{
        struct dkim_sign_params p = {.domain = S("a.example"),
                .selector = S("s"),
                .header_canon = CANON_RELAXED,
                .body_canon = CANON_RELAXED,
                .cover = dkim_cover_author,
                .cover_count = dkim_cover_author_count,
                .time_s = NOW - 60};
        struct mail_field fields[8];
        struct mail_header header;
        uint8_t digest[SHA256_SIZE];
        assert_int_equal(mail_header_index(S(GOOD), fields, 8, &header), ERR_OK);
        assert_int_equal(sha256(str_skip(S(GOOD), header.body_at), digest), ERR_OK);
        assert_int_equal(dkim_sign(&p, &header, digest, x->key, &x->w), ERR_OK);
        say(x, GOOD);
}

static void publish(struct world *x)
{
        fake_dns_text(&x->dns, S("s._domainkey.a.example"), record(x));
        fake_dns_text(&x->dns, S("_dmarc.a.example"), S("v=DMARC1; p=reject"));
}

/* A session's index refuses them; even without that ceiling eight are looked at. */
static void test_10000_signatures(void **state)
{
        struct world *x = *state;
        publish(x);
        say_often(x, "DKIM-Signature:x\r\n", 10000);
        say_signed(x);
        assert_int_equal(load(x, MAIL_FIELDS_MAX), ERR_LIMIT);
        say_often(x, "DKIM-Signature:x\r\n", 10000);
        say_signed(x);
        const struct evaluation *out = judge_said(x);
        assert_int_equal(out->dkim_count, DKIM_SIGNATURES_MAX);
        assert_int_equal(x->evaluate.dkim.ignored, 10001 - DKIM_SIGNATURES_MAX);
        assert_int_equal(out->dkim[0].fault, DKIM_TAG_LIST);
        assert_int_equal(out->dmarc.result, DMARC_FAIL);
        assert_int_equal(asked(x, "_domainkey"), 0);
}

/* Each of them asks for another key. */
static void test_900_signatures_of_900_domains(void **state)
{
        struct world *x = *state;
        for (size_t i = 0; i < 900; i++) {
                say(x, "DKIM-Signature: v=1; a=ed25519-sha256; d=d");
                say_number(x, i);
                say(x, ".example; s=s; h=from; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=eA==\r\n");
        }
        say(x, GOOD);
        const struct evaluation *out = judge_said(x);
        assert_int_equal(out->dkim_count, DKIM_SIGNATURES_MAX);
        assert_int_equal(out->dkim[7].fault, DKIM_KEY_NONE);
        assert_int_equal(asked(x, "_domainkey"), DKIM_SIGNATURES_MAX);
}

static void say_covering(struct world *x, const char *name, size_t times)
{
        say(x, "DKIM-Signature: v=1; a=ed25519-sha256; d=a.example; s=s; "
               "bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=eA==; h=from");
        say_often(x, name, times);
        say(x, "\r\n");
}

static void test_1_MB_of_names(void **state)
{
        struct world *x = *state;
        struct dkim_signature s;
        struct str detail;
        publish(x);
        say_covering(x, ":a", 1 << 19);
        assert_int_equal(dkim_signature_parse(DKIM_FIELD, wr_text(&x->w), &s, &detail), DKIM_TAG_VALUE);
        assert_true(str_eq(detail, S("h")));
        say(x, GOOD);
        assert_int_equal(load(x, MAIL_FIELDS_MAX), ERR_LIMIT);
        say_covering(x, ":a", MAIL_HEADER_MAX / 2 - 500); /* what a header may hold */
        say(x, GOOD);
        assert_int_equal(judge_said(x)->dkim[0].fault, DKIM_TAG_VALUE);
        assert_int_equal(asked(x, "_domainkey"), 0);
        say_covering(x, ":from", DKIM_COVERED_MAX); /* one too many */
        say(x, GOOD);
        assert_int_equal(judge_said(x)->dkim[0].fault, DKIM_TAG_VALUE);
        say_covering(x, ":from", DKIM_COVERED_MAX - 1);
        say(x, GOOD);
        assert_int_equal(judge_said(x)->dkim[0].fault, DKIM_BODY);
        assert_int_equal(asked(x, "_domainkey"), 1);
}

/* Most names of h= in the most fields there may be, for each signature looked at. */
static void test_most_names_in_most_fields(void **state)
{
        struct world *x = *state;
        publish(x);
        for (size_t i = 0; i < DKIM_SIGNATURES_MAX; i++) {
                say(x, "DKIM-Signature: v=1; a=ed25519-sha256; d=a.example; s=s; l=0; "
                       "bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; c=relaxed/relaxed; b=eA==; h=from");
                say_often(x, ":y:x", (DKIM_COVERED_MAX - 1) / 2);
                say(x, "\r\n");
        }
        say_often(x, "X: 1\r\nY: 2\r\n", 480);
        say(x, GOOD);
        const struct evaluation *out = judge_said(x);
        for (size_t i = 0; i < DKIM_SIGNATURES_MAX; i++)
                assert_int_equal(out->dkim[i].fault, DKIM_FIELD_ADDED);
        assert_int_equal(out->dmarc.result, DMARC_FAIL);
}

static void test_key_records_of_60_KB(void **state)
{
        struct world *x = *state;
        char *big = malloc(60000);
        struct wr w;
        assert_non_null(big);
        wr_init(&w, big, 60000);
        wr_str(&w, S("v=DKIM1; k=rsa; p="));
        while (w.n < 60000)
                wr_byte(&w, 'A');
        fake_dns_text(&x->dns, S("s._domainkey.a.example"), wr_text(&w));
        say_signed(x);
        assert_int_equal(judge_said(x)->dkim[0].fault, DKIM_KEY_DATA);
        assert_true(x->arena.high < 2 * 60000 + EVALUATE_QUESTIONS_MAX * sizeof(struct dns_fact));
        wr_init(&w, big, 60000);
        wr_str(&w, record(x));
        wr_str(&w, S("; n="));
        while (w.n < 60000)
                wr_byte(&w, 'n');
        x->dns.records[0].value.text = wr_text(&w);
        say_signed(x);
        assert_int_equal(judge_said(x)->dkim[0].fault, DKIM_OK);
        free(big);
}

static void test_spf_loops(void **state)
{
        static const struct {
                const char *name;
                const char *records[3][2];
        } cases[] = {
                {"include of itself", {{"a.example", "v=spf1 include:a.example -all"}}},
                {"redirect to itself", {{"a.example", "v=spf1 redirect=a.example"}}},
                {"two includes", {{"a.example", "v=spf1 include:b.example"},
                                         {"b.example", "v=spf1 include:a.example"}}},
                {"a circle of three", {{"a.example", "v=spf1 redirect=b.example"},
                                              {"b.example", "v=spf1 include:c.example"},
                                              {"c.example", "v=spf1 redirect=a.example"}}},
                {"growing", {{"a.example", "v=spf1 include:%{d}.a.example -all"}}},
        };
        struct world *x = *state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                x->dns.count = 0;
                for (size_t k = 0; k < 3 && cases[i].records[k][0]; k++)
                        fake_dns_text(
                                &x->dns, str_of_c(cases[i].records[k][0]), str_of_c(cases[i].records[k][1]));
                say(x, GOOD);
                const struct evaluation *out = judge_said(x);
                assert_int_equal(out->spf.result, SPF_PERMERROR);
                assert_true(x->known.count <= SPF_LOOKUPS_MAX + 1 + DMARC_WALK_MAX);
        }
}

/* Ten includes in each of ten includes and so on: the first ten terms are the last. */
static void test_spf_fan(void **state)
{
        static const char *const names[] = {"a.example", "b.example", "c.example", "d.example", "e.example",
                "f.example", "g.example", "h.example", "i.example", "j.example"};
        struct world *x = *state;
        char text[400];
        struct wr w;
        wr_init(&w, text, sizeof text);
        wr_str(&w, S("v=spf1"));
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
                wr_str(&w, S(" include:"));
                wr_str(&w, str_of_c(names[i]));
        }
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
                fake_dns_text(&x->dns, str_of_c(names[i]), wr_text(&w));
        say(x, GOOD);
        assert_int_equal(judge_said(x)->spf.result, SPF_PERMERROR);
        assert_true(x->known.count <= SPF_LOOKUPS_MAX + DMARC_WALK_MAX);
}

static void test_100_authors(void **state)
{
        struct world *x = *state;
        publish(x);
        say(x, "From: a@a.example");
        say_often(x, ",\r\n a@a.example", 99);
        say(x, "\r\n\r\n");
        const struct evaluation *out = judge_said(x);
        assert_int_equal(out->author.count, 100);
        assert_int_equal(out->dmarc.result, DMARC_FAIL);
        say(x, "From: a@a.example");
        for (size_t i = 0; i < 99; i++) {
                say(x, ",\r\n a@d");
                say_number(x, i);
                say(x, ".example");
        }
        say(x, "\r\n\r\n");
        out = judge_said(x);
        assert_int_equal(out->dmarc.fault, DMARC_FROM_SEVERAL);
        assert_int_equal(asked(x, "_dmarc"), 0);
        say_often(x, "From: a@a.example\r\n", 100);
        say(x, "\r\n");
        out = judge_said(x);
        assert_int_equal(out->dmarc.fault, DMARC_FROM_TWICE);
        assert_int_equal(asked(x, "_dmarc"), 0);
}

/* A NUL in any one place of a signed message: a verdict, and never a pass of what it covers. */
static void test_nul_everywhere(void **state)
{
        struct world *x = *state;
        char good[2048];
        publish(x);
        say_signed(x);
        size_t n = x->w.n;
        assert_true(n <= sizeof good);
        memcpy(good, x->text, n);
        assert_int_equal(judge_said(x)->dmarc.result, DMARC_PASS);
        for (size_t i = 0; i < n; i++) {
                wr_str(&x->w, str_of(good, n));
                x->text[i] = '\0';
                const struct evaluation *out = judge_said(x);
                assert_int_not_equal(out->dmarc.result, DMARC_PASS);
                assert_true(out->dkim_count <= 1);
                assert_true(out->dkim_count == 0 || out->dkim[0].result != DKIM_PASS);
        }
}

static void test_comments_1000_deep(void **state)
{
        struct world *x = *state;
        publish(x);
        say(x, "From: a@a.example ");
        say_often(x, "(", 1000);
        say_often(x, ")", 1000);
        say(x, "\r\nAuthentication-Results: ");
        say_often(x, "(", 1000);
        say_often(x, ")", 1000);
        say(x, "us.example; arc=pass\r\n\r\n");
        const struct evaluation *out = judge_said(x);
        assert_int_equal(out->author.count, 1);
        assert_int_equal(out->dmarc.result, DMARC_FAIL);
        say(x, "From: a@a.example ");
        say_often(x, "(", 1000); /* never closed */
        say(x, "\r\n\r\n");
        assert_int_equal(judge_said(x)->dmarc.fault, DMARC_FROM_SYNTAX);
}

static void say_sets(struct world *x, size_t count)
{
        for (size_t i = count; i > 0; i--) {
                say(x, "ARC-Seal: i=");
                say_number(x, i);
                say(x, i == 1 ? "; cv=none" : "; cv=pass");
                say(x, "; a=ed25519-sha256; d=a.example; s=s; b=eA==\r\nARC-Message-Signature: i=");
                say_number(x, i);
                say(x, "; a=ed25519-sha256; d=a.example; s=s; h=from; b=eA==; "
                       "bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\r\nARC-Authentication-Results: i=");
                say_number(x, i);
                say(x, "; us.example; arc=none\r\n");
        }
        say(x, GOOD);
}

/* Whole sets, but more than a chain may have: no key is asked for. */
static void test_sets_1_to_60(void **state)
{
        struct world *x = *state;
        for (size_t count = ARC_SETS_MAX + 1; count <= 60; count++) {
                say_sets(x, count);
                assert_int_equal(judge_said(x)->arc.fault, ARC_INSTANCE);
                assert_int_equal(asked(x, "_domainkey"), 0);
        }
        say_sets(x, ARC_SETS_MAX);
        const struct evaluation *out = judge_said(x);
        assert_int_equal(out->arc.count, ARC_SETS_MAX);
        assert_int_equal(out->arc.fault, ARC_MESSAGE_SIGNATURE);
        assert_int_equal(asked(x, "_domainkey"), 1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        const struct CMUnitTest tests[] = {
                TEST(test_10000_signatures),
                TEST(test_900_signatures_of_900_domains),
                TEST(test_1_MB_of_names),
                TEST(test_most_names_in_most_fields),
                TEST(test_key_records_of_60_KB),
                TEST(test_spf_loops),
                TEST(test_spf_fan),
                TEST(test_100_authors),
                TEST(test_nul_everywhere),
                TEST(test_comments_1000_deep),
                TEST(test_sets_1_to_60),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
