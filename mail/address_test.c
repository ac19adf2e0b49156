/* SPDX-License-Identifier: ISC */
#include "mail/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/exact.h"
#include "base/limits.h"

#define CASES(table) (sizeof(table) / sizeof(table)[0])

#define X10 "xxxxxxxxxx"
#define X50 X10 X10 X10 X10 X10
#define X60 X50 X10
#define LABEL63 X60 "xxx"

static void test_mailbox(void **state)
{
        (void)state;
        static const struct {
                const char *text;
                enum err ascii, utf8;
                const char *local, *domain;
        } cases[] = {
                {"a@b", ERR_OK, ERR_OK, "a", "b"},
                {"A.b+c@Example.ORG", ERR_OK, ERR_OK, "A.b+c", "Example.ORG"},
                {"\"a b\\\"@\"@b", ERR_OK, ERR_OK, "\"a b\\\"@\"", "b"},
                {"\"\"@b", ERR_OK, ERR_OK, "\"\"", "b"},
                {"a@[192.0.2.1]", ERR_OK, ERR_OK, "a", "[192.0.2.1]"},
                {"a@[ipv6:2001:db8::1]", ERR_OK, ERR_OK, "a", "[ipv6:2001:db8::1]"},
                {"a@[x-y:z]", ERR_UNSUPPORTED, ERR_UNSUPPORTED, "", ""},
                {"a@[2001:db8::1]", ERR_UNSUPPORTED, ERR_UNSUPPORTED, "", ""},
                {"a@[-x:z]", ERR_SYNTAX, ERR_SYNTAX, "", ""},
                {"a@[IPv6:192.0.2.1]", ERR_SYNTAX, ERR_SYNTAX, "", ""},
                {"a@[192.0.2.256]", ERR_SYNTAX, ERR_SYNTAX, "", ""},
                {"a@[]", ERR_SYNTAX, ERR_SYNTAX, "", ""},
                {"a@[192.0.2.1", ERR_SYNTAX, ERR_SYNTAX, "", ""},
                {"a@[192.0.2.1]x", ERR_SYNTAX, ERR_SYNTAX, "", ""},
                {"j\xc3\xb8@b", ERR_SYNTAX, ERR_OK, "j\xc3\xb8", "b"},
                {"\"\xc3\xb8\"@b", ERR_SYNTAX, ERR_OK, "\"\xc3\xb8\"", "b"},
                {"a@\xc3\xb8.example", ERR_SYNTAX, ERR_OK, "a", "\xc3\xb8.example"},
                {"\xc3@b", ERR_SYNTAX, ERR_SYNTAX, "", ""},
                {"a@\xed\xa0\x80", ERR_SYNTAX, ERR_SYNTAX, "", ""},
                {"a@b ", ERR_SYNTAX, ERR_SYNTAX, "", ""},
                {"a b@c", ERR_SYNTAX, ERR_SYNTAX, "", ""},
                {"a(x)@c", ERR_SYNTAX, ERR_SYNTAX, "", ""},
                {"\"a\tb\"@c", ERR_SYNTAX, ERR_SYNTAX, "", ""},
                {"\"a\r\n b\"@c", ERR_SYNTAX, ERR_SYNTAX, "", ""},
                {"\"a\".b@c", ERR_SYNTAX, ERR_SYNTAX, "", ""},
                {"a@b\r\n", ERR_SYNTAX, ERR_SYNTAX, "", ""},
                {"a.@b", ERR_SYNTAX, ERR_SYNTAX, "", ""},
                {".a@b", ERR_SYNTAX, ERR_SYNTAX, "", ""},
                {"a..b@c", ERR_SYNTAX, ERR_SYNTAX, "", ""},
                {"a@b.", ERR_SYNTAX, ERR_SYNTAX, "", ""},
                {"a@.b", ERR_SYNTAX, ERR_SYNTAX, "", ""},
                {"a@b..c", ERR_SYNTAX, ERR_SYNTAX, "", ""},
                {"a@-b", ERR_SYNTAX, ERR_SYNTAX, "", ""},
                {"a@b-.c", ERR_SYNTAX, ERR_SYNTAX, "", ""},
                {"a@b_c", ERR_SYNTAX, ERR_SYNTAX, "", ""},
                {"@b", ERR_SYNTAX, ERR_SYNTAX, "", ""},
                {"a@", ERR_SYNTAX, ERR_SYNTAX, "", ""},
                {"a", ERR_SYNTAX, ERR_SYNTAX, "", ""},
                {"", ERR_SYNTAX, ERR_SYNTAX, "", ""},
                {"a@b@c", ERR_SYNTAX, ERR_SYNTAX, "", ""},
                {X60 "xxxx@b", ERR_OK, ERR_OK, X60 "xxxx", "b"},
                {X60 "xxxxx@b", ERR_LIMIT, ERR_LIMIT, "", ""},
                {"a@" LABEL63 ".c", ERR_OK, ERR_OK, "a", LABEL63 ".c"},
                {"a@" LABEL63 "x.c", ERR_LIMIT, ERR_LIMIT, "", ""},
                {"a@" LABEL63 "x.-c", ERR_SYNTAX, ERR_SYNTAX, "", ""},
                {"a@" LABEL63 "." LABEL63 "." LABEL63 "." X60, ERR_OK, ERR_OK, "a",
                        LABEL63 "." LABEL63 "." LABEL63 "." X60},
                {"a@" LABEL63 "." LABEL63 "." LABEL63 "." X60 "x", ERR_LIMIT, ERR_LIMIT, "", ""},
        };
        for (size_t i = 0; i < CASES(cases); i++) {
                struct str text = exact(str_of_c(cases[i].text));
                struct mail_address a = {text, text};
                enum err ascii = mail_mailbox_parse(text, MAIL_ASCII, &a);
                print_message("%s\n", cases[i].text);
                assert_int_equal(ascii, cases[i].ascii);
                assert_true(ascii == ERR_OK || (a.local.n == 0 && a.domain.n == 0));
                assert_int_equal(mail_mailbox_parse(text, MAIL_UTF8, &a), cases[i].utf8);
                assert_true(str_eq(a.local, str_of_c(cases[i].local)));
                assert_true(str_eq(a.domain, str_of_c(cases[i].domain)));
                exact_free(text);
        }
}

