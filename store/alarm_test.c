/* SPDX-License-Identifier: ISC */
/* What the admin was told and asked for, why messages are not signed, and the queue by destination. */
#include "store/alarm.h"

#include "store/open_tickets.h"
#include "store/rig.h"

static void alarms_stay(struct rig *r)
{
        const struct store_alarm on = {.is_on = true, .is_told = true, .since_ms = 5, .told_ms = 7};
        struct store_alarm got = on;
        rig_start(r);
        assert_int_equal(store_alarm_get(r->s, S("disk-full"), &got), ERR_OK);
        assert_true(!got.is_on && !got.is_told && got.since_ms == 0 && got.told_ms == 0);
        assert_int_equal(store_alarm_put(r->s, S("disk-full"), &on), ERR_OK);
        rig_stop(r);
        rig_start(r);
        assert_int_equal(store_alarm_get(r->s, S("disk-full"), &got), ERR_OK);
        assert_true(got.is_on && got.is_told && got.since_ms == 5 && got.told_ms == 7);
        assert_int_equal(store_alarm_get(r->s, S("signer-away"), &got), ERR_OK);
        assert_false(got.is_on);
        assert_int_equal(store_alarm_put(r->s, S("disk-full"), &got), ERR_OK);
        assert_int_equal(store_alarm_get(r->s, S("disk-full"), &got), ERR_OK);
        assert_false(got.is_on || got.is_told);
        rig_stop(r);
}

static void obeyed_once(struct rig *r)
{
        rig_start(r);
        assert_int_equal(store_order_add(r->s, S("<a@x>"), 1000), ERR_OK);
        assert_int_equal(store_order_add(r->s, S("<a@x>"), 2000), ERR_EXISTS);
        assert_int_equal(store_order_add(r->s, S("<b@x>"), 2000), ERR_OK);
        rig_stop(r);
        rig_start(r);
        assert_int_equal(store_order_add(r->s, S("<a@x>"), 1000 + STORE_ORDER_LIFE_MS), ERR_EXISTS);
        assert_int_equal(store_order_add(r->s, S("<a@x>"), 1001 + STORE_ORDER_LIFE_MS), ERR_OK);
        assert_int_equal(store_order_add(r->s, S("<b@x>"), 1001 + STORE_ORDER_LIFE_MS), ERR_EXISTS);
        rig_stop(r);
}

static int64_t forward(struct rig *r, const char *ticket, const struct str *to, size_t n, bool is_unsigned)
{
        struct store_intake *intake;
        struct store_message_new m = {.ticket = str_of_c(ticket),
                .kind = STORE_FORWARD,
                .domain = S("mailingl.st"),
                .message_id = S("<1@x>"),
                .front = S("Received: x\r\n"),
                .received_ms = 77,
                .recipients = to,
                .recipient_count = n,
                .is_unsigned = is_unsigned};
        int64_t id;
        assert_int_equal(store_intake_begin(r->s, 0, &intake), ERR_OK);
        assert_int_equal(store_intake_write(intake, S("Subject: x\r\n\r\nx\r\n")), ERR_OK);
        assert_int_equal(store_intake_commit(intake, &m, &id), ERR_OK);
        return id;
}

static const struct store_queued *queued(struct rig *r)
{
        struct store_queued *q;
        size_t n;
        arena_reset(&r->arena);
        assert_int_equal(store_queue(r->s, 0, 9, &r->arena, &q, &n), ERR_OK);
        assert_int_equal(n, 1);
        return q;
}

/* No signer is asked for it, and it is due at once. */
static void goes_unsigned(struct rig *r)
{
        const struct str to = S("boss@example.org");
        struct store_delivery *due;
        int64_t ids[4];
        size_t n;
        rig_start(r);
        int64_t id = forward(r, "t1", &to, 1, true);
        assert_true(queued(r)->is_signed && queued(r)->waiting == 1 && queued(r)->left == 0);
        assert_int_equal(open_tickets(r->s, 0, 4, ids, &n), ERR_OK);
        assert_int_equal(n, 0);
        assert_int_equal(store_delivery_due(r->s, 0, 4, &r->arena, &due, &n), ERR_OK);
        assert_true(n == 1 && due[0].message == id && str_eq(due[0].address, to));
        assert_int_equal(store_delivery_done(r->s, due[0].id, 1, 250, S("ok")), ERR_OK);
        rig_stop(r);
}

