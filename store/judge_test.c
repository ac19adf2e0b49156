/* SPDX-License-Identifier: ISC */
#include "store/judge.h"

#include "store/ask.h"
#include "store/report.h"
#include "store/rig.h"

static const struct store_score full_score = {.member = 2,
        .provider = {"D1.Example", 10},
        .halves = 5,
        .days = 3,
        .is_smtp = true,
        .failed_ms = 101,
        .last_ms = {102, 103},
        .last_halves = {2, 1},
        .probe = STORE_PROBE_SENT,
        .probe_ms = 104,
        .seen_ms = 105,
        .reply = {"550 no", 6}};

static void put(struct rig *r, int64_t member, const char *provider, int64_t seen_ms)
{
        struct store_score s = full_score;
        s.member = member;
        s.provider = str_of_c(provider);
        s.seen_ms = seen_ms;
        assert_int_equal(store_score_put(r->s, &s), ERR_OK);
}

static struct store_score get(struct rig *r, int64_t member)
{
        struct store_score s;
        assert_int_equal(store_score_get(r->s, member, &r->arena, &s), ERR_OK);
        return s;
}

static void scores(struct rig *r)
{
        struct store_score *rows;
        size_t count;
        uint64_t n;
        rig_start(r);
        int64_t list = rig_list(r, "ptt", 10);
        struct store_score s = get(r, 2);
        assert_int_equal(s.list, list);
        assert_true(str_eq(s.address, S("M1@D1.example")));
        assert_true(s.halves == 0 && s.seen_ms == 0 && s.provider.n == 0);
        put(r, 2, "D1.Example", 105);
        put(r, 2, "D1.Example", 106); /* in its place */
        s = get(r, 2);
        assert_true(str_eq(s.provider, S("d1.example")) && str_eq(s.reply, S("550 no")));
        assert_true(s.halves == 5 && s.days == 3 && s.is_smtp && s.failed_ms == 101 && s.last_ms[0] == 102 &&
                    s.last_halves[0] == 2 && s.last_ms[1] == 103 && s.last_halves[1] == 1 &&
                    s.probe == STORE_PROBE_SENT && s.probe_ms == 104 && s.seen_ms == 106);
        put(r, 5, "d1.example", 50);
        put(r, 9, "d1.example", 200);
        put(r, 8, "other.example", 200);
        assert_int_equal(store_scores_count(r->s, S("D1.example"), 100, 10, &n), ERR_OK);
        assert_int_equal(n, 2);
        assert_int_equal(store_scores_count(r->s, S("d1.example"), 0, 1, &n), ERR_OK);
        assert_int_equal(n, 1);
        assert_int_equal(store_scores_at(r->s, S("d1.example"), 100, 0, 1, &r->arena, &rows, &count), ERR_OK);
        assert_true(count == 1 && rows[0].member == 2);
        assert_int_equal(store_scores_at(r->s, S("d1.example"), 100, 2, 9, &r->arena, &rows, &count), ERR_OK);
        assert_true(count == 1 && rows[0].member == 9);
        assert_int_equal(store_scores(r->s, 2, 9, &r->arena, &rows, &count), ERR_OK);
        assert_int_equal(count, 3);
        struct store_score old = get(r, 5);
        put(r, 5, "d1.example", 51); /* it failed meanwhile, and stays */
        assert_int_equal(store_score_drop(r->s, &old), ERR_OK);
        assert_int_equal(get(r, 5).seen_ms, 51);
        old = get(r, 5);
        assert_int_equal(store_score_drop(r->s, &old), ERR_OK);
        assert_int_equal(store_score_drop(r->s, &old), ERR_OK);
        assert_int_equal(store_member_remove(r->s, list, S("m8@d1.example")), ERR_OK);
        assert_int_equal(store_scores(r->s, 0, 9, &r->arena, &rows, &count), ERR_OK);
        assert_int_equal(count, 2); /* a score goes with its member */
        assert_int_equal(store_score_get(r->s, 9, &r->arena, &s), ERR_NOT_FOUND);
        s = full_score;
        s.member = 9;
        assert_int_equal(store_score_put(r->s, &s), ERR_NOT_FOUND);
        rig_stop(r);
}
RIG_CASE(scores)

