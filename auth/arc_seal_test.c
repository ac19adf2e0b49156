/* SPDX-License-Identifier: ISC */
#include "auth/arc_seal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "auth/arc_bench.h"
#include "auth/dkim_check.h"

static void test_layout(void **state)
{
        struct arc_bench *b = *state;
        arc_bench_chain(b, 1);
        assert_int_equal(arc_bench_seal(b, ARC_PASS), ERR_OK);
        for (size_t i = 0; i < 6; i++)
                assert_true(str_eq(b->fields[i].name, arc_field_name((enum arc_field)(2 - i % 3))));
        struct str rest = arc_bench_text(b);
        for (size_t at; (at = str_find(rest, S("\r\n"))) < rest.n; rest = str_skip(rest, at + 2))
                assert_true(at <= MAIL_LINE_GOAL);
        assert_true(str_eq(b->fields[2].body, S(" i=2; example.org; arc=none")));
        assert_true(str_find(b->fields[1].body, S("h=from:from:to:to:")) < b->fields[1].body.n);
        assert_true(str_find(b->fields[1].body, S("dkim-signature")) < b->fields[1].body.n);
}

/* What is sealed where the chain of the message is another one than the results say. */
static void test_status_is_never_better_than_the_chain(void **state)
{
        struct arc_bench *b = *state;
        static const struct {
                size_t sets;
                enum arc_cv given, sealed;
        } cases[] = {{0, ARC_NONE, ARC_NONE}, {0, ARC_PASS, ARC_NONE}, {0, ARC_FAIL, ARC_NONE},
                {1, ARC_NONE, ARC_FAIL}, {1, ARC_PASS, ARC_PASS}, {1, ARC_FAIL, ARC_FAIL}};
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                arc_bench_chain(b, cases[i].sets);
                assert_int_equal(arc_bench_seal(b, cases[i].given), ERR_OK);
                arc_chain_read(&b->header, &b->chain);
                assert_true(str_eq(b->chain.sets[cases[i].sets].seal.cv, arc_cv_text(cases[i].sealed)));
                assert_int_equal(arc_bench_judge(b).cv, cases[i].sealed == ARC_FAIL ? ARC_FAIL : ARC_PASS);
        }
}

/* 5.1.2: a broken chain gets one more set, whose seal covers that set alone, and then nothing more. */
static void test_broken_chain(void **state)
{
        struct arc_bench *b = *state;
        struct dkim_key key;
        struct str record = str_of(b->record, b->record_n);
        uint8_t digest[SHA256_SIZE];
        arc_bench_chain(b, 2);
        arc_bench_load(
                b, S(""), str_skip(arc_bench_text(b), b->fields[0].raw.n)); /* without the newest seal */
        assert_int_equal(arc_bench_judge(b).fault, ARC_INCOMPLETE);
        assert_int_equal(arc_bench_seal(b, ARC_PASS), ERR_OK);
        struct arc_verdict v = arc_bench_judge(b);
        assert_int_equal(v.fault, ARC_ENDED);
        assert_int_equal(v.instance, 3);
        arc_chain_read(&b->header, &b->chain);
        const struct arc_set *set = &b->chain.sets[2];
        struct str own[] = {set->fields[ARC_FIELD_RESULTS]->raw, set->fields[ARC_FIELD_SIGNATURE]->raw};
        struct dkim_hash hash;
        dkim_hash_init(&hash);
        dkim_hash_field(&hash, own[0]);
        dkim_hash_field(&hash, own[1]);
        assert_int_equal(dkim_hash_sealed(&hash, set->seal.raw, set->seal.b_span, digest), ERR_OK);
        dkim_hash_drop(&hash);
        dkim_key_from_records(&record, 1, &key);
        assert_int_equal(dkim_check_digest(&set->seal, digest, key.key), DKIM_OK);
        dkim_key_drop(&key);
        assert_int_equal(arc_bench_seal(b, ARC_FAIL), ERR_SEQUENCE);
}

