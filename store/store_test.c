/* SPDX-License-Identifier: ISC */
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "store/ask.h"
#include "store/rig.h"

static void create_and_open(struct rig *r)
{
        struct store *s;
        char path[160];
        assert_int_equal(store_create(r->h, str_of_c(r->image), RIG_SPOOL), ERR_EXISTS);
        assert_int_equal(store_create(r->h, str_of_c(r->folder), RIG_SPOOL), ERR_EXISTS);
        (void)snprintf(path, sizeof path, "%s/none/image", r->folder);
        assert_int_equal(store_create(r->h, str_of_c(path), RIG_SPOOL), ERR_NOT_FOUND);
        assert_int_equal(store_open(r->h, str_of_c(path), &s), ERR_NOT_FOUND);
        assert_null(s);
        (void)snprintf(path, sizeof path, "%s/second/", r->folder);
        assert_int_equal(store_create(r->h, str_of_c(path), STORE_SPOOL_SIZE_MIN - 1), ERR_LIMIT);
        assert_int_equal(store_create(r->h, str_of_c(path), STORE_SPOOL_SIZE_MAX + 1), ERR_LIMIT);
        assert_int_equal(store_create(r->h, S(""), RIG_SPOOL), ERR_SYNTAX);
        assert_int_equal(store_create(r->h, str_of_c(path), STORE_SPOOL_SIZE_MIN), ERR_OK);
        assert_int_equal(store_open(r->h, str_of_c(path), &s), ERR_OK);
        assert_int_equal(store_space(s).share, STORE_SPOOL_SIZE_MIN);
        store_close(s);
        (void)snprintf(path, sizeof path, "%s/file", r->folder);
        FILE *f = fopen(path, "w");
        assert_non_null(f);
        fclose(f);
        assert_int_equal(store_open(r->h, str_of_c(path), &s), ERR_NOT_FOUND);
}

/* In this process and in another one. */
static void locked_twice(struct rig *r)
{
        struct store *second;
        rig_open(r);
        assert_int_equal(store_open(r->h, str_of_c(r->image), &second), ERR_BUSY);
        assert_null(second);
        pid_t pid = fork();
        if (pid == 0) {
                sqlite3 *c;
                char path[160];
                (void)snprintf(path, sizeof path, "%s/ptt.db", r->image);
                int rc = sqlite3_open(path, &c) == SQLITE_OK ? sqlite3_exec(c, "SELECT * FROM list", 0, 0, 0)
                                                             : -1;
                _exit(rc == SQLITE_BUSY ? 0 : 1);
        }
        int status;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        store_close(r->s);
        rig_open(r);
        store_close(r->s);
}

static void change_file(struct rig *r, const char *sql)
{
        sqlite3 *c;
        char path[160];
        (void)snprintf(path, sizeof path, "%s/ptt.db", r->image);
        assert_int_equal(sqlite3_open(path, &c), SQLITE_OK);
        assert_int_equal(sqlite3_exec(c, sql, NULL, NULL, NULL), SQLITE_OK);
        assert_int_equal(sqlite3_close(c), SQLITE_OK);
}

static void other_schemas(struct rig *r)
{
        static const struct {
                const char *sql;
                enum err err;
        } cases[] = {
                {"PRAGMA user_version = 2", ERR_UNSUPPORTED},
                {"PRAGMA user_version = 0", ERR_CORRUPT},
                {"PRAGMA user_version = 1; PRAGMA application_id = 7", ERR_CORRUPT},
                {"PRAGMA application_id = 1349809200; UPDATE meta SET value = 5", ERR_CORRUPT},
                {"DELETE FROM meta", ERR_CORRUPT},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                change_file(r, cases[i].sql);
                struct store *s;
                assert_int_equal(store_open(r->h, str_of_c(r->image), &s), cases[i].err);
                assert_null(s);
        }
        change_file(r, "INSERT INTO meta VALUES ('spool_size', 67108864)");
        rig_open(r);
        store_close(r->s);
}

static void not_a_database(struct rig *r)
{
        char path[160];
        (void)snprintf(path, sizeof path, "%s/ptt.db", r->image);
        FILE *f = fopen(path, "r+");
        assert_non_null(f);
        assert_int_equal(fwrite("garbage garbage garbage", 1, 23, f), 23);
        fclose(f);
        (void)snprintf(path, sizeof path, "%s/ptt.db-wal", r->image); /* it would still hold the page */
        assert_int_equal(unlink(path), 0);
        struct store *s;
        assert_int_equal(store_open(r->h, str_of_c(r->image), &s), ERR_CORRUPT);
        assert_null(s);
}

/* No statement of the hot paths walks through a table or an index, or sorts. */
static void no_scan(struct rig *r)
{
        rig_open(r);
        rig_list(r, "ptt", 10000);
        size_t looked = 0;
        for (int i = 0; i < SQL_HOT_END; i++) {
                char sql[2000];
                sqlite3_stmt *st;
                (void)snprintf(sql, sizeof sql, "EXPLAIN QUERY PLAN %s", sql_text[i]);
                assert_int_equal(sqlite3_prepare_v2(r->s->db.c, sql, -1, &st, NULL), SQLITE_OK);
                while (sqlite3_step(st) == SQLITE_ROW) {
                        const char *detail = (const char *)sqlite3_column_text(st, 3);
                        if (strncmp(detail, "SCAN", 4) == 0 && strcmp(detail, "SCAN CONSTANT ROW") != 0)
                                fail_msg("%s: %s", sql_text[i], detail);
                        if (strstr(detail, "TEMP B-TREE") != NULL)
                                fail_msg("%s: %s", sql_text[i], detail);
                        looked++;
                }
                assert_int_equal(sqlite3_finalize(st), SQLITE_OK);
        }
        assert_true(looked > 20);
        store_close(r->s);
}

/* Handing out costs the same however far the cursor is and however many rows wait. */
static void fill_ten_thousand(struct rig *r)
{
        rig_start(r);
        int64_t list = rig_list(r, "ptt", 10000), id;
        assert_int_equal(rig_take(r, list, "t", 1, 10, 10, &id), ERR_OK);
        assert_int_equal(store_ticket_sign(r->s, id, S("")), ERR_OK);
        sqlite3_stmt *st = NULL;
        size_t total = 0, n = 1;
        int steps_first = 0, steps_last = 0;
        while (n > 0) {
                struct store_delivery *d;
                arena_reset(&r->arena);
                assert_int_equal(store_post_fill(r->s, 1, 500, &r->arena, &d, &n), ERR_OK);
                st = r->s->db.statements[SQL_MEMBERS_NEXT];
                int steps = sqlite3_stmt_status(st, SQLITE_STMTSTATUS_VM_STEP, 1);
                assert_int_equal(sqlite3_stmt_status(st, SQLITE_STMTSTATUS_FULLSCAN_STEP, 1), 0);
                if (total == 0)
                        steps_first = steps;
                else if (n == 500)
                        steps_last = steps;
                total += n;
        }
        assert_int_equal(total, 10000);
        assert_true(steps_first > 0 && steps_last <= steps_first + steps_first / 10);
        rig_stop(r);
}

RIG_CASE(create_and_open)
RIG_CASE(locked_twice)
RIG_CASE(other_schemas)
RIG_CASE(not_a_database)
RIG_CASE(no_scan)
RIG_CASE(fill_ten_thousand)

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_create_and_open),
                cmocka_unit_test(test_locked_twice),
                cmocka_unit_test(test_other_schemas),
                cmocka_unit_test(test_not_a_database),
                cmocka_unit_test(test_no_scan),
                cmocka_unit_test(test_fill_ten_thousand),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
