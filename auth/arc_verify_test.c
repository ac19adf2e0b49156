/* SPDX-License-Identifier: ISC */
#include "auth/arc_verify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "auth/arc_bench.h"

static void expect(const struct arc_verdict *v, enum arc_fault fault, size_t instance, const char *name)
{
        char text[ARC_REASON_MAX];
        struct wr w;
        wr_init(&w, text, sizeof text);
        arc_reason_write(&w, v);
        assert_int_equal(wr_end(&w), ERR_OK);
        if (v->cv != (fault == ARC_OK ? ARC_PASS : ARC_FAIL) || v->fault != fault || v->instance != instance)
                fail_msg("%s: %.*s (%zu)", name, STR_ARG(wr_text(&w)), v->instance);
}

static void test_no_chain(void **state)
{
        struct arc_bench *b = *state;
        arc_bench_chain(b, 0);
        struct arc_verdict v = arc_bench_judge(b);
        assert_int_equal(v.cv, ARC_NONE);
        assert_int_equal(v.count, 0);
        arc_bench_load(b, S(""), S(""));
        assert_int_equal(arc_bench_judge(b).cv, ARC_NONE);
}

static void test_chains_of_every_length(void **state)
{
        struct arc_bench *b = *state;
        arc_bench_chain(b, 0);
        for (size_t i = 1; i <= ARC_SETS_MAX; i++) {
                assert_int_equal(arc_bench_seal(b, i == 1 ? ARC_NONE : ARC_PASS), ERR_OK);
                struct arc_verdict v = arc_bench_judge(b);
                expect(&v, ARC_OK, 0, "whole");
                assert_int_equal(v.count, i);
                assert_int_equal(b->verify.count, i + 1);
        }
        assert_int_equal(arc_bench_seal(b, ARC_PASS), ERR_LIMIT);
}

static void test_body_in_pieces(void **state)
{
        struct arc_bench *b = *state;
        struct str record = str_of(b->record, b->record_n);
        struct dkim_key key;
        arc_bench_chain(b, 2);
        dkim_key_from_records(&record, 1, &key);
        for (uint32_t cut = 1; cut <= 200; cut++) {
                struct arc_verdict v = arc_bench_judge_with(b, &key, cut);
                expect(&v, ARC_OK, 0, "pieces");
        }
        dkim_key_drop(&key);
}

/* What happens to a chain of two: the text `from` becomes `to`, at its last place where `last`. */
struct edit {
        const char *name, *from, *to;
        bool last;
        enum arc_fault fault;
        size_t instance;
};

