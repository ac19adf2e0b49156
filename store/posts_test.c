/* SPDX-License-Identifier: ISC */
/* Posts that wait for moderators, who gets no copy, the head that is decided on last, and what is told of a post. */
#include "store/requests.h"
#include "store/open_tickets.h"
#include "store/trace.h"

#include "store/rig.h"

/* Posts. */

struct post {
        const char *ticket;
        int64_t list;
        struct str skip[4];
        size_t skip_count;
        struct str message_id, trace;
        bool waits;
        int64_t received_ms;
};

static int64_t take(struct rig *r, const struct post *p)
{
        struct store_intake *i;
        int64_t id;
        struct store_message_new m = {.ticket = str_of_c(p->ticket),
                .kind = STORE_POST,
                .list = p->list,
                .domain = S("example.org"),
                .sender = S("a@b.example"),
                .message_id = p->message_id,
                .front = S("Front: 1\r\n"),
                .received_ms = p->received_ms,
                .skip = p->skip,
                .skip_count = p->skip_count,
                .trace = p->trace,
                .waits = p->waits};
        assert_int_equal(store_intake_begin(r->s, 0, &i), ERR_OK);
        char body[300];
        for (size_t k = 0; k < sizeof body; k++)
                body[k] = rig_byte(1, k);
        assert_int_equal(store_intake_write(i, str_of(body, sizeof body)), ERR_OK);
        assert_int_equal(store_intake_commit(i, &m, &id), ERR_OK);
        return id;
}

static enum store_state state_of(struct rig *r, int64_t id)
{
        struct store_message m;
        assert_int_equal(store_message_get(r->s, id, &r->arena, &m), ERR_OK);
        return m.state;
}

static size_t count_open(struct rig *r)
{
        int64_t ids[8];
        size_t n;
        assert_int_equal(open_tickets(r->s, 0, 8, ids, &n), ERR_OK);
        return n;
}

/* Hand out everybody, in steps of `step`; the members' numbers in the names mN@..., as bits. */
static uint64_t hand_out(struct rig *r, size_t step, bool end_them)
{
        uint64_t who = 0;
        size_t n = 1;
        while (n > 0) {
                struct store_delivery *d;
                arena_reset(&r->arena);
                assert_int_equal(store_post_fill(r->s, 1, step, &r->arena, &d, &n), ERR_OK);
                for (size_t i = 0; i < n; i++) {
                        uint64_t bit = 1ull << strtoul(d[i].address.p + 1, NULL, 10);
                        assert_true((who & bit) == 0);
                        who |= bit;
                        if (end_them)
                                assert_int_equal(
                                        store_delivery_done(r->s, d[i].id, 9, 250, S("250 2.0.0 ok")),
                                        ERR_OK);
                }
        }
        return who;
}

/* Waiting. */

static void released(struct rig *r)
{
        struct store_queued *q;
        size_t n;
        rig_start(r);
        int64_t list = rig_list(r, "ptt", 5);
        struct post p = {.ticket = "one", .list = list, .waits = true, .received_ms = 10};
        int64_t id = take(r, &p), request;
        struct store_request_new waits = {
                .list = list, .purpose = 4, .address = S("a@b.example"), .message = id};
        assert_int_equal(store_request_add(r->s, &waits, &request), ERR_OK);
        for (int again = 0; again < 2; again++) {
                assert_int_equal(state_of(r, id), STORE_WAITING);
                assert_int_equal(count_open(r), 0);
                assert_int_equal(store_queue(r->s, 0, 9, &r->arena, &q, &n), ERR_OK);
                assert_true(n == 1 && q[0].is_waiting && !q[0].is_signed);
                assert_int_equal(store_ticket_sign(r->s, id, S("x")), ERR_EXISTS); /* nec was never asked */
                assert_int_equal(store_queue_flush(r->s, id), ERR_NOT_FOUND);
                assert_int_equal(hand_out(r, 8, true), 0);
                assert_true(rig_holds(r, id, STORE_SENT, S("Front: 1\r\n"), 1, 300));
                assert_int_equal(store_forget(r->s, INT64_MAX, 9, &n), ERR_OK);
                assert_int_equal(n, 0);
                rig_stop(r);
                rig_start(r);
        }
        assert_int_equal(store_post_release(r->s, id), ERR_OK);
        assert_int_equal(store_request_end(r->s, request), ERR_OK);
        assert_int_equal(store_post_release(r->s, id), ERR_NOT_FOUND); /* once */
        assert_int_equal(store_post_drop(r->s, id), ERR_NOT_FOUND);
        assert_int_equal(count_open(r), 1);
        assert_int_equal(store_ticket_sign(r->s, id, S("")), ERR_OK);
        assert_int_equal(hand_out(r, 8, true), 31);
        assert_true(state_of(r, id) == STORE_DONE && store_space(r->s).used == 0);
        assert_int_equal(store_post_release(r->s, 99), ERR_NOT_FOUND);
        rig_stop(r);
}