static void test_scan(void **state)
{
        (void)state;
        static const struct {
                const char *text;
                enum err err;
                size_t used;
        } cases[] = {
                {"a@b> SIZE=1", ERR_OK, 3},
                {"\">\"@b>", ERR_OK, 5},
                {"a@[192.0.2.1]>", ERR_OK, 13},
                {"a@b,c", ERR_OK, 3},
                {"a>", ERR_SYNTAX, 0},
                {"a@>", ERR_SYNTAX, 0},
                {"a@[IPv6:1]>", ERR_SYNTAX, 0},
                {"a@b.>", ERR_SYNTAX, 0},
                {">", ERR_SYNTAX, 0},
        };
        for (size_t i = 0; i < CASES(cases); i++) {
                struct mail_address a;
                size_t used = 99;
                struct str text = exact(str_of_c(cases[i].text));
                print_message("%s\n", cases[i].text);
                assert_int_equal(mail_mailbox_scan(text, MAIL_ASCII, &a, &used), cases[i].err);
                assert_int_equal(used, cases[i].used);
                exact_free(text);
        }
}

static void test_literal(void **state)
{
        (void)state;
        struct ip ip, want = ip_v4(192, 0, 2, 1);
        assert_int_equal(mail_literal_parse(S("[192.0.2.1]"), &ip), ERR_OK);
        assert_true(ip_eq(&ip, &want));
        assert_int_equal(mail_literal_parse(S("[IPv6:::1]"), &ip), ERR_OK);
        assert_true(ip_is_loopback(&ip));
        assert_int_equal(mail_literal_parse(S("[IPv6:1.2.3.4]"), &ip), ERR_SYNTAX);
        assert_int_equal(ip.family, 0);
        assert_int_equal(mail_literal_parse(S("example.org"), &ip), ERR_SYNTAX);
        assert_int_equal(mail_literal_parse(S(""), &ip), ERR_SYNTAX);
        assert_int_equal(mail_literal_parse(S("["), &ip), ERR_SYNTAX);
}