/* What a delivery that is done means, row by row. */
static void delivered(struct rig *r)
{
        static const struct {
                bool is_smtp;
                enum store_probe probe, want_probe;
                int want_halves;
        } cases[] = {{true, STORE_PROBE_NONE, STORE_PROBE_NONE, 0},
                {true, STORE_PROBE_SENT, STORE_PROBE_NONE, 0}, {false, STORE_PROBE_NONE, STORE_PROBE_NONE, 5},
                {false, STORE_PROBE_SENT, STORE_PROBE_SENT, 5},
                {false, STORE_PROBE_ACCEPTED, STORE_PROBE_ACCEPTED, 5}};
        struct store_delivery *rows;
        size_t count;
        int64_t id;
        rig_start(r);
        int64_t list = rig_list(r, "ptt", 6);
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct store_score s = full_score;
                s.member = (int64_t)i + 1;
                s.is_smtp = cases[i].is_smtp;
                s.probe = cases[i].probe;
                assert_int_equal(store_score_put(r->s, &s), ERR_OK);
        }
        assert_int_equal(rig_take(r, list, "t", 1, 10, 10, &id), ERR_OK);
        assert_int_equal(store_ticket_sign(r->s, id, S("")), ERR_OK);
        assert_int_equal(store_post_fill(r->s, 1, 10, &r->arena, &rows, &count), ERR_OK);
        assert_int_equal(count, 6);
        for (size_t i = 0; i < count; i++)
                assert_int_equal(store_delivery_done(r->s, rows[i].id, 900, 250, S("250 ok")), ERR_OK);
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct store_score s = get(r, (int64_t)i + 1);
                assert_int_equal(s.halves, cases[i].want_halves);
                assert_int_equal(s.probe, cases[i].want_probe);
                assert_int_equal(s.probe_ms, 104);
                assert_int_equal(s.last_ms[0], 102); /* that day was counted, whatever came later */
                assert_int_equal(s.last_halves[0], cases[i].want_halves > 0 ? 2 : 0);
        }
        rig_stop(r);
}
RIG_CASE(delivered)

/* A probe is a forward of a list, and its delivery names the member. */
static void probes(struct rig *r)
{
        struct store_intake *intake;
        struct store_delivery *rows;
        struct store_message kept;
        size_t count;
        int64_t id;
        rig_start(r);
        int64_t list = rig_list(r, "ptt", 3);
        const struct str to = S("M1@D1.example");
        struct store_message_new m = {.ticket = S("t"),
                .kind = STORE_FORWARD,
                .list = list,
                .probe = 2,
                .domain = S("example.org"),
                .recipients = &to,
                .recipient_count = 1};
        put(r, 2, "d1.example", 105);
        struct store_score s = get(r, 2);
        s.is_smtp = false;
        assert_int_equal(store_score_put(r->s, &s), ERR_OK);
        assert_int_equal(store_intake_begin(r->s, 0, &intake), ERR_OK);
        assert_int_equal(store_intake_commit(intake, &m, &id), ERR_OK);
        assert_int_equal(store_ticket_sign(r->s, id, S("")), ERR_OK);
        assert_int_equal(store_message_get(r->s, id, &r->arena, &kept), ERR_OK);
        assert_true(kept.probe == 2 && kept.list == list);
        assert_int_equal(store_delivery_due(r->s, 1000, 10, &r->arena, &rows, &count), ERR_OK);
        assert_int_equal(count, 1);
        assert_true(rows[0].member == 2 && rows[0].list == list && str_eq(rows[0].address, to));
        assert_int_equal(store_delivery_done(r->s, rows[0].id, 900, 250, S("250 ok")), ERR_OK);
        assert_int_equal(get(r, 2).probe, STORE_PROBE_ACCEPTED);
        assert_int_equal(get(r, 2).probe_ms, 900);
        assert_int_equal(get(r, 2).halves, 5);
        rig_stop(r);
}
RIG_CASE(probes)

