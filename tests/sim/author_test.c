/* SPDX-License-Identifier: ISC */
/* Authors against servers: what a server kept, and what the ledger believes of each try, must fit. */
#include "tests/sim/author_rig.h"

#include "tests/sim/author_inside.h"

/* ---- runs ---- */

struct run {
        struct world w;
        enum author_mood mood;
        const char *lists;
        unsigned posts, kills;
        size_t waiting; /* at the end */
};

static int64_t now_ms(void *ctx)
{
        return sim_now(((struct world *)ctx)->sim);
}

static void trace(void *ctx, const char *node, struct str line)
{
        struct world *w = ctx;
        (void)node;
        if (str_has_prefix(line, S("act ")) && strlen(w->acts) + line.n < sizeof w->acts)
                (void)snprintf(
                        w->acts + strlen(w->acts), sizeof w->acts - strlen(w->acts), " %.*s;", STR_ARG(line));
}

static void play(struct sim *sim, void *arg)
{
        struct run *run = arg;
        struct ip here = ip_v4(10, 0, 0, 1), there = ip_v4(10, 0, 0, 2);
        struct sim_node *lipap = sim_node_add(sim, "lipap", &here, 1, NULL);
        struct sim_node *ann = sim_node_add(sim, "ann", &there, 1, NULL);
        struct author_config config = {.name = "ann",
                .address = S("ann@author.test"),
                .mood = run->mood,
                .server = {here, 25},
                .ledger = run->w.ledger,
                .seed = sim_seed(sim)};
        struct author *a = author_new(&config);
        int status;
        run->w.at = config.server;
        sim_node_start(lipap, server, &run->w);
        sim_node_start(ann, author_run, a);
        for (unsigned i = 0; i < run->posts; i++)
                author_post(a, S(""), str_of_c(run->lists), S(""), 0);
        for (unsigned i = 0; i < run->kills; i++) {
                assert_int_equal(fiber_sleep(sim_sched(sim), 50 + 40 * i), ERR_OK);
                sim_node_kill(ann, i % 2 ? SIM_KILL_POWER : SIM_KILL_PROCESS);
                assert_int_equal(sim_node_join(ann, FIBER_NEVER, &status), ERR_OK);
                sim_node_start(ann, author_run, a);
        }
        for (unsigned i = 0; i < 200 && author_waiting(a) > 0; i++)
                assert_int_equal(fiber_sleep(sim_sched(sim), HOUR_MS), ERR_OK);
        assert_int_equal(fiber_sleep(sim_sched(sim), HOUR_MS), ERR_OK);
        run->waiting = author_waiting(a);
        sim_node_stop(ann);
        sim_node_stop(lipap);
        assert_int_equal(sim_node_join(ann, FIBER_NEVER, &status), ERR_OK);
        assert_int_equal(status, 0);
        assert_int_equal(sim_node_join(lipap, FIBER_NEVER, &status), ERR_OK);
        author_free(a);
}

static void begin(struct run *run, uint64_t seed, enum manners manners, enum author_mood mood, unsigned posts)
{
        const struct ledger_config config = {.seed = seed, .now_ms = now_ms, .trace = trace, .ctx = &run->w};
        *run = (struct run){.mood = mood, .lists = "l@list.test", .posts = posts};
        run->w.manners = manners;
        run->w.sim = sim_new(seed, NULL);
        run->w.ledger = ledger_new(&config);
        uint32_t list = ledger_list(run->w.ledger, S("l@list.test"), LEDGER_LIST);
        ledger_list_rule(run->w.ledger, list, LEDGER_MEMBERS, false);
        ledger_member(run->w.ledger, list, S("ann@author.test"), LEDGER_IN);
        (void)ledger_list(run->w.ledger, S("m@list.test"), LEDGER_LIST);
}

static void go(struct run *run)
{
        sim_run(run->w.sim, play, run);
        if (sim_failure(run->w.sim))
                fail_msg("%s", sim_failure(run->w.sim));
        sim_free(run->w.sim);
}

static bool is_kept(const struct run *run, uint32_t t)
{
        size_t i = 0;
        while (i < run->w.kept_count && run->w.kept[i] != t)
                i++;
        return i < run->w.kept_count;
}

/* What was kept was answered 250, or not at all; what was answered 250 was kept. Who refuses members is blamed. */
static void compare(const struct run *run)
{
        for (uint32_t t = 0; t < ledger_tries(run->w.ledger); t++) {
                const struct ledger_try *is = ledger_try_get(run->w.ledger, t);
                bool may = is->fate == LEDGER_ACCEPTED || is->fate == LEDGER_UNKNOWN;
                if (is_kept(run, t) ? !may : is->fate == LEDGER_ACCEPTED)
                        fail_msg("%s: fate %d, code %u, kept %d; %s", is->name, (int)is->fate, is->code,
                                is_kept(run, t), run->w.acts);
        }
        if (run->w.manners == REFUSING)
                assert_int_equal(ledger_violations(run->w.ledger), run->posts);
        else if (ledger_violations(run->w.ledger) > 0)
                fail_msg("%s: %s", ledger_violation(run->w.ledger, 0)->invariant,
                        ledger_violation(run->w.ledger, 0)->story);
}