/* The mailboxes of a list as "display|local|domain|comment" lines, "g" in front for group members. */
static void list_write(struct wr *w, struct str text, enum err *err)
{
        struct mail_addresses r;
        struct mail_mailbox m;
        mail_addresses_init(&r, text);
        while ((*err = mail_addresses_next(&r, &m)) == ERR_OK) {
                wr_str(w, m.in_group ? S("g") : S(""));
                wr_str(w, m.display);
                wr_byte(w, '|');
                wr_str(w, m.address.local);
                wr_byte(w, '|');
                wr_str(w, m.address.domain);
                wr_byte(w, '|');
                wr_str(w, m.comment);
                wr_byte(w, '\n');
        }
        assert_int_equal(m.address.local.n, 0);
        assert_int_equal(mail_addresses_next(&r, &m), *err);
}

static const struct {
        const char *text;
        enum err end;
        const char *want;
} lists[] = {
        {" a@b", ERR_EOF, "|a|b|\n"},
        {"Joe Q. Public <john.q.public@example.com>", ERR_EOF, "Joe Q. Public|john.q.public|example.com|\n"},
        {"\"Giant; \\\"Big\\\" Box\" <s@e.net>", ERR_EOF, "\"Giant; \\\"Big\\\" Box\"|s|e.net|\n"},
        {"Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>", ERR_EOF,
                "Mary Smith|mary|x.test|\n|jdoe|example.org|\nWho?|one|y.test|\n"},
        {"A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;", ERR_EOF,
                "gEd Jones|c|a.test|\ng|joe|where.test|\ngJohn|jdoe|one.test|\n"},
        {"Undisclosed recipients:;", ERR_EOF, ""},
        {"g:;, a@b", ERR_EOF, "|a|b|\n"},
        {"g: a@b, ;,c@d", ERR_EOF, "g|a|b|\n|c|d|\n"},
        {"Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>", ERR_EOF,
                "Pete|pete|silly.test|\n"},
        {"(Empty list)(start)Hidden recipients  :(nobody(that I know))  ;", ERR_EOF, ""},
        {"a@b (Joe (J) Public) (x)", ERR_EOF, "|a|b|Joe (J) Public\n"},
        {"a(x)@(y)b(z)", ERR_EOF, "|a|b|z\n"},
        {"<boss@nil.test>", ERR_EOF, "|boss|nil.test|\n"},
        {", a@b,, c@d ,", ERR_EOF, "|a|b|\n|c|d|\n"},
        {"<@x.test,@y.test:a@b>", ERR_EOF, "|a|b|\n"},
        {"N <,@x.test , , @y.test : a@b>", ERR_EOF, "N|a|b|\n"},
        {"\"a\".b@c", ERR_EOF, "|\"a\".b|c|\n"},
        {"a\r\n <b@c>\r\n\t(d)", ERR_EOF, "a|b|c|\n"},
        {"J\xc3\xb8ran <j\xc3\xb8ran@\xc3\xb8.example>", ERR_EOF,
                "J\xc3\xb8ran|j\xc3\xb8ran|\xc3\xb8.example|\n"},
        {"a@[192.0.2.1]", ERR_EOF, "|a|[192.0.2.1]|\n"},
        {"", ERR_EOF, ""},
        {" (only a comment) ", ERR_EOF, ""},
        {"a@b c@d", ERR_SYNTAX, "|a|b|\n"},
        {"a@b <c@d>", ERR_SYNTAX, "|a|b|\n"},
        {"a@b.example <c@d>", ERR_SYNTAX, "|a|b.example|\n"},
        {"x <a@b> <c@d>", ERR_SYNTAX, "x|a|b|\n"},
        {"<a@b", ERR_SYNTAX, ""},
        {"<a@b>>", ERR_SYNTAX, "|a|b|\n"},
        {"<>", ERR_SYNTAX, ""},
        {"<@x.test>", ERR_SYNTAX, ""},
        {"<@:a@b>", ERR_SYNTAX, ""},
        {"<a@b:c@d>", ERR_SYNTAX, ""},
        {"undisclosed", ERR_SYNTAX, ""},
        {"a . b@c", ERR_SYNTAX, ""},
        {"a@b . c", ERR_SYNTAX, "|a|b|\n"},
        {"a@b(x).c", ERR_SYNTAX, "|a|b|x\n"},
        {"\"a\r\n b\"@c", ERR_SYNTAX, ""},
        {"g: a@b", ERR_SYNTAX, "g|a|b|\n"},
        {"g: h: a@b;;", ERR_SYNTAX, ""},
        {"g:; a@b", ERR_SYNTAX, ""},
        {":;", ERR_SYNTAX, ""},
        {"a@b;", ERR_SYNTAX, "|a|b|\n"},
        {"a@b (unclosed", ERR_SYNTAX, "|a|b|\n"},
        {"(a\rb) a@b", ERR_SYNTAX, ""},
        {"(a\nb) a@b", ERR_SYNTAX, ""},
        {"(a\r\nb) a@b", ERR_SYNTAX, ""},
        {"a@b\r\n", ERR_SYNTAX, "|a|b|\n"},
        {"\"unclosed <a@b>", ERR_SYNTAX, ""},
        {"\xff <a@b>", ERR_SYNTAX, ""},
        {"a@b, " X60 "xxxxx@c", ERR_LIMIT, "|a|b|\n"},
        {"a@[x:y]", ERR_UNSUPPORTED, ""},
};

