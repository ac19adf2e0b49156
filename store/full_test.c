/* SPDX-License-Identifier: ISC */
/* Disks that are full, and disks that fail. The first can be cured: what frees space goes on; the second is final. */
#include "store/ask.h"
#include "store/open_tickets.h"
#include "store/rig.h"

static enum err take_numbered(struct rig *r, int64_t list, uint32_t n, size_t size, int64_t *id)
{
        char ticket[16];
        (void)snprintf(ticket, sizeof ticket, "t%u", n);
        return rig_take(r, list, ticket, n, size, 4000, id);
}

/* Sign and deliver everything. */
static void drain(struct rig *r)
{
        int64_t ids[16];
        size_t n;
        for (;;) {
                assert_int_equal(open_tickets(r->s, 0, 16, ids, &n), ERR_OK);
                for (size_t i = 0; i < n; i++)
                        assert_int_equal(store_ticket_sign(r->s, ids[i], S("P: 1\r\n")), ERR_OK);
                if (n == 0)
                        break;
        }
        do {
                struct store_delivery *d;
                arena_reset(&r->arena);
                assert_int_equal(store_post_fill(r->s, 1, 64, &r->arena, &d, &n), ERR_OK);
                for (size_t i = 0; i < n; i++)
                        assert_int_equal(store_delivery_done(r->s, d[i].id, 1, 250, S("250 ok")), ERR_OK);
        } while (n > 0);
        assert_int_equal(store_space(r->s).used, 0);
}

static void share_is_full(struct rig *r)
{
        rig_start(r);
        rig_limit(r, SPOOL_SEGMENT_MIN);
        int64_t list = rig_list(r, "ptt", 2), ids[64], id;
        uint32_t count = 0;
        enum err err = ERR_OK;
        while (err == ERR_OK && count < 64) {
                err = take_numbered(r, list, count, 100000, &ids[count]);
                count += err == ERR_OK;
        }
        assert_int_equal(err, ERR_FULL);
        assert_int_equal(count, 10); /* 25 blocks each, of 256 */
        assert_false(store_is_broken(r->s));
        assert_int_equal(store_space(r->s).reserved, 0);
        assert_int_equal(take_numbered(r, list, 100, 24000, &id), ERR_OK); /* what is left is not lost */
        assert_int_equal(take_numbered(r, list, 101, 1, &id), ERR_FULL);
        /* more than was announced: refused when the space ends, and given back */
        struct store_intake *i;
        static char bytes[70000];
        assert_int_equal(store_intake_begin(r->s, 0, &i), ERR_OK);
        assert_int_equal(store_intake_write(i, str_of(bytes, sizeof bytes)), ERR_FULL);
        assert_int_equal(store_intake_write(i, S("x")), ERR_FULL);
        store_intake_abort(i);
        for (uint32_t k = 0; k < count; k++)
                assert_true(rig_holds(r, ids[k], STORE_SENT, S("Front: 1\r\n"), k, 100000));
        drain(r);
        assert_int_equal(take_numbered(r, list, 102, 1000000, &id), ERR_OK);
        assert_true(rig_holds(r, id, STORE_SENT, S("Front: 1\r\n"), 102, 1000000));
        rig_stop(r);
}