static void dropped(struct rig *r)
{
        struct store_request q;
        struct store_reader *reader;
        rig_start(r);
        int64_t list = rig_list(r, "ptt", 5), request;
        for (int by_operator = 0; by_operator < 2; by_operator++) {
                struct post p = {.ticket = by_operator ? "two" : "one", .list = list, .waits = true};
                int64_t id = take(r, &p);
                struct store_request_new waits = {
                        .list = list, .purpose = 4, .address = S("a@b.example"), .message = id};
                assert_int_equal(store_request_add(r->s, &waits, &request), ERR_OK);
                assert_int_equal(store_request_get(r->s, request, &r->arena, &q), ERR_OK);
                assert_int_equal(q.message, id);
                assert_int_equal(store_reader_open(r->s, id, STORE_SENT, &reader), ERR_OK);
                if (by_operator)
                        assert_int_equal(store_queue_drop(r->s, id), ERR_OK);
                else
                        assert_int_equal(store_post_drop(r->s, id), ERR_OK);
                /* the operator's drop ends its request too; else that is the caller's */
                assert_int_equal(store_request_get(r->s, request, &r->arena, &q),
                        by_operator ? ERR_NOT_FOUND : ERR_OK);
                assert_int_equal(state_of(r, id), STORE_DONE);
                assert_true(store_space(r->s).used > 0); /* being read */
                store_reader_close(reader);
                assert_int_equal(store_space(r->s).used, 0);
                assert_int_equal(store_post_release(r->s, id), ERR_NOT_FOUND);
                if (!by_operator)
                        assert_int_equal(store_request_end(r->s, request), ERR_OK);
        }
        assert_int_equal(count_open(r), 0);
        rig_stop(r);
}

/* Who gets a copy: everybody but those that have it, and those that want none; whatever the size of the steps. */

