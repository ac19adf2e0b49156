/* SPDX-License-Identifier: ISC */
#include "list/rewrite.h"

#include "list/rewrite_rig.h"

/* ---- the default ---- */

static void test_default_changes_nothing(void **state)
{
        struct proof_bench *b = *state;
        char want[4096];
        b->dns.count = 0;
        set(NULL);
        fake_dns_add(&b->dns, S(REJECT));
        proof_bench_load(b, S(""), S(MESSAGE));
        proof_bench_sign_as_author(b, S("author.test"));
        (void)proof_bench_judge(b, S("x@else.test"));
        assert_int_equal(make(b, false, PROOF_BENCH_NOW), ERR_OK);
        assert_int_equal(rewrite.from, REWRITE_KEPT_BY_PROOF);
        struct str header = str_take(proof_bench_text(b), b->header.body_at);
        (void)snprintf(want, sizeof want, LIST_FIELDS PRECEDENCE SENDER "%.*s", STR_ARG(header));
        expect("head", rewrite.head, want);
        assert_int_equal(rewrite.tail.n, 0);
}

static void test_list_fields(void **state)
{
        static const struct {
                const char *name, *settings, *want;
        } cases[] = {
                {"default", NULL, LIST_FIELDS PRECEDENCE SENDER},
                {"announce", "posting announce",
                        "List-Id: <ptt.mailingl.st>\r\nList-Post: NO\r\n"
                        "List-Help: <mailto:ptt-help@mailingl.st>\r\n"
                        "List-Subscribe: <mailto:ptt-subscribe@mailingl.st>\r\n"
                        "List-Unsubscribe: <mailto:ptt-unsubscribe@mailingl.st>\r\n"
                        "List-Owner: <mailto:ptt-owner@mailingl.st>\r\n" PRECEDENCE SENDER},
                {"description", "description The place: to talk",
                        "List-Id: \"The place: to talk\" <ptt.mailingl.st>\r\n"},
                {"description beyond ASCII", "description Caf\xc3\xa9",
                        "List-Id: =?utf-8?q?Caf=C3=A9?= <ptt.mailingl.st>\r\n"},
        };
        struct proof_bench *b = *state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                make_plain(b, cases[i].settings, MESSAGE);
                expect(cases[i].name, str_take(rewrite.head, str_of_c(cases[i].want).n), cases[i].want);
        }
}

static void test_fields_that_go(void **state)
{
        static const struct {
                const char *name, *fields, *want;
        } cases[] = {
                {"nothing", "X-A: 1\r\nAuthor: x@y.test\r\n", "X-A: 1\r\nAuthor: x@y.test\r\n"},
                {"another list's",
                        "List-Id: <a.b>\r\nX-A: 1\r\nlist-post: NO\r\nLIST-Unsubscribe-Post: "
                        "x\r\nList-Archive: y\r\n",
                        "X-A: 1\r\n"},
                {"forged results",
                        "Authentication-Results: mailingl.st; dmarc=pass\r\nAuthentication-Results: "
                        "MAILINGL.ST 1; x\r\n"
                        "Authentication-Results: other.test; none\r\n",
                        "Authentication-Results: other.test; none\r\n"},
                {"what members' programs would do",
                        "Bcc: a@b.test\r\nDisposition-Notification-To: x@y.test\r\nReturn-Receipt-To:\r\n "
                        "x@y.test\r\n"
                        "Errors-To: x@y.test\r\nApproved: secret\r\nX-Approved: secret\r\nReturn-Path: "
                        "<a@b.test>\r\n",
                        ""},
                {"signatures and seals stay",
                        "DKIM-Signature: x\r\nARC-Seal: y\r\nARC-Message-Signature: z\r\n",
                        "DKIM-Signature: x\r\nARC-Seal: y\r\nARC-Message-Signature: z\r\n"},
                {"another Precedence", "Precedence: bulk\r\n", ""},
        };
        struct proof_bench *b = *state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                char message[1024], want[2048];
                (void)snprintf(message, sizeof message, "%sFrom: joe@author.test\r\n\r\n", cases[i].fields);
                (void)snprintf(want, sizeof want,
                        LIST_FIELDS PRECEDENCE SENDER "%sFrom: joe@author.test\r\n\r\n", cases[i].want);
                make_plain(b, NULL, message);
                expect(cases[i].name, rewrite.head, want);
                assert_int_equal(rewrite.forged, strcmp(cases[i].name, "forged results") == 0 ? 2 : 0);
        }
        make_plain(b, NULL, "From: joe@author.test\r\nprecedence:  List \r\n\r\n");
        expect("Precedence as ours", rewrite.head,
                LIST_FIELDS SENDER "From: joe@author.test\r\nprecedence:  List \r\n\r\n");
}

