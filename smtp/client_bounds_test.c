/* SPDX-License-Identifier: ISC */
/* Endless and trickling replies, full queues and buffers: what a client engine bounds and outlives. */
#include "smtp/client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "smtp/client_play.h"

static void open_message(struct client_play *p)
{
        uint32_t whole = 0;
        client_play_begin(p, false);
        client_play_feed(p, S("220 mx.test\r\n"), &whole);
        client_play_feed(p, S("250-mx.test\r\n250 PIPELINING\r\n"), &whole);
        client_play_do(p, S("mail a@b.test"));
        client_play_do(p, S("rcpt x@y.test"));
        client_play_do(p, S("data"));
        client_play_feed(p, S("250 ok\r\n250 ok\r\n354 go\r\n"), &whole);
        p->output.n = p->events.n = 0;
}

/* A reply without end, by lines and by length, costs a bounded time and no memory. */
static void test_endless_replies(void **state)
{
        (void)state;
        struct client_play p;
        uint32_t whole = 0;
        size_t lines = 0;
        client_play_begin(&p, false);
        for (; !p.is_closed && lines < 1000; lines++)
                client_play_feed(&p, S("220-and another thing\r\n"), &whole);
        assert_int_equal(lines, SMTP_REPLY_LINES_MAX + 1);
        assert_true(str_eq(play_str(&p.events), S("closed protocol broken at greeting\n")));
        client_play_free(&p);

        client_play_begin(&p, false);
        client_play_feed(&p, S("220 "), &whole);
        for (size_t i = 4; !p.is_closed && i < 100000; i++)
                client_play_feed(&p, S("x"), &whole);
        assert_true(str_eq(play_str(&p.events), S("closed protocol broken at greeting\n")));
        client_play_free(&p);
}

/* Bytes of a reply that never becomes whole do not move its deadline. */
static void test_trickling_reply(void **state)
{
        (void)state;
        struct client_play p;
        uint32_t whole = 0;
        client_play_begin(&p, false);
        for (int second = 0; second < 299; second++) {
                client_play_do(&p, S("time 1000"));
                client_play_feed(&p, second == 0 ? S("220-") : S("x"), &whole);
        }
        assert_false(p.is_closed);
        client_play_do(&p, S("time 1000"));
        assert_true(p.is_closed);
        client_play_free(&p);
}

static void test_no_pipelining_by_choice(void **state)
{
        (void)state;
        struct client_play p;
        uint32_t whole = 0;
        client_play_begin(&p, true);
        client_play_feed(&p, S("220 mx.test\r\n"), &whole);
        client_play_feed(&p, S("250-mx.test\r\n250 PIPELINING\r\n"), &whole);
        client_play_do(&p, S("mail a@b.test"));
        p.events.n = 0;
        client_play_do(&p, S("rcpt x@y.test"));
        assert_true(str_eq(play_str(&p.events), S("rcpt: more input needed\n")));
        client_play_free(&p);
}

/* As many commands as the queue holds, over and over, so that it wraps around. */
static void test_full_queue(void **state)
{
        (void)state;
        struct client_play p;
        uint32_t whole = 0;
        open_message(&p);
        client_play_do(&p, S("end"));
        client_play_feed(&p, S("250 ok\r\n"), &whole);
        for (int round = 0; round < 5; round++) {
                size_t queued = 0;
                p.events.n = 0;
                client_play_do(&p, S("mail a@b.test"));
                while (p.events.n == 0 && queued++ < 1000)
                        client_play_do(&p, S("rcpt x@y.test"));
                assert_true(str_eq(play_str(&p.events), S("rcpt: more input needed\n")));
                assert_int_equal(queued, SMTP_CLIENT_QUEUE_MAX);
                for (size_t i = 0; i < SMTP_CLIENT_QUEUE_MAX; i++)
                        client_play_feed(&p, S("250 ok\r\n"), &whole);
                assert_int_equal(smtp_client_waiting(p.client), 0);
                client_play_do(&p, S("rset"));
                client_play_feed(&p, S("250 ok\r\n"), &whole);
        }
        assert_false(p.is_closed);
        client_play_free(&p);
}

/* Give `message` in pieces, end it, and compare what is sent with the dots doubled as RFC 5321 4.5.2 says. */
static void check_body(struct str message, uint32_t seed)
{
        struct client_play p;
        struct play_text wire = {0};
        bool at_start = true;
        for (size_t i = 0; i < message.n; i++) {
                if (at_start && message.p[i] == '.')
                        play_add_c(&wire, ".");
                play_add(&wire, str_of(message.p + i, 1));
                at_start = message.p[i] == '\n';
        }
        play_add_c(&wire, at_start ? ".\r\n" : "\r\n.\r\n");
        open_message(&p);
        while (message.n > 0) {
                size_t n = play_piece(&seed, message.n);
                char *exact = malloc(n);
                memcpy(exact, message.p, n);
                assert_int_equal(client_play_body(&p, str_of(exact, n)), ERR_OK);
                free(exact);
                message = str_skip(message, n);
        }
        client_play_do(&p, S("end"));
        assert_true(str_eq(play_str(&p.output), play_str(&wire)));
        client_play_free(&p);
        play_free(&wire);
}

static void test_bodies(void **state)
{
        (void)state;
        static const char *const messages[] = {"", ".", "..", "\r\n", "\r\n.\r\n", ".\r\n.\r\n.", "a",
                "a.\r\n.b\r\n", "\r\n\r\n..\r\n...\r\n", "x\r\n.", ".x", "caf\xc3\xa9\r\n"};
        struct play_text large = {0};
        for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++)
                for (uint32_t seed = 0; seed < 20; seed++)
                        check_body(str_of_c(messages[i]), seed);
        for (int i = 0; i < 3000; i++)
                play_add_c(&large, i % 5 == 0   ? ".......\r\n"
                                   : i % 7 == 0 ? "\r\n"
                                                : "a line of some length\r\n");
        for (size_t shift = 0; shift < 60; shift++) /* so that the buffer ends everywhere in a line */
                if (large.p[shift] != '\n')
                        check_body(str_skip(play_str(&large), shift), (uint32_t)(shift % 3));
        play_free(&large);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_endless_replies),
                cmocka_unit_test(test_trickling_reply),
                cmocka_unit_test(test_no_pipelining_by_choice),
                cmocka_unit_test(test_full_queue),
                cmocka_unit_test(test_bodies),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
