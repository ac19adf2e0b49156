/* SPDX-License-Identifier: ISC */
/* How requests share a transaction, and how those that only look do not wait for it. */
#include "store/ask.h"

#include "store/rig.h"

#define FIBERS 12

struct asked {
        struct rig *r;
        int64_t list;
        unsigned number;
        enum err err;
        uint64_t count; /* of members, as seen */
        size_t turn;    /* in which it was answered */
        size_t *turns;
};

static void add(void *arg)
{
        struct asked *a = arg;
        char address[32];
        int64_t id;
        (void)snprintf(address, sizeof address, "n%u@x.example", a->number);
        a->err = store_member_add(a->r->s, a->list, str_of_c(address), 1, &id);
        a->turn = ++*a->turns;
}

static void count(void *arg)
{
        struct asked *a = arg;
        a->err = store_member_count(a->r->s, a->list, &a->count);
        a->turn = ++*a->turns;
}

/* One member more than there was, then the count again: the own change is seen. */
static void add_and_count(void *arg)
{
        struct asked *a = arg;
        add(a);
        if (a->err == ERR_OK)
                count(a);
}

static void all_at_once(struct rig *r, struct asked *asked, size_t n, void (*const *what)(void *arg))
{
        struct scope scope;
        static size_t turns;
        turns = 0;
        scope_open(&scope, r->h->sched, FIBER_NEVER);
        for (size_t i = 0; i < n; i++) {
                asked[i].r = r;
                asked[i].turns = &turns;
                assert_int_equal(scope_spawn(&scope, "asks", what[i], &asked[i]), ERR_OK);
        }
        assert_int_equal(scope_join(&scope), ERR_OK);
}

/* Who looks gets the answer first, also behind changes that were asked for before, and never sees half of one. */
static void looks_come_first(struct rig *r)
{
        struct asked asked[FIBERS] = {0};
        void (*what[FIBERS])(void *arg);
        rig_start(r);
        int64_t list = rig_list(r, "ptt", 10);
        for (unsigned i = 0; i < FIBERS; i++) {
                asked[i].list = list;
                asked[i].number = i;
                what[i] = i % 2 == 0 ? add : count;
        }
        all_at_once(r, asked, FIBERS, what);
        for (size_t i = 0; i < FIBERS; i++) {
                assert_int_equal(asked[i].err, ERR_OK);
                assert_true((asked[i].turn <= FIBERS / 2) == (what[i] == count));
                assert_true(what[i] == add || asked[i].count == 10);
        }
        for (unsigned i = 0; i < FIBERS; i++) {
                asked[i].number = 100 + i;
                what[i] = add_and_count;
        }
        all_at_once(r, asked, FIBERS, what);
        for (size_t i = 0; i < FIBERS; i++)
                assert_true(asked[i].err == ERR_OK && asked[i].count == 10 + FIBERS / 2 + FIBERS);
        rig_stop(r);
}

/* A change that fails takes nothing of another with it, in company and alone. */
static void failures_are_apart(struct rig *r)
{
        struct asked asked[FIBERS] = {0};
        void (*what[FIBERS])(void *arg);
        uint64_t members;
        rig_start(r);
        int64_t list = rig_list(r, "ptt", 0);
        for (unsigned i = 0; i < FIBERS; i++) {
                asked[i].list = i % 3 == 0 ? list + 1000 : list; /* no such list */
                asked[i].number = i % 3 == 2 ? i - 1 : i;        /* there already */
                what[i] = add;
        }
        all_at_once(r, asked, FIBERS, what);
        for (size_t i = 0; i < FIBERS; i++)
                assert_int_equal(asked[i].err, i % 3 == 0 ? ERR_NOT_FOUND : i % 3 == 2 ? ERR_EXISTS : ERR_OK);
        assert_int_equal(store_member_count(r->s, list, &members), ERR_OK);
        assert_int_equal(members, FIBERS / 3);
        for (size_t i = 0; i < FIBERS; i++) {
                asked[i].number = 1;
                all_at_once(r, &asked[i], 1, what);
                assert_int_equal(asked[i].err, i % 3 == 0 ? ERR_NOT_FOUND : ERR_EXISTS);
                assert_false(db_in_transaction(&r->s->db));
        }
        assert_int_equal(store_member_count(r->s, list, &members), ERR_OK);
        assert_int_equal(members, FIBERS / 3);
        rig_stop(r);
}

RIG_CASE(looks_come_first)
RIG_CASE(failures_are_apart)

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_looks_come_first),
                cmocka_unit_test(test_failures_are_apart),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