static void test_instance_above_all(void **state)
{
        struct arc_bench *b = *state;
        arc_bench_load(b, S("ARC-Seal: i=51; cv=pass\r\n"), S(ARC_BENCH_MESSAGE));
        assert_int_equal(arc_bench_seal(b, ARC_FAIL), ERR_LIMIT);
        arc_bench_load(b, S("ARC-Seal: i=50; cv=pass\r\n"), S(ARC_BENCH_MESSAGE));
        assert_int_equal(arc_bench_seal(b, ARC_FAIL), ERR_LIMIT);
        arc_bench_load(b, S("ARC-Seal: cv=pass\r\n"), S(ARC_BENCH_MESSAGE));
        assert_int_equal(arc_bench_seal(b, ARC_FAIL), ERR_OK);
        assert_true(str_has_prefix(b->fields[2].body, S(" i=1;")));
}

static void test_refusals(void **state)
{
        struct arc_bench *b = *state;
        static const struct dkim_cover covers[] = {{{"Authentication-Results", 22}, false},
                {{"arc-seal", 8}, false}, {{"ARC-Message-Signature", 21}, false},
                {{"ARC-Authentication-Results", 26}, true}, {{"a b", 3}, false}, {{"", 0}, false}};
        static const char *const results[] = {
                "", "a; none\r\n", "a;\r\nX: y", "a;\r\n \r\n b", "a;\rb", "a;\nb", "a; b\x01", "a;\r\n  \t"};
        const struct arc_seal_params good = b->params;
        arc_bench_chain(b, 1);
        for (size_t i = 0; i < sizeof covers / sizeof covers[0]; i++) {
                b->params.cover = &covers[i];
                b->params.cover_count = 1;
                assert_int_equal(arc_bench_seal(b, ARC_PASS), ERR_SYNTAX);
        }
        b->params = good;
        for (size_t i = 0; i < sizeof results / sizeof results[0]; i++) {
                b->params.results = str_of_c(results[i]);
                if (arc_bench_seal(b, ARC_PASS) != ERR_SYNTAX)
                        fail_msg("results %zu", i);
        }
        b->params = good;
        b->params.domain = S("not a name");
        assert_int_equal(arc_bench_seal(b, ARC_PASS), ERR_SYNTAX);
        b->params = good;
        b->params.message.selector = S("a;b");
        assert_int_equal(arc_bench_seal(b, ARC_PASS), ERR_SYNTAX);
        b->params = good;
}

static void test_too_little_room(void **state)
{
        struct arc_bench *b = *state;
        static const uint8_t digest[SHA256_SIZE];
        arc_bench_chain(b, 1);
        arc_chain_read(&b->header, &b->chain);
        b->params.cv = ARC_PASS;
        struct wr w;
        wr_init(&w, b->set, sizeof b->set);
        assert_int_equal(arc_seal(&b->params, &b->header, &b->chain, digest, &w), ERR_OK);
        size_t whole = w.n;
        for (size_t n = 0; n < whole; n++) {
                char *room = malloc(n + 1);
                assert_non_null(room);
                wr_init(&w, room, n);
                assert_int_equal(arc_seal(&b->params, &b->header, &b->chain, digest, &w), ERR_SPACE);
                free(room);
        }
}

#define AR "Authentication-Results: "

