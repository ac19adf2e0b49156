/* SPDX-License-Identifier: ISC */
/* Time: what a server engine gives each command, each message and the whole session, and what it lets go meanwhile. */
#include "smtp/server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "smtp/server_play.h"

#define ENVELOPE S("EHLO c.test\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<x@y.test>\r\n")

static void begin(struct server_play *p)
{
        struct smtp_server_config config = server_play_config();
        config.message_max = 0;
        server_play_begin(p, &config);
}

static void feed(struct server_play *p, struct str bytes)
{
        uint32_t whole = 0;
        server_play_feed(p, bytes, &whole);
}

static bool has_ended(const struct server_play *p, struct str reply)
{
        return p->is_closed && str_has_suffix_nocase(play_str(&p->output), reply) &&
               str_has_suffix_nocase(play_str(&p->events), S("closed timeout\n"));
}

/* Tick until the session ends; when that was. */
static int64_t closes_at(struct server_play *p, int64_t limit_ms, int64_t byte_each_ms)
{
        uint32_t whole = 0;
        int64_t fed_ms = p->now_ms;
        while (!p->is_closed && p->now_ms < limit_ms) {
                p->now_ms += 1000;
                if (byte_each_ms > 0 && p->now_ms - fed_ms >= byte_each_ms) {
                        fed_ms = p->now_ms;
                        server_play_feed(p, S("x"), &whole);
                }
                smtp_server_tick(p->server, p->now_ms);
                server_play_drain(p);
        }
        return p->now_ms;
}

#define SLOW S("421 4.4.2 Too slow, closing\r\n")

/* A command has its five minutes, and single bytes do not give it more (RFC 5321 4.5.3.2.7). */
static void test_command(void **state)
{
        (void)state;
        struct server_play p;
        for (int64_t byte_each_ms = 0; byte_each_ms <= 60000; byte_each_ms += 20000) {
                begin(&p);
                feed(&p, S("EHLO c.test\r\n"));
                assert_int_equal(closes_at(&p, INT64_MAX, byte_each_ms), SMTP_SERVER_IDLE_MS);
                assert_true(has_ended(&p, SLOW));
                server_play_free(&p);
        }
}

/* Blocks of a message each have their minutes, but the whole must come at a rate: by DATA, by BDAT, taken or dropped. */
static void test_message(void **state)
{
        (void)state;
        static const struct {
                const char *begins;
                uint64_t message_max;
        } cases[] = {{"DATA\r\n", 0}, {"DATA\r\n", 3}, {"BDAT 1000000\r\n", 0}, {"BDAT 100000\r\n", 5}};
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct smtp_server_config config = server_play_config();
                struct server_play p;
                config.message_max = cases[i].message_max;
                for (int64_t byte_each_ms = 0; byte_each_ms <= 60000; byte_each_ms += 60000) {
                        server_play_begin(&p, &config);
                        feed(&p, ENVELOPE);
                        feed(&p, str_of_c(cases[i].begins));
                        assert_int_equal(closes_at(&p, INT64_MAX, byte_each_ms),
                                byte_each_ms > 0 ? SMTP_SERVER_DATA_MS : SMTP_SERVER_IDLE_MS);
                        assert_true(has_ended(&p, SLOW));
                        server_play_free(&p);
                }
        }
}

/* A message that keeps the least rate is taken, though it takes hours; one that falls below it ends when its time does. */
static void test_rate(void **state)
{
        (void)state;
        enum { BLOCKS = 200 };
        static char block[SMTP_SERVER_DATA_RATE * 60];
        struct server_play p;
        for (size_t i = 0; i < sizeof block; i++)
                block[i] = i % 64 == 62 ? '\r' : i % 64 == 63 ? '\n' : 'x';
        begin(&p);
        feed(&p, ENVELOPE);
        feed(&p, S("DATA\r\n"));
        for (int i = 0; i < BLOCKS; i++) {
                p.now_ms += 60000;
                feed(&p, str_of(block, sizeof block));
                smtp_server_tick(p.server, p.now_ms);
                server_play_drain(&p);
        }
        assert_false(p.is_closed);
        assert_true(p.now_ms > 3 * 60 * 60 * 1000);
        assert_int_equal(closes_at(&p, INT64_MAX, 60000), BLOCKS * 60000 + SMTP_SERVER_DATA_MS);
        server_play_free(&p);
}