static const struct edit edits[] = {
        {"nothing", "", "", false, ARC_OK, 0},
        {"field name case", "ARC-Seal", "aRC-sEAL", false, ARC_OK, 0},
        {"a covered field", "b@example.org", "c@example.org", false, ARC_MESSAGE_SIGNATURE, 2},
        {"body", "Hello", "Hallo", false, ARC_MESSAGE_SIGNATURE, 2},
        {"covered DKIM-Signature", "DKIM-Signature: x", "DKIM-Signature: y", false, ARC_MESSAGE_SIGNATURE, 2},
        {"results of set 2", "i=2; example.org", "i=2; example.com", false, ARC_SEAL, 2},
        {"results of set 1", "i=1; example.org", "i=1; example.com", false, ARC_SEAL, 2},
        {"no newest seal", "ARC-Seal", "X-Seal", false, ARC_INCOMPLETE, 2},
        {"no oldest seal", "ARC-Seal", "X-Seal", true, ARC_INCOMPLETE, 1},
        {"no newest signature", "ARC-Message-Signature", "X", false, ARC_INCOMPLETE, 2},
        {"no oldest signature", "ARC-Message-Signature", "X", true, ARC_INCOMPLETE, 1},
        {"no newest results", "ARC-Authentication-Results", "X", false, ARC_INCOMPLETE, 2},
        {"no oldest results", "ARC-Authentication-Results", "X", true, ARC_INCOMPLETE, 1},
        {"results without instance", "Results: i=1;", "Results:", false, ARC_INSTANCE, 0},
        {"results with instance behind", "Results: i=1; ", "Results: x; i=1; ", false, ARC_INSTANCE, 0},
        {"results without semicolon", "Results: i=1;", "Results: i=1", false, ARC_INSTANCE, 0},
        {"results I=", "Results: i=1;", "Results: I=1;", false, ARC_INSTANCE, 0},
        {"results in another set", "Results: i=1;", "Results: i=2;", false, ARC_INCOMPLETE, 1},
        {"results i=0", "Results: i=1;", "Results: i=0;", false, ARC_INSTANCE, 0},
        {"results i=51", "Results: i=1;", "Results: i=51;", false, ARC_INSTANCE, 0},
        {"results i=-1", "Results: i=1;", "Results: i=-1;", false, ARC_INSTANCE, 0},
        {"results i=1000...", "Results: i=1;", "Results: i=99999999999999999999999;", false, ARC_INSTANCE, 0},
        {"seal i=", " i=1;", " i=;", true, ARC_INSTANCE, 0},
        {"a gap", "i=2;", "i=3;", false, ARC_INCOMPLETE, 2},
        {"cv=fail at the end", "cv=pass", "cv=fail", false, ARC_ENDED, 2},
        {"cv=none in the middle", "cv=pass", "cv=none", false, ARC_STATUS, 2},
        {"cv=pass at the start", "cv=none", "cv=pass", false, ARC_STATUS, 1},
        {"cv=fail at the start", "cv=none", "cv=fail", false, ARC_STATUS, 1},
        {"cv=what", "cv=pass", "cv=what", false, ARC_STATUS, 2},
        {"no cv", " cv=pass;", "", false, ARC_SEAL, 2},
        {"h= in a seal", " cv=pass;", " cv=pass; h=from;", false, ARC_SEAL, 2},
        {"h= in the oldest seal", " cv=none;", " cv=none; h=;", false, ARC_SEAL, 1},
        {"a tag twice", " cv=pass;", " cv=pass; cv=pass;", false, ARC_INSTANCE, 0},
        {"an unknown tag, unsigned", " cv=pass;", " cv=pass; zz=1;", false, ARC_SEAL, 2},
        {"arc-seal covered", "h=from", "h=arc-seal:from", false, ARC_MESSAGE_SIGNATURE, 2},
        {"rsa-sha1", "a=ed25519-sha256", "a=rsa-sha1", false, ARC_SEAL, 2},
        {"signature of a key of another kind", "a=ed25519-sha256", "a=rsa-sha256", false, ARC_SEAL, 2},
};

static void change(struct arc_bench *b, const struct edit *e)
{
        struct str text = arc_bench_text(b), from = str_of_c(e->from), to = str_of_c(e->to);
        size_t at = str_find(text, from);
        while (e->last && str_find(str_skip(text, at + 1), from) < text.n - at - 1)
                at += 1 + str_find(str_skip(text, at + 1), from);
        assert_true(at < text.n);
        char *front = malloc(at + to.n + 1);
        assert_non_null(front);
        memcpy(front, text.p, at);
        memcpy(front + at, to.p, to.n);
        arc_bench_load(b, str_of(front, at + to.n), str_skip(text, at + from.n));
        free(front);
}

static void test_edits(void **state)
{
        struct arc_bench *b = *state;
        for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
                arc_bench_chain(b, 2);
                change(b, &edits[i]);
                struct arc_verdict v = arc_bench_judge(b);
                expect(&v, edits[i].fault, edits[i].instance, edits[i].name);
        }
}

static void test_duplicates(void **state)
{
        struct arc_bench *b = *state;
        for (int i = 0; i < ARC_FIELDS; i++) {
                arc_bench_chain(b, 2);
                const struct mail_field *f = mail_header_first(&b->header, arc_field_name((enum arc_field)i));
                assert_non_null(f);
                arc_bench_load(b, f->raw, arc_bench_text(b));
                struct arc_verdict v = arc_bench_judge(b);
                expect(&v, ARC_TWICE, 2, "twice");
                assert_true(str_eq(v.detail, arc_field_name((enum arc_field)i)));
        }
}

