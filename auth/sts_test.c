/* SPDX-License-Identifier: ISC */
#include "auth/sts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/exact.h"

#define HEAD "version: STSv1\nmode: enforce\nmax_age: 604800\n"
#define SIXTEEN "0123456789abcdef"
#define SIXTY_FOUR SIXTEEN SIXTEEN SIXTEEN SIXTEEN

/* ---- records ---- */

static const struct {
        const char *what, *texts[3];
        enum err err;
        const char *id;
} records[] = {
        {"that of RFC 8461 3.1", {"v=STSv1; id=20160831085700Z;"}, ERR_OK, "20160831085700Z"},
        {"no delimiter at the end", {"v=STSv1;id=1"}, ERR_OK, "1"},
        {"white space around delimiters", {"v=STSv1; \tid=1 \t; "}, ERR_OK, "1"},
        {"an id of 32", {"v=STSv1; id=" SIXTEEN SIXTEEN}, ERR_OK, SIXTEEN SIXTEEN},
        {"an id of 33", {"v=STSv1; id=" SIXTEEN SIXTEEN "0"}, ERR_SYNTAX, ""},
        {"extensions", {"v=STSv1; a.b-c_d=x:y; id=1; z=<"}, ERR_OK, "1"},
        {"the first id counts", {"v=STSv1; id=1; id=2"}, ERR_OK, "1"},
        {"beside others", {"v=spf1 -all", "v=STSv1; id=1", "v=STSv2; id=2"}, ERR_OK, "1"},
        {"none", {0}, ERR_NOT_FOUND, ""},
        {"only others", {"v=spf1 -all", "v=STSv10; id=1"}, ERR_NOT_FOUND, ""},
        {"case counts in the version", {"v=stsv1; id=1"}, ERR_NOT_FOUND, ""},
        {"the version is not first", {"id=1; v=STSv1;"}, ERR_NOT_FOUND, ""},
        {"two", {"v=STSv1; id=1", "v=STSv1; id=1"}, ERR_SYNTAX, ""},
        {"one that is good beside one that is not", {"v=STSv1; id=1", "v=STSv1;"}, ERR_SYNTAX, ""},
        {"no id", {"v=STSv1; x=1"}, ERR_SYNTAX, ""},
        {"nothing", {"v=STSv1;"}, ERR_SYNTAX, ""},
        {"an empty id", {"v=STSv1; id="}, ERR_SYNTAX, ""},
        {"an id with a mark", {"v=STSv1; id=1-2"}, ERR_SYNTAX, ""},
        {"an id with white space", {"v=STSv1; id= 1"}, ERR_SYNTAX, ""},
        {"a field that is none", {"v=STSv1; id=1; x"}, ERR_SYNTAX, ""},
        {"an empty field", {"v=STSv1;; id=1"}, ERR_SYNTAX, ""},
        {"a field without a name", {"v=STSv1; id=1; =x"}, ERR_SYNTAX, ""},
        {"a field of two equals signs", {"v=STSv1; id=1; x=y=z"}, ERR_SYNTAX, ""},
        {"an octet of eight bits", {"v=STSv1; id=1; x=\xc3\xa4"}, ERR_SYNTAX, ""},
};

static void test_records(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof records / sizeof records[0]; i++) {
                struct str texts[3], id;
                size_t n = 0;
                for (; n < 3 && records[i].texts[n]; n++)
                        texts[n] = exact(str_of_c(records[i].texts[n]));
                enum err e = sts_record_find(texts, n, &id);
                if (e != records[i].err || !str_eq(id, str_of_c(records[i].id)))
                        fail_msg("%s: %s, id \"%.*s\"", records[i].what, err_text(e), STR_ARG(id));
                while (n > 0)
                        exact_free(texts[--n]);
        }
}

/* ---- policies ---- */

