/* SPDX-License-Identifier: ISC */
/* All verdicts on a message and three signatures of our own, in one pass over its body, as lipap evaluates and nec signs:
 * SPF, DKIM, DMARC and ARC, then a DKIM signature and an ARC set. The DNS is asked once, then remembered.
 *
 *   verdicts KEY.pem MESSAGE SERVER SECONDS     row each-cpu-second */
#include "auth/authres_make.h"
#include "bench/letter.h"
#include "serve/evaluation.h"

struct job {
        struct letter letter;
        struct resolver *resolver;
        struct evaluation_node node;
        struct evaluation_job evaluation;
        struct spf_input spf;
        struct authres results;
        char room[4 * AUTHRES_MAKE_ROOM], text[AUTHRES_MAKE_ROOM];
};

/* What nec seals: all results in one field, without its name and its end. */
static struct str write_results(struct job *j)
{
        struct evaluate *e = &j->evaluation.evaluate;
        struct wr room, w;
        struct str name, body;
        wr_init(&room, j->room, sizeof j->room);
        wr_init(&w, j->text, sizeof j->text);
        j->results = (struct authres){.id = LETTER_DOMAIN};
        bool added = authres_add_spf(&j->results, &room, &e->spf, &e->out.spf) &&
                     authres_add_dkim(&j->results, &room, &e->dkim.list[0].signature, &e->out.dkim[0]) &&
                     authres_add_dmarc(&j->results, &room, &e->out.dmarc) &&
                     authres_add_plain(&j->results, &room, S("arc"), arc_cv_text(e->out.arc.cv), S(""));
        if (!added)
                bench_fail("results", "have no room");
        bench_need(authres_write(&w, S("Authentication-Results"), 0, &j->results), "results");
        (void)str_cut(wr_text(&w), ':', &name, &body);
        return str_trim(body);
}

static void work(void *arg)
{
        struct job *j = arg;
        struct evaluation_job *e = &j->evaluation;
        uint8_t digest[SHA256_SIZE];
        letter_index(&j->letter);
        evaluation_begin(e, &j->node, &j->spf, &j->letter.header);
        size_t slot = body_hash_want(&e->evaluate.dkim.body, CANON_RELAXED, BODY_HASH_ALL);
        evaluation_body(e, letter_body(&j->letter));
        bench_need(evaluation_end(e), "the verdicts");
        const struct evaluation *out = &e->evaluate.out;
        if (out->spf.result != SPF_PASS || out->dkim_count != 1 || out->dkim[0].result != DKIM_PASS ||
                out->dmarc.result != DMARC_PASS || out->arc.cv != ARC_PASS)
                bench_fail("verdicts", "not all of them are pass");
        bench_need(body_hash_result(&e->evaluate.dkim.body, slot, digest), "the body's digest");
        letter_sign(&j->letter, digest);
        letter_seal(&j->letter, digest, &e->evaluate.arc.chain, out->arc.cv, write_results(j));
        evaluation_drop(e);
}

static void run(struct host *h, void *arg)
{
        char **argv = arg;
        static struct job j;
        struct dns_server server;
        letter_read(&j.letter, argv[1], argv[2]);
        bench_need(dns_server_parse(str_of_c(argv[3]), &server), argv[3]);
        j.resolver = resolver_new(h, &(struct resolver_config){.servers = &server, .server_count = 1});
        if (j.resolver == NULL)
                bench_fail("resolver", "out of memory");
        evaluation_node_init(&j.node, h, j.resolver);
        j.spf = (struct spf_input){.sender = S("author@desk.test"),
                .helo = S("mail.desk.test"),
                .receiver = LETTER_DOMAIN,
                .now_s = LETTER_NOW_S};
        bench_need(ip_parse(S("192.0.2.7"), &j.spf.ip), "the address");
        bench_rate(work, &j, bench_seconds(argv[4]));
        evaluation_node_drop(&j.node);
        resolver_free(j.resolver);
        crypto_key_free(j.letter.key);
}

int main(int argc, char **argv)
{
        if (argc != 5)
                bench_fail(argv[0], "KEY.pem MESSAGE SERVER SECONDS");
        bench_run(run, argv);
        return 0;
}
