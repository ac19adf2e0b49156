/* SPDX-License-Identifier: ISC */
/* What the keys of nec cost in CPU time: stretching the password, once a domain, and searching for a key of RSA, COUNT
 * times under different selectors. */
#include "auth/key.h"
#include "bench/bench.h"

static void search(const struct key_seed *seed, size_t number)
{
        struct key_search s;
        struct crypto_key *key = NULL;
        char selector[32];
        int n = snprintf(selector, sizeof selector, "dkim-%zu", number);
        bench_need(key_search_init(&s, seed, KEY_DKIM, KEY_RSA_2048, str_of(selector, (size_t)n)), "a key");
        enum err e;
        do
                e = key_search_step(&s, &key);
        while (e == ERR_AGAIN);
        bench_need(e, "a key");
        key_search_drop(&s);
        crypto_key_free(key);
}

int main(int argc, char **argv)
{
        struct key_password password = {.n = 32, .bytes = {7}};
        struct key_seed seed;
        struct bench_samples searches;
        if (argc != 2)
                bench_fail(argv[0], "COUNT");
        size_t count = bench_count(argv[1]);
        bench_samples_init(&searches, count);
        int64_t start_ns = bench_cpu_ns();
        bench_need(key_seed_derive(&password, S("mailingl.st"), &seed), "the seed");
        bench_row("pbkdf2", (double)(bench_cpu_ns() - start_ns) / 1e6);
        for (size_t i = 0; i < count; i++) {
                start_ns = bench_cpu_ns();
                search(&seed, i);
                bench_samples_add(&searches, bench_cpu_ns() - start_ns);
        }
        bench_samples_rows(&searches, "rsa-search");
        return 0;
}