static void breakers(struct rig *r)
{
        size_t count;
        bool is_open;
        rig_start(r);
        int64_t list = rig_list(r, "ptt", 1);
        assert_int_equal(store_breaker_is_open(r->s, S("p.example"), 0, 100, &is_open), ERR_OK);
        assert_false(is_open);
        assert_int_equal(store_breaker_tell(r->s, S("p.example"), list), ERR_NOT_FOUND);
        assert_int_equal(store_breaker_open(r->s, S("P.example"), 0, 200), ERR_OK);
        static const struct {
                int64_t now_ms;
                bool want;
        } times[] = {{99, false}, {100, true}, {199, true}, {200, false}};
        for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
                assert_int_equal(
                        store_breaker_is_open(r->s, S("p.example"), times[i].now_ms, 100, &is_open), ERR_OK);
                assert_int_equal(is_open, times[i].want);
        }
        assert_int_equal(store_breaker_tell(r->s, S("p.example"), list), ERR_OK);
        assert_int_equal(store_breaker_tell(r->s, S("P.example"), list), ERR_EXISTS);
        assert_int_equal(store_breaker_tell(r->s, S("p.example"), list + 1), ERR_NOT_FOUND);
        assert_int_equal(store_breaker_open(r->s, S("p.example"), 200, 300), ERR_OK); /* it goes on */
        assert_int_equal(store_breaker_tell(r->s, S("p.example"), list), ERR_EXISTS);
        assert_int_equal(store_breaker_is_open(r->s, S("p.example"), 250, 100, &is_open), ERR_OK);
        assert_true(is_open);
        assert_int_equal(store_breaker_open(r->s, S("p.example"), 301, 400), ERR_OK); /* another one */
        assert_int_equal(store_breaker_tell(r->s, S("p.example"), list), ERR_OK);
        assert_int_equal(store_judge_forget(r->s, 401, 10, &count), ERR_OK);
        assert_int_equal(count, 1);
        assert_int_equal(store_breaker_tell(r->s, S("p.example"), list), ERR_NOT_FOUND);
        rig_stop(r);
}
RIG_CASE(breakers)

static void verdicts_and_failures(struct rig *r)
{
        struct store_verdict *rows;
        struct store_failure *failures;
        size_t count;
        rig_start(r);
        int64_t list = rig_list(r, "ptt", 3), other = rig_list(r, "other", 3);
        for (int64_t i = 0; i < 4; i++) {
                struct store_verdict v = {.list = i == 2 ? other : list,
                        .member = i,
                        .kind = STORE_VERDICT_REMOVED,
                        .address = S("a@b"),
                        .reply = S("550"),
                        .time_ms = 10 * i};
                assert_int_equal(store_verdict_add(r->s, &v), ERR_OK);
        }
        const struct store_verdicts_wanted all = {.upto = INT64_MAX, .limit = 10},
                                           some = {.list = list, .after = 1, .upto = 4, .limit = 10},
                                           none = {.list = list, .after = 4, .upto = 4, .limit = 10};
        assert_int_equal(store_verdicts(r->s, &all, &r->arena, &rows, &count), ERR_OK);
        assert_int_equal(count, 4);
        assert_true(str_eq(rows[2].list_name, S("other")) && str_eq(rows[2].domain, S("example.org")));
        assert_int_equal(store_verdicts(r->s, &some, &r->arena, &rows, &count), ERR_OK);
        assert_true(count == 2 && rows[0].id == 2 && rows[1].id == 4 && rows[1].time_ms == 30);
        assert_int_equal(store_verdicts(r->s, &none, &r->arena, &rows, &count), ERR_OK);
        assert_int_equal(count, 0);
        assert_int_equal(store_judge_forget(r->s, 15, 1, &count), ERR_OK);
        assert_int_equal(count, 1);
        for (int64_t member = 1; member <= 6; member++)
                assert_int_equal(store_failure_add(r->s, member, 7, S("5.1.1 no")), ERR_OK);
        assert_int_equal(store_failures_of(r->s, &some, &r->arena, &failures, &count), ERR_OK);
        assert_true(count == 2 && failures[0].id == 2 && failures[1].id == 3);
        rig_stop(r);
}
RIG_CASE(verdicts_and_failures)

