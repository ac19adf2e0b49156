/* SPDX-License-Identifier: ISC */
#include <fcntl.h>

#include "store/rig.h"
#include "store/open_tickets.h"

static const size_t sizes[] = {0, 1, 4095, 4096, 4097, 65535, 65536, 65537, 200000};

static void every_size(struct rig *r)
{
        rig_start(r);
        int64_t list = rig_list(r, "ptt", 1), ids[sizeof sizes / sizeof sizes[0]];
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
                char ticket[16];
                (void)snprintf(ticket, sizeof ticket, "Tick%zu", i);
                assert_int_equal(rig_take(r, list, ticket, i, sizes[i], 777, &ids[i]), ERR_OK);
        }
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
                assert_true(rig_holds(r, ids[i], STORE_SENT, S("Front: 1\r\n"), i, sizes[i]));
                assert_int_equal(store_ticket_sign(r->s, ids[i], S("Seal: x\r\n")), ERR_OK);
                assert_true(rig_holds(r, ids[i], STORE_WHOLE, S("Seal: x\r\nFront: 1\r\n"), i, sizes[i]));
                assert_true(rig_holds(r, ids[i], STORE_SENT, S("Front: 1\r\n"), i, sizes[i]));
        }
        rig_stop(r);
        rig_open(r);
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
                assert_true(rig_holds(r, ids[i], STORE_WHOLE, S("Seal: x\r\nFront: 1\r\n"), i, sizes[i]));
        store_close(r->s);
}

/* Any offset, any length, forth and back. */
static void random_access(struct rig *r)
{
        rig_start(r);
        int64_t id, list = rig_list(r, "ptt", 1);
        size_t size = 150000, got;
        struct store_reader *reader;
        char buffer[70000];
        struct str head = S("Front: 1\r\n");
        assert_int_equal(rig_take(r, list, "t", 3, size, 65536, &id), ERR_OK);
        assert_int_equal(store_reader_open(r->s, id, STORE_SENT, &reader), ERR_OK);
        for (int round = 0; round < 500; round++) {
                uint64_t at = host_random_below(r->h, head.n + size + 100);
                size_t cap = (size_t)host_random_below(r->h, sizeof buffer);
                uint64_t left = at < head.n + size ? head.n + size - at : 0;
                assert_int_equal(store_reader_read(reader, at, buffer, cap, &got), ERR_OK);
                assert_int_equal(got, cap < left ? cap : left);
                for (size_t k = 0; k < got; k++)
                        assert_int_equal(
                                buffer[k], at + k < head.n ? head.p[at + k] : rig_byte(3, at + k - head.n));
        }
        store_reader_close(reader);
        rig_stop(r);
}

