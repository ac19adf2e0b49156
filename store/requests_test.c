/* SPDX-License-Identifier: ISC */
/* What waits for an answer, the mail that is to be written, bans, and what members have chosen. */
#include "store/notices.h"
#include "store/requests.h"

#include "store/rig.h"

static int64_t ask(struct rig *r, int64_t list, unsigned purpose, const char *address, int64_t now_ms)
{
        int64_t id;
        struct store_request_new new = {.list = list,
                .purpose = purpose,
                .address = str_of_c(address),
                .data = S("what\0ever\xff"),
                .now_ms = now_ms};
        assert_int_equal(store_request_add(r->s, &new, &id), ERR_OK);
        return id;
}

static void one(struct rig *r)
{
        struct store_request q;
        struct str address = S("Ann+x@Example.NET"), other_case = S("aNN+X@eXAMPLE.net");
        rig_open(r);
        int64_t list = rig_list(r, "ptt", 3), other = rig_list(r, "other", 0), id, same;
        id = ask(r, list, 1, "Ann+x@Example.NET", 1000);
        struct store_request_new again = {.list = list, .purpose = 1, .address = other_case, .now_ms = 2000};
        assert_int_equal(store_request_add(r->s, &again, &same), ERR_EXISTS);
        assert_int_equal(same, id);
        assert_true(ask(r, list, 2, "Ann+x@Example.NET", 1) > id &&
                    ask(r, other, 1, "Ann+x@Example.NET", 1) > id);
        assert_int_equal(store_request_find(r->s, list, 1, other_case, &r->arena, &q), ERR_OK);
        assert_int_equal(q.id, id);
        assert_int_equal(store_request_get(r->s, id, &r->arena, &q), ERR_OK);
        assert_true(q.id == id && q.list == list && q.purpose == 1 && q.message == 0);
        assert_true(q.made_ms == 1000 && q.told_ms == 0);
        assert_true(str_eq(q.address, address) && str_eq(q.data, S("what\0ever\xff")));
        assert_true(str_eq(q.list_name, S("ptt")) && str_eq(q.domain, S("example.org")));
        assert_int_equal(store_request_tell(r->s, id, 1500), ERR_OK);
        assert_int_equal(store_request_get(r->s, id, &r->arena, &q), ERR_OK);
        assert_int_equal(q.told_ms, 1500);
        assert_int_equal(store_request_end(r->s, id), ERR_OK);
        assert_int_equal(store_request_end(r->s, id), ERR_NOT_FOUND);
        assert_int_equal(store_request_tell(r->s, id, 1), ERR_NOT_FOUND);
        assert_int_equal(store_request_get(r->s, id, &r->arena, &q), ERR_NOT_FOUND);
        assert_int_equal(q.id, 0);
        assert_int_equal(store_request_find(r->s, list, 1, address, &r->arena, &q), ERR_NOT_FOUND);
        /* a token of the one that ended is nobody else's, also over a restart */
        int64_t last = ask(r, list, 3, "x@y.example", 1);
        assert_int_equal(store_request_end(r->s, last), ERR_OK);
        store_close(r->s);
        rig_open(r);
        assert_true(ask(r, list, 1, "Ann+x@Example.NET", 1) > last);
        store_close(r->s);
}

static void refused(struct rig *r)
{
        static char long_text[STORE_DATA_MAX + 1];
        struct store_request q;
        rig_open(r);
        int64_t list = rig_list(r, "ptt", 3), id;
        memset(long_text, 'a', sizeof long_text);
        struct str too_long = str_of(long_text, sizeof long_text),
                   longest = str_of(long_text, STORE_DATA_MAX);
        struct str no_address = str_of(long_text, 600);
        const struct {
                struct store_request_new new;
                enum err err;
        } cases[] = {
                {{.list = list + 9, .purpose = 1, .address = S("a@b.example")}, ERR_NOT_FOUND},
                {{.list = list, .purpose = 1, .address = S("a@b.example"), .message = 9}, ERR_NOT_FOUND},
                {{.list = list, .purpose = 1, .address = S("a@b.example"), .data = too_long}, ERR_LIMIT},
                {{.list = list, .purpose = 1, .address = no_address}, ERR_LIMIT},
                {{.list = list, .purpose = 1, .address = S("a@b.example"), .data = longest}, ERR_OK},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                assert_int_equal(store_request_add(r->s, &cases[i].new, &id), cases[i].err);
                assert_true((id != 0) == (cases[i].err == ERR_OK));
        }
        assert_int_equal(store_request_find(r->s, list, 1, no_address, &r->arena, &q), ERR_NOT_FOUND);
        struct store_notice notice = {.list = list + 9, .kind = S("help"), .address = S("a@b.example")};
        assert_int_equal(store_notice_add(r->s, &notice, &id), ERR_NOT_FOUND);
        notice.list = list;
        notice.data = too_long;
        assert_int_equal(store_notice_add(r->s, &notice, &id), ERR_LIMIT);
        assert_int_equal(id, 0);
        struct store_ban_new ban = {.list = list + 9, .address = S("a@b.example")};
        assert_int_equal(store_ban_put(r->s, &ban), ERR_NOT_FOUND);
        store_close(r->s);
}

