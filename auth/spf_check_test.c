/* SPDX-License-Identifier: ISC */
#include "auth/spf_world.h"
#include "base/exact.h"

static const struct {
        const char *name, *records;
        enum spf_result result;
        enum spf_fault fault;
        const char *term;
} cases[] = {
        {"no such domain", "", SPF_NONE, SPF_NO_NAME, ""},
        {"no TXT record", "x.example\tA\t192.0.2.7", SPF_NONE, SPF_NO_RECORD, ""},
        {"another TXT record", "x.example\tTXT\tv=spf10 -all", SPF_NONE, SPF_NO_RECORD, ""},
        {"a dead name server", "x.example\tTROUBLE\tTXT", SPF_TEMPERROR, SPF_TROUBLE, ""},
        {"two records", "x.example\tTXT\tv=spf1\nx.example\tTXT\tv=spf1", SPF_PERMERROR, SPF_RECORDS, ""},
        {"an empty record", "x.example\tTXT\tv=spf1", SPF_NEUTRAL, SPF_OK, ""},
        {"no term matches", "x.example\tTXT\tv=spf1 ip4:192.0.2.8", SPF_NEUTRAL, SPF_OK, ""},
        {"an address", "x.example\tTXT\tv=spf1 ip4:192.0.2.7 -all", SPF_PASS, SPF_OK, "ip4:192.0.2.7"},
        {"a network", "x.example\tTXT\tv=spf1 ip4:192.0.2.6/31 -all", SPF_PASS, SPF_OK, "ip4:192.0.2.6/31"},
        {"the network beside it", "x.example\tTXT\tv=spf1 ip4:192.0.2.5/31 -all", SPF_FAIL, SPF_OK, "-all"},
        {"an error behind the match", "x.example\tTXT\tv=spf1 +all moo", SPF_PERMERROR, SPF_MECHANISM, "moo"},
        {"trouble behind the match",
                "x.example\tTXT\tv=spf1 a include:y.example "
                "-all\nx.example\tA\t192.0.2.7\ny.example\tTROUBLE\tTXT",
                SPF_PASS, SPF_OK, "a"},
        {"trouble before it",
                "x.example\tTXT\tv=spf1 include:y.example a "
                "-all\nx.example\tA\t192.0.2.7\ny.example\tTROUBLE\tTXT",
                SPF_TEMPERROR, SPF_TROUBLE, ""},
        {"an include that passes",
                "x.example\tTXT\tv=spf1 ~include:y.example -all\ny.example\tTXT\tv=spf1 ?ip4:192.0.2.0/29 "
                "+all",
                SPF_FAIL, SPF_OK, "-all"},
        {"the qualifier of the include",
                "x.example\tTXT\tv=spf1 ~include:y.example -all\ny.example\tTXT\tv=spf1 ip4:192.0.2.0/29",
                SPF_SOFTFAIL, SPF_OK, "~include:y.example"},
        {"an include that fails does not end it", /* lessons: it ended the evaluation */
                "x.example\tTXT\tv=spf1 include:y.example +all\ny.example\tTXT\tv=spf1 -all", SPF_PASS,
                SPF_OK, "+all"},
        {"an include without a record", "x.example\tTXT\tv=spf1 include:y.example +all", SPF_PERMERROR,
                SPF_TARGET, "include:y.example"},
        {"an include of no name", "x.example\tTXT\tv=spf1 include:a..y.example +all", SPF_PERMERROR,
                SPF_TARGET, "include:a..y.example"},
        {"an include of a top-level domain",
                "x.example\tTXT\tv=spf1 include:.com +all\ncom\tTXT\tv=spf1 +all", SPF_PERMERROR, SPF_TARGET,
                "include:.com"},
        {"an include of a top-level domain by a macro",
                "x.example\tTXT\tv=spf1 include:%{d1} +all\nexample\tTXT\tv=spf1 +all", SPF_PERMERROR,
                SPF_TARGET, "include:%{d1}"},
        {"an error in an include", "x.example\tTXT\tv=spf1 include:y.example +all\ny.example\tTXT\tv=spf1 a:",
                SPF_PERMERROR, SPF_SYNTAX, "a:"},
        {"redirect behind the mechanisms", "x.example\tTXT\tv=spf1 redirect=y.example -all", SPF_FAIL, SPF_OK,
                "-all"},
        {"redirect", "x.example\tTXT\tv=spf1 redirect=y.example a\ny.example\tTXT\tv=spf1 ~all", SPF_SOFTFAIL,
                SPF_OK, "~all"},
        {"redirect to nothing", "x.example\tTXT\tv=spf1 redirect=y.example", SPF_PERMERROR, SPF_TARGET,
                "redirect=y.example"},
        {"redirect to itself", "x.example\tTXT\tv=spf1 redirect=x.example", SPF_PERMERROR, SPF_LOOKUPS,
                "redirect=x.example"},
        {"include of itself", "x.example\tTXT\tv=spf1 include:x.example", SPF_PERMERROR, SPF_LOOKUPS,
                "include:x.example"},
        {"mx",
                "x.example\tTXT\tv=spf1 mx "
                "-all\nx.example\tMX\ta.example\nx.example\tMX\tb.example\nb.example\tA\t192.0.2.7",
                SPF_PASS, SPF_OK, "mx"},
        {"mx with a null MX", "x.example\tTXT\tv=spf1 mx -all\nx.example\tMX\t.", SPF_FAIL, SPF_OK, "-all"},
        {"ptr",
                "x.example\tTXT\tv=spf1 ptr -all\n" REVERSE
                "\tPTR\tmail.x.example\nmail.x.example\tA\t192.0.2.7",
                SPF_PASS, SPF_OK, "ptr"},
        {"ptr of another domain",
                "x.example\tTXT\tv=spf1 ptr -all\n" REVERSE "\tPTR\tm.y.example\nm.y.example\tA\t192.0.2.7",
                SPF_FAIL, SPF_OK, "-all"},
        {"ptr that is not true",
                "x.example\tTXT\tv=spf1 ptr -all\n" REVERSE "\tPTR\tm.x.example\nm.x.example\tA\t192.0.2.8",
                SPF_FAIL, SPF_OK, "-all"},
        {"ptr and trouble", "x.example\tTXT\tv=spf1 ptr -all\n" REVERSE "\tTROUBLE\tPTR", SPF_FAIL, SPF_OK,
                "-all"},
        {"ptr and trouble with one name",
                "x.example\tTXT\tv=spf1 ptr -all\n" REVERSE "\tPTR\tm.x.example\n" REVERSE
                "\tPTR\tn.x.example\nm.x.example\tTROUBLE\tA\nn.x.example\tA\t192.0.2.7",
                SPF_PASS, SPF_OK, "ptr"},
        {"exists",
                "x.example\tTXT\tv=spf1 exists:%{ir}.%{v}.x.example "
                "-all\n7.2.0.192.in-addr.x.example\tA\t127.0.0.2",
                SPF_PASS, SPF_OK, "exists:%{ir}.%{v}.x.example"},
        {"exists and %{p}",
                "x.example\tTXT\tv=spf1 exists:%{p}.x.example -all\n" REVERSE
                "\tPTR\tm.y.example\nm.y.example\tA\t192.0.2.7\nm.y.example.x.example\tA\t127.0.0.2",
                SPF_PASS, SPF_OK, "exists:%{p}.x.example"},
        {"%{p} of trouble is unknown",
                "x.example\tTXT\tv=spf1 exists:%{p}.x.example -all\n" REVERSE
                "\tTROUBLE\tPTR\nunknown.x.example\tA\t127.0.0.2",
                SPF_PASS, SPF_OK, "exists:%{p}.x.example"},
        {"an alias",
                "x.example\tTXT\tv=spf1 a:b.example "
                "-all\nb.example\tCNAME\tc.example\nc.example\tA\t192.0.2.7",
                SPF_PASS, SPF_OK, "a:b.example"},
        {"two void lookups", "x.example\tTXT\tv=spf1 a mx a:y.example +all\nx.example\tA\t192.0.2.1",
                SPF_PASS, SPF_OK, "+all"},
        {"three void lookups", "x.example\tTXT\tv=spf1 a exists:a.example a:y.example +all", SPF_PERMERROR,
                SPF_VOIDS, "a:y.example"},
        {"void lookups of the includes count",
                "x.example\tTXT\tv=spf1 include:y.example a +all\ny.example\tTXT\tv=spf1 a mx", SPF_PERMERROR,
                SPF_VOIDS, "a"},
        {"the exchangers of one mx count once",
                "x.example\tTXT\tv=spf1 mx a +all\nx.example\tMX\ta.example\nx.example\tMX\tb.example",
                SPF_PASS, SPF_OK, "+all"},
};