/* Free space in pieces is used to the last block, and every message reads right. */
static void pieces(struct rig *r)
{
        rig_start(r);
        rig_limit(r, SPOOL_SEGMENT_MIN);
        int64_t list = rig_list(r, "ptt", 1), ids[256], id;
        struct store_delivery *d;
        size_t n;
        for (uint32_t k = 0; k < 256; k++)
                assert_int_equal(take_numbered(r, list, k, 4000, &ids[k]), ERR_OK);
        assert_int_equal(take_numbered(r, list, 300, 1, &id), ERR_FULL);
        for (uint32_t k = 0; k < 256; k += 2)
                assert_int_equal(store_ticket_sign(r->s, ids[k], S("")), ERR_OK);
        assert_int_equal(store_post_fill(r->s, 1, 256, &r->arena, &d, &n), ERR_OK);
        assert_int_equal(n, 128);
        for (size_t i = 0; i < n; i++)
                assert_int_equal(store_delivery_done(r->s, d[i].id, 1, 250, S("250 ok")), ERR_OK);
        assert_int_equal(take_numbered(r, list, 301, 128 * 4096, &id), ERR_OK);
        assert_true(rig_holds(r, id, STORE_SENT, S("Front: 1\r\n"), 301, 128 * 4096));
        for (uint32_t k = 1; k < 256; k += 2)
                assert_true(rig_holds(r, ids[k], STORE_SENT, S("Front: 1\r\n"), k, 4000));
        rig_stop(r);
        rig_start(r);
        assert_true(rig_holds(r, id, STORE_SENT, S("Front: 1\r\n"), 301, 128 * 4096));
        assert_int_equal(store_space(r->s).used, 1024 * 1024);
        rig_stop(r);
}

/* With 32 KiB of header fields each, the database fills before the spool. */
static enum err take_wide(struct rig *r, int64_t list, uint32_t n)
{
        static char front[32768];
        char ticket[16];
        struct store_intake *i;
        int64_t id;
        (void)snprintf(ticket, sizeof ticket, "w%u", n);
        enum err err = store_intake_begin(r->s, 10, &i);
        if (err != ERR_OK)
                return err;
        assert_int_equal(store_intake_write(i, S("0123456789")), ERR_OK);
        memset(front, 'f', sizeof front);
        struct store_message_new m = {.ticket = str_of_c(ticket),
                .kind = STORE_POST,
                .list = list,
                .domain = S("example.org"),
                .front = str_of(front, sizeof front)};
        return store_intake_commit(i, &m, &id);
}

/* The smallest image: the database fills it. */
static void volume_is_full(struct rig *r)
{
        rig_start(r);
        int64_t list = rig_list(r, "ptt", 2);
        uint32_t n = 0;
        enum err err = ERR_OK;
        while (err == ERR_OK && n < 2000)
                err = take_wide(r, list, n++);
        assert_int_equal(err, ERR_FULL);
        assert_true(n > 20);
        assert_false(store_is_broken(r->s));
        drain(r); /* results find room */
        assert_int_equal(fiber_sleep(r->h->sched, 1100), ERR_OK);
        err = take_wide(r, list, n++);
        if (err == ERR_FULL)
                err = take_wide(r, list, n++);
        assert_int_equal(err, ERR_OK); /* and so do new messages again */
        drain(r);
        /* one change that is larger than the volume */
        size_t huge = 40 * 1024 * 1024;
        char *value = calloc(1, huge);
        assert_non_null(value);
        assert_int_equal(store_setting_put(r->s, list, S("footer"), str_of(value, huge)), ERR_FULL);
        free(value);
        assert_false(store_is_broken(r->s));
        rig_stop(r);
        rig_start(r);
        assert_int_equal(take_wide(r, list, n++), ERR_OK);
        rig_stop(r);
}

static void test_volume_is_full(void **state)
{
        (void)state;
        rig_with(volume_is_full, rig_create, FAT_VOLUME_MIN);
}

/* A sparse image on a disk that is full: what is firm can be written, nothing else. */
#define FIRM (24ull * 1024 * 1024)
struct thin {
        struct host_ops ops;
        const struct host_ops *real;
};

static struct thin thin;

static enum err write_while_room(struct host_block *b, uint64_t at, const void *from, size_t n)
{
        return at + n > FIRM ? ERR_FULL : thin.real->block_write(b, at, from, n);
}

