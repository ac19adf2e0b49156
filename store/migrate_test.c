/* SPDX-License-Identifier: ISC */
/* Images of earlier versions: what was in them is there, and goes on; a death on the way leaves the one or the other. */
#include "store/crash_host.h"
#include "store/notices.h"
#include "store/open_tickets.h"
#include "store/requests.h"
#include "store/rig.h"
#include "store/trace.h"

#define MEMBERS 3000

/* What version 1 has kept: a list with members; a post that is half handed out, an open one
 * and a forward, a failure. */
static const char rows_of_1[] =
        "INSERT INTO list (domain, name) VALUES ('example.org', 'ptt');"
        "INSERT INTO setting (list, name, value) VALUES (1, 'subscription', 'open');"
        "INSERT INTO moderator (list, folded, address) VALUES (1, 'boss@example.org', 'Boss@example.org');"
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)"
        " INSERT INTO member (list, address, joined_ms) SELECT 1, 'M' || i || '@d.example', 1000 + i FROM n;"
        "INSERT INTO message (ticket, kind, state, list, domain, sender, message_id, flags, received_ms,"
        " body_size, front, prefix) VALUES"
        " ('one', 1, 2, 1, 'example.org', 'a@b.example', '<1@b>', 0, 5000, 0, CAST('Front: 1' AS BLOB), "
        "CAST('Prefix: 1' AS BLOB)),"
        " ('two', 1, 1, 1, 'example.org', 'a@b.example', '<2@b>', 1, 6000, 0, CAST('Front: 2' AS BLOB), x''),"
        " ('three', 2, 1, NULL, 'example.org', '', '<3@b>', 0, 7000, 0, CAST('Front: 3' AS BLOB), x''),"
        " ('four', 1, 3, 1, 'example.org', '', '<4@b>', 0, 100, 0, x'', x'');"
        "INSERT INTO recipient (message, place, address) VALUES (3, 0, 'x@y.example');"
        "INSERT INTO post (message, list, reached, bound, turn) VALUES (1, 1, 1000, 2998, 4);"
        "INSERT INTO delivery (message, member, address, domain, attempts, first_ms, next_ms, reply) VALUES"
        " (1, 999, 'M999@d.example', 'd.example', 2, 10, 20, '451 later'),"
        " (1, 1000, 'M1000@d.example', 'd.example', 0, 10, NULL, '');"
        "INSERT INTO failure (message, member, list, domain, address, message_id, time_ms, code, reply)"
        " VALUES (1, 7, 1, 'example.org', 'M7@d.example', '<1@b>', 30, 550, '550 no');";

static int64_t number(struct db *d, const char *sql)
{
        sqlite3_stmt *st;
        assert_int_equal(sqlite3_prepare_v2(d->c, sql, -1, &st, NULL), SQLITE_OK);
        assert_int_equal(sqlite3_step(st), SQLITE_ROW);
        int64_t n = sqlite3_column_int64(st, 0);
        sqlite3_finalize(st);
        return n;
}

static void execute(struct db *d, const char *sql)
{
        assert_int_equal(sqlite3_exec(d->c, sql, NULL, NULL, NULL), SQLITE_OK);
}

struct place {
        struct host *host;
        struct str path;
        struct volume volume;
        struct vfs *vfs;
        struct db db;
};

static void place_open(struct place *p, struct host *h, struct str path, bool anew)
{
        *p = (struct place){.host = h, .path = path};
        assert_int_equal(volume_open(&p->volume, h, path, VOLUME_REPAIR), ERR_OK);
        if (anew) {
                assert_int_equal(fat_remove(p->volume.fat, S("ptt.db")), ERR_OK);
                assert_int_equal(fat_remove(p->volume.fat, S("ptt.db-wal")), ERR_OK);
        }
        p->vfs = vfs_new(&p->volume);
        assert_non_null(p->vfs);
        assert_int_equal(db_open(&p->db, h, p->vfs, anew), ERR_OK);
}

static void place_close(struct place *p)
{
        db_close(&p->db);
        vfs_free(p->vfs);
        assert_int_equal(volume_close(&p->volume), ERR_OK);
}

/* An image as version 1 has left it. */
static void make_1(struct host *h, struct str path)
{
        struct place p;
        assert_int_equal(store_create(h, path), ERR_OK);
        place_open(&p, h, path, true);
        execute(&p.db, schema_steps[0]);
        execute(&p.db, rows_of_1);
        execute(&p.db, "PRAGMA application_id = 1349809200; PRAGMA user_version = 1");
        place_close(&p);
}

