/* SPDX-License-Identifier: ISC */
/* libspf2, as bench/spf.c does it: without its cache, through the resolver of the C library.
 *
 *   spf2 SENDER IP COUNT     rows check-median, check-p99 (ms), cpu-each (ms) */
#include <netinet/in.h>
#include <arpa/nameser.h>
#include <resolv.h>

#include <spf2/spf.h>

#include "bench/bench.h"

static void check(SPF_server_t *server, char **argv)
{
        SPF_request_t *request = SPF_request_new(server);
        SPF_response_t *response = NULL;
        if (request == NULL || SPF_request_set_ipv4_str(request, argv[2]) != 0 ||
                SPF_request_set_helo_dom(request, "mail.desk.test") != 0 ||
                SPF_request_set_env_from(request, argv[1]) != 0)
                bench_fail("libspf2", "cannot begin");
        if (SPF_request_query_mailfrom(request, &response) != SPF_E_SUCCESS ||
                SPF_response_result(response) != SPF_RESULT_PASS)
                bench_fail("libspf2", "the result is not pass");
        SPF_response_free(response);
        SPF_request_free(request);
}

int main(int argc, char **argv)
{
        struct bench_samples samples;
        if (argc != 4)
                bench_fail(argv[0], "SENDER IP COUNT");
        size_t count = bench_count(argv[3]);
        SPF_server_t *server = SPF_server_new(SPF_DNS_RESOLV, 0);
        if (server == NULL)
                bench_fail("libspf2", "cannot begin");
        bench_samples_init(&samples, count);
        check(server, argv);
        int64_t cpu_ns = bench_cpu_ns();
        for (size_t i = 0; i < count; i++) {
                int64_t begin_ns = bench_now_ns();
                check(server, argv);
                bench_samples_add(&samples, bench_now_ns() - begin_ns);
        }
        bench_row("cpu-each", (double)(bench_cpu_ns() - cpu_ns) / 1e6 / (double)count);
        bench_samples_rows(&samples, "check");
        SPF_server_free(server);
        return 0;
}
