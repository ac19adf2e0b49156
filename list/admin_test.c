/* SPDX-License-Identifier: ISC */
#include "list/admin.h"

#include <stdio.h>

#include "auth/proof_bench.h"

#define AT "admin-request@mailingl.st"
#define BOSS "boss@author.test"
#define DAY 86400
#define REJECT "_dmarc.author.test\tTXT\tv=DMARC1; p=reject"
#define SPF "author.test\tTXT\tv=spf1 ip4:" PROOF_BENCH_IP " -all"

/* ---- who is heard ---- */

#define FROM "From: Boss <Boss@Author.test>\r\n"
#define TO "To: " AT "\r\n"
#define ID "Message-ID: <1@author.test>\r\n"
#define ALL FROM TO ID "Subject: queue\r\n"
/* PROOF_BENCH_NOW is 14 November 2023, 22:13:20. */
#define DATE "Date: Tue, 14 Nov 2023 22:00:00 +0000\r\n"

struct heard {
        const char *name, *header, *signer, *record, *front;
        int64_t signed_ago_s; /* t=, or 0: without one */
        enum admin_verdict want;
        const char *leaves_out; /* of what is covered; or NULL */
};

static const struct heard heard_cases[] = {
        {"the admin", ALL, "author.test", REJECT, "", 60, ADMIN_HEARD, NULL},
        {"in Cc", FROM "To: x@y.test\r\nCc: " AT "\r\n" ID, "author.test", REJECT, "", 60, ADMIN_HEARD, NULL},
        {"somebody else of the domain", "From: ann@author.test\r\n" TO ID, "author.test", REJECT, "", 60,
                ADMIN_SOMEBODY_ELSE, NULL},
        {"the admin and another", "From: " BOSS ", ann@author.test\r\n" TO ID, "author.test", REJECT, "", 60,
                ADMIN_SOMEBODY_ELSE, NULL},
        {"another domain's signature", ALL, "else.test", REJECT, "", 60, ADMIN_UNPROVEN, NULL},
        {"nothing", ALL, NULL, REJECT, "", 60, ADMIN_UNPROVEN, NULL},
        {"SPF alone", ALL, NULL, SPF, "", 60, ADMIN_UNSIGNED, NULL},
        {"a post of the admin", FROM "To: ptt@mailingl.st\r\n" ID, "author.test", REJECT, "", 60,
                ADMIN_ELSEWHERE, NULL},
        {"no Message-ID", FROM TO, "author.test", REJECT, "", 60, ADMIN_PARTLY, NULL},
        {"Message-ID is not signed", ALL, "author.test", REJECT, "", 60, ADMIN_PARTLY, "Message-ID"},
        {"Subject is not signed", ALL, "author.test", REJECT, "", 60, ADMIN_PARTLY, "Subject"},
        {"a subject that was put there", FROM TO ID, "author.test", REJECT, "Subject: drop 1\r\n", 60,
                ADMIN_PARTLY, "Subject"},
        {"another encoding", FROM TO ID, "author.test", REJECT, "Content-Transfer-Encoding: base64\r\n", 60,
                ADMIN_SUBJECT_ONLY, "Content-Transfer-Encoding"},
        {"Content-Type is not signed, as at large providers",
                ALL "Content-Type: text/plain; charset=utf-8\r\n", "author.test", REJECT, "", 60,
                ADMIN_SUBJECT_ONLY, "Content-Type"},
        {"a second Message-ID", ALL, "author.test", REJECT, "Message-ID: <2@author.test>\r\n", 60,
                ADMIN_PARTLY, NULL},
        {"seven days", ALL, "author.test", REJECT, "", 7 * DAY, ADMIN_HEARD, NULL},
        {"more than seven days", ALL, "author.test", REJECT, "", 7 * DAY + 1, ADMIN_OLD, NULL},
        {"by Date", ALL DATE, "author.test", REJECT, "", 0, ADMIN_HEARD, NULL},
        {"no time", ALL, "author.test", REJECT, "", 0, ADMIN_PARTLY, NULL},
        {"no date", ALL "Date: yesterday\r\n", "author.test", REJECT, "", 0, ADMIN_PARTLY, NULL},
        {"Date is not signed", ALL DATE, "author.test", REJECT, "", 0, ADMIN_PARTLY, "Date"},
        {"an old Date", ALL "Date: Tue, 7 Nov 2023 22:13:19 +0000\r\n", "author.test", REJECT, "", 0,
                ADMIN_OLD, NULL},
        {"an old Date, but signed now", ALL "Date: Tue, 7 Nov 2023 22:13:19 +0000\r\n", "author.test", REJECT,
                "", 60, ADMIN_HEARD, NULL},
        {"a Date to come", ALL "Date: Tue, 14 Nov 2023 23:13:21 +0000\r\n", "author.test", REJECT, "", 0,
                ADMIN_EARLY, NULL},
};