static void test_sender(void **state)
{
        static const struct dkim_cover covers[][2] = {{{{"To", 2}, true}, {{"X", 1}, true}},
                {{{"To", 2}, true}, {{"Sender", 6}, false}}, {{{"To", 2}, true}, {{"Sender", 6}, true}},
                {{{"To", 2}, true}, {{"Precedence", 10}, true}}};
        static const struct {
                const char *name, *field, *chosen;
                size_t cover;
                const char *sender, *precedence;
        } cases[] = {
                {"none", "", NULL, 0, SENDER, PRECEDENCE},
                {"the author's, not covered", "Sender: x@author.test\r\nPrecedence: bulk\r\n", NULL, 0,
                        SENDER, PRECEDENCE},
                {"none, covered as such", "", NULL, 2, "", PRECEDENCE},
                {"the author's, covered", "Sender: x@author.test\r\n", NULL, 1, "Sender: x@author.test\r\n",
                        PRECEDENCE},
                {"the author's, oversigned", "Sender: x@author.test\r\n", NULL, 2,
                        "Sender: x@author.test\r\n", PRECEDENCE},
                {"covered, From rewritten", "Sender: x@author.test\r\n", "from rewrite", 2, "", PRECEDENCE},
                {"none, From rewritten", "", "from rewrite", 0, SENDER, PRECEDENCE},
                {"not covered, From rewritten", "Sender: x@author.test\r\n", "from rewrite", 0, SENDER,
                        PRECEDENCE},
                {"Precedence, covered", "Precedence: bulk\r\n", NULL, 3, SENDER, "Precedence: bulk\r\n"},
                {"no Precedence, covered as such", "", NULL, 3, SENDER, ""},
        };
        struct proof_bench *b = *state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                b->dns.count = 0;
                fake_dns_add(&b->dns, S(REJECT));
                set(cases[i].chosen);
                proof_bench_load(b, str_of_c(cases[i].field), S(MESSAGE));
                proof_bench_sign(b, S("author.test"), covers[cases[i].cover], 2, 0);
                (void)proof_bench_judge(b, S("x@else.test"));
                assert_int_equal(make(b, false, PROOF_BENCH_NOW), ERR_OK);
                expect(cases[i].name, fields_of(S("Sender")), cases[i].sender);
                expect(cases[i].name, fields_of(S("Precedence")), cases[i].precedence);
                assert_int_equal(
                        rewrite.from, cases[i].chosen ? REWRITE_DONE_BY_SETTING : REWRITE_KEPT_BY_PROOF);
        }
}

/* ---- prove, then rewrite ---- */

