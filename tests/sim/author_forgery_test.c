/* SPDX-License-Identifier: ISC */
/* Each forgery finds out a server that believes everything, and none blames one for what is true. */
#include "tests/sim/author_rig.h"

#include "tests/sim/author_inside.h"

struct run {
        struct world w;
        struct people *people;
        const char *act, *address; /* of the forger */
};

static int64_t now_ms(void *ctx)
{
        return sim_now(((struct world *)ctx)->sim);
}

static struct author *make(struct run *run, struct sim_node *node, struct ip ip, const char *address)
{
        struct str name = str_take(str_of_c(address), 3);
        struct person_new new = {.name = name, .address = str_of_c(address), .ip = ip, .proof = S("both")};
        struct author_config config = {.name = sim_node_name(node),
                .address = str_of_c(address),
                .mood = AUTHOR_GOOD,
                .server = run->w.at,
                .ledger = run->w.ledger,
                .who = people_add(run->people, &new),
                .people = run->people,
                .authserv = "list.test",
                .seed = 3};
        return author_new(&config);
}

/* Somebody good writes first, so that there is a signature to steal. */
static void play(struct sim *sim, void *arg)
{
        struct run *run = arg;
        struct ip here = ip_v4(10, 0, 0, 1), there[2] = {ip_v4(10, 0, 0, 2), ip_v4(10, 0, 0, 3)};
        struct sim_node *lipap = sim_node_add(sim, "lipap", &here, 1, NULL);
        struct sim_node *nodes[2] = {
                sim_node_add(sim, "ann", &there[0], 1, NULL), sim_node_add(sim, "eve", &there[1], 1, NULL)};
        run->w.at = (struct ip_port){here, 25};
        struct author *ann = make(run, nodes[0], there[0], "ann@author.test"),
                      *eve = make(run, nodes[1], there[1], run->address);
        int status;
        sim_node_start(lipap, server, &run->w);
        sim_node_start(nodes[0], author_run, ann);
        sim_node_start(nodes[1], author_run, eve);
        author_post(ann, S("first"), S("l@list.test"), S(""), 500);
        assert_int_equal(fiber_sleep(sim_sched(sim), HOUR_MS), ERR_OK);
        assert_int_equal(author_waiting(ann), 0);
        assert_int_equal(ledger_violations(run->w.ledger), 0);
        assert_true(author_act(eve, S("forgery"), S("l@list.test"), str_of_c(run->act), S("")));
        assert_int_equal(fiber_sleep(sim_sched(sim), HOUR_MS), ERR_OK);
        assert_int_equal(author_waiting(eve), 0);
        sim_node_stop(nodes[0]);
        sim_node_stop(nodes[1]);
        sim_node_stop(lipap);
        assert_int_equal(sim_node_join(nodes[0], FIBER_NEVER, &status), ERR_OK);
        assert_int_equal(sim_node_join(nodes[1], FIBER_NEVER, &status), ERR_OK);
        assert_int_equal(sim_node_join(lipap, FIBER_NEVER, &status), ERR_OK);
        author_free(ann);
        author_free(eve);
}

/* Words of the violations in their order, each with a space behind it. */
static void run_one(const char *act, const char *address, char *words, size_t cap)
{
        struct run run = {.act = act, .address = address};
        const struct ledger_config config = {.seed = 3, .now_ms = now_ms, .ctx = &run.w};
        run.w.manners = NAIVE;
        run.w.sim = sim_new(3, NULL);
        run.w.ledger = ledger_new(&config);
        run.people = people_new(3);
        uint32_t list = ledger_list(run.w.ledger, S("l@list.test"), LEDGER_LIST);
        ledger_list_rule(run.w.ledger, list, LEDGER_MEMBERS, false);
        ledger_member(run.w.ledger, list, S("ann@author.test"), LEDGER_IN);
        ledger_member(run.w.ledger, list, str_of_c(address), LEDGER_IN);
        ledger_moderator(run.w.ledger, list, S("ann@author.test"));
        sim_run(run.w.sim, play, &run);
        if (sim_failure(run.w.sim))
                fail_msg("%s: %s", act, sim_failure(run.w.sim));
        words[0] = '\0';
        for (size_t i = 0; i < ledger_violations(run.w.ledger); i++)
                (void)snprintf(words + strlen(words), cap - strlen(words), "%s ",
                        ledger_violation(run.w.ledger, i)->invariant);
        sim_free(run.w.sim);
        ledger_free(run.w.ledger);
        people_free(run.people);
}

static void test_acts(void **state)
{
        static const struct {
                const char *act, *comes_to, *of_a_neighbour;
        } cases[] = {
                {"forged-from", "forged ", ""},
                {"forged-moderator", "forged forged ", ""},
                {"borrowed-sender", "forged admitted ", "forged admitted "},
                {"spf-elsewhere", "forged ", ""},
                {"dkim-elsewhere", "forged ", ""},
                {"stolen-signature", "forged ", ""},
                {"replayed-letter", "admitted ", "admitted "},
                {"two-from", "admitted admitted ", "admitted "},
                {"two-authors", "admitted admitted ", "admitted "},
                {"forged-results", "forged ", ""},
                {"forged-own", "", ""},
        };
        (void)state;
        assert_int_equal(sizeof cases / sizeof cases[0], author_forgery_count);
        for (size_t i = 0; i < author_forgery_count; i++) {
                char words[200];
                run_one(cases[i].act, "eve@evil.test", words, sizeof words);
                if (strcmp(words, cases[i].comes_to) != 0)
                        fail_msg("%s: comes to \"%s\"", cases[i].act, words);
                run_one(cases[i].act, "eve@author.test", words, sizeof words);
                if (strcmp(words, cases[i].of_a_neighbour) != 0)
                        fail_msg("%s of a neighbour: comes to \"%s\"", cases[i].act, words);
        }
}

static void test_names(void **state)
{
        struct author_config config = {.name = "ann", .address = S("ann@author.test")};
        struct author *a = author_new(&config);
        (void)state;
        assert_false(author_act(a, S("p"), S("l@list.test"), S("nothing"), S("")));
        assert_int_equal(author_waiting(a), 0);
        assert_true(author_act(a, S("p"), S("l@list.test"), S("forged-own"), S("bob@b.test")));
        assert_int_equal(author_waiting(a), 1);
        author_free(a);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_acts),
                cmocka_unit_test(test_names),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