/* Changes that an older message signature does not survive, and the chain does: only the newest one counts. */
static void test_older_signatures_may_break(void **state)
{
        struct arc_bench *b = *state;
        struct edit e = {.from = "Hello", .to = "Footer: Hello"};
        arc_bench_chain(b, 1);
        change(b, &e);
        assert_int_equal(arc_bench_judge(b).cv, ARC_FAIL);
        assert_int_equal(arc_bench_seal(b, ARC_PASS), ERR_OK);
        struct arc_verdict v = arc_bench_judge(b);
        expect(&v, ARC_OK, 0, "sealed after the change");
}

static void test_no_prefix_passes(void **state)
{
        struct arc_bench *b = *state;
        arc_bench_chain(b, 2);
        struct str whole = arc_bench_text(b);
        char *copy = malloc(whole.n);
        assert_non_null(copy);
        memcpy(copy, whole.p, whole.n);
        for (size_t n = 0; n + 2 < whole.n; n++) {
                arc_bench_load(b, S(""), str_of(copy, n));
                if (arc_bench_judge(b).cv == ARC_PASS)
                        fail_msg("%zu bytes of %zu pass", n, whole.n);
        }
        free(copy);
}

/* Each byte of the sets counts, but for those that relaxed form does not see. */
static void test_no_flipped_byte_passes(void **state)
{
        struct arc_bench *b = *state;
        arc_bench_chain(b, 2);
        size_t sets = str_find(arc_bench_text(b), S("From:"));
        for (size_t i = 0; i < sets; i++) {
                char was = b->message[i];
                if (was == '\r' || was == '\n')
                        continue;
                b->message[i] = (char)(was ^ 1);
                assert_int_equal(
                        mail_header_index(arc_bench_text(b), b->fields, MAIL_FIELDS_MAX, &b->header), ERR_OK);
                if (arc_bench_judge(b).cv == ARC_PASS)
                        fail_msg("byte %zu of %zu (%c) does not count", i, sets, was);
                b->message[i] = was;
        }
}

static void test_keys(void **state)
{
        struct arc_bench *b = *state;
        char text[ARC_REASON_MAX];
        struct dkim_key key;
        struct wr w;
        arc_bench_chain(b, 2);
        dkim_key_from_records(NULL, 0, &key);
        struct arc_verdict v = arc_bench_judge_with(b, &key, 0);
        expect(&v, ARC_MESSAGE_SIGNATURE, 2, "no key");
        assert_int_equal(v.dkim, DKIM_KEY_NONE);
        assert_false(v.is_temporary);
        wr_init(&w, text, sizeof text);
        arc_reason_write(&w, &v);
        assert_true(str_eq(
                wr_text(&w), S("set 2, ARC-Message-Signature of example.org: there is no key record (TXT) "
                               "in DNS: sig._domainkey.example.org")));
        dkim_key_from_trouble(&key);
        v = arc_bench_judge_with(b, &key, 0);
        assert_int_equal(v.dkim, DKIM_KEY_TROUBLE);
        assert_true(v.is_temporary);
}

static void test_questions(void **state)
{
        struct arc_bench *b = *state;
        static const char *const names[] = {
                "sig._domainkey.example.org", "seal._domainkey.example.org", "old._domainkey.example.org"};
        arc_bench_load(b, S(""), S(ARC_BENCH_MESSAGE));
        b->params.seal.selector = S("old");
        assert_int_equal(arc_bench_seal(b, ARC_NONE), ERR_OK);
        b->params.seal.selector = S("seal");
        assert_int_equal(arc_bench_seal(b, ARC_PASS), ERR_OK);
        arc_bench_judge(b);
        assert_int_equal(b->verify.count, 3);
        for (size_t i = 0; i < 3; i++) {
                char text[DNS_NAME_MAX];
                struct wr w;
                wr_init(&w, text, sizeof text);
                assert_int_equal(arc_verify_question(&b->verify, i, &w), ERR_OK);
                assert_true(str_eq(wr_text(&w), str_of_c(names[i])));
                assert_int_equal(arc_verify_instance(&b->verify, i), i < 2 ? 2 : 1);
        }
}

