/* SPDX-License-Identifier: ISC */
/* What lookups share: answers that are kept, and one query for all who ask at once. */
#include "serve/resolver_world.h"

static void cached(struct world *w)
{
        struct resolver_stats stats;
        assert_int_equal(look_up(w, "ok"), ERR_OK);
        assert_int_equal(w->answer.ttl_s, 60);
        assert_int_equal(fiber_sleep(w->h->sched, 2), ERR_OK);
        assert_int_equal(look_up(w, "OK."), ERR_OK);
        assert_true(is_right(&w->answer));
        assert_in_range(w->answer.ttl_s, 50, 59); /* what remains, in whole seconds */
        assert_int_equal(asked(w), 1);
        assert_int_equal(look_up_type(w, "ok", DNS_TYPE_TXT), ERR_OK); /* another type is another question */
        assert_int_equal(w->answer.status, DNS_NO_DATA);
        assert_int_equal(asked(w), 2);
        resolver_flush(w->r);
        assert_int_equal(look_up(w, "ok"), ERR_OK);
        assert_int_equal(asked(w), 3);
        resolver_stats(w->r, &stats);
        assert_true(stats.lookups == 4 && stats.hits == 1 && stats.queries == 3 && stats.entries == 1);
}

static void test_cached(void **state)
{
        (void)state;
        static struct world w;
        run(&w, cached);
}

static void bounded(struct world *w)
{
        struct resolver_stats stats;
        for (int i = 0; i < 40; i++) {
                char text[8] = {'x', (char)('a' + i / 26), (char)('a' + i % 26)};
                assert_int_equal(look_up(w, text), ERR_OK);
        }
        resolver_stats(w->r, &stats);
        assert_true(stats.entries == 10 && stats.evicted == 30);
}

static void test_cache_bound(void **state)
{
        (void)state;
        static struct world w = {.config.cache_entries = 10};
        run(&w, bounded);
}

/* Many fibers, one question. */
#define ASKERS 50
struct asker {
        struct world *w;
        const char *name;
        int64_t patience_ms;
        enum err err;
        bool right;
};

static void ask(void *arg)
{
        struct asker *a = arg;
        char memory[2048];
        struct arena arena;
        struct dns_answer answer;
        struct dns_name name = name_of(a->name);
        arena_init(&arena, memory, sizeof memory);
        a->err = resolver_lookup(
                a->w->r, &name, DNS_TYPE_A, host_now_ms(a->w->h) + a->patience_ms, &arena, &answer);
        a->right = a->err == ERR_OK && is_right(&answer);
}

static void shared(struct world *w)
{
        struct asker askers[ASKERS];
        struct resolver_stats stats;
        struct scope scope;
        scope_open(&scope, w->h->sched, FIBER_NEVER);
        for (size_t i = 0; i < ASKERS; i++) {
                askers[i] = (struct asker){.w = w, .name = i % 2 ? "ok" : "OK", .patience_ms = 5000};
                assert_int_equal(scope_spawn(&scope, "asker", ask, &askers[i]), ERR_OK);
        }
        assert_int_equal(scope_join(&scope), ERR_OK);
        for (size_t i = 0; i < ASKERS; i++)
                assert_true(askers[i].right);
        assert_int_equal(asked(w), 1);
        resolver_stats(w->r, &stats);
        assert_true(stats.shared == ASKERS - 1 && stats.queries == 1);
}

static void test_shared(void **state)
{
        (void)state;
        static struct world w;
        run(&w, shared);
}

/* Who asked first gives up; who waits with it still gets the answer, and the answer is kept. */
static void first_gives_up(struct world *w)
{
        struct asker hasty = {.w = w, .name = "spoofed", .patience_ms = 3};
        struct asker patient = {.w = w, .name = "spoofed", .patience_ms = 5000};
        struct scope scope, cancelled;
        struct asker gone = patient;
        scope_open(&scope, w->h->sched, FIBER_NEVER);
        scope_open(&cancelled, w->h->sched, FIBER_NEVER);
        assert_int_equal(scope_spawn(&scope, "hasty", ask, &hasty), ERR_OK);
        assert_int_equal(scope_spawn(&cancelled, "gone", ask, &gone), ERR_OK);
        assert_int_equal(scope_spawn(&scope, "patient", ask, &patient), ERR_OK);
        assert_int_equal(fiber_sleep(w->h->sched, 2), ERR_OK);
        scope_cancel(&cancelled);
        (void)scope_join(&cancelled);
        assert_int_equal(scope_join(&scope), ERR_OK);
        assert_int_equal(hasty.err, ERR_TIMEOUT);
        assert_int_equal(gone.err, ERR_CANCELLED);
        assert_true(patient.right);
        assert_int_equal(asked(w), 1);
}

static void test_first_gives_up(void **state)
{
        (void)state;
        static struct world w;
        run(&w, first_gives_up);
}

/* All who wait have given up: the try under way comes to its end, and there is no other. */
static void all_give_up(struct world *w)
{
        struct asker hasty = {.w = w, .name = "silent", .patience_ms = TIMEOUT_MS / 2};
        struct scope scope;
        scope_open(&scope, w->h->sched, FIBER_NEVER);
        assert_int_equal(scope_spawn(&scope, "hasty", ask, &hasty), ERR_OK);
        assert_int_equal(scope_join(&scope), ERR_OK);
        assert_int_equal(hasty.err, ERR_TIMEOUT);
        assert_int_equal(fiber_sleep(w->h->sched, 2 * TIMEOUT_MS), ERR_OK);
        assert_int_equal(asked(w), 1);
        assert_int_equal(look_up(w, "ok"), ERR_OK);
}

static void test_all_give_up(void **state)
{
        (void)state;
        static struct world w;
        run(&w, all_give_up);
}

/* A resolver is freed while queries are on their way. */
static void freed_in_flight(struct world *w)
{
        struct asker hasty = {.w = w, .name = "silent", .patience_ms = 3};
        struct scope scope;
        scope_open(&scope, w->h->sched, FIBER_NEVER);
        assert_int_equal(scope_spawn(&scope, "hasty", ask, &hasty), ERR_OK);
        assert_int_equal(scope_join(&scope), ERR_OK);
        assert_int_equal(hasty.err, ERR_TIMEOUT);
}

static void test_freed_in_flight(void **state)
{
        (void)state;
        static struct world w;
        run(&w, freed_in_flight);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_cached),
                cmocka_unit_test(test_cache_bound),
                cmocka_unit_test(test_shared),
                cmocka_unit_test(test_first_gives_up),
                cmocka_unit_test(test_all_give_up),
                cmocka_unit_test(test_freed_in_flight),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
