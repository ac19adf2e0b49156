/* SPDX-License-Identifier: ISC */
/* What settings write into a post: names, answers' addresses, subjects, footers. */
#include "list/rewrite.h"

#include "list/rewrite_rig.h"
#include "mail/encoded_word.h"

/* ---- From, Author, Reply-To ---- */

static void test_author_in_from(void **state)
{
        static const struct {
                const char *from, *want;
        } cases[] = {
                {"Joe <j@a.test>", "\"Joe via ptt\" <ptt@mailingl.st>"},
                {"j.d@a.test", "\"j.d via ptt\" <ptt@mailingl.st>"},
                {"<j@a.test>", "\"j via ptt\" <ptt@mailingl.st>"},
                {"\"j d\"@a.test", "\"j d via ptt\" <ptt@mailingl.st>"},
                {"j@a.test (Joe Doe)", "\"Joe Doe via ptt\" <ptt@mailingl.st>"},
                {"\"J@A.test\" <j@a.test>", "\"j via ptt\" <ptt@mailingl.st>"},
                {"\"Doe, Joe\" <j@a.test>", "\"Doe, Joe via ptt\" <ptt@mailingl.st>"},
                {"\"Joe \\\"J\\\" (via x)\" <j@a.test>",
                        "\"Joe \\\"J\\\" (via x) via ptt\" <ptt@mailingl.st>"},
                {"=?utf-8?q?Jo=C3=A9?= <j@a.test>", "=?utf-8?q?Jo=C3=A9_via_ptt?= <ptt@mailingl.st>"},
                {"=?iso-8859-1?q?Jo=E9?= Doe <j@a.test>",
                        "=?utf-8?q?Jo=C3=A9_Doe_via_ptt?= <ptt@mailingl.st>"},
                {"Jo\xc3\xa9 <j@a.test>", "=?utf-8?q?Jo=C3=A9_via_ptt?= <ptt@mailingl.st>"},
                {"=?utf-8?q?x=0D=0ABcc=3A_y?= <j@a.test>", "\"x  Bcc: y via ptt\" <ptt@mailingl.st>"},
                {"A <a@a.test>, B <b@a.test>", "\"A, B via ptt\" <ptt@mailingl.st>"},
                {"a@a.test, b@a.test, c@a.test, d@a.test", "\"a, b, c via ptt\" <ptt@mailingl.st>"},
                {"0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 "
                 "0123456789 0123456789 0123456789 <j@a.test>",
                        "\"0123456789 0123456789 0123456789 0123456789 0123456789 0123456789\r\n"
                        " 0123456789 0123456789 0123456789 0123456789 0123456789 via ptt\"\r\n "
                        "<ptt@mailingl.st>"},
        };
        struct proof_bench *b = *state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                char message[1024], want[1024];
                (void)snprintf(message, sizeof message, "From: %s\r\n\r\n", cases[i].from);
                make_plain(b, "from rewrite", message);
                (void)snprintf(want, sizeof want, "From: %s\r\n", cases[i].want);
                expect(cases[i].from, fields_of(S("From")), want);
                (void)snprintf(want, sizeof want, "Author: %s\r\n", cases[i].from);
                expect(cases[i].from, fields_of(S("Author")), want);
                (void)snprintf(want, sizeof want, "Reply-To: %s\r\n", cases[i].from);
                expect(cases[i].from, fields_of(S("Reply-To")), want);
        }
        make_plain(b, "from rewrite", "Author: forged@x.test\r\nFrom:j@a.test\r\n\r\n");
        expect("an Author that is there", fields_of(S("Author")), "Author: j@a.test\r\n");
}

