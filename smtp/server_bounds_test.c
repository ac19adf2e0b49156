/* SPDX-License-Identifier: ISC */
/* Sizes, counts, and a caller who takes his time: what a server engine bounds and outlives. */
#include "smtp/server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "smtp/server_play.h"

static void begin_data(struct server_play *p, const struct smtp_server_config *config, uint32_t *seed)
{
        server_play_begin(p, config);
        server_play_feed(p, S("EHLO c.test\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<x@y.test>\r\nDATA\r\n"), seed);
        p->output.n = p->events.n = 0;
}

/* `lines` lines of ten bytes, each third with a doubled dot, then the end of the message and NOOP. */
static void feed_lines(struct server_play *p, size_t lines, uint32_t *seed)
{
        for (size_t i = 0; i < lines; i++)
                server_play_feed(p, i % 3 == 0 ? S("..345678\r\n") : S("12345678\r\n"), seed);
        server_play_feed(p, S(".\r\nNOOP\r\n"), seed);
}

static void test_message_size(void **state)
{
        (void)state;
        static const struct {
                uint64_t most;
                size_t lines;
                bool is_taken;
        } cases[] = {{30, 3, true}, {29, 3, true}, {28, 3, false}, {27, 3, false}, {1, 3, false},
                {0, 3000, true}, {20000, 3000, false}, {29000, 3000, true}, {28999, 3000, false}};
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                for (uint32_t seed = 0; seed < (cases[i].lines > 3 ? 3u : 50u); seed++) {
                        struct smtp_server_config config = server_play_config();
                        struct server_play p;
                        uint32_t cut = seed;
                        config.message_max = cases[i].most;
                        begin_data(&p, &config, &cut);
                        feed_lines(&p, cases[i].lines, &cut);
                        bool is_taken = str_find(play_str(&p.events), S("\nend ")) < p.events.n;
                        assert_int_equal(is_taken, cases[i].is_taken);
                        assert_true(str_eq(play_str(&p.output),
                                is_taken ? S("250 2.0.0 taken\r\n250 2.0.0 OK\r\n")
                                         : S("552 5.3.4 Message too large\r\n250 2.0.0 OK\r\n")));
                        assert_int_equal(str_find(play_str(&p.events), S("reset too large\n")) < p.events.n,
                                !is_taken);
                        server_play_free(&p);
                }
        }
}

static void test_message_without_end(void **state)
{
        (void)state;
        struct smtp_server_config config = server_play_config();
        struct server_play p;
        uint32_t whole = 0;
        static char block[8192];
        memset(block, 'x', sizeof block);
        begin_data(&p, &config, &whole);
        for (size_t i = 0; i < (SMTP_DROP_MAX / sizeof block) + 2; i++)
                server_play_feed(&p, str_of(block, sizeof block), &whole);
        assert_true(p.is_closed);
        assert_true(str_eq(play_str(&p.output), S("552 5.3.4 Message too large, closing\r\n")));
        server_play_free(&p);
}

/* A command line that is too long is answered once and does not shift what follows it. */
static void test_long_lines(void **state)
{
        (void)state;
        static const size_t lengths[] = {SMTP_COMMAND_LINE_MAX - 2, SMTP_COMMAND_LINE_MAX - 1,
                SMTP_COMMAND_LINE_MAX, SMTP_COMMAND_LINE_MAX + 1, 3 * SMTP_COMMAND_LINE_MAX, 100000};
        static char line[100002];
        memset(line, 'x', sizeof line);
        memcpy(line, "NOOP ", 5);
        for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
                for (uint32_t seed = 0; seed < 20; seed++) {
                        struct smtp_server_config config = server_play_config();
                        struct server_play p;
                        uint32_t cut = seed;
                        server_play_begin(&p, &config);
                        p.output.n = 0;
                        server_play_feed(&p, str_of(line, lengths[i]), &cut);
                        server_play_feed(&p, S("\r\nNOOP\r\n"), &cut);
                        assert_true(str_eq(play_str(&p.output),
                                lengths[i] + 2 <= SMTP_COMMAND_LINE_MAX
                                        ? S("250 2.0.0 OK\r\n250 2.0.0 OK\r\n")
                                        : S("500 5.5.2 Command line too long\r\n250 2.0.0 OK\r\n")));
                        server_play_free(&p);
                }
        }
}