static const struct {
        const char *what, *text;
        enum err err;
        enum sts_mode mode;
        int64_t max_age_s;
        size_t mx_count;
} policies[] = {
        {"that of RFC 8461 3.2",
                "version: STSv1\nmode: enforce\nmx: mail.example.com\nmx: *.example.net\n"
                "mx: backupmx.example.com\nmax_age: 604800\n",
                ERR_OK, STS_ENFORCE, 604800, 3},
        {"CRLF", "version: STSv1\r\nmode: testing\r\nmx: a.example\r\nmax_age: 1\r\n", ERR_OK, STS_TESTING, 1,
                1},
        {"no end of line at the end", HEAD "mx: a.example", ERR_OK, STS_ENFORCE, 604800, 1},
        {"no white space, and much", "version:STSv1\nmode: \t enforce  \nmax_age:1 \nmx:a.example\t\n",
                ERR_OK, STS_ENFORCE, 1, 1},
        {"the version last", "mode: none\nmax_age: 86400\nversion: STSv1\n", ERR_OK, STS_NONE, 86400, 0},
        {"unknown keys", HEAD "mx: a.example\nfoo.Bar_1-2: \xc3\xa4 b: c\nempty:\n", ERR_OK, STS_ENFORCE,
                604800, 1},
        {"empty lines", "\n" HEAD "\r\n \nmx: a.example\n\n", ERR_OK, STS_ENFORCE, 604800, 1},
        {"of two the first counts", HEAD "mode: none\nmax_age: x\nversion: STSv2\nmx: a.example\n", ERR_OK,
                STS_ENFORCE, 604800, 1},
        {"no time at all", "version: STSv1\nmode: none\nmax_age: 0\n", ERR_OK, STS_NONE, 0, 0},
        {"the longest time", "version: STSv1\nmode: none\nmax_age: 31557600\n", ERR_OK, STS_NONE, 31557600,
                0},
        {"more than the longest", "version: STSv1\nmode: none\nmax_age: 9999999999\n", ERR_OK, STS_NONE,
                31557600, 0},
        {"a host of one label", HEAD "mx: localhost\n", ERR_OK, STS_ENFORCE, 604800, 1},
        {"empty", "", ERR_SYNTAX, STS_NONE, 0, 0},
        {"no version", "mode: none\nmax_age: 1\n", ERR_SYNTAX, STS_NONE, 0, 0},
        {"another version", "version: STSv2\nmode: none\nmax_age: 1\n", ERR_SYNTAX, STS_NONE, 0, 0},
        {"no mode", "version: STSv1\nmx: a.example\nmax_age: 1\n", ERR_SYNTAX, STS_NONE, 0, 0},
        {"an unknown mode", "version: STSv1\nmode: report\nmx: a.example\nmax_age: 1\n", ERR_SYNTAX, STS_NONE,
                0, 0},
        {"case counts in the mode", "version: STSv1\nmode: Enforce\nmx: a.example\nmax_age: 1\n", ERR_SYNTAX,
                STS_NONE, 0, 0},
        {"no max_age", "version: STSv1\nmode: none\n", ERR_SYNTAX, STS_NONE, 0, 0},
        {"a max_age of 11 digits", "version: STSv1\nmode: none\nmax_age: 00000000001\n", ERR_SYNTAX, STS_NONE,
                0, 0},
        {"a negative max_age", "version: STSv1\nmode: none\nmax_age: -1\n", ERR_SYNTAX, STS_NONE, 0, 0},
        {"no mx", HEAD, ERR_SYNTAX, STS_NONE, 0, 0},
        {"an empty mx", HEAD "mx:\n", ERR_SYNTAX, STS_NONE, 0, 0},
        {"an asterisk alone", HEAD "mx: *\n", ERR_SYNTAX, STS_NONE, 0, 0},
        {"an asterisk and a dot", HEAD "mx: *.\n", ERR_SYNTAX, STS_NONE, 0, 0},
        {"an asterisk within", HEAD "mx: a.*.example\n", ERR_SYNTAX, STS_NONE, 0, 0},
        {"a part of a label", HEAD "mx: mx*.example\n", ERR_SYNTAX, STS_NONE, 0, 0},
        {"a dot in front", HEAD "mx: .example.com\n", ERR_SYNTAX, STS_NONE, 0, 0},
        {"a dot at the end", HEAD "mx: example.com.\n", ERR_SYNTAX, STS_NONE, 0, 0},
        {"a hyphen at the edge", HEAD "mx: -a.example\n", ERR_SYNTAX, STS_NONE, 0, 0},
        {"a label of 64", HEAD "mx: " SIXTY_FOUR ".example\n", ERR_SYNTAX, STS_NONE, 0, 0},
        {"a long name",
                HEAD "mx: " SIXTEEN "." SIXTEEN "." SIXTEEN "." SIXTEEN "." SIXTEEN "." SIXTEEN "." SIXTEEN
                     "." SIXTEEN "." SIXTEEN "." SIXTEEN "." SIXTEEN "." SIXTEEN "." SIXTEEN "." SIXTEEN
                     "." SIXTEEN "\n",
                ERR_SYNTAX, STS_NONE, 0, 0},
        {"two hosts on a line", HEAD "mx: a.example b.example\n", ERR_SYNTAX, STS_NONE, 0, 0},
        {"a line that is none", HEAD "mx: a.example\nhello\n", ERR_SYNTAX, STS_NONE, 0, 0},
        {"a key with white space", HEAD "mx: a.example\nfoo : bar\n", ERR_SYNTAX, STS_NONE, 0, 0},
        {"a bare CR", HEAD "mx: a.example\rmx: b.example\n", ERR_SYNTAX, STS_NONE, 0, 0},
        {"a page of HTML", "<!DOCTYPE html>\n<html>\n", ERR_SYNTAX, STS_NONE, 0, 0},
};

