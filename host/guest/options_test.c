/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/wr.h"
#include "host/guest/guest.h"
#include "host/guest/words.h"

#define CAP 16

static const struct {
        const char *line, *left; /* `left`: what is not the platform's */
        const char *ipv4, *ipv4_gateway, *ipv6, *ipv6_gateway, *wrong;
} cases[] = {
        {"", "", "", "", "", "", ""},
        {"--domain d --ipv4 10.0.0.3/24 x", "--domain d x", "10.0.0.3/24", "", "", "", ""},
        {"--ipv4=10.0.0.3/32 --ipv4-gateway=10.0.0.1", "", "10.0.0.3/32", "10.0.0.1", "", "", ""},
        {"--ipv4-gateway 10.0.0.1 a --ipv4 10.0.0.3/1 b", "a b", "10.0.0.3/1", "10.0.0.1", "", "", ""},
        {"--ipv6 2001:db8::3/64 --ipv6-gateway fe80::1", "", "", "", "2001:db8::3/64", "fe80::1", ""},
        {"--ipv44 1 --ipv", "--ipv44 1 --ipv", "", "", "", "", ""},
        {"ipv4 1.2.3.4/24", "ipv4 1.2.3.4/24", "", "", "", "", ""},
        {"a --ipv4", "a", "", "", "", "", "--ipv4"},
        {"--ipv4 10.0.0.3", "", NULL, "", "", "", "--ipv4"},
        {"--ipv4 10.0.0.3/0", "", NULL, "", "", "", "--ipv4"},
        {"--ipv4 10.0.0.3/33", "", NULL, "", "", "", "--ipv4"},
        {"--ipv4 10.0.0.3/", "", NULL, "", "", "", "--ipv4"},
        {"--ipv4 10.0.0.3/2x", "", NULL, "", "", "", "--ipv4"},
        {"--ipv4=", "", NULL, "", "", "", "--ipv4="},
        {"--ipv4 2001:db8::3/24", "", NULL, "", "", "", "--ipv4"},
        {"--ipv6 10.0.0.3/24", "", "", "", NULL, "", "--ipv6"},
        {"--ipv6 2001:db8::3/63", "", "", "", NULL, "", "--ipv6"},
        {"--ipv6 2001:db8::3/65", "", "", "", NULL, "", "--ipv6"},
        {"--ipv4-gateway 10.0.0.1/24", "", "", NULL, "", "", "--ipv4-gateway"},
        {"--ipv4 1.2.3.4/8 --ipv4 1.2.3.4/8", "", NULL, "", "", "", "--ipv4"},
        {"--ipv4 bad --ipv6 bad c", "c", NULL, "", NULL, "", "--ipv4"},
};

static void expect(const char *expected, const struct ip *ip, uint8_t bits)
{
        char text[64];
        struct wr w;
        wr_init(&w, text, sizeof text);
        if (expected == NULL)
                return;
        if (ip->family != 0)
                ip_write(&w, ip);
        if (ip->family != 0 && bits != 0) {
                wr_byte(&w, '/');
                wr_u64(&w, bits);
        }
        assert_true(str_eq(wr_text(&w), str_of_c(expected)));
}

static void test_cases(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                char *line = strdup(cases[i].line), *argv[CAP] = {(char *)""}, left[200] = "";
                size_t count;
                struct guest_options o;
                assert_int_equal(words_split(line, argv + 1, CAP - 1, &count), ERR_OK);
                int argc = (int)count + 1;
                enum err err = guest_options_take(&o, &argc, argv);
                assert_int_equal(err, cases[i].wrong[0] == 0 ? ERR_OK : ERR_SYNTAX);
                assert_true(str_eq(o.wrong, str_of_c(cases[i].wrong)));
                assert_null(argv[argc]);
                for (int k = 1; k < argc; k++) {
                        size_t n = strlen(left);
                        snprintf(left + n, sizeof left - n, "%s%s", k > 1 ? " " : "", argv[k]);
                }
                assert_string_equal(left, cases[i].left);
                expect(cases[i].ipv4, &o.ipv4, o.ipv4_bits);
                expect(cases[i].ipv4_gateway, &o.ipv4_gateway, 0);
                expect(cases[i].ipv6, &o.ipv6, o.ipv6_bits);
                expect(cases[i].ipv6_gateway, &o.ipv6_gateway, 0);
                free(line);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