static void test_cases(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct spf_input in = client("a@x.example");
                load(&world.dns, cases[i].records);
                expect(cases[i].name, &in, cases[i].result, cases[i].fault, cases[i].term);
                assert_true(str_eq(world.verdict.domain, S("x.example")));
                assert_true(world.verdict.name.n > 0 && !world.verdict.is_helo);
        }
}

static void test_identities(void **state)
{
        (void)state;
        static const struct {
                const char *sender, *helo;
                enum spf_result result;
        } identities[] = {
                {"a@x.example", "", SPF_PASS},
                {"a@X.Example.", "", SPF_PASS},
                {"@x.example", "", SPF_PASS},
                {"\"a@b\"@x.example", "", SPF_PASS},
                {"", "x.example", SPF_PASS},
                {"", "example", SPF_NONE},
                {"", "", SPF_NONE},
                {"", "[192.0.2.7]", SPF_NONE},
                {"", "192.0.2.7", SPF_NONE},
                {"a@", "x.example", SPF_NONE},
                {"a", "x.example", SPF_NONE},
                {"a@x..example", "", SPF_NONE},
                {"a@.x.example", "", SPF_NONE},
                {"a@[IPv6:::1]", "", SPF_NONE},
                {"a@x.example\xff", "", SPF_NONE},
                {"a@b\xc3\xbc"
                 "cher.example",
                        "", SPF_FAIL}, /* RFC 8616: by its A-label */
                {"\xc3\xbc@x.example", "", SPF_PASS},
        };
        load(&world.dns,
                "x.example\tTXT\tv=spf1 ip4:192.0.2.7 -all\nxn--bcher-kva.example\tTXT\tv=spf1 -all");
        for (size_t i = 0; i < sizeof identities / sizeof identities[0]; i++) {
                struct spf_input in = client(identities[i].sender);
                in.sender = exact(in.sender);
                in.helo = exact(str_of_c(identities[i].helo));
                evaluate(&world, &in, SPF_QUESTIONS_MAX, false);
                if (world.verdict.result != identities[i].result ||
                        world.verdict.is_helo != (in.sender.n == 0))
                        fail_msg("%s, %s", identities[i].sender, identities[i].helo);
                if (world.verdict.result == SPF_NONE)
                        assert_int_equal(world.verdict.fault, SPF_NO_DOMAIN);
                exact_free(in.sender);
                exact_free(in.helo);
        }
}