/* Bounds on what strangers pile up; the steps of the queries do not grow with what others have piled up. */
static void counted(struct rig *r)
{
        enum { MANY = 300 };
        struct store_request_counts c;
        char address[48];
        rig_start(r);
        int64_t list = rig_list(r, "ptt", 3), other = rig_list(r, "other", 0), message, id;
        for (int i = 0; i < MANY; i++) {
                (void)snprintf(
                        address, sizeof address, "u%d@%s", i, i % 3 ? "Flood.example" : "calm.example");
                ask(r, i % 2 ? list : other, 1, address, i);
        }
        for (int i = 0; i < 4; i++) {
                char ticket[8];
                (void)snprintf(ticket, sizeof ticket, "p%d", i);
                assert_int_equal(rig_take(r, list, ticket, 1, 10, 10, &message), ERR_OK);
                struct store_request_new post = {.list = list,
                        .purpose = 4,
                        .address = i < 3 ? S("Poster@calm.example") : S("x@calm.example"),
                        .message = message,
                        .now_ms = MANY + i};
                assert_int_equal(store_request_add(r->s, &post, &id), ERR_OK);
                assert_int_equal(store_request_add(r->s, &post, &message), ERR_EXISTS);
                assert_int_equal(message, id);
        }
        assert_int_equal(store_request_count(r->s, list, S("poster@CALM.example"), &c), ERR_OK);
        assert_true(c.list == MANY / 2 + 4 && c.domain == MANY / 6 + 4 && c.posts == 3);
        assert_int_equal(store_request_count(r->s, list, S("new@flood.example"), &c), ERR_OK);
        assert_true(c.list == MANY / 2 + 4 && c.domain == MANY / 3 && c.posts == 0);
        assert_int_equal(store_request_count(r->s, list + 9, S("a@b.example"), &c), ERR_OK);
        assert_true(c.list == 0 && c.domain == 0 && c.posts == 0);
        (void)sqlite3_stmt_status(r->s->db.statements[SQL_REQUESTS_OF_POSTER], SQLITE_STMTSTATUS_VM_STEP, 1);
        assert_int_equal(store_request_count(r->s, list, S("poster@calm.example"), &c), ERR_OK);
        assert_true(sqlite3_stmt_status(
                            r->s->db.statements[SQL_REQUESTS_OF_POSTER], SQLITE_STMTSTATUS_VM_STEP, 1) < 60);
        rig_stop(r);
}

/* Pages, and what is old. */
static void paged(struct rig *r)
{
        struct store_request *page;
        size_t n, seen = 0;
        char address[32];
        rig_open(r);
        int64_t lists[2] = {rig_list(r, "ptt", 3), rig_list(r, "other", 0)}, last = 0;
        for (int i = 0; i < 20; i++) { /* the later the older */
                (void)snprintf(address, sizeof address, "u%d@x.example", i);
                ask(r, lists[i % 2], 1, address, 1000 - i);
        }
        do {
                assert_int_equal(store_requests(r->s, lists[1], last, 3, &r->arena, &page, &n), ERR_OK);
                for (size_t i = 0; i < n; i++, seen++) {
                        assert_true(page[i].id > last && page[i].list == lists[1]);
                        last = page[i].id;
                }
        } while (n > 0);
        assert_int_equal(seen, 10);
        assert_int_equal(store_requests(r->s, 0, 0, 50, &r->arena, &page, &n), ERR_OK);
        assert_int_equal(n, 20);
        assert_int_equal(store_requests_old(r->s, 990, 50, &r->arena, &page, &n), ERR_OK);
        assert_int_equal(n, 9);
        assert_true(page[0].made_ms == 981 && page[8].made_ms == 989);
        assert_int_equal(store_requests_old(r->s, 2000, 5, &r->arena, &page, &n), ERR_OK);
        assert_true(n == 5 && page[4].made_ms == 985);
        assert_int_equal(store_requests_old(r->s, 981, 5, &r->arena, &page, &n), ERR_OK);
        assert_int_equal(n, 0);
        store_close(r->s);
}