static void test_stray_in_a_long_line(void **state)
{
        (void)state;
        static char line[5000];
        for (size_t at = 0; at < sizeof line; at += 499) {
                for (uint32_t seed = 0; seed < 20; seed++) {
                        struct smtp_server_config config = server_play_config();
                        struct server_play p;
                        uint32_t cut = seed;
                        memset(line, 'x', sizeof line);
                        line[at] = seed % 2 ? '\n' : '\r';
                        server_play_begin(&p, &config);
                        server_play_feed(&p, str_of(line, sizeof line), &cut);
                        server_play_feed(&p, S("\r\nNOOP\r\n"), &cut);
                        assert_true(p.is_closed);
                        assert_true(str_has_suffix_nocase(play_str(&p.output),
                                S("500 5.5.2 Bare CR, bare LF or NUL in a command, closing\r\n")));
                        server_play_free(&p);
                }
        }
}

static void repeat(struct server_play *p, const char *line, size_t times)
{
        uint32_t whole = 0;
        for (size_t i = 0; i < times; i++)
                server_play_feed(p, str_of_c(line), &whole);
}

static void test_too_many_errors(void **state)
{
        (void)state;
        static const struct {
                const char *line;
                size_t most;
        } cases[] = {{"FOO\r\n", SMTP_ERRORS_MAX - 1}, {"NOOP\r\n", SMTP_COMMANDS_IDLE_MAX},
                {"EHLO c.test\r\n", SMTP_COMMANDS_IDLE_MAX}, {"VRFY x\r\n", SMTP_COMMANDS_IDLE_MAX},
                {"RSET\r\n", SMTP_COMMANDS_IDLE_MAX}};
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct smtp_server_config config = server_play_config();
                struct server_play p;
                server_play_begin(&p, &config);
                repeat(&p, cases[i].line, cases[i].most);
                assert_false(p.is_closed);
                repeat(&p, cases[i].line, 1);
                assert_true(p.is_closed);
                assert_true(str_has_suffix_nocase(
                        play_str(&p.output), S("421 4.7.0 Too many errors or idle commands, closing\r\n")));
                assert_true(str_has_suffix_nocase(play_str(&p.events), S("closed too many errors\n")));
                server_play_free(&p);
        }
}

static void test_recipients_beyond_the_bound(void **state)
{
        (void)state;
        struct smtp_server_config config = server_play_config();
        struct server_play p;
        uint32_t whole = 0;
        server_play_begin(&p, &config);
        server_play_feed(&p, S("EHLO c.test\r\nMAIL FROM:<a@b.test>\r\n"), &whole);
        repeat(&p, "RCPT TO:<x@y.test>\r\n", SMTP_RECIPIENTS_MAX);
        assert_true(str_has_suffix_nocase(play_str(&p.output), S("250 2.1.5 recipient ok\r\n")));
        repeat(&p, "RCPT TO:<x@y.test>\r\n", 500);
        assert_true(str_has_suffix_nocase(play_str(&p.output),
                S("452 4.5.3 Too many recipients; send the rest in another transaction\r\n")));
        server_play_feed(&p, S("DATA\r\n"), &whole);
        server_play_feed(&p, S("x\r\n.\r\n"), &whole);
        assert_true(str_has_suffix_nocase(play_str(&p.output), S("354 go\r\n250 2.0.0 taken\r\n")));
        server_play_free(&p);
}

/* 452 says that another transaction may follow, so it counts as no error; but not for ever. */
static void test_recipients_without_end(void **state)
{
        (void)state;
        struct smtp_server_config config = server_play_config();
        struct server_play p;
        uint32_t whole = 0;
        config.recipients_max = 1;
        server_play_begin(&p, &config);
        server_play_feed(&p, S("EHLO c.test\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<x@y.test>\r\n"), &whole);
        repeat(&p, "RCPT TO:<x@y.test>\r\n", SMTP_RECIPIENTS_EXCESS_MAX);
        assert_false(p.is_closed);
        repeat(&p, "RCPT TO:<x@y.test>\r\n", 1);
        assert_true(p.is_closed);
        assert_true(str_has_suffix_nocase(play_str(&p.events), S("reset closed\nclosed too many errors\n")));
        server_play_free(&p);
}

/* RFC 2920 3.2: the replies to a group leave in one write. */
static void test_one_write_a_group(void **state)
{
        (void)state;
        struct smtp_server_config config = server_play_config();
        struct server_play p;
        uint32_t whole = 0;
        struct play_text group = {0};
        server_play_begin(&p, &config);
        server_play_feed(&p, S("EHLO c.test\r\n"), &whole);
        assert_int_equal(p.writes, 2);
        play_add_c(&group, "MAIL FROM:<a@b.test>\r\n");
        for (int i = 0; i < 100; i++)
                play_add_c(&group, "RCPT TO:<x@y.test>\r\n");
        play_add_c(&group, "DATA\r\n");
        server_play_feed(&p, play_str(&group), &whole);
        assert_int_equal(p.writes, 3);
        assert_true(str_has_suffix_nocase(play_str(&p.output), S("354 go\r\n")));
        play_free(&group);
        server_play_free(&p);
}

