/* SPDX-License-Identifier: ISC */
#include "smtp/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void test_split(void **state)
{
        (void)state;
        static const struct {
                const char *line;
                enum smtp_verb verb;
                const char *arguments;
        } cases[] = {
                {"EHLO a.test", SMTP_VERB_EHLO, "a.test"},
                {"eHlO  a.test \t", SMTP_VERB_EHLO, "a.test"},
                {"rcpt to:<a@b.test>", SMTP_VERB_RCPT, "to:<a@b.test>"},
                {"QUIT", SMTP_VERB_QUIT, ""},
                {"QUIT ", SMTP_VERB_QUIT, ""},
                {"QUITE", SMTP_VERB_UNKNOWN, ""},
                {" QUIT", SMTP_VERB_UNKNOWN, "QUIT"},
                {"", SMTP_VERB_UNKNOWN, ""},
                {"STARTTLS", SMTP_VERB_STARTTLS, ""},
                {"MAIL", SMTP_VERB_MAIL, ""},
                {"bdat 10 LAST", SMTP_VERB_BDAT, "10 LAST"},
                {"MAILFROM:<>", SMTP_VERB_UNKNOWN, ""},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct str arguments;
                assert_int_equal(smtp_command_split(str_of_c(cases[i].line), &arguments), cases[i].verb);
                assert_true(str_eq(arguments, str_of_c(cases[i].arguments)));
        }
}

static void test_hello(void **state)
{
        (void)state;
        char name[SMTP_DOMAIN_MAX + 1];
        struct str out;
        memset(name, 'x', sizeof name);
        assert_int_equal(smtp_hello_parse(S("[192.0.2.1]"), &out), ERR_OK);
        assert_true(str_eq(out, S("[192.0.2.1]")));
        assert_int_equal(smtp_hello_parse(S("my_host"), &out), ERR_OK);
        assert_int_equal(smtp_hello_parse(S(""), &out), ERR_SYNTAX);
        assert_int_equal(smtp_hello_parse(S("a b"), &out), ERR_SYNTAX);
        assert_int_equal(smtp_hello_parse(S("a\x01"), &out), ERR_SYNTAX);
        assert_int_equal(smtp_hello_parse(S("\xc3\xa9"), &out), ERR_SYNTAX);
        assert_int_equal(smtp_hello_parse(str_of(name, sizeof name - 1), &out), ERR_OK);
        assert_int_equal(smtp_hello_parse(str_of(name, sizeof name), &out), ERR_LIMIT);
        assert_int_equal(out.n, 0);
}

struct path_case {
        const char *text;
        enum err err;
        const char *mailbox, *rest;
};

typedef enum err (*path_parse)(struct str, struct smtp_path *, struct str *);

