/* SPDX-License-Identifier: ISC */
#include "serve/smtpd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "serve/loopback.h"
#include "serve/smtp_out.h"

/* A server on loopback that keeps the last message, and a client against it. */
struct server {
        struct loopback loop; /* first */
        struct smtpd_config config;
        struct smtpd_gate gate;
        struct scope scope;
        char *message; /* what came last, `message_n` bytes */
        size_t message_n, message_cap;
        unsigned ended, reset, sessions;
        enum smtp_server_closed closed;
        int64_t end_takes_ms;
        void (*client)(struct server *s);
};

static struct smtp_reply on_mail(void *ctx, const struct smtp_mail *mail)
{
        struct server *s = ctx;
        (void)mail;
        s->message_n = 0;
        return smtp_reply_of(250, 1, 0, S("sender ok"));
}

static struct smtp_reply on_rcpt(void *ctx, const struct smtp_path *to)
{
        (void)ctx;
        if (str_eq(to->local, S("refused")))
                return smtp_reply_of(550, 1, 1, S("no such one"));
        return smtp_reply_of(250, 1, 5, S("recipient ok"));
}

static void on_body(void *ctx, struct str bytes)
{
        struct server *s = ctx;
        if (bytes.n > s->message_cap - s->message_n) {
                s->message_cap = 2 * (s->message_n + bytes.n);
                s->message = realloc(s->message, s->message_cap);
                assert_non_null(s->message);
        }
        memcpy(s->message + s->message_n, bytes.p, bytes.n);
        s->message_n += bytes.n;
}

static struct smtp_reply on_end(void *ctx, const struct smtpd_message *message)
{
        struct server *s = ctx;
        assert_int_equal(message->size, s->message_n);
        if (s->end_takes_ms > 0) {
                enum err e = fiber_sleep(s->loop.host->sched, s->end_takes_ms);
                (void)e; /* kept all the same */
        }
        s->ended++;
        return smtp_reply_of(250, 0, 0, S("taken"));
}

static void on_reset(void *ctx, enum smtp_server_reset why)
{
        struct server *s = ctx;
        (void)why;
        s->reset++;
}

static void run_session(void *ctx, struct host_tcp *tcp, const struct ip_port *peer)
{
        static const struct smtpd_handler handler = {
                .mail = on_mail, .rcpt = on_rcpt, .body = on_body, .end = on_end, .reset = on_reset};
        struct server *s = ctx;
        assert_true(ip_is_loopback(&peer->ip));
        s->sessions++;
        s->closed = smtpd_run(s->loop.host, tcp, &s->config, &handler, s);
}

static void listen_fiber(void *arg)
{
        struct server *s = arg;
        struct smtpd_listen_config config = {.host = s->loop.host,
                .listener = s->loop.listener,
                .gate = &s->gate,
                .session = run_session,
                .ctx = s};
        assert_int_equal(smtpd_listen(&config), ERR_CANCELLED);
}

static void main_fiber(void *arg)
{
        struct server *s = arg;
        loopback_listen(&s->loop);
        scope_open(&s->scope, s->loop.host->sched, FIBER_NEVER);
        assert_int_equal(scope_spawn(&s->scope, "listen", listen_fiber, s), ERR_OK);
        s->client(s);
        scope_cancel(&s->scope);
        scope_join(&s->scope);
        host_listener_close(s->loop.host, s->loop.listener);
        assert_int_equal(s->gate.open, 0);
}

static void run(struct server *s, void (*client)(struct server *s))
{
        struct smtp_extensions offer = {
                .pipelining = true, .size = true, .mime_8bit = true, .smtputf8 = true, .enhanced = true};
        s->config.server.hostname = S("mx.test");
        s->config.server.offer = offer;
        s->config.gate = &s->gate;
        s->gate.most = s->gate.most > 0 ? s->gate.most : 10;
        s->client = client;
        loopback_run(&s->loop, main_fiber);
        free(s->message);
}

static struct host_tcp *dial(struct server *s)
{
        struct host_tcp *tcp;
        assert_int_equal(
                host_connect(s->loop.host, &s->loop.at, loopback_in_ms(&s->loop, 5000), &tcp), ERR_OK);
        return tcp;
}

