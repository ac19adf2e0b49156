/* SPDX-License-Identifier: ISC */
/* Members who fail, from the first failure to the end of their membership, on a clock of the test's own. */
#include "serve/list_world.h"

#include "serve/bounce_judge.h"
#include "serve/providers.h"
#include "store/delivery.h"
#include "store/judge.h"

#define DAY JUDGE_DAY_MS
#define REFUSED "550 5.1.1 no such user"

static int64_t clock_ms;

static int64_t told_ms(struct host *h)
{
        (void)h;
        return clock_ms;
}

struct scene {
        struct rig *rig;
        const struct host_ops *ops;
        struct host_ops told;
        int64_t list;
        unsigned posts;
};

/* A list with `members` mN@d.example, on 2024-10-04. */
static void scene_begin(struct scene *c, struct rig *r, size_t members)
{
        *c = (struct scene){.rig = r, .ops = r->host->ops, .told = *r->host->ops};
        c->told.wall_ms = told_ms;
        r->host->ops = &c->told;
        clock_ms = 20000 * DAY + DAY / 2;
        c->list = new_list(r, "judged", NULL);
        for (size_t i = 0; i < members; i++) {
                char address[40];
                int64_t id;
                (void)snprintf(address, sizeof address, "m%zu@D.example", i);
                assert_int_equal(
                        store_member_add(r->node.store, c->list, str_of_c(address), clock_ms, &id), ERR_OK);
        }
}

static void scene_end(struct scene *c)
{
        c->rig->host->ops = c->ops;
}

/* A post, signed: deliveries can be handed out. */
static int64_t new_post(struct scene *c)
{
        struct store_intake *intake;
        char ticket[16];
        int64_t id;
        (void)snprintf(ticket, sizeof ticket, "t%u", c->posts++);
        struct store_message_new m = {.ticket = str_of_c(ticket),
                .kind = STORE_POST,
                .list = c->list,
                .domain = S("mailingl.st"),
                .message_id = S("<x@y>"),
                .front = S("A: b\r\n"),
                .received_ms = clock_ms};
        assert_int_equal(store_intake_begin(c->rig->node.store, 10, &intake), ERR_OK);
        assert_int_equal(store_intake_write(intake, S("\r\nhello\r\n")), ERR_OK);
        assert_int_equal(store_intake_commit(intake, &m, &id), ERR_OK);
        assert_int_equal(store_ticket_sign(c->rig->node.store, id, S("P: q\r\n")), ERR_OK);
        return id;
}

/* All that is to be delivered now: those whose address begins with `bad` fail with `said`. */
static size_t deliver_all(struct scene *c, const char *bad, unsigned code, const char *said)
{
        struct lipap *node = &c->rig->node;
        struct store_delivery *rows;
        size_t count, failed = 0, due;
        arena_reset(&c->rig->arena);
        assert_int_equal(store_post_fill(node->store, clock_ms, 200, &c->rig->arena, &rows, &count), ERR_OK);
        for (size_t i = 0; i <= count; i++) {
                struct store_delivery *d = &rows[i];
                if (i == count) { /* and forwards */
                        assert_int_equal(
                                store_delivery_due(node->store, clock_ms, 1, &c->rig->arena, &d, &due),
                                ERR_OK);
                        if (due == 0)
                                break;
                        i--;
                }
                if (!str_has_prefix(d->address, str_of_c(bad))) {
                        assert_int_equal(
                                store_delivery_done(node->store, d->id, clock_ms, 250, S("250 ok")), ERR_OK);
                        bounce_judge_done(node, d->domain);
                        continue;
                }
                failed++;
                assert_int_equal(bounce_judge_failed(node, &(struct bounce_judge_delivery){.id = d->id,
                                                                   .message = d->message,
                                                                   .member = d->member,
                                                                   .code = code,
                                                                   .said = str_of_c(said)}),
                        ERR_OK);
        }
        return failed;
}

static size_t post_fails(struct scene *c, const char *bad, unsigned code, const char *said)
{
        (void)new_post(c);
        return deliver_all(c, bad, code, said);
}

/* How many notices of that kind wait. */
static size_t notices_of(struct scene *c, const char *kind)
{
        struct store_notice *list;
        size_t count, n = 0;
        arena_reset(&c->rig->arena);
        assert_int_equal(store_notices(c->rig->node.store, 0, 60, &c->rig->arena, &list, &count), ERR_OK);
        for (size_t i = 0; i < count; i++)
                n += str_eq(list[i].kind, str_of_c(kind));
        return n;
}

static void drop_notices(struct scene *c)
{
        struct store_notice *list;
        size_t count;
        arena_reset(&c->rig->arena);
        assert_int_equal(store_notices(c->rig->node.store, 0, 60, &c->rig->arena, &list, &count), ERR_OK);
        for (size_t i = 0; i < count; i++)
                assert_int_equal(store_notice_drop(c->rig->node.store, list[i].id), ERR_OK);
}

static struct store_score score_of_member(struct scene *c, const char *address)
{
        struct store_member m;
        struct store_score s;
        arena_reset(&c->rig->arena);
        assert_int_equal(
                store_member_find(c->rig->node.store, c->list, str_of_c(address), &c->rig->arena, &m),
                ERR_OK);
        assert_int_equal(store_score_get(c->rig->node.store, m.id, &c->rig->arena, &s), ERR_OK);
        return s;
}

