/* SPDX-License-Identifier: ISC */
#include "auth/spf_world.h"

/* What a record may cost, and what it may not. */

static const char ten_includes[] =
        "x.example\tTXT\tv=spf1 include:a.example include:b.example include:c.example include:d.example "
        "include:e.example include:f.example include:g.example include:h.example include:i.example "
        "include:j.example -all\n"
        "a.example\tTXT\tv=spf1 -all\n"
        "b.example\tTXT\tv=spf1 -all\n"
        "c.example\tTXT\tv=spf1 -all\n"
        "d.example\tTXT\tv=spf1 -all\n"
        "e.example\tTXT\tv=spf1 -all\n"
        "f.example\tTXT\tv=spf1 -all\n"
        "g.example\tTXT\tv=spf1 -all\n"
        "h.example\tTXT\tv=spf1 -all\n"
        "i.example\tTXT\tv=spf1 -all\n"
        "j.example\tTXT\tv=spf1 ip4:192.0.2.7";

static void test_ten_includes_cost_two_round_trips(void **state)
{
        (void)state;
        struct spf_input in = client("a@x.example");
        load(&world.dns, ten_includes);
        expect("ten", &in, SPF_PASS, SPF_OK, "include:j.example");
        assert_int_equal(world.rounds, 2);
        assert_int_equal(world.known.count, 11);
}

static void test_includes_of_one_level_cost_one_round_trip(void **state)
{
        (void)state;
        struct spf_input in = client("a@x.example");
        load(&world.dns, "x.example\tTXT\tv=spf1 include:a.example mx include:b.example ~all\n"
                         "a.example\tTXT\tv=spf1 include:c.example a:d.example\nb.example\tTXT\tv=spf1 "
                         "include:e.example\n"
                         "c.example\tTXT\tv=spf1\nd.example\tA\t192.0.2.1\ne.example\tTXT\tv=spf1\n"
                         "x.example\tMX\tf.example\nf.example\tA\t192.0.2.1");
        expect("levels", &in, SPF_SOFTFAIL, SPF_OK, "~all");
        assert_int_equal(world.rounds, 3);
}

static void test_the_limit_of_lookups(void **state)
{
        (void)state;
        struct spf_input in = client("a@x.example");
        load(&world.dns, "x.example\tTXT\tv=spf1 a a a a a include:y.example +all\nx.example\tA\t192.0.2.1\n"
                         "y.example\tTXT\tv=spf1 a:x.example a:x.example a:x.example a:x.example");
        expect("ten", &in, SPF_PASS, SPF_OK, "+all");
        load(&world.dns,
                "x.example\tTXT\tv=spf1 a a a a a include:y.example a +all\nx.example\tA\t192.0.2.1\n"
                "y.example\tTXT\tv=spf1 a:x.example a:x.example a:x.example a:x.example");
        expect("eleven", &in, SPF_PERMERROR, SPF_LOOKUPS, "a");
        load(&world.dns, "x.example\tTXT\tv=spf1 a a a a a include:y.example ip4:192.0.2.7 a "
                         "+all\nx.example\tA\t192.0.2.1\n"
                         "y.example\tTXT\tv=spf1 a:x.example a:x.example a:x.example a:x.example");
        expect("a match before", &in, SPF_PASS, SPF_OK, "ip4:192.0.2.7");
}

/* A record whose line has a number in it. */
static void add(const char *head, const char *what, size_t i, const char *tail)
{
        char line[FAKE_DNS_TEXT];
        struct wr w;
        wr_init(&w, line, sizeof line);
        wr_str(&w, str_of_c(head));
        wr_str(&w, str_of_c(what));
        wr_u64(&w, i);
        wr_str(&w, str_of_c(tail));
        assert_false(w.full);
        fake_dns_add(&world.dns, wr_text(&w));
}

/* "NUMBER.example MX hHOST.example" */
static void add_exchanger(size_t number, size_t host)
{
        char owner[32];
        struct wr w;
        wr_init(&w, owner, sizeof owner);
        wr_u64(&w, number);
        wr_str(&w, S(".example\tMX\t"));
        wr_byte(&w, '\0');
        add(owner, "h", host, ".example");
}

static void test_the_hosts_of_one_mx(void **state)
{
        (void)state;
        struct spf_input in = client("a@x.example");
        load(&world.dns, "x.example\tTXT\tv=spf1 mx -all\nm9.example\tA\t192.0.2.7");
        for (size_t i = 0; i < 10; i++)
                add("x.example\tMX\t", "m", i, ".example");
        expect("ten", &in, SPF_PASS, SPF_OK, "mx");
        assert_int_equal(world.rounds, 3);
        add("x.example\tMX\t", "m", 10, ".example");
        expect("eleven", &in, SPF_PERMERROR, SPF_HOSTS, "mx");
}

static void test_the_names_of_one_client(void **state)
{
        (void)state;
        struct spf_input in = client("a@x.example");
        load(&world.dns, "x.example\tTXT\tv=spf1 ptr -all\nm9.x.example\tA\t192.0.2.7");
        for (size_t i = 0; i < 10; i++)
                add(REVERSE "\tPTR\t", "m", i, ".x.example");
        expect("the tenth", &in, SPF_PASS, SPF_OK, "ptr");
        load(&world.dns, "x.example\tTXT\tv=spf1 ptr -all\nm10.x.example\tA\t192.0.2.7");
        for (size_t i = 0; i < 11; i++)
                add(REVERSE "\tPTR\t", "m", i, ".x.example");
        expect("the eleventh is not looked at", &in, SPF_FAIL, SPF_OK, "-all");
        assert_int_equal(world.known.count, 12);
}