static void tickets(struct rig *r)
{
        rig_start(r);
        int64_t list = rig_list(r, "ptt", 2), a, b, c, ids[8];
        size_t n;
        struct store_message m;
        struct store_reader *reader;
        assert_int_equal(rig_take(r, list, "AAAA", 1, 10, 10, &a), ERR_OK);
        assert_int_equal(rig_take(r, list, "aaaa", 1, 10, 10, &b), ERR_EXISTS);
        assert_int_equal(b, 0);
        assert_int_equal(rig_take(r, list + 7, "bbbb", 1, 10, 10, &b), ERR_NOT_FOUND);
        assert_int_equal(rig_take(r, list, "bbbb", 1, 10, 10, &b), ERR_OK);
        assert_int_equal(store_space(r->s).used, 2 * 4096); /* what was refused has given its space back */
        assert_int_equal(store_space(r->s).reserved, 0);
        assert_int_equal(store_ticket_find(r->s, S("aAaA"), &r->arena, &m), ERR_OK);
        assert_true(m.id == a && m.state == STORE_OPEN && m.kind == STORE_POST && m.list == list &&
                    m.body_size == 10);
        assert_true(str_eq(m.sender, S("a@b.example")) && m.received_ms == 5000 &&
                    str_eq(m.message_id, S("<x@y>")));
        assert_int_equal(store_ticket_find(r->s, S("cccc"), &r->arena, &m), ERR_NOT_FOUND);
        assert_int_equal(m.id, 0);
        assert_int_equal(open_tickets(r->s, 0, 8, ids, &n), ERR_OK);
        assert_true(n == 2 && ids[0] == a && ids[1] == b);
        assert_int_equal(open_tickets(r->s, 0, 1, ids, &n), ERR_OK);
        assert_true(n == 1 && ids[0] == a);
        assert_int_equal(open_tickets(r->s, a, 8, ids, &n), ERR_OK);
        assert_true(n == 1 && ids[0] == b);
        assert_int_equal(store_tickets_open(r->s, STORE_POST, a, 8, ids, &n), ERR_OK);
        assert_true(n == 1 && ids[0] == b);
        assert_int_equal(store_tickets_open(r->s, STORE_FORWARD, 0, 8, ids, &n), ERR_OK);
        assert_int_equal(n, 0);

        assert_int_equal(store_ticket_sign(r->s, a, S("P: 1\r\n")), ERR_OK);
        assert_int_equal(store_ticket_sign(r->s, a, S("P: 2\r\n")), ERR_EXISTS);
        assert_int_equal(store_ticket_sign(r->s, 999, S("P: 2\r\n")), ERR_NOT_FOUND);
        assert_true(rig_holds(r, a, STORE_WHOLE, S("P: 1\r\nFront: 1\r\n"), 1, 10));
        assert_int_equal(open_tickets(r->s, 0, 8, ids, &n), ERR_OK);
        assert_int_equal(n, 1);
        rig_stop(r);

        rig_start(r); /* an open ticket outlives the process */
        assert_int_equal(open_tickets(r->s, 0, 8, ids, &n), ERR_OK);
        assert_true(n == 1 && ids[0] == b);
        assert_int_equal(store_ticket_sign(r->s, a, S("P: 2\r\n")), ERR_EXISTS);
        int64_t empty = rig_list(r, "empty", 0);
        assert_int_equal(rig_take(r, empty, "c", 1, 10, 10, &c), ERR_OK);
        assert_int_equal(store_ticket_sign(r->s, c, S("")), ERR_OK);
        struct store_delivery *d;
        assert_int_equal(store_post_fill(r->s, 1, 8, &r->arena, &d, &n), ERR_OK);
        assert_int_equal(n, 2);
        assert_int_equal(store_message_get(r->s, c, &r->arena, &m), ERR_OK);
        assert_int_equal(m.state, STORE_DONE); /* nobody to deliver to */
        assert_int_equal(store_ticket_sign(r->s, c, S("late")), ERR_EXISTS);
        assert_int_equal(store_reader_open(r->s, c, STORE_SENT, &reader), ERR_NOT_FOUND);
        assert_null(reader);
        rig_stop(r);
}

static void forward(struct rig *r)
{
        rig_start(r);
        struct store_intake *i;
        struct store_delivery *d;
        struct store_message m;
        const struct str to[] = {S("admin@One.example"), S("\"a@b\"@two.example")};
        struct store_message_new new = {.ticket = S("f"),
                .kind = STORE_FORWARD,
                .domain = S("Example.org"),
                .front = S("F: 1\r\n"),
                .is_8bit = true,
                .is_smtputf8 = true,
                .recipients = to,
                .recipient_count = 2};
        int64_t id;
        size_t n;
        assert_int_equal(store_intake_begin(r->s, 0, &i), ERR_OK);
        assert_int_equal(store_intake_write(i, S("hello\r\n")), ERR_OK);
        assert_int_equal(store_intake_size(i), 7);
        assert_int_equal(store_intake_commit(i, &new, &id), ERR_OK);
        assert_int_equal(store_message_get(r->s, id, &r->arena, &m), ERR_OK);
        assert_true(m.is_8bit && m.is_smtputf8 && m.sender.n == 0 && m.list == 0 && m.kind == STORE_FORWARD);
        assert_int_equal(store_ticket_sign(r->s, id, S("")), ERR_OK);
        assert_int_equal(store_delivery_due(r->s, host_wall_ms(r->h), 8, &r->arena, &d, &n), ERR_OK);
        assert_int_equal(n, 2);
        assert_true(str_eq(d[0].address, S("admin@One.example")) && str_eq(d[0].domain, S("one.example")));
        assert_true(str_eq(d[1].domain, S("two.example")) && d[1].member == 0 && d[1].list == 0);
        assert_true(d[0].first_ms > 0);
        assert_int_equal(store_delivery_done(r->s, d[0].id, 1, 250, S("250 ok")), ERR_OK);
        assert_int_equal(store_delivery_fail(r->s, d[1].id, 44, 550, S("5.1.1 no")), ERR_OK);
        assert_int_equal(store_message_get(r->s, id, &r->arena, &m), ERR_OK);
        assert_int_equal(m.state, STORE_DONE);
        assert_int_equal(store_space(r->s).used, 0);
        rig_stop(r);
}