/* Page by page, from where the last one ended. Gives how many there are, and what the last full page cost beside the first. */
static size_t count_ended(
        struct rig *r, struct store_ended_wanted wanted, enum sql sql, int *first, int *last)
{
        sqlite3_stmt *statement = r->s->db.statements[sql];
        size_t total = 0, count;
        *first = *last = 0;
        do {
                struct store_ended *rows;
                arena_reset(&r->arena);
                if (statement)
                        (void)sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_VM_STEP, 1);
                assert_int_equal(store_ended(r->s, &wanted, &r->arena, &rows, &count), ERR_OK);
                statement = r->s->db.statements[sql];
                int steps = sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_VM_STEP, 0);
                *first = total == 0 ? steps : *first;
                *last = count == wanted.limit ? steps : *last;
                for (size_t i = 0; i < count; i++) {
                        assert_true(
                                rows[i].place[0] > wanted.after[0] ||
                                (rows[i].place[0] == wanted.after[0] && rows[i].place[1] > wanted.after[1]));
                        assert_true(rows[i].time_ms >= wanted.since_ms && rows[i].time_ms <= wanted.upto_ms);
                        assert_true(rows[i].is_delivered == (rows[i].reply.n == 0));
                        memcpy(wanted.after, rows[i].place, sizeof wanted.after);
                }
                total += count;
        } while (count == wanted.limit);
        return total;
}

/* All that ended, each once, and no page costs more for those before it. */
static void ended(struct rig *r)
{
        enum { MEMBERS = 200 };
        struct store_delivery *rows;
        size_t count;
        int first, last;
        int64_t id;
        rig_start(r);
        int64_t list = rig_list(r, "ptt", MEMBERS);
        for (unsigned post = 0; post < 2; post++) {
                assert_int_equal(rig_take(r, list, post == 0 ? "a" : "b", 1, 10, 10, &id), ERR_OK);
                assert_int_equal(store_ticket_sign(r->s, id, S("")), ERR_OK);
                arena_reset(&r->arena);
                assert_int_equal(store_post_fill(r->s, 1, MEMBERS, &r->arena, &rows, &count), ERR_OK);
                assert_int_equal(count, MEMBERS);
                for (size_t i = 0; i < count; i++)
                        assert_int_equal(
                                i % 50 == 0 ? store_delivery_fail(r->s, rows[i].id, 900, 550, S("550 no"))
                                            : store_delivery_done(r->s, rows[i].id, 800, 250, S("250 ok")),
                                ERR_OK);
        }
        for (int64_t member = 1; member <= MEMBERS; member++)
                assert_int_equal(store_failure_add(r->s, member, 7000 + member / 3, S("5.1.1 no")), ERR_OK);
        struct store_ended_wanted wanted = {.since_ms = 800, .upto_ms = 900, .limit = 10};
        assert_int_equal(count_ended(r, wanted, SQL_ENDED_RESULTS, &first, &last), 2 * MEMBERS);
        assert_in_range(last, 1, 2 * first);
        wanted.since_ms = 801;
        assert_int_equal(count_ended(r, wanted, SQL_ENDED_RESULTS, &first, &last), 8);
        wanted = (struct store_ended_wanted){
                .are_bounces = true, .since_ms = 7000, .upto_ms = 7001, .limit = 3};
        assert_int_equal(count_ended(r, wanted, SQL_ENDED_BOUNCES, &first, &last), 5);
        wanted.upto_ms = 9000;
        assert_int_equal(count_ended(r, wanted, SQL_ENDED_BOUNCES, &first, &last), MEMBERS);
        assert_in_range(last, 1, 2 * first);
        rig_stop(r);
}
RIG_CASE(ended)

