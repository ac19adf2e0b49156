/* SPDX-License-Identifier: ISC */
/* The admin's mail: who is heard, what is done, and the one answer. */
#include "serve/list_world.h"

#include "list/admin.h"
#include "mail/date.h"
#include "store/ask.h"
#include "store/delivery.h"
#include "store/open_tickets.h"

#define BOSS "boss@strict.test"

static struct str date_of(struct rig *r, int64_t ago_s, char *room, size_t cap)
{
        struct wr w;
        wr_init(&w, room, cap);
        mail_date_write_utc(&w, host_wall_ms(r->host) / 1000 - ago_s);
        return wr_text(&w);
}

/* Signed by the author's domain, sent as `id`. */
static void write_as(struct rig *r, const char *from, const char *to, const char *id, int64_t ago_s,
        const char *subject, const char *text, const char *want)
{
        char message[8192], room[12000], date[64];
        struct str when = date_of(r, ago_s, date, sizeof date);
        (void)snprintf(message, sizeof message,
                "From: %s\r\nTo: <%s>\r\nMessage-ID: <%s@strict.test>\r\nDate: %.*s\r\nSubject: "
                "%s\r\n\r\n%s\r\n",
                from, to, id, STR_ARG(when), subject, text);
        deliver(r, &r->stranger_at, "x@example.org", "admin-request@mailingl.st",
                signed_by("strict.test", message, room, sizeof room), want);
}

static void command(struct rig *r, const char *id, const char *subject, const char *text, const char *want)
{
        r->node.admin = S(BOSS);
        write_as(r, "Boss <Boss@Strict.test>", "admin-request@mailingl.st", id, 60, subject, text, want);
}

static size_t open_messages(struct rig *r)
{
        int64_t ids[64];
        size_t count;
        assert_int_equal(open_tickets(r->node.store, 0, 64, ids, &count), ERR_OK);
        return count;
}

/* ---- who is heard ---- */

static void who_is_heard(struct rig *r)
{
        const char *at = "admin-request@mailingl.st";
        char text[400];
        stranger(r,
                "C: MAIL FROM:<a@b.test>\nS: 250\nC: RCPT TO:<admin-request@mailingl.st>\nS: 550 5.7.1 this "
                "server has no admin\nC: QUIT\nS: 221");
        r->node.admin = S(BOSS);
        stranger(r, "C: MAIL FROM:<>\nS: 250\nC: RCPT TO:<Admin-Request@MAILINGL.ST>\nS: 550 5.7.1\n"
                    "C: QUIT\nS: 221");
        write_as(r, "ann@strict.test", at, "a", 60, "flush all", "", "550 5.7.1 only the admin");
        write_as(r, BOSS, "ptt@mailingl.st", "b", 60, "flush all", "", "550 5.7.1 a copy of what was signed");
        write_as(r, BOSS, at, "c", 8 * 86400, "flush all", "",
                "550 5.7.1 what was signed more than seven days");
        write_as(r, BOSS, at, "d", -7200, "flush all", "", "550 5.7.1 signed in the future");
        /* not signed at all, and by SPF alone */
        (void)snprintf(text, sizeof text, "From: " BOSS "\r\nTo: %s\r\nSubject: flush all\r\n\r\nx\r\n", at);
        deliver(r, &r->stranger_at, "x@example.org", at, str_of_c(text), "550 5.7.26");
        r->node.admin = S("author@example.org");
        (void)snprintf(text, sizeof text,
                "From: author@example.org\r\nTo: %s\r\nSubject: flush all\r\n\r\nx\r\n", at);
        deliver(r, &r->stranger_at, "author@example.org", at, str_of_c(text), "550 5.7.1 SPF alone");
        (void)snprintf(text, sizeof text,
                "From: author@example.org\r\nTo: %s\r\nAuto-Submitted: auto-replied\r\n\r\nx\r\n", at);
        deliver(r, &r->stranger_at, "author@example.org", at, str_of_c(text), "550 5.7.1 automatic");
        assert_int_equal(open_messages(r), 0);
}
LIST_TEST(who_is_heard)

/* ---- what is done ---- */

/* A post that was signed, with one delivery that waits. */
static int64_t deferred_post(struct rig *r)
{
        struct store_delivery *d;
        int64_t ids[64];
        size_t count;
        write_to(r, "author@example.org", "ptt", "hello", "x", "250 2.0.0");
        assert_int_equal(open_tickets(r->node.store, 0, 64, ids, &count), ERR_OK);
        int64_t id = ids[count - 1];
        assert_int_equal(store_ticket_sign(r->node.store, id, S("DKIM-Signature: x\r\n")), ERR_OK);
        arena_reset(&r->arena);
        assert_int_equal(store_post_fill(r->node.store, 0, 8, &r->arena, &d, &count), ERR_OK);
        assert_true(count > 0);
        for (size_t i = 0; i < count; i++)
                assert_int_equal(store_delivery_defer(r->node.store, d[i].id, host_wall_ms(r->host) + 3600000,
                                         S("450 4.2.1 mailbox busy")),
                        ERR_OK);
        return id;
}