/* Each record includes ten others: foresight must not follow them all. */
static void test_a_tree_of_includes(void **state)
{
        (void)state;
        struct spf_input in = client("a@x.example");
        world.dns.count = 0;
        add("x.example\tTXT\tv=spf1 include:", "0.n", 0, ".example +all");
        for (size_t i = 0; i < 200; i++) {
                char line[FAKE_DNS_TEXT];
                struct wr w;
                wr_init(&w, line, sizeof line);
                wr_str(&w, S("0.n"));
                wr_u64(&w, i);
                wr_str(&w, S(".example\tTXT\tv=spf1"));
                for (size_t k = 1; k <= 10; k++) {
                        wr_str(&w, S(" include:0.n"));
                        wr_u64(&w, (10 * i + k) % 200);
                        wr_str(&w, S(".example"));
                }
                fake_dns_add(&world.dns, wr_text(&w));
        }
        evaluate(&world, &in, SPF_QUESTIONS_MAX, false);
        assert_int_equal(world.verdict.result, SPF_PERMERROR);
        assert_int_equal(world.verdict.fault, SPF_LOOKUPS);
        assert_true(world.known.count <= SPF_QUESTIONS_MAX / 2 && world.rounds <= SPF_LOOKUPS_MAX + 1);
}

/* The most that the limits of the RFC allow fits into SPF_QUESTIONS_MAX, foresight and all. */
static void test_the_most_questions(void **state)
{
        (void)state;
        struct spf_input in = client("a@x.example");
        load(&world.dns,
                "x.example\tTXT\tv=spf1 mx:0.example mx:1.example mx:2.example mx:3.example mx:4.example "
                "mx:5.example mx:6.example mx:7.example mx:8.example ptr -all exp=%{p}.e.example\n"
                "unknown.e.example\tTXT\tno");
        for (size_t i = 0; i < 10; i++) {
                add(REVERSE "\tPTR\t", "m", i, ".x.example");
                add("", "m", i, ".x.example\tA\t192.0.2.1");
        }
        for (size_t i = 0; i < 90; i++) {
                add_exchanger(i / 10, i);
                add("", "h", i, ".example\tA\t192.0.2.1");
        }
        expect("all", &in, SPF_FAIL, SPF_OK, "-all");
        assert_true(str_eq(world.verdict.explanation, S("no")));
        assert_true(world.known.count > 100);
}

static void test_too_many_questions_for_the_caller(void **state)
{
        (void)state;
        struct spf_input in = client("a@x.example");
        load(&world.dns, ten_includes);
        evaluate(&world, &in, 8, false);
        assert_int_equal(world.verdict.result, SPF_PERMERROR);
        assert_int_equal(world.verdict.fault, SPF_QUESTIONS);
        assert_int_equal(world.known.count, 8);
}

/* Whatever room the answers have: the right verdict, or one that says that it could not be had. */
static void test_little_memory(void **state)
{
        (void)state;
        struct spf_input in = client("a@x.example");
        size_t passes = 0;
        load(&world.dns, ten_includes);
        for (size_t cap = 0; cap < 16384; cap += 64) {
                arena_init(&world.arena, world.memory, cap);
                dns_known_init(&world.known, &world.arena, SPF_QUESTIONS_MAX);
                while (spf_check(&in, &world.known, &world.verdict) == ERR_AGAIN)
                        assert_true(fake_dns_round(&world.dns, &world.known, false) > 0);
                if (world.verdict.result == SPF_PASS)
                        passes++;
                else if (world.verdict.result == SPF_TEMPERROR)
                        assert_int_equal(world.verdict.fault, SPF_TROUBLE);
                else
                        assert_int_equal(world.verdict.fault, SPF_QUESTIONS);
        }
        assert_true(passes > 0);
}

/* Ten includes of one record of 60 KB, and macros without end. */
static void test_large_records(void **state)
{
        (void)state;
        static char large[60000];
        struct wr w;
        struct spf_input in = client("a@x.example");
        load(&world.dns, ten_includes);
        for (size_t i = 0; i < world.dns.count; i++) {
                wr_init(&w, large, sizeof large);
                wr_str(&w, S("v=spf1"));
                while (!w.full)
                        wr_str(&w, S(" ip4:192.0.2.8"));
                if (i > 0)
                        world.dns.records[i].value.text = wr_text(&w);
        }
        expect("large includes", &in, SPF_FAIL, SPF_OK, "-all");
        load(&world.dns, "");
        wr_init(&w, large, sizeof large);
        wr_str(&w, S("v=spf1 a:"));
        while (!w.full)
                wr_str(&w, S("%{s}%{L}%{ir}"));
        fake_dns_text(&world.dns, S("x.example"), wr_text(&w));
        evaluate(&world, &in, SPF_QUESTIONS_MAX, false);
        assert_int_equal(world.verdict.result, SPF_NEUTRAL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_ten_includes_cost_two_round_trips),
                cmocka_unit_test(test_includes_of_one_level_cost_one_round_trip),
                cmocka_unit_test(test_the_limit_of_lookups),
                cmocka_unit_test(test_the_hosts_of_one_mx),
                cmocka_unit_test(test_the_names_of_one_client),
                cmocka_unit_test(test_a_tree_of_includes),
                cmocka_unit_test(test_the_most_questions),
                cmocka_unit_test(test_too_many_questions_for_the_caller),
                cmocka_unit_test(test_little_memory),
                cmocka_unit_test(test_large_records),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