/* "via" is never cut, and no character is. */
static void test_long_names(void **state)
{
        struct proof_bench *b = *state;
        for (size_t n = 118; n < 400; n++) {
                char message[1100], name[1024];
                struct mail_field field;
                struct mail_mailbox box;
                struct wr w;
                size_t at = 0;
                repeat(name, sizeof name, n % 2 ? "x" : "", "\xe2\x82\xac", n);
                (void)snprintf(message, sizeof message, "From: %s <j@a.test>\r\n\r\n", name);
                make_plain(b, "from rewrite", message);
                struct str from = fields_of(S("From"));
                assert_int_equal(mail_item_next(from, &at, &field), MAIL_ITEM_FIELD);
                assert_int_equal(mail_address_parse(field.body, &box), ERR_OK);
                wr_init(&w, name, sizeof name);
                mail_phrase_decode(&w, box.display);
                assert_true(str_has_suffix_nocase(wr_text(&w), S(" via ptt")));
                assert_true(w.n <= 128 && w.n >= 124);
                assert_int_equal(str_find(wr_text(&w), S("\xef\xbf\xbd")), w.n);
        }
}

static void test_reply_to(void **state)
{
        static const struct {
                const char *name, *settings, *field, *want;
        } cases[] = {
                {"none", NULL, "", ""},
                {"the author's", NULL, "Reply-To: x@y.test\r\n", "Reply-To: x@y.test\r\n"},
                {"rewritten", "from rewrite", "", "Reply-To: Joe <j@a.test>\r\n"},
                {"rewritten, the author's", "from rewrite", "Reply-To: x@y.test\r\n",
                        "Reply-To: x@y.test\r\n"},
                {"rewritten, an empty one", "from rewrite", "Reply-To: \r\n", "Reply-To: Joe <j@a.test>\r\n"},
                {"rewritten, a broken one", "from rewrite", "Reply-To: <<\r\n",
                        "Reply-To: Joe <j@a.test>\r\n"},
                {"rewritten, two", "from rewrite", "Reply-To: x@y.test\r\nReply-To: z@y.test\r\n",
                        "Reply-To: Joe <j@a.test>\r\n"},
                {"list", "reply-to list", "", "Reply-To: ptt@mailingl.st\r\n"},
                {"list, the author's", "reply-to list", "Reply-To: x@y.test\r\n",
                        "Reply-To: ptt@mailingl.st\r\n"},
                {"list, that already", "reply-to list", "Reply-To: A <PTT@mailingl.st>\r\n",
                        "Reply-To: A <PTT@mailingl.st>\r\n"},
                {"list, rewritten", "reply-to list\nfrom rewrite", "", "Reply-To: ptt@mailingl.st\r\n"},
                {"both", "reply-to both", "", "Reply-To: Joe <j@a.test>,\r\n ptt@mailingl.st\r\n"},
                {"both, the author's", "reply-to both", "Reply-To: X <x@y.test>,\r\n\tz@y.test \r\n",
                        "Reply-To: X <x@y.test>,\r\n\tz@y.test,\r\n ptt@mailingl.st\r\n"},
                {"both, that already", "reply-to both", "Reply-To: x@y.test, ptt@mailingl.st\r\n",
                        "Reply-To: x@y.test, ptt@mailingl.st\r\n"},
                {"both, a broken one", "reply-to both", "Reply-To: x y z\r\n",
                        "Reply-To: Joe <j@a.test>,\r\n ptt@mailingl.st\r\n"},
        };
        struct proof_bench *b = *state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                char message[1024];
                (void)snprintf(message, sizeof message, "From: Joe <j@a.test>\r\n%s\r\n", cases[i].field);
                make_plain(b, cases[i].settings, message);
                expect(cases[i].name, fields_of(S("Reply-To")), cases[i].want);
        }
}

/* ---- subject ---- */