static void test_gathering(void **state)
{
        struct arc_bench *b = *state;
        static const struct {
                const char *header, *payload; /* NULL: there is none */
                int cv;                       /* -1: nothing is said of it */
        } cases[] = {
                {"", NULL, -1},
                {AR "other.example; arc=pass\r\n", NULL, -1},
                {AR "me.example.evil; arc=pass\r\n", NULL, -1},
                {AR "me.example; arc=pass\r\n", "me.example;\r\n arc=pass", ARC_PASS},
                {AR "ME.example 1; arc=pass;\r\n", "ME.example;\r\n arc=pass", ARC_PASS},
                {AR "me.example 2; arc=pass;\r\n", NULL, -1},
                {AR "(a;b) me.example (c;d) ; arc=none (x)\r\n", "me.example;\r\n arc=none (x)", ARC_NONE},
                {AR "\"me.example\"; dkim=pass header.d=a\r\n", "\"me.example\";\r\n dkim=pass header.d=a",
                        -1},
                {AR "me.example; none\r\n", "me.example; none", -1},
                {AR "me.example; none\r\n" AR "me.example; spf=fail\r\n", "me.example;\r\n spf=fail", -1},
                {AR "me.example; spf=pass\r\n" AR "x; arc=fail\r\n" AR
                    "me.example; arc=pass;\r\n  dkim=fail\r\n",
                        "me.example;\r\n spf=pass;\r\n arc=pass;\r\n  dkim=fail", ARC_PASS},
                {AR "me.example; arc=pass\r\n" AR "me.example; ARC=pass\r\n",
                        "me.example;\r\n arc=pass;\r\n ARC=pass", ARC_PASS},
                {AR "me.example; arc=pass\r\n" AR "me.example; arc=none\r\n",
                        "me.example;\r\n arc=pass;\r\n arc=none", ARC_FAIL},
                {AR "me.example; arc=none; arc=pass\r\n", "me.example;\r\n arc=none; arc=pass", ARC_FAIL},
                {AR "me.example; arc=passed\r\n", "me.example;\r\n arc=passed", ARC_FAIL},
                {AR "me.example; arc=pass (\r\n", NULL, -1},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                char text[2048];
                struct arc_results r;
                struct wr w;
                wr_init(&w, text, sizeof text);
                arc_bench_load(b, str_of_c(cases[i].header), S(ARC_BENCH_MESSAGE));
                enum err e = arc_results_gather(&b->header, S("me.example"), &w, &r);
                assert_int_equal(e, cases[i].payload ? ERR_OK : ERR_NOT_FOUND);
                if (cases[i].payload && !str_eq(r.payload, str_of_c(cases[i].payload)))
                        fail_msg("%s: %.*s", cases[i].header, STR_ARG(r.payload));
                assert_int_equal(r.has_cv ? (int)r.cv : -1, cases[i].cv);
        }
}

static void test_gathering_room(void **state)
{
        struct arc_bench *b = *state;
        static const char header[] = AR "me.example; spf=pass\r\n" AR "me.example; arc=pass\r\n";
        struct arc_results r;
        struct wr w;
        arc_bench_load(b, str_of_c(header), S(ARC_BENCH_MESSAGE));
        for (size_t n = 0; n <= sizeof header; n++) {
                char *room = malloc(n + 1);
                assert_non_null(room);
                wr_init(&w, room, n);
                enum err e = arc_results_gather(&b->header, S("me.example"), &w, &r);
                assert_int_equal(
                        e, n < sizeof "me.example;\r\n spf=pass;\r\n arc=pass" - 1 ? ERR_SPACE : ERR_OK);
                free(room);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_layout, arc_bench_setup, arc_bench_teardown),
                cmocka_unit_test_setup_teardown(
                        test_status_is_never_better_than_the_chain, arc_bench_setup, arc_bench_teardown),
                cmocka_unit_test_setup_teardown(test_broken_chain, arc_bench_setup, arc_bench_teardown),
                cmocka_unit_test_setup_teardown(test_instance_above_all, arc_bench_setup, arc_bench_teardown),
                cmocka_unit_test_setup_teardown(test_refusals, arc_bench_setup, arc_bench_teardown),
                cmocka_unit_test_setup_teardown(test_too_little_room, arc_bench_setup, arc_bench_teardown),
                cmocka_unit_test_setup_teardown(test_gathering, arc_bench_setup, arc_bench_teardown),
                cmocka_unit_test_setup_teardown(test_gathering_room, arc_bench_setup, arc_bench_teardown),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