static void test_times(void **state)
{
        struct arc_bench *b = *state;
        static const struct {
                int64_t time_s, expiry_s;
                enum dkim_fault fault;
        } cases[] = {{ARC_BENCH_NOW - 60, ARC_BENCH_NOW + 1, DKIM_OK}, {0, 0, DKIM_OK},
                {ARC_BENCH_NOW - 60, ARC_BENCH_NOW - 1, DKIM_PAST},
                {ARC_BENCH_NOW + DKIM_FUTURE_S + 1, 0, DKIM_FUTURE}};
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                b->params.time_s = cases[i].time_s;
                b->params.expiry_s = cases[i].expiry_s;
                arc_bench_chain(b, 1);
                struct arc_verdict v = arc_bench_judge(b);
                assert_int_equal(v.cv, cases[i].fault == DKIM_OK ? ARC_PASS : ARC_FAIL);
                assert_int_equal(v.dkim, cases[i].fault);
        }
}

/* Sets numbered 1 to 60, and 1000 seals of one number: a verdict without a question or a signature checked. */
static void test_floods(void **state)
{
        struct arc_bench *b = *state;
        char text[MAIL_HEADER_MAX];
        for (int flood = 0; flood < 2; flood++) {
                struct wr w;
                wr_init(&w, text, sizeof text);
                for (size_t i = 1; i <= (flood ? MAIL_FIELDS_MAX : 60); i++)
                        for (int k = flood ? ARC_FIELD_SEAL : 0; k < ARC_FIELDS; k++) {
                                wr_str(&w, arc_field_name((enum arc_field)k));
                                wr_str(&w, S(": i="));
                                wr_u64(&w, flood ? 1 : i);
                                wr_str(&w, S("; a=ed25519-sha256; cv=pass; d=example.org; s=s; h=from; bh=x; "
                                             "b=y\r\n"));
                        }
                assert_int_equal(wr_end(&w), ERR_OK);
                arc_bench_load(b, wr_text(&w), S(""));
                struct arc_verdict v = arc_bench_judge(b);
                assert_int_equal(v.cv, ARC_FAIL);
                assert_int_equal(v.count, flood ? 1 : ARC_SETS_MAX);
                assert_int_equal(b->verify.count, 0);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_no_chain, arc_bench_setup, arc_bench_teardown),
                cmocka_unit_test_setup_teardown(
                        test_chains_of_every_length, arc_bench_setup, arc_bench_teardown),
                cmocka_unit_test_setup_teardown(test_body_in_pieces, arc_bench_setup, arc_bench_teardown),
                cmocka_unit_test_setup_teardown(test_edits, arc_bench_setup, arc_bench_teardown),
                cmocka_unit_test_setup_teardown(test_duplicates, arc_bench_setup, arc_bench_teardown),
                cmocka_unit_test_setup_teardown(
                        test_older_signatures_may_break, arc_bench_setup, arc_bench_teardown),
                cmocka_unit_test_setup_teardown(test_no_prefix_passes, arc_bench_setup, arc_bench_teardown),
                cmocka_unit_test_setup_teardown(
                        test_no_flipped_byte_passes, arc_bench_setup, arc_bench_teardown),
                cmocka_unit_test_setup_teardown(test_keys, arc_bench_setup, arc_bench_teardown),
                cmocka_unit_test_setup_teardown(test_questions, arc_bench_setup, arc_bench_teardown),
                cmocka_unit_test_setup_teardown(test_times, arc_bench_setup, arc_bench_teardown),
                cmocka_unit_test_setup_teardown(test_floods, arc_bench_setup, arc_bench_teardown),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
