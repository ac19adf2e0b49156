/* SPDX-License-Identifier: ISC */
/* Messages in chunks (RFC 3030): the dialogues, and what is never taken for a command or for a whole message. */
#include "smtp/server_dialogue.h"

#define ENVELOPE                     \
        HELLO                        \
        "C:MAIL FROM:<a@b.test>\n"   \
        "C:RCPT TO:<x@y.test>\n"     \
        "S:250 2.1.0 sender ok\n"    \
        "S:250 2.1.5 recipient ok\n" \
        "E:mail <a@b.test>\n"        \
        "E:rcpt <x@y.test>\n"
#define STRAY "S:554 5.5.2 Bare CR, bare LF or NUL in the message, closing\n"

static const struct dialogue dialogues[] = {
        {"one chunk", ENVELOPE "c:BDAT 20 LAST\\r\\nSubject: x\\r\\n\\r\\ntext\\r\\n\n"
                               "S:250 2.0.0 taken\n"
                               "E:data\n"
                               "E:body Subject: x\\r\\n\\r\\ntext\\r\\n\n"
                               "E:end 20\n" QUIT},
        {"several, in any case, parted anywhere",
                ENVELOPE "c:bdat 1\\r\\nabdat 2\\r\\nb\\rBDAT 0\\r\\nBdat 1\\r\\n\\nBDAT 2 last\\r\\n\\r\\n\n"
                         "S:250 2.0.0 Go on\n"
                         "S:250 2.0.0 Go on\n"
                         "S:250 2.0.0 Go on\n"
                         "S:250 2.0.0 Go on\n"
                         "S:250 2.0.0 taken\n"
                         "E:data\n"
                         "E:body ab\\r\\n\\r\\n\n"
                         "E:end 6\n" QUIT},
        {"the last is empty", ENVELOPE "c:BDAT 3\\r\\na\\r\\nBDAT 0 LAST\\r\\n\n"
                                       "S:250 2.0.0 Go on\n"
                                       "S:250 2.0.0 taken\n"
                                       "E:data\n"
                                       "E:body a\\r\\n\n"
                                       "E:end 3\n" QUIT},
        {"an empty message", ENVELOPE "C:BDAT 0 LAST\n"
                                      "S:250 2.0.0 taken\n"
                                      "E:data\n"
                                      "E:body \n"
                                      "E:end 0\n" QUIT},
        {"a last line without end gets one", ENVELOPE "c:BDAT 1\\r\\naBDAT 1 LAST\\r\\nb\n"
                                                      "S:250 2.0.0 Go on\n"
                                                      "S:250 2.0.0 taken\n"
                                                      "E:data\n"
                                                      "E:body ab\\r\\n\n"
                                                      "E:end 4\n" QUIT},
        {"dots are text", ENVELOPE "c:BDAT 13 LAST\\r\\n.\\r\\n..\\r\\nQUIT\\r\\n\n"
                                   "S:250 2.0.0 taken\n"
                                   "E:data\n"
                                   "E:body .\\r\\n..\\r\\nQUIT\\r\\n\n"
                                   "E:end 13\n" QUIT},
        {"several messages, both ways", ENVELOPE "c:BDAT 3 LAST\\r\\na\\r\\nMAIL FROM:<c@d.test>\\r\\n\n"
                                                 "C:RCPT TO:<x@y.test>\n"
                                                 "C:DATA\n"
                                                 "S:250 2.0.0 taken\n"
                                                 "S:250 2.1.0 sender ok\n"
                                                 "S:250 2.1.5 recipient ok\n"
                                                 "S:354 go\n"
                                                 "E:data\n"
                                                 "E:body a\\r\\n\n"
                                                 "E:end 3\n"
                                                 "E:mail <c@d.test>\n"
                                                 "E:rcpt <x@y.test>\n"
                                                 "E:data\n"
                                                 "C:.\n"
                                                 "C:MAIL FROM:<e@f.test>\n"
                                                 "C:RCPT TO:<x@y.test>\n"
                                                 "c:BDAT 4 LAST\\r\\nbc\\r\\n\n"
                                                 "S:250 2.0.0 taken\n"
                                                 "S:250 2.1.0 sender ok\n"
                                                 "S:250 2.1.5 recipient ok\n"
                                                 "S:250 2.0.0 taken\n"
                                                 "E:body \n"
                                                 "E:end 0\n"
                                                 "E:mail <e@f.test>\n"
                                                 "E:rcpt <x@y.test>\n"
                                                 "E:data\n"
                                                 "E:body bc\\r\\n\n"
                                                 "E:end 4\n" QUIT},
        {"what may not stand between chunks", ENVELOPE "c:BDAT 3\\r\\na\\r\\nRCPT TO:<z@y.test>\\r\\n\n"
                                                       "C:MAIL FROM:<c@d.test>\n"
                                                       "C:NOOP\n"
                                                       "C:DATA\n"
                                                       "S:250 2.0.0 Go on\n"
                                                       "S:503 5.5.1 The message has begun\n"
                                                       "S:503 5.5.1 A transaction is open already\n"
                                                       "S:250 2.0.0 OK\n"
                                                       "S:503 5.5.1 The message has begun\n"
                                                       "E:data\n"
                                                       "C:BDAT 0 LAST\n"
                                                       "S:250 2.0.0 taken\n"
                                                       "E:body a\\r\\n\n"
                                                       "E:end 3\n" QUIT},
        {"RSET between chunks", ENVELOPE "c:BDAT 3\\r\\na\\r\\nRSET\\r\\nBDAT 3 LAST\\r\\nb\\r\\n\n"
                                         "S:250 2.0.0 Go on\n"
                                         "S:250 2.0.0 Reset\n"
                                         "S:503 5.5.1 MAIL first\n"
                                         "E:data\n"
                                         "E:body a\\r\\n\n"
                                         "E:reset rset\n" QUIT},
        {"EHLO between chunks", ENVELOPE "c:BDAT 3\\r\\na\\r\\nHELO c.test\\r\\nBDAT 0 LAST\\r\\n\n"
                                         "S:250 2.0.0 Go on\n"
                                         "S:250 mx.test hello\n"
                                         "S:502 5.5.1 Command not implemented\n"
                                         "E:data\n"
                                         "E:helo c.test\n"
                                         "E:body a\\r\\n\n"
                                         "E:reset hello\n" QUIT},
        {"chunks without MAIL are no commands", HELLO "c:BDAT 6\\r\\nQUIT\\r\\nBDAT 6 LAST\\r\\nQUIT\\r\\n\n"
                                                      "C:NOOP\n"
                                                      "S:503 5.5.1 MAIL first\n"
                                                      "S:503 5.5.1 MAIL first\n"
                                                      "S:250 2.0.0 OK\n" QUIT},
        {"no recipient: the rest is no message", HELLO "C:MAIL FROM:<a@b.test>\n"
                                                       "C:RCPT TO:<refused@y.test>\n"
                                                       "c:BDAT 6\\r\\nQUIT\\r\\nRCPT TO:<x@y.test>\\r\\n\n"
                                                       "c:BDAT 6 LAST\\r\\nQUIT\\r\\n\n"
                                                       "S:250 2.1.0 sender ok\n"
                                                       "S:550 5.1.1 no\n"
                                                       "S:554 5.5.1 No valid recipients\n"
                                                       "S:503 5.5.1 MAIL first\n"
                                                       "S:503 5.5.1 MAIL first\n"
                                                       "E:mail <a@b.test>\n"
                                                       "E:rcpt <refused@y.test>\n"
                                                       "E:reset chunk\n" QUIT},
        {"refused by the caller: the rest is no message",
                HELLO "C:MAIL FROM:<nodata@b.test>\n"
                      "C:RCPT TO:<x@y.test>\n"
                      "c:BDAT 6\\r\\nQUIT\\r\\nBDAT 6 LAST\\r\\nQUIT\\r\\n\n"
                      "S:250 2.1.0 sender ok\n"
                      "S:250 2.1.5 recipient ok\n"
                      "S:451 4.3.0 not now\n"
                      "S:503 5.5.1 MAIL first\n"
                      "E:mail <nodata@b.test>\n"
                      "E:rcpt <x@y.test>\n"
                      "E:data\n"
                      "E:reset chunk\n" QUIT},
        {"refused at the end", HELLO "C:MAIL FROM:<atend@b.test>\n"
                                     "C:RCPT TO:<x@y.test>\n"
                                     "c:BDAT 3 LAST\\r\\na\\r\\n\n"
                                     "S:250 2.1.0 sender ok\n"
                                     "S:250 2.1.5 recipient ok\n"
                                     "S:554 5.6.0 not this\n"
                                     "E:mail <atend@b.test>\n"
                                     "E:rcpt <x@y.test>\n"
                                     "E:data\n"
                                     "E:body a\\r\\n\n"
                                     "E:end 3\n" QUIT},
        {"no size", ENVELOPE "C:BDAT\n"
                             "S:501 5.5.4 Bad size of a chunk, closing\n"
                             "E:reset closed\n"
                             "E:closed protocol broken\n"},
        {"a size that is none", ENVELOPE "C:BDAT -1 LAST\n"
                                         "S:501 5.5.4 Bad size of a chunk, closing\n"
                                         "E:reset closed\n"
                                         "E:closed protocol broken\n"},
        {"a size above 64 bits", ENVELOPE "C:BDAT 18446744073709551616 LAST\n"
                                          "S:501 5.5.4 Bad size of a chunk, closing\n"
                                          "E:reset closed\n"
                                          "E:closed protocol broken\n"},
        {"another word than LAST", ENVELOPE "C:BDAT 5 FIRST\n"
                                            "S:501 5.5.4 Bad size of a chunk, closing\n"
                                            "E:reset closed\n"
                                            "E:closed protocol broken\n"},
        {"bare LF", ENVELOPE "c:BDAT 4 LAST\\r\\na\\nb\\r\n" STRAY "E:data\n"
                             "E:body a\n"
                             "E:reset closed\n"
                             "E:closed protocol broken\n"},
        {"bare CR", ENVELOPE "c:BDAT 4 LAST\\r\\na\\rb\\r\n" STRAY "E:data\n"
                             "E:body a\n"
                             "E:reset closed\n"
                             "E:closed protocol broken\n"},
        {"NUL", ENVELOPE "c:BDAT 3 LAST\\r\\na\\x00b\n" STRAY "E:data\n"
                         "E:body a\n"
                         "E:reset closed\n"
                         "E:closed protocol broken\n"},
        {"CR at the end of a chunk, no LF", ENVELOPE "c:BDAT 2\\r\\na\\rBDAT 1 LAST\\r\\nb\n"
                                                     "S:250 2.0.0 Go on\n" STRAY "E:data\n"
                                                     "E:body a\n"
                                                     "E:reset closed\n"
                                                     "E:closed protocol broken\n"},
        {"CR at the end of all", ENVELOPE "c:BDAT 2 LAST\\r\\na\\r\n" STRAY "E:data\n"
                                          "E:body a\n"
                                          "E:reset closed\n"
                                          "E:closed protocol broken\n"},
        {"a CR of the message before is forgotten",
                ENVELOPE "c:BDAT 2\\r\\na\\rRSET\\r\\nMAIL FROM:<c@d.test>\\r\\nRCPT TO:<x@y.test>\\r\\n\n"
                         "c:BDAT 3 LAST\\r\\nb\\r\\n\n"
                         "S:250 2.0.0 Go on\n"
                         "S:250 2.0.0 Reset\n"
                         "S:250 2.1.0 sender ok\n"
                         "S:250 2.1.5 recipient ok\n"
                         "S:250 2.0.0 taken\n"
                         "E:data\n"
                         "E:body a\n"
                         "E:reset rset\n"
                         "E:mail <c@d.test>\n"
                         "E:rcpt <x@y.test>\n"
                         "E:data\n"
                         "E:body b\\r\\n\n"
                         "E:end 3\n" QUIT},
        {"EHLO came not", BEGIN "C:HELO c.test\n"
                                "C:BDAT 0 LAST\n"
                                "S:250 mx.test hello\n"
                                "S:502 5.5.1 Command not implemented\n"
                                "E:helo c.test\n" QUIT},
};

