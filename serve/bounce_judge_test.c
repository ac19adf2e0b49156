/* SPDX-License-Identifier: ISC */
/* Members who fail, from the first failure to the end of their membership. */
#include "serve/bounce_scene.h"

#include "serve/providers.h"
#include "store/ask.h"
#include "store/open_tickets.h"

/* ---- the life of a member ---- */

static void refused_then_removed(struct rig *r)
{
        struct scene c;
        struct store_verdict *verdicts;
        size_t count;
        scene_begin(&c, r, 3);
        for (int day = 0; day < 3; day++, clock_ms += DAY) {
                assert_int_equal(post_fails(&c, "m1@", 550, REFUSED), 1);
                assert_int_equal(post_fails(&c, "m1@", 550, REFUSED), 1); /* no count of its own */
                assert_int_equal(score_of_member(&c, "m1@d.example").halves, (day + 1) * JUDGE_ONE);
                assert_int_equal(notices_of(&c, "probe"), day == 2);
        }
        assert_int_equal(score_of_member(&c, "m1@d.example").probe, STORE_PROBE_SENT);
        struct store_message probe = send_notices(&c);
        assert_int_equal(probe.list, c.list);
        assert_true(probe.probe > 0);
        assert_true(is_member(r, c.list, "m1@d.example"));
        uint64_t rung = r->node.mailer_bell.rung;
        assert_int_equal(deliver_all(&c, "m1@", 550, REFUSED), 1);
        assert_true(r->node.mailer_bell.rung > rung);
        assert_false(is_member(r, c.list, "m1@d.example"));
        assert_true(is_member(r, c.list, "m0@d.example") && is_member(r, c.list, "m2@d.example"));
        assert_int_equal(notices_of(&c, "farewell-bounced"), 1);
        assert_int_equal(notices_of(&c, "removed-owner"), 1);
        assert_int_equal(r->node.stats.bounced_out, 1);
        arena_reset(&r->arena);
        const struct store_verdicts_wanted all = {.upto = INT64_MAX, .limit = 10};
        assert_int_equal(store_verdicts(r->node.store, &all, &r->arena, &verdicts, &count), ERR_OK);
        assert_int_equal(count, 2);
        assert_int_equal(verdicts[0].kind, STORE_VERDICT_PROBED);
        assert_int_equal(verdicts[1].kind, STORE_VERDICT_REMOVED);
        assert_true(str_eq(verdicts[1].reply, S(REFUSED)));
        scene_end(&c);
}
LIST_TEST(refused_then_removed)

/* The list of an owner whose provider began to refuse our server is not emptied. */
static void policy_empties_no_list(struct rig *r)
{
        struct scene c;
        scene_begin(&c, r, 5);
        for (int day = 0; day < 40; day++, clock_ms += DAY)
                assert_int_equal(post_fails(&c, "m", 550, "550 5.7.1 blocked, see our policy"), 5);
        assert_int_equal(score_of_member(&c, "m1@d.example").halves, 0);
        assert_int_equal(notices_of(&c, "probe"), 0);
        assert_true(is_member(r, c.list, "m4@d.example"));
        scene_end(&c);
}
LIST_TEST(policy_empties_no_list)

static void accepted_copy_heals(struct rig *r)
{
        struct scene c;
        scene_begin(&c, r, 2);
        for (int day = 0; day < 3; day++, clock_ms += DAY)
                assert_int_equal(post_fails(&c, "m1@", 550, REFUSED), 1);
        assert_int_equal(post_fails(&c, "nobody", 550, REFUSED), 0);
        struct store_score s = score_of_member(&c, "m1@d.example");
        assert_int_equal(s.halves, 0);
        assert_int_equal(s.days, 0);
        assert_int_equal(s.probe, STORE_PROBE_NONE);
        (void)send_notices(&c); /* the probe that is on its way fails, and is late */
        assert_int_equal(deliver_all(&c, "m1@", 550, REFUSED), 1);
        assert_true(is_member(r, c.list, "m1@d.example"));
        scene_end(&c);
}
LIST_TEST(accepted_copy_heals)

