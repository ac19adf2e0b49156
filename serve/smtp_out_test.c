/* SPDX-License-Identifier: ISC */
/* The client against servers that follow a script: good ones, and such as hang up, stall and lie. */
#include "serve/smtp_out.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "serve/loopback.h"

struct scripted {
        struct loopback loop; /* first */
        const struct loopback_step *steps;
        struct smtp_out *out;
        struct smtp_out_config config;
        void (*client)(struct scripted *t);
};

static void server_fiber(void *arg)
{
        struct scripted *t = arg;
        struct host_tcp *tcp;
        struct ip_port peer;
        if (host_accept(t->loop.host, t->loop.listener, loopback_in_ms(&t->loop, 5000), &tcp, &peer) !=
                ERR_OK)
                return;
        loopback_play(&t->loop, tcp, t->steps);
        host_tcp_close(t->loop.host, tcp);
}

static void main_fiber(void *arg)
{
        struct scripted *t = arg;
        struct scope scope;
        loopback_listen(&t->loop);
        t->config.to = t->loop.at;
        t->config.client.hello = S("c.test");
        scope_open(&scope, t->loop.host->sched, FIBER_NEVER);
        assert_int_equal(scope_spawn(&scope, "server", server_fiber, t), ERR_OK);
        t->client(t);
        smtp_out_close(t->out);
        scope_cancel(&scope);
        scope_join(&scope);
        host_listener_close(t->loop.host, t->loop.listener);
}

static void run(struct scripted *t, void (*client)(struct scripted *t))
{
        t->client = client;
        t->out = malloc(sizeof *t->out);
        loopback_run(&t->loop, main_fiber);
        free(t->out);
}

#define GREET                                        \
        {                                            \
                "220 mx.test\r\n", "EHLO c.test\r\n" \
        }
#define PLAIN                           \
        {                               \
                "250 mx.test\r\n", NULL \
        }
#define OFFER                                                                         \
        {                                                                             \
                "250-mx.test\r\n250-PIPELINING\r\n250-SIZE\r\n250 8BITMIME\r\n", NULL \
        }
#define STOP               \
        {                  \
                NULL, NULL \
        }

static const struct smtp_mail_params no_params;

static void open_session(struct scripted *t)
{
        struct smtp_reply reply;
        assert_int_equal(smtp_out_open(t->out, t->loop.host, &t->config, &reply), ERR_OK);
        assert_int_equal(reply.code, 250);
}

static enum err open_fails(struct scripted *t, struct smtp_reply *reply)
{
        enum err e = smtp_out_open(t->out, t->loop.host, &t->config, reply);
        struct smtp_reply later;
        assert_int_not_equal(e, ERR_OK);
        assert_int_not_equal(smtp_out_rset(t->out, &later), ERR_OK);
        return e;
}

static void client_silence(struct scripted *t)
{
        struct smtp_reply reply;
        t->config.client.greeting_ms = 100;
        assert_int_equal(open_fails(t, &reply), ERR_TIMEOUT);
        assert_int_equal(reply.code, 0);
}

static void client_refused(struct scripted *t)
{
        struct smtp_reply reply;
        assert_int_equal(open_fails(t, &reply), ERR_DENIED);
        assert_int_equal(reply.code, 554);
        assert_true(str_eq(reply.text, S("not you")));
}

static void client_hung_up(struct scripted *t)
{
        struct smtp_reply reply;
        assert_int_equal(open_fails(t, &reply), ERR_EOF);
}

static void client_nonsense(struct scripted *t)
{
        struct smtp_reply reply;
        assert_int_equal(open_fails(t, &reply), ERR_SYNTAX);
}

static void client_nobody(struct scripted *t)
{
        struct smtp_reply reply;
        t->config.to.port = 1;
        assert_int_equal(open_fails(t, &reply), ERR_REFUSED);
}

