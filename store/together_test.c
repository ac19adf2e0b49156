/* SPDX-License-Identifier: ISC */
/* Several calls as one change: store_together, and messages whose row is part of one. */
#include "store/notices.h"
#include "store/requests.h"

#include "store/rig.h"

/* What a change does, one letter a call: a adds a member, n to a list that is not there, l looks whether it sees it; r a
 * request, t a notice, m the message that was taken in. */
struct script {
        struct rig *r;
        const char *calls;
        const char *name; /* of the member */
        int64_t list;
        struct store_intake *intake;
        const char *ticket;
        bool waits;
        enum err end; /* what it gives when all went well */
        enum err got[16];
        int64_t message, request;
};

static enum err take_in(struct script *c)
{
        struct store_message_new m = {.ticket = str_of_c(c->ticket),
                .kind = STORE_POST,
                .list = c->list,
                .domain = S("example.org"),
                .sender = S("a@b.example"),
                .message_id = S("<x@y>"),
                .front = S("Front: 1\r\n"),
                .received_ms = 5000,
                .waits = c->waits};
        return store_intake_add(c->intake, &m, &c->message);
}

static enum err call(struct store *s, struct script *c, char what)
{
        int64_t id;
        struct store_member m;
        struct store_request_new request = {.list = c->list,
                .purpose = 5,
                .address = S("a@b.example"),
                .message = c->message,
                .now_ms = 7};
        struct store_notice notice = {.list = c->list, .kind = S("post-waits"), .request = c->request};
        switch (what) {
        case 'a':
                return store_member_add(s, c->list, str_of_c(c->name), 1, &id);
        case 'n':
                return store_member_add(s, c->list + 1000, str_of_c(c->name), 1, &id);
        case 'l':
                return store_member_find(s, c->list, str_of_c(c->name), &c->r->arena, &m);
        case 'r':
                return store_request_add(s, &request, &c->request);
        case 't':
                return store_notice_add(s, &notice, &id);
        case 'm':
                return take_in(c);
        default:
                fail();
                return ERR_OK;
        }
}

static enum err play(struct store *s, void *ctx)
{
        struct script *c = ctx;
        for (size_t i = 0; c->calls[i] != 0; i++)
                c->got[i] = call(s, c, c->calls[i]);
        return c->end;
}

static uint64_t members(struct rig *r, int64_t list)
{
        uint64_t n;
        assert_int_equal(store_member_count(r->s, list, &n), ERR_OK);
        return n;
}

static struct store_backlog backlog(struct rig *r)
{
        struct store_backlog b;
        assert_int_equal(store_backlog(r->s, &b), ERR_OK);
        return b;
}

/* Each call's own outcome, and what is there in the end. */
static void judge_calls(struct rig *r, int64_t list)
{
        static const struct {
                const char *what, *calls;
                enum err end, got[4];
                bool is_kept;
        } cases[] = {
                {"nothing", "", ERR_OK, {ERR_OK}, false},
                {"it is seen at once", "lal", ERR_OK, {ERR_NOT_FOUND, ERR_OK, ERR_OK}, true},
                {"a failure is its own", "nal", ERR_OK, {ERR_NOT_FOUND, ERR_OK, ERR_OK}, true},
                {"twice", "aal", ERR_OK, {ERR_OK, ERR_EXISTS, ERR_OK}, true},
                {"refused in the end", "al", ERR_DENIED, {ERR_OK, ERR_OK}, false},
                {"refused for a failure", "an", ERR_NOT_FOUND, {ERR_OK, ERR_NOT_FOUND}, false},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                char name[32];
                uint64_t before = members(r, list);
                (void)snprintf(name, sizeof name, "case%zu@x.example", i);
                struct script c = {
                        .r = r, .calls = cases[i].calls, .name = name, .list = list, .end = cases[i].end};
                if (store_together(r->s, play, &c) != cases[i].end)
                        fail_msg("%s: another end", cases[i].what);
                for (size_t k = 0; cases[i].calls[k] != 0; k++)
                        if (c.got[k] != cases[i].got[k])
                                fail_msg("%s: call %zu gave %s", cases[i].what, k, err_text(c.got[k]));
                if (members(r, list) != before + cases[i].is_kept)
                        fail_msg("%s: %s", cases[i].what, cases[i].is_kept ? "lost" : "kept");
                assert_false(db_in_transaction(&r->s->db));
        }
}

