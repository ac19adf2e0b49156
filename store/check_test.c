/* SPDX-License-Identifier: ISC */
/* store_check, and what the operator does to the queue. */
#include "store/notices.h"
#include "store/open_tickets.h"
#include "store/requests.h"

#include "store/rig.h"

static void count_line(void *ctx, struct str fault)
{
        unsigned *lines = ctx;
        assert_true(fault.n > 0);
        ++*lines;
}

struct found {
        uint64_t faults, left;
};

static struct found check(struct rig *r, enum store_user user)
{
        unsigned lines = 0;
        struct store_checker how = {.report = count_line, .ctx = &lines, .repair = user == STORE_REPAIR};
        struct found f;
        assert_int_equal(store_open_as(r->h, str_of_c(r->image), user, NULL, &r->s), ERR_OK);
        assert_int_equal(store_check(r->s, &how, &f.faults, &f.left), ERR_OK);
        assert_int_equal(lines, f.faults);
        store_close(r->s);
        return f;
}

static void healthy(struct rig *r)
{
        int64_t id;
        assert_int_equal(check(r, STORE_CHECK).faults, 0);
        rig_open(r);
        int64_t list = rig_list(r, "ptt", 500);
        assert_int_equal(rig_take(r, list, "a", 1, 300000, 4096, &id), ERR_OK);
        store_close(r->s);
        assert_int_equal(check(r, STORE_CHECK).faults, 0);
        assert_int_equal(check(r, STORE_REPAIR).faults, 0);
}

static void spool_faults(struct rig *r)
{
        int64_t a, b;
        rig_open(r);
        int64_t list = rig_list(r, "ptt", 5);
        assert_int_equal(rig_take(r, list, "a", 1, 200000, 4096, &a), ERR_OK);
        assert_int_equal(rig_take(r, list, "b", 2, 5000, 4096, &b), ERR_OK);
        store_close(r->s);
        rig_flip(r, "spool/0000", 100);
        assert_int_equal(check(r, STORE_CHECK).left, 1);
        assert_int_equal(check(r, STORE_REPAIR).left, 1); /* nobody has the bytes any more */
        rig_flip(r, "spool/0000", 100);
        assert_int_equal(check(r, STORE_CHECK).faults, 0);
        rig_sql(r, "UPDATE extent SET block = 0 WHERE message = 2"); /* the other message's */
        struct found f = check(r, STORE_CHECK);
        assert_true(f.faults == 2 && f.left == 2);         /* given twice, and the wrong bytes */
        assert_int_equal(check(r, STORE_CHECK).faults, 2); /* looking has changed nothing */
        f = check(r, STORE_REPAIR);
        assert_true(f.faults == 2 && f.left == 1); /* taken from its message, which lacks it */
        assert_int_equal(check(r, STORE_CHECK).left, 1);
}

/* A volume without the folder of the spool is damaged, and not one whose messages are to lose their bytes; a repair
 * makes it anew. */
static void no_folder(struct rig *r)
{
        int64_t id;
        struct volume v;
        rig_open(r);
        assert_int_equal(rig_take(r, rig_list(r, "ptt", 5), "a", 1, 5000, 4096, &id), ERR_OK);
        store_close(r->s);
        for (int is_back = 0; is_back < 2; is_back++) {
                rig_volume(r, &v);
                assert_int_equal(fat_rename(v.fat, is_back ? S("spooX") : S("spool"),
                                         is_back ? S("spool") : S("spooX")),
                        ERR_OK);
                assert_int_equal(volume_close(&v), ERR_OK);
                enum err wanted = is_back ? ERR_OK : ERR_CORRUPT;
                assert_int_equal(store_open_as(r->h, str_of_c(r->image), STORE_CHECK, NULL, &r->s), wanted);
                store_close(r->s);
                assert_int_equal(store_open(r->h, str_of_c(r->image), &r->s), wanted);
                assert_true(!is_back || rig_holds(r, id, STORE_SENT, S("Front: 1\r\n"), 1, 5000));
                store_close(r->s);
        }
        rig_volume(r, &v);
        assert_int_equal(fat_rename(v.fat, S("spool"), S("spooX")), ERR_OK);
        assert_int_equal(volume_close(&v), ERR_OK);
        assert_int_equal(check(r, STORE_REPAIR).left, 1); /* the message lacks its bytes */
        rig_open(r);
        assert_int_equal(rig_take(r, 1, "b", 1, 5000, 4096, &id), ERR_OK);
        store_close(r->s);
}

/* A sum over the whole image. */
static uint64_t sum_of(struct rig *r)
{
        static char bytes[1 << 20];
        uint64_t sum = 1;
        FILE *f = fopen(r->image, "r");
        assert_non_null(f);
        for (size_t n; (n = fread(bytes, 1, sizeof bytes, f)) > 0;)
                for (size_t i = 0; i + 8 <= n; i += 8) {
                        uint64_t word;
                        memcpy(&word, bytes + i, 8);
                        sum = (sum ^ word) * 1099511628211u;
                }
        fclose(f);
        return sum;
}