static void test_dialogues(void **state)
{
        (void)state;
        play_dialogues(dialogues, sizeof dialogues / sizeof dialogues[0]);
}

static void begin(struct server_play *p, uint64_t message_max)
{
        struct smtp_server_config config = server_play_config();
        uint32_t whole = 0;
        config.message_max = message_max;
        server_play_begin(p, &config);
        server_play_feed(p, S("EHLO c.test\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<x@y.test>\r\n"), &whole);
        p->output.n = p->events.n = 0;
}

/* Each ceiling from both sides; what is too large is told once and dropped, and the session goes on. */
static void test_message_size(void **state)
{
        (void)state;
        static const struct {
                const char *input;
                uint64_t most;
                bool is_taken;
        } cases[] = {
                {"BDAT 5 LAST\r\nabc\r\n", 5, true},
                {"BDAT 5 LAST\r\nabc\r\n", 4, false},
                {"BDAT 4\r\nabc\rBDAT 1 LAST\r\n\n", 5, true},
                {"BDAT 4\r\nabc\rBDAT 1 LAST\r\n\n", 4, false},
                {"BDAT 3 LAST\r\nabc", 5, true},
                {"BDAT 3 LAST\r\nabc", 4, false},
                {"BDAT 3 LAST\r\nabc", 3, false},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                for (uint32_t seed = 0; seed < 20; seed++) {
                        struct server_play p;
                        uint32_t cut = seed;
                        begin(&p, cases[i].most);
                        server_play_feed(&p, str_of_c(cases[i].input), &cut);
                        server_play_feed(&p, S("NOOP\r\n"), &cut);
                        struct str events = play_str(&p.events), output = play_str(&p.output);
                        assert_int_equal(str_find(events, S("\nend 5\n")) < events.n, cases[i].is_taken);
                        assert_int_equal(
                                str_find(events, S("reset too large\n")) < events.n, !cases[i].is_taken);
                        assert_int_equal(str_find(output, S("552 5.3.4 ")) < output.n, !cases[i].is_taken);
                        assert_true(str_has_suffix_nocase(output, S("250 2.0.0 OK\r\n")));
                        server_play_free(&p);
                }
        }
}

