/* SPDX-License-Identifier: ISC */
#include "auth/proof.h"

#include <stdio.h>

#include "auth/proof_bench.h"

#define MESSAGE "From: a@author.test\r\nTo: b@list.test\r\nSubject: hi\r\n\r\nHello\r\n"
#define REJECT "_dmarc.author.test\tTXT\tv=DMARC1; p=reject"

/* Does the proof hold on the message with `front` in front and `was` made `is`? */
static bool holds_on(struct proof_bench *b, struct str front, struct str was, struct str is, int64_t until_s)
{
        static struct mail_field fields[MAIL_FIELDS_MAX];
        static struct dkim_verify room;
        static char text[65536];
        struct mail_header header;
        struct str message = proof_bench_text(b);
        size_t at = str_find(message, was);
        struct wr w;
        wr_init(&w, text, sizeof text);
        wr_str(&w, front);
        wr_str(&w, str_take(message, at));
        wr_str(&w, at < message.n ? is : S(""));
        wr_str(&w, str_skip(message, at + was.n));
        assert_int_equal(wr_end(&w), ERR_OK);
        assert_int_equal(mail_header_index(wr_text(&w), fields, MAIL_FIELDS_MAX, &header), ERR_OK);
        return proof_holds(&room, &b->evaluate, &b->keys, &header, until_s);
}

static void test_header(void **state)
{
        static const struct {
                const char *name, *front, *was, *is;
                bool holds;
        } cases[] = {
                {"as it came", "", "?", "", true},
                {"fields in front that are not covered",
                        "Received: x\r\nX-Any: y\r\nList-Id: <l.list.test>\r\n", "?", "", true},
                {"a field in front that is oversigned", "Subject: other\r\n", "?", "", false},
                {"another subject", "", "Subject: hi", "Subject: ho", false},
                {"a relaxed change", "", "Subject: hi", "subject:   hi", true},
                {"another author", "", "a@author.test\r\n", "b@author.test\r\n", false},
                {"the signature left out", "", "DKIM-Signature:", "X-Signature:", false},
                {"one more signature", "DKIM-Signature: v=1\r\n", "?", "", false},
                {"another signature in its place", "", "b=", "b=AAAA", false},
                {"a signature that wants another digest", "", "c=relaxed/simple", "c=relaxed/relaxed", false},
        };
        struct proof_bench *b = *state;
        fake_dns_add(&b->dns, S(REJECT));
        proof_bench_load(b, S(""), S(MESSAGE));
        proof_bench_sign_as_author(b, S("author.test"));
        assert_int_equal(proof_bench_judge(b, S("x@else.test"))->out.dmarc.result, DMARC_PASS);
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                bool holds = holds_on(b, str_of_c(cases[i].front), str_of_c(cases[i].was),
                        str_of_c(cases[i].is), PROOF_BENCH_NOW);
                if (holds != cases[i].holds)
                        fail_msg("%s: %d", cases[i].name, holds);
        }
}

static void test_alignment(void **state)
{
        static const struct {
                const char *name, *record, *signer;
                bool holds;
        } cases[] = {
                {"the author's domain", REJECT, "author.test", true},
                {"one below", REJECT, "mail.author.test", true},
                {"one below, strictly", "_dmarc.author.test\tTXT\tv=DMARC1; p=reject; adkim=s",
                        "mail.author.test", false},
                {"the same, strictly", "_dmarc.author.test\tTXT\tv=DMARC1; p=reject; adkim=s", "author.test",
                        true},
                {"another", REJECT, "else.test", false},
                {"no policy", "x.test\tTXT\tx", "author.test", true},
                {"no policy, one below", "x.test\tTXT\tx", "mail.author.test", false},
                {"no answer about the policy", "_dmarc.author.test\tTROUBLE\tTXT", "author.test", true},
                {"no answer about the policy, one below", "_dmarc.author.test\tTROUBLE\tTXT",
                        "mail.author.test", false},
        };
        struct proof_bench *b = *state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                b->dns.count = 0;
                fake_dns_add(&b->dns, str_of_c(cases[i].record));
                proof_bench_load(b, S(""), S(MESSAGE));
                proof_bench_sign_as_author(b, str_of_c(cases[i].signer));
                (void)proof_bench_judge(b, S("x@author.test"));
                if (holds_on(b, S(""), S("?"), S(""), PROOF_BENCH_NOW) != cases[i].holds)
                        fail_msg("%s", cases[i].name);
        }
}

