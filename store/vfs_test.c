/* SPDX-License-Identifier: ISC */
/* What rots on the disk is found: pages of the database and of its log. And what SQLite asks beside that. */
#include "store/vfs.h"
#include "store/rig.h"

static int64_t count_of(struct store *s, const char *sql, int *rc)
{
        sqlite3_stmt *st;
        int64_t n = -1;
        assert_int_equal(sqlite3_prepare_v2(s->db.c, sql, -1, &st, NULL), SQLITE_OK);
        *rc = sqlite3_step(st);
        if (*rc == SQLITE_ROW)
                n = sqlite3_column_int64(st, 0);
        sqlite3_finalize(st);
        return n;
}

static enum err verify(struct rig *r, uint64_t *damaged)
{
        struct volume v;
        rig_volume(r, &v);
        struct vfs *vfs = vfs_new(&v);
        assert_non_null(vfs);
        enum err err = vfs_verify(vfs, NULL, NULL, damaged);
        vfs_free(vfs);
        assert_int_equal(volume_close(&v), ERR_OK);
        return err;
}

/* A page with a right checksum, in another's place. */
static void misplaced(struct rig *r)
{
        struct volume v;
        struct area area;
        uint64_t damaged;
        static char page[VFS_PAGE], zeros[VFS_PAGE];
        rig_open(r);
        rig_list(r, "ptt", 1000);
        store_close(r->s);
        assert_int_equal(verify(r, &damaged), ERR_OK);
        assert_int_equal(damaged, 0);
        rig_volume(r, &v);
        assert_int_equal(area_open(&v, S("ptt.db"), &area), ERR_OK);
        assert_int_equal(area_read(&area, 5 * VFS_PAGE, page, sizeof page), ERR_OK);
        assert_memory_not_equal(page, zeros, sizeof page);
        assert_int_equal(area_write(&area, 6 * VFS_PAGE, str_of(page, sizeof page)), ERR_OK);
        area_close(&area);
        assert_int_equal(volume_close(&v), ERR_OK);
        assert_int_equal(verify(r, &damaged), ERR_OK);
        assert_int_equal(damaged, 1);
}

static void put(struct rig *r, uint64_t at, struct str bytes)
{
        struct volume v;
        struct area area;
        rig_volume(r, &v);
        assert_int_equal(area_open(&v, S("ptt.db"), &area), ERR_OK);
        assert_int_equal(area_write(&area, at, bytes), ERR_OK);
        area_close(&area);
        assert_int_equal(volume_close(&v), ERR_OK);
}

/* A page of zeros is one that was lost: it had been taken for one that was never written, and the end of a long value
 * read as zeros. What lies behind the last page is only room. */
static void lost(struct rig *r)
{
        uint64_t damaged, size;
        struct area area;
        int rc;
        static const char zeros[VFS_PAGE];
        rig_open(r);
        rig_list(r, "ptt", 1000);
        uint64_t pages = (uint64_t)count_of(r->s, "PRAGMA page_count", &rc);
        assert_int_equal(area_open(&r->s->volume, S("ptt.db"), &area), ERR_OK);
        size = area.size;
        area_close(&area);
        store_close(r->s);
        assert_true(size > pages * VFS_PAGE);
        rig_flip(r, "ptt.db", size - 1);
        rig_flip(r, "ptt.db", pages * VFS_PAGE);
        assert_int_equal(verify(r, &damaged), ERR_OK);
        assert_int_equal(damaged, 0);
        put(r, 2 * VFS_PAGE, str_of(zeros, sizeof zeros));
        put(r, (pages - 1) * VFS_PAGE, str_of(zeros, sizeof zeros));
        assert_int_equal(verify(r, &damaged), ERR_OK);
        assert_int_equal(damaged, 2);
        assert_int_equal(store_open(r->h, str_of_c(r->image), &r->s), ERR_CORRUPT);
}