/* The replies to a group that do not fit the buffer leave in several writes, and none is lost. */
static void test_more_replies_than_the_buffer_holds(void **state)
{
        (void)state;
        struct smtp_server_config config = server_play_config();
        struct server_play p;
        uint32_t whole = 0;
        struct play_text group = {0};
        size_t lines = 0;
        server_play_begin(&p, &config);
        p.output.n = 0;
        for (int i = 0; i < 190; i++)
                play_add_c(&group, i % 2 ? "VRFY x\r\n" : "HELP\r\n");
        for (int i = 0; i < 8; i++)
                server_play_feed(&p, play_str(&group), &whole);
        for (size_t i = 0; i < p.output.n; i++)
                lines += p.output.p[i] == '\n';
        assert_int_equal(lines, SMTP_COMMANDS_IDLE_MAX + 2);
        play_free(&group);
        server_play_free(&p);
}

static void test_bytes_behind_data(void **state)
{
        (void)state;
        static const char *const followers[] = {"x\r\n.\r\n", "RSET\r\n", "\r"};
        for (size_t i = 0; i < sizeof followers / sizeof followers[0]; i++) {
                struct smtp_server_config config = server_play_config();
                struct server_play p;
                struct play_text group = {0};
                uint32_t whole = 0;
                server_play_begin(&p, &config);
                play_add_c(&group, "EHLO c.test\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<x@y.test>\r\nDATA\r\n");
                play_add_c(&group, followers[i]);
                server_play_feed(&p, play_str(&group), &whole);
                assert_true(p.is_closed);
                assert_true(str_has_suffix_nocase(
                        play_str(&p.output), S("503 5.5.0 Bytes before 354, closing\r\n")));
                play_free(&group);
                server_play_free(&p);
        }
}

/* An engine that is driven by hand. */
struct bare {
        struct smtp_server server; /* first */
        struct smtp_server_buffers buffers;
};

static struct smtp_server *bare_new(void)
{
        struct bare *b = malloc(sizeof *b);
        assert_non_null(b);
        return &b->server;
}

static void bare_begin(struct smtp_server *s, const struct smtp_server_config *config)
{
        smtp_server_init(s, config, 0);
        smtp_server_lend(s, &((struct bare *)s)->buffers, S(""));
}

/* Until the event that wants a reply, with `bytes` fed. */
static struct smtp_server_event parked_at(
        struct smtp_server *s, enum smtp_server_event_kind kind, struct str bytes)
{
        struct smtp_server_event event;
        struct smtp_reply fine = smtp_reply_plain(250, S("ok")), banner = smtp_reply_plain(220, S("hi"));
        size_t cap;
        char *room;
        assert_true(smtp_server_next(s, &event));
        assert_int_equal(event.kind, SMTP_SERVER_CONNECT);
        smtp_server_reply(s, &banner, 0);
        room = smtp_server_room(s, &cap);
        memcpy(room, bytes.p, bytes.n);
        smtp_server_got(s, bytes.n, 0);
        for (;;) {
                assert_true(smtp_server_next(s, &event));
                if (event.kind == kind)
                        return event;
                smtp_server_reply(s, &fine, 0);
        }
}

static struct str give(struct smtp_server *s, struct str bytes)
{
        size_t cap;
        char *room = smtp_server_room(s, &cap);
        assert_true(cap >= bytes.n);
        memcpy(room, bytes.p, bytes.n);
        smtp_server_got(s, bytes.n, 0);
        return str_of(room, bytes.n);
}

#define TO_DATA S("EHLO c.test\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<x@y.test>\r\nDATA\r\n")