/* A notice lives until its mail is committed, and no longer. */
static enum err write_mail(struct rig *r, int64_t notice, const char *ticket, int64_t *id)
{
        struct store_intake *i;
        struct str to = S("a@b.example");
        struct store_message_new m = {.ticket = str_of_c(ticket),
                .kind = STORE_FORWARD,
                .domain = S("example.org"),
                .received_ms = 1,
                .recipients = &to,
                .recipient_count = 1,
                .notice = notice};
        assert_int_equal(store_intake_begin(r->s, 0, &i), ERR_OK);
        assert_int_equal(store_intake_write(i, S("Subject: x\r\n\r\nx\r\n")), ERR_OK);
        return store_intake_commit(i, &m, id);
}

static void notices(struct rig *r)
{
        struct store_notice *page;
        size_t n;
        int64_t first, second, message;
        rig_open(r);
        int64_t list = rig_list(r, "ptt", 3);
        struct store_notice welcome = {.list = list,
                .kind = S("welcome"),
                .address = S("A@b.example"),
                .request = 77,
                .data = S("In-Reply-To\0<x>"),
                .made_ms = 5};
        struct store_notice waits = {.list = list, .kind = S("post-waits")};
        assert_int_equal(store_notice_add(r->s, &welcome, &first), ERR_OK);
        assert_int_equal(store_notice_add(r->s, &waits, &second), ERR_OK);
        assert_int_equal(store_notices(r->s, 0, 10, &r->arena, &page, &n), ERR_OK);
        assert_true(n == 2 && page[0].id == first && page[1].id == second && page[0].list == list);
        assert_true(str_eq(page[0].kind, S("welcome")) && str_eq(page[0].address, S("A@b.example")));
        assert_true(page[0].request == 77 && page[0].made_ms == 5);
        assert_true(str_eq(page[0].data, welcome.data) && page[1].address.n == 0);
        assert_int_equal(store_notices(r->s, first, 10, &r->arena, &page, &n), ERR_OK);
        assert_true(n == 1 && page[0].id == second);
        uint64_t used = store_space(r->s).used;
        assert_int_equal(write_mail(r, first, "a", &message), ERR_OK);
        assert_int_equal(write_mail(r, first, "b", &message), ERR_NOT_FOUND); /* it is written already */
        assert_int_equal(message, 0);
        assert_int_equal(store_space(r->s).used, used + SPOOL_BLOCK);
        assert_int_equal(write_mail(r, second, "a", &message), ERR_EXISTS);
        assert_int_equal(store_notices(r->s, 0, 10, &r->arena, &page, &n), ERR_OK);
        assert_true(n == 1 && page[0].id == second); /* the ticket was taken: it is still to be written */
        store_close(r->s);
        rig_open(r);
        assert_int_equal(store_notice_drop(r->s, second), ERR_OK);
        assert_int_equal(store_notice_drop(r->s, second), ERR_NOT_FOUND);
        assert_int_equal(store_notices(r->s, 0, 10, &r->arena, &page, &n), ERR_OK);
        assert_int_equal(n, 0);
        assert_int_equal(store_notice_add(r->s, &waits, &first), ERR_OK);
        assert_true(first > second);
        store_close(r->s);
}

/* What room is left on a full disk is for the results of deliveries, which free more. It is looked for again behind each
 * call, and found here. */