/* One of each member, the newest, and of all no more than there may be. */
static void kept_bounces(struct rig *r)
{
        static char bytes[STORE_BOUNCE_MAX + 1];
        struct str got;
        size_t count;
        rig_start(r);
        int64_t list = rig_list(r, "ptt", 1), most = STORE_BOUNCES_KEPT_MAX;
        for (int64_t i = 1; i <= most + 5; i++) {
                struct store_bounce_new b = {i, list, 10 * i, str_of(bytes, sizeof bytes)};
                memset(bytes, 'a' + (int)(i % 20), sizeof bytes);
                assert_int_equal(store_bounce_keep(r->s, &b), ERR_OK);
                arena_reset(&r->arena);
                assert_int_equal(store_bounce_get(r->s, i, &r->arena, &got), ERR_OK);
                assert_true(got.n == STORE_BOUNCE_MAX && got.p[0] == bytes[0]);
        }
        assert_int_equal(store_bounce_get(r->s, 5, &r->arena, &got), ERR_NOT_FOUND);
        assert_int_equal(store_bounce_get(r->s, 6, &r->arena, &got), ERR_OK);
        struct store_bounce_new newer = {6, list, 99999, S("another")};
        assert_int_equal(store_bounce_keep(r->s, &newer), ERR_OK);
        assert_int_equal(store_bounce_get(r->s, 6, &r->arena, &got), ERR_OK);
        assert_true(str_eq(got, S("another")));
        assert_int_equal(store_judge_forget(r->s, 99999, 1000, &count), ERR_OK);
        assert_int_equal(count, most - 1);
        assert_int_equal(store_bounce_get(r->s, 6, &r->arena, &got), ERR_OK);
        rig_stop(r);
}
RIG_CASE(kept_bounces)

/* Who sends bounce after bounce has one place of those that are kept, and takes none from another. */
static void one_who_bounces_without_end(struct rig *r)
{
        struct str got;
        rig_start(r);
        int64_t list = rig_list(r, "ptt", 1);
        struct store_bounce_new quiet = {1, list, 1, S("of the first")};
        assert_int_equal(store_bounce_keep(r->s, &quiet), ERR_OK);
        for (int64_t i = 0; i < STORE_BOUNCES_KEPT_MAX; i++) {
                struct store_bounce_new loud = {2, list, 2 + i, S("again")};
                assert_int_equal(store_bounce_keep(r->s, &loud), ERR_OK);
        }
        arena_reset(&r->arena);
        assert_int_equal(store_bounce_get(r->s, 1, &r->arena, &got), ERR_OK);
        assert_true(str_eq(got, S("of the first")));
        assert_int_equal(store_bounce_get(r->s, 2, &r->arena, &got), ERR_OK);
        rig_stop(r);
}
RIG_CASE(one_who_bounces_without_end)

/* ---- reports ---- */