static void test_no_session(void **state)
{
        (void)state;
        static const struct loopback_step silence[] = {{NULL, LOOPBACK_END}, STOP},
                                          refused[] = {{"554 5.7.1 not you\r\n", NULL}, STOP},
                                          hung_up[] = {{"22", NULL}, STOP},
                                          nonsense[] = {{"SSH-2.0-x\r\n", LOOPBACK_END}, STOP};
        struct scripted a = {.steps = silence}, b = {.steps = refused}, c = {.steps = hung_up},
                        d = {.steps = nonsense}, e = {.steps = silence};
        run(&a, client_silence);
        run(&b, client_refused);
        run(&c, client_hung_up);
        run(&d, client_nonsense);
        run(&e, client_nobody);
}

/* What an envelope came to, in one line: "MAIL RCPT... DATA accepted". */
static void check_envelope(struct scripted *t, const char *expected)
{
        const struct str to[] = {
                S("x@y.test"), S("\xc3\xa9@y.test"), S("no address"), S("refused@y.test"), S("z@y.test")};
        struct smtp_out_envelope envelope = {.from = S("a@b.test"), .to = to, .to_n = 5, .wants_data = true};
        struct smtp_reply mail, rcpt[5], data;
        char text[128];
        struct wr w;
        size_t accepted;
        assert_int_equal(smtp_out_envelope(t->out, &envelope, &mail, rcpt, &data, &accepted), ERR_OK);
        wr_init(&w, text, sizeof text);
        wr_u64(&w, mail.code);
        for (size_t i = 0; i < 5; i++) {
                wr_byte(&w, ' ');
                wr_u64(&w, rcpt[i].code);
        }
        wr_byte(&w, ' ');
        wr_u64(&w, data.code);
        wr_byte(&w, ' ');
        wr_u64(&w, accepted);
        if (!str_eq(wr_text(&w), str_of_c(expected)))
                fail_msg("came to <%.*s>, expected <%s>", STR_ARG(wr_text(&w)), expected);
        if (rcpt[3].code == 550) { /* texts of earlier answers are still there */
                assert_true(str_eq(mail.text, S("sender")));
                assert_true(str_eq(rcpt[3].text, S("no such one")));
                assert_int_equal(rcpt[3].enhanced.detail, 1);
        }
}

static void client_envelope(struct scripted *t)
{
        struct smtp_reply reply;
        open_session(t);
        check_envelope(t, "250 250 553 553 550 250 354 2");
        assert_int_equal(smtp_out_body(t->out, S("x\r\n.y\r\n")), ERR_OK);
        assert_int_equal(smtp_out_end(t->out, &reply), ERR_OK);
        assert_int_equal(reply.code, 250);
        smtp_out_quit(t->out);
        assert_int_equal(smtp_out_mail(t->out, S(""), &no_params, &reply), ERR_CLOSED);
}

static void client_all_refused(struct scripted *t)
{
        struct smtp_reply reply;
        open_session(t);
        check_envelope(t, "250 550 553 553 550 451 554 0");
        assert_int_equal(smtp_out_rset(t->out, &reply), ERR_OK);
        assert_int_equal(reply.code, 250);
}

static void client_sender_refused(struct scripted *t)
{
        open_session(t);
        check_envelope(t, "550 0 0 0 0 0 0 0");
}

static void client_421(struct scripted *t)
{
        struct smtp_reply reply;
        open_session(t);
        check_envelope(t, "250 421 553 553 0 0 0 0");
        assert_int_equal(smtp_out_rset(t->out, &reply), ERR_CLOSED);
}

