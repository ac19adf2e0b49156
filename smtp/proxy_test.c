/* SPDX-License-Identifier: ISC */
#include "smtp/proxy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/exact.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define V4                 \
        "\xc0\x00\x02\x01" \
        "\x0a\x00\x00\x01" \
        "\xc3\x50"         \
        "\x00\x19"
#define V6                                         \
        "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1" \
        "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2" \
        "\xc3\x50"                                 \
        "\x00\x19"
#define MAPPED                                         \
        "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\x00\x02\x01" \
        "\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\0\0\1"       \
        "\xc3\x50"                                     \
        "\x00\x19"
#define BYTES(literal)                          \
        {                                       \
                "" literal, sizeof(literal) - 1 \
        }

static const struct {
        const char *what;
        struct str head, rest;
        enum err head_err, rest_err;
        const char *from; /* "" as it was */
} cases[] = {
        {"IPv4", BYTES(SIGNATURE "\x21\x11\x00\x0c"), BYTES(V4), ERR_OK, ERR_OK, "192.0.2.1:50000"},
        {"IPv6", BYTES(SIGNATURE "\x21\x21\x00\x24"), BYTES(V6), ERR_OK, ERR_OK, "[2001:db8::1]:50000"},
        {"IPv4 in IPv6 is IPv4", BYTES(SIGNATURE "\x21\x21\x00\x24"), BYTES(MAPPED), ERR_OK, ERR_OK,
                "192.0.2.1:50000"},
        {"more is told", BYTES(SIGNATURE "\x21\x11\x00\x0f"), BYTES(V4 "\x01\x00\x00"), ERR_OK, ERR_OK,
                "192.0.2.1:50000"},
        {"the proxy itself", BYTES(SIGNATURE "\x20\x00\x00\x00"), BYTES(""), ERR_OK, ERR_OK, ""},
        {"the proxy itself, with addresses", BYTES(SIGNATURE "\x20\x11\x00\x0c"), BYTES(V4), ERR_OK, ERR_OK,
                ""},
        {"no address", BYTES(SIGNATURE "\x21\x00\x00\x00"), BYTES(""), ERR_OK, ERR_OK, ""},
        {"UDP", BYTES(SIGNATURE "\x21\x12\x00\x0c"), BYTES(V4), ERR_OK, ERR_UNSUPPORTED, ""},
        {"a Unix socket", BYTES(SIGNATURE "\x21\x31\x00\x00"), BYTES(""), ERR_OK, ERR_UNSUPPORTED, ""},
        {"too short", BYTES(SIGNATURE "\x21\x11\x00\x0b"), BYTES("\xc0\0\2\1\x0a\0\0\1\xc3\x50\0"), ERR_OK,
                ERR_SYNTAX, ""},
        {"version 1", BYTES("PROXY TCP4 192.0"), BYTES(""), ERR_SYNTAX, ERR_OK, ""},
        {"another version", BYTES(SIGNATURE "\x31\x11\x00\x0c"), BYTES(V4), ERR_SYNTAX, ERR_OK, ""},
        {"another command", BYTES(SIGNATURE "\x22\x11\x00\x0c"), BYTES(V4), ERR_SYNTAX, ERR_OK, ""},
        {"too much", BYTES(SIGNATURE "\x21\x11\x04\x01"), BYTES(""), ERR_LIMIT, ERR_OK, ""},
        {"SMTP", BYTES("EHLO example.org"), BYTES(""), ERR_SYNTAX, ERR_OK, ""},
        {"a part", BYTES(SIGNATURE "\x21\x11\x00"), BYTES(""), ERR_SYNTAX, ERR_OK, ""},
};

static void test_cases(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct str head = exact(cases[i].head), rest = exact(cases[i].rest);
                struct ip_port from = {0}, wanted = {0};
                size_t n;
                if (proxy_head_parse(head, &n) != cases[i].head_err)
                        fail_msg("%s: head", cases[i].what);
                if (cases[i].head_err == ERR_OK) {
                        assert_int_equal(n, rest.n);
                        if (proxy_rest_parse(head, rest, &from) != cases[i].rest_err)
                                fail_msg("%s: rest", cases[i].what);
                        if (cases[i].from[0])
                                assert_int_equal(ip_port_parse(str_of_c(cases[i].from), 0, &wanted), ERR_OK);
                        if (!ip_eq(&from.ip, &wanted.ip) || from.port != wanted.port)
                                fail_msg("%s: address", cases[i].what);
                }
                exact_free(head);
                exact_free(rest);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
