/* SPDX-License-Identifier: ISC */
#include "http/client.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "http/client_play.h"

#define OK "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
#define CHUNKED OK "Transfer-Encoding: chunked\r\n\r\n"

static const struct {
        const char *name, *in;
        enum err before, after; /* the end of the stream */
        unsigned status;
        const char *body;
} cases[] = {
        {"of a size", OK "Content-Length: 5\r\n\r\nhello", ERR_OK, ERR_OK, 200, "hello"},
        {"of no size", OK "Content-Length: 0\r\n\r\n", ERR_OK, ERR_OK, 200, ""},
        {"what follows is not looked at", OK "Content-Length: 5\r\n\r\nhelloHTTP/1.1 500 No\r\n\r\n", ERR_OK,
                ERR_OK, 200, "hello"},
        {"until the end", OK "\r\nhello", ERR_AGAIN, ERR_OK, 200, "hello"},
        {"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nhello", ERR_AGAIN, ERR_OK, 200,
                "hello"},
        {"in chunks", CHUNKED "5\r\nhello\r\n1;a=\"b\"\r\n!\r\n0\r\n\r\n", ERR_OK, ERR_OK, 200, "hello!"},
        {"in chunks, with a trailer", CHUNKED "0005\r\nhello\r\n000\r\nX: y\r\nZ:\r\n\r\n", ERR_OK, ERR_OK,
                200, "hello"},
        {"a chunk of hexadecimal size", CHUNKED "A\r\n0123456789\r\nb \r\n0123456789a\r\n0\r\n\r\n", ERR_OK,
                ERR_OK, 200, "01234567890123456789a"},
        {"parameters of the type", "HTTP/1.1 200 \r\ncontent-type:TEXT/Plain ; charset=utf-8\r\n\r\nx",
                ERR_AGAIN, ERR_OK, 200, "x"},
        {"answers of 1xx in front",
                "HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" OK
                "Content-Length: 1\r\n\r\nx",
                ERR_OK, ERR_OK, 200, "x"},
        {"the same size twice", OK "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx", ERR_OK, ERR_OK, 200,
                "x"},
        {"a coding that is none", OK "Content-Encoding: identity\r\n\r\nx", ERR_AGAIN, ERR_OK, 200, "x"},
        {"a redirect", "HTTP/1.1 301 Moved\r\nLocation: https://x/\r\nContent-Type: text/plain\r\n\r\n",
                ERR_DENIED, ERR_DENIED, 301, ""},
        {"not found", "HTTP/1.1 404 Not Found\r\n\r\n", ERR_DENIED, ERR_DENIED, 404, ""},
        {"nothing changed", "HTTP/1.1 304 Not Modified\r\n\r\n", ERR_DENIED, ERR_DENIED, 304, ""},
        {"another kind of good", "HTTP/1.1 203 Meddled\r\nContent-Type: text/plain\r\n\r\n", ERR_DENIED,
                ERR_DENIED, 203, ""},
        {"a switch to another protocol", "HTTP/1.1 101 Switch\r\n\r\n", ERR_LIMIT, ERR_LIMIT, 101, ""},
        {"HTML", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n", ERR_UNSUPPORTED, ERR_UNSUPPORTED, 200,
                ""},
        {"a type that only begins so", "HTTP/1.1 200 OK\r\nContent-Type: text/plainer\r\n\r\n",
                ERR_UNSUPPORTED, ERR_UNSUPPORTED, 200, ""},
        {"no type", "HTTP/1.1 200 OK\r\n\r\n", ERR_UNSUPPORTED, ERR_UNSUPPORTED, 200, ""},
        {"compressed", OK "Content-Encoding: gzip\r\n\r\n", ERR_UNSUPPORTED, ERR_UNSUPPORTED, 200, ""},
        {"compressed on the way", OK "Transfer-Encoding: gzip, chunked\r\n\r\n", ERR_UNSUPPORTED,
                ERR_UNSUPPORTED, 200, ""},
        {"chunked twice", OK "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
                ERR_UNSUPPORTED, ERR_UNSUPPORTED, 200, ""},
        {"two sizes", OK "Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx", ERR_SYNTAX, ERR_SYNTAX, 200, ""},
        {"a size and chunks", OK "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", ERR_SYNTAX,
                ERR_SYNTAX, 200, ""},
        {"chunks of HTTP/1.0",
                "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n",
                ERR_SYNTAX, ERR_SYNTAX, 200, ""},
        {"a size with a sign", OK "Content-Length: +1\r\n\r\nx", ERR_SYNTAX, ERR_SYNTAX, 200, ""},
        {"sizes in a list", OK "Content-Length: 1, 1\r\n\r\nx", ERR_SYNTAX, ERR_SYNTAX, 200, ""},
        {"too large", OK "Content-Length: 65537\r\n\r\nx", ERR_LIMIT, ERR_LIMIT, 200, ""},
        {"a size beyond 64 bits", OK "Content-Length: 18446744073709551617\r\n\r\nx", ERR_LIMIT, ERR_LIMIT,
                200, ""},
        {"half", OK "Content-Length: 5\r\n\r\nhell", ERR_AGAIN, ERR_EOF, 200, "hell"},
        {"half a head", OK, ERR_AGAIN, ERR_EOF, 0, ""},
        {"chunks without their end", CHUNKED "5\r\nhello\r\n", ERR_AGAIN, ERR_EOF, 200, "hello"},
        {"chunks without the line behind the last", CHUNKED "5\r\nhello\r\n0\r\n", ERR_AGAIN, ERR_EOF, 200,
                "hello"},
        {"nothing", "", ERR_AGAIN, ERR_EOF, 0, ""},
        {"a chunk without a size", CHUNKED "\r\nhello", ERR_SYNTAX, ERR_SYNTAX, 200, ""},
        {"a chunk of a negative size", CHUNKED "-5\r\nhello", ERR_SYNTAX, ERR_SYNTAX, 200, ""},
        {"a chunk of nine digits", CHUNKED "100000000\r\n", ERR_SYNTAX, ERR_SYNTAX, 200, ""},
        {"a chunk that is longer than it says", CHUNKED "4\r\nhello\r\n", ERR_SYNTAX, ERR_SYNTAX, 200,
                "hell"},
        {"a trailer that is none", CHUNKED "0\r\nhello\r\n\r\n", ERR_SYNTAX, ERR_SYNTAX, 200, ""},
        {"bare LF", "HTTP/1.1 200 OK\nContent-Type: text/plain\n\n", ERR_SYNTAX, ERR_SYNTAX, 0, ""},
        {"LF first", "\n", ERR_SYNTAX, ERR_SYNTAX, 0, ""},
        {"an empty line first", "\r\n" OK "\r\n", ERR_SYNTAX, ERR_SYNTAX, 0, ""},
        {"a bare CR in a field", OK "X: a\rb\r\n\r\n", ERR_SYNTAX, ERR_SYNTAX, 200, ""},
        {"a folded field", OK "X: a\r\n b\r\n\r\n", ERR_SYNTAX, ERR_SYNTAX, 200, ""},
        {"white space before a colon", OK "X : a\r\n\r\n", ERR_SYNTAX, ERR_SYNTAX, 200, ""},
        {"HTTP/2", "HTTP/2 200 OK\r\n\r\n", ERR_SYNTAX, ERR_SYNTAX, 0, ""},
        {"HTTP/0.9", "hello\r\n\r\n", ERR_SYNTAX, ERR_SYNTAX, 0, ""},
        {"a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n", ERR_SYNTAX, ERR_SYNTAX, 0, ""},
        {"a status below 100", "HTTP/1.1 099 OK\r\n\r\n", ERR_SYNTAX, ERR_SYNTAX, 0, ""},
        {"a status above 599", "HTTP/1.1 600 OK\r\n\r\n", ERR_SYNTAX, ERR_SYNTAX, 0, ""},
        {"SMTP", "220 mx.example.org ESMTP\r\n\r\n", ERR_SYNTAX, ERR_SYNTAX, 0, ""},
};