/* SQLite reads the header of the database by itself, before the page that it is in. */
static void header_rots(struct rig *r)
{
        for (uint64_t at = 0; at < 100; at++) {
                struct store *s;
                rig_flip(r, "ptt.db", at);
                assert_int_equal(store_open_as(r->h, str_of_c(r->image), STORE_TOOL, NULL, &s), ERR_CORRUPT);
                rig_flip(r, "ptt.db", at);
        }
        rig_open(r);
        store_close(r->s);
}

/* A page of the log that changes behind our back is not believed, whether we wrote it or recovered it. */
static void log_rots(struct rig *r)
{
        for (int recovered = 0; recovered < 2; recovered++) {
                int rc;
                struct area area;
                if (recovered)
                        assert_int_equal(
                                store_open_as(r->h, str_of_c(r->image), STORE_CHECK, NULL, &r->s), ERR_OK);
                else
                        rig_open(r);
                if (!recovered)
                        rig_list(r, "ptt", 3000);
                assert_true(count_of(r->s, "SELECT count(*) FROM member", &rc) == 3000 && rc == SQLITE_ROW);
                assert_int_equal(area_open(&r->s->volume, S("ptt.db-wal"), &area), ERR_OK);
                for (uint64_t frame = 0; frame < 200; frame++) {
                        uint64_t at = 32 + frame * (24 + VFS_PAGE) + 24 + 100;
                        char byte;
                        assert_int_equal(area_read(&area, at, &byte, 1), ERR_OK);
                        byte ^= 16;
                        assert_int_equal(area_write(&area, at, str_of(&byte, 1)), ERR_OK);
                }
                assert_int_equal(sqlite3_db_release_memory(r->s->db.c), SQLITE_OK);
                (void)count_of(r->s, "SELECT count(*) FROM member WHERE address != ''", &rc);
                assert_int_equal(rc, SQLITE_CORRUPT);
                for (uint64_t frame = 0; frame < 200; frame++) { /* as it was */
                        uint64_t at = 32 + frame * (24 + VFS_PAGE) + 24 + 100;
                        char byte;
                        assert_int_equal(area_read(&area, at, &byte, 1), ERR_OK);
                        byte ^= 16;
                        assert_int_equal(area_write(&area, at, str_of(&byte, 1)), ERR_OK);
                }
                area_close(&area);
                r->s->db.broken = true; /* as after a death: the log is left behind */
                store_close(r->s);
        }
}

/* What was closed in order does not depend on its log any more: a rotten one had turned back what came after. */
static void log_is_left_empty(struct rig *r)
{
        uint64_t members;
        rig_open(r);
        int64_t list = rig_list(r, "ptt", 10), id;
        assert_int_equal(store_member_add(r->s, list, S("last@x.example"), 1, &id), ERR_OK);
        store_close(r->s);
        struct area area;
        struct volume v;
        char header[32], zeros[32] = {0};
        rig_volume(r, &v);
        assert_int_equal(area_open(&v, S("ptt.db-wal"), &area), ERR_OK);
        assert_int_equal(area_read(&area, 0, header, sizeof header), ERR_OK);
        assert_memory_equal(header, zeros, sizeof header);
        area_close(&area);
        assert_int_equal(volume_close(&v), ERR_OK);
        rig_flip(r, "ptt.db-wal", 32 + 24 + 100);
        rig_open(r);
        assert_int_equal(store_member_count(r->s, list, &members), ERR_OK);
        assert_int_equal(members, 11);
        store_close(r->s);
}