/* Between chunks the message's time goes on; a NOOP does not give more of it. */
static void test_chunks(void **state)
{
        (void)state;
        struct server_play p;
        begin(&p);
        feed(&p, ENVELOPE);
        feed(&p, S("BDAT 3\r\nx\r\n"));
        for (p.now_ms = 60000; !p.is_closed; p.now_ms += 60000) {
                smtp_server_tick(p.server, p.now_ms);
                server_play_drain(&p);
                if (!p.is_closed)
                        feed(&p, S("NOOP\r\n"));
        }
        assert_int_equal(p.now_ms - 60000, SMTP_SERVER_DATA_MS);
        server_play_free(&p);
}

/* Chunks that come together with their commands keep the rate as others do, and the session lasts as long as they come. */
static void test_small_chunks_keep_the_rate(void **state)
{
        (void)state;
        enum { SIZE = 2 * SMTP_SERVER_DATA_RATE, CHUNKS = 1200, HEAD = sizeof "BDAT 2048\r\n" - 1 };
        static char chunk[HEAD + SIZE];
        struct server_play p;
        memcpy(chunk, "BDAT 2048\r\n", HEAD);
        for (size_t i = 0; i < SIZE; i++)
                chunk[HEAD + i] = i % 64 == 62 ? '\r' : i % 64 == 63 ? '\n' : 'x';
        begin(&p);
        feed(&p, ENVELOPE);
        for (int i = 0; i < CHUNKS && !p.is_closed; i++) {
                p.now_ms += 2000;
                smtp_server_tick(p.server, p.now_ms);
                server_play_drain(&p);
                if (!p.is_closed)
                        feed(&p, str_of(chunk, sizeof chunk));
        }
        assert_false(p.is_closed);
        assert_true(p.now_ms > SMTP_SERVER_SESSION_MS + SMTP_SERVER_DATA_MS / 2);
        feed(&p, S("BDAT 0 LAST\r\n"));
        assert_true(str_has_suffix_nocase(play_str(&p.output), S("250 2.0.0 taken\r\n")));
        server_play_free(&p);
}

/* Commands that each come in time and bring no message end the session all the same, at one of them. */
static void test_session(void **state)
{
        (void)state;
        static const char *const lines[] = {
                "NOOP\r\n", "RSET\r\n", "EHLO c.test\r\n", "RCPT TO:<x@y.test>\r\n"};
        for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
                struct server_play p;
                begin(&p);
                feed(&p, ENVELOPE);
                while (!p.is_closed) {
                        p.now_ms += SMTP_SERVER_IDLE_MS - 1;
                        feed(&p, str_of_c(lines[i]));
                }
                assert_in_range(
                        p.now_ms, SMTP_SERVER_SESSION_MS, SMTP_SERVER_SESSION_MS + SMTP_SERVER_IDLE_MS);
                assert_true(has_ended(&p, S("421 4.4.2 Too long without a message, closing\r\n")));
                server_play_free(&p);
        }
}

static void test_session_with_messages(void **state)
{
        (void)state;
        struct server_play p;
        begin(&p);
        feed(&p, S("EHLO c.test\r\n"));
        for (int i = 0; i < 20; i++) {
                p.now_ms += SMTP_SERVER_SESSION_MS / 2;
                feed(&p, S("MAIL FROM:<a@b.test>\r\nRCPT TO:<x@y.test>\r\nDATA\r\n"));
                feed(&p, S("x\r\n.\r\n"));
        }
        assert_false(p.is_closed);
        p.now_ms += SMTP_SERVER_SESSION_MS;
        feed(&p, S("QUIT\r\n"));
        assert_true(p.is_closed && str_has_suffix_nocase(play_str(&p.output), S("221 2.0.0 Bye\r\n")));
        server_play_free(&p);
}

