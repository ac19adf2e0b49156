/* SPDX-License-Identifier: ISC */
/* resolver_answer: all that an evaluation wants, at one time. */
#include "serve/resolver_world.h"

#include <stdio.h>

#define MANY (3 * RESOLVER_AT_ONCE + 1)

struct asking {
        struct world *w;
        struct dns_known known;
        struct arena arena;
        int64_t patience_ms;
        enum err err;
        char memory[512 * 1024];
};

static void init(struct asking *a, struct world *w)
{
        a->w = w;
        a->patience_ms = 5000;
        a->err = ERR_OK;
        arena_init(&a->arena, a->memory, sizeof a->memory);
        dns_known_init(&a->known, &a->arena, 2 * MANY);
}

static enum dns_knowledge get(struct asking *a, const char *name)
{
        const struct dns_answer *answer;
        struct dns_name n = name_of(name);
        enum dns_knowledge k = dns_known_get(&a->known, &n, DNS_TYPE_A, &answer);
        if (k == DNS_KNOWN_FOUND)
                assert_true(is_right(answer));
        return k;
}

static void ask(void *arg)
{
        struct asking *a = arg;
        a->err = resolver_answer(a->w->r, &a->known, host_now_ms(a->w->h) + a->patience_ms);
}

static void all_kinds(struct world *w)
{
        static const struct {
                const char *name;
                enum dns_knowledge knowledge;
        } cases[] = {
                {"ok", DNS_KNOWN_FOUND},
                {"OK", DNS_KNOWN_FOUND},
                {"alias", DNS_KNOWN_FOUND},
                {"none", DNS_KNOWN_NO_NAME},
                {"empty", DNS_KNOWN_NOTHING},
                {"servfail", DNS_KNOWN_TROUBLE},
                {"ring-1", DNS_KNOWN_TROUBLE},
                {"cut", DNS_KNOWN_FOUND},
        };
        static struct asking a;
        for (int again = 0; again < 2; again++) { /* from the servers, then from memory */
                init(&a, w);
                for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
                        assert_int_equal(get(&a, cases[i].name), DNS_KNOWN_WANTED);
                ask(&a);
                assert_int_equal(a.err, ERR_OK);
                assert_int_equal(a.known.wanted, 0);
                for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
                        if (get(&a, cases[i].name) != cases[i].knowledge)
                                fail_msg("%s, time %d", cases[i].name, again + 1);
        }
}

static void test_all_kinds(void **state)
{
        (void)state;
        static struct world w;
        run(&w, all_kinds);
}

/* More than are asked at one time: each is asked once. */
static void many(struct world *w)
{
        static struct asking a;
        char name[32];
        init(&a, w);
        for (int i = 0; i < MANY; i++) {
                (void)snprintf(name, sizeof name, "ok.n%d", i);
                assert_int_equal(get(&a, name), DNS_KNOWN_WANTED);
        }
        ask(&a);
        assert_int_equal(a.err, ERR_OK);
        assert_int_equal(asked(w), MANY);
        for (int i = 0; i < MANY; i++) {
                (void)snprintf(name, sizeof name, "ok.n%d", i);
                assert_int_equal(get(&a, name), DNS_KNOWN_FOUND);
        }
        struct resolver_stats stats;
        resolver_stats(w->r, &stats);
        assert_true(stats.lookups == MANY && stats.queries == MANY && stats.hits == 0 && stats.shared == 0);
}

static void test_many(void **state)
{
        (void)state;
        static struct world w;
        run(&w, many);
}

/* A server that keeps silent about one name does not hold up the others, nor the end beyond the deadline. */
static void one_is_silent(struct world *w)
{
        static struct asking a;
        init(&a, w);
        a.patience_ms = TIMEOUT_MS / 2;
        assert_int_equal(get(&a, "silent"), DNS_KNOWN_WANTED);
        assert_int_equal(get(&a, "ok"), DNS_KNOWN_WANTED);
        int64_t begin_ms = host_now_ms(w->h);
        ask(&a);
        assert_int_equal(a.err, ERR_OK);
        assert_true(host_now_ms(w->h) - begin_ms < TIMEOUT_MS);
        assert_int_equal(get(&a, "silent"), DNS_KNOWN_TROUBLE);
        assert_int_equal(get(&a, "ok"), DNS_KNOWN_FOUND);
}

static void test_one_is_silent(void **state)
{
        (void)state;
        static struct world w;
        run(&w, one_is_silent);
}

/* However many questions of a few remain without an answer, there is room for those of others. */
#define GREEDY 20
static void few_take_all(struct world *w)
{
        static struct asking greedy[GREEDY], modest;
        struct scope scope;
        char name[32];
        scope_open(&scope, w->h->sched, FIBER_NEVER);
        for (int i = 0; i < GREEDY; i++) {
                init(&greedy[i], w);
                for (int k = 0; k < MANY; k++) {
                        (void)snprintf(name, sizeof name, "silent.g%d.n%d", i, k);
                        assert_int_equal(get(&greedy[i], name), DNS_KNOWN_WANTED);
                }
                assert_int_equal(scope_spawn(&scope, "greedy", ask, &greedy[i]), ERR_OK);
        }
        fiber_yield(w->h->sched);
        init(&modest, w);
        modest.patience_ms = 5 * TIMEOUT_MS; /* a query of the others takes all servers and rounds */
        assert_int_equal(get(&modest, "ok"), DNS_KNOWN_WANTED);
        assert_int_equal(get(&modest, "alias"), DNS_KNOWN_WANTED);
        ask(&modest);
        assert_int_equal(get(&modest, "ok"), DNS_KNOWN_FOUND);
        assert_int_equal(get(&modest, "alias"), DNS_KNOWN_FOUND);
        scope_cancel(&scope);
        (void)scope_join(&scope);
}

static void test_few_take_all(void **state)
{
        (void)state;
        static struct world w;
        run(&w, few_take_all);
}

/* Two evaluations that want the same share its query, and one of them may be cancelled. */
static void shared_and_cancelled(struct world *w)
{
        static struct asking gone, stays;
        struct scope scope, cancelled;
        init(&gone, w);
        init(&stays, w);
        assert_int_equal(get(&gone, "spoofed"), DNS_KNOWN_WANTED);
        assert_int_equal(get(&gone, "silent"), DNS_KNOWN_WANTED);
        assert_int_equal(get(&stays, "spoofed"), DNS_KNOWN_WANTED);
        scope_open(&scope, w->h->sched, FIBER_NEVER);
        scope_open(&cancelled, w->h->sched, FIBER_NEVER);
        assert_int_equal(scope_spawn(&cancelled, "gone", ask, &gone), ERR_OK);
        assert_int_equal(scope_spawn(&scope, "stays", ask, &stays), ERR_OK);
        assert_int_equal(fiber_sleep(w->h->sched, 2), ERR_OK);
        scope_cancel(&cancelled);
        (void)scope_join(&cancelled);
        assert_int_equal(scope_join(&scope), ERR_OK);
        assert_int_equal(gone.err, ERR_CANCELLED);
        assert_int_equal(gone.known.wanted, 2);
        assert_int_equal(stays.err, ERR_OK);
        assert_int_equal(get(&stays, "spoofed"), DNS_KNOWN_FOUND);
}

static void test_shared_and_cancelled(void **state)
{
        (void)state;
        static struct world w;
        run(&w, shared_and_cancelled);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_all_kinds),
                cmocka_unit_test(test_many),
                cmocka_unit_test(test_one_is_silent),
                cmocka_unit_test(test_few_take_all),
                cmocka_unit_test(test_shared_and_cancelled),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