static void test_lists(void **state)
{
        (void)state;
        for (size_t i = 0; i < CASES(lists); i++) {
                char out[512];
                struct wr w;
                enum err end;
                struct mail_mailbox all[4];
                size_t n = 9;
                struct str text = exact(str_of_c(lists[i].text));
                print_message("%s\n", lists[i].text);
                wr_init(&w, out, sizeof out);
                list_write(&w, text, &end);
                assert_int_equal(end, lists[i].end);
                assert_true(str_eq(wr_text(&w), str_of_c(lists[i].want)));
                assert_int_equal(mail_addresses_parse(text, all, 4, &n), end == ERR_EOF ? ERR_OK : end);
                assert_true(end == ERR_EOF || n == 0);
                exact_free(text);
        }
}

static void test_lists_every_prefix(void **state)
{
        (void)state;
        for (size_t i = 0; i < CASES(lists); i++)
                for (size_t n = 0; n <= str_of_c(lists[i].text).n; n++) {
                        char out[512];
                        struct wr w;
                        enum err end;
                        struct str text = exact(str_take(str_of_c(lists[i].text), n));
                        wr_init(&w, out, sizeof out);
                        list_write(&w, text, &end);
                        assert_true(end == ERR_EOF || end == ERR_SYNTAX || end == ERR_LIMIT ||
                                    end == ERR_UNSUPPORTED);
                        exact_free(text);
                }
}

static void test_exactly_one(void **state)
{
        (void)state;
        static const struct {
                const char *text;
                enum err err;
        } cases[] = {
                {"a@b", ERR_OK},
                {"N <a@b>", ERR_OK},
                {"g:a@b;", ERR_OK},
                {"a@b, c@d", ERR_SYNTAX},
                {"", ERR_SYNTAX},
                {"g:;", ERR_SYNTAX},
                {"a@b x", ERR_SYNTAX},
                {"a@[x:y]", ERR_UNSUPPORTED},
        };
        for (size_t i = 0; i < CASES(cases); i++) {
                struct mail_mailbox m;
                print_message("%s\n", cases[i].text);
                assert_int_equal(mail_address_parse(str_of_c(cases[i].text), &m), cases[i].err);
                assert_int_equal(m.address.local.n > 0, cases[i].err == ERR_OK);
        }
}