static void left_out(struct rig *r)
{
        static char longer[700];
        struct store_queued *q;
        size_t n;
        rig_start(r);
        int64_t list = rig_list(r, "ptt", 40), other = rig_list(r, "other", 40);
        memset(longer, 'a', sizeof longer);
        assert_int_equal(
                store_member_options(r->s, list, S("M3@d3.example"), 0, STORE_NOMAIL | STORE_ACCEPTED),
                ERR_OK);
        assert_int_equal(store_member_options(r->s, list, S("M4@d4.example"), 0, STORE_NO_OWN), ERR_OK);
        assert_int_equal(store_member_options(r->s, list, S("M39@d4.example"), 0, STORE_NOMAIL), ERR_OK);
        assert_int_equal(store_member_options(r->s, other, S("M7@d0.example"), 0, STORE_NOMAIL), ERR_OK);
        const struct post with = {.ticket = "with",
                .list = list,
                .skip = {S("m0@D0.EXAMPLE"), S("M5@d5.example"), S("nobody@x.example"),
                        str_of(longer, sizeof longer)},
                .skip_count = 4};
        const struct post without = {.ticket = "without", .list = list};
        const struct post elsewhere = {
                .ticket = "elsewhere", .list = other, .skip = {S("M0@d0.example")}, .skip_count = 1};
        const uint64_t all = (1ull << 40) - 1, mail = all & ~(1ull << 3 | 1ull << 39);
        const struct {
                const struct post *post;
                uint64_t who;
        } cases[] = {{&with, mail & ~(1ull << 0 | 1ull << 5)}, {&without, mail},
                {&elsewhere, all & ~(1ull << 0 | 1ull << 7)}};
        for (size_t i = 0; i < 3; i++) {
                for (size_t step = 1; step <= 41; step += 8) {
                        struct post p = *cases[i].post;
                        char ticket[32];
                        (void)snprintf(ticket, sizeof ticket, "%s%zu", p.ticket, step);
                        p.ticket = ticket;
                        int64_t id = take(r, &p);
                        assert_int_equal(store_ticket_sign(r->s, id, S("")), ERR_OK);
                        assert_int_equal(store_queue(r->s, 0, 9, &r->arena, &q, &n), ERR_OK);
                        assert_true(n == 1 && q[0].left == (uint64_t)__builtin_popcountll(cases[i].who));
                        assert_true(hand_out(r, step, true) == cases[i].who);
                        assert_int_equal(state_of(r, id), STORE_DONE);
                }
        }
        rig_stop(r);
}

/* Nobody is left: the post is done all the same, and a million of those who want no mail cost nothing. */
static void nobody(struct rig *r)
{
        enum { MANY = 5000 };
        rig_start(r);
        int64_t list = rig_list(r, "ptt", MANY);
        rig_sql_on(r->s, "UPDATE member SET options = 1");
        struct post p = {.ticket = "one", .list = list};
        int64_t id = take(r, &p);
        assert_int_equal(store_ticket_sign(r->s, id, S("")), ERR_OK);
        assert_int_equal(hand_out(r, 64, true), 0);
        assert_int_equal(state_of(r, id), STORE_DONE);
        sqlite3_stmt *st = r->s->db.statements[SQL_MEMBERS_NEXT];
        assert_true(sqlite3_stmt_status(st, SQLITE_STMTSTATUS_VM_STEP, 1) < 100);
        rig_stop(r);
}

/* The head, put in front last: as if it had been written first. */

static void head_of(struct rig *r, size_t head, size_t body, size_t expected, unsigned number)
{
        static char bytes[400000], got[400000];
        struct store_intake *i;
        struct store_reader *reader;
        char ticket[24];
        int64_t id;
        size_t n;
        for (size_t k = 0; k < head + body; k++)
                bytes[k] = rig_byte(number, k);
        assert_int_equal(store_intake_begin(r->s, expected, &i), ERR_OK);
        for (size_t at = 0, part; at < body; at += part) {
                part = body - at < 30011 ? body - at : 30011;
                assert_int_equal(store_intake_write(i, str_of(bytes + head + at, part)), ERR_OK);
                if (at == 0 && number % 2) /* what follows it may be more body */
                        assert_int_equal(store_intake_head(i, str_of(bytes, head)), ERR_OK);
        }
        if (number % 2 == 0 || body == 0)
                assert_int_equal(store_intake_head(i, str_of(bytes, head)), ERR_OK);
        assert_int_equal(store_intake_size(i), head + body);
        (void)snprintf(ticket, sizeof ticket, "h%u", number);
        struct store_message_new m = {
                .ticket = str_of_c(ticket), .kind = STORE_FORWARD, .domain = S("example.org")};
        assert_int_equal(store_intake_commit(i, &m, &id), ERR_OK);
        assert_int_equal(store_reader_open(r->s, id, STORE_SENT, &reader), ERR_OK);
        assert_int_equal(store_reader_size(reader), head + body);
        assert_int_equal(store_reader_read(reader, 0, got, sizeof got, &n), ERR_OK);
        store_reader_close(reader);
        if (n != head + body || memcmp(got, bytes, n) != 0)
                fail_msg("a head of %zu before %zu bytes: other bytes", head, body);
        assert_int_equal(store_space(r->s).reserved, 0);
}