static void calls(struct rig *r)
{
        rig_open(r); /* as a tool does it: without a fiber */
        int64_t list = rig_list(r, "ptt", 3);
        judge_calls(r, list);
        store_close(r->s);
        rig_start(r);
        int64_t other = rig_list(r, "other", 3);
        judge_calls(r, other);
        rig_stop(r);
        rig_open(r);
        assert_true(members(r, list) == members(r, other) && members(r, list) == 3 + 3);
        store_close(r->s);
}

/* In company: whoever asks for changes at the same moment has its own outcome, and sees nothing that was undone. */

#define FIBERS 12

struct asked {
        struct script script;
        enum err err;
};

static void ask(void *arg)
{
        struct asked *a = arg;
        int64_t id;
        a->err = a->script.calls != NULL
                         ? store_together(a->script.r->s, play, &a->script)
                         : store_member_add(a->script.r->s, a->script.list, str_of_c(a->script.name), 1, &id);
}

static void company(struct rig *r)
{
        static char names[FIBERS][32];
        struct asked asked[FIBERS] = {0};
        struct scope scope;
        rig_start(r);
        int64_t list = rig_list(r, "ptt", 0);
        scope_open(&scope, r->h->sched, FIBER_NEVER);
        for (size_t i = 0; i < FIBERS; i++) {
                /* two of each name in turn: refused, as it is, and in one call */
                (void)snprintf(names[i], sizeof names[i], "n%zu@x.example", i / 3);
                asked[i].script = (struct script){.r = r,
                        .calls = i % 3 == 2 ? NULL : "lal",
                        .name = names[i],
                        .list = list,
                        .end = i % 3 == 0 ? ERR_DENIED : ERR_OK};
                assert_int_equal(scope_spawn(&scope, "asks", ask, &asked[i]), ERR_OK);
        }
        assert_int_equal(scope_join(&scope), ERR_OK);
        for (size_t i = 0; i < FIBERS; i++) {
                static const enum err wanted[] = {ERR_DENIED, ERR_OK, ERR_EXISTS};
                assert_int_equal(asked[i].err, wanted[i % 3]);
                if (i % 3 == 2)
                        continue;
                assert_int_equal(asked[i].script.got[0], ERR_NOT_FOUND);
                assert_true(asked[i].script.got[1] == ERR_OK && asked[i].script.got[2] == ERR_OK);
        }
        assert_int_equal(members(r, list), FIBERS / 3);
        rig_stop(r);
}

/* A post with its request and its notice: all three or none, and its bytes as long as its row. */

static struct store_intake *take(struct rig *r, uint64_t seed, size_t size)
{
        struct store_intake *i;
        char bytes[1000];
        assert_int_equal(store_intake_begin(r->s, 0, &i), ERR_OK);
        for (size_t at = 0, n; at < size; at += n) {
                n = size - at < sizeof bytes ? size - at : sizeof bytes;
                for (size_t k = 0; k < n; k++)
                        bytes[k] = rig_byte(seed, at + k);
                assert_int_equal(store_intake_write(i, str_of(bytes, n)), ERR_OK);
        }
        return i;
}

