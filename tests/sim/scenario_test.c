/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/scenario.h"

#define HEAD                                                                                         \
        "primary ns0\ndomain mailingl.st\nsigner nec1\nlipap mx\nlist ptt@mailingl.st\nmailhost h1 " \
        "sub1.test\nauthor ann ann@a.test\n"

static const char *const good[] = {
        "",
        "\n\n# a comment \"with\" anything = in it\n",
        "seed 17\nend 6h\n",
        HEAD "secondary ns1 least=30s\nresolver dns\nmember ptt@mailingl.st m1@sub1.test\n",
        HEAD "DNS: sub1.test MX \"10 h1.sub1.test\"\nTIME +50ms\nDNS: sub1.test MX *\n",
        HEAD
        "TIME +1h\npost ann ptt@mailingl.st size=2K name=p1\nkill mx power back=2s call=400 when=after\n",
        HEAD "temper h1 greylist=10m for=1h refuse=yes\npartition mx,nec1 for=1m\ndown * h1 for=1m\ncut mx "
             "h1 at=100 how=half\nclock mx -5m\n",
        HEAD
        "session ann mx\nS: 220 *\nC: EHLO x\nC: \nC:\nS: 250*\nexpect log mx \"event=ready hostname=*\"\n",
        HEAD "fault ns0 servfail chance=50 for=5m\nrestore mailingl.st ago=1h\nlink mx h1 loss=20 cut=5 "
             "for=1h\ndisk mx flush-error after=3\n",
        HEAD "member ptt@mailingl.st m*@sub1.test times=20\nexpect waiting\n",
        HEAD "join ptt@mailingl.st new@sub1.test\nleave ptt@mailingl.st new@sub1.test\nexpect delivered "
             "within=2h\n",
};

static const struct {
        const char *name, *text;
        unsigned line;
        const char *says;
} bad[] = {
        {"verb", "\nsead 1\n", 2, "unknown verb"},
        {"missing argument", "seed\n", 1, "missing: N"},
        {"not a number", "seed x1\n", 1, "not what should stand here: x1"},
        {"too many arguments", "seed 1 2\n", 1, "one word too many: 2"},
        {"unknown option", HEAD "secondary ns1 leest=1\n", 8, "unknown option: leest=1"},
        {"bad option value", HEAD "secondary ns1 least=1x\n", 8, "not a value of its option"},
        {"choice", HEAD "kill mx softly\n", 8, "softly"},
        {"a prefix of a choice", HEAD "kill mx proc\n", 8, "proc"},
        {"node unknown", HEAD "stop my\n", 8, "no such node"},
        {"node of another kind", HEAD "post mx ptt@mailingl.st\n", 8, "no such node"},
        {"second of several nodes", HEAD "partition mx,h2\n", 8, "h2"},
        {"list unknown", HEAD "member ptk@mailingl.st m1@sub1.test\n", 8, "not declared above"},
        {"list of no domain", "list ptt@mailingl.st\n", 1, "not declared above: mailingl.st"},
        {"declared twice", HEAD "signer nec1\n", 8, "declared twice"},
        {"declared twice in another role", HEAD "signer mx\n", 8, "declared twice"},
        {"use above declaration", "stop mx\n" HEAD, 1, "no such node"},
        {"dialogue without session", HEAD "C: QUIT\n", 8, "no session"},
        {"open quote", HEAD "expect log mx \"abc\n", 8, "quote"},
        {"quote in a word", HEAD "expect log mx a\"bc\"\n", 8, "quote"},
        {"text behind a quote", HEAD "expect log mx \"a\"b\n", 8, "quote"},
        {"words", "seed 1 2 3 4 5 6 7 8 9 1 2 3 4 5 6 7 8 9 1 2 3 4 5 6 7 8\n", 1, "too many words"},
};

static char *print(const struct scenario *s, size_t *n)
{
        size_t cap = scenario_print_size(s);
        char *text = malloc(cap);
        struct wr w;
        assert_non_null(text);
        wr_init(&w, text, cap);
        scenario_print(s, &w);
        assert_false(w.full);
        *n = w.n;
        return text;
}

static void what_is_printed_is_what_was_read(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
                struct scenario s;
                struct scenario_fault fault;
                size_t n;
                if (scenario_parse(str_of_c(good[i]), &s, &fault) != ERR_OK)
                        fail_msg("%s\nline %u: %s", good[i], fault.line, fault.text);
                char *text = print(&s, &n);
                assert_int_equal(n, strlen(good[i]));
                assert_memory_equal(text, good[i], n);
                free(text);
                scenario_free(&s);
        }
}

static void mistakes_are_named_with_their_line(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
                struct scenario s;
                struct scenario_fault fault;
                if (scenario_parse(str_of_c(bad[i].text), &s, &fault) != ERR_SYNTAX)
                        fail_msg("%s: taken", bad[i].name);
                if (fault.line != bad[i].line || !strstr(fault.text, bad[i].says))
                        fail_msg("%s: line %u: %s", bad[i].name, fault.line, fault.text);
        }
}