static void head(struct rig *r)
{
        static const size_t sizes[] = {0, 1, 4095, 4096, 65535, 65536, 65537, 131072, 200000};
        unsigned number = 0;
        rig_start(r);
        for (size_t h = 0; h < sizeof sizes / sizeof sizes[0]; h++)
                for (size_t b = 0; b < sizeof sizes / sizeof sizes[0]; b++)
                        for (int known = 0; known < 2; known++) {
                                head_of(r, sizes[h], sizes[b], known ? sizes[b] : 0, number);
                                number += number % 3 == 0 ? 2 : 1;
                        }
        /* a small one takes one extent, and one block, not two */
        uint64_t used = store_space(r->s).used;
        head_of(r, 1000, 2000, 0, 1000);
        assert_int_equal(store_space(r->s).used, used + SPOOL_BLOCK);
        /* in vain */
        used = store_space(r->s).used;
        struct store_intake *i;
        static char much[150000];
        assert_int_equal(store_intake_begin(r->s, 0, &i), ERR_OK);
        assert_int_equal(store_intake_write(i, str_of(much, sizeof much)), ERR_OK);
        assert_int_equal(store_intake_head(i, str_of(much, sizeof much)), ERR_OK);
        store_intake_abort(i);
        assert_true(store_space(r->s).used == used && store_space(r->s).reserved == 0);
        rig_stop(r);
}

/* What is told. */

static void traced(struct rig *r)
{
        static char line[STORE_TRACE_MAX];
        struct store_trace *t;
        size_t n;
        rig_start(r);
        int64_t list = rig_list(r, "ptt", 5), other = rig_list(r, "other", 2);
        struct post p = {.ticket = "one",
                .list = list,
                .message_id = S("<1@b>"),
                .trace = S("dmarc=pass\n"),
                .received_ms = 100};
        int64_t first = take(r, &p);
        p.ticket = "two";
        p.list = other;
        p.received_ms = 200;
        int64_t second = take(r, &p);
        p.ticket = "three";
        p.trace = S("");
        int64_t third = take(r, &p);
        assert_int_equal(store_ticket_sign(r->s, second, S("")), ERR_OK);
        assert_int_equal(store_traces(r->s, S("<1@b>"), 0, 9, &r->arena, &t, &n), ERR_OK);
        assert_true(n == 2 && t[0].message == first && t[1].message == second);
        assert_true(t[0].list == list && str_eq(t[0].list_name, S("ptt")) &&
                    str_eq(t[0].domain, S("example.org")));
        assert_true(str_eq(t[0].sender, S("a@b.example")) && str_eq(t[0].message_id, S("<1@b>")));
        assert_true(t[0].state == STORE_OPEN && t[0].received_ms == 100 && t[0].left == 0);
        assert_true(t[1].state == STORE_SIGNED && t[1].left == 2 && !t[1].is_held);
        assert_true(str_eq(t[0].text, S("dmarc=pass\n")));
        assert_int_equal(store_traces(r->s, S("<1@b>"), other, 9, &r->arena, &t, &n), ERR_OK);
        assert_true(n == 1 && t[0].message == second);
        assert_int_equal(store_traces(r->s, S("<1@B>"), 0, 9, &r->arena, &t, &n), ERR_OK);
        assert_int_equal(n, 0);
        /* more lines, as far as there is room */
        assert_int_equal(store_trace_add(r->s, first, S("accepted by boss\n")), ERR_OK);
        assert_int_equal(store_trace_add(r->s, third, S("x")), ERR_NOT_FOUND);
        assert_int_equal(store_traces(r->s, S("<1@b>"), list, 9, &r->arena, &t, &n), ERR_OK);
        assert_true(str_eq(t[0].text, S("dmarc=pass\naccepted by boss\n")));
        memset(line, 'x', sizeof line);
        for (int i = 0; i < 3; i++)
                assert_int_equal(store_trace_add(r->s, first, str_of(line, sizeof line)), ERR_OK);
        assert_int_equal(store_traces(r->s, S("<1@b>"), list, 9, &r->arena, &t, &n), ERR_OK);
        assert_true(t[0].text.n == STORE_TRACE_MAX &&
                    str_has_prefix(t[0].text, S("dmarc=pass\naccepted by boss\nxx")));
        /* and then forgotten, oldest first */
        assert_int_equal(store_trace_forget(r->s, 101, 9, &n), ERR_OK);
        assert_int_equal(n, 1);
        assert_int_equal(store_traces(r->s, S("<1@b>"), 0, 9, &r->arena, &t, &n), ERR_OK);
        assert_true(n == 1 && t[0].message == second);
        assert_int_equal(store_queue_drop(r->s, second), ERR_OK);
        assert_int_equal(store_forget(r->s, 1000, 9, &n), ERR_OK); /* with its message at the latest */
        assert_int_equal(store_traces(r->s, S("<1@b>"), 0, 9, &r->arena, &t, &n), ERR_OK);
        assert_int_equal(n, 0);
        rig_stop(r);
}