static void test_subject(void **state)
{
        static const struct {
                const char *prefix, *subject, *want;
        } cases[] = {
                {"[ptt]", "Subject: Hello\r\n", "Subject: [ptt] Hello\r\n"},
                {"[ptt]", "", "Subject: [ptt]\r\n"},
                {"[ptt]", "Subject:\r\n", "Subject: [ptt]\r\n"},
                {"[ptt]", "Subject: [ptt] Hello\r\n", "Subject: [ptt] Hello\r\n"},
                {"[ptt]", "Subject: [PTT]Hello\r\n", "Subject: [PTT]Hello\r\n"},
                {"[ptt]", "Subject: Re: Hello\r\n", "Subject: Re: [ptt] Hello\r\n"},
                {"[ptt]", "Subject:re:Hello\r\n", "Subject: re: [ptt] Hello\r\n"},
                {"[ptt]", "Subject: AW[2]: Hello\r\n", "Subject: AW[2]: [ptt] Hello\r\n"},
                {"[ptt]", "Subject: Re: [ptt] Hello\r\n", "Subject: Re: [ptt] Hello\r\n"},
                {"[ptt]", "Subject: Re: Fwd: =?utf-8?q?=5Bptt=5D_x?=\r\n",
                        "Subject: Re: Fwd: =?utf-8?q?=5Bptt=5D_x?=\r\n"},
                {"[ptt]", "Subject: Report: Hello\r\n", "Subject: [ptt] Report: Hello\r\n"},
                {"[ptt]", "Subject: x[ptt] y\r\n", "Subject: [ptt] x[ptt] y\r\n"},
                {"[ptt]", "Subject: =?iso-2022-jp?b?GyRCJEob?=\r\n",
                        "Subject: [ptt] =?iso-2022-jp?b?GyRCJEob?=\r\n"},
                {"[ptt]", "Subject: Jo\xc3\xa9 \xff\r\n", "Subject: [ptt] Jo\xc3\xa9 \xff\r\n"},
                {"[ptt]", "Subject: a\r\n\tb\r\n", "Subject: [ptt] a\r\n\tb\r\n"},
                {"[ptt]", "Subject: 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789\r\n",
                        "Subject: [ptt]\r\n 0123456789 0123456789 0123456789 0123456789 0123456789 "
                        "0123456789\r\n"},
                {"[\xc3\xa9t\xc3\xa9]", "Subject: =?utf-8?q?x?=\r\n",
                        "Subject: =?utf-8?b?W8OpdMOpXSA=?= =?utf-8?q?x?=\r\n"},
                {"[\xc3\xa9t\xc3\xa9]", "Subject: Re: y\r\n", "Subject: Re: =?utf-8?b?W8OpdMOpXSA=?= y\r\n"},
                {"[ptt]", "Subject: a\r\nSubject: b\r\n", "Subject: [ptt] a\r\nSubject: b\r\n"},
        };
        struct proof_bench *b = *state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                char message[1024], chosen[64];
                (void)snprintf(message, sizeof message, "From: Joe <j@a.test>\r\n%s\r\n", cases[i].subject);
                (void)snprintf(chosen, sizeof chosen, "subject-prefix %s", cases[i].prefix);
                make_plain(b, chosen, message);
                expect(cases[i].subject, fields_of(S("Subject")), cases[i].want);
        }
}

/* The longest prefix there may be, in each form. */
static void test_long_prefix(void **state)
{
        static const char *const units[] = {"x", " xxxxxxx", "\xc3\xa9", "=?"};
        struct proof_bench *b = *state;
        for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
                char chosen[256], text[1024];
                struct mail_field field;
                struct wr w;
                size_t at = 0;
                repeat(chosen, sizeof chosen, "subject-prefix [", units[i], SETTING_TEXT_MAX - 1);
                make_plain(b, chosen, "From: j@a.test\r\nSubject: Re: =?utf-8?q?=3C?= y\r\n\r\n");
                assert_int_equal(mail_item_next(fields_of(S("Subject")), &at, &field), MAIL_ITEM_FIELD);
                for (struct str rest = field.raw, line; rest.n > 0;) {
                        str_cut(rest, '\n', &line, &rest);
                        assert_true(line.n <= MAIL_LINE_GOAL + 1);
                }
                wr_init(&w, text, sizeof text);
                mail_text_decode(&w, str_trim(field.body));
                struct str got = wr_text(&w);
                assert_true(str_has_prefix(got, S("Re: ")) && str_has_suffix_nocase(got, S(" < y")));
                expect(units[i], str_take(str_skip(got, 4), got.n - 8), chosen + 15);
        }
}