static void tight(struct rig *r)
{
        int64_t id;
        rig_open(r);
        int64_t list = rig_list(r, "ptt", 3);
        struct store_request_new request = {.list = list, .purpose = 1, .address = S("a@b.example")};
        struct store_notice notice = {.list = list, .kind = S("help"), .address = S("a@b.example")};
        for (int full = 1; full >= 0; full--) {
                r->s->is_tight = full;
                assert_int_equal(store_request_add(r->s, &request, &id), full ? ERR_FULL : ERR_OK);
                assert_true((id == 0) == full && !r->s->is_tight);
                r->s->is_tight = full;
                assert_int_equal(store_notice_add(r->s, &notice, &id), full ? ERR_FULL : ERR_OK);
                assert_true((id == 0) == full && !r->s->is_tight);
        }
        store_close(r->s);
}

static void bans(struct rig *r)
{
        struct store_ban *page;
        size_t n;
        rig_open(r);
        int64_t list = rig_list(r, "ptt", 3), other = rig_list(r, "other", 0);
        static const struct {
                struct str address;
                int64_t until_ms;
        } put[] = {{{"Troll@x.example", 15}, 0}, {{"b@x.example", 11}, 500}, {{"a@x.example", 11}, 400},
                {{"c@x.example", 11}, 600}};
        for (size_t i = 0; i < 4; i++) {
                struct store_ban_new ban = {.list = list,
                        .address = put[i].address,
                        .by = S("boss@example.org"),
                        .now_ms = 100,
                        .until_ms = put[i].until_ms};
                assert_int_equal(store_ban_put(r->s, &ban), ERR_OK);
        }
        assert_int_equal(store_ban_find(r->s, list, S("tROLL@X.example"), 1), ERR_OK);
        assert_int_equal(store_ban_find(r->s, other, S("Troll@x.example"), 1), ERR_NOT_FOUND);
        assert_int_equal(store_ban_find(r->s, list, S("b@x.example"), 499), ERR_OK);
        assert_int_equal(store_ban_find(r->s, list, S("b@x.example"), 500), ERR_NOT_FOUND);
        assert_int_equal(store_bans(r->s, list, S(""), 3, &r->arena, &page, &n), ERR_OK);
        assert_true(n == 3 && str_eq(page[0].address, S("a@x.example")) && page[0].until_ms == 400);
        assert_true(str_eq(page[0].by, S("boss@example.org")) && page[0].made_ms == 100);
        assert_true(page[0].list == list && str_eq(page[0].list_name, S("ptt")));
        assert_int_equal(store_bans(r->s, list, page[2].address, 3, &r->arena, &page, &n), ERR_OK);
        assert_true(n == 1 && str_eq(page[0].address, S("Troll@x.example")));
        /* put again: the later word counts */
        struct store_ban_new again = {
                .list = list, .address = S("TROLL@x.example"), .now_ms = 200, .until_ms = 450};
        assert_int_equal(store_ban_put(r->s, &again), ERR_OK);
        assert_int_equal(store_ban_find(r->s, list, S("troll@x.example"), 451), ERR_NOT_FOUND);
        assert_int_equal(store_bans_expire(r->s, 500, 2, &n), ERR_OK);
        assert_int_equal(n, 2);
        assert_int_equal(store_bans_expire(r->s, 500, 2, &n), ERR_OK);
        assert_int_equal(n, 1);
        assert_int_equal(store_bans(r->s, list, S(""), 9, &r->arena, &page, &n), ERR_OK);
        assert_true(n == 1 && str_eq(page[0].address, S("c@x.example")));
        assert_int_equal(store_ban_remove(r->s, list, S("C@x.example")), ERR_OK);
        assert_int_equal(store_ban_remove(r->s, list, S("C@x.example")), ERR_NOT_FOUND);
        store_close(r->s);
}

static unsigned options_of(struct rig *r, int64_t list, struct str address)
{
        struct store_member m;
        assert_int_equal(store_member_find(r->s, list, address, &r->arena, &m), ERR_OK);
        return m.options;
}