static void test_good(void **state)
{
        static const struct {
                enum manners manners;
                enum author_mood mood;
                const char *lists;
                unsigned kills;
                size_t each; /* accepted tries of a post */
        } cases[] = {
                {STRICT, AUTHOR_GOOD, "l@list.test", 0, 1},
                {STRICT, AUTHOR_GOOD, "l@list.test,m@list.test", 0, 2},
                {BUSY, AUTHOR_GOOD, "l@list.test", 0, 1},
                {BUSY, AUTHOR_GOOD, "l@list.test,m@list.test", 0, 2},
                {HASTY, AUTHOR_GOOD, "l@list.test", 0, 1},
                {REFUSING, AUTHOR_GOOD, "l@list.test", 0, 0},
                {CHUNKED, AUTHOR_GOOD, "l@list.test,m@list.test", 0, 1},
                {OLD, AUTHOR_GOOD, "l@list.test", 0, 1},
                {STRICT, AUTHOR_SLOW, "l@list.test", 0, 1},
                {STRICT, AUTHOR_GOOD, "l@list.test", 10, 1},
                {STRICT, AUTHOR_SLOW, "l@list.test", 10, 1},
        };
        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct run run;
                begin(&run, i + 1, cases[i].manners, cases[i].mood, 20);
                run.lists = cases[i].lists;
                run.kills = cases[i].kills;
                go(&run);
                compare(&run);
                assert_int_equal(run.waiting, 0);
                struct ledger_sum sum = ledger_sum(run.w.ledger);
                if (sum.accepted != 20 * cases[i].each)
                        fail_msg("case %zu: %zu of %zu tries accepted", i, sum.accepted, sum.tries);
                assert_true(cases[i].manners != BUSY || sum.tries > 40);
                assert_true(cases[i].manners != HASTY || sum.unknown > 5);
                assert_true(cases[i].kills == 0 || sum.unknown + sum.unsent > 0);
                ledger_free(run.w.ledger);
        }
}

static bool were_played(const char *played, const struct author_act *acts, size_t count)
{
        for (size_t i = 0; i < count; i++) {
                char word[40];
                (void)snprintf(word, sizeof word, "act %s;", acts[i].name);
                if (!strstr(played, word))
                        fail_msg("%s was never played:%s", acts[i].name, played);
        }
        return true;
}

/* A strict server takes nothing that nobody may take, whatever they do; what it takes is what they did rightly. */
static void test_bad(void **state)
{
        static const enum author_mood moods[] = {AUTHOR_BROKEN, AUTHOR_MALICIOUS};
        (void)state;
        for (size_t i = 0; i < 2; i++) {
                struct run run;
                bool is_broken = moods[i] == AUTHOR_BROKEN;
                begin(&run, 7 + i, STRICT, moods[i], 40);
                go(&run);
                compare(&run);
                assert_int_equal(run.waiting, 0);
                assert_true(were_played(run.w.acts, is_broken ? author_broken_acts : author_malicious_acts,
                        is_broken ? author_broken_count : author_malicious_count));
                assert_true(is_broken || were_played(run.w.acts, author_forgery_acts, author_forgery_count));
                struct ledger_sum sum = ledger_sum(run.w.ledger);
                assert_true(sum.accepted > 0 && sum.refused > 0);
                assert_true(!is_broken || (sum.unknown > 0 && sum.unsent > 0));
                ledger_free(run.w.ledger);
        }
}

/* A naive server is found out: it takes what is malformed, relays, and lets a second message be smuggled in. */
static void test_naive_server(void **state)
{
        struct run run;
        size_t admitted = 0, relayed = 0, smuggled = 0;
        (void)state;
        begin(&run, 3, NAIVE, AUTHOR_MALICIOUS, 20);
        go(&run);
        for (size_t i = 0; ledger_violation(run.w.ledger, i); i++) {
                admitted += strcmp(ledger_violation(run.w.ledger, i)->invariant, "admitted") == 0;
                relayed += strcmp(ledger_violation(run.w.ledger, i)->invariant, "relayed") == 0;
        }
        for (uint32_t t = 0; t < ledger_tries(run.w.ledger); t++)
                smuggled += ledger_try_get(run.w.ledger, t)->smuggles != LEDGER_NONE &&
                            is_kept(&run, ledger_try_get(run.w.ledger, t)->smuggles);
        assert_true(admitted > 0);
        assert_true(relayed > 0);
        assert_true(smuggled > 0);
        ledger_free(run.w.ledger);
}

static void test_words(void **state)
{
        (void)state;
        for (unsigned i = 0; i < AUTHOR_MOODS; i++)
                assert_int_equal(author_mood_of(str_of_c(author_mood_text((enum author_mood)i))), i);
        assert_int_equal(author_mood_of(S("gloomy")), AUTHOR_MOODS);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_good),
                cmocka_unit_test(test_bad),
                cmocka_unit_test(test_naive_server),
                cmocka_unit_test(test_words),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
