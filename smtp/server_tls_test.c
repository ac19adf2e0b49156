/* SPDX-License-Identifier: ISC */
/* STARTTLS (RFC 3207) by the server engine: what is forgotten, and what is never carried over. */
#include "smtp/server_dialogue.h"

#define OFFER                         \
        BEGIN                         \
        "C:EHLO c.test\n"             \
        "S:250-mx.test hello\n"       \
        "S:250-PIPELINING\n"          \
        "S:250-SIZE 1000\n"           \
        "S:250-8BITMIME\n"            \
        "S:250-SMTPUTF8\n"            \
        "S:250-CHUNKING\n"            \
        "S:250-STARTTLS\n"            \
        "S:250 ENHANCEDSTATUSCODES\n" \
        "E:ehlo c.test\n"
#define SECURED                       \
        OFFER                         \
        "C:STARTTLS\n"                \
        "S:220 2.0.0 Ready for TLS\n" \
        "E:secure\n"

static const struct dialogue dialogues[] = {
        {"a session begins anew", SECURED EHLO QUIT, true},
        {"nothing is known from before",
                SECURED "C:MAIL FROM:<a@b.test>\n"
                        "S:503 5.5.1 EHLO first\n" QUIT,
                true},
        {"not twice",
                SECURED EHLO "C:STARTTLS\n"
                             "S:503 5.5.1 TLS is on already\n" QUIT,
                true},
        {"not before EHLO",
                BEGIN "C:STARTTLS\n"
                      "S:503 5.5.1 Not at this point\n" QUIT,
                true},
        {"not within a transaction",
                OFFER "C:MAIL FROM:<a@b.test>\n"
                      "C:STARTTLS\n"
                      "S:250 2.1.0 sender ok\n"
                      "S:503 5.5.1 Not at this point\n"
                      "E:mail <a@b.test>\n"
                      "C:QUIT\n"
                      "S:221 2.0.0 Bye\n"
                      "E:reset closed\n"
                      "E:closed quit\n",
                true},
        {"it takes no parameters",
                OFFER "C:STARTTLS now\n"
                      "S:501 5.5.4 No parameters here\n" QUIT,
                true},
        {"HELP names it as long as it can be said",
                OFFER "C:HELP\n"
                      "S:214 2.0.0 HELO EHLO MAIL RCPT DATA BDAT RSET NOOP VRFY HELP STARTTLS QUIT\n" QUIT,
                true},
        {"where it is not offered",
                HELLO "C:STARTTLS\n"
                      "S:502 5.5.1 Command not implemented\n" QUIT,
                false},
};

static void test_dialogues(void **state)
{
        (void)state;
        play_dialogues(dialogues, sizeof dialogues / sizeof dialogues[0]);
}

static void feed(struct smtp_server *s, struct str bytes)
{
        size_t cap;
        char *room = smtp_server_room(s, &cap);
        assert_true(bytes.n <= cap);
        memcpy(room, bytes.p, bytes.n);
        smtp_server_got(s, bytes.n, 0);
}

/* A session that has said EHLO and was offered STARTTLS. */
static void greet(struct server_play *p)
{
        struct smtp_server_config config = server_play_config();
        config.offer.starttls = true;
        server_play_begin(p, &config);
        feed(p->server, S("EHLO c.test\r\n"));
        server_play_drain(p);
}

/* Up to the 220 that is pending. */
static void start_tls(struct server_play *p)
{
        struct smtp_server_event event;
        feed(p->server, S("STARTTLS\r\n"));
        assert_true(smtp_server_next(p->server, &event));
        assert_int_equal(event.kind, SMTP_SERVER_STARTTLS);
        server_play_event(p, &event);
        assert_false(smtp_server_next(p->server, &event));
}

/* Commands that somebody on the way put behind STARTTLS would run as the client's own (CVE-2011-0411). */
static void test_bytes_behind_starttls(void **state)
{
        struct server_play p;
        (void)state;
        greet(&p);
        feed(p.server, S("STARTTLS\r\nMAIL FROM:<a@b.test>\r\n"));
        p.output.n = p.events.n = 0;
        server_play_drain(&p);
        assert_true(p.is_closed);
        assert_true(str_eq(play_str(&p.output), S("503 5.5.0 Bytes before TLS, closing\r\n")));
        assert_true(str_eq(play_str(&p.events), S("closed protocol broken\n")));
        server_play_free(&p);
}

/* The same when they come while 220 is being written. */
static void test_bytes_behind_220(void **state)
{
        struct server_play p;
        (void)state;
        greet(&p);
        start_tls(&p);
        assert_true(smtp_server_pending(p.server).n > 0);
        feed(p.server, S("NOOP\r\n"));
        smtp_server_sent(p.server, smtp_server_pending(p.server).n, 0);
        p.events.n = 0;
        server_play_drain(&p);
        assert_true(str_eq(play_str(&p.events), S("closed protocol broken\n")));
        server_play_free(&p);
}

/* A handshake that fails is a connection lost; one that takes too long has the session's deadline. */
static void test_no_handshake(void **state)
{
        struct smtp_server_event event;
        struct server_play p;
        (void)state;
        greet(&p);
        start_tls(&p);
        smtp_server_sent(p.server, smtp_server_pending(p.server).n, 0);
        assert_true(smtp_server_next(p.server, &event));
        assert_int_equal(event.kind, SMTP_SERVER_SECURE);
        assert_false(smtp_server_next(p.server, &event));
        assert_true(smtp_server_deadline(p.server) < INT64_MAX);
        smtp_server_lost(p.server);
        p.events.n = 0;
        server_play_drain(&p);
        assert_true(str_eq(play_str(&p.events), S("closed connection lost\n")));
        server_play_free(&p);
}

/* RFC 3207 4: 454 while there is no room for it, and the session goes on in the clear. */
static void test_held(void **state)
{
        uint32_t whole = 0;
        struct server_play p;
        (void)state;
        greet(&p);
        p.output.n = p.events.n = 0;
        p.no_tls = true;
        server_play_feed(&p, S("STARTTLS\r\n"), &whole);
        server_play_feed(&p, S("NOOP\r\n"), &whole);
        p.no_tls = false;
        server_play_feed(&p, S("STARTTLS\r\n"), &whole);
        assert_true(str_eq(play_str(&p.output), S("454 4.7.0 not now\r\n"
                                                  "250 2.0.0 OK\r\n220 2.0.0 Ready for TLS\r\n")));
        assert_true(str_eq(play_str(&p.events), S("secure\n")));
        server_play_free(&p);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_dialogues),
                cmocka_unit_test(test_bytes_behind_starttls),
                cmocka_unit_test(test_bytes_behind_220),
                cmocka_unit_test(test_no_handshake),
                cmocka_unit_test(test_held),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