/* RFC 8616 4: such a local part is in no DNS label. */
static void test_a_local_part_in_utf8_matches_no_macro(void **state)
{
        (void)state;
        struct spf_input in = client("\xc3\xbc@x.example");
        load(&world.dns, "x.example\tTXT\tv=spf1 include:%{l}.y.example exists:%{S}.y.example ?all");
        expect("8 bits", &in, SPF_NEUTRAL, SPF_OK, "?all");
        assert_int_equal(world.known.count, 1);
        load(&world.dns, "x.example\tTXT\tv=spf1 redirect=%{l}.y.example");
        expect("8 bits", &in, SPF_NEUTRAL, SPF_OK, "");
}

static void test_families(void **state)
{
        (void)state;
        struct spf_input in = client("a@x.example");
        load(&world.dns, "x.example\tTXT\tv=spf1 ip6:2001:db8::/33 ip4:192.0.2.7 a "
                         "-all\nx.example\tAAAA\t2001:db8:8000::1");
        assert_int_equal(ip_parse(S("::ffff:" CLIENT), &in.ip), ERR_OK);
        expect("mapped", &in, SPF_PASS, SPF_OK, "ip4:192.0.2.7");
        assert_int_equal(ip_parse(S("2001:db8:7fff::1"), &in.ip), ERR_OK);
        expect("network", &in, SPF_PASS, SPF_OK, "ip6:2001:db8::/33");
        assert_int_equal(ip_parse(S("2001:db8:8000::1"), &in.ip), ERR_OK);
        expect("AAAA", &in, SPF_PASS, SPF_OK, "a");
        assert_int_equal(ip_parse(S("2001:db8:8000::2"), &in.ip), ERR_OK);
        expect("no match", &in, SPF_FAIL, SPF_OK, "-all");
}