/* Say `text`, then expect exactly `answer`; without one the stream must end. */
static void expect(struct server *s, struct host_tcp *tcp, const char *text, const char *answer)
{
        char heard[4096];
        loopback_say(&s->loop, tcp, str_of_c(text));
        struct str got = loopback_read_until(&s->loop, tcp, answer, heard, sizeof heard);
        if (!str_eq(got, str_of_c(answer)))
                fail_msg("heard <%.*s>, expected <%s>", STR_ARG(got), answer);
}

static void expect_end(struct server *s, struct host_tcp *tcp)
{
        char byte;
        size_t got;
        assert_int_equal(
                host_tcp_read(s->loop.host, tcp, &byte, 1, loopback_in_ms(&s->loop, 5000), &got), ERR_EOF);
}

#define EHLO_ANSWER                                                                           \
        "250-mx.test\r\n250-PIPELINING\r\n250-SIZE 0\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 " \
        "ENHANCEDSTATUSCODES\r\n"
#define ENVELOPE "MAIL FROM:<a@b.test>\r\nRCPT TO:<refused@y.test>\r\nRCPT TO:<x@y.test>\r\nDATA\r\n"
#define ENVELOPE_ANSWER \
        "250 2.1.0 sender ok\r\n550 5.1.1 no such one\r\n250 2.1.5 recipient ok\r\n354 Go on\r\n"

static void client_session(struct server *s)
{
        struct host_tcp *tcp = dial(s);
        expect(s, tcp, "", "220 mx.test ESMTP\r\n");
        expect(s, tcp, "EHLO c.test\r\n", EHLO_ANSWER);
        for (unsigned i = 1; i <= 3; i++) {
                expect(s, tcp, ENVELOPE, ENVELOPE_ANSWER);
                expect(s, tcp, "Subject: x\r\n\r\n..\r\n.\r\n", "250 2.0.0 taken\r\n");
                assert_int_equal(s->ended, i);
                assert_true(str_eq(str_of(s->message, s->message_n), S("Subject: x\r\n\r\n.\r\n")));
        }
        expect(s, tcp, ENVELOPE, ENVELOPE_ANSWER);
        expect(s, tcp, "x\r\n.\r\nMAIL FROM:<a@b.test>\r\nRSET\r\nQUIT\r\n",
                "250 2.0.0 taken\r\n250 2.1.0 sender ok\r\n250 2.0.0 Reset\r\n221 2.0.0 Bye\r\n");
        expect_end(s, tcp);
        assert_int_equal(s->closed, SMTP_CLOSED_QUIT);
        assert_int_equal(s->reset, 1);
        host_tcp_close(s->loop.host, tcp);
}

static void test_session(void **state)
{
        (void)state;
        struct server s = {0};
        run(&s, client_session);
}

/* The refusal is heard, although the peer had much more to send. */
static void client_stray(struct server *s)
{
        static char block[65536];
        struct host_tcp *tcp = dial(s);
        memset(block, 'x', sizeof block);
        expect(s, tcp, "", "220 mx.test ESMTP\r\n");
        expect(s, tcp, "EHLO c.test\r\n", EHLO_ANSWER);
        expect(s, tcp, ENVELOPE, ENVELOPE_ANSWER);
        loopback_say(&s->loop, tcp, S("a\nb\r\n"));
        for (int i = 0; i < 100; i++)
                loopback_say(&s->loop, tcp, str_of(block, sizeof block));
        expect(s, tcp, "\r\n.\r\nMAIL FROM:<evil@b.test>\r\n",
                "554 5.5.2 Bare CR, bare LF or NUL in the message, closing\r\n");
        expect_end(s, tcp);
        assert_int_equal(s->closed, SMTP_CLOSED_PROTOCOL);
        assert_int_equal(s->ended, 0);
        assert_int_equal(s->reset, 1);
        host_tcp_close(s->loop.host, tcp);
}

static void test_stray(void **state)
{
        (void)state;
        struct server s = {0};
        run(&s, client_stray);
}