static int64_t version_of(struct host *h, struct str path)
{
        struct place p;
        place_open(&p, h, path, false);
        int64_t version = number(&p.db, "PRAGMA user_version");
        place_close(&p);
        return version;
}

static void judge_rows(struct rig *r, bool is_recovered)
{
        struct store_list list;
        struct store_member m;
        struct store_message post;
        struct store_failure *f;
        struct store_waiting *w;
        struct str *moderators;
        uint64_t members;
        size_t n;
        assert_int_equal(store_list_find(r->s, S("ptt"), S("example.org"), &r->arena, &list), ERR_OK);
        assert_true(str_eq(store_list_setting(&list, S("subscription"), S("")), S("open")));
        assert_int_equal(store_moderators(r->s, 1, &r->arena, &moderators, &n), ERR_OK);
        assert_true(n == 1 && str_eq(moderators[0], S("Boss@example.org")));
        assert_int_equal(store_member_count(r->s, 1, &members), ERR_OK);
        assert_int_equal(members, MEMBERS);
        assert_int_equal(store_member_find(r->s, 1, S("m2500@D.example"), &r->arena, &m), ERR_OK);
        assert_true(m.id == 2500 && m.joined_ms == 3500 && m.options == 0);
        assert_int_equal(store_message_get(r->s, 1, &r->arena, &post), ERR_OK);
        assert_true(post.state == STORE_SIGNED && post.prefix_size == 9 && post.front_size == 8);
        assert_int_equal(store_message_get(r->s, 4, &r->arena, &post), ERR_OK);
        assert_int_equal(post.state, STORE_DONE);
        assert_int_equal(store_failures(r->s, 0, 9, &r->arena, &f, &n), ERR_OK);
        assert_true(n == 1 && f[0].member == 7 && f[0].code == 550);
        assert_int_equal(store_queue_waiting(r->s, 1, 0, 9, &r->arena, &w, &n), ERR_OK);
        assert_true(n == 2 && w[0].attempts == 2 && w[0].next_ms == 20);
        assert_true(w[1].in_flight == !is_recovered && w[1].next_ms == 0);
}

/* Everything goes on where it stood, the new things among it. */
static void go_on(struct rig *r)
{
        struct store_delivery *d;
        struct store_trace *t;
        int64_t ids[9], id;
        size_t n, total = 0, changed;
        assert_int_equal(open_tickets(r->s, 0, 9, ids, &n), ERR_OK);
        assert_true(n == 2 && ids[0] == 2 && ids[1] == 3);
        assert_int_equal(store_member_options(r->s, 1, S("M1500@d.example"), 0, STORE_NOMAIL), ERR_OK);
        do {
                arena_reset(&r->arena);
                assert_int_equal(store_post_fill(r->s, 1, 100, &r->arena, &d, &n), ERR_OK);
                for (size_t i = 0; i < n; i++)
                        assert_true(d[i].member > 1000 && d[i].member <= 2998 && d[i].member != 1500);
                total += n;
        } while (n > 0);
        assert_int_equal(total, 1998 - 1);
        assert_int_equal(store_member_add(r->s, 1, S("new@d.example"), 1, &id), ERR_OK);
        assert_int_equal(id, MEMBERS + 1);
        struct store_request_new ask = {.list = 1, .purpose = 1, .address = S("x@y.example"), .now_ms = 1};
        assert_int_equal(store_request_add(r->s, &ask, &id), ERR_OK);
        assert_int_equal(id, 1);
        assert_int_equal(store_traces(r->s, S("<1@b>"), 0, 9, &r->arena, &t, &n), ERR_OK);
        assert_int_equal(n, 0);
        assert_int_equal(store_trace_forget(r->s, INT64_MAX, 9, &changed), ERR_OK);
        assert_int_equal(changed, 0);
}

static void count_fault(void *ctx, struct str fault)
{
        (void)ctx;
        print_message("%.*s\n", STR_ARG(fault));
}

static void from_1(struct rig *r)
{
        struct str path = str_of_c(r->image);
        struct store_checker how = {.report = count_fault};
        uint64_t faults, left;
        rig_file(r->image, r->image_size);
        make_1(r->h, path);
        assert_int_equal(version_of(r->h, path), 1);
        /* looking changes nothing */
        assert_int_equal(store_open_as(r->h, path, STORE_CHECK, NULL, &r->s), ERR_OK);
        assert_int_equal(store_check(r->s, &how, &faults, &left), ERR_OK);
        assert_int_equal(faults, 0);
        judge_rows(r, false);
        store_close(r->s);
        assert_int_equal(version_of(r->h, path), 1);
        for (int again = 0; again < 2; again++) {
                rig_start(r);
                judge_rows(r, true);
                if (again)
                        go_on(r);
                rig_stop(r);
                assert_int_equal(version_of(r->h, path), SCHEMA_VERSION);
        }
        assert_int_equal(store_open_as(r->h, path, STORE_CHECK, NULL, &r->s), ERR_OK);
        assert_int_equal(store_check(r->s, &how, &faults, &left), ERR_OK);
        assert_int_equal(faults, 0);
        store_close(r->s);
}

