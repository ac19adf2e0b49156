/* SPDX-License-Identifier: ISC */
/* SPF of one domain, nothing of it remembered, as the resolver asks for it; and how often it waits for the network.
 *
 *   spf SERVER SENDER IP COUNT     rows check-median, check-p99 (ms), rounds, queries, cpu-each (ms) */
#include "auth/spf_check.h"
#include "bench/bench.h"
#include "host/host.h"
#include "serve/resolver.h"

#define PATIENCE_MS 5000
#define QUESTIONS_MAX 64

struct job {
        struct host *host;
        struct resolver *resolver;
        struct spf_input input;
        size_t count;
        size_t rounds;
        char memory[1 << 18];
};

/* Each turn of "ask again" that wanted something is a round trip, as all questions of it are sent at once. */
static void check(struct job *j)
{
        struct arena arena;
        struct dns_known known;
        struct spf_verdict verdict;
        arena_init(&arena, j->memory, sizeof j->memory);
        dns_known_init(&known, &arena, QUESTIONS_MAX);
        resolver_flush(j->resolver);
        for (j->rounds = 0; spf_check(&j->input, &known, &verdict) == ERR_AGAIN; j->rounds++)
                bench_need(
                        resolver_answer(j->resolver, &known, host_now_ms(j->host) + PATIENCE_MS), "asking");
        if (verdict.result != SPF_PASS)
                bench_fail("spf", "the result is not pass");
}

static void measure(struct host *h, void *arg)
{
        struct job *j = arg;
        struct bench_samples samples;
        struct resolver_stats before, after;
        j->host = h;
        bench_samples_init(&samples, j->count);
        for (int i = 0; i < 10; i++)
                check(j);
        resolver_stats(j->resolver, &before);
        int64_t cpu_ns = bench_cpu_ns();
        for (size_t i = 0; i < j->count; i++) {
                int64_t begin_ns = bench_now_ns();
                check(j);
                bench_samples_add(&samples, bench_now_ns() - begin_ns);
        }
        bench_row("cpu-each", (double)(bench_cpu_ns() - cpu_ns) / 1e6 / (double)j->count);
        resolver_stats(j->resolver, &after);
        bench_row("rounds", (double)j->rounds);
        bench_row("queries", (double)(after.queries - before.queries) / (double)j->count);
        bench_samples_rows(&samples, "check");
}

static void run(struct host *h, void *arg)
{
        char **argv = arg;
        static struct job j;
        struct dns_server server;
        j.input = (struct spf_input){.sender = str_of_c(argv[2]), .helo = S("mail.desk.test")};
        bench_need(dns_server_parse(str_of_c(argv[1]), &server), argv[1]);
        bench_need(ip_parse(str_of_c(argv[3]), &j.input.ip), argv[3]);
        j.count = bench_count(argv[4]);
        j.resolver = resolver_new(h, &(struct resolver_config){.servers = &server, .server_count = 1});
        if (j.resolver == NULL)
                bench_fail("resolver", "out of memory");
        measure(h, &j);
        resolver_free(j.resolver);
}

int main(int argc, char **argv)
{
        if (argc != 5)
                bench_fail(argv[0], "SERVER SENDER IP COUNT");
        bench_run(run, argv);
        return 0;
}
