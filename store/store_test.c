/* SPDX-License-Identifier: ISC */
#include <sys/wait.h>

#include "store/ask.h"
#include "store/rig.h"

static enum err open_as(struct rig *r, const char *path, enum store_user user, const char **why)
{
        struct store *s;
        enum err err = store_open_as(r->h, str_of_c(path), user, why, &s);
        assert_true((err == ERR_OK) == (s != NULL));
        store_close(s);
        return err;
}

static void create_and_open(struct rig *r)
{
        char path[160];
        const char *why;
        (void)snprintf(path, sizeof path, "%s/none", r->folder);
        assert_int_equal(store_create(r->h, str_of_c(path)), ERR_NOT_FOUND);
        assert_int_equal(open_as(r, path, STORE_SERVER, &why), ERR_NOT_FOUND);
        assert_int_equal(open_as(r, r->folder, STORE_SERVER, &why), ERR_DENIED);
        (void)snprintf(path, sizeof path, "%s/small", r->folder);
        rig_file(path, FAT_VOLUME_MIN - 4096);
        assert_int_equal(store_create(r->h, str_of_c(path)), ERR_LIMIT);
        assert_int_equal(open_as(r, path, STORE_SERVER, &why), ERR_UNSUPPORTED);
        assert_string_equal(why, fat_state_text(FAT_NOT_FAT));
        (void)snprintf(path, sizeof path, "%s/least", r->folder);
        rig_file(path, FAT_VOLUME_MIN);
        assert_int_equal(store_create(r->h, str_of_c(path)), ERR_OK);
        assert_int_equal(store_open(r->h, str_of_c(path), &r->s), ERR_OK);
        assert_true(store_space(r->s).share > 12u << 20 && store_space(r->s).used == 0);
        store_close(r->s);
}

struct death {
        const char *image;
        enum store_user user;
        struct host *h;
};

static void open_and_die(void *arg)
{
        struct death *d = arg;
        struct store *s;
        _exit(store_open_as(d->h, str_of_c(d->image), d->user, NULL, &s) == ERR_OK ? 0 : 1);
}

/* Another process opens the image and dies. */
static void leave_open(const char *image, enum store_user user)
{
        int status;
        pid_t pid = fork();
        if (pid == 0) {
                struct death d = {.image = image, .user = user, .h = linux_host_new(NULL)};
                if (d.h != NULL)
                        linux_host_run(d.h, open_and_die, &d);
                _exit(2);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
}

/* A process that holds it, and one that has died with it. */
static void locked_and_dirty(struct rig *r)
{
        struct store *second;
        const char *why;
        rig_open(r);
        assert_int_equal(store_open(r->h, str_of_c(r->image), &second), ERR_BUSY);
        assert_null(second);
        store_close(r->s);
        for (int tool = 0; tool < 2; tool++) {
                leave_open(r->image, tool ? STORE_TOOL : STORE_SERVER);
                /* a tool held the lock as long as it lived; a server may be a guest */
                assert_int_equal(open_as(r, r->image, STORE_CHECK, &why), tool ? ERR_OK : ERR_SEQUENCE);
                assert_int_equal(open_as(r, r->image, STORE_TOOL, &why), tool ? ERR_OK : ERR_SEQUENCE);
                assert_int_equal(open_as(r, r->image, tool ? STORE_SERVER : STORE_REPAIR, &why), ERR_OK);
                assert_int_equal(open_as(r, r->image, STORE_TOOL, &why), ERR_OK);
        }
}

static void other_schemas(struct rig *r)
{
        static const struct {
                const char *sql;
                enum err err;
                const char *why;
        } cases[] = {
                {"PRAGMA user_version = 4", ERR_UNSUPPORTED, "it was written by a newer version"},
                {"PRAGMA user_version = 0", ERR_CORRUPT, "its database is damaged"},
                {"PRAGMA user_version = 3; PRAGMA application_id = 7", ERR_CORRUPT,
                        "its database is damaged"},
        };
        const char *why;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                rig_sql(r, cases[i].sql);
                assert_int_equal(open_as(r, r->image, STORE_SERVER, &why), cases[i].err);
                assert_string_equal(why, cases[i].why);
        }
        rig_sql(r, "PRAGMA application_id = 1349809200");
        assert_int_equal(open_as(r, r->image, STORE_SERVER, &why), ERR_OK);
        rig_remove(r, "ptt.db");
        assert_int_equal(open_as(r, r->image, STORE_SERVER, &why), ERR_UNSUPPORTED);
        assert_string_equal(why, "there is no database in it");
}

/* Each page of the database in turn: one bit is enough, and lipap does not start; unless the log still has that page,
 * which then is put right. */
static void damaged_pages(struct rig *r)
{
        const char *why;
        int64_t id;
        uint64_t refused = 0;
        rig_open(r);
        int64_t list = rig_list(r, "ptt", 2000);
        store_close(r->s);
        rig_open(r);
        assert_int_equal(
                store_member_add(r->s, list, S("x@y.example"), 1, &id), ERR_OK); /* the log begins anew */
        store_close(r->s);
        for (uint64_t page = 0; page < 40; page++) {
                rig_flip(r, "ptt.db", page * VFS_PAGE + 777);
                enum err err = open_as(r, r->image, STORE_SERVER, &why);
                assert_true(err == ERR_OK || err == ERR_CORRUPT);
                if (err == ERR_OK)
                        continue;
                assert_string_equal(why, "its database is damaged");
                refused++;
                rig_flip(r, "ptt.db", page * VFS_PAGE + 777);
        }
        assert_true(refused >= 25);
        assert_int_equal(open_as(r, r->image, STORE_SERVER, &why), ERR_OK);
}

/* No statement of the hot paths walks through a table or an index, or sorts. */
static void no_scan(struct rig *r)
{
        rig_open(r);
        rig_list(r, "ptt", 10000);
        size_t looked = 0;
        for (int i = 0; i < SQL_HOT_END; i++) {
                char sql[4000];
                sqlite3_stmt *st;
                (void)snprintf(sql, sizeof sql, "EXPLAIN QUERY PLAN %s", sql_text[i]);
                assert_int_equal(sqlite3_prepare_v2(r->s->db.c, sql, -1, &st, NULL), SQLITE_OK);
                while (sqlite3_step(st) == SQLITE_ROW) {
                        const char *detail = (const char *)sqlite3_column_text(st, 3);
                        /* rows that the statement brings are no table; a subquery's own steps are told apart from it */
                        if (strncmp(detail, "SCAN", 4) == 0 && strstr(detail, "CONSTANT ROW") == NULL &&
                                strncmp(detail, "SCAN (subquery", 14) != 0)
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
RIG_CASE(locked_and_dirty)
RIG_CASE(other_schemas)
RIG_CASE(damaged_pages)
RIG_CASE(no_scan)
RIG_CASE(fill_ten_thousand)

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_create_and_open),
                cmocka_unit_test(test_locked_and_dirty),
                cmocka_unit_test(test_other_schemas),
                cmocka_unit_test(test_damaged_pages),
                cmocka_unit_test(test_no_scan),
                cmocka_unit_test(test_fill_ten_thousand),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