/* A chunk that is dropped has a bound. */
static void test_chunk_without_end(void **state)
{
        (void)state;
        static char block[8192];
        struct server_play p;
        uint32_t whole = 0;
        memset(block, 'x', sizeof block);
        begin(&p, 1000);
        server_play_feed(&p, S("BDAT 18446744073709551615 LAST\r\n"), &whole);
        for (size_t i = 0; i < (SMTP_DROP_MAX / sizeof block) + 2; i++)
                server_play_feed(&p, str_of(block, sizeof block), &whole);
        assert_true(p.is_closed);
        assert_true(str_eq(play_str(&p.output),
                S("552 5.3.4 Message too large\r\n552 5.3.4 Message too large, closing\r\n")));
        server_play_free(&p);
}

/* Pipelined chunks of nothing are no way to stay for ever. */
static void test_too_many_empty_chunks(void **state)
{
        (void)state;
        struct server_play p;
        uint32_t whole = 0;
        begin(&p, 1000);
        for (size_t i = 0; i < 3 * SMTP_COMMANDS_IDLE_MAX && !p.is_closed; i++)
                server_play_feed(&p, S("BDAT 0\r\n"), &whole);
        assert_true(p.is_closed);
        assert_true(str_has_suffix_nocase(play_str(&p.events), S("reset closed\nclosed too many errors\n")));
        server_play_free(&p);
}