static void sign(struct proof_bench *b, const struct heard *c)
{
        struct dkim_cover cover[64];
        struct dkim_sign_params p = {.domain = str_of_c(c->signer),
                .selector = S("s"),
                .header_canon = CANON_RELAXED,
                .body_canon = CANON_SIMPLE,
                .cover = cover,
                .time_s = c->signed_ago_s != 0 ? PROOF_BENCH_NOW - c->signed_ago_s : 0};
        uint8_t digest[SHA256_SIZE];
        char field[DKIM_FIELD_MAX], name[200];
        struct wr w;
        for (size_t i = 0; i < dkim_cover_author_count; i++)
                if (!c->leaves_out || !str_eq(dkim_cover_author[i].name, str_of_c(c->leaves_out)))
                        cover[p.cover_count++] = dkim_cover_author[i];
        assert_int_equal(sha256(str_skip(proof_bench_text(b), b->header.body_at), digest), ERR_OK);
        wr_init(&w, field, sizeof field);
        assert_int_equal(dkim_sign(&p, &b->header, digest, b->key, &w), ERR_OK);
        proof_bench_load(b, wr_text(&w), proof_bench_text(b));
        (void)snprintf(name, sizeof name, "s._domainkey.%s", c->signer);
        fake_dns_text(&b->dns, str_of_c(name), str_of(b->record, b->record_n));
}

static void test_who_is_heard(void **state)
{
        struct proof_bench *b = *state;
        for (size_t i = 0; i < sizeof heard_cases / sizeof heard_cases[0]; i++) {
                const struct heard *c = &heard_cases[i];
                char text[1000];
                struct str id;
                (void)snprintf(text, sizeof text, "%s\r\nHello\r\n", c->header);
                b->dns.count = 0;
                fake_dns_add(&b->dns, str_of_c(c->record));
                proof_bench_load(b, S(""), str_of_c(text));
                if (c->signer)
                        sign(b, c);
                proof_bench_load(b, str_of_c(c->front), proof_bench_text(b));
                const struct evaluate *e = proof_bench_judge(b, S("x@author.test"));
                enum admin_verdict verdict = admin_judge(e, &b->header, S(AT), S(BOSS), PROOF_BENCH_NOW, &id);
                if (verdict != c->want)
                        print_error("%s\n", c->name);
                assert_int_equal(verdict, c->want);
                bool is_heard = verdict == ADMIN_HEARD || verdict == ADMIN_SUBJECT_ONLY;
                assert_true(str_eq(id, is_heard ? S("<1@author.test>") : S("")));
                assert_true((admin_verdict_text(verdict).n == 0) == (verdict == ADMIN_HEARD));
                evaluate_drop(&b->evaluate);
        }
}

/* Text can be put behind what l= covers. */
static void test_a_part_of_the_body(void **state)
{
        struct proof_bench *b = *state;
        struct str id;
        b->dns.count = 0;
        fake_dns_add(&b->dns, S(REJECT));
        proof_bench_load(b, S(""), S(ALL "\r\nqueue\r\n"));
        sign(b, &heard_cases[0]);
        const struct evaluate *e = proof_bench_judge(b, S(""));
        assert_int_equal(admin_judge(e, &b->header, S(AT), S(BOSS), PROOF_BENCH_NOW, &id), ADMIN_HEARD);
        b->evaluate.dkim.list[0].signature.body_limit = 3;
        assert_int_equal(admin_judge(e, &b->header, S(AT), S(BOSS), PROOF_BENCH_NOW, &id), ADMIN_ELSEWHERE);
        evaluate_drop(&b->evaluate);
}

/* ---- commands ---- */