static void test_envelopes(void **state)
{
        (void)state;
        static const struct loopback_step pipelined[] = {GREET, OFFER, {NULL, "DATA\r\n"},
                {"250 2.1.0 sender\r\n250 one\r\n550 5.1.1 no such one\r\n250 two\r\n354 go\r\n",
                        "x\r\n..y\r\n.\r\n"},
                {"250 ok\r\n", "QUIT\r\n"}, {"221 bye\r\n", NULL}, STOP};
        static const struct loopback_step plain[] = {GREET, PLAIN, {NULL, "MAIL FROM:<a@b.test>\r\n"},
                {"250 sender\r\n", "RCPT TO:<x@y.test>\r\n"}, {"250 one\r\n", "RCPT TO:<refused@y.test>\r\n"},
                {"550 5.1.1 no such one\r\n", "RCPT TO:<z@y.test>\r\n"}, {"250 two\r\n", "DATA\r\n"},
                {"354 go\r\n", "..y\r\n.\r\n"}, {"250 ok\r\n", "QUIT\r\n"}, {"221 bye\r\n", NULL}, STOP};
        static const struct loopback_step all_refused[] = {GREET, OFFER, {NULL, "DATA\r\n"},
                {"250 sender\r\n550 5.1.1 one\r\n550 5.1.1 no such one\r\n451 two\r\n354 go\r\n", ".\r\n"},
                {"554 nobody\r\n", "RSET\r\n"}, {"250 ok\r\n", NULL}, STOP};
        static const struct loopback_step sender_refused[] = {
                GREET, PLAIN, {NULL, "MAIL FROM:<a@b.test>\r\n"}, {"550 no\r\n", LOOPBACK_END}, STOP};
        static const struct loopback_step closing[] = {
                GREET, OFFER, {NULL, "DATA\r\n"}, {"250 sender\r\n421 4.3.2 away\r\n", NULL}, STOP};
        struct scripted a = {.steps = pipelined}, b = {.steps = plain}, c = {.steps = all_refused},
                        d = {.steps = sender_refused}, e = {.steps = closing};
        run(&a, client_envelope);
        run(&b, client_envelope);
        run(&c, client_all_refused);
        run(&d, client_sender_refused);
        run(&e, client_421);
}

static void client_unsayable(struct scripted *t)
{
        struct smtp_reply reply;
        struct smtp_mail_params utf8 = {.smtputf8 = true};
        struct str to = S("x@y.test");
        struct smtp_out_envelope envelope = {.from = S("a@b.test\r\nRSET"), .to = &to, .to_n = 1};
        size_t accepted;
        open_session(t);
        assert_int_equal(smtp_out_mail(t->out, S("a@b.test"), &utf8, &reply), ERR_UNSUPPORTED);
        assert_int_equal(
                smtp_out_envelope(t->out, &envelope, &reply, &reply, &reply, &accepted), ERR_UNSUPPORTED);
        assert_int_equal(smtp_out_data(t->out, &reply), ERR_SEQUENCE);
        assert_int_equal(smtp_out_mail(t->out, S("a@b.test"), &no_params, &reply), ERR_OK);
        assert_int_equal(reply.code, 250);
}

static void test_unsayable(void **state)
{
        (void)state;
        static const struct loopback_step steps[] = {
                GREET, PLAIN, {NULL, "MAIL FROM:<a@b.test>\r\n"}, {"250 ok\r\n", NULL}, STOP};
        struct scripted t = {.steps = steps};
        run(&t, client_unsayable);
}

static void open_message(struct scripted *t)
{
        struct str to = S("x@y.test");
        struct smtp_out_envelope envelope = {.from = S(""), .to = &to, .to_n = 1, .wants_data = true};
        struct smtp_reply mail, rcpt, data;
        size_t accepted;
        open_session(t);
        assert_int_equal(smtp_out_envelope(t->out, &envelope, &mail, &rcpt, &data, &accepted), ERR_OK);
        assert_int_equal(data.code, 354);
        assert_int_equal(accepted, 1);
}

/* The connection ends where the answer to the dot should be: nobody can tell whether the message is delivered. */
static void client_lost_at_dot(struct scripted *t)
{
        struct smtp_reply reply;
        open_message(t);
        assert_int_equal(smtp_out_body(t->out, S("x\r\n")), ERR_OK);
        assert_int_equal(smtp_out_end(t->out, &reply), ERR_EOF);
        assert_int_equal(reply.code, 0);
        assert_int_equal(smtp_out_end(t->out, &reply), ERR_EOF);
}

static void client_slow_dot(struct scripted *t)
{
        struct smtp_reply reply;
        t->config.client.end_ms = 100;
        open_message(t);
        assert_int_equal(smtp_out_end(t->out, &reply), ERR_TIMEOUT);
}