/* A new image has the same schema as one that was brought there: SQLite is told the same in both. */
static void same_schema(struct rig *r)
{
        static const char all[] = "SELECT group_concat(type || name || tbl_name || coalesce(sql, ''), ';')"
                                  " FROM (SELECT * FROM sqlite_schema ORDER BY type, name)";
        char *text[2];
        for (int is_new = 0; is_new < 2; is_new++) {
                sqlite3_stmt *st;
                char path[128];
                (void)snprintf(path, sizeof path, "%s.%d", r->image, is_new);
                rig_file(path, RIG_IMAGE);
                if (is_new)
                        assert_int_equal(store_create(r->h, str_of_c(path)), ERR_OK);
                else
                        make_1(r->h, str_of_c(path));
                assert_int_equal(store_open(r->h, str_of_c(path), &r->s), ERR_OK);
                assert_int_equal(sqlite3_prepare_v2(r->s->db.c, all, -1, &st, NULL), SQLITE_OK);
                assert_int_equal(sqlite3_step(st), SQLITE_ROW);
                text[is_new] = strdup((const char *)sqlite3_column_text(st, 0));
                assert_non_null(text[is_new]);
                sqlite3_finalize(st);
                store_close(r->s);
        }
        assert_string_equal(text[0], text[1]);
        assert_non_null(strstr(text[0], "member_mail"));
        free(text[0]);
        free(text[1]);
}

/* The power goes at moments of it, first to last. PTT_LONG=1: at each. */

#define IMAGE_SIZE (40ull * 1024 * 1024)
#define CUTS (120 / RIG_SLOW)

struct machine {
        struct crash_host host;
        uint64_t members, requests;
        enum err err;
};

static void crash_make(void *arg)
{
        struct machine *m = arg;
        make_1(&m->host.host, CRASH_IMAGE);
}

static void crash_open(void *arg)
{
        struct machine *m = arg;
        struct store *s;
        m->members = 0;
        m->err = store_open(&m->host.host, CRASH_IMAGE, &s);
        if (m->err != ERR_OK)
                return;
        m->err = store_member_count(s, 1, &m->members);
        if (m->err == ERR_OK)
                CHECK(number(&s->db, "PRAGMA user_version") == SCHEMA_VERSION &&
                        number(&s->db, "SELECT count(*) FROM member INDEXED BY member_mail WHERE list = 1"
                                       " AND options & 1 = 0") == MEMBERS);
        store_close(s);
}

static void test_power_cuts(void **state)
{
        (void)state;
        struct machine m = {.host.disk = sim_disk_new(IMAGE_SIZE)};
        struct sim_disk *d = m.host.disk;
        uint64_t points = 0;
        crash_host_run(&m.host, crash_make, &m);
        sim_disk_remember(d);
        uint64_t begin = d->operations;
        crash_host_run(&m.host, crash_open, &m);
        assert_int_equal(m.err, ERR_OK);
        assert_int_equal(m.members, MEMBERS);
        uint64_t last = d->operations, stride = getenv("PTT_LONG") != NULL ? 1 : 1 + (last - begin) / CUTS;
        for (uint64_t at = last; at >= begin + stride; at -= stride) {
                enum sim_disk_crash how = (enum sim_disk_crash)(points % SIM_DISK_CRASHES);
                sim_disk_rewind(d, at);
                sim_disk_crash(d, how, at);
                crash_host_run(&m.host, crash_open, &m);
                if (m.err != ERR_OK || m.members != MEMBERS)
                        fail_msg("cut behind operation %llu: %s, %llu members",
                                (unsigned long long)(at - begin), err_text(m.err),
                                (unsigned long long)m.members);
                points++;
                sim_disk_rewind(d, at);
        }
        print_message("%llu cuts\n", (unsigned long long)points);
        assert_true(points >= CUTS / 2);
        sim_disk_free(d);
}

static void test_from_1(void **state)
{
        (void)state;
        rig_with(from_1, NULL, RIG_IMAGE);
}

static void test_same_schema(void **state)
{
        (void)state;
        rig_with(same_schema, NULL, RIG_IMAGE);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_from_1),
                cmocka_unit_test(test_same_schema),
                cmocka_unit_test(test_power_cuts),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
