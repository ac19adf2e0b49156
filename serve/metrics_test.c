/* SPDX-License-Identifier: ISC */
#include "serve/metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dns/code.h"
#include "serve/monitor.h"

struct page {
        struct metrics m;
        char text[8192];
};

static void assert_page(struct page *p, const char *wanted)
{
        assert_int_equal(metrics_end(&p->m), ERR_OK);
        p->text[p->m.w.n] = '\0';
        assert_string_equal(p->text, wanted);
}

static void families(void **state)
{
        struct page p;
        struct metrics_label labels[] = {{"code", S("550")}, {"reason", S("a\"b\\c\nd\x01\xff")}};
        (void)state;
        metrics_init(&p.m, p.text, sizeof p.text - 1);
        metrics_family(&p.m, METRICS_COUNTER, "x_total", "Things");
        metrics_u64(&p.m, NULL, 0, 18446744073709551615ULL);
        metrics_family(&p.m, METRICS_GAUGE, "y_seconds", "Time");
        metrics_u64(&p.m, labels, 2, 7);
        metrics_i64(&p.m, labels, 1, -3);
        metrics_i64(&p.m, labels, 1, INT64_MIN);
        metrics_milli(&p.m, NULL, 0, 12045);
        metrics_milli(&p.m, NULL, 0, -5);
        assert_page(&p, "# HELP x_total Things\n# TYPE x_total counter\nx_total 18446744073709551615\n"
                        "# HELP y_seconds Time\n# TYPE y_seconds gauge\n"
                        "y_seconds{code=\"550\",reason=\"a\\\"b\\\\c\\nd??\"} 7\n"
                        "y_seconds{code=\"550\"} -3\ny_seconds{code=\"550\"} -9223372036854775808\n"
                        "y_seconds 12.045\ny_seconds -0.005\n");
}

/* Buckets count all below them, and a value on a bound belongs to it. */
static void histogram(void **state)
{
        struct page p;
        struct histogram h = {0};
        static const int64_t values_ms[] = {-4, 0, 5, 6, 999, 1000, 1001, 60000, 60001};
        (void)state;
        for (size_t i = 0; i < sizeof values_ms / sizeof values_ms[0]; i++)
                histogram_add(&h, values_ms[i]);
        metrics_init(&p.m, p.text, sizeof p.text - 1);
        metrics_family(&p.m, METRICS_HISTOGRAM, "t", "T");
        metrics_histogram(&p.m, &h);
        assert_page(&p, "# HELP t T\n# TYPE t histogram\n"
                        "t_bucket{le=\"0.005\"} 3\nt_bucket{le=\"0.010\"} 4\nt_bucket{le=\"0.025\"} 4\n"
                        "t_bucket{le=\"0.050\"} 4\nt_bucket{le=\"0.100\"} 4\nt_bucket{le=\"0.250\"} 4\n"
                        "t_bucket{le=\"0.500\"} 4\nt_bucket{le=\"1.000\"} 6\nt_bucket{le=\"2.500\"} 7\n"
                        "t_bucket{le=\"5.000\"} 7\nt_bucket{le=\"10.000\"} 7\nt_bucket{le=\"60.000\"} 8\n"
                        "t_bucket{le=\"+Inf\"} 9\nt_sum 123.012\nt_count 9\n");
}

/* Each label stands once, whatever codes there are, or the page is no page. */
static void dns_errors_by_name(void **state)
{
        static const struct {
                enum err err;
                uint16_t rcode, tsig_error;
        } outcomes[] = {
                {ERR_OK, DNS_RCODE_SERVFAIL, 0},
                {ERR_CANCELLED, 0, 0},
                {ERR_DENIED, DNS_RCODE_SERVFAIL, 0},
                {ERR_DENIED, DNS_RCODE_NOTAUTH, DNS_RCODE_BADTIME},
                {ERR_DENIED, DNS_RCODE_NOERROR, 0}, /* a referral */
                {ERR_DENIED, 11, 0},
                {ERR_DENIED, 15, 0},
                {ERR_DENIED, 4095, 0},
                {ERR_TIMEOUT, 0, 0},
                {ERR_UNREACHABLE, 0, 0},
                {ERR_SYNTAX, 0, 0},
        };
        struct page p;
        struct dns_errors d = {0};
        (void)state;
        for (size_t i = 0; i < sizeof outcomes / sizeof outcomes[0]; i++)
                dns_errors_add(&d, outcomes[i].err, outcomes[i].rcode, outcomes[i].tsig_error);
        metrics_init(&p.m, p.text, sizeof p.text - 1);
        metrics_family(&p.m, METRICS_COUNTER, "d_total", "D");
        metrics_dns_errors(&p.m, NULL, 0, &d);
        assert_page(&p,
                "# HELP d_total D\n# TYPE d_total counter\n"
                "d_total{error=\"SERVFAIL\"} 1\nd_total{error=\"BADTIME\"} 1\nd_total{error=\"other\"} 4\n"
                "d_total{error=\"timeout\"} 1\nd_total{error=\"network\"} 1\n"
                "d_total{error=\"malformed\"} 1\n");
}

/* The largest page of nec: 32 domains of the longest names, and every error there is. */
static void largest(void **state)
{
        struct dns_errors d;
        char domain[160], *block = malloc(MONITOR_PAGE_MAX);
        struct metrics m;
        (void)state;
        assert_non_null(block);
        memset(domain, 'x', sizeof domain);
        struct metrics_label label = {"domain", str_of(domain, sizeof domain)};
        memset(&d, 0xff, sizeof d);
        metrics_init(&m, block, MONITOR_PAGE_MAX);
        for (int family = 0; family < 20; family++) {
                metrics_family(
                        &m, METRICS_COUNTER, "nec_a_family_with_a_rather_long_name_total", "Of something");
                for (int i = 0; i < 32 && family < 10; i++)
                        metrics_i64(&m, &label, 1, INT64_MIN);
        }
        for (int i = 0; i < 32; i++)
                metrics_dns_errors(&m, &label, 1, &d);
        assert_int_equal(metrics_end(&m), ERR_OK);
        free(block);
}

/* At each size too small nothing is written behind the end, and it is said. */
static void too_small(void **state)
{
        struct histogram h = {0};
        (void)state;
        for (size_t cap = 0; cap < 300; cap += 7) {
                char *block = malloc(cap > 0 ? cap : 1);
                struct metrics m;
                metrics_init(&m, block, cap);
                metrics_family(&m, METRICS_HISTOGRAM, "t", "T");
                metrics_histogram(&m, &h);
                assert_int_equal(metrics_end(&m), ERR_SPACE);
                assert_true(m.w.n <= cap);
                free(block);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(families),
                cmocka_unit_test(histogram),
                cmocka_unit_test(dns_errors_by_name),
                cmocka_unit_test(largest),
                cmocka_unit_test(too_small),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