/* ---- footer ---- */

#define BOUNDARY "=_aebagaaaaaaaaaaaaaaaaaaaaa"
#define OUTER "Content-Type: multipart/mixed; boundary=\"" BOUNDARY "\"\r\n"
#define FOOTER                                                                                         \
        "\r\n--" BOUNDARY "\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: " \
        "quoted-printable\r\nContent-Disposition: inline\r\n\r\nSee you=C3=A9\r\n\r\n--" BOUNDARY "--\r\n"

static void test_footer(void **state)
{
        static const struct {
                const char *name, *fields, *outer, *inner;
        } cases[] = {
                {"no MIME", "", "MIME-Version: 1.0\r\n" OUTER, ""},
                {"text", "MIME-Version: 1.0\r\nContent-Type: text/plain;\r\n charset=utf-8\r\nX-A: b\r\n",
                        "MIME-Version: 1.0\r\nX-A: b\r\n" OUTER,
                        "Content-Type: text/plain;\r\n charset=utf-8\r\n"},
                {"8bit", "Content-Transfer-Encoding: (x) 8BIT\r\n",
                        "MIME-Version: 1.0\r\n" OUTER "Content-Transfer-Encoding: 8bit\r\n",
                        "Content-Transfer-Encoding: (x) 8BIT\r\n"},
                {"binary", "content-transfer-encoding: binary\r\n",
                        "MIME-Version: 1.0\r\n" OUTER "Content-Transfer-Encoding: binary\r\n",
                        "content-transfer-encoding: binary\r\n"},
                {"base64", "Content-Transfer-Encoding: base64\r\n", "MIME-Version: 1.0\r\n" OUTER,
                        "Content-Transfer-Encoding: base64\r\n"},
                {"signed",
                        "Content-Type: multipart/signed; boundary=x\r\nContent-Language: en\r\nMIME-Version: "
                        "1.0\r\n",
                        "MIME-Version: 1.0\r\n" OUTER,
                        "Content-Type: multipart/signed; boundary=x\r\nContent-Language: en\r\n"},
        };
        struct proof_bench *b = *state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                char message[1024], want[2048];
                (void)snprintf(message, sizeof message, "From: j@a.test\r\n%s\r\nbody", cases[i].fields);
                (void)snprintf(want, sizeof want,
                        LIST_FIELDS PRECEDENCE SENDER "From: j@a.test\r\n%s\r\n--" BOUNDARY "\r\n%s\r\n",
                        cases[i].outer, cases[i].inner);
                make_plain(b, "footer See you\xc3\xa9", message);
                expect(cases[i].name, rewrite.head, want);
                expect(cases[i].name, rewrite.tail, FOOTER);
        }
}

static void test_longest_footer_fits(void **state)
{
        struct proof_bench *b = *state;
        char chosen[256];
        repeat(chosen, sizeof chosen, "footer ", "\xc3\xa9", SETTING_TEXT_MAX);
        make_plain(b, chosen, MESSAGE);
        assert_true(rewrite.tail.n > 3 * SETTING_TEXT_MAX && rewrite.tail.n < REWRITE_TAIL_MAX);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_author_in_from),
                cmocka_unit_test(test_long_names),
                cmocka_unit_test(test_reply_to),
                cmocka_unit_test(test_subject),
                cmocka_unit_test(test_long_prefix),
                cmocka_unit_test(test_footer),
                cmocka_unit_test(test_longest_footer_fits),
        };
        return cmocka_run_group_tests(tests, proof_bench_setup, proof_bench_teardown);
}