static void client_slow(struct server *s)
{
        struct host_tcp *tcp = dial(s);
        expect(s, tcp, "NOOP", "220 mx.test ESMTP\r\n421 4.4.2 Too slow, closing\r\n");
        expect_end(s, tcp);
        assert_int_equal(s->closed, SMTP_CLOSED_TIMEOUT);
        host_tcp_close(s->loop.host, tcp);
}

static void test_slow(void **state)
{
        (void)state;
        struct server s = {.config.server.idle_ms = 100};
        run(&s, client_slow);
}

static void client_crowd(struct server *s)
{
        struct host_tcp *first = dial(s), *second = dial(s);
        expect(s, first, "", "220 mx.test ESMTP\r\n");
        expect(s, second, "", "220 mx.test ESMTP\r\n");
        struct host_tcp *third = dial(s);
        expect(s, third, "", "421 4.3.2 Too many connections, try again later\r\n");
        expect_end(s, third);
        assert_int_equal(s->gate.refused, 1);
        expect(s, first, "QUIT\r\n", "221 2.0.0 Bye\r\n");
        expect_end(s, first);
        struct host_tcp *fourth = dial(s);
        expect(s, fourth, "", "220 mx.test ESMTP\r\n");
        host_tcp_close(s->loop.host, first);
        host_tcp_close(s->loop.host, second);
        host_tcp_close(s->loop.host, third);
        host_tcp_close(s->loop.host, fourth);
}

static void test_crowd(void **state)
{
        (void)state;
        struct server s = {.gate.most = 2};
        run(&s, client_crowd);
}

/* Cancelled while it waits for a command, and while it keeps a message: what was kept is still answered. */
static void client_cancel(struct server *s)
{
        struct host_tcp *idle = dial(s), *busy = dial(s);
        char heard[256];
        expect(s, idle, "", "220 mx.test ESMTP\r\n");
        expect(s, busy, "", "220 mx.test ESMTP\r\n");
        expect(s, busy, "EHLO c.test\r\n", EHLO_ANSWER);
        expect(s, busy, ENVELOPE, ENVELOPE_ANSWER);
        loopback_say(&s->loop, busy, S("x\r\n.\r\n"));
        assert_int_equal(fiber_sleep(s->loop.host->sched, 50), ERR_OK);
        scope_cancel(&s->scope);
        struct str got = loopback_read_until(&s->loop, busy, NULL, heard, sizeof heard);
        assert_true(str_eq(got, S("250 2.0.0 taken\r\n421 4.3.2 Shutting down, closing\r\n")));
        got = loopback_read_until(&s->loop, idle, NULL, heard, sizeof heard);
        assert_true(str_eq(got, S("421 4.3.2 Shutting down, closing\r\n")));
        assert_int_equal(s->ended, 1);
        host_tcp_close(s->loop.host, idle);
        host_tcp_close(s->loop.host, busy);
}

static void test_cancel(void **state)
{
        (void)state;
        struct server s = {.end_takes_ms = 3000};
        run(&s, client_cancel);
}

/* ---- under load ---- */

static void nap(struct server *s, int64_t ms)
{
        assert_int_equal(fiber_sleep(s->loop.host->sched, ms), ERR_OK);
}

/* While it waits a session has no buffers of its own; what came of a command is not lost with them. */
static void client_rests(struct server *s)
{
        struct host_tcp *first = dial(s), *second = dial(s);
        expect(s, first, "", "220 mx.test ESMTP\r\n");
        expect(s, second, "", "220 mx.test ESMTP\r\n");
        nap(s, 20);
        assert_int_equal(s->gate.spare_count, 1);
        loopback_say(&s->loop, first, S("EHL"));
        nap(s, 20);
        loopback_say(&s->loop, second, S("NO"));
        nap(s, 20);
        assert_int_equal(s->gate.spare_count, 1);
        loopback_say(&s->loop, first, S("O c.te"));
        nap(s, 20);
        expect(s, second, "OP\r\nNOOP\r\nN", "250 2.0.0 OK\r\n250 2.0.0 OK\r\n");
        expect(s, first, "st\r\n", EHLO_ANSWER);
        expect(s, second, "OOP\r\n", "250 2.0.0 OK\r\n");
        expect(s, first, ENVELOPE, ENVELOPE_ANSWER);
        nap(s, 20);
        assert_int_equal(s->gate.spare_count, 0); /* it is the message's */
        expect(s, first, "x\r\n.\r\n", "250 2.0.0 taken\r\n");
        host_tcp_close(s->loop.host, first);
        host_tcp_close(s->loop.host, second);
}