static void test_from_stays_or_not(void **state)
{
        enum cover { NOBODY, AUTHOR, LISTS }; /* who signs: nobody, as authors do, List- fields oversigned */
        static const struct {
                const char *name, *policy, *settings;
                enum cover cover;
                bool is_ours;
                const char *want;
        } cases[] = {
                {"signed, reject", REJECT, NULL, AUTHOR, false, "proven"},
                {"signed, quarantine", QUARANTINE, NULL, AUTHOR, false, "proven"},
                {"signed, p=none", MONITOR, NULL, AUTHOR, false, "proven"},
                {"signed, no policy", NO_POLICY, NULL, AUTHOR, false, "no-policy"},
                {"SPF alone, reject", REJECT, NULL, NOBODY, false, "rewritten-no-proof"},
                {"SPF alone, p=none", MONITOR, NULL, NOBODY, false, "rewritten-no-proof"},
                {"SPF alone, no policy", NO_POLICY, NULL, NOBODY, false, "no-policy"},
                {"SPF alone, ours", REJECT, NULL, NOBODY, true, "ours"},
                {"no answer about the policy, signed", "_dmarc.author.test\tTROUBLE\tTXT", NULL, AUTHOR,
                        false, "proven"},
                {"no answer about the policy, SPF alone", "_dmarc.author.test\tTROUBLE\tTXT", NULL, NOBODY,
                        false, "rewritten-no-proof"},
                {"a signature that forbids our fields", REJECT, NULL, LISTS, false, "rewritten-no-proof"},
                {"the same, kept", REJECT, "from keep", LISTS, false, "kept"},
                {"signed, rewritten always", REJECT, "from rewrite", AUTHOR, false, "rewritten"},
                {"ours, rewritten always", REJECT, "from rewrite", AUTHOR, true, "rewritten"},
                {"prefix, reject", REJECT, "subject-prefix [ptt]", AUTHOR, false, "rewritten-no-proof"},
                {"prefix, p=none", MONITOR, "subject-prefix [ptt]", AUTHOR, false, "rewritten-no-proof"},
                {"prefix, no policy", NO_POLICY, "subject-prefix [ptt]", AUTHOR, false, "no-policy"},
                {"prefix that is there", REJECT, "subject-prefix HI", AUTHOR, false, "proven"},
                {"footer, reject", REJECT, "footer See you", AUTHOR, false, "rewritten-no-proof"},
                {"footer, no policy", NO_POLICY, "footer See you", AUTHOR, false, "no-policy"},
                {"reply-to list, reject", REJECT, "reply-to list", AUTHOR, false, "rewritten-no-proof"},
                {"footer, kept", REJECT, "footer See you\nfrom keep", AUTHOR, false, "kept"},
        };
        struct proof_bench *b = *state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                b->dns.count = 0;
                fake_dns_add(&b->dns, str_of_c(cases[i].policy));
                fake_dns_add(&b->dns, S(SPF));
                set(cases[i].settings);
                proof_bench_load(b, S(""), S(MESSAGE));
                if (cases[i].cover == AUTHOR)
                        proof_bench_sign_as_author(b, S("author.test"));
                else if (cases[i].cover == LISTS)
                        proof_bench_sign(
                                b, S("author.test"), dkim_cover_default, dkim_cover_default_count, 0);
                (void)proof_bench_judge(b, S("joe@author.test"));
                assert_int_equal(make(b, cases[i].is_ours, PROOF_BENCH_NOW), ERR_OK);
                expect(cases[i].name, rewrite_from_text(rewrite.from), cases[i].want);
                expect(cases[i].name, fields_of(S("From")),
                        rewrite_is_done(rewrite.from) ? "From: \"Joe via ptt\" <ptt@mailingl.st>\r\n"
                                                      : "From: Joe <joe@author.test>\r\n");
                expect(cases[i].name, fields_of(S("Author")),
                        rewrite_is_done(rewrite.from) ? "Author: Joe <joe@author.test>\r\n" : "");
        }
}