/* Several From mailboxes: all are seen, none is dropped, and too many are said to be too many. */
static void test_several_from(void **state)
{
        (void)state;
        struct mail_mailbox m[2];
        size_t n;
        assert_int_equal(mail_addresses_parse(S("a@good.example, b@evil.example"), m, 2, &n), ERR_OK);
        assert_int_equal(n, 2);
        assert_true(str_eq(m[1].address.domain, S("evil.example")));
        assert_int_equal(mail_addresses_parse(S("a@b, c@d, e@f"), m, 2, &n), ERR_LIMIT);
        assert_int_equal(n, 0);
}

static void test_comparing(void **state)
{
        (void)state;
        static const struct {
                const char *a, *b;
                bool eq, folded;
                const char *key; /* of both, when folded */
        } cases[] = {
                {"a@b", "a@B", true, true, "a@b"}, {"A@b", "a@b", false, true, "a@b"},
                {"\"A\"@b", "a@b", false, true, "a@b"}, {"\"a\"@b", "a@b", true, true, "a@b"},
                {"\"\\a\"@b", "a@b", true, true, "a@b"}, {"\"a.b\"@c", "a.b@c", true, true, "a.b@c"},
                {"\"a b\"@c", "\"a\\ b\"@c", true, true, "\"a b\"@c"},
                {"\"a\\\"b\"@c", "\"a\\\\b\"@c", false, false, NULL},
                {"\"\"@c", "\"\\\"\"@c", false, false, NULL}, {"a@b", "aa@b", false, false, NULL},
                {"a@b", "a@bb", false, false, NULL},
                {"\xc3\x98@b", "\xc3\xb8@b", false, false, NULL}, /* only ASCII is folded */
        };
        for (size_t i = 0; i < CASES(cases); i++) {
                struct mail_address a, b;
                char x[300], y[300];
                struct wr v, w;
                print_message("%s %s\n", cases[i].a, cases[i].b);
                assert_int_equal(mail_mailbox_parse(str_of_c(cases[i].a), MAIL_UTF8, &a), ERR_OK);
                assert_int_equal(mail_mailbox_parse(str_of_c(cases[i].b), MAIL_UTF8, &b), ERR_OK);
                assert_int_equal(mail_address_eq(&a, &b), cases[i].eq);
                assert_int_equal(mail_address_eq_folded(&a, &b), cases[i].folded);
                wr_init(&v, x, sizeof x);
                wr_init(&w, y, sizeof y);
                mail_address_write_folded(&v, &a);
                mail_address_write_folded(&w, &b);
                assert_int_equal(str_eq(wr_text(&v), wr_text(&w)), cases[i].folded);
                assert_true(!cases[i].key || str_eq(wr_text(&v), str_of_c(cases[i].key)));
        }
}

static void test_writing(void **state)
{
        (void)state;
        static const struct {
                const char *text, *plain, *written;
        } cases[] = {
                {"A.b@C", "A.b", "A.b@C"},
                {"\"a.b\"@c", "a.b", "a.b@c"},
                {"\"a..b\"@c", "a..b", "\"a..b\"@c"},
                {"\"\\\\\\\"\"@c", "\\\"", "\"\\\\\\\"\"@c"},
                {"\"\"@c", "", "\"\"@c"},
                {"a@[1.2.3.4]", "a", "a@[1.2.3.4]"},
        };
        for (size_t i = 0; i < CASES(cases); i++) {
                struct mail_address a;
                char out[300];
                struct wr w;
                assert_int_equal(mail_mailbox_parse(str_of_c(cases[i].text), MAIL_ASCII, &a), ERR_OK);
                wr_init(&w, out, sizeof out);
                mail_local_unquote(&w, a.local);
                assert_true(str_eq(wr_text(&w), str_of_c(cases[i].plain)));
                wr_init(&w, out, sizeof out);
                mail_address_write(&w, &a);
                assert_true(str_eq(wr_text(&w), str_of_c(cases[i].written)));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_mailbox),
                cmocka_unit_test(test_scan),
                cmocka_unit_test(test_literal),
                cmocka_unit_test(test_lists),
                cmocka_unit_test(test_lists_every_prefix),
                cmocka_unit_test(test_exactly_one),
                cmocka_unit_test(test_several_from),
                cmocka_unit_test(test_comparing),
                cmocka_unit_test(test_writing),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