/* Every prefix of a session ends in order when the connection is lost there, and takes no message that is cut off. */
static void test_cut_off_anywhere(void **state)
{
        (void)state;
        struct str message = S("BDAT 14\r\nSubject: x\r\n\r\nBDAT 6 LAST\r\ntext\r\n");
        for (size_t n = 0; n <= message.n; n++) {
                struct server_play p;
                uint32_t whole = 0;
                begin(&p, 1000);
                server_play_feed(&p, str_take(message, n), &whole);
                server_play_end_of_input(&p);
                bool is_taken = str_find(play_str(&p.events), S("\nend ")) < p.events.n;
                assert_int_equal(is_taken, n == message.n);
                server_play_free(&p);
        }
}

/* The message as a whole has its time, also between chunks; each block of a chunk counts as life. */
static void test_deadlines(void **state)
{
        (void)state;
        struct server_play p;
        uint32_t whole = 0;
        char block[1000];
        begin(&p, 0);
        memset(block, 'x', sizeof block);
        for (size_t i = 0; !p.is_closed && i < 100; i++) {
                server_play_feed(&p, i % 10 == 0 ? S("BDAT 10000\r\n") : S(""), &whole);
                server_play_feed(&p, str_of(block, sizeof block), &whole);
                p.now_ms += 4LL * 60 * 1000;
                smtp_server_tick(p.server, p.now_ms);
                server_play_drain(&p);
        }
        assert_true(p.is_closed);
        assert_in_range(p.now_ms, SMTP_SERVER_DATA_MS, SMTP_SERVER_DATA_MS + 4 * 60 * 1000);
        server_play_free(&p);
}