/* More than SQLite keeps in memory to undo a part of a transaction. */
static void undone(struct rig *r)
{
        int rc;
        rig_open(r);
        int64_t list = rig_list(r, "ptt", 20000);
        struct str again[] = {S("new@x.example"), S("another@x.example")};
        struct store_roll remove = {.change = STORE_ADD_MEMBER,
                .lists = (int64_t[]){list, 77}, /* the second is missing: all of it is undone */
                .list_count = 2,
                .addresses = again,
                .address_count = 2,
                .now_ms = 1};
        size_t changed;
        assert_int_equal(sqlite3_exec(r->s->db.c,
                                 "BEGIN; SAVEPOINT a; UPDATE member SET joined_ms = 7; ROLLBACK TO a; COMMIT",
                                 NULL, NULL, NULL),
                SQLITE_OK);
        assert_int_equal(count_of(r->s, "SELECT count(*) FROM member WHERE joined_ms = 1000", &rc), 20000);
        assert_int_equal(store_roll_change(r->s, &remove, &changed), ERR_NOT_FOUND);
        assert_int_equal(count_of(r->s, "SELECT count(*) FROM member", &rc), 20000);
        store_close(r->s);
}

/* A large change makes a long log, which does not stay so. */
static void long_log(struct rig *r)
{
        struct area area;
        int rc;
        rig_open(r);
        rig_sql_on(r->s, "CREATE TABLE t (x)");
        rig_sql_on(r->s, "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 26000)"
                         " INSERT INTO t SELECT zeroblob(1500) FROM c");
        assert_int_equal(area_open(&r->s->volume, S("ptt.db-wal"), &area), ERR_OK);
        assert_true(area.size > VFS_LOG_KEPT);
        area_close(&area);
        store_close(r->s);
        rig_open(r);
        assert_int_equal(area_open(&r->s->volume, S("ptt.db-wal"), &area), ERR_OK);
        assert_true(area.size <= VFS_LOG_KEPT);
        area_close(&area);
        assert_int_equal(count_of(r->s, "SELECT count(*) FROM t", &rc), 26000);
        rig_sql_on(r->s, "DROP TABLE t");
        store_close(r->s);
        rig_open(r);
        store_close(r->s);
}

/* A hundred thousand deliveries that wait cost a start nothing. */
static void many_wait(struct rig *r)
{
        rig_open(r);
        int64_t list = rig_list(r, "ptt", 1), id;
        struct store_delivery *d;
        size_t n;
        assert_int_equal(rig_take(r, list, "t", 1, 10, 10, &id), ERR_OK);
        assert_int_equal(store_ticket_sign(r->s, id, S("")), ERR_OK);
        rig_sql_on(r->s,
                "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 100000)"
                " INSERT INTO delivery (message, member, address, domain, attempts, first_ms, next_ms, reply)"
                " SELECT 1, i, 'm' || i || '@h' || (i % 977) || '.example', 'h' || (i % 977) || '.example',"
                " 1, 0, iif(i % 2, NULL, 1000 + i), '450 later' FROM c");
        store_close(r->s);
        int64_t began_ms = host_now_ms(r->h), when;
        rig_open(r);
        assert_int_equal(store_delivery_due(r->s, 1, 500, &r->arena, &d, &n), ERR_OK);
        assert_int_equal(n, 500); /* what was in flight comes first */
        assert_int_equal(store_delivery_next_due(r->s, &when), ERR_OK);
        int64_t took_ms = host_now_ms(r->h) - began_ms;
        print_message("%lld ms\n", (long long)took_ms);
        assert_true(took_ms < 2000 * RIG_SLOW);
        store_close(r->s);
}

RIG_CASE(misplaced)
RIG_CASE(lost)
RIG_CASE(header_rots)
RIG_CASE(log_rots)
RIG_CASE(log_is_left_empty)
RIG_CASE(undone)
RIG_CASE(long_log)
RIG_CASE(many_wait)

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_misplaced),
                cmocka_unit_test(test_lost),
                cmocka_unit_test(test_header_rots),
                cmocka_unit_test(test_log_rots),
                cmocka_unit_test(test_log_is_left_empty),
                cmocka_unit_test(test_undone),
                cmocka_unit_test(test_long_log),
                cmocka_unit_test(test_many_wait),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