static void posts(struct rig *r)
{
        enum { SIZE = 70000 };
        rig_start(r);
        int64_t list = rig_list(r, "ptt", 3);
        struct script c = {
                .r = r, .calls = "mrt", .list = list, .ticket = "one", .waits = true, .end = ERR_DENIED};
        c.intake = take(r, 1, SIZE);
        assert_int_equal(store_intake_sync(c.intake), ERR_OK);
        /* undone: the bytes are still the intake's, which may be added again */
        assert_int_equal(store_together(r->s, play, &c), ERR_DENIED);
        assert_true(c.got[0] == ERR_OK && c.got[1] == ERR_OK && c.got[2] == ERR_OK);
        struct store_backlog b = backlog(r);
        assert_true(b.held == 0 && b.requests == 0 && b.notices == 0);
        c.end = ERR_OK;
        assert_int_equal(store_together(r->s, play, &c), ERR_OK);
        store_intake_abort(c.intake);
        b = backlog(r);
        assert_true(b.held == 1 && b.requests == 1 && b.notices == 1 && b.open == 0 && b.messages == 0);
        assert_true(rig_holds(r, c.message, STORE_SENT, S("Front: 1\r\n"), 1, SIZE));
        uint64_t used = store_space(r->s).used;
        assert_true(used >= SIZE && used < SIZE + 2 * SPOOL_BLOCK);
        /* given up for good, and one with a ticket that is taken */
        for (int twice = 0; twice < 2; twice++) {
                struct script other = {.r = r, .calls = twice ? "m" : "mrt", .list = list, .end = ERR_DENIED};
                other.ticket = twice ? "one" : "two";
                other.intake = take(r, 2, SIZE);
                assert_int_equal(store_intake_sync(other.intake), ERR_OK);
                assert_int_equal(store_together(r->s, play, &other), ERR_DENIED);
                assert_int_equal(other.got[0], twice ? ERR_EXISTS : ERR_OK);
                store_intake_abort(other.intake);
                assert_true(store_space(r->s).used == used && store_space(r->s).reserved == 0);
        }
        rig_stop(r);
        rig_start(r);
        b = backlog(r);
        assert_true(b.held == 1 && b.requests == 1 && b.notices == 1);
        assert_true(rig_holds(r, c.message, STORE_SENT, S("Front: 1\r\n"), 1, SIZE));
        rig_stop(r);
}

/* The database cannot take all of it: nothing of it is there, whatever the change makes of its calls' outcomes. */
struct flood {
        struct rig *r;
        int64_t list;
        size_t done;
        enum err first, last;
};

static enum err pour(struct store *s, void *ctx)
{
        static char value[1 << 20];
        struct flood *f = ctx;
        memset(value, 'v', sizeof value);
        for (f->done = 0; f->done < 400 && f->last == ERR_OK; f->done++) {
                char name[16];
                int n = snprintf(name, sizeof name, "s%zu", f->done);
                f->last = store_setting_put(s, f->list, str_of(name, (size_t)n), str_of(value, sizeof value));
        }
        f->first = f->last;
        if (f->first != ERR_OK) /* it is lost as a whole: nothing after it may be believed */
                f->last = store_setting_put(s, f->list, S("small"), S("x"));
        return ERR_OK;
}

static void full(struct rig *r)
{
        struct store_list list;
        rig_start(r);
        struct flood f = {.r = r, .list = rig_list(r, "ptt", 3)};
        assert_int_equal(store_together(r->s, pour, &f), ERR_FULL);
        assert_int_equal(f.first, ERR_FULL);
        assert_int_equal(f.last, ERR_FULL);
        assert_false(store_is_broken(r->s));
        assert_int_equal(store_list_get(r->s, f.list, &r->arena, &list), ERR_OK);
        assert_int_equal(list.setting_count, 0);
        assert_int_equal(members(r, f.list), 3);
        rig_stop(r);
}

RIG_CASE(calls)
RIG_CASE(company)
RIG_CASE(posts)
static void test_full(void **state)
{
        (void)state;
        rig_with(full, rig_create, 48ull * 1024 * 1024);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_calls),
                cmocka_unit_test(test_company),
                cmocka_unit_test(test_posts),
                cmocka_unit_test(test_full),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
