/* SPDX-License-Identifier: ISC */
/* What needs a person is told once, and once when it is over: mail and row together, restarts and all. */
#include "serve/list_world.h"

#include "list/alarm.h"
#include "serve/watch.h"
#include "store/alarm.h"
#include "store/delivery.h"

#define BOSS "boss@strict.test"
#define HOUR_MS ((int64_t)60 * 60 * 1000)
#define DAY_MS (24 * HOUR_MS)

static struct watch *started(struct rig *r)
{
        struct watch *w = malloc(sizeof *w);
        assert_non_null(w);
        r->node.admin = S(BOSS);
        watch_init(w, &r->node, S("dkim-%d"), S("arc-%d"));
        assert_int_equal(watch_look(w), ERR_OK);
        return w;
}

static void look(struct watch *w)
{
        assert_int_equal(watch_look(w), ERR_OK);
}

/* Letters to the admin so far. */
static size_t letters(struct rig *r)
{
        struct store_queued *q;
        size_t n, found = 0;
        arena_reset(&r->arena);
        assert_int_equal(store_queue(r->node.store, 0, 50, &r->arena, &q, &n), ERR_OK);
        for (size_t i = 0; i < n; i++)
                found += q[i].list == 0;
        return found;
}

static bool has_row(struct rig *r, enum alarm alarm, bool is_told)
{
        struct store_alarm row;
        assert_int_equal(store_alarm_get(r->node.store, alarm_name(alarm), &row), ERR_OK);
        return row.is_on && row.is_told == is_told && row.since_ms > 0;
}

/* A letter to somebody that waits for a signer, taken in so long ago; its id. */
static int64_t letter(struct rig *r, const char *ticket, int64_t age_ms, bool is_unsigned)
{
        static const struct str to = {"x@else.test", 11};
        struct store_intake *intake;
        struct store_message_new m = {.ticket = str_of_c(ticket),
                .kind = STORE_FORWARD,
                .domain = S("mailingl.st"),
                .message_id = S("<1@x>"),
                .front = S("Received: x\r\n"),
                .received_ms = host_wall_ms(r->host) - age_ms,
                .recipients = &to,
                .recipient_count = 1,
                .is_unsigned = is_unsigned};
        int64_t id;
        assert_int_equal(store_intake_begin(r->node.store, 0, &intake), ERR_OK);
        assert_int_equal(store_intake_write(intake, S("Subject: x\r\n\r\nx\r\n")), ERR_OK);
        assert_int_equal(store_intake_commit(intake, &m, &id), ERR_OK);
        return id;
}

static void quiet(struct rig *r)
{
        struct watch *w = started(r);
        look(w);
        assert_int_equal(letters(r), 0);
        for (int i = 0; i < ALARMS; i++)
                assert_false(r->node.alarms[i]);
        free(w);
}
LIST_TEST(quiet)

/* An hour without a handover; a restart in between tells nothing again; then one works. */
static void signer_away(struct rig *r)
{
        struct watch *w = started(r);
        int64_t id = letter(r, "t1", 0, false), when_ms;
        look(w);
        w->unsigned_ms -= HOUR_MS - 1000;
        look(w);
        assert_int_equal(letters(r), 1); /* the one that waits */
        w->unsigned_ms -= 1000;
        look(w);
        assert_int_equal(letters(r), 2);
        assert_true(r->node.alarms[ALARM_SIGNER_AWAY] && has_row(r, ALARM_SIGNER_AWAY, true));
        assert_int_equal(store_delivery_next_due(r->node.store, &when_ms), ERR_OK);
        assert_int_equal(when_ms, 0); /* unsigned, or it would wait with the others */
        look(w);
        assert_int_equal(letters(r), 2);
        free(w);

        r->node.alarms[ALARM_SIGNER_AWAY] = false;
        w = started(r); /* again, after a restart: an hour has not gone by */
        assert_true(r->node.alarms[ALARM_SIGNER_AWAY]);
        w->unsigned_ms -= 2 * HOUR_MS;
        look(w);
        assert_int_equal(letters(r), 2);
        assert_int_equal(store_ticket_sign(r->node.store, id, S("DKIM-Signature: x\r\n")), ERR_OK);
        r->node.stats.handed_over++;
        look(w);
        assert_int_equal(letters(r), 3);
        assert_true(has(newest(r), "Subject: mx.mailingl.st: a signer takes mail again\r\n"));
        assert_false(r->node.alarms[ALARM_SIGNER_AWAY]);
        look(w);
        assert_int_equal(letters(r), 3);
        free(w);
}
LIST_TEST(signer_away)

