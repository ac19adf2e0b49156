/* SPDX-License-Identifier: ISC */
#include "http/request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/exact.h"

static const struct {
        const char *name, *head;
        unsigned fault;
        bool is_head, keeps;
        const char *path;
} cases[] = {
        {"Prometheus",
                "GET /metrics HTTP/1.1\r\nHost: 10.0.0.3:9925\r\nUser-Agent: Prometheus/2.42\r\n"
                "Accept: text/plain;version=0.0.4;q=0.5\r\nAccept-Encoding: gzip\r\n\r\n",
                0, false, true, "/metrics"},
        {"head", "HEAD /healthz HTTP/1.1\r\nHost: x\r\n\r\n", 0, true, true, "/healthz"},
        {"closing", "GET / HTTP/1.1\r\nhost:x\r\nConnection: foo , CLOSE\r\n\r\n", 0, false, false, "/"},
        {"1.0", "GET / HTTP/1.0\r\n\r\n", 0, false, false, "/"},
        {"1.0 kept", "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", 0, false, true, "/"},
        {"1.2 is 1.1", "GET / HTTP/1.2\r\nHost: x\r\n\r\n", 0, false, true, "/"},
        {"empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 0, false, true, "/"},
        {"query", "GET /metrics?name[]=up HTTP/1.1\r\nHost: x\r\n\r\n", 0, false, true, "/metrics"},
        {"absolute", "GET http://nec:9925/metrics?a HTTP/1.1\r\nHost: nec\r\n\r\n", 0, false, true,
                "/metrics"},
        {"absolute, no path", "GET HTTP://nec HTTP/1.1\r\nHost: nec\r\n\r\n", 0, false, true, "/"},
        {"absolute, query alone", "GET http://nec?/x HTTP/1.1\r\nHost: nec\r\n\r\n", 0, false, true, "/"},
        {"8-bit value", "GET / HTTP/1.1\r\nHost: x\r\nX: \xff\t\r\n\r\n", 0, false, true, "/"},
        {"no content", "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", 0, false, true, "/"},

        {"no Host", "GET / HTTP/1.1\r\n\r\n", 400, false, false, ""},
        {"two Hosts", "GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", 400, false, false, ""},
        {"Host with a path", "GET / HTTP/1.1\r\nHost: x/y\r\n\r\n", 400, false, false, ""},
        {"Host of two words", "GET / HTTP/1.1\r\nHost: x y\r\n\r\n", 400, false, false, ""},
        {"folded", "GET / HTTP/1.1\r\nHost: x\r\n y\r\n\r\n", 400, false, false, ""},
        {"space before the colon", "GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400, false, false, ""},
        {"no colon", "GET / HTTP/1.1\r\nHost: x\r\nfoo\r\n\r\n", 400, false, false, ""},
        {"no name", "GET / HTTP/1.1\r\nHost: x\r\n: foo\r\n\r\n", 400, false, false, ""},
        {"control", "GET / HTTP/1.1\r\nHost: x\r\nX: a\x01\r\n\r\n", 400, false, false, ""},
        {"bare CR in a value", "GET / HTTP/1.1\r\nHost: x\r\nX: a\rb\r\n\r\n", 400, false, false, ""},
        {"bare LF", "GET / HTTP/1.1\nHost: x\r\n\r\n", 400, false, false, ""},
        {"bare CR before CRLF", "GET / HTTP/1.1\r\r\nHost: x\r\n\r\n", 400, false, false, ""},
        {"two spaces", "GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400, false, false, ""},
        {"space in the target", "GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", 400, false, false, ""},
        {"8-bit target", "GET /\xc3\xa4 HTTP/1.1\r\nHost: x\r\n\r\n", 400, false, false, ""},
        {"fragment", "GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n", 400, false, false, ""},
        {"relative", "GET metrics HTTP/1.1\r\nHost: x\r\n\r\n", 400, false, false, ""},
        {"asterisk", "GET * HTTP/1.1\r\nHost: x\r\n\r\n", 400, false, false, ""},
        {"user in the authority", "GET http://a@b/ HTTP/1.1\r\nHost: x\r\n\r\n", 400, false, false, ""},
        {"HTTP/0.9", "GET /\r\n\r\n", 400, false, false, ""},
        {"long version", "GET / HTTP/1.10\r\nHost: x\r\n\r\n", 400, false, false, ""},
        {"lower-case version", "GET / http/1.1\r\nHost: x\r\n\r\n", 400, false, false, ""},
        {"bad length", "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\n", 400, false, false, ""},
        {"bytes behind the end", "GET / HTTP/1.1\r\nHost: x\r\n\r\nx", 400, false, false, ""},
        {"preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\n", 505, false, false, ""},
        {"post", "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n", 405, false, false, ""},
        {"connect", "CONNECT mx:25 HTTP/1.1\r\nHost: mx:25\r\n\r\n", 405, false, false, ""},
        {"options", "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 405, false, false, ""},
        {"lower-case method", "get / HTTP/1.1\r\nHost: x\r\n\r\n", 501, false, false, ""},
        {"other method", "BREW /tea HTTP/1.1\r\nHost: x\r\n\r\n", 501, false, false, ""},
        {"content", "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n", 413, false, false, ""},
        {"huge content", "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n", 413,
                false, false, ""},
        {"chunks", "GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", 413, false, false, ""},
};

static void table(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct str head = exact(str_of_c(cases[i].head));
                struct http_request r;
                unsigned fault = http_request_parse(head, &r);
                if (fault != cases[i].fault || r.is_head != cases[i].is_head || r.keeps != cases[i].keeps ||
                        !str_eq(r.path, str_of_c(cases[i].path)))
                        fail_msg("%s: %u, path %.*s", cases[i].name, fault, STR_ARG(r.path));
                exact_free(head);
        }
}

/* No prefix of a head is one, and each is refused without reading behind it. */
static void prefixes(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
                for (size_t n = 0; n < str_of_c(cases[i].head).n; n++) {
                        struct str head = exact(str_take(str_of_c(cases[i].head), n));
                        struct http_request r;
                        unsigned fault = http_request_parse(head, &r);
                        assert_true(fault == 400 || fault == 505 ||
                                    str_eq(str_of_c(cases[i].name), S("bytes behind the end")));
                        exact_free(head);
                }
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(table), cmocka_unit_test(prefixes)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
