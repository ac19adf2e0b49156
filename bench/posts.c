/* SPDX-License-Identifier: ISC */
/* Deciding about a post of a member and writing it as it goes out, once the verdicts are there, as lipap does at the final
 * dot: row each-cpu-second.
 *
 *   posts standard KEY.pem MESSAGE SECONDS     the author's signature is verified again, on what goes out
 *   posts changed KEY.pem MESSAGE SECONDS      with a prefix and a footer: From is rewritten */
#include "auth/fake_dns.h"
#include "bench/letter.h"
#include "list/posting.h"
#include "list/rewrite.h"

struct job {
        struct letter letter;
        struct fake_dns dns;
        struct dkim_keys keys;
        struct arena arena;
        struct dns_known known;
        struct evaluate verdicts;
        struct setting_values values;
        enum rewrite_from want;
        struct rewrite rewrite;
        char record[1024], memory[FAKE_DNS_ARENA];
};

static void judge(struct job *j)
{
        struct evaluate *e = &j->verdicts;
        struct spf_input in = {.sender = S("author@desk.test"), .helo = S("x"), .now_s = LETTER_NOW_S};
        struct wr w;
        wr_init(&w, j->record, sizeof j->record);
        bench_need(dkim_key_record_write(j->letter.key, &w), "the key record");
        fake_dns_text(&j->dns, S("s1._domainkey.desk.test"), wr_text(&w));
        fake_dns_text(&j->dns, S("_dmarc.desk.test"), S("v=DMARC1; p=reject"));
        bench_need(ip_parse(S("192.0.2.7"), &in.ip), "the address");
        letter_index(&j->letter);
        arena_init(&j->arena, j->memory, sizeof j->memory);
        dns_known_init(&j->known, &j->arena, EVALUATE_QUESTIONS_MAX);
        evaluate_init(e, &in, &j->letter.header, &j->known);
        evaluate_body(e, letter_body(&j->letter));
        evaluate_body_end(e);
        while (evaluate_finish(e, &j->keys) == ERR_AGAIN)
                (void)fake_dns_round(&j->dns, &j->known, false);
}

static void work(void *arg)
{
        struct job *j = arg;
        char text[POSTING_TEXT_MAX];
        struct rewrite_list list = {S("ptt"), LETTER_DOMAIN, &j->values};
        struct rewrite_post post = {.verdicts = &j->verdicts,
                .keys = &j->keys,
                .header = &j->letter.header,
                .front = S("Received: from desk.test by list.test; Sun, 22 Nov 2026 10:00:00 +0000\r\n"),
                .authserv_id = LETTER_DOMAIN,
                .until_s = LETTER_NOW_S + 86400};
        struct posting_author author = {.is_member = true};
        struct wr w;
        wr_init(&w, text, sizeof text);
        if (posting_judge(&j->verdicts, POSTING_SUBSCRIBERS, author, &w).code != 250)
                bench_fail("decision", "the post is refused");
        bench_need(rewrite_make(&j->rewrite, &list, &post), "rewriting");
        if (j->rewrite.from != j->want)
                bench_fail("rewriting", "From is not what it should be");
}

int main(int argc, char **argv)
{
        static struct job j;
        if (argc != 5)
                bench_fail(argv[0], "PART KEY.pem MESSAGE SECONDS");
        bool is_changed = strcmp(argv[1], "changed") == 0;
        if (!is_changed && strcmp(argv[1], "standard") != 0)
                bench_fail(argv[1], "no such part");
        setting_values_init(&j.values);
        if (is_changed) {
                setting_values_put(&j.values, S("subject-prefix"), S("[ptt]"));
                setting_values_put(&j.values, S("footer"), S("See you at the next meeting"));
        }
        j.want = is_changed ? REWRITE_DONE_NO_PROOF : REWRITE_KEPT_BY_PROOF;
        letter_read(&j.letter, argv[2], argv[3]);
        dkim_keys_init(&j.keys);
        judge(&j);
        bench_rate(work, &j, bench_seconds(argv[4]));
        dkim_keys_drop(&j.keys);
        crypto_key_free(j.letter.key);
        return 0;
}