static void disk_is_full(struct rig *r)
{
        rig_start(r);
        int64_t list = rig_list(r, "ptt", 2), id;
        uint32_t n = 0;
        enum err err = ERR_OK;
        thin.real = r->h->ops;
        thin.ops = *r->h->ops;
        thin.ops.block_write = write_while_room;
        r->h->ops = &thin.ops;
        while (err == ERR_OK && n < 2000)
                err = take_numbered(r, list, n++, 100000, &id);
        assert_int_equal(err, ERR_FULL);
        assert_true(n > 20);
        assert_false(store_is_broken(r->s));
        drain(r);
        assert_int_equal(take_numbered(r, list, 3000, 1000000, &id), ERR_OK);
        assert_true(rig_holds(r, id, STORE_SENT, S("Front: 1\r\n"), 3000, 1000000));
        assert_int_equal(take_numbered(r, list, 3001, 30000000, &id), ERR_FULL);
        r->h->ops = thin.real; /* there is room again */
        assert_int_equal(take_numbered(r, list, 3002, 30000000, &id), ERR_OK);
        drain(r);
        rig_stop(r);
}

static enum err flush_that_fails(struct host_block *b)
{
        (void)b;
        return ERR_IO;
}

static void everything_is_refused(struct rig *r, int64_t list)
{
        int64_t id;
        size_t n;
        struct store_list l;
        assert_true(store_is_broken(r->s));
        assert_int_equal(rig_take(r, list, "u", 1, 10, 10, &id), ERR_IO);
        assert_int_equal(store_list_get(r->s, list, &r->arena, &l), ERR_IO);
        assert_int_equal(open_tickets(r->s, 0, 1, &id, &n), ERR_IO);
        assert_int_equal(store_member_add(r->s, list, S("x@y.example"), 1, &id), ERR_IO);
}

static void failed_flush(struct rig *r)
{
        rig_start(r);
        int64_t list = rig_list(r, "ptt", 2), id;
        struct host_ops ops = *r->h->ops;
        const struct host_ops *before = r->h->ops;
        ops.block_flush = flush_that_fails;
        r->h->ops = &ops;
        assert_int_equal(rig_take(r, list, "t", 1, 10, 10, &id), ERR_IO);
        assert_int_equal(id, 0);
        r->h->ops = before; /* a second flush would lie */
        everything_is_refused(r, list);
        rig_stop(r);
        struct store_message m;
        rig_start(r);
        assert_int_equal(store_ticket_find(r->s, S("t"), &r->arena, &m), ERR_NOT_FOUND);
        assert_int_equal(store_space(r->s).used, 0);
        rig_stop(r);
}

static enum err write_that_fails(struct host_block *b, uint64_t at, const void *from, size_t n)
{
        (void)b;
        (void)at;
        (void)from;
        (void)n;
        return ERR_IO;
}

static void failed_database(struct rig *r)
{
        rig_start(r);
        int64_t list = rig_list(r, "ptt", 2), id;
        struct host_ops ops = *r->h->ops;
        const struct host_ops *before = r->h->ops;
        ops.block_write = write_that_fails;
        r->h->ops = &ops;
        assert_int_equal(store_member_add(r->s, list, S("x@y.example"), 1, &id), ERR_IO);
        r->h->ops = before;
        everything_is_refused(r, list);
        rig_stop(r);
        struct store_member member;
        rig_start(r);
        assert_int_equal(store_member_find(r->s, list, S("x@y.example"), &r->arena, &member), ERR_NOT_FOUND);
        assert_int_equal(store_member_find(r->s, list, S("m1@d1.example"), &r->arena, &member), ERR_OK);
        rig_stop(r);
}

RIG_CASE(share_is_full)
RIG_CASE(pieces)
RIG_CASE(disk_is_full)
RIG_CASE(failed_flush)
RIG_CASE(failed_database)

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_share_is_full),
                cmocka_unit_test(test_pieces),
                cmocka_unit_test(test_volume_is_full),
                cmocka_unit_test(test_disk_is_full),
                cmocka_unit_test(test_failed_flush),
                cmocka_unit_test(test_failed_database),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