static void test_table(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
                for (size_t step = 0; step < 40; step++) {
                        struct http_client *c = client_play_begin();
                        struct str in = exact(str_of_c(cases[i].in));
                        enum err before = client_play_feed(c, in, step, false);
                        http_client_lost(c);
                        enum err after = http_client_outcome(c);
                        struct str body = http_client_body(c);
                        if (before != cases[i].before || after != cases[i].after ||
                                http_client_status(c) != cases[i].status ||
                                (after == ERR_OK) != (http_client_why(c)[0] == '\0') ||
                                !str_eq(body, str_of_c(cases[i].body)))
                                fail_msg("%s, in steps of %zu: %s, then %s, %u, \"%.*s\"", cases[i].name,
                                        step, err_text(before), err_text(after), http_client_status(c),
                                        STR_ARG(body));
                        exact_free(in);
                        free(c);
                }
}

/* Every answer of a known size that is cut is no answer. */
static void test_prefixes(void **state)
{
        static const char *const whole[] = {
                OK "Content-Length: 5\r\n\r\nhello", CHUNKED "2\r\nhe\r\n3;x\r\nllo\r\n0\r\nX: y\r\n\r\n"};
        (void)state;
        for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++)
                for (size_t n = 0; n < strlen(whole[i]); n++) {
                        struct http_client *c = client_play_begin();
                        struct str in = exact(str_of(whole[i], n));
                        assert_int_equal(client_play_feed(c, in, 0, true), ERR_EOF);
                        exact_free(in);
                        free(c);
                }
}