static void signer_refuses(struct rig *r)
{
        struct watch *w = started(r);
        int64_t id = letter(r, "t1", 0, false);
        assert_int_equal(store_trouble_put(r->node.store, id, 451, S("451 not now")), ERR_OK);
        look(w);
        assert_int_equal(letters(r), 1);
        assert_int_equal(store_trouble_put(r->node.store, id, 550, S("550 not ours")), ERR_OK);
        look(w);
        assert_int_equal(letters(r), 2);
        assert_true(has_row(r, ALARM_SIGNER_REFUSES, true));
        assert_int_equal(store_queue_drop(r->node.store, id), ERR_OK);
        look(w);
        assert_int_equal(letters(r), 2); /* it is over: one is gone, one has come */
        free(w);
}
LIST_TEST(signer_refuses)

/* What is being received counts, too. Twice within a day: told once. */
static void disk_full(struct rig *r)
{
        struct watch *w = started(r);
        struct store_intake *intake;
        uint64_t most = store_space(r->node.store).share;
        assert_int_equal(store_intake_begin(r->node.store, most / 100 * 80, &intake), ERR_OK);
        look(w);
        assert_int_equal(letters(r), 0);
        store_intake_abort(intake);
        assert_int_equal(store_intake_begin(r->node.store, most / 100 * 92, &intake), ERR_OK);
        look(w);
        assert_int_equal(letters(r), 1);
        assert_true(has(newest(r), "Subject: mx.mailingl.st: the image is nearly full\r\n"));
        assert_true(has(newest(r), "\r\nAuto-Submitted: auto-generated\r\n"));
        store_intake_abort(intake);
        look(w);
        assert_int_equal(letters(r), 2);
        assert_int_equal(store_intake_begin(r->node.store, most / 100 * 92, &intake), ERR_OK);
        look(w);
        assert_int_equal(letters(r), 2);
        assert_true(has_row(r, ALARM_DISK_FULL, false));
        store_intake_abort(intake);
        free(w);
}
LIST_TEST(disk_full)

/* No room for the mail: nothing is told, and it is tried again at the next look. */
static void no_room_to_tell(struct rig *r)
{
        struct watch *w = started(r);
        struct store_intake *large, *small[64];
        struct store_space space = store_space(r->node.store);
        size_t count = 0;
        assert_int_equal(store_intake_begin(r->node.store, space.share - space.used, &large), ERR_OK);
        while (count < 64 && store_intake_begin(r->node.store, 1, &small[count]) == ERR_OK)
                count++;
        assert_true(count < 64);
        look(w);
        look(w);
        assert_int_equal(letters(r), 0);
        assert_false(has_row(r, ALARM_DISK_FULL, true) || has_row(r, ALARM_DISK_FULL, false));
        assert_true(r->node.alarms[ALARM_DISK_FULL] && w->has_failed[ALARM_DISK_FULL]);
        while (count > 0)
                store_intake_abort(small[--count]);
        store_intake_abort(large);
        assert_int_equal(store_intake_begin(r->node.store, space.share / 100 * 92, &large), ERR_OK);
        look(w);
        assert_int_equal(letters(r), 1);
        store_intake_abort(large);
        free(w);
}
LIST_TEST(no_room_to_tell)

/* The zone has nothing of what is needed. */
static void records(struct rig *r)
{
        struct watch *w = started(r);
        w->records_at_ms = 0;
        look(w);
        assert_int_equal(letters(r), 1);
        struct str mail = newest(r);
        assert_true(has(mail, "Subject: mx.mailingl.st: records are missing in the DNS\r\n"));
        assert_true(has(mail, "\r\nmissing  _dmarc.mailingl.st TXT: no DMARC record\r\n"));
        assert_true(has(mail, "\r\nmissing  mx.mailingl.st A: no address\r\n"));
        assert_true(w->records_at_ms > host_now_ms(r->host) + HOUR_MS / 2); /* not at each look */
        look(w);
        assert_int_equal(letters(r), 1);
        w->records_bad = 0; /* as the next look at the DNS may find it */
        look(w);
        assert_int_equal(letters(r), 2);
        free(w);
}
LIST_TEST(records)

static void queue_stuck(struct rig *r)
{
        struct watch *w = started(r);
        (void)letter(r, "t1", 2 * DAY_MS, true);
        r->node.stats.handed_over++;
        look(w);
        w->undelivered_ms -= HOUR_MS - 1000;
        look(w);
        assert_int_equal(letters(r), 1);
        w->undelivered_ms -= 1000;
        look(w);
        assert_int_equal(letters(r), 2);
        assert_true(has(newest(r), "Subject: mx.mailingl.st: no mail goes out\r\n"));
        assert_true(has(newest(r), "1 for else.test"));
        r->node.stats.delivered++;
        look(w);
        assert_int_equal(letters(r), 3);
        free(w);
}
LIST_TEST(queue_stuck)

