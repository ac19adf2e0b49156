/* SPDX-License-Identifier: ISC */
#include "list/asking.h"

#include <stdio.h>

#include "auth/proof_bench.h"

#define ASKED "ptt-remove-bob=b.test@mailingl.st"
#define FROM "From: ann@author.test\r\n"
#define TO "To: <" ASKED ">\r\n"
#define END "Subject: hi\r\n\r\nHello\r\n"
#define REJECT "_dmarc.author.test\tTXT\tv=DMARC1; p=reject"
#define SPF "author.test\tTXT\tv=spf1 ip4:" PROOF_BENCH_IP " -all"

struct asked {
        const char *name, *header, *signer,
                *front; /* the last: put in front of the signed message on its way */
        const char *record;
        bool is_bare; /* From alone is signed */
        enum asking asking;
};

static const struct asked cases[] = {
        {"written to this address", FROM TO, "author.test", "", REJECT, false, ASKING_BY_SIGNATURE},
        {"in Cc", FROM "To: c@d.test\r\nCc: Bob <x@y.test>, " ASKED "\r\n", "author.test", "", REJECT, false,
                ASKING_BY_SIGNATURE},
        {"in another case, in quotes", FROM "To: \"PTT-remove-bob=b.test\"@MAILINGL.ST\r\n", "author.test",
                "", REJECT, false, ASKING_BY_SIGNATURE},
        {"by a domain below", FROM TO, "m.author.test", "", REJECT, false, ASKING_BY_SIGNATURE},
        {"without a policy", FROM TO, "author.test", "", "x.test\tTXT\tx", false, ASKING_BY_SIGNATURE},
        {"a copy of a post", FROM "To: ptt@mailingl.st\r\n", "author.test", "", REJECT, false,
                ASKING_ELSEWHERE},
        {"a copy of a post, with SPF", FROM "To: ptt@mailingl.st\r\n", "author.test", "", SPF, false,
                ASKING_BY_WAY},
        {"a copy without To", FROM, "author.test", "", REJECT, false, ASKING_ELSEWHERE},
        {"another To put in front", FROM "To: ptt@mailingl.st\r\n", "author.test", "Cc: " ASKED "\r\n",
                REJECT, true, ASKING_ELSEWHERE},
        {"To is not signed", FROM TO, "author.test", "", REJECT, true, ASKING_ELSEWHERE},
        {"the name, not the address", FROM "To: \"" ASKED "\" <ptt@mailingl.st>\r\n", "author.test", "",
                REJECT, false, ASKING_ELSEWHERE},
        {"a stranger's signature", FROM TO, "else.test", "", REJECT, false, ASKING_UNPROVEN},
        {"SPF alone", FROM TO, NULL, "", SPF, false, ASKING_BY_WAY},
        {"nothing", FROM TO, NULL, "", REJECT, false, ASKING_UNPROVEN},
        {"two authors of one domain", "From: ann@author.test, bob@author.test\r\n" TO, "author.test", "",
                REJECT, false, ASKING_SEVERAL},
};

static const struct evaluate *judged(struct proof_bench *b, const struct asked *c)
{
        static const struct dkim_cover bare[] = {{{"From", 4}, false}};
        char text[1000];
        (void)snprintf(text, sizeof text, "%s" END, c->header);
        b->dns.count = 0;
        fake_dns_add(&b->dns, str_of_c(c->record));
        proof_bench_load(b, S(""), str_of_c(text));
        if (c->signer && c->is_bare)
                proof_bench_sign(b, str_of_c(c->signer), bare, 1, 0);
        else if (c->signer)
                proof_bench_sign_as_author(b, str_of_c(c->signer));
        proof_bench_load(b, str_of_c(c->front), proof_bench_text(b));
        return proof_bench_judge(b, S("x@author.test"));
}

/* What somebody signed once, for others, is no request of theirs when it is sent to a route. */
static void test_copies_of_signed_mail_are_not_obeyed(void **state)
{
        struct proof_bench *b = *state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                const struct evaluate *e = judged(b, &cases[i]);
                enum asking asking = asking_of(e, &b->header, S(ASKED));
                evaluate_drop(&b->evaluate);
                if (asking != cases[i].asking)
                        fail_msg("%s: %d", cases[i].name, (int)asking);
        }
}

/* A second To, when the signature covers one: it could have come since. */
static void test_two_fields_are_not_believed(void **state)
{
        static const struct dkim_cover one_to[] = {{{"From", 4}, false}, {{"To", 2}, false}};
        struct proof_bench *b = *state;
        b->dns.count = 0;
        fake_dns_add(&b->dns, S(REJECT));
        proof_bench_load(b, S(""), S(FROM "To: ptt@mailingl.st\r\n" END));
        proof_bench_sign(b, S("author.test"), one_to, 2, 0);
        proof_bench_load(b, S(TO), proof_bench_text(b));
        const struct evaluate *e = proof_bench_judge(b, S("x@else.test"));
        assert_int_equal(e->out.dmarc.result, DMARC_PASS);
        assert_int_equal(asking_of(e, &b->header, S(ASKED)), ASKING_ELSEWHERE);
        evaluate_drop(&b->evaluate);
}

/* Text can be put behind what l= covers (RFC 6376 8.2). */
static void test_the_whole_body_is_signed(void **state)
{
        struct proof_bench *b = *state;
        const struct evaluate *e = judged(b, &cases[0]);
        b->evaluate.dkim.list[0].signature.body_limit = 5;
        assert_int_equal(asking_of(e, &b->header, S(ASKED)), ASKING_ELSEWHERE);
        b->evaluate.dkim.list[0].signature.body_limit = BODY_HASH_ALL;
        assert_int_equal(asking_of(e, &b->header, S(ASKED)), ASKING_BY_SIGNATURE);
        assert_int_equal(asking_of(e, &b->header, S("")), ASKING_ELSEWHERE);
        evaluate_drop(&b->evaluate);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(
                        test_copies_of_signed_mail_are_not_obeyed, proof_bench_setup, proof_bench_teardown),
                cmocka_unit_test_setup_teardown(
                        test_two_fields_are_not_believed, proof_bench_setup, proof_bench_teardown),
                cmocka_unit_test_setup_teardown(
                        test_the_whole_body_is_signed, proof_bench_setup, proof_bench_teardown),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