/* On a full disk the failure is recorded, but nobody is probed or removed of whom nobody could be told. */
static void nobody_goes_untold(struct rig *r)
{
        struct scene c;
        struct store_delivery *rows;
        size_t count;
        scene_begin(&c, r, 2);
        for (int day = 0; day < 3; day++, clock_ms += DAY)
                assert_int_equal(post_fails(&c, "m1@", 550, REFUSED), 1);
        (void)send_notices(&c);
        arena_reset(&r->arena);
        assert_int_equal(store_delivery_due(r->node.store, clock_ms, 1, &r->arena, &rows, &count), ERR_OK);
        assert_int_equal(count, 1);
        const struct bounce_judge_delivery probe = {.id = rows[0].id,
                .message = rows[0].message,
                .member = rows[0].member,
                .code = 550,
                .said = S(REFUSED)};
        r->node.store->is_tight = true; /* until the end of the next change */
        assert_int_equal(bounce_judge_failed(&r->node, &probe), ERR_OK);
        assert_true(is_member(r, c.list, "m1@d.example"));
        assert_int_equal(notices(r), 0);
        assert_int_equal(bounce_judge_failed(&r->node, &probe), ERR_NOT_FOUND); /* it is recorded, once */
        assert_int_equal(score_of_member(&c, "m1@d.example").probe, STORE_PROBE_NONE);
        clock_ms += 6 * DAY; /* a week after the last one there is another probe */
        assert_int_equal(post_fails(&c, "m1@", 550, REFUSED), 1);
        assert_int_equal(notices_of(&c, "probe"), 1);
        scene_end(&c);
}
LIST_TEST(nobody_goes_untold)

/* ---- bounces that come by mail ---- */

static const char report[] =
        "From: mailer-daemon@d.example\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/report; report-type=delivery-status; boundary=x\r\n\r\n"
        "--x\r\n\r\nIt failed, says the machine.\r\n--x\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; mx.d.example\r\n\r\nFinal-Recipient: rfc822; m1@d.example\r\nAction: failed\r\n"
        "Status: 5.1.1\r\nDiagnostic-Code: smtp; 550 no such user\r\n\r\n--x--\r\n";

static void bounce_comes(struct scene *c, const char *address, enum token_purpose purpose)
{
        char text[TOKEN_TEXT_SIZE], to[100];
        struct store_member m;
        struct wr w;
        arena_reset(&c->rig->arena);
        assert_int_equal(
                store_member_find(c->rig->node.store, c->list, str_of_c(address), &c->rig->arena, &m),
                ERR_OK);
        const struct token token = {.id = m.id, .day = 20000};
        wr_init(&w, text, sizeof text);
        assert_int_equal(
                token_write(&w, &c->rig->node.domains[0].keys[0], purpose, S("judged@mailingl.st"), &token),
                ERR_OK);
        (void)snprintf(to, sizeof to, "judged-return-%.*s@mailingl.st", TOKEN_TEXT_SIZE, text);
        deliver(c->rig, &c->rig->stranger_at, "", to, str_of_c(report), "250 2.0.0");
}

static void bounced_then_removed(struct rig *r)
{
        struct scene c;
        struct str kept;
        scene_begin(&c, r, 2);
        bounce_comes(&c, "m1@d.example", TOKEN_PROBE); /* of a probe that nobody sent */
        assert_int_equal(score_of_member(&c, "m1@d.example").halves, 0);
        for (int day = 0; day < 3; day++, clock_ms += DAY) {
                assert_int_equal(post_fails(&c, "nobody", 0, ""), 0); /* taken in SMTP: that heals nothing */
                bounce_comes(&c, "m1@d.example", TOKEN_RETURN);
        }
        struct store_score s = score_of_member(&c, "m1@d.example");
        assert_int_equal(s.halves, JUDGE_THRESHOLD);
        assert_true(str_eq(s.reply, S("5.1.1 550 no such user")));
        (void)send_notices(&c);
        assert_int_equal(deliver_all(&c, "nobody", 0, ""), 0);
        assert_int_equal(score_of_member(&c, "m1@d.example").probe, STORE_PROBE_ACCEPTED);
        int64_t member = score_of_member(&c, "m1@d.example").member;
        bounce_comes(&c, "m1@d.example", TOKEN_PROBE);
        assert_false(is_member(r, c.list, "m1@d.example"));
        assert_int_equal(store_bounce_get(r->node.store, member, &r->arena, &kept), ERR_OK);
        assert_true(str_eq(kept, str_of_c(report)));
        run_mailer(r); /* the owner sees it */
        struct store_message m;
        struct store_reader *reader;
        int64_t ids[64];
        size_t count, got, shown = 0;
        assert_int_equal(open_tickets(r->node.store, 0, 64, ids, &count), ERR_OK);
        for (size_t i = 0; i < count; i++) {
                char text[16000];
                assert_int_equal(store_message_get(r->node.store, ids[i], &r->arena, &m), ERR_OK);
                assert_int_equal(store_reader_open(r->node.store, ids[i], STORE_SENT, &reader), ERR_OK);
                assert_int_equal(store_reader_read(reader, 0, text, sizeof text, &got), ERR_OK);
                store_reader_close(reader);
                shown += str_find(str_of(text, got), S("It failed, says the machine.")) < got &&
                         str_find(str_of(text, got), S("5.1.1 550 no such user")) < got;
        }
        assert_int_equal(shown, 1);
        scene_end(&c);
}
LIST_TEST(bounced_then_removed)