static void client_stray(struct scripted *t)
{
        struct smtp_reply reply;
        open_message(t);
        assert_int_equal(smtp_out_body(t->out, S("x\ny\r\n")), ERR_SYNTAX);
        assert_int_equal(smtp_out_end(t->out, &reply), ERR_SYNTAX);
        assert_null(t->out->wire.tcp);
}

/* Refused and hung up in the middle of a large message: the refusal is told, not the lost connection. */
static void client_early(struct scripted *t)
{
        static char block[32768];
        struct smtp_reply reply;
        memset(block, 'x', sizeof block);
        open_message(t);
        assert_int_equal(smtp_out_body(t->out, S("first\r\n")), ERR_OK);
        for (int i = 0; i < 2000; i++)
                assert_int_equal(smtp_out_body(t->out, str_of(block, sizeof block)), ERR_OK);
        assert_int_equal(smtp_out_end(t->out, &reply), ERR_OK);
        assert_int_equal(reply.code, 552);
        assert_true(str_eq(reply.text, S("too large")));
        assert_int_equal(smtp_out_rset(t->out, &reply), ERR_CLOSED);
}

#define DATA_STEPS                                     \
        GREET, OFFER, {NULL, "DATA\r\n"},              \
        {                                              \
                "250 ok\r\n250 ok\r\n354 go\r\n", NULL \
        }

static void test_messages(void **state)
{
        (void)state;
        static const struct loopback_step lost[] = {DATA_STEPS, {NULL, "\r\n.\r\n"}, STOP},
                                          slow[] = {DATA_STEPS, {NULL, LOOPBACK_END}, STOP};
        struct scripted a = {.steps = lost}, b = {.steps = slow}, c = {.steps = slow};
        run(&a, client_lost_at_dot);
        run(&b, client_slow_dot);
        run(&c, client_stray);
}

/* Accepts, reads some of the message, refuses it and goes on reading for a moment before it hangs up. */
static void test_refused_early(void **state)
{
        (void)state;
        static const struct loopback_step early[] = {
                DATA_STEPS, {"552 5.3.4 too large\r\n", LOOPBACK_END}, STOP};
        struct scripted t = {.steps = early};
        run(&t, client_early);
}

static void open_chunking(struct scripted *t)
{
        struct smtp_reply reply;
        open_session(t);
        assert_int_equal(smtp_out_mail(t->out, S("a@b.test"), &no_params, &reply), ERR_OK);
        assert_int_equal(smtp_out_rcpt(t->out, S("x@y.test"), &reply), ERR_OK);
}

static void client_chunk(struct scripted *t)
{
        struct smtp_reply reply;
        open_chunking(t);
        assert_int_equal(smtp_out_bdat(t->out, 6), ERR_OK);
        assert_int_equal(smtp_out_body(t->out, S(".\r\n")), ERR_OK);
        assert_int_equal(smtp_out_body(t->out, S("x\r\n")), ERR_OK);
        assert_int_equal(smtp_out_end(t->out, &reply), ERR_OK);
        assert_int_equal(reply.code, 250);
        assert_true(smtp_out_is_alive(t->out));
}

static void client_no_chunk(struct scripted *t)
{
        open_chunking(t);
        assert_int_equal(smtp_out_bdat(t->out, 6), ERR_UNSUPPORTED);
}

static void test_chunk(void **state)
{
        (void)state;
        static const struct loopback_step good[] = {GREET,
                {"250-mx.test\r\n250 CHUNKING\r\n", "MAIL FROM:<a@b.test>\r\n"},
                {"250 ok\r\n", "RCPT TO:<x@y.test>\r\n"}, {"250 ok\r\n", "BDAT 6 LAST\r\n.\r\nx\r\n"},
                {"250 taken\r\n", LOOPBACK_END}, STOP},
                                          plain[] = {GREET, {"250 mx.test\r\n", "MAIL FROM:<a@b.test>\r\n"},
                                                  {"250 ok\r\n", "RCPT TO:<x@y.test>\r\n"},
                                                  {"250 ok\r\n", LOOPBACK_END}, STOP};
        struct scripted a = {.steps = good}, b = {.steps = plain};
        run(&a, client_chunk);
        run(&b, client_no_chunk);
}