static void test_rests(void **state)
{
        (void)state;
        struct server s = {0};
        run(&s, client_rests);
}

#define LET_GO "421 4.3.2 Others wait and you are slow, closing; try again later\r\n"

/* The one that was least lately used goes, whether it waits or has begun a command; not one with a message under way. */
static void client_dismissed(struct server *s)
{
        struct host_tcp *busy = dial(s), *old = dial(s), *used = dial(s);
        expect(s, busy, "", "220 mx.test ESMTP\r\n");
        expect(s, old, "", "220 mx.test ESMTP\r\n");
        expect(s, used, "", "220 mx.test ESMTP\r\n");
        expect(s, busy, "EHLO c.test\r\n", EHLO_ANSWER);
        expect(s, busy, ENVELOPE, ENVELOPE_ANSWER);
        nap(s, 60);
        expect(s, used, "EHLO c.test\r\nMAIL FROM:<a@b.test>\r\n", EHLO_ANSWER "250 2.1.0 sender ok\r\n");
        expect(s, old, "NOOP\r\n", "250 2.0.0 OK\r\n"); /* that is no use */
        loopback_say(&s->loop, old, S("RSE"));
        struct host_tcp *new = dial(s); /* all places are taken then */
        expect(s, new, "", "220 mx.test ESMTP\r\n");
        expect(s, old, "", LET_GO);
        expect_end(s, old);
        assert_int_equal(s->gate.dismissed, 1);
        assert_int_equal(s->closed, SMTP_CLOSED_CROWDED);
        struct host_tcp *next = dial(s);
        expect(s, next, "", "220 mx.test ESMTP\r\n");
        assert_int_equal(s->gate.dismissed, 1); /* all others have been used a moment ago */
        expect(s, used, "NOOP\r\n", "250 2.0.0 OK\r\n");
        expect(s, busy, "x\r\n.\r\n", "250 2.0.0 taken\r\n");
        host_tcp_close(s->loop.host, busy);
        host_tcp_close(s->loop.host, old);
        host_tcp_close(s->loop.host, used);
        host_tcp_close(s->loop.host, new);
        host_tcp_close(s->loop.host, next);
}

static void test_dismissed(void **state)
{
        (void)state;
        struct server s = {.gate = {.most = 4, .dismiss_ms = 50}};
        run(&s, client_dismissed);
}

static void client_messages(struct server *s)
{
        struct host_tcp *first = dial(s), *second = dial(s);
        expect(s, first, "", "220 mx.test ESMTP\r\n");
        expect(s, second, "", "220 mx.test ESMTP\r\n");
        expect(s, first, "EHLO c.test\r\n", EHLO_ANSWER);
        expect(s, second, "EHLO c.test\r\n", EHLO_ANSWER);
        expect(s, first, ENVELOPE, ENVELOPE_ANSWER);
        expect(s, second, ENVELOPE,
                "250 2.1.0 sender ok\r\n550 5.1.1 no such one\r\n250 2.1.5 recipient ok\r\n"
                "452 4.3.2 Too many messages at once, try again later\r\n");
        expect(s, first, "x\r\n.\r\n", "250 2.0.0 taken\r\n");
        expect(s, second, "RSET\r\n", "250 2.0.0 Reset\r\n");
        expect(s, second, ENVELOPE, ENVELOPE_ANSWER);
        expect(s, second, "x\r\n.\r\n", "250 2.0.0 taken\r\n");
        host_tcp_close(s->loop.host, first);
        host_tcp_close(s->loop.host, second);
}

static void test_messages(void **state)
{
        (void)state;
        struct server s = {.gate.messages_most = 1};
        run(&s, client_messages);
}