static void test_request(void **state)
{
        static const char wanted[] = "GET /.well-known/mta-sts.txt HTTP/1.1\r\nHost: mta-sts.example.org\r\n";
        struct http_client *c = client_play_begin();
        (void)state;
        http_client_init(c, S("mta-sts.example.org"), S("/.well-known/mta-sts.txt"), 1000);
        struct str pending = http_client_pending(c);
        assert_true(str_has_prefix(pending, str_of_c(wanted)));
        assert_true(str_has_suffix_nocase(pending, S("\r\n\r\n")));
        http_client_sent(c, 3);
        assert_true(str_eq(http_client_pending(c), str_skip(pending, 3)));
        assert_int_equal(http_client_outcome(c), ERR_AGAIN);
        free(c);
}

static void test_time(void **state)
{
        struct http_client *c = client_play_begin();
        (void)state;
        assert_int_equal(http_client_deadline(c), 1000 + HTTP_CLIENT_MS);
        http_client_tick(c, 999 + HTTP_CLIENT_MS);
        assert_int_equal(http_client_outcome(c), ERR_AGAIN);
        http_client_tick(c, 1000 + HTTP_CLIENT_MS);
        assert_int_equal(http_client_outcome(c), ERR_TIMEOUT);
        http_client_lost(c); /* the first outcome stays */
        assert_int_equal(http_client_outcome(c), ERR_TIMEOUT);
        free(c);
}

/* What is written `n` times between a beginning and an end. */
static enum err play_many(const char *begin, const char *many, size_t n, const char *end, size_t *got)
{
        struct http_client *c = client_play_begin();
        enum err e = client_play_feed(c, str_of_c(begin), 0, false);
        for (size_t i = 0; i < n && e == ERR_AGAIN; i++)
                e = client_play_feed(c, str_of_c(many), 0, false);
        if (e == ERR_AGAIN)
                e = client_play_feed(c, str_of_c(end), 0, true);
        *got = http_client_body(c).n;
        free(c);
        return e;
}

static void test_limits(void **state)
{
        size_t got;
        (void)state;
        assert_int_equal(play_many(OK "\r\n", "x", HTTP_BODY_MAX, "", &got), ERR_OK);
        assert_int_equal(got, HTTP_BODY_MAX);
        assert_int_equal(play_many(OK "\r\n", "x", HTTP_BODY_MAX + 1, "", &got), ERR_LIMIT);
        assert_int_equal(play_many(CHUNKED, "1\r\nx\r\n", HTTP_BODY_MAX, "0\r\n\r\n", &got), ERR_OK);
        assert_int_equal(got, HTTP_BODY_MAX);
        assert_int_equal(play_many(CHUNKED, "1\r\nx\r\n", HTTP_BODY_MAX + 1, "0\r\n\r\n", &got), ERR_LIMIT);
        assert_int_equal(play_many(OK, "X: y\r\n", HTTP_REQUEST_MAX / 6, "\r\n", &got), ERR_LIMIT);
        assert_int_equal(
                play_many(CHUNKED "0\r\n", "X: y\r\n", HTTP_REQUEST_MAX / 6 + 1, "\r\n", &got), ERR_LIMIT);
        assert_int_equal(play_many("", "x", HTTP_REQUEST_MAX + 1, "", &got), ERR_LIMIT);
        assert_int_equal(play_many(CHUNKED "1;", "x", HTTP_REQUEST_MAX, "\r\n", &got), ERR_LIMIT);
        assert_int_equal(play_many("", "HTTP/1.1 100 x\r\n\r\n", HTTP_INTERIM_MAX, OK "\r\n", &got), ERR_OK);
        assert_int_equal(
                play_many("", "HTTP/1.1 100 x\r\n\r\n", HTTP_INTERIM_MAX + 1, OK "\r\n", &got), ERR_LIMIT);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_table),
                cmocka_unit_test(test_prefixes),
                cmocka_unit_test(test_request),
                cmocka_unit_test(test_time),
                cmocka_unit_test(test_limits),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