/* Buffers may go while a command is waited for, and never while they hold something. */
static void test_rest(void **state)
{
        (void)state;
        static const struct {
                const char *bytes;
                bool may_rest;
                size_t unread;
        } cases[] = {
                {"", true, 0},
                {"EHLO c.te", true, 9},
                {"EHLO c.test\r\n", true, 0},
                {"EHLO c.test\r\nMAIL FROM:<a@b.test>\r\nRC", true, 2},
                {"EHLO c.test\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<x@y.test>\r\nDATA\r\n", false, 0},
                {"EHLO c.test\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<x@y.test>\r\nBDAT 9\r\nx", false, 0},
                {"EHLO c.test\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<x@y.test>\r\nBDAT 3\r\nx\r", false, 0},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct server_play p;
                struct str unread;
                begin(&p);
                assert_true(smtp_server_may_rest(p.server, &unread));
                feed(&p, str_of_c(cases[i].bytes));
                assert_int_equal(smtp_server_may_rest(p.server, &unread), cases[i].may_rest);
                if (cases[i].may_rest)
                        assert_int_equal(unread.n, cases[i].unread);
                server_play_free(&p);
        }
}

/* Without buffers the loss of the connection still ends the transaction and the session. */
static void test_lost_at_rest(void **state)
{
        (void)state;
        struct server_play p;
        begin(&p);
        feed(&p, ENVELOPE);
        smtp_server_rest(p.server);
        server_play_end_of_input(&p);
        assert_true(str_has_suffix_nocase(play_str(&p.events), S("reset closed\nclosed connection lost\n")));
        server_play_free(&p);
}

static void test_dismissed(void **state)
{
        (void)state;
        struct server_play p;
        begin(&p);
        feed(&p, ENVELOPE);
        smtp_server_dismiss(p.server);
        server_play_drain(&p);
        assert_true(p.is_closed);
        assert_true(str_has_suffix_nocase(play_str(&p.output),
                S("421 4.3.2 Others wait and you are slow, closing; try again later\r\n")));
        assert_true(str_has_suffix_nocase(play_str(&p.events), S("reset closed\nclosed room for others\n")));
        server_play_free(&p);
}

static void test_refusals_are_counted(void **state)
{
        (void)state;
        struct server_play p;
        begin(&p);
        assert_int_equal(smtp_server_refusals(p.server), 0);
        feed(&p, S("FOO\r\nEHLO c.test\r\nMAIL FROM:<later@b.test>\r\nMAIL FROM:<a@b.test>\r\n"));
        assert_int_equal(smtp_server_refusals(p.server), 2);
        feed(&p, S("RCPT TO:<refused@b.test>\r\nNOOP\r\n"));
        assert_int_equal(smtp_server_refusals(p.server), 3);
        server_play_free(&p);
}

/* A client that speaks before the banner is told so and left; one that waits is greeted when the time is over. */
static void test_greeting_delay(void **state)
{
        struct smtp_server_config config = server_play_config();
        struct server_play p;
        uint32_t whole = 0;
        (void)state;
        config.greet_ms = 500;
        for (int i = 0; i < 2; i++) {
                server_play_begin(&p, &config);
                assert_int_equal(p.output.n, 0);
                assert_true(smtp_server_deadline(p.server) == 500);
                p.now_ms = 499;
                smtp_server_tick(p.server, p.now_ms);
                server_play_drain(&p);
                assert_int_equal(p.output.n, 0);
                if (i == 0)
                        server_play_feed(&p, S("EHLO early.test\r\n"), &whole);
                p.now_ms = 500;
                smtp_server_tick(p.server, p.now_ms);
                server_play_drain(&p);
                assert_true(str_has_prefix(play_str(&p.output), i == 0 ? S("554 5.5.1 ") : S("220 ")));
                assert_int_equal(p.is_closed, i == 0);
                server_play_free(&p);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_command),
                cmocka_unit_test(test_message),
                cmocka_unit_test(test_rate),
                cmocka_unit_test(test_chunks),
                cmocka_unit_test(test_small_chunks_keep_the_rate),
                cmocka_unit_test(test_session),
                cmocka_unit_test(test_session_with_messages),
                cmocka_unit_test(test_rest),
                cmocka_unit_test(test_lost_at_rest),
                cmocka_unit_test(test_dismissed),
                cmocka_unit_test(test_refusals_are_counted),
                cmocka_unit_test(test_greeting_delay),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
