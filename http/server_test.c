/* SPDX-License-Identifier: ISC */
#include "http/server.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "http/server_play.h"

#define FIELDS(n)                                                                                   \
        "\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: text/plain\r\nContent-Length: " n \
        "\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"

static const struct {
        const char *name, *in, *wanted; /* `wanted` is how each answer begins, up to a bar */
        size_t requests;
        bool is_closed;
} cases[] = {
        {"one", GET("/a"), "HTTP/1.1 200 OK" FIELDS("2") "\r\n/a", 1, false},
        {"two at once", GET("/a") GET("/bc"),
                "HTTP/1.1 200 OK" FIELDS("2") "\r\n/aHTTP/1.1 200 OK" FIELDS("3") "\r\n/bc", 2, false},
        {"empty lines in front", "\r\n\r\n" GET("/a"), "HTTP/1.1 200 OK" FIELDS("2") "\r\n/a", 1, false},
        {"HEAD has a length and no content", "HEAD /abc HTTP/1.1\r\nHost: x\r\n\r\n",
                "HTTP/1.1 200 OK" FIELDS("4") "\r\n", 1, false},
        {"closing, and nothing behind it counts", "GET / HTTP/1.0\r\n\r\n" GET("/b"),
                "HTTP/1.1 200 OK" FIELDS("1") "Connection: close\r\n\r\n/", 1, true},
        {"bare LF", "GET / HTTP/1.1\nHost: x\n\n", "HTTP/1.1 400 Bad Request\r\n", 0, true},
        {"LF first", "\n", "HTTP/1.1 400 Bad Request\r\n", 0, true},
        {"a request inside content", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 30\r\n\r\n" GET("/b"),
                "HTTP/1.1 405 Method Not Allowed\r\n", 0, true},
        {"a good one, then a bad one", GET("/a") "nonsense\r\n\r\n",
                "HTTP/1.1 200 OK" FIELDS("2") "\r\n/aHTTP/1.1 400 Bad Request\r\n", 1, true},
        {"half", "GET / HTTP/1.1\r\nHost: x\r\n", "", 0, false},
};

static void table(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
                for (size_t step = 0; step < 40; step++) {
                        struct server_play p;
                        server_play_begin(&p);
                        server_play_feed(&p, str_of_c(cases[i].in), step);
                        struct str said = wr_text(&p.said), wanted = str_of_c(cases[i].wanted);
                        bool is_whole = !str_has_suffix_nocase(wanted, S("\r\n")) ||
                                        str_has_suffix_nocase(wanted, S("\r\n\r\n"));
                        if (!str_has_prefix(said, wanted) || (is_whole && said.n != wanted.n) ||
                                p.requests != cases[i].requests || p.is_closed != cases[i].is_closed)
                                fail_msg("%s, in steps of %zu: %.*s", cases[i].name, step, STR_ARG(said));
                        server_play_end(&p);
                }
}

/* One octet more than there is room for. */
static void limits(void **state)
{
        char *text = malloc(HTTP_REQUEST_MAX + 1);
        assert_non_null(text);
        (void)state;
        for (int has_line = 0; has_line < 2; has_line++)
                for (size_t n = HTTP_REQUEST_MAX - 1; n <= HTTP_REQUEST_MAX; n++) {
                        struct str start = has_line ? S("GET / HTTP/1.1\r\nHost: x\r\nX: ") : S("GET /");
                        struct str end = has_line ? S("\r\n\r\n") : S(" HTTP/1.0\r\n\r\n");
                        struct server_play p;
                        memset(text, 'x', n);
                        memcpy(text, start.p, start.n);
                        memcpy(text + n - end.n, end.p, end.n);
                        server_play_begin(&p);
                        server_play_feed(&p, str_of(text, n), 0);
                        assert_int_equal(p.requests, 1); /* a head that just fits is one */
                        server_play_end(&p);
                        server_play_begin(&p);
                        memset(text + n - end.n, 'x', end.n);
                        server_play_feed(&p, str_of(text, n), 0);
                        assert_int_equal(p.is_closed, n == HTTP_REQUEST_MAX);
                        if (p.is_closed)
                                assert_true(str_has_prefix(wr_text(&p.said),
                                        has_line ? S("HTTP/1.1 431 ") : S("HTTP/1.1 414 ")));
                        server_play_end(&p);
                }
        free(text);
}

static void requests_bounded(void **state)
{
        struct server_play p;
        (void)state;
        server_play_begin(&p);
        for (size_t i = 0; i < HTTP_REQUESTS_MAX + 5 && !p.is_closed; i++)
                server_play_feed(&p, S(GET("/")), 0);
        assert_int_equal(p.requests, HTTP_REQUESTS_MAX);
        assert_true(p.is_closed);
        server_play_end(&p);
}

/* A request that begins has its time from its first byte on, however slowly the rest comes. */
static void slow_request(void **state)
{
        struct server_play p;
        (void)state;
        server_play_begin(&p);
        p.now_ms = HTTP_IDLE_MS - 1;
        http_server_tick(p.s, p.now_ms);
        server_play_feed(&p, S("\r"), 0);
        assert_int_equal(http_server_deadline(p.s), HTTP_IDLE_MS);
        server_play_feed(&p, S("\n"), 0);
        server_play_end(&p);

        server_play_begin(&p);
        server_play_feed(&p, S("GET"), 0);
        p.now_ms = HTTP_REQUEST_MS - 1;
        server_play_feed(&p, S(" /"), 0);
        http_server_tick(p.s, p.now_ms);
        assert_int_equal(http_server_pending(p.s).n, 0);
        p.now_ms++;
        http_server_tick(p.s, p.now_ms);
        server_play_run(&p, 0);
        assert_true(str_has_prefix(wr_text(&p.said), S("HTTP/1.1 408 ")) && p.is_closed);
        server_play_end(&p);
}

/* Who rests too long, or does not take its answer, is let go without a word. */
static void silent(void **state)
{
        struct server_play p;
        (void)state;
        server_play_begin(&p);
        p.now_ms = HTTP_IDLE_MS;
        http_server_tick(p.s, p.now_ms);
        server_play_run(&p, 0);
        assert_true(p.is_closed && p.said.n == 0);
        server_play_end(&p);

        struct http_server_event event;
        size_t cap;
        server_play_begin(&p);
        memcpy(http_server_room(p.s, &cap), GET("/"), sizeof GET("/") - 1);
        http_server_got(p.s, sizeof GET("/") - 1, 0);
        assert_true(http_server_next(p.s, &event));
        http_server_reply(p.s, &(struct http_answer){503, S("text/plain"), S("no key")}, 0);
        assert_true(str_has_prefix(http_server_pending(p.s), S("HTTP/1.1 503 Service Unavailable\r\n")));
        http_server_sent(p.s, 5, HTTP_REQUEST_MS - 1);
        http_server_tick(p.s, HTTP_REQUEST_MS);
        server_play_run(&p, 0);
        assert_true(p.is_closed && p.said.n == 0);
        server_play_end(&p);

        server_play_begin(&p);
        http_server_lost(p.s);
        server_play_run(&p, 0);
        assert_true(p.is_closed);
        server_play_end(&p);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(table),
                cmocka_unit_test(limits),
                cmocka_unit_test(requests_bounded),
                cmocka_unit_test(slow_request),
                cmocka_unit_test(silent),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