/* A reader keeps the bytes of a message that becomes done under it, and only so long. */
static void reader_outlives(struct rig *r)
{
        rig_start(r);
        int64_t id, next, list = rig_list(r, "ptt", 1);
        struct store_reader *one, *two;
        struct store_delivery *d;
        size_t n, got;
        char buffer[100];
        assert_int_equal(rig_take(r, list, "t", 1, 100, 100, &id), ERR_OK);
        assert_int_equal(store_ticket_sign(r->s, id, S("")), ERR_OK);
        assert_int_equal(store_reader_open(r->s, id, STORE_WHOLE, &one), ERR_OK);
        assert_int_equal(store_reader_open(r->s, id, STORE_SENT, &two), ERR_OK);
        assert_int_equal(store_post_fill(r->s, 1, 8, &r->arena, &d, &n), ERR_OK);
        assert_int_equal(n, 1);
        assert_int_equal(store_delivery_done(r->s, d[0].id, 1, 250, S("250 ok")), ERR_OK);
        assert_int_equal(rig_take(r, list, "u", 2, 100, 100, &next), ERR_OK);
        store_reader_close(one);
        assert_int_equal(store_space(r->s).used, 2 * 4096);
        assert_int_equal(store_reader_read(two, 10, buffer, 100, &got), ERR_OK);
        assert_true(got == 100 && buffer[7] == rig_byte(1, 7));
        store_reader_close(two);
        assert_int_equal(store_space(r->s).used, 4096);
        assert_true(rig_holds(r, next, STORE_SENT, S("Front: 1\r\n"), 2, 100));
        rig_stop(r);
}

static void damaged_extent(struct rig *r)
{
        rig_start(r);
        int64_t good, bad, list = rig_list(r, "ptt", 1);
        struct store_reader *reader;
        char buffer[100];
        size_t got = 1;
        assert_int_equal(rig_take(r, list, "a", 1, 4096, 4096, &good), ERR_OK);
        assert_int_equal(rig_take(r, list, "b", 2, 100000, 4096, &bad), ERR_OK);
        rig_stop(r);
        rig_flip(r, "spool/0000", 4096 + 70000);
        rig_start(r);
        assert_true(rig_holds(r, good, STORE_SENT, S("Front: 1\r\n"), 1, 4096));
        assert_int_equal(store_reader_open(r->s, bad, STORE_SENT, &reader), ERR_OK);
        assert_int_equal(store_reader_read(reader, 0, buffer, 100, &got), ERR_OK);
        assert_int_equal(got, 100);
        assert_int_equal(store_reader_read(reader, 70010, buffer, 100, &got), ERR_CORRUPT);
        assert_int_equal(got, 0);
        assert_int_equal(store_reader_read(reader, 99990, buffer, 100, &got), ERR_CORRUPT); /* and again */
        store_reader_close(reader);
        assert_false(store_is_broken(r->s)); /* one message is damaged, not the disk */
        rig_stop(r);
}

