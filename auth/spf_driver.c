/* SPDX-License-Identifier: ISC */
/* Evaluates SPF for tests/suites. On standard input, a line each, its parts parted by tabs:
 *     record NAME TYPE VALUE    as auth/fake_dns.h has it
 *     forget                    no records any more
 *     check IP SENDER HELO      SENDER may be empty
 * For each check a line:
 *     RESULT <TAB> explanation <TAB> reason <TAB> round trips <TAB> questions
 * Each check is done twice, with all answers of a round at once and with one answer a round, which must agree. */
#include <stdio.h>

#include "auth/fake_dns.h"
#include "auth/spf_check.h"

#define LINE_MAX_SIZE 16384

struct evaluation {
        struct arena arena;
        struct dns_known known;
        struct spf_verdict verdict;
        size_t rounds;
        char memory[FAKE_DNS_ARENA];
};

static void evaluate(
        struct evaluation *e, const struct fake_dns *dns, const struct spf_input *in, bool one_by_one)
{
        arena_init(&e->arena, e->memory, sizeof e->memory);
        dns_known_init(&e->known, &e->arena, SPF_QUESTIONS_MAX);
        for (e->rounds = 0; spf_check(in, &e->known, &e->verdict) == ERR_AGAIN; e->rounds++)
                CHECK(fake_dns_round(dns, &e->known, one_by_one) > 0);
}

static void check(const struct fake_dns *dns, struct str line)
{
        static struct evaluation whole, slow; /* large */
        struct spf_input in = {.receiver = S("receiver.example"), .now_s = 1700000000, .explain = true};
        struct str ip;
        char reason[SPF_REASON_MAX], slow_reason[SPF_REASON_MAX];
        struct wr w, slow_w;
        str_cut(line, '\t', &ip, &line);
        str_cut(line, '\t', &in.sender, &in.helo);
        CHECK(ip_parse(ip, &in.ip) == ERR_OK);
        evaluate(&whole, dns, &in, false);
        evaluate(&slow, dns, &in, true);
        wr_init(&w, reason, sizeof reason);
        wr_init(&slow_w, slow_reason, sizeof slow_reason);
        spf_reason_write(&w, &whole.verdict);
        spf_reason_write(&slow_w, &slow.verdict);
        CHECK(!w.full && str_eq(wr_text(&w), wr_text(&slow_w)));
        CHECK(whole.verdict.result == slow.verdict.result && whole.verdict.fault == slow.verdict.fault);
        CHECK(str_eq(whole.verdict.explanation, slow.verdict.explanation));
        printf("%.*s\t%.*s\t%.*s\t%zu\t%zu\n", STR_ARG(spf_result_text(whole.verdict.result)),
                STR_ARG(whole.verdict.explanation), STR_ARG(wr_text(&w)), whole.rounds, whole.known.count);
        fflush(stdout);
}

static void command(struct fake_dns *dns, struct str line)
{
        struct str verb, rest;
        str_cut(line, '\t', &verb, &rest);
        if (str_eq(verb, S("record")))
                fake_dns_add(dns, rest);
        else if (str_eq(verb, S("forget")))
                dns->count = 0;
        else if (str_eq(verb, S("check")))
                check(dns, rest);
        else
                CHECK(false);
}

int main(void)
{
        static struct fake_dns dns; /* large */
        char line[LINE_MAX_SIZE];
        while (fgets(line, sizeof line, stdin)) {
                struct str text = str_of_c(line);
                if (text.n > 0 && text.p[text.n - 1] == '\n')
                        text.n--;
                command(&dns, text);
        }
        return 0;
}