static void check_path(path_parse parse, const struct path_case *c)
{
        struct str text = str_of_c(c->text), rest;
        struct smtp_path path;
        char *block = malloc(text.n + 1);
        memcpy(block, text.p, text.n);
        block = realloc(block, text.n > 0 ? text.n : 1);
        print_message("%s\n", c->text);
        assert_int_equal(parse(str_of(block, text.n), &path, &rest), c->err);
        assert_true(str_eq(path.mailbox, str_of_c(c->err == ERR_OK ? c->mailbox : "")));
        if (c->err == ERR_OK)
                assert_true(str_eq(rest, str_of_c(c->rest)));
        free(block);
}

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void test_reverse_paths(void **state)
{
        (void)state;
        static const struct path_case cases[] = {
                {"FROM:<a@b.test>", ERR_OK, "a@b.test", ""},
                {"from:<>", ERR_OK, "", ""},
                {"FROM: <a@b.test> SIZE=1 X", ERR_OK, "a@b.test", "SIZE=1 X"},
                {"FROM:<@r.test,@s.test:a@b.test>", ERR_OK, "a@b.test", ""},
                {"FROM:<\"a>b c\"@b.test>", ERR_OK, "\"a>b c\"@b.test", ""},
                {"FROM:<a@[192.0.2.1]>", ERR_OK, "a@[192.0.2.1]", ""},
                {"FROM:<a+b=c.test@d.test>", ERR_OK, "a+b=c.test@d.test", ""},
                {"FROM:<" A64 "@b.test>", ERR_OK, A64 "@b.test", ""},
                {"FROM:<" A64 "a@b.test>", ERR_LIMIT, "", ""},
                {"FROM:<postmaster>", ERR_SYNTAX, "", ""},
                {"FROM:a@b.test", ERR_SYNTAX, "", ""},
                {"FROM <a@b.test>", ERR_SYNTAX, "", ""},
                {"FROM:<a@b.test", ERR_SYNTAX, "", ""},
                {"FROM:<a@b.test>SIZE=1", ERR_SYNTAX, "", ""},
                {"FROM:<a@b.test>>", ERR_SYNTAX, "", ""},
                {"FROM:<<a@b.test>>", ERR_SYNTAX, "", ""},
                {"FROM:<a b@c.test>", ERR_SYNTAX, "", ""},
                {"FROM:< a@b.test>", ERR_SYNTAX, "", ""},
                {"FROM:<a@b@c.test>", ERR_SYNTAX, "", ""},
                {"FROM:<a@>", ERR_SYNTAX, "", ""},
                {"FROM:<@b.test>", ERR_SYNTAX, "", ""},
                {"FROM:<@r.test:>", ERR_SYNTAX, "", ""},
                {"FROM:<@r.test a@b.test>", ERR_SYNTAX, "", ""},
                {"FROM:<@r.test,a@b.test>", ERR_SYNTAX, "", ""},
                {"FROM:<@:a@b.test>", ERR_SYNTAX, "", ""},
                {"FROM:<,>", ERR_SYNTAX, "", ""},
                {"FROM:<", ERR_SYNTAX, "", ""},
                {"FROM:", ERR_SYNTAX, "", ""},
                {"TO:<a@b.test>", ERR_SYNTAX, "", ""},
                {"", ERR_SYNTAX, "", ""},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
                check_path(smtp_reverse_path_parse, &cases[i]);
}

static void test_forward_paths(void **state)
{
        (void)state;
        static const struct path_case cases[] = {
                {"TO:<a@b.test>", ERR_OK, "a@b.test", ""},
                {"to:<PostMaster>", ERR_OK, "PostMaster", ""},
                {"TO:<postmaster@b.test> X=1", ERR_OK, "postmaster@b.test", "X=1"},
                {"TO:<@r.test:a@b.test>", ERR_OK, "a@b.test", ""},
                {"TO:<>", ERR_SYNTAX, "", ""},
                {"TO:<root>", ERR_SYNTAX, "", ""},
                {"TO:<postmasters>", ERR_SYNTAX, "", ""},
                {"TO:postmaster", ERR_SYNTAX, "", ""},
                {"FROM:<a@b.test>", ERR_SYNTAX, "", ""},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
                check_path(smtp_forward_path_parse, &cases[i]);
}

/* No prefix of a path is a path, and none is read past its end. */
static void test_path_prefixes(void **state)
{
        (void)state;
        struct str text = S("FROM: <@r.test,@s.test:\"a\\\"b\"@b.test>");
        for (size_t n = 0; n < text.n; n++) {
                struct smtp_path path;
                struct str rest;
                char *block = malloc(n + 1);
                memcpy(block, text.p, n);
                block = realloc(block, n > 0 ? n : 1);
                assert_int_not_equal(smtp_reverse_path_parse(str_of(block, n), &path, &rest), ERR_OK);
                free(block);
        }
}

static void test_mailbox(void **state)
{
        (void)state;
        struct smtp_path path;
        assert_int_equal(smtp_mailbox_parse(S(""), &path), ERR_OK);
        assert_true(smtp_path_is_null(&path));
        assert_int_equal(smtp_mailbox_parse(S("postmaster"), &path), ERR_OK);
        assert_true(smtp_path_is_postmaster(&path) && !smtp_path_is_null(&path));
        assert_int_equal(smtp_mailbox_parse(S("a@b.test"), &path), ERR_OK);
        assert_true(str_eq(path.local, S("a")) && str_eq(path.domain, S("b.test")) && !path.needs_smtputf8);
        assert_int_equal(smtp_mailbox_parse(S("a@b\xc3\xa9.test"), &path), ERR_OK);
        assert_true(path.needs_smtputf8);
        assert_int_equal(smtp_mailbox_parse(S("\xff@b.test"), &path), ERR_SYNTAX);
        assert_int_equal(smtp_mailbox_parse(S("a@b.test "), &path), ERR_SYNTAX);
        assert_int_equal(smtp_mailbox_parse(S("<a@b.test>"), &path), ERR_SYNTAX);
        assert_int_equal(smtp_mailbox_parse(S("a@b.test\r\nRSET"), &path), ERR_SYNTAX);
        assert_int_equal(path.mailbox.n, 0);
}

static void test_mail_params(void **state)
{
        (void)state;
        static const struct smtp_extensions all = {.size = true, .mime_8bit = true, .smtputf8 = true};
        static const struct smtp_extensions none = {.pipelining = true};
        static const struct {
                const char *text;
                const struct smtp_extensions *offered;
                enum err err;
                struct smtp_mail_params params;
        } cases[] = {
                {"", &all, ERR_OK, {false, 0, SMTP_BODY_UNSAID, false}},
                {"SIZE=0", &all, ERR_OK, {true, 0, SMTP_BODY_UNSAID, false}},
                {"size=10  body=8BitMime smtpUTF8", &all, ERR_OK, {true, 10, SMTP_BODY_8BITMIME, true}},
                {"BODY=7BIT", &all, ERR_OK, {false, 0, SMTP_BODY_7BIT, false}},
                {"SIZE=99999999999999999999", &all, ERR_OK, {true, UINT64_MAX, SMTP_BODY_UNSAID, false}},
                {"SIZE=000000000000000000001", &all, ERR_SYNTAX, {0}},
                {"SIZE", &all, ERR_SYNTAX, {0}},
                {"SIZE=", &all, ERR_SYNTAX, {0}},
                {"SIZE=-1", &all, ERR_SYNTAX, {0}},
                {"SIZE=1 SIZE=2", &all, ERR_SYNTAX, {0}},
                {"BODY", &all, ERR_SYNTAX, {0}},
                {"BODY=BINARYMIME", &all, ERR_SYNTAX, {0}},
                {"BODY=7BIT BODY=7BIT", &all, ERR_SYNTAX, {0}},
                {"SMTPUTF8=yes", &all, ERR_SYNTAX, {0}},
                {"SMTPUTF8 SMTPUTF8", &all, ERR_SYNTAX, {0}},
                {"=1", &all, ERR_SYNTAX, {0}},
                {"-X=1", &all, ERR_SYNTAX, {0}},
                {"X=1=2", &all, ERR_SYNTAX, {0}},
                {"X=\x01", &all, ERR_SYNTAX, {0}},
                {"X", &all, ERR_UNSUPPORTED, {0}},
                {"AUTH=<>", &all, ERR_UNSUPPORTED, {0}},
                {"SIZE=1 RET=HDRS", &all, ERR_UNSUPPORTED, {0}},
                {"SIZE=1", &none, ERR_UNSUPPORTED, {0}},
                {"BODY=7BIT", &none, ERR_UNSUPPORTED, {0}},
                {"SMTPUTF8", &none, ERR_UNSUPPORTED, {0}},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct smtp_mail_params out;
                print_message("%s\n", cases[i].text);
                assert_int_equal(smtp_mail_params_parse(str_of_c(cases[i].text), cases[i].offered, &out),
                        cases[i].err);
                assert_int_equal(out.has_size, cases[i].params.has_size);
                assert_true(out.size == cases[i].params.size);
                assert_int_equal(out.body, cases[i].params.body);
                assert_int_equal(out.smtputf8, cases[i].params.smtputf8);
        }
}

static void test_rcpt_params(void **state)
{
        (void)state;
        assert_int_equal(smtp_rcpt_params_parse(S("")), ERR_OK);
        assert_int_equal(smtp_rcpt_params_parse(S(" ")), ERR_OK);
        assert_int_equal(smtp_rcpt_params_parse(S("NOTIFY=NEVER")), ERR_UNSUPPORTED);
        assert_int_equal(smtp_rcpt_params_parse(S("=x")), ERR_SYNTAX);
}

static void test_bdat(void **state)
{
        (void)state;
        static const struct {
                const char *text;
                enum err e;
                uint64_t size;
                bool is_last;
        } cases[] = {
                {"0", ERR_OK, 0, false},
                {"0 LAST", ERR_OK, 0, true},
                {"000086 last", ERR_OK, 86, true},
                {"5   LAST", ERR_OK, 5, true},
                {"18446744073709551615", ERR_OK, UINT64_MAX, false},
                {"18446744073709551616", ERR_SYNTAX, 0, false},
                {"", ERR_SYNTAX, 0, false},
                {"LAST", ERR_SYNTAX, 0, false},
                {"-1", ERR_SYNTAX, 0, false},
                {"+1", ERR_SYNTAX, 0, false},
                {"0x10", ERR_SYNTAX, 0, false},
                {"1LAST", ERR_SYNTAX, 0, false},
                {"1 LAS", ERR_SYNTAX, 0, false},
                {"1 LAST 1", ERR_SYNTAX, 0, false},
                {"1 2", ERR_SYNTAX, 0, false},
                {"1\tLAST", ERR_SYNTAX, 0, false},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                uint64_t size;
                bool is_last;
                print_message("case: %s\n", cases[i].text);
                assert_int_equal(smtp_bdat_parse(str_of_c(cases[i].text), &size, &is_last), cases[i].e);
                if (cases[i].e == ERR_OK) {
                        assert_true(size == cases[i].size);
                        assert_int_equal(is_last, cases[i].is_last);
                }
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_split),
                cmocka_unit_test(test_hello),
                cmocka_unit_test(test_reverse_paths),
                cmocka_unit_test(test_forward_paths),
                cmocka_unit_test(test_path_prefixes),
                cmocka_unit_test(test_mailbox),
                cmocka_unit_test(test_mail_params),
                cmocka_unit_test(test_rcpt_params),
                cmocka_unit_test(test_bdat),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