static const struct store_queued *find(struct rig *r, int64_t id)
{
        struct store_queued *q;
        size_t n;
        arena_reset(&r->arena);
        assert_int_equal(store_queue(r->node.store, id - 1, 1, &r->arena, &q, &n), ERR_OK);
        return n == 1 && q->message == id ? q : NULL;
}

static int64_t due_ms(struct rig *r)
{
        int64_t when_ms;
        assert_int_equal(store_delivery_next_due(r->node.store, &when_ms), ERR_OK);
        return when_ms;
}

/* Without the soft line ends of quoted-printable. */
static bool says(struct str mail, const char *part)
{
        static char text[64 * 1024];
        size_t n = 0;
        for (size_t i = 0; i < mail.n && n < sizeof text; i++)
                if (mail.p[i] == '=' && i + 2 < mail.n && mail.p[i + 1] == '\r')
                        i += 2;
                else
                        text[n++] = mail.p[i];
        bool is_there = has(str_of(text, n), part);
        if (!is_there)
                for (size_t at = 0; at < n; at += 900)
                        print_error(
                                "%s%.*s", at > 0 ? "" : part, (int)(n - at < 900 ? n - at : 900), text + at);
        return is_there;
}

static void obeys(struct rig *r)
{
        char text[200];
        int64_t id = deferred_post(r);
        uint64_t rung = r->node.delivery_bell.rung, signer = r->node.handover_bell.rung;
        (void)snprintf(text, sizeof text, "hold %lld\r\nhold 999\r\nstatus\r\nqueue 5", (long long)id);
        command(r, "1", "commands", text, "250 2.0.0");
        assert_true(find(r, id)->is_held);
        assert_true(r->node.handover_bell.rung > signer);
        struct str mail = newest(r);
        assert_int_equal(open_messages(r), 1);
        assert_true(has(mail, "\r\nFrom: ptt <postmaster@mailingl.st>\r\n"));
        assert_true(has(mail, "\r\nTo: " BOSS "\r\n"));
        assert_true(has(mail, "\r\nIn-Reply-To: <1@strict.test>\r\n"));
        assert_true(has(mail, "\r\nAuto-Submitted: auto-replied\r\n"));
        (void)snprintf(text, sizeof text,
                "\r\nhold %lld: done\r\nhold 999: no message of that number waits\r\n", (long long)id);
        assert_true(says(mail, text));
        assert_true(says(mail, "held by the operator; 0 not begun, 2 in flight or put off"));
        assert_true(says(mail, "1 for example.org  tries up to 1"));
        assert_true(says(mail, "signers: at hand"));
        assert_true(says(mail, "alarms: none"));
        assert_int_equal(due_ms(r), INT64_MAX);

        (void)snprintf(text, sizeof text, "flush %lld", (long long)id);
        command(r, "2", text, "", "250 2.0.0");
        assert_false(find(r, id)->is_held);
        assert_int_equal(due_ms(r), 0);
        assert_true(r->node.delivery_bell.rung > rung && r->node.has_flushed);

        (void)snprintf(text, sizeof text, "drop %lld", (long long)id);
        command(r, "3", "", text, "250 2.0.0");
        assert_null(find(r, id));
        assert_true(says(newest(r), ": done\r\n"));
        command(r, "4", "", text, "250 2.0.0");
        assert_true(says(newest(r), ": no message of that number waits\r\n"));
        assert_int_equal(open_messages(r), 4);
}
LIST_TEST(obeys)

/* The same mail once more, as after a lost reply or from an attacker: nothing is done, and nobody is told twice. */
static void once(struct rig *r)
{
        char text[200];
        int64_t id = deferred_post(r);
        (void)snprintf(text, sizeof text, "hold %lld", (long long)id);
        command(r, "1", text, "", "250 2.0.0 done");
        assert_int_equal(store_queue_flush(r->node.store, id), ERR_OK);
        command(r, "1", text, "", "250 2.0.0 this mail was obeyed before");
        assert_false(find(r, id)->is_held);
        assert_int_equal(open_messages(r), 1);
        command(r, "2", text, "", "250 2.0.0 done");
        assert_true(find(r, id)->is_held);
}
LIST_TEST(once)

/* What only one of two commands can have: the answer tells of both. */
static void second_of_two(struct rig *r)
{
        char text[200];
        int64_t id = deferred_post(r);
        (void)snprintf(text, sizeof text, "drop %lld\r\nhold %lld", (long long)id, (long long)id);
        command(r, "1", "", text, "250 2.0.0");
        assert_null(find(r, id));
        (void)snprintf(text, sizeof text, "drop %lld: done\r\nhold %lld: no message of that number waits\r\n",
                (long long)id, (long long)id);
        assert_true(says(newest(r), text));
}
LIST_TEST(second_of_two)