/* What moderators get of NAME-owner: nothing of a list, and From as its domain asks for. */
static void test_forward(void **state)
{
#define FORWARDED                                                                                     \
        "List-Id: <x.y>\r\nPrecedence: bulk\r\nSender: s@author.test\r\nErrors-To: e@author.test\r\n" \
        "Author: a@author.test\r\n"
        static const struct {
                const char *name, *policy, *reply;
                bool is_signed, is_ours;
                const char *want;
        } cases[] = {
                {"signed, reject", REJECT, "", true, false, "proven"},
                {"signed, no policy", NO_POLICY, "", true, false, "no-policy"},
                {"SPF alone, reject", REJECT, "", false, false, "rewritten-no-proof"},
                {"SPF alone, quarantine", QUARANTINE, "", false, false, "rewritten-no-proof"},
                {"SPF alone, its own Reply-To", REJECT, "Reply-To: x@y.test\r\n", false, false,
                        "rewritten-no-proof"},
                {"SPF alone, p=none", MONITOR, "", false, false, "no-policy"},
                {"SPF alone, no policy", NO_POLICY, "", false, false, "no-policy"},
                {"SPF alone, ours", REJECT, "", false, true, "ours"},
                {"no answer about the policy", "_dmarc.author.test\tTROUBLE\tTXT", "", false, false,
                        "rewritten-no-proof"},
        };
        struct proof_bench *b = *state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                char message[1024], want[2048];
                const char *reply = cases[i].reply;
                b->dns.count = 0;
                fake_dns_add(&b->dns, str_of_c(cases[i].policy));
                fake_dns_add(&b->dns, S(SPF));
                set(NULL);
                (void)snprintf(message, sizeof message,
                        FORWARDED "Authentication-Results: mailingl.st; none\r\n%s" MESSAGE, reply);
                proof_bench_load(b, S(""), str_of_c(message));
                if (cases[i].is_signed)
                        proof_bench_sign_as_author(b, S("author.test"));
                (void)proof_bench_judge(b, S("joe@author.test"));
                assert_int_equal(make_for(b, &owner, cases[i].is_ours, PROOF_BENCH_NOW), ERR_OK);
                expect(cases[i].name, rewrite_from_text(rewrite.from), cases[i].want);
                bool is_done = rewrite_is_done(rewrite.from);
                (void)snprintf(
                        want, sizeof want, "%s", reply[0] ? reply : "Reply-To: Joe <joe@author.test>\r\n");
                expect(cases[i].name, fields_of(S("Reply-To")), is_done ? want : reply);
                expect(cases[i].name, fields_of(S("From")),
                        is_done ? "From: \"Joe via ptt-owner\" <ptt-owner@mailingl.st>\r\n"
                                : "From: Joe <joe@author.test>\r\n");
                expect(cases[i].name, fields_of(S("Author")),
                        is_done ? "Author: Joe <joe@author.test>\r\n" : "Author: a@author.test\r\n");
                expect(cases[i].name, fields_of(S("List-Id")), "List-Id: <x.y>\r\n");
                expect(cases[i].name, fields_of(S("Precedence")), "Precedence: bulk\r\n");
                expect(cases[i].name, fields_of(S("Sender")), "Sender: s@author.test\r\n");
                expect(cases[i].name, fields_of(S("Errors-To")), "Errors-To: e@author.test\r\n");
                assert_int_equal(mail_header_count(&b->header, S("Authentication-Results")), rewrite.forged);
                expect(cases[i].name, fields_of(S("Authentication-Results")), "");
                expect(cases[i].name, fields_of(S("List-Post")), "");
                assert_true(rewrite.tail.n == 0 && rewrite.forged == 1);
        }
}

/* A member's server may look at it much later. */
static void test_signature_that_ends_too_soon(void **state)
{
        struct proof_bench *b = *state;
        b->dns.count = 0;
        fake_dns_add(&b->dns, S(REJECT));
        set(NULL);
        proof_bench_load(b, S(""), S(MESSAGE));
        proof_bench_sign(
                b, S("author.test"), dkim_cover_author, dkim_cover_author_count, PROOF_BENCH_NOW + 3600);
        (void)proof_bench_judge(b, S("x@else.test"));
        assert_int_equal(make(b, false, PROOF_BENCH_NOW), ERR_OK);
        assert_int_equal(rewrite.from, REWRITE_KEPT_BY_PROOF);
        assert_int_equal(make(b, false, PROOF_BENCH_NOW + 86400), ERR_OK);
        assert_int_equal(rewrite.from, REWRITE_DONE_NO_PROOF);
}