static size_t results_of(struct rig *r, int64_t message, struct store_result **out)
{
        size_t n;
        arena_reset(&r->arena);
        assert_int_equal(store_results(r->s, message, 0, 3000, &r->arena, out, &n), ERR_OK);
        return n;
}

static int64_t rows(struct rig *r)
{
        sqlite3_stmt *st;
        assert_int_equal(
                sqlite3_prepare_v2(r->s->db.c, "SELECT count(*) FROM result", -1, &st, NULL), SQLITE_OK);
        assert_int_equal(sqlite3_step(st), SQLITE_ROW);
        int64_t n = sqlite3_column_int64(st, 0);
        sqlite3_finalize(st);
        return n;
}

static void results(struct rig *r)
{
        static char said[600];
        struct store_result *got;
        struct store_delivery *d;
        size_t n;
        rig_start(r);
        int64_t list = rig_list(r, "ptt", 4), id;
        memset(said, 's', sizeof said);
        assert_int_equal(rig_take(r, list, "a", 1, 100, 100, &id), ERR_OK);
        assert_int_equal(store_ticket_sign(r->s, id, S("")), ERR_OK);
        assert_int_equal(store_post_fill(r->s, 1, 4, &r->arena, &d, &n), ERR_OK);
        assert_int_equal(n, 4);
        assert_int_equal(store_delivery_done(r->s, d[0].id, 11, 250, str_of(said, sizeof said)), ERR_OK);
        assert_int_equal(store_delivery_fail(r->s, d[1].id, 12, 550, S("550 5.1.1 who?")), ERR_OK);
        assert_int_equal(store_delivery_defer(r->s, d[2].id, 50, S("451 later")), ERR_OK);
        int64_t first = d[0].id, second = d[1].id, last = d[3].id;
        struct str m0 = S("M0@D0.example");
        assert_int_equal(results_of(r, id, &got), 2); /* what waits says so itself */
        assert_true(got[0].delivery == first && str_eq(got[0].address, m0) && got[0].is_delivered);
        assert_true(got[0].code == 250 && got[0].time_ms == 11 && got[0].reply.n == STORE_RESULT_REPLY_MAX);
        assert_true(got[1].delivery == second && !got[1].is_delivered && got[1].code == 550);
        assert_true(str_eq(got[1].reply, S("550 5.1.1 who?")) && got[1].member > got[0].member);
        assert_int_equal(store_results(r->s, id, first, 9, &r->arena, &got, &n), ERR_OK);
        assert_true(n == 1 && got[0].delivery == second);
        /* a call that fails tells nothing */
        assert_int_equal(store_delivery_done(r->s, first, 99, 250, S("250")), ERR_NOT_FOUND);
        assert_int_equal(results_of(r, id, &got), 2);
        assert_true(r->s->results == 2 && r->s->results_sure == 2);
        rig_stop(r);
        rig_start(r);
        assert_true(results_of(r, id, &got) == 2 && r->s->results == 2);
        assert_int_equal(store_delivery_due(r->s, INT64_MAX, 9, &r->arena, &d, &n), ERR_OK);
        assert_int_equal(n, 2);
        for (size_t i = 0; i < n; i++)
                assert_int_equal(store_delivery_done(r->s, d[i].id, 60, 250, S("250 at last")), ERR_OK);
        assert_true(results_of(r, id, &got) == 4 && got[3].delivery == last);
        assert_int_equal(store_trace_forget(r->s, 5000, 9, &n), ERR_OK); /* rig_take's messages are of 5000 */
        assert_int_equal(n, 0);
        assert_int_equal(store_trace_forget(r->s, 5001, 3, &n), ERR_OK);
        assert_int_equal(n, 3);
        assert_true(results_of(r, id, &got) == 1 && got[0].delivery == last && r->s->results == 1);
        rig_stop(r);
}