static void trouble_is_kept(struct rig *r)
{
        const struct str to = S("boss@example.org");
        uint64_t refused;
        rig_start(r);
        int64_t id = forward(r, "t1", &to, 1, false);
        assert_int_equal(store_troubles_refused(r->s, &refused), ERR_OK);
        assert_int_equal(refused, 0);
        assert_int_equal(store_trouble_put(r->s, id, 451, S("451 not now")), ERR_OK);
        assert_int_equal(store_trouble_put(r->s, id + 1, 451, S("x")), ERR_NOT_FOUND);
        assert_true(str_eq(queued(r)->trouble, S("451 not now")));
        assert_int_equal(store_troubles_refused(r->s, &refused), ERR_OK);
        assert_int_equal(refused, 0);
        assert_int_equal(store_trouble_put(r->s, id, 550, S("550 never")), ERR_OK);
        rig_stop(r);
        rig_start(r);
        assert_true(str_eq(queued(r)->trouble, S("550 never")));
        assert_int_equal(store_troubles_refused(r->s, &refused), ERR_OK);
        assert_int_equal(refused, 1);
        assert_int_equal(store_queue_hold(r->s, id), ERR_OK);
        assert_int_equal(store_troubles_refused(r->s, &refused), ERR_OK);
        assert_int_equal(refused, 0); /* nobody tries it */
        assert_int_equal(store_queue_flush(r->s, id), ERR_OK);
        assert_int_equal(store_ticket_sign(r->s, id, S("DKIM-Signature: x\r\n")), ERR_OK);
        assert_int_equal(store_troubles_refused(r->s, &refused), ERR_OK);
        assert_int_equal(refused, 0);
        assert_int_equal(queued(r)->trouble.n, 0);
        rig_stop(r);
}

static void put_off(struct rig *r, size_t at, int64_t next_ms, const char *reply)
{
        struct store_delivery *due;
        size_t n;
        arena_reset(&r->arena);
        assert_int_equal(store_delivery_due(r->s, 10, 1, &r->arena, &due, &n), ERR_OK);
        assert_int_equal(n, 1);
        print_message("%zu: %.*s\n", at, STR_ARG(due[0].address));
        assert_int_equal(store_delivery_defer(r->s, due[0].id, next_ms, str_of_c(reply)), ERR_OK);
}

/* Worst first, by the codes of the replies; flush all leaves alone what is held. */
static void destinations(struct rig *r)
{
        const struct str to[] = {S("a@One.test"), S("b@one.test"), S("c@one.test"), S("d@two.test")};
        const char *replies[] = {
                "450 4.2.1 id abc", "450 4.2.1 id xyz", "421 4.7.0 slow", "450 4.2.1 id qrs"};
        struct store_destination *d;
        size_t n;
        uint64_t count;
        rig_start(r);
        int64_t id = forward(r, "t1", to, 4, true);
        for (size_t i = 0; i < 4; i++)
                put_off(r, i, 1000 + (int64_t)i, replies[i]);
        (void)forward(r, "t2", &to[3], 1, true);
        arena_reset(&r->arena);
        assert_int_equal(store_queue_destinations(r->s, 9, &r->arena, &d, &n), ERR_OK);
        assert_int_equal(n, 4);
        assert_true(str_eq(d[0].domain, S("one.test")) && d[0].count == 2 && d[0].attempts == 1 &&
                    d[0].next_ms == 1000 && str_has_prefix(d[0].reply, S("450 4.2.1 id")));
        assert_true(str_eq(d[1].domain, S("one.test")) && str_eq(d[1].reply, S("421 4.7.0 slow")));
        assert_true(str_eq(d[2].domain, S("two.test")) && d[2].reply.n == 0 && d[2].next_ms == 0);
        assert_true(str_eq(d[3].domain, S("two.test")) && d[3].next_ms == 1003);
        assert_int_equal(store_queue_destinations(r->s, 1, &r->arena, &d, &n), ERR_OK);
        assert_int_equal(n, 1);
        assert_int_equal(store_queue_hold(r->s, id), ERR_OK);
        assert_int_equal(store_queue_flush_all(r->s, &count), ERR_OK);
        assert_int_equal(count, 0);
        assert_int_equal(store_queue_flush(r->s, id), ERR_OK);
        put_off(r, 0, 500, "450 4.2.1 again");
        assert_int_equal(store_queue_flush_all(r->s, &count), ERR_OK);
        assert_int_equal(count, 1);
        rig_stop(r);
}

RIG_CASE(alarms_stay)
RIG_CASE(obeyed_once)
RIG_CASE(goes_unsigned)
RIG_CASE(trouble_is_kept)
RIG_CASE(destinations)

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_alarms_stay),
                cmocka_unit_test(test_obeyed_once),
                cmocka_unit_test(test_goes_unsigned),
                cmocka_unit_test(test_trouble_is_kept),
                cmocka_unit_test(test_destinations),
        };
        return cmocka_run_group_tests_name("alarm", tests, NULL, NULL);
}