static enum err parse(struct str text, struct sts_policy *out)
{
        struct str copy = exact(text);
        enum err e = sts_policy_parse(copy, out);
        exact_free(copy);
        return e;
}

static void test_policies(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof policies / sizeof policies[0]; i++) {
                struct sts_policy p;
                enum err e = parse(str_of_c(policies[i].text), &p);
                if (e != policies[i].err || p.mode != policies[i].mode ||
                        p.max_age_s != policies[i].max_age_s || p.mx_count != policies[i].mx_count)
                        fail_msg("%s: %s, mode %d, %lld s, %zu mx", policies[i].what, err_text(e), p.mode,
                                (long long)p.max_age_s, p.mx_count);
        }
}

/* A policy that is cut is refused, or asks for no more than the whole one; and NUL is in none. */
static void test_prefixes(void **state)
{
        static const char text[] = "version: STSv1\nmode: enforce\nmax_age: 604800\nmx: a.example\n";
        (void)state;
        for (size_t n = 0; n < sizeof text - 1; n++) {
                struct sts_policy p;
                enum err e = parse(str_of(text, n), &p);
                assert_true(e == ERR_SYNTAX || (e == ERR_OK && p.mx_count == 1));
        }
        struct sts_policy p;
        assert_int_equal(parse(str_of(text, sizeof text), &p), ERR_SYNTAX);
}

/* The most that is kept is written and read back. */
static void test_limits(void **state)
{
        static char text[STS_KEPT_MAX * 8], again[STS_KEPT_MAX];
        struct sts_policy p, q;
        (void)state;
        for (size_t size = 10; size <= 250; size += 24) {
                struct wr w, kept;
                enum err e;
                size_t count = 0;
                wr_init(&w, text, sizeof text);
                wr_str(&w, S(HEAD));
                for (;;) {
                        wr_str(&w, S("mx: "));
                        for (size_t k = 1; k <= size; k++)
                                wr_byte(&w, k % 10 == 5 && k < size ? '.' : 'a');
                        wr_byte(&w, '\n');
                        assert_int_equal(wr_end(&w), ERR_OK);
                        e = parse(wr_text(&w), &p);
                        if (e != ERR_OK)
                                break;
                        count++;
                        assert_int_equal(sts_policy_parse(wr_text(&w), &p), ERR_OK);
                        wr_init(&kept, again, sizeof again);
                        sts_policy_write(&kept, &p);
                        assert_int_equal(wr_end(&kept), ERR_OK);
                        assert_int_equal(sts_policy_parse(wr_text(&kept), &q), ERR_OK);
                        assert_int_equal(q.mx_count, count);
                }
                assert_int_equal(e, ERR_LIMIT);
                assert_true(count == STS_MX_MAX || (count + 1) * (size + 5) > STS_KEPT_MAX - 64);
        }
}

static const struct {
        const char *pattern, *host;
        bool is_listed;
} hosts[] = {
        {"mail.example.com", "mail.example.com", true},
        {"mail.example.com", "MAIL.Example.COM", true},
        {"Mail.Example.Com", "mail.example.com", true},
        {"mail.example.com", "mail.example.com.evil.example", false},
        {"mail.example.com", "xmail.example.com", false},
        {"example.com", "mail.example.com", false},
        {"*.example.com", "mail.example.com", true},
        {"*.example.com", "MAIL.EXAMPLE.COM", true},
        {"*.example.com", "a.mail.example.com", false},
        {"*.example.com", "example.com", false},
        {"*.example.com", ".example.com", false},
        {"*.example.com", "mailexample.com", false},
        {"*.com", "example.com", true},
        {"mail.example.com", "", false},
        {"*.example.com", "", false},
};

static void test_hosts(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
                struct str pattern = exact(str_of_c(hosts[i].pattern)), host = exact(str_of_c(hosts[i].host));
                struct sts_policy p = {
                        .mode = STS_ENFORCE, .mx = {S("other.example"), pattern}, .mx_count = 2};
                if (sts_policy_lists(&p, host) != hosts[i].is_listed)
                        fail_msg("%s and \"%s\"", hosts[i].pattern, hosts[i].host);
                p.mx_count = 0;
                assert_false(sts_policy_lists(&p, host));
                exact_free(pattern);
                exact_free(host);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_records),
                cmocka_unit_test(test_policies),
                cmocka_unit_test(test_prefixes),
                cmocka_unit_test(test_limits),
                cmocka_unit_test(test_hosts),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