/* As many as are kept, and what goes when there are more: the oldest. A small image keeps few. */
static void results_bound(struct rig *r)
{
        struct store_result *got;
        rig_start(r);
        int64_t most = (int64_t)(r->s->volume.device.size / 4096), id, last = 0;
        char sql[400];
        assert_true(most > 5000 && most < STORE_RESULTS_MAX);
        int64_t list = rig_list(r, "ptt", 40);
        assert_int_equal(rig_take(r, list, "old", 1, 100, 100, &id), ERR_OK);
        (void)snprintf(sql, sizeof sql,
                "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %lld)"
                " INSERT INTO result SELECT %lld, i, 0, 'x', 1, 250, 1, '250' FROM n",
                (long long)most - 20, (long long)id);
        rig_sql_on(r->s, sql);
        rig_stop(r);
        rig_start(r);
        assert_int_equal(r->s->results, most - 20);
        for (int i = 0; i < 4; i++) {
                char ticket[8];
                (void)snprintf(ticket, sizeof ticket, "t%d", i);
                assert_int_equal(rig_take(r, list, ticket, 1, 100, 100, &last), ERR_OK);
                assert_int_equal(store_ticket_sign(r->s, last, S("")), ERR_OK);
                assert_true(hand_out(r, 16, true) == (1ull << 40) - 1);
                assert_true(rows(r) <= most && rows(r) == r->s->results);
                assert_int_equal(results_of(r, last, &got), 40);
        }
        assert_int_equal(rows(r), most - 20 + 160 - 3 * 64);
        assert_true(results_of(r, id, &got) == 3000 && got[0].delivery == 3 * 64 + 1);
        /* a full disk is for mail */
        r->s->is_tight = true;
        r->s->tight_until_ms = INT64_MAX;
        int64_t before = r->s->results;
        const struct result one = {1, 1, 250, S("250"), true};
        const struct recipient to = {last, 1, S("m@x.example")};
        assert_int_equal(result_add(r->s, &one, &to), ERR_OK);
        assert_true(rows(r) == before && r->s->results == before);
        rig_stop(r);
}

RIG_CASE(released)
RIG_CASE(dropped)
RIG_CASE(left_out)
RIG_CASE(nobody)
RIG_CASE(head)
RIG_CASE(traced)
RIG_CASE(results)

static void test_results_bound(void **state)
{
        (void)state;
        rig_with(results_bound, rig_create, 48ull * 1024 * 1024);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_released),
                cmocka_unit_test(test_dropped),
                cmocka_unit_test(test_left_out),
                cmocka_unit_test(test_nobody),
                cmocka_unit_test(test_head),
                cmocka_unit_test(test_traced),
                cmocka_unit_test(test_results),
                cmocka_unit_test(test_results_bound),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