static void client_stale(struct scripted *t)
{
        struct smtp_reply reply;
        open_session(t);
        while (smtp_out_is_alive(t->out)) /* what the server does arrives in a moment */
                assert_int_equal(fiber_sleep(t->loop.host->sched, 5), ERR_OK);
        assert_false(smtp_out_is_alive(t->out));
        assert_int_equal(smtp_out_mail(t->out, S(""), &no_params, &reply), ERR_CLOSED);
}

/* The head of an answer that nobody asked for would be completed to the answer of the next command. */
static void client_said_more(struct scripted *t)
{
        open_session(t);
        assert_false(smtp_out_is_alive(t->out));
}

static void test_stale(void **state)
{
        (void)state;
        static const struct loopback_step more[] = {GREET, {"250 mx.test\r\n25", LOOPBACK_END}, STOP};
        static const struct loopback_step closed[] = {GREET, PLAIN, STOP},
                                          told[] = {GREET, PLAIN, {"421 4.4.2 idle\r\n", LOOPBACK_END}, STOP};
        struct scripted a = {.steps = closed}, b = {.steps = told};
        run(&a, client_stale);
        run(&b, client_stale);
        struct scripted c = {.steps = more};
        run(&c, client_said_more);
}

static void go(struct scripted *t, unsigned mail_code, unsigned end_code)
{
        const struct str to = S("x@y.test");
        const struct smtp_out_envelope envelope = {.from = S("a@b.test"), .to = &to, .to_n = 1};
        struct smtp_reply mail, rcpt, end;
        assert_int_equal(smtp_out_go(t->out, &envelope, S("hello\r\n"), &mail, &rcpt, &end), ERR_OK);
        assert_int_equal(mail.code, mail_code);
        assert_int_equal(end.code, end_code);
}

/* The server had enough of the session before the second message began: that is its answer, as it is to an envelope. */
static void client_go_then_421(struct scripted *t)
{
        struct smtp_reply reply;
        open_session(t);
        go(t, 250, 250);
        go(t, 421, 0);
        assert_int_equal(smtp_out_rset(t->out, &reply), ERR_CLOSED);
}

static void test_go_then_421(void **state)
{
        (void)state;
        static const struct loopback_step together[] = {GREET,
                {"250-mx.test\r\n250-PIPELINING\r\n250 CHUNKING\r\n", "hello\r\n"},
                {"250 mail\r\n250 rcpt\r\n250 kept\r\n421 4.7.0 enough\r\n", LOOPBACK_END}, STOP};
        struct scripted t = {.steps = together};
        run(&t, client_go_then_421);
}

static void cancelled_fiber(void *arg)
{
        struct scripted *t = arg;
        struct smtp_reply reply;
        assert_int_equal(smtp_out_open(t->out, t->loop.host, &t->config, &reply), ERR_CANCELLED);
        smtp_out_quit(t->out);
}

static void client_cancelled(struct scripted *t)
{
        struct scope scope;
        scope_open(&scope, t->loop.host->sched, FIBER_NEVER);
        assert_int_equal(scope_spawn(&scope, "client", cancelled_fiber, t), ERR_OK);
        assert_int_equal(fiber_sleep(t->loop.host->sched, 50), ERR_OK);
        scope_cancel(&scope);
        scope_join(&scope);
}

static void test_cancelled(void **state)
{
        (void)state;
        static const struct loopback_step silence[] = {{NULL, LOOPBACK_END}, STOP};
        struct scripted t = {.steps = silence};
        run(&t, client_cancelled);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_no_session),
                cmocka_unit_test(test_envelopes),
                cmocka_unit_test(test_unsayable),
                cmocka_unit_test(test_messages),
                cmocka_unit_test(test_refused_early),
                cmocka_unit_test(test_chunk),
                cmocka_unit_test(test_stale),
                cmocka_unit_test(test_go_then_421),
                cmocka_unit_test(test_cancelled),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