/* Seven days without a word behind the probe: all is forgotten, and the sweep takes the row. */
static void probe_accepted_heals(struct rig *r)
{
        struct scene c;
        struct store_score *rows;
        struct scope scope;
        size_t count;
        scene_begin(&c, r, 2);
        for (int day = 0; day < 3; day++, clock_ms += DAY)
                bounce_comes(&c, "m1@d.example", TOKEN_RETURN);
        (void)send_notices(&c);
        assert_int_equal(deliver_all(&c, "nobody", 0, ""), 0);
        clock_ms += 7 * DAY;
        scope_open(&scope, r->host->sched, FIBER_NEVER);
        assert_int_equal(scope_spawn(&scope, "bounces", bounce_judge_run, &r->node), ERR_OK);
        assert_int_equal(fiber_sleep(r->host->sched, 200), ERR_OK);
        scope_cancel(&scope);
        (void)scope_join(&scope);
        assert_null(r->node.providers);
        assert_int_equal(store_scores(r->node.store, 0, 10, &r->arena, &rows, &count), ERR_OK);
        assert_int_equal(count, 0);
        bounce_comes(&c, "m1@d.example", TOKEN_PROBE); /* too late */
        assert_true(is_member(r, c.list, "m1@d.example"));
        scene_end(&c);
}
LIST_TEST(probe_accepted_heals)

/* ---- a provider ---- */

static void breaker_opens(struct rig *r)
{
        static struct providers providers;
        struct scene c;
        memset(&providers, 0, sizeof providers);
        scene_begin(&c, r, 60);
        r->node.providers = &providers;
        assert_int_equal(
                post_fails(&c, "m2", 550, REFUSED), 11); /* of 60: these are gone, it is not the provider */
        assert_int_equal(notices_of(&c, "breaker"), 0);
        assert_int_equal(score_of_member(&c, "m21@d.example").halves, JUDGE_ONE);
        clock_ms += 2 * DAY;
        assert_int_equal(post_fails(&c, "m", 550, REFUSED), 60);
        assert_int_equal(notices_of(&c, "breaker"), 1);
        assert_int_equal(score_of_member(&c, "m21@d.example").halves, JUDGE_ONE); /* today's is taken back */
        assert_int_equal(score_of_member(&c, "m3@d.example").halves, 0);
        clock_ms += DAY / 2;
        assert_int_equal(post_fails(&c, "m", 550, REFUSED), 60);
        assert_int_equal(notices_of(&c, "breaker"), 1); /* told once */
        assert_int_equal(score_of_member(&c, "m3@d.example").halves, 0);
        clock_ms += DAY; /* it has ended, and opens again */
        assert_int_equal(post_fails(&c, "m", 550, REFUSED), 60);
        assert_int_equal(score_of_member(&c, "m3@d.example").halves, 0);
        assert_int_equal(notices_of(&c, "breaker"), 1); /* still the same */
        clock_ms += 5 * DAY;                            /* it is closed, and some still fail */
        assert_int_equal(post_fails(&c, "m3@", 550, REFUSED), 1);
        assert_int_equal(score_of_member(&c, "m3@d.example").halves, JUDGE_ONE);
        r->node.providers = NULL;
        scene_end(&c);
}
LIST_TEST(breaker_opens)

/* Whoever got a copy can send bounces to its return path without end. They weigh no more than the copies. */
static void one_member_opens_no_breaker(struct rig *r)
{
        static struct providers providers;
        struct scene c;
        memset(&providers, 0, sizeof providers);
        scene_begin(&c, r, 60);
        r->node.providers = &providers;
        assert_int_equal(post_fails(&c, "m5", 550, REFUSED), 11); /* enough members, but few of all */
        int64_t member = score_of_member(&c, "m20@d.example").member;
        for (int i = 0; i < 200; i++, clock_ms += DAY / 400)
                assert_int_equal(
                        bounce_judge_bounced(&r->node,
                                &(struct bounce_judge_bounce){.member = member, .said = S("5.1.1 nobody")}),
                        ERR_OK);
        assert_int_equal(notices_of(&c, "breaker"), 0);
        assert_int_equal(score_of_member(&c, "m20@d.example").halves, JUDGE_ONE); /* it is judged as ever */
        assert_int_equal(score_of_member(&c, "m5@d.example").halves, JUDGE_ONE);
        r->node.providers = NULL;
        scene_end(&c);
}
LIST_TEST(one_member_opens_no_breaker)