/* Refusals behind the second wait; what is no refusal does not, and nobody in a crowd. */
static void client_tarpit(struct server *s)
{
        static const struct {
                const char *say, *hear;
                int waits;
        } steps[] = {
                {"", "220 mx.test ESMTP\r\n", 0},
                {"FOO\r\nFOO\r\n", "500 5.5.2 Command not known\r\n500 5.5.2 Command not known\r\n", 0},
                {"NOOP\r\n", "250 2.0.0 OK\r\n", 0},
                {"FOO\r\n", "500 5.5.2 Command not known\r\n", 1},
                {"NOOP\r\n", "250 2.0.0 OK\r\n", 0},
                {"FOO\r\nNOOP\r\nFOO\r\n",
                        "500 5.5.2 Command not known\r\n250 2.0.0 OK\r\n500 5.5.2 Command not known\r\n", 2},
        };
        struct host_tcp *tcp = dial(s);
        bool is_crowded = s->gate.most == 1;
        for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
                int64_t begin_ms = host_now_ms(s->loop.host);
                expect(s, tcp, steps[i].say, steps[i].hear);
                int64_t took_ms = host_now_ms(s->loop.host) - begin_ms;
                assert_int_equal(
                        took_ms >= s->config.tarpit_ms * steps[i].waits, !is_crowded || steps[i].waits == 0);
                assert_true(steps[i].waits > 0 || took_ms < s->config.tarpit_ms);
        }
        host_tcp_close(s->loop.host, tcp);
}

static void test_tarpit(void **state)
{
        (void)state;
        for (size_t most = 1; most <= 10; most += 9) {
                struct server s = {.gate.most = most, .config.tarpit_ms = 200};
                run(&s, client_tarpit);
        }
}

/* A message of some megabytes, from our own client: what comes is what was sent. */
static void client_large(struct server *s)
{
        enum { SIZE = 5 * 1024 * 1024 };
        struct smtp_out *o = malloc(sizeof *o);
        struct smtp_out_config config = {.to = s->loop.at, .client.hello = S("c.test")};
        struct smtp_mail_params params = {.has_size = true, .size = SIZE};
        struct smtp_reply reply;
        char *message = malloc(SIZE);
        for (size_t i = 0; i < SIZE; i++)
                message[i] = (char)(i % 3 == 0 ? '.' : 'a' + (int)(i % 23));
        for (size_t i = 0; i + 2 < SIZE; i += 2 + i % 97)
                memcpy(message + i, "\r\n", 2);
        memcpy(message + SIZE - 2, "\r\n", 2);
        for (size_t i = 1; i < SIZE; i++) /* a CR whose LF was overwritten */
                if (message[i - 1] == '\r' && message[i] != '\n')
                        message[i - 1] = '.';
        assert_int_equal(smtp_out_open(o, s->loop.host, &config, &reply), ERR_OK);
        assert_int_equal(smtp_out_mail(o, S("a@b.test"), &params, &reply), ERR_OK);
        assert_int_equal(smtp_out_rcpt(o, S("refused@y.test"), &reply), ERR_OK);
        assert_int_equal(reply.code, 550);
        assert_true(str_eq(reply.text, S("no such one")));
        assert_int_equal(smtp_out_rcpt(o, S("x@y.test"), &reply), ERR_OK);
        assert_int_equal(smtp_out_data(o, &reply), ERR_OK);
        assert_int_equal(reply.code, 354);
        for (size_t at = 0; at < SIZE; at += 30011)
                assert_int_equal(smtp_out_body(o, str_take(str_of(message + at, SIZE - at), 30011)), ERR_OK);
        assert_int_equal(smtp_out_end(o, &reply), ERR_OK);
        assert_int_equal(reply.code, 250);
        assert_true(str_eq(str_of(s->message, s->message_n), str_of(message, SIZE)));
        smtp_out_quit(o);
        assert_int_equal(s->closed, SMTP_CLOSED_QUIT);
        free(message);
        free(o);
}

static void test_large(void **state)
{
        (void)state;
        struct server s = {0};
        run(&s, client_large);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_session),
                cmocka_unit_test(test_stray),
                cmocka_unit_test(test_slow),
                cmocka_unit_test(test_crowd),
                cmocka_unit_test(test_cancel),
                cmocka_unit_test(test_rests),
                cmocka_unit_test(test_dismissed),
                cmocka_unit_test(test_messages),
                cmocka_unit_test(test_tarpit),
                cmocka_unit_test(test_large),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