static void test_explanations(void **state)
{
        (void)state;
        static const struct {
                const char *name, *records, *helo, *out;
        } explanations[] = {
                {"macros", "e.example\tTXT\t%{i} is not one of %{d}'s, %{h}: %{t}", "h",
                        "192.0.2.7 is not one of x.example's, h: 1700000000"},
                {"none there", "e.example\tA\t192.0.2.1", "h", ""},
                {"several", "e.example\tTXT\ta\ne.example\tTXT\tb", "h", ""},
                {"trouble", "e.example\tTROUBLE\tTXT", "h", ""},
                {"malformed", "e.example\tTXT\t%{z}", "h", ""},
                {"8 bits", "e.example\tTXT\tn\xc3\xb6", "h", ""},
                {"a line end of the client", "e.example\tTXT\t%{h}", "h\r\nQUIT", ""},
                {"escaped", "e.example\tTXT\t%{H}", "h\r\nQUIT", "h%0D%0AQUIT"},
                {"8 bits of the client", "e.example\tTXT\t%{h}", "\xc3\xb6", ""},
        };
        for (size_t i = 0; i < sizeof explanations / sizeof explanations[0]; i++) {
                struct spf_input in = client("a@x.example");
                in.helo = str_of_c(explanations[i].helo);
                load(&world.dns, explanations[i].records);
                fake_dns_add(&world.dns, S("x.example\tTXT\tv=spf1 exp=e.example -all"));
                expect(explanations[i].name, &in, SPF_FAIL, SPF_OK, "-all");
                if (!str_eq(world.verdict.explanation, str_of_c(explanations[i].out)))
                        fail_msg("%s: %.*s", explanations[i].name, STR_ARG(world.verdict.explanation));
                in.explain = false;
                evaluate(&world, &in, SPF_QUESTIONS_MAX, false);
                assert_int_equal(world.verdict.explanation.n, 0);
                assert_int_equal(world.known.count, 1);
        }
}

static void test_an_explanation_that_is_too_long_is_none(void **state)
{
        (void)state;
        struct spf_input in = client("a@x.example");
        static char text[2 * SPF_EXPLANATION_MAX];
        memset(text, 'x', sizeof text);
        for (size_t n = SPF_EXPLANATION_MAX - 1; n <= SPF_EXPLANATION_MAX + 1; n++) {
                load(&world.dns, "x.example\tTXT\tv=spf1 exp=e.example -all");
                fake_dns_text(&world.dns, S("e.example"), str_of(text, n));
                evaluate(&world, &in, SPF_QUESTIONS_MAX, false);
                assert_int_equal(world.verdict.explanation.n, n <= SPF_EXPLANATION_MAX ? n : 0);
        }
}