static void told_rows(struct rig *r)
{
        struct store_told t;
        rig_start(r);
        assert_int_equal(store_told_next(r->s, 0, &t), ERR_NOT_FOUND);
        int64_t list = rig_list(r, "ptt", 3), other = rig_list(r, "other", 2);
        assert_int_equal(store_failure_add(r->s, 2, 7, S("5.1.1 no")), ERR_OK);
        assert_int_equal(store_told_next(r->s, 0, &t), ERR_OK);
        assert_true(t.list == list && !t.is_known && t.failure == 1 && t.verdict == 0 && t.member == 3);
        struct store_told mine = {.list = list,
                .digest_ms = 1,
                .digest_failure = 2,
                .digest_verdict = 3,
                .report_ms = 4,
                .report_member = 5,
                .report_verdict = 6,
                .report_members = 7};
        assert_int_equal(store_told_put(r->s, &mine), ERR_OK);
        assert_int_equal(store_told_put(r->s, &mine), ERR_OK);
        assert_int_equal(store_told_next(r->s, 0, &t), ERR_OK);
        assert_true(t.is_known && t.digest_ms == 1 && t.digest_failure == 2 && t.digest_verdict == 3 &&
                    t.report_ms == 4 && t.report_member == 5 && t.report_verdict == 6 &&
                    t.report_members == 7);
        assert_int_equal(store_told_next(r->s, list, &t), ERR_OK);
        assert_true(t.list == other && t.failure == 0 && t.member == 5);
        assert_int_equal(store_told_next(r->s, other, &t), ERR_NOT_FOUND);
        mine.list = 77;
        assert_int_equal(store_told_put(r->s, &mine), ERR_NOT_FOUND);
        rig_stop(r);
}
RIG_CASE(told_rows)

static void reports(struct rig *r)
{
        struct store_delivery *rows;
        struct store_report report;
        struct store_told told = {.report_member = 5};
        size_t count;
        int64_t id;
        rig_start(r);
        told.list = rig_list(r, "ptt", 8);
        assert_int_equal(store_report(r->s, &told, 0, &r->arena, &report), ERR_OK);
        assert_true(report.members == 8 && report.joined == 3 && report.posts == 0 &&
                    report.slow_count == 0 && report.oldest_ms == 0);
        assert_int_equal(rig_take(r, told.list, "t", 1, 10, 10, &id), ERR_OK); /* received at 5000 */
        assert_int_equal(store_ticket_sign(r->s, id, S("")), ERR_OK);
        assert_int_equal(store_post_fill(r->s, 1, 10, &r->arena, &rows, &count), ERR_OK);
        for (size_t i = 0; i < 6; i++) /* m0@d0 to m5@d5; m3 late, m4 never */
                assert_int_equal(
                        i == 4 ? store_delivery_fail(r->s, rows[i].id, 9000, 550, S("550 no"))
                               : store_delivery_done(r->s, rows[i].id, i == 3 ? 65000 : 6000, 250, S("")),
                        ERR_OK);
        assert_int_equal(store_delivery_defer(r->s, rows[6].id, 99999, S("450 later")), ERR_OK);
        assert_int_equal(store_report(r->s, &told, 5000, &r->arena, &report), ERR_OK);
        assert_true(report.posts == 1 && report.done == 5 && report.failed == 1 && report.deferred == 1);
        assert_int_equal(report.oldest_ms, 5000);
        assert_int_equal(report.slow_count, 5);
        assert_true(str_eq_nocase(report.slowest[0].provider, S("d3.example")));
        assert_int_equal(report.slowest[0].mean_ms, 60000);
        assert_int_equal(report.slowest[1].mean_ms, 1000);
        assert_int_equal(store_report(r->s, &told, 5001, &r->arena, &report), ERR_OK);
        assert_true(report.posts == 0 && report.done == 0 && report.slow_count == 0);
        rig_stop(r);
}
RIG_CASE(reports)

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_scores),
                cmocka_unit_test(test_delivered),
                cmocka_unit_test(test_probes),
                cmocka_unit_test(test_breakers),
                cmocka_unit_test(test_verdicts_and_failures),
                cmocka_unit_test(test_ended),
                cmocka_unit_test(test_kept_bounces),
                cmocka_unit_test(test_one_who_bounces_without_end),
                cmocka_unit_test(test_told_rows),
                cmocka_unit_test(test_reports),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
