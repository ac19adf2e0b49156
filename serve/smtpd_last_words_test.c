/* SPDX-License-Identifier: ISC */
/* The last words of a session to a client that reads nothing more: they hold nobody up who waits for its place. */
#include "host/sim/stage.h"
#include "serve/smtpd.h"

#define GREETING "220 mx.test ESMTP\r\n"

struct session {
        struct stage *stage;
        struct host_tcp *tcp;
        struct smtpd_gate gate;
        enum smtp_server_closed closed;
        int64_t ended_ms;
};

static struct smtp_reply yes_mail(void *ctx, const struct smtp_mail *mail)
{
        (void)ctx;
        (void)mail;
        return smtp_reply_plain(250, S("OK"));
}

static struct smtp_reply yes_rcpt(void *ctx, const struct smtp_path *to)
{
        (void)ctx;
        (void)to;
        return smtp_reply_plain(250, S("OK"));
}

static void pass(void *ctx, struct str bytes)
{
        (void)ctx;
        (void)bytes;
}

static struct smtp_reply yes_end(void *ctx, const struct smtpd_message *message)
{
        (void)ctx;
        (void)message;
        return smtp_reply_plain(250, S("OK"));
}

static void run_session(void *arg)
{
        static const struct smtpd_handler handler = {
                .mail = yes_mail, .rcpt = yes_rcpt, .body = pass, .end = yes_end};
        struct session *s = arg;
        const struct smtpd_config config = {.server.hostname = S("mx.test"), .gate = &s->gate};
        s->closed = smtpd_run(s->stage->bh, s->tcp, &config, &handler, s);
        s->ended_ms = sim_now(s->stage->sim);
}

/* The client says `say` and reads nothing; a minute later room is needed. How long the session holds its place from then on. */
static int64_t held_ms(struct stage *stage, const char *say, enum smtp_server_closed *closed)
{
        struct session s = {.stage = stage, .gate = {.most = 1, .open = 1, .dismiss_ms = 1000}};
        struct sim_link link = sim_link_get(stage->sim, stage->b, stage->a);
        struct scope scope;
        link.window = sizeof GREETING - 1; /* there is room for that, and for no more */
        sim_link_set(stage->sim, stage->b, stage->a, &link);
        struct pair p = pair_open(stage);
        s.tcp = p.far;
        scope_open(&scope, sim_sched(stage->sim), FIBER_NEVER);
        assert_int_equal(scope_spawn(&scope, "session", run_session, &s), ERR_OK);
        assert_int_equal(host_tcp_write(stage->ah, p.near, str_of_c(say), FIBER_NEVER), ERR_OK);
        stage_sleep(stage, 60000);
        int64_t begin_ms = sim_now(stage->sim);
        smtpd_gate_make_room(&s.gate, begin_ms);
        assert_int_equal(s.gate.dismissed, 1);
        assert_int_equal(scope_join(&scope), ERR_OK);
        *closed = s.closed;
        pair_close(stage, &p);
        smtpd_gate_drop(&s.gate);
        return s.ended_ms - begin_ms;
}

/* Its wait for a command is ended, and "others wait" finds no room on the way. */
static void idle(struct stage *stage)
{
        enum smtp_server_closed closed;
        assert_true(held_ms(stage, "", &closed) <= 1000);
        assert_int_equal(closed, SMTP_CLOSED_CROWDED);
}

/* It has said QUIT already, and "221" finds none. */
static void leaving(struct stage *stage)
{
        enum smtp_server_closed closed;
        assert_int_equal(held_ms(stage, "QUIT\r\n", &closed), 0);
        assert_int_equal(closed, SMTP_CLOSED_QUIT);
}

static void test_idle(void **state)
{
        (void)state;
        stage_check(1, idle);
}

static void test_leaving(void **state)
{
        (void)state;
        stage_check(1, leaving);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_idle),
                cmocka_unit_test(test_leaving),
        };
        return cmocka_run_group_tests_name("smtpd_last_words", tests, NULL, NULL);
}