/* Opened and not closed, as by a tool that was killed: the copy is taken while it is open. */
static void leave_dirty(struct rig *r, bool with_log)
{
        char command[256];
        assert_int_equal(store_open_as(r->h, str_of_c(r->image), STORE_TOOL, NULL, &r->s), ERR_OK);
        if (with_log)
                rig_list(r, "late", 500);
        (void)snprintf(command, sizeof command, "cp --sparse=always %s %s.dead", r->image, r->image);
        assert_int_equal(system(command), 0);
        store_close(r->s);
        (void)snprintf(command, sizeof command, "%s.dead", r->image);
        assert_int_equal(rename(command, r->image), 0);
}

/* A check writes nothing: neither to an image that is as it should be, nor to one that a tool has left with the mark of
 * use, nor to one with a log that the database does not have yet. It had unmounted them in order, and said nothing more. */
static void looking_changes_nothing(struct rig *r)
{
        rig_open(r);
        rig_list(r, "ptt", 500);
        store_close(r->s);
        for (int state = 0; state < 3; state++) {
                if (state > 0)
                        leave_dirty(r, state == 2);
                uint64_t sum = sum_of(r), members = 0;
                assert_int_equal(check(r, STORE_CHECK).faults, 0);
                assert_true(sum_of(r) == sum);
                rig_open(r);
                assert_true((r->s->volume.state == FAT_CLEAN) == (state == 0));
                if (state == 2)
                        assert_int_equal(store_member_count(r->s, 2, &members), ERR_OK);
                assert_int_equal(members, state == 2 ? 500 : 0);
                store_close(r->s);
        }
}

/* An index that does not say what its table says is built anew. */
static void index_fault(struct rig *r)
{
        rig_open(r);
        rig_list(r, "ptt", 50);
        store_close(r->s);
        rig_sql(r, "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'CREATE INDEX member_order "
                   "ON member"
                   " (list, joined_ms)' WHERE name = 'member_order'; PRAGMA writable_schema = OFF");
        struct found f = check(r, STORE_CHECK);
        assert_true(f.faults > 0 && f.left == f.faults);
        f = check(r, STORE_REPAIR);
        assert_true(f.faults > 0 && f.left == 0);
        assert_int_equal(check(r, STORE_CHECK).faults, 0);
}

/* A post that waits, its request, a notice, a ban, a trace and who is left out. */
static void fill_moderation(struct rig *r, int64_t *post)
{
        struct store_intake *i;
        struct str skip = S("m1@d1.example");
        int64_t id;
        int64_t list = rig_list(r, "ptt", 5);
        struct store_message_new m = {.ticket = S("w"),
                .kind = STORE_POST,
                .list = list,
                .domain = S("example.org"),
                .message_id = S("<x@y>"),
                .skip = &skip,
                .skip_count = 1,
                .trace = S("waits"),
                .waits = true};
        assert_int_equal(store_intake_begin(r->s, 0, &i), ERR_OK);
        assert_int_equal(store_intake_write(i, S("Subject: x\r\n\r\n")), ERR_OK);
        assert_int_equal(store_intake_commit(i, &m, post), ERR_OK);
        struct store_request_new request = {
                .list = list, .purpose = 4, .address = S("a@b.example"), .message = *post};
        assert_int_equal(store_request_add(r->s, &request, &id), ERR_OK);
        struct store_notice notice = {.list = list, .kind = S("post-waits"), .request = id};
        assert_int_equal(store_notice_add(r->s, &notice, &id), ERR_OK);
        struct store_ban_new ban = {.list = list, .address = S("troll@x.example")};
        assert_int_equal(store_ban_put(r->s, &ban), ERR_OK);
}