struct read_case {
        const char *name, *subject, *text, *want; /* "kind:number" a command, separated by spaces */
};
static const struct read_case read_cases[] = {
        {"nothing", "", "", "help:0"},
        {"only greetings", "hello", "", "wrong:0"},
        {"a word that is none", "", "please\n", "wrong:0"},
        {"the queue", "queue", "", "queue:20"},
        {"with a number", "Queue 7", "", "queue:7"},
        {"too many rows", "queue 99999", "", "queue:1000"},
        {"no rows", "queue 0", "", "wrong:0"},
        {"in a reply", "Re: RE: flush 12", "", "flush:12"},
        {"all", "flush ALL", "", "flush:0"},
        {"flush what", "flush", "", "wrong:0"},
        {"flush zero is not all", "flush 0", "", "wrong:0"},
        {"hold all", "hold all", "", "wrong:0"},
        {"drop all", "drop all", "", "wrong:0"},
        {"no number", "drop 1x", "", "wrong:0"},
        {"beyond any", "drop 9223372036854775808", "", "wrong:0"},
        {"the last number", "drop 9223372036854775807", "", "drop:9223372036854775807"},
        {"a negative one", "drop -1", "", "wrong:0"},
        {"more behind the subject", "hold 1", "hold 2\r\nhold 3\r\nhello\r\nhold 4\r\n",
                "hold:1 hold:2 hold:3"},
        {"the text", "hello", "\n> drop 9\nhold 1\ndrop 2\n\ndrop 3\n", "hold:1 drop:2"},
        {"a signature", "", "status\n-- \ndrop 1\n", "status:0"},
        {"what is wrong is said", "", "hold 1\nhelp me\nstatus\n", "hold:1 wrong:0 status:0"},
        {"white space", "", "  drop \t 5 \r\n", "drop:5"},
};

static const char *kind_text(enum admin_kind kind)
{
        static const char *const texts[] = {[ADMIN_QUEUE] = "queue",
                [ADMIN_FLUSH] = "flush",
                [ADMIN_HOLD] = "hold",
                [ADMIN_DROP] = "drop",
                [ADMIN_STATUS] = "status",
                [ADMIN_HELP] = "help",
                [ADMIN_WRONG] = "wrong"};
        return texts[kind];
}

static void test_commands(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof read_cases / sizeof read_cases[0]; i++) {
                struct admin_commands commands;
                char got[400] = "";
                admin_commands_read(str_of_c(read_cases[i].subject), str_of_c(read_cases[i].text), &commands);
                for (size_t k = 0; k < commands.count; k++) {
                        const struct admin_command *c = &commands.list[k];
                        size_t n = strlen(got);
                        (void)snprintf(got + n, sizeof got - n, "%s%s:%lld", k > 0 ? " " : "",
                                kind_text(c->kind),
                                c->kind == ADMIN_QUEUE ? (long long)c->rows : (long long)c->message);
                }
                if (strcmp(got, read_cases[i].want) != 0)
                        print_error("%s\n", read_cases[i].name);
                assert_string_equal(got, read_cases[i].want);
        }
}

static void test_many_commands(void **state)
{
        struct admin_commands commands;
        char text[1000] = "";
        (void)state;
        for (int i = 0; i < ADMIN_COMMANDS_MAX; i++)
                memcpy(text + 7 * i, "hold 1\n", 8);
        admin_commands_read(S(""), str_of_c(text), &commands);
        assert_true(commands.count == ADMIN_COMMANDS_MAX && !commands.is_cut);
        admin_commands_read(S("drop 1"), str_of_c(text), &commands);
        assert_true(commands.count == ADMIN_COMMANDS_MAX && commands.is_cut);
        assert_int_equal(commands.list[0].kind, ADMIN_DROP);
}

/* A stranger's bytes in an answer are no lines of their own. */
static void test_answers(void **state)
{
        const struct admin_command c = {.kind = ADMIN_WRONG, .line = S("drop \x1b[2J\xff")};
        char text[2000];
        struct wr w;
        (void)state;
        wr_init(&w, text, sizeof text);
        admin_outcome_write(&w, &c, ADMIN_NOT_UNDERSTOOD);
        assert_true(str_eq(wr_text(&w), S("drop ?[2J?: no command, see help\n")));
        w.n = 0;
        admin_help_write(&w);
        assert_int_equal(wr_end(&w), ERR_OK);
        for (int k = 0; k < ADMIN_WRONG; k++)
                assert_true(str_find(wr_text(&w), str_of_c(kind_text((enum admin_kind)k))) < w.n);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_who_is_heard, proof_bench_setup, proof_bench_teardown),
                cmocka_unit_test_setup_teardown(
                        test_a_part_of_the_body, proof_bench_setup, proof_bench_teardown),
                cmocka_unit_test(test_commands),
                cmocka_unit_test(test_many_commands),
                cmocka_unit_test(test_answers),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