/* A chunk that is refused has as much time to come as one of a message, whenever a message came last. */
static void test_refused_chunk_has_time(void **state)
{
        (void)state;
        static const struct {
                const char *input, *says;
        } cases[] = {
                {"RSET\r\nBDAT 9 LAST\r\n", "503 5.5.1 "},
                {"RSET\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<refused@y.test>\r\nBDAT 9\r\n", "554 5.5.1 "},
                {"RSET\r\nMAIL FROM:<nodata@b.test>\r\nRCPT TO:<x@y.test>\r\nBDAT 9\r\n", "451 4.3.0 "},
                {"BDAT 2000 LAST\r\n", "552 5.3.4 "},
        };
        for (size_t i = 0; i < 2 * sizeof cases / sizeof cases[0]; i++) {
                struct server_play p;
                uint32_t whole = 0;
                begin(&p, 1000);
                if (i % 2 > 0) { /* the last message is long over */
                        server_play_feed(&p, S("BDAT 0 LAST\r\nMAIL FROM:<a@b.test>\r\n"), &whole);
                        server_play_feed(&p, S("RCPT TO:<x@y.test>\r\n"), &whole);
                }
                p.now_ms += 2LL * SMTP_SERVER_DATA_MS;
                server_play_feed(&p, str_of_c(cases[i / 2].input), &whole);
                server_play_feed(&p, S("QUIT\r\n"), &whole);
                assert_true(str_find(play_str(&p.output), str_of_c(cases[i / 2].says)) < p.output.n);
                smtp_server_tick(p.server, p.now_ms);
                server_play_drain(&p);
                assert_false(p.is_closed);
                assert_true(smtp_server_deadline(p.server) > p.now_ms);
                p.now_ms += SMTP_SERVER_DATA_MS; /* and no more */
                smtp_server_tick(p.server, p.now_ms);
                server_play_drain(&p);
                assert_true(p.is_closed);
                server_play_free(&p);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_dialogues),
                cmocka_unit_test(test_message_size),
                cmocka_unit_test(test_chunk_without_end),
                cmocka_unit_test(test_too_many_empty_chunks),
                cmocka_unit_test(test_cut_off_anywhere),
                cmocka_unit_test(test_deadlines),
                cmocka_unit_test(test_refused_chunk_has_time),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
