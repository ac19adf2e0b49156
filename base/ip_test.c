/* SPDX-License-Identifier: ISC */
#include "base/ip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/exact.h"

#define CASES(table) (sizeof(table) / sizeof(table)[0])

static void test_addresses(void **state)
{
        (void)state;
        static const struct {
                const char *text, *want; /* NULL: refused */
        } cases[] = {
                {"192.0.2.1", "192.0.2.1"},
                {"0.0.0.0", "0.0.0.0"},
                {"255.255.255.255", "255.255.255.255"},
                {"2001:DB8::1", "2001:db8::1"},
                {"::", "::"},
                {"::1", "::1"},
                {"1::", "1::"},
                {"0:0:1:0:0:0:0:1", "0:0:1::1"},
                {"1:0:0:2:0:0:3:4", "1::2:0:0:3:4"}, /* the first of two equal runs (RFC 5952 4.2.3) */
                {"1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"},
                {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
                {"::ffff:192.0.2.1", "::ffff:c000:201"},
                {"1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"},
                {"", NULL},
                {"1.2.3", NULL},
                {"1.2.3.4.5", NULL},
                {"1.2.3.256", NULL},
                {"1.2.3.04", NULL},
                {"1.2.3.", NULL},
                {"1.2.3.+4", NULL},
                {" 1.2.3.4", NULL},
                {"1.2.3.4 ", NULL},
                {"0x1.2.3.4", NULL},
                {":", NULL},
                {":::", NULL},
                {"1:::2", NULL},
                {"1::2::3", NULL},
                {"12345::", NULL},
                {"g::", NULL},
                {"1:2:3:4:5:6:7", NULL},
                {"1:2:3:4:5:6:7:8:9", NULL},
                {"1:2:3:4:5:6:7:8::", NULL},
                {"1:2:3:4:5:6:7:1.2.3.4", NULL},
                {"1.2.3.4::", NULL},
                {"::1.2.3", NULL},
                {"fe80::1%eth0", NULL},
                {"[::1]", NULL},
        };
        for (size_t i = 0; i < CASES(cases); i++) {
                char out[IP_TEXT_MAX];
                struct ip ip, again;
                struct wr w;
                struct str text = exact(str_of_c(cases[i].text));
                print_message("%s\n", cases[i].text);
                assert_int_equal(ip_parse(text, &ip), cases[i].want ? ERR_OK : ERR_SYNTAX);
                assert_int_equal(ip.family != 0, cases[i].want != NULL);
                exact_free(text);
                if (!cases[i].want)
                        continue;
                wr_init(&w, out, sizeof out);
                ip_write(&w, &ip);
                assert_true(str_eq(wr_text(&w), str_of_c(cases[i].want)));
                assert_int_equal(ip_parse(wr_text(&w), &again), ERR_OK);
                assert_true(ip_eq(&ip, &again));
        }
}

static void test_ports(void **state)
{
        (void)state;
        static const struct {
                const char *text, *want;
        } cases[] = {
                {"192.0.2.1", "192.0.2.1:53"},
                {"192.0.2.1:25", "192.0.2.1:25"},
                {"[2001:db8::1]:25", "[2001:db8::1]:25"},
                {"[2001:db8::1]", "[2001:db8::1]:53"},
                {"2001:db8::1", "[2001:db8::1]:53"},
                {"192.0.2.1:", NULL},
                {"192.0.2.1:65536", NULL},
                {"192.0.2.1:-1", NULL},
                {"[2001:db8::1", NULL},
                {"[2001:db8::1]25", NULL},
                {"[]:25", NULL},
                {":25", NULL},
                {"", NULL},
        };
        for (size_t i = 0; i < CASES(cases); i++) {
                char out[IP_PORT_TEXT_MAX];
                struct ip_port p;
                struct wr w;
                struct str text = exact(str_of_c(cases[i].text));
                print_message("%s\n", cases[i].text);
                assert_int_equal(ip_port_parse(text, 53, &p), cases[i].want ? ERR_OK : ERR_SYNTAX);
                exact_free(text);
                if (!cases[i].want)
                        continue;
                wr_init(&w, out, sizeof out);
                ip_port_write(&w, &p);
                assert_true(str_eq(wr_text(&w), str_of_c(cases[i].want)));
        }
}

static void test_networks(void **state)
{
        (void)state;
        static const struct {
                const char *net, *ip;
                bool has;
        } cases[] = {
                {"10.0.0.0/8", "10.255.0.1", true},
                {"10.0.0.0/8", "11.0.0.1", false},
                {"10.0.0.0/8", "::ffff:10.1.2.3", true},
                {"10.0.0.0/8", "::10.1.2.3", false},
                {"0.0.0.0/0", "203.0.113.9", true},
                {"0.0.0.0/0", "2001:db8::1", false},
                {"192.0.2.1", "192.0.2.1", true},
                {"192.0.2.0/31", "192.0.2.1", true},
                {"192.0.2.0/31", "192.0.2.2", false},
                {"2001:db8::/33", "2001:db8:7fff::1", true},
                {"2001:db8::/33", "2001:db8:8000::1", false},
                {"::/0", "192.0.2.1", false},
        };
        for (size_t i = 0; i < CASES(cases); i++) {
                struct ip_net net;
                struct ip ip;
                print_message("%s %s\n", cases[i].net, cases[i].ip);
                assert_int_equal(ip_net_parse(str_of_c(cases[i].net), &net), ERR_OK);
                assert_int_equal(ip_parse(str_of_c(cases[i].ip), &ip), ERR_OK);
                assert_int_equal(ip_net_has(&net, &ip), cases[i].has);
        }
        static const char *const wrong[] = {"10.0.0.1/8", "10.0.0.0/33", "::/129", "10.0.0.0/", "/8",
                "10.0.0.0/8/8", "10.0.0.0/-1", "2001:db8::1/64"};
        for (size_t i = 0; i < CASES(wrong); i++) {
                struct ip_net net;
                assert_int_equal(ip_net_parse(str_of_c(wrong[i]), &net), ERR_SYNTAX);
        }
}

static void test_loopback(void **state)
{
        (void)state;
        static const struct {
                const char *text;
                bool is;
        } cases[] = {{"127.0.0.1", true}, {"127.255.1.2", true}, {"128.0.0.1", false}, {"::1", true},
                {"::2", false}, {"::ffff:127.0.0.1", true}, {"::127.0.0.1", false}};
        for (size_t i = 0; i < CASES(cases); i++) {
                struct ip ip;
                assert_int_equal(ip_parse(str_of_c(cases[i].text), &ip), ERR_OK);
                assert_int_equal(ip_is_loopback(&ip), cases[i].is);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_addresses),
                cmocka_unit_test(test_ports),
                cmocka_unit_test(test_networks),
                cmocka_unit_test(test_loopback),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