/* Segments that are gone: said at the start, an error for the message, and the rest works. */
static void lost_segment(struct rig *r)
{
        rig_start(r);
        int64_t id, list = rig_list(r, "ptt", 1), other;
        struct store_reader *reader;
        struct store_delivery *d;
        struct store_message m;
        size_t n;
        assert_int_equal(rig_take(r, list, "a", 1, 4096, 4096, &id), ERR_OK);
        assert_int_equal(store_ticket_sign(r->s, id, S("")), ERR_OK);
        rig_stop(r);
        rig_remove(r, "spool/0000");
        rig_start(r);
        assert_int_equal(store_reader_open(r->s, id, STORE_WHOLE, &reader), ERR_CORRUPT);
        assert_null(reader);
        assert_int_equal(rig_take(r, list, "b", 2, 5000, 4096, &other), ERR_OK);
        assert_int_equal(store_post_fill(r->s, 1, 8, &r->arena, &d, &n), ERR_OK);
        assert_int_equal(n, 1);
        assert_int_equal(store_delivery_fail(r->s, d[0].id, 1, 0, S("damaged")), ERR_OK);
        assert_int_equal(store_message_get(r->s, id, &r->arena, &m), ERR_OK);
        assert_int_equal(m.state, STORE_DONE);
        /* the new message stands where the lost one did, and does not lose its space with it */
        assert_int_equal(store_space(r->s).used, 2 * 4096);
        assert_true(rig_holds(r, other, STORE_SENT, S("Front: 1\r\n"), 2, 5000));
        rig_stop(r);
}

static void forget(struct rig *r)
{
        rig_start(r);
        int64_t list = rig_list(r, "ptt", 1), id, kept;
        struct store_delivery *d;
        struct store_message m;
        struct store_failure *f;
        size_t n;
        assert_int_equal(rig_take(r, list, "a", 1, 10, 10, &id), ERR_OK);
        assert_int_equal(rig_take(r, list, "b", 1, 10, 10, &kept), ERR_OK);
        assert_int_equal(store_ticket_sign(r->s, id, S("")), ERR_OK);
        assert_int_equal(store_post_fill(r->s, 1, 8, &r->arena, &d, &n), ERR_OK);
        assert_int_equal(store_delivery_fail(r->s, d[0].id, 6000, 550, S("no")), ERR_OK);
        assert_int_equal(store_forget(r->s, 5000, 10, &n), ERR_OK);
        assert_int_equal(n, 0);
        assert_int_equal(store_forget(r->s, 5001, 10, &n), ERR_OK);
        assert_int_equal(n, 1);
        assert_int_equal(store_message_get(r->s, id, &r->arena, &m), ERR_NOT_FOUND);
        assert_int_equal(store_message_get(r->s, kept, &r->arena, &m), ERR_OK);
        assert_int_equal(store_failures(r->s, 0, 10, &r->arena, &f, &n), ERR_OK);
        assert_true(n == 1 && f[0].code == 550 && str_eq(f[0].address, S("M0@D0.example")));
        assert_int_equal(store_forget(r->s, 6001, 10, &n), ERR_OK);
        assert_int_equal(n, 1);
        rig_stop(r);
}

/* Reservations: what was promised to one is not given to another, and an abort gives all back. */
static void reservations(struct rig *r)
{
        rig_start(r);
        struct store_intake *a, *b;
        uint64_t share = store_space(r->s).share;
        assert_int_equal(store_intake_begin(r->s, UINT64_MAX, &a), ERR_FULL);
        assert_null(a);
        assert_int_equal(store_intake_begin(r->s, share + 1, &a), ERR_FULL);
        assert_int_equal(store_intake_begin(r->s, share - 8192, &a), ERR_OK);
        assert_int_equal(store_space(r->s).reserved, share - 8192);
        assert_int_equal(store_intake_begin(r->s, 8193, &b), ERR_FULL);
        assert_int_equal(store_intake_begin(r->s, 8192, &b), ERR_OK);
        store_intake_abort(a);
        store_intake_abort(b);
        store_intake_abort(NULL);
        assert_int_equal(store_space(r->s).reserved, 0);
        assert_int_equal(store_space(r->s).used, 0);
        rig_stop(r);
}

RIG_CASE(every_size)
RIG_CASE(random_access)
RIG_CASE(tickets)
RIG_CASE(forward)
RIG_CASE(reader_outlives)
RIG_CASE(damaged_extent)
RIG_CASE(lost_segment)
RIG_CASE(forget)
RIG_CASE(reservations)

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_every_size),
                cmocka_unit_test(test_random_access),
                cmocka_unit_test(test_tickets),
                cmocka_unit_test(test_forward),
                cmocka_unit_test(test_reader_outlives),
                cmocka_unit_test(test_damaged_extent),
                cmocka_unit_test(test_lost_segment),
                cmocka_unit_test(test_forget),
                cmocka_unit_test(test_reservations),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