/* Mail for a host that is away for days, and quiet hours between posts that were delivered. */
static void a_quiet_queue_is_not_stuck(struct rig *r)
{
        struct watch *w = started(r);
        size_t before = letters(r);
        (void)letter(r, "t1", 2 * DAY_MS, true);
        r->node.stats.handed_over++;
        r->node.stats.delivered++;
        look(w);
        w->undelivered_ms -= 5 * HOUR_MS;
        look(w);
        assert_int_equal(letters(r), before + 1); /* the letter itself */
        r->node.stats.handed_over++;
        look(w);
        w->undelivered_ms -= HOUR_MS;
        look(w);
        assert_int_equal(letters(r), before + 2);
        free(w);
}
LIST_TEST(a_quiet_queue_is_not_stuck)

static struct tls_context *certificate(struct rig *r, int64_t days)
{
        static const uint8_t seed[ED25519_SEED_SIZE] = {1};
        struct crypto_key *key;
        struct tls_context *context;
        int64_t now_s = host_wall_ms(r->host) / 1000;
        assert_int_equal(crypto_key_ed25519_private(seed, &key), ERR_OK);
        assert_int_equal(tls_server_self_signed(
                                 key, S("mx.mailingl.st"), now_s - 60, now_s + days * 24 * 60 * 60, &context),
                ERR_OK);
        crypto_key_free(key);
        return context;
}

static void certificate_ends(struct rig *r)
{
        struct watch *w = started(r);
        r->node.identity.context = certificate(r, 13);
        look(w);
        assert_int_equal(letters(r), 0); /* it is of our own making, and renewed by itself */
        r->node.identity.is_given = true;
        look(w);
        assert_int_equal(letters(r), 1);
        assert_true(has(newest(r), "Subject: mx.mailingl.st: the TLS certificate ends soon\r\n"));
        tls_context_free(r->node.identity.context);
        r->node.identity.context = certificate(r, 90);
        look(w);
        assert_int_equal(letters(r), 2);
        tls_context_free(r->node.identity.context);
        r->node.identity.context = NULL;
        free(w);
}
LIST_TEST(certificate_ends)

/* Without --admin the log tells; the row keeps it from telling each minute. */
static void nobody_to_tell(struct rig *r)
{
        struct watch *w = started(r);
        r->node.admin = S("");
        int64_t id = letter(r, "t1", 0, false);
        assert_int_equal(store_trouble_put(r->node.store, id, 550, S("550 not ours")), ERR_OK);
        look(w);
        look(w);
        assert_int_equal(letters(r), 1);
        assert_true(has_row(r, ALARM_SIGNER_REFUSES, true));
        free(w);
}
LIST_TEST(nobody_to_tell)

/* ---- a host whose clock is set, and whose console is kept ---- */

static int64_t ahead_ms;
static char last_line[1000];
static const struct host_ops *real;

static int64_t wall_ms(struct host *h)
{
        return real->wall_ms(h) + ahead_ms;
}

static void console(struct host *h, struct str line)
{
        (void)h;
        (void)snprintf(last_line, sizeof last_line, "%.*s", STR_ARG(line));
}

static void clock_jumps(struct rig *r)
{
        static const struct {
                int64_t ahead_ms;
                const char *want; /* or NULL: nothing is said */
        } cases[] = {{2 * HOUR_MS, "event=clock-jumped seconds=7"}, {-3 * HOUR_MS, "seconds=-1"},
                {-3 * HOUR_MS + HOUR_MS / 2, NULL}, {0, "seconds="}, {0, NULL}};
        struct watch *w = started(r);
        struct host_ops ops = *r->host->ops;
        real = r->host->ops;
        ops.wall_ms = wall_ms;
        ops.console = console;
        r->host->ops = &ops;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                last_line[0] = 0;
                ahead_ms = cases[i].ahead_ms;
                look(w);
                assert_int_equal(strstr(last_line, "clock-jumped") != NULL, cases[i].want != NULL);
                if (cases[i].want)
                        assert_non_null(strstr(last_line, cases[i].want));
        }
        r->host->ops = real;
        assert_int_equal(letters(r), 0);
        free(w);
}
LIST_TEST(clock_jumps)

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_quiet),
                cmocka_unit_test(test_signer_away),
                cmocka_unit_test(test_signer_refuses),
                cmocka_unit_test(test_disk_full),
                cmocka_unit_test(test_no_room_to_tell),
                cmocka_unit_test(test_records),
                cmocka_unit_test(test_queue_stuck),
                cmocka_unit_test(test_a_quiet_queue_is_not_stuck),
                cmocka_unit_test(test_certificate_ends),
                cmocka_unit_test(test_nobody_to_tell),
                cmocka_unit_test(test_clock_jumps),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