/* What stands in front belongs to what goes out: a Date that we add, say. */
static void test_front_is_proven_with_the_rest(void **state)
{
        struct proof_bench *b = *state;
        b->dns.count = 0;
        fake_dns_add(&b->dns, S(REJECT));
        set(NULL);
        proof_bench_load(b, S(""), S(MESSAGE));
        proof_bench_sign_as_author(b, S("author.test"));
        struct rewrite_post post = {.verdicts = proof_bench_judge(b, S("x@else.test")),
                .keys = &b->keys,
                .header = &b->header,
                .front = S(FRONT "Date: Sun, 22 Nov 2026 12:00:00 +0000\r\n"),
                .authserv_id = S("mailingl.st"),
                .until_s = PROOF_BENCH_NOW};
        assert_int_equal(rewrite_make(&rewrite, &list, &post), ERR_OK);
        assert_int_equal(rewrite.from, REWRITE_DONE_NO_PROOF);
}

/* ---- what may come ---- */

/* Each prefix of a header, also one that ends in the middle of a field. */
static void test_every_prefix(void **state)
{
        static const char *const chosen[] = {
                NULL, "from rewrite\nreply-to both\nsubject-prefix [x]\nfooter y"};
        struct proof_bench *b = *state;
        struct str all = S(MESSAGE);
        b->dns.count = 0;
        for (size_t i = 0; i < 2; i++)
                for (size_t n = 0; n <= all.n; n++) {
                        set(chosen[i]);
                        proof_bench_load(b, S(""), str_take(all, n));
                        (void)proof_bench_judge(b, S("x@else.test"));
                        if (mail_header_count(&b->header, S("From")) != 1) {
                                assert_int_equal(make(b, false, PROOF_BENCH_NOW), ERR_SYNTAX);
                                assert_int_equal(rewrite.head.n + rewrite.tail.n, 0);
                                continue;
                        }
                        assert_int_equal(make(b, false, PROOF_BENCH_NOW), ERR_OK);
                        assert_true(str_has_suffix_nocase(rewrite.head, S("\r\n\r\n")));
                }
}

static void test_too_large(void **state)
{
        struct proof_bench *b = *state;
        char *text = malloc(REWRITE_HEAD_MAX + 64);
        assert_non_null(text);
        b->dns.count = 0;
        set(NULL);
        for (size_t over = 0; over < 2; over++) {
                size_t ours = strlen(LIST_FIELDS PRECEDENCE SENDER);
                size_t n = REWRITE_HEAD_MAX - ours + over;
                memset(text, 'x', n);
                memcpy(text, "From: j@a.test\r\nX: ", 19);
                memcpy(text + n - 4, "\r\n\r\n", 4);
                proof_bench_load(b, S(""), str_of(text, n));
                (void)proof_bench_judge(b, S("x@else.test"));
                assert_int_equal(make(b, false, PROOF_BENCH_NOW), over ? ERR_LIMIT : ERR_OK);
                assert_int_equal(rewrite.head.n, over ? 0 : REWRITE_HEAD_MAX);
        }
        free(text);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_default_changes_nothing),
                cmocka_unit_test(test_list_fields),
                cmocka_unit_test(test_fields_that_go),
                cmocka_unit_test(test_sender),
                cmocka_unit_test(test_forward),
                cmocka_unit_test(test_from_stays_or_not),
                cmocka_unit_test(test_signature_that_ends_too_soon),
                cmocka_unit_test(test_front_is_proven_with_the_rest),
                cmocka_unit_test(test_every_prefix),
                cmocka_unit_test(test_too_large),
        };
        return cmocka_run_group_tests(tests, proof_bench_setup, proof_bench_teardown);
}