/* SPF passes for the author at arrival, but not for those whom the list sends to. */
static void test_spf_is_no_proof(void **state)
{
        struct proof_bench *b = *state;
        b->dns.count = 0;
        fake_dns_add(&b->dns, S(REJECT));
        fake_dns_add(&b->dns, S("author.test\tTXT\tv=spf1 ip4:" PROOF_BENCH_IP " -all"));
        proof_bench_load(b, S(""), S(MESSAGE));
        assert_int_equal(proof_bench_judge(b, S("a@author.test"))->out.dmarc.result, DMARC_PASS);
        assert_false(holds_on(b, S(""), S("?"), S(""), PROOF_BENCH_NOW));
        proof_bench_load(b, S("DKIM-Signature: v=1\r\n"), S(MESSAGE));
        assert_int_equal(proof_bench_judge(b, S("a@author.test"))->out.dmarc.result, DMARC_PASS);
        assert_false(holds_on(b, S(""), S("?"), S(""), PROOF_BENCH_NOW));
}

static void test_what_passed_not_at_arrival_never_does(void **state)
{
        struct proof_bench *b = *state;
        b->dns.count = 0;
        fake_dns_add(&b->dns, S(REJECT));
        proof_bench_load(b, S(""), S(MESSAGE));
        proof_bench_sign_as_author(b, S("author.test"));
        b->message[b->message_n - 3] ^= 1;
        assert_int_equal(proof_bench_judge(b, S("x@else.test"))->out.dmarc.result, DMARC_FAIL);
        b->message[b->message_n - 3] ^= 1;
        assert_false(holds_on(b, S(""), S("?"), S(""), PROOF_BENCH_NOW));
}

static void test_key_in_testing(void **state)
{
        char text[600];
        struct wr w;
        struct proof_bench *b = *state;
        b->dns.count = 0;
        fake_dns_add(&b->dns, S(REJECT));
        proof_bench_load(b, S(""), S(MESSAGE));
        proof_bench_sign_as_author(b, S("author.test"));
        wr_init(&w, text, sizeof text);
        wr_str(&w, str_of(b->record, b->record_n));
        wr_str(&w, S("; t=y"));
        b->dns.records[1].value.text = wr_text(&w);
        (void)proof_bench_judge(b, S("x@else.test"));
        assert_false(holds_on(b, S(""), S("?"), S(""), PROOF_BENCH_NOW));
}

static void test_end_of_the_signature(void **state)
{
        struct proof_bench *b = *state;
        b->dns.count = 0;
        fake_dns_add(&b->dns, S(REJECT));
        proof_bench_load(b, S(""), S(MESSAGE));
        proof_bench_sign(
                b, S("author.test"), dkim_cover_author, dkim_cover_author_count, PROOF_BENCH_NOW + 100);
        (void)proof_bench_judge(b, S("x@else.test"));
        assert_true(holds_on(b, S(""), S("?"), S(""), PROOF_BENCH_NOW + 99));
        assert_false(holds_on(b, S(""), S("?"), S(""), PROOF_BENCH_NOW + 101));
}

/* One that broke and one that did not. */
static void test_two_signatures(void **state)
{
        static const struct dkim_cover few[] = {{{"Date", 4}, true}};
        struct proof_bench *b = *state;
        b->dns.count = 0;
        fake_dns_add(&b->dns, S(REJECT));
        proof_bench_load(b, S(""), S(MESSAGE));
        proof_bench_sign(b, S("author.test"), few, 1, 0);
        proof_bench_sign_as_author(b, S("author.test"));
        (void)proof_bench_judge(b, S("x@else.test"));
        assert_true(holds_on(b, S(""), S("Subject: hi"), S("Subject: ho"), PROOF_BENCH_NOW));
        assert_false(holds_on(b, S("From: c@author.test\r\n"), S("?"), S(""), PROOF_BENCH_NOW));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_header),
                cmocka_unit_test(test_alignment),
                cmocka_unit_test(test_spf_is_no_proof),
                cmocka_unit_test(test_what_passed_not_at_arrival_never_does),
                cmocka_unit_test(test_key_in_testing),
                cmocka_unit_test(test_end_of_the_signature),
                cmocka_unit_test(test_two_signatures),
        };
        return cmocka_run_group_tests(tests, proof_bench_setup, proof_bench_teardown);
}