/* 7.3: a name of more than 253 octets loses labels at its left. */
static void test_a_long_target_is_cut(void **state)
{
        (void)state;
        char text[300];
        struct wr w;
        struct spf_input in = client("a@x.example");
        load(&world.dns, "x.example\tTXT\tv=spf1 exists:%{h}.y.example -all");
        wr_init(&w, text, sizeof text);
        for (size_t i = 0; i < 24; i++) /* 240 octets, with y.example 249; one label more is cut */
                wr_str(&w, i == 0 ? S("123456789") : S(".123456789"));
        in.helo = wr_text(&w);
        expect("fits", &in, SPF_FAIL, SPF_OK, "-all");
        assert_int_equal(dns_name_labels(&world.known.first->next->name), 26);
        wr_str(&w, S(".123456789"));
        in.helo = wr_text(&w);
        expect("cut", &in, SPF_FAIL, SPF_OK, "-all");
        assert_int_equal(dns_name_labels(&world.known.first->next->name), 26);
        static char long_label[400];
        memset(long_label, 'x', sizeof long_label);
        in.helo = str_of(long_label, sizeof long_label); /* one label: nothing but y.example is left */
        load(&world.dns, "x.example\tTXT\tv=spf1 exists:%{h}.y.example -all\ny.example\tA\t127.0.0.2");
        expect("one label", &in, SPF_PASS, SPF_OK, "exists:%{h}.y.example");
        in.helo = str_of(long_label, 100); /* within 253, but no label */
        expect("malformed", &in, SPF_FAIL, SPF_OK, "-all");
}

static void test_reasons(void **state)
{
        (void)state;
        static const struct {
                const char *sender, *records, *reason;
        } reasons[] = {
                {"a@x.example", "x.example\tTXT\tv=spf1 -all",
                        "x.example: the SPF record forbids this client: -all"},
                {"a@x.example", "x.example\tTXT\tv=spf1",
                        "x.example: the SPF record says nothing of this client"},
                {"a@x.example", "x.example\tTXT\tv=spf1 \xff:",
                        "x.example: a term of the SPF record is malformed: ?:"},
                {"a@x.example", "x.example\tTXT\tv=spf1 include:y.example\ny.example\tTROUBLE\tTXT",
                        "y.example: DNS gave no answer"},
                {"a", "", "the sender has no domain that could have an SPF record"},
        };
        for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
                struct spf_input in = client(reasons[i].sender);
                char room[SPF_REASON_MAX];
                struct wr w;
                load(&world.dns, reasons[i].records);
                evaluate(&world, &in, SPF_QUESTIONS_MAX, false);
                wr_init(&w, room, sizeof room);
                spf_reason_write(&w, &world.verdict);
                if (!str_eq(wr_text(&w), str_of_c(reasons[i].reason)))
                        fail_msg("%.*s", STR_ARG(wr_text(&w)));
        }
}

static void test_words(void **state)
{
        (void)state;
        enum spf_result r;
        for (size_t i = 0; i < SPF_RESULT_COUNT; i++) {
                assert_true(spf_result_parse(spf_result_text((enum spf_result)i), &r));
                assert_int_equal(r, i);
        }
        assert_true(spf_result_parse(S("SoftFail"), &r) && r == SPF_SOFTFAIL);
        assert_false(spf_result_parse(S("passed"), &r));
        assert_int_equal(r, SPF_NONE);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_cases),
                cmocka_unit_test(test_identities),
                cmocka_unit_test(test_a_local_part_in_utf8_matches_no_macro),
                cmocka_unit_test(test_families),
                cmocka_unit_test(test_explanations),
                cmocka_unit_test(test_an_explanation_that_is_too_long_is_none),
                cmocka_unit_test(test_a_long_target_is_cut),
                cmocka_unit_test(test_reasons),
                cmocka_unit_test(test_words),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