struct one_failure {
        struct scene *scene;
        struct bounce_judge_delivery delivery;
};

static void fail_one(void *arg)
{
        struct one_failure *f = arg;
        assert_int_equal(bounce_judge_failed(&f->scene->rig->node, &f->delivery), ERR_OK);
}

/* Failures that share a transaction are counted one by one. Each saw the provider as it was before all of them. */
static void breaker_in_one_change(struct rig *r)
{
        static struct providers providers;
        static struct one_failure failures[20];
        struct scene c;
        struct scope scope;
        struct store_delivery *rows;
        size_t count;
        memset(&providers, 0, sizeof providers);
        scene_begin(&c, r, 20);
        r->node.providers = &providers;
        (void)new_post(&c);
        arena_reset(&r->arena);
        assert_int_equal(store_post_fill(r->node.store, clock_ms, 50, &r->arena, &rows, &count), ERR_OK);
        assert_int_equal(count, 21);
        scope_open(&scope, r->host->sched, FIBER_NEVER);
        for (size_t i = 0; i < 20; i++) {
                failures[i] = (struct one_failure){
                        &c, {rows[i + 1].id, rows[i + 1].message, rows[i + 1].member, 550, S(REFUSED)}};
                assert_int_equal(scope_spawn(&scope, "failure", fail_one, &failures[i]), ERR_OK);
        }
        assert_int_equal(scope_join(&scope), ERR_OK);
        assert_int_equal(notices_of(&c, "breaker"), 1);
        for (size_t i = 0; i < 20; i++) {
                char address[40];
                (void)snprintf(address, sizeof address, "m%zu@d.example", i);
                assert_int_equal(score_of_member(&c, address).halves, 0);
        }
        r->node.providers = NULL;
        scene_end(&c);
}
LIST_TEST(breaker_in_one_change)

/* Whoever could not leave a bounce here comes again. It is one failure, however often. */
static void what_is_not_kept_is_not_counted(struct rig *r)
{
        static struct providers providers;
        struct scene c;
        memset(&providers, 0, sizeof providers);
        scene_begin(&c, r, 20);
        r->node.providers = &providers;
        assert_int_equal(post_fails(&c, "nobody", 0, ""), 0);
        sqlite3 *db = r->node.store->db.c;
        assert_int_equal(sqlite3_exec(db,
                                 "CREATE TEMP TRIGGER full BEFORE INSERT ON score WHEN NEW.halves > 0"
                                 " BEGIN SELECT RAISE(ABORT, 'full'); END",
                                 NULL, NULL, NULL),
                SQLITE_OK);
        for (unsigned i = 0; i < 30; i++) {
                char address[40];
                (void)snprintf(address, sizeof address, "m%u@d.example", i % 15);
                const struct bounce_judge_bounce bounce = {
                        .member = score_of_member(&c, address).member, .said = S("5.1.1 nobody")};
                assert_int_not_equal(bounce_judge_bounced(&r->node, &bounce), ERR_OK);
        }
        assert_int_equal(sqlite3_exec(db, "DROP TRIGGER full", NULL, NULL, NULL), SQLITE_OK);
        const struct judge_window *w = providers_window(&providers, S("d.example"));
        assert_int_equal(w->failed[w->hour % JUDGE_HOURS], 0);
        assert_int_equal(w->done[w->hour % JUDGE_HOURS], 20);
        r->node.providers = NULL;
        scene_end(&c);
}
LIST_TEST(what_is_not_kept_is_not_counted)

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_refused_then_removed),
                cmocka_unit_test(test_policy_empties_no_list),
                cmocka_unit_test(test_accepted_copy_heals),
                cmocka_unit_test(test_nobody_goes_untold),
                cmocka_unit_test(test_bounced_then_removed),
                cmocka_unit_test(test_probe_accepted_heals),
                cmocka_unit_test(test_breaker_opens),
                cmocka_unit_test(test_one_member_opens_no_breaker),
                cmocka_unit_test(test_breaker_in_one_change),
                cmocka_unit_test(test_what_is_not_kept_is_not_counted),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