/* Write what waits as mail, and have nec's copy back. Gives the newest message. */
static struct store_message send_notices(struct scene *c)
{
        int64_t ids[64];
        struct store_message m = {0};
        size_t count;
        run_mailer(c->rig);
        assert_int_equal(store_tickets_open(c->rig->node.store, 0, 64, ids, &count), ERR_OK);
        for (size_t i = 0; i < count; i++) {
                assert_int_equal(store_ticket_sign(c->rig->node.store, ids[i], S("")), ERR_OK);
                assert_int_equal(store_message_get(c->rig->node.store, ids[i], &c->rig->arena, &m), ERR_OK);
        }
        return m;
}

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
        assert_int_equal(store_tickets_open(r->node.store, 0, 64, ids, &count), ERR_OK);
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

/* ---- what is told ---- */

static void tell_now(struct scene *c)
{
        static char memory[128 * 1024];
        struct arena arena;
        arena_init(&arena, memory, sizeof memory);
        assert_int_equal(bounce_told_round(&c->rig->node, &arena, clock_ms), ERR_OK);
}

static void one_digest_a_day(struct rig *r)
{
        struct scene c;
        scene_begin(&c, r, 3);
        tell_now(&c);
        assert_int_equal(notices(r), 0);
        (void)post_fails(&c, "m1@", 550, REFUSED);
        tell_now(&c);
        assert_int_equal(notices_of(&c, "digest"), 1);
        for (int hour = 0; hour < 23; hour++) {
                clock_ms += DAY / 24;
                (void)post_fails(&c, "m1@", 550, REFUSED);
                tell_now(&c);
        }
        assert_int_equal(notices_of(&c, "digest"), 1);
        clock_ms += DAY / 24;
        tell_now(&c);
        assert_int_equal(notices_of(&c, "digest"), 2);
        clock_ms += 2 * DAY; /* nothing failed */
        tell_now(&c);
        assert_int_equal(notices_of(&c, "digest"), 2);
        struct store_message m = send_notices(&c);
        struct store_reader *reader;
        char text[16000];
        size_t got;
        assert_int_equal(store_reader_open(r->node.store, m.id, STORE_SENT, &reader), ERR_OK);
        assert_int_equal(store_reader_read(reader, 0, text, sizeof text, &got), ERR_OK);
        store_reader_close(reader);
        assert_true(str_find(str_of(text, got), S("no such address: 23\r\n")) < got);
        assert_true(str_find(str_of(text, got), S("m1@D.example: " REFUSED "\r\n")) < got);
        scene_end(&c);
}
LIST_TEST(one_digest_a_day)

/* A clock that jumps ahead and back tells nothing twice, and does not fall silent for as long as it jumped. */
static void clock_jumps(struct rig *r)
{
        struct scene c;
        scene_begin(&c, r, 3);
        tell_now(&c);
        (void)post_fails(&c, "m1@", 550, REFUSED);
        clock_ms += 1000 * DAY;
        tell_now(&c);
        assert_int_equal(notices_of(&c, "digest"), 1);
        size_t reports = notices_of(&c, "report");
        clock_ms -= 1000 * DAY;
        tell_now(&c);
        (void)post_fails(&c, "m1@", 550, REFUSED);
        tell_now(&c);
        assert_int_equal(notices_of(&c, "digest"), 1);
        assert_int_equal(notices_of(&c, "report"), reports);
        clock_ms += DAY;
        tell_now(&c);
        assert_int_equal(notices_of(&c, "digest"), 2);
        scene_end(&c);
}
LIST_TEST(clock_jumps)

static void weekly_reports(struct rig *r)
{
        struct scene c;
        scene_begin(&c, r, 3);
        tell_now(&c); /* its first week begins */
        (void)post_fails(&c, "nobody", 0, "");
        clock_ms += 7 * DAY - 1;
        tell_now(&c);
        assert_int_equal(notices_of(&c, "report"), 0);
        clock_ms += 1;
        tell_now(&c);
        tell_now(&c);
        assert_int_equal(notices_of(&c, "report"), 1);
        struct store_notice n = *last_notice(r);
        assert_true(str_find(n.data, S("members: 4\n")) < n.data.n);
        assert_true(str_find(n.data, S("posts: 1\n")) < n.data.n);
        assert_true(str_find(n.data, S("copies delivered: 4\n")) < n.data.n);
        assert_true(str_find(n.data, S("  D.example: 0 s\n")) < n.data.n);
        drop_notices(&c);
        clock_ms += 7 * DAY; /* nothing was posted, nobody came or went */
        tell_now(&c);
        assert_int_equal(notices_of(&c, "report"), 0);
        assert_int_equal(store_member_remove(r->node.store, c.list, S("m1@d.example")), ERR_OK);
        clock_ms += 7 * DAY;
        tell_now(&c);
        assert_int_equal(notices_of(&c, "report"), 1);
        n = *last_notice(r);
        assert_true(str_find(n.data, S("left: 1\n")) < n.data.n);
        assert_int_equal(store_setting_put(r->node.store, c.list, S("report"), S("off")), ERR_OK);
        (void)post_fails(&c, "nobody", 0, "");
        clock_ms += 7 * DAY;
        tell_now(&c);
        assert_int_equal(notices_of(&c, "report"), 1);
        scene_end(&c);
}
LIST_TEST(weekly_reports)

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_refused_then_removed),
                cmocka_unit_test(test_policy_empties_no_list),
                cmocka_unit_test(test_accepted_copy_heals),
                cmocka_unit_test(test_bounced_then_removed),
                cmocka_unit_test(test_probe_accepted_heals),
                cmocka_unit_test(test_breaker_opens),
                cmocka_unit_test(test_one_digest_a_day),
                cmocka_unit_test(test_clock_jumps),
                cmocka_unit_test(test_weekly_reports),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