/* What is wrong with them is found; what can be mended is. */
static void moderation_faults(struct rig *r)
{
        static const struct {
                const char *what, *sql;
                uint64_t faults, left; /* left by a repair */
        } cases[] = {
                {"nothing", "SELECT 1", 0, 0},
                {"a request for a post that went out", "UPDATE message SET state = 1", 1, 0},
                {"a post that nobody is asked about", "DELETE FROM request", 1, 1},
                {"rows of a message that is not there",
                        "PRAGMA foreign_keys = OFF; UPDATE trace SET message = 99; UPDATE skip SET message = "
                        "99;"
                        "UPDATE request SET message = 99",
                        4, 4},
                {"rows of a list that is not there",
                        "PRAGMA foreign_keys = OFF; UPDATE notice SET list = 99; UPDATE ban SET list = 99", 2,
                        2},
                {"rows of the judge whose member, list or breaker is not there",
                        "PRAGMA foreign_keys = OFF;"
                        "INSERT INTO score VALUES (99, 'p', 1, 1, 0, 1, 1, 1, 1, 1, 0, 0, 1, '');"
                        "INSERT INTO verdict VALUES (1, 99, 1, 1, 'a', '', 1);"
                        "INSERT INTO bounce VALUES (1, 1, 99, 1, x'');"
                        "INSERT INTO told VALUES (99, 1, 1, 1, 1, 1, 1, 1);"
                        "INSERT INTO breaker_told VALUES ('p', 99)",
                        6, 6},
                {"an index that says something else",
                        "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'CREATE INDEX "
                        "request_domain"
                        " ON request (list, told_ms)' WHERE name = 'request_domain'; PRAGMA writable_schema "
                        "= OFF",
                        1, 0},
        };
        int64_t post;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                if (i > 0)
                        assert_int_equal(unlink(r->image), 0);
                if (i > 0)
                        rig_create(r);
                rig_open(r);
                fill_moderation(r, &post);
                store_close(r->s);
                rig_sql(r, cases[i].sql);
                struct found f = check(r, STORE_CHECK), mended = check(r, STORE_REPAIR),
                             after = check(r, STORE_CHECK);
                if (f.faults != cases[i].faults || f.left != f.faults || mended.left != cases[i].left ||
                        after.faults != cases[i].left)
                        fail_msg("%s: %u found, %u left by a repair, %u found then", cases[i].what,
                                (unsigned)f.faults, (unsigned)mended.left, (unsigned)after.faults);
                if (i != 2)
                        continue;
                rig_open(r); /* what only a person can decide */
                assert_int_equal(store_queue_drop(r->s, post), ERR_OK);
                store_close(r->s);
                assert_int_equal(check(r, STORE_CHECK).faults, 0);
        }
}

static size_t count_open(struct rig *r)
{
        int64_t ids[4];
        size_t n;
        assert_int_equal(open_tickets(r->s, 0, 4, ids, &n), ERR_OK);
        return n;
}

static size_t due(struct rig *r, int64_t now_ms)
{
        struct store_delivery *d;
        size_t n, filled;
        arena_reset(&r->arena);
        assert_int_equal(store_post_fill(r->s, 1, 50, &r->arena, &d, &filled), ERR_OK);
        for (size_t i = 0; i < filled; i++)
                assert_int_equal(store_delivery_defer(r->s, d[i].id, 5000, S("450")), ERR_OK);
        assert_int_equal(store_delivery_due(r->s, now_ms, 50, &r->arena, &d, &n), ERR_OK);
        for (size_t i = 0; i < n; i++)
                assert_int_equal(store_delivery_defer(r->s, d[i].id, 5000, S("450")), ERR_OK);
        return filled + n;
}

/* Held in each of its states: as a ticket, as a cursor, as rows. */
static void held(struct rig *r)
{
        rig_open(r);
        int64_t list = rig_list(r, "ptt", 5), id, when;
        assert_int_equal(store_queue_hold(r->s, 1), ERR_NOT_FOUND);
        assert_int_equal(rig_take(r, list, "a", 1, 5000, 4096, &id), ERR_OK);
        assert_int_equal(count_open(r), 1);
        assert_int_equal(store_queue_hold(r->s, id), ERR_OK);
        assert_int_equal(count_open(r), 0);
        assert_int_equal(store_ticket_sign(r->s, id, S("")), ERR_OK); /* it was under way */
        assert_int_equal(due(r, INT64_MAX), 0);
        assert_int_equal(store_delivery_next_due(r->s, &when), ERR_OK);
        assert_int_equal(when, INT64_MAX);
        store_close(r->s);
        rig_open(r);
        assert_int_equal(due(r, INT64_MAX), 0);
        assert_int_equal(store_queue_flush(r->s, id), ERR_OK);
        assert_int_equal(due(r, 1), 5);
        assert_int_equal(due(r, 4999), 0);
        assert_int_equal(store_queue_hold(r->s, id), ERR_OK);
        assert_int_equal(due(r, INT64_MAX), 0);
        assert_int_equal(store_queue_flush(r->s, id), ERR_OK);
        assert_int_equal(due(r, 1), 5);
        assert_int_equal(store_queue_drop(r->s, id), ERR_OK);
        assert_int_equal(due(r, INT64_MAX), 0);
        assert_int_equal(store_space(r->s).used, 0);
        assert_int_equal(store_queue_drop(r->s, id), ERR_NOT_FOUND);
        /* one that was never signed */
        assert_int_equal(rig_take(r, list, "b", 1, 5000, 4096, &id), ERR_OK);
        assert_int_equal(store_queue_drop(r->s, id), ERR_OK);
        assert_true(count_open(r) == 0 && store_space(r->s).used == 0);
        store_close(r->s);
}

RIG_CASE(healthy)
RIG_CASE(spool_faults)
RIG_CASE(no_folder)
RIG_CASE(looking_changes_nothing)
RIG_CASE(index_fault)
RIG_CASE(moderation_faults)
RIG_CASE(held)

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_healthy),
                cmocka_unit_test(test_spool_faults),
                cmocka_unit_test(test_no_folder),
                cmocka_unit_test(test_looking_changes_nothing),
                cmocka_unit_test(test_index_fault),
                cmocka_unit_test(test_moderation_faults),
                cmocka_unit_test(test_held),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