static void options(struct rig *r)
{
        struct str late[] = {S("late@x.example"), S("M0@d0.example")};
        size_t changed;
        rig_open(r);
        int64_t list = rig_list(r, "ptt", 3);
        struct str m0 = S("m0@D0.example");
        assert_int_equal(options_of(r, list, m0), 0);
        assert_int_equal(store_member_options(r->s, list, m0, 0, STORE_NOMAIL | STORE_ACCEPTED), ERR_OK);
        assert_int_equal(store_member_options(r->s, list, m0, STORE_NOMAIL, STORE_NO_OWN), ERR_OK);
        assert_int_equal(options_of(r, list, m0), STORE_NO_OWN | STORE_ACCEPTED);
        assert_int_equal(store_member_options(r->s, list, S("x@y.example"), 0, 1), ERR_NOT_FOUND);
        struct store_roll roll = {.change = STORE_ADD_MEMBER,
                .lists = &list,
                .list_count = 1,
                .addresses = late,
                .address_count = 2,
                .now_ms = 5,
                .options = STORE_NOMAIL};
        assert_int_equal(store_roll_change(r->s, &roll, &changed), ERR_OK);
        assert_int_equal(changed, 1);
        assert_int_equal(options_of(r, list, late[0]), STORE_NOMAIL);
        assert_int_equal(
                options_of(r, list, m0), STORE_NO_OWN | STORE_ACCEPTED); /* who is there keeps them */
        assert_int_equal(store_member_remove(r->s, list, late[0]), ERR_OK);
        int64_t id;
        assert_int_equal(store_member_add(r->s, list, late[0], 1, &id), ERR_OK);
        assert_int_equal(options_of(r, list, late[0]), 0); /* who comes again begins anew */
        assert_int_equal(store_moderator_find(r->s, list, S("BOSS@example.org")), ERR_OK);
        assert_int_equal(store_moderator_find(r->s, list, late[0]), ERR_NOT_FOUND);
        store_close(r->s);
}

/* Files beside the database. */
static void files(struct rig *r)
{
        static char text[5000];
        struct volume v;
        struct fat_file file;
        struct str got;
        memset(text, 't', sizeof text);
        rig_volume(r, &v);
        assert_int_equal(fat_mkdir(v.fat, S("templates"), 1), ERR_OK);
        assert_int_equal(fat_file_open(v.fat, &file, S("templates/help.fr.txt"), FAT_OPEN_NEW, 1), ERR_OK);
        assert_int_equal(fat_write(&file, 0, text, sizeof text, 1), ERR_OK);
        fat_file_close(&file);
        assert_int_equal(fat_file_open(v.fat, &file, S("templates/empty.txt"), FAT_OPEN_NEW, 1), ERR_OK);
        fat_file_close(&file);
        assert_int_equal(volume_close(&v), ERR_OK);
        rig_start(r);
        static const struct {
                struct str path;
                size_t max;
                enum err err;
                size_t n;
        } cases[] = {
                {{"templates/help.fr.txt", 21}, sizeof text, ERR_OK, sizeof text},
                {{"templates/help.fr.txt", 21}, sizeof text - 1, ERR_LIMIT, 0},
                {{"templates/empty.txt", 19}, 0, ERR_OK, 0},
                {{"templates/help.en.txt", 21}, 100, ERR_NOT_FOUND, 0},
                {{"templates", 9}, 100, ERR_NOT_FOUND, 0},
                {{"none/help.en.txt", 16}, 100, ERR_NOT_FOUND, 0},
                {{"", 0}, 100, ERR_NOT_FOUND, 0},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                arena_reset(&r->arena);
                enum err err = store_file_read(r->s, cases[i].path, cases[i].max, &r->arena, &got);
                if (err != cases[i].err || got.n != cases[i].n)
                        fail_msg("%.*s: %s, %zu bytes", STR_ARG(cases[i].path), err_text(err), got.n);
                assert_memory_equal(got.p, text, got.n);
        }
        char small[64];
        struct arena narrow;
        arena_init(&narrow, small, sizeof small);
        assert_int_equal(store_file_read(r->s, cases[0].path, sizeof text, &narrow, &got), ERR_MEMORY);
        rig_stop(r);
}

RIG_CASE(one)
RIG_CASE(refused)
RIG_CASE(counted)
RIG_CASE(paged)
RIG_CASE(notices)
RIG_CASE(tight)
RIG_CASE(bans)
RIG_CASE(options)
RIG_CASE(files)

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_one),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_counted),
                cmocka_unit_test(test_paged),
                cmocka_unit_test(test_notices),
                cmocka_unit_test(test_tight),
                cmocka_unit_test(test_bans),
                cmocka_unit_test(test_options),
                cmocka_unit_test(test_files),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