/* Any prefix of a good file is read or refused; what is read prints as it was. */
static void prefixes(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
                for (size_t n = 0; n < strlen(good[i]); n++) {
                        char *exact = malloc(n + !n);
                        struct scenario s;
                        struct scenario_fault fault;
                        size_t printed;
                        memcpy(exact, good[i], n);
                        if (scenario_parse(str_of(exact, n), &s, &fault) == ERR_OK) {
                                char *text = print(&s, &printed);
                                assert_true(printed >= n);
                                free(text);
                                scenario_free(&s);
                        }
                        free(exact);
                }
}

static void options_and_arguments_are_found(void **state)
{
        struct scenario s;
        struct scenario_fault fault;
        struct str value;
        (void)state;
        assert_int_equal(
                scenario_parse(S(HEAD "post ann ptt@mailingl.st size=2K name=p1\n"), &s, &fault), ERR_OK);
        const struct statement *t = &s.statements[s.count - 1];
        assert_int_equal(t->verb, VERB_POST);
        assert_int_equal(statement_arguments(t), 2);
        assert_true(str_eq(statement_argument(t, 1), S("ptt@mailingl.st")));
        assert_int_equal(statement_argument(t, 2).n, 0);
        assert_int_equal(statement_number(t, "size", 1), 2048);
        assert_int_equal(statement_number(t, "sizes", 1), 1);
        assert_true(statement_has(t, "name", &value) && str_eq(value, S("p1")));
        assert_int_equal(statement_ms(t, "within", 7), 7);
        scenario_free(&s);
}

static void durations(void **state)
{
        static const struct {
                const char *text;
                bool is_signed, is_good;
                int64_t ms;
        } cases[] = {
                {"0", false, true, 0},
                {"50ms", false, true, 50},
                {"90", false, true, 90000},
                {"2h", false, true, 7200000},
                {"+1d", true, true, 86400000},
                {"-5m", true, true, -300000},
                {"-5m", false, false, 0},
                {"+5m", false, false, 0},
                {"ms", false, false, 0},
                {"", true, false, 0},
                {"+", true, false, 0},
                {"--5", true, false, 0},
        };
        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                int64_t ms;
                enum err e = scenario_duration_parse(str_of_c(cases[i].text), cases[i].is_signed, &ms);
                if ((e == ERR_OK) != cases[i].is_good || (e == ERR_OK && ms != cases[i].ms))
                        fail_msg("%s: %d, %lld", cases[i].text, e, (long long)ms);
        }
}

static void patterns(void **state)
{
        static const struct {
                const char *pattern, *text;
                bool fits;
        } cases[] = {
                {"", "", true},
                {"", "a", false},
                {"*", "", true},
                {"250*", "250-x", true},
                {"250*", "25", false},
                {"*x*y", "axbxcy", true},
                {"*x*y", "axbxc", false},
                {"a*a", "a", false},
        };
        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
                if (scenario_matches(str_of_c(cases[i].pattern), str_of_c(cases[i].text)) != cases[i].fits)
                        fail_msg("%s %s", cases[i].pattern, cases[i].text);
}

/* What the shrinker relies on: a check alone finds what hangs in the air. */
static void a_statement_left_out_is_missed(void **state)
{
        struct scenario s;
        struct scenario_fault fault;
        (void)state;
        assert_int_equal(scenario_parse(S(HEAD "stop mx\nstop nec1\n"), &s, &fault), ERR_OK);
        memmove(&s.statements[3], &s.statements[4], (s.count - 4) * sizeof *s.statements); /* lipap mx */
        s.count--;
        assert_int_equal(scenario_check(&s, &fault), ERR_SYNTAX);
        assert_int_equal(fault.statement, s.count - 2);
        scenario_free(&s);
}

static void members_are_numbered(void **state)
{
        static const struct {
                const char *line;
                size_t at, count;
                const char *who;
        } cases[] = {{"member ptt@mailingl.st bob@sub1.test\n", 0, 1, "bob@sub1.test"},
                {"member ptt@mailingl.st m*@sub1.test times=20\n", 19, 20, "m19@sub1.test"},
                {"member ptt@mailingl.st *m@sub1.test times=1\n", 0, 1, "0m@sub1.test"},
                {"member ptt@mailingl.st m*@sub1.test times=0\n", 0, 0, "m0@sub1.test"}};
        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct scenario s;
                struct scenario_fault fault;
                char text[512], who[64];
                struct wr w;
                wr_init(&w, text, sizeof text);
                wr_str(&w, S(HEAD));
                wr_str(&w, str_of_c(cases[i].line));
                assert_int_equal(scenario_parse(wr_text(&w), &s, &fault), ERR_OK);
                const struct statement *t = &s.statements[s.count - 1];
                wr_init(&w, who, sizeof who);
                statement_member(t, cases[i].at, &w);
                assert_true(str_eq(wr_text(&w), str_of_c(cases[i].who)));
                assert_int_equal(statement_members(t), cases[i].count);
                scenario_free(&s);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(members_are_numbered),
                cmocka_unit_test(what_is_printed_is_what_was_read),
                cmocka_unit_test(mistakes_are_named_with_their_line),
                cmocka_unit_test(prefixes),
                cmocka_unit_test(options_and_arguments_are_found),
                cmocka_unit_test(durations),
                cmocka_unit_test(patterns),
                cmocka_unit_test(a_statement_left_out_is_missed),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
