/* SPDX-License-Identifier: ISC */
#include "list/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static char room[REPORT_TEXT_MAX];
static struct wr w;

static void begin(void)
{
        wr_init(&w, room, sizeof room);
}

static void wrote(const char *want)
{
        struct str got = wr_text(&w);
        if (w.full || !str_eq(got, str_of_c(want)))
                fail_msg("%.*s", (int)got.n, got.p);
}

static void test_digest(void **state)
{
        (void)state;
        const struct report_counts counts = {.of = {[JUDGE_ADDRESS] = 3, [JUDGE_POLICY] = 12}};
        begin();
        report_counts_write(&w, S("en"), &counts);
        wrote("no such address: 3\nrefused by policy (not counted against members): 12\n");
        begin();
        report_counts_write(&w, S("fr"), &counts);
        wrote("adresse inexistante: 3\nrefusé par règlement (sans conséquence pour les abonnés): 12\n");
        begin();
        report_event_write(&w, S("en"), REPORT_PROBED, S("a@b.example"));
        report_event_write(&w, S("de"), REPORT_REMOVED, S("a@b.example"));
        report_event_write(&w, S("fr"), REPORT_BREAKER, S("b.example"));
        wrote("asked by mail whether it still works: a@b.example\nremoved: a@b.example\n"
              "fournisseur en panne pour la plupart, personne n'y est compté: b.example\n");
        begin();
        report_failure_write(&w, S("a@b.example"), S("550 no"));
        report_failure_write(&w, S("a@b.example"), S(""));
        report_failure_write(&w, S("a@b.example"), S("550 5.7.1 no\r\nc@b.example: 550 no"));
        report_more_write(&w, S("en"), 7);
        report_more_write(&w, S("fr"), 7);
        wrote("a@b.example: 550 no\na@b.example\na@b.example: 550 5.7.1 no c@b.example: 550 no\nand 7 "
              "more\net 7 de plus\n");
}

/* Whatever was said, a line has room. */
static void test_long_lines(void **state)
{
        (void)state;
        static char text[5000];
        memset(text, 'x', sizeof text);
        struct str longest = str_of(text, sizeof text);
        char line[REPORT_LINE_MAX];
        wr_init(&w, line, sizeof line);
        report_failure_write(&w, longest, longest);
        assert_false(w.full);
        for (int event = REPORT_PROBED; event <= REPORT_BREAKER; event++) {
                wr_init(&w, line, sizeof line);
                report_event_write(&w, S("fr"), (enum report_event)event, longest);
                assert_false(w.full);
        }
        struct report_counts all;
        memset(&all, 0xff, sizeof all);
        wr_init(&w, line, sizeof line);
        report_counts_write(&w, S("fr"), &all);
        assert_false(w.full);
        struct report_week week;
        memset(&week, 0x7f, sizeof week);
        week.slow_count = REPORT_SLOWEST_MAX;
        for (size_t i = 0; i < REPORT_SLOWEST_MAX; i++)
                week.slowest[i].provider = longest;
        begin();
        report_week_write(&w, S("fr"), &week);
        assert_false(w.full);
}

static void test_week(void **state)
{
        (void)state;
        struct report_week week = {
                .members = 10, .joined = 2, .left = 1, .posts = 5, .done = 48, .failed = 2};
        begin();
        report_week_write(&w, S("en"), &week);
        wrote("members: 10\njoined: 2\nleft: 1\nposts: 5\ncopies delivered: 48\ncopies given up: 2\n"
              "copies that wait for another try: 0\n");
        week.removed = 1;
        week.held = 3;
        week.requests = 4;
        week.deferred = 1;
        week.oldest_s = 7199;
        week.slow_count = 4;
        week.slowest[0].provider = S("slow.example");
        week.slowest[0].mean_s = 3 * 86400;
        week.slowest[1].provider = S("b.example");
        week.slowest[1].mean_s = 7200;
        week.slowest[2].provider = S("c.example");
        week.slowest[2].mean_s = 119;
        week.slowest[3].provider = S("back.example");
        week.slowest[3].mean_s = -5;
        begin();
        report_week_write(&w, S("fr"), &week);
        wrote("abonnés: 10\ninscrits: 2\npartis: 1\ndont retirés parce que leur courrier revenait: "
              "1\nmessages: 5\n"
              "messages qui attendent un modérateur: 3\nautres demandes qui attendent une réponse: 4\n"
              "copies remises: 48\ncopies abandonnées: 2\ncopies qui attendent un nouvel essai: 1\n"
              "la plus ancienne attend depuis: 119 minutes\nfournisseurs les plus lents, du message à sa "
              "remise:\n"
              "  slow.example: 3 jours\n  b.example: 2 heures\n  c.example: 119 s\n  back.example: 0 s\n");
}

static void test_quiet(void **state)
{
        (void)state;
        static const struct {
                struct report_week week;
                bool want;
        } cases[] = {{{.members = 10, .requests = 1, .deferred = 1}, true}, {{.joined = 1}, false},
                {{.left = 1}, false}, {{.posts = 1}, false}, {{.failed = 1}, false}};
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
                assert_int_equal(report_week_is_quiet(&cases[i].week), cases[i].want);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_digest),
                cmocka_unit_test(test_long_lines),
                cmocka_unit_test(test_week),
                cmocka_unit_test(test_quiet),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