/* The caller takes its time: bytes that come meanwhile wait, slices stay, and nothing behind DATA is obeyed. */
static void test_parked(void **state)
{
        (void)state;
        struct smtp_server *s = bare_new();
        struct smtp_server_config config = server_play_config();
        struct smtp_server_event event, next;
        struct smtp_reply go = smtp_reply_plain(354, S("go")), fine = smtp_reply_of(250, 1, 0, S("ok"));
        bare_begin(s, &config);
        event = parked_at(s, SMTP_SERVER_MAIL, S("EHLO c.test\r\nMAIL FROM:<a@b.test>\r\n"));
        give(s, S("RCPT TO:<x@y.test>\r\n"));
        assert_false(smtp_server_next(s, &next));
        assert_true(str_eq(event.mail.from.mailbox, S("a@b.test")));
        assert_int_equal(smtp_server_deadline(s), INT64_MAX);
        smtp_server_reply(s, &fine, 0);
        assert_true(smtp_server_next(s, &next));
        assert_int_equal(next.kind, SMTP_SERVER_RCPT);

        bare_begin(s, &config);
        parked_at(s, SMTP_SERVER_DATA, TO_DATA);
        give(s, S("x\r\n.\r\n"));
        smtp_server_reply(s, &go, 0);
        assert_true(
                str_has_suffix_nocase(smtp_server_pending(s), S("503 5.5.0 Bytes before 354, closing\r\n")));
        assert_true(smtp_server_next(s, &next) && next.kind == SMTP_SERVER_RESET);
        assert_true(smtp_server_next(s, &next) && next.kind == SMTP_SERVER_CLOSED);
        assert_int_equal(next.closed, SMTP_CLOSED_PROTOCOL);
        free(s);
}

/* Lost, or shut down, while the caller thinks: its late reply is let fall. */
static void test_gone_while_parked(void **state)
{
        (void)state;
        for (int is_lost = 0; is_lost < 2; is_lost++) {
                struct smtp_server *s = bare_new();
                struct smtp_server_config config = server_play_config();
                struct smtp_server_event event;
                struct smtp_reply go = smtp_reply_plain(354, S("go"));
                bare_begin(s, &config);
                parked_at(s, SMTP_SERVER_DATA, TO_DATA);
                smtp_server_sent(s, smtp_server_pending(s).n, 0);
                if (is_lost)
                        smtp_server_lost(s);
                else
                        smtp_server_shutdown(s);
                smtp_server_reply(s, &go, 0);
                assert_true(str_eq(
                        smtp_server_pending(s), is_lost ? S("") : S("421 4.3.2 Shutting down, closing\r\n")));
                assert_true(smtp_server_next(s, &event) && event.kind == SMTP_SERVER_RESET);
                assert_int_equal(event.reset, SMTP_RESET_CLOSED);
                assert_true(smtp_server_next(s, &event) && event.kind == SMTP_SERVER_CLOSED);
                assert_false(smtp_server_next(s, &event));
                free(s);
        }
}

static void test_refused_at_connect(void **state)
{
        (void)state;
        struct smtp_server *s = bare_new();
        struct smtp_server_config config = server_play_config();
        struct smtp_server_event event;
        struct smtp_reply no = smtp_reply_of(554, 7, 1, S("not you"));
        bare_begin(s, &config);
        assert_true(smtp_server_next(s, &event) && event.kind == SMTP_SERVER_CONNECT);
        smtp_server_reply(s, &no, 0);
        give(s, S("EHLO c.test\r\n"));
        assert_true(smtp_server_next(s, &event) && event.kind == SMTP_SERVER_CLOSED);
        assert_int_equal(event.closed, SMTP_CLOSED_REPLY);
        assert_true(str_eq(smtp_server_pending(s), S("554 5.7.1 not you\r\n")));
        free(s);
}

static void test_extensions_are_switches(void **state)
{
        (void)state;
        struct smtp_server_config config = server_play_config();
        struct server_play p;
        uint32_t whole = 0;
        config.offer = (struct smtp_extensions){0};
        server_play_begin(&p, &config);
        server_play_feed(&p,
                S("EHLO c.test\r\nMAIL FROM:<a@b.test> SIZE=1\r\nMAIL FROM:<a@b.test> BODY=7BIT\r\n"
                  "MAIL FROM:<a@b.test> SMTPUTF8\r\nMAIL FROM:<a@b.test>\r\n"),
                &whole);
        assert_true(str_eq(play_str(&p.output),
                S("220 mx.test ESMTP\r\n250 mx.test hello\r\n555 Parameter not known here\r\n"
                  "555 Parameter not known here\r\n555 Parameter not known here\r\n250 sender ok\r\n")));
        server_play_free(&p);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_message_size),
                cmocka_unit_test(test_message_without_end),
                cmocka_unit_test(test_long_lines),
                cmocka_unit_test(test_stray_in_a_long_line),
                cmocka_unit_test(test_too_many_errors),
                cmocka_unit_test(test_recipients_beyond_the_bound),
                cmocka_unit_test(test_one_write_a_group),
                cmocka_unit_test(test_more_replies_than_the_buffer_holds),
                cmocka_unit_test(test_bytes_behind_data),
                cmocka_unit_test(test_parked),
                cmocka_unit_test(test_gone_while_parked),
                cmocka_unit_test(test_refused_at_connect),
                cmocka_unit_test(test_extensions_are_switches),
                cmocka_unit_test(test_recipients_without_end),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