static void flushes_all(struct rig *r)
{
        int64_t id = deferred_post(r);
        assert_true(due_ms(r) > 1);
        command(r, "1", "flush all", "", "250 2.0.0");
        assert_int_equal(due_ms(r), 0);
        assert_non_null(find(r, id));
        command(r, "2", "hello", "please", "250 2.0.0");
        assert_true(says(newest(r), "please: no command, see help\r\n"));
        command(r, "3", "=?utf-8?q?h=C3=A9lp?=", "",
                "250 2.0.0"); /* its answer's subject is cut at no octet */
        command(r, "4", "", "", "250 2.0.0");
        assert_true(says(newest(r), "flush ID"));
}
LIST_TEST(flushes_all)

static size_t count_of(struct str text, const char *part)
{
        size_t n = 0, at;
        for (; (at = str_find(text, str_of_c(part))) < text.n; n++)
                text = str_skip(text, at + 1);
        return n;
}

/* However often one mail asks for the same, it is looked for once, and the one that asks for most has its way. */
static void views_once(struct rig *r)
{
        char text[600];
        struct wr w;
        (void)deferred_post(r);
        (void)deferred_post(r);
        wr_init(&w, text, sizeof text);
        for (int i = 0; i < 6; i++)
                wr_str(&w,
                        i == 3 ? S("status\r\nqueue 1000\r\nhelp\r\n") : S("status\r\nqueue 1\r\nhelp\r\n"));
        wr_str(&w, S("flush all\r\nflush all"));
        wr_byte(&w, '\0');
        command(r, "1", "", text, "250 2.0.0");
        struct str mail = newest(r);
        assert_int_equal(count_of(mail, "\r\nqueue 1: done"), 5);
        assert_int_equal(count_of(mail, "\r\nflush all: done"), 2);
        assert_int_equal(count_of(mail, "Messages, oldest first:"), 1);
        assert_int_equal(count_of(mail, "0 not begun, "), 2);
        assert_int_equal(count_of(mail, "alarms: none"), 1);
        assert_int_equal(count_of(mail, "hold ID "), 1);
        assert_int_equal(due_ms(r), 0);
}
LIST_TEST(views_once)

/* No signer is at hand: the answer does not wait for one. */
static void unsigned_answer(struct rig *r)
{
        r->node.is_signer_away = true;
        command(r, "1", "status", "", "250 2.0.0");
        assert_int_equal(open_messages(r), 0);
        assert_int_equal(due_ms(r), 0);
}
LIST_TEST(unsigned_answer)

/* A full disk: what makes room is done all the same; what only asks is to come again. */
static void no_room_for_an_answer(struct rig *r)
{
        struct spool *spool = &r->node.store->spool;
        const uint64_t share = spool->share;
        char text[200];
        int64_t id = deferred_post(r);
        spool->share = 0;
        command(r, "1", "status", "", "452 4.3.1");
        (void)snprintf(text, sizeof text, "drop %lld", (long long)id);
        command(r, "2", text, "", "250 2.0.0 done as far as could be, but there is no room");
        assert_null(find(r, id));
        command(r, "2", text, "", "250 2.0.0 this mail was obeyed before");
        assert_int_equal(open_messages(r), 0);
        spool->share = share;
        command(r, "1", "status", "", "250 2.0.0 done, an answer follows");
        assert_int_equal(open_messages(r), 1);
}
LIST_TEST(no_room_for_an_answer)

/* The longest subject, and a text that is larger than is read. */
static void bounds(struct rig *r)
{
        static char text[70000];
        char subject[900];
        memset(subject, 'x', sizeof subject - 1);
        subject[sizeof subject - 1] = 0;
        command(r, "1", subject, "status", "250 2.0.0");
        struct host_tcp *tcp = dial(r, &r->stranger_at);
        memset(text, 'y', sizeof text);
        for (size_t i = 76; i + 2 < sizeof text; i += 78)
                memcpy(text + i, "\r\n", 2);
        play(r, tcp,
                "C: EHLO client.example\nS: 250\nC: MAIL FROM:<a@b.test>\nS: 250\n"
                "C: RCPT TO:<admin-request@mailingl.st>\nS: 250\nC: DATA\nS: 354");
        say(r, tcp, S("From: " BOSS "\r\n\r\n"));
        say(r, tcp, str_of(text, sizeof text));
        say(r, tcp, S("\r\n.\r\n"));
        expect(r, tcp, S("554 5.3.4"));
        host_tcp_close(r->host, tcp);
}
LIST_TEST(bounds)

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_who_is_heard),
                cmocka_unit_test(test_obeys),
                cmocka_unit_test(test_once),
                cmocka_unit_test(test_second_of_two),
                cmocka_unit_test(test_flushes_all),
                cmocka_unit_test(test_views_once),
                cmocka_unit_test(test_unsigned_answer),
                cmocka_unit_test(test_no_room_for_an_answer),
                cmocka_unit_test(test_bounds),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
