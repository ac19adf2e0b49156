/* SPDX-License-Identifier: ISC */
/* Dialogues as text. "S:" a line of the server, with CRLF; "s:" its bytes as they are, with escapes; ">:" a step of the
 * caller; "C:" what the client says; "E:" the events that the caller sees. What follows steps and lines of S is what
 * must have happened since. Each dialogue is played with S whole, byte by byte, and cut at random. */
#include "smtp/client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "smtp/client_play.h"

#define GREET             \
        "S:220 mx.test\n" \
        "C:EHLO c.test\n"
#define READY                         \
        GREET                         \
        "S:250-mx.test hello\n"       \
        "S:250-PIPELINING\n"          \
        "S:250-SIZE 1000\n"           \
        "S:250-8BITMIME\n"            \
        "S:250-SMTPUTF8\n"            \
        "S:250 ENHANCEDSTATUSCODES\n" \
        "E:ready pipelining size=1000 8bit utf8 enhanced\n"
#define PLAIN             \
        GREET             \
        "S:250 mx.test\n" \
        "E:ready\n"
#define OPEN                          \
        READY                         \
        ">:mail a@b.test\n"           \
        ">:rcpt x@y.test\n"           \
        ">:data\n"                    \
        "C:MAIL FROM:<a@b.test>\n"    \
        "C:RCPT TO:<x@y.test>\n"      \
        "C:DATA\n"                    \
        "S:250 2.1.0 ok\n"            \
        "S:250 2.1.5 ok\n"            \
        "S:354 go\n"                  \
        "E:reply mail 250 2.1.0 ok\n" \
        "E:reply rcpt 250 2.1.5 ok\n" \
        "E:reply data 354 go\n"
#define QUIT                \
        ">:quit\n"          \
        "C:QUIT\n"          \
        "S:221 2.0.0 bye\n" \
        "E:closed quit at quit 221 2.0.0 bye\n"
#define BROKEN(command) "E:closed protocol broken at " command "\n"

struct dialogue {
        const char *name, *text;
};

static const struct dialogue dialogues[] = {
        {"one message", OPEN ">:body Subject: x\\r\\n\\r\\n\n"
                             ">:body .text\\r\\n\n"
                             ">:end\n"
                             "C:Subject: x\n"
                             "C:\n"
                             "C:..text\n"
                             "C:.\n"
                             "S:250 2.0.0 queued\n"
                             "E:reply end 250 2.0.0 queued\n" QUIT},
        {"without pipelining one command at a time", PLAIN ">:mail a@b.test size=5\n"
                                                           ">:rcpt x@y.test\n"
                                                           "C:MAIL FROM:<a@b.test>\n"
                                                           "E:rcpt: more input needed\n"
                                                           "S:250 ok\n"
                                                           "E:reply mail 250 ok\n"
                                                           ">:data\n"
                                                           "E:data: out of sequence\n"
                                                           ">:rcpt x@y.test\n"
                                                           "C:RCPT TO:<x@y.test>\n"
                                                           "S:250 ok\n"
                                                           "E:reply rcpt 250 ok\n"
                                                           ">:data\n"
                                                           "C:DATA\n"
                                                           "S:354 go\n"
                                                           "E:reply data 354 go\n"
                                                           ">:end\n"
                                                           "C:.\n"
                                                           "S:250 ok\n"
                                                           "E:reply end 250 ok\n" QUIT},
        {"HELO when EHLO is not known", GREET "S:500 what\n"
                                              "C:HELO c.test\n"
                                              "S:250 mx.test\n"
                                              "E:ready\n" QUIT},
        {"HELO refused too", GREET "S:502 what\n"
                                   "C:HELO c.test\n"
                                   "S:550 5.7.1 not you\n"
                                   "E:closed session refused at helo 550 5.7.1 not you\n"},
        {"EHLO refused for now", GREET "S:450 4.7.1 later\n"
                                       "E:closed session refused at ehlo 450 4.7.1 later\n"},
        {"greeting refused", "S:554-5.7.1 go\n"
                             "S:554 5.7.1 away\n"
                             "E:closed session refused at greeting 554 5.7.1 go\\naway\n"},
        {"421 as greeting", "S:421 4.3.2 too many\n"
                            "E:closed closed by the server at greeting 421 4.3.2 too many\n"},
        {"greeting of several lines", "S:220-mx.test\n"
                                      "S:220 welcome\n"
                                      "C:EHLO c.test\n"
                                      "S:250 mx.test\n"
                                      "E:ready\n" QUIT},
        {"parameters that are offered", READY ">:mail a@b.test size=5 8bit utf8\n"
                                              "C:MAIL FROM:<a@b.test> SIZE=5 BODY=8BITMIME SMTPUTF8\n"
                                              "S:250 ok\n"
                                              "E:reply mail 250 ok\n"
                                              ">:rset\n"
                                              "C:RSET\n"
                                              "S:250 ok\n"
                                              "E:reply rset 250 ok\n"
                                              ">:mail  7bit\n"
                                              "C:MAIL FROM:<> BODY=7BIT\n"
                                              "S:250 ok\n"
                                              "E:reply mail 250 ok\n" QUIT},
        {"what is not offered is not said", PLAIN ">:mail a@b.test 8bit\n"
                                                  ">:mail a@b.test utf8\n"
                                                  ">:mail \\xc3\\xa9@b.test\n"
                                                  ">:mail a@b.test 7bit size=7\n"
                                                  "C:MAIL FROM:<a@b.test>\n"
                                                  "E:mail: not supported\n"
                                                  "E:mail: not supported\n"
                                                  "E:mail: not supported\n"
                                                  "S:250 ok\n"
                                                  "E:reply mail 250 ok\n"
                                                  ">:rcpt \\xc3\\xa9@b.test\n"
                                                  "E:rcpt: not supported\n" QUIT},
        {"no command can be written into an address", READY ">:mail a@b.test>\\r\\nRSET\n"
                                                            ">:mail Postmaster\n"
                                                            ">:mail a@b.test\\x0a\n"
                                                            "E:mail: syntax error\n"
                                                            "E:mail: syntax error\n"
                                                            "E:mail: syntax error\n"
                                                            ">:mail a@b.test\n"
                                                            ">:rcpt x@y.test>\\r\\nDATA\n"
                                                            ">:rcpt \n"
                                                            ">:rcpt x@y.test\\x00\n"
                                                            ">:rcpt \"a\\x0d\\x0ab\"@y.test\n"
                                                            "C:MAIL FROM:<a@b.test>\n"
                                                            "E:rcpt: syntax error\n"
                                                            "E:rcpt: syntax error\n"
                                                            "E:rcpt: syntax error\n"
                                                            "E:rcpt: syntax error\n"
                                                            "S:250 ok\n"
                                                            "E:reply mail 250 ok\n" QUIT},
        {"a refused recipient harms no other", READY ">:mail a@b.test\n"
                                                     ">:rcpt x@y.test\n"
                                                     ">:rcpt Postmaster\n"
                                                     ">:rcpt z@y.test\n"
                                                     ">:data\n"
                                                     "C:MAIL FROM:<a@b.test>\n"
                                                     "C:RCPT TO:<x@y.test>\n"
                                                     "C:RCPT TO:<Postmaster>\n"
                                                     "C:RCPT TO:<z@y.test>\n"
                                                     "C:DATA\n"
                                                     "S:250 2.1.0 ok\n"
                                                     "S:550 5.1.1 no\n"
                                                     "S:250 ok\n"
                                                     "S:451-4.7.1 wait\n"
                                                     "S:451 4.7.1 please\n"
                                                     "S:354 go\n"
                                                     "E:reply mail 250 2.1.0 ok\n"
                                                     "E:reply rcpt 550 5.1.1 no\n"
                                                     "E:reply rcpt 250 ok\n"
                                                     "E:reply rcpt 451 4.7.1 wait\\nplease\n"
                                                     "E:reply data 354 go\n"
                                                     ">:end\n"
                                                     "C:.\n"
                                                     "S:250 ok\n"
                                                     "E:reply end 250 ok\n" QUIT},
        {"all recipients refused, DATA refused", READY ">:mail a@b.test\n"
                                                       ">:rcpt x@y.test\n"
                                                       ">:data\n"
                                                       "C:MAIL FROM:<a@b.test>\n"
                                                       "C:RCPT TO:<x@y.test>\n"
                                                       "C:DATA\n"
                                                       "S:250 ok\n"
                                                       "S:550 5.1.1 no\n"
                                                       "S:554 5.5.1 nobody\n"
                                                       "E:reply mail 250 ok\n"
                                                       "E:reply rcpt 550 5.1.1 no\n"
                                                       "E:reply data 554 5.5.1 nobody\n"
                                                       ">:body x\n"
                                                       ">:data\n"
                                                       ">:mail c@d.test\n"
                                                       "E:body: out of sequence\n"
                                                       "E:data: out of sequence\n"
                                                       "E:mail: out of sequence\n"
                                                       ">:rset\n"
                                                       ">:mail c@d.test\n"
                                                       "C:RSET\n"
                                                       "C:MAIL FROM:<c@d.test>\n"
                                                       "S:250 ok\n"
                                                       "S:250 ok\n"
                                                       "E:reply rset 250 ok\n"
                                                       "E:reply mail 250 ok\n" QUIT},
        {"all recipients refused, DATA accepted: a lone dot", READY ">:mail a@b.test\n"
                                                                    ">:rcpt x@y.test\n"
                                                                    ">:data\n"
                                                                    "C:MAIL FROM:<a@b.test>\n"
                                                                    "C:RCPT TO:<x@y.test>\n"
                                                                    "C:DATA\n"
                                                                    "S:250 ok\n"
                                                                    "S:550 5.1.1 no\n"
                                                                    "S:354 go\n"
                                                                    "C:.\n"
                                                                    "E:reply mail 250 ok\n"
                                                                    "E:reply rcpt 550 5.1.1 no\n"
                                                                    "S:554 5.5.1 nobody\n"
                                                                    "E:reply data 554 5.5.1 nobody\n"
                                                                    ">:body x\n"
                                                                    "E:body: out of sequence\n"
                                                                    ">:mail c@d.test\n"
                                                                    "C:MAIL FROM:<c@d.test>\n"
                                                                    "S:250 ok\n"
                                                                    "E:reply mail 250 ok\n" QUIT},
        {"recipients after a refused sender do not count", READY ">:mail a@b.test\n"
                                                                 ">:rcpt x@y.test\n"
                                                                 ">:data\n"
                                                                 "C:MAIL FROM:<a@b.test>\n"
                                                                 "C:RCPT TO:<x@y.test>\n"
                                                                 "C:DATA\n"
                                                                 "S:550 5.7.1 no\n"
                                                                 "S:250 ok\n"
                                                                 "S:354 go\n"
                                                                 "C:.\n"
                                                                 "E:reply mail 550 5.7.1 no\n"
                                                                 "E:reply rcpt 250 ok\n"
                                                                 "S:250 what\n"
                                                                 "E:reply data 250 what\n" QUIT},
        {"another MAIL after a refused one", READY ">:mail a@b.test\n"
                                                   "C:MAIL FROM:<a@b.test>\n"
                                                   "S:550 no\n"
                                                   "E:reply mail 550 no\n"
                                                   ">:mail c@d.test\n"
                                                   "C:MAIL FROM:<c@d.test>\n"
                                                   "S:250 ok\n"
                                                   "E:reply mail 250 ok\n" QUIT},
        {"the next envelope behind the dot", OPEN ">:body x\n"
                                                  ">:end\n"
                                                  ">:mail c@d.test\n"
                                                  ">:rcpt z@y.test\n"
                                                  ">:data\n"
                                                  "C:x\n"
                                                  "C:.\n"
                                                  "C:MAIL FROM:<c@d.test>\n"
                                                  "C:RCPT TO:<z@y.test>\n"
                                                  "C:DATA\n"
                                                  "S:250 queued\n"
                                                  "S:250 ok\n"
                                                  "S:250 ok\n"
                                                  "S:354 go\n"
                                                  "E:reply end 250 queued\n"
                                                  "E:reply mail 250 ok\n"
                                                  "E:reply rcpt 250 ok\n"
                                                  "E:reply data 354 go\n"
                                                  ">:end\n"
                                                  "C:.\n"
                                                  "S:452 4.3.1 full\n"
                                                  "E:reply end 452 4.3.1 full\n" QUIT},
        {"out of sequence", READY ">:rcpt x@y.test\n"
                                  ">:data\n"
                                  ">:body x\n"
                                  ">:end\n"
                                  "E:rcpt: out of sequence\n"
                                  "E:data: out of sequence\n"
                                  "E:body: out of sequence\n"
                                  "E:end: out of sequence\n"
                                  ">:quit\n"
                                  ">:mail a@b.test\n"
                                  "C:QUIT\n"
                                  "E:mail: out of sequence\n"
                                  "S:221 bye\n"
                                  "E:closed quit at quit 221 bye\n"},
        {"421 anywhere", READY ">:mail a@b.test\n"
                               ">:rcpt x@y.test\n"
                               ">:data\n"
                               "C:MAIL FROM:<a@b.test>\n"
                               "C:RCPT TO:<x@y.test>\n"
                               "C:DATA\n"
                               "S:250 ok\n"
                               "S:421 4.3.2 away\n"
                               "E:reply mail 250 ok\n"
                               "E:closed closed by the server at rcpt 421 4.3.2 away\n"},
        {"421 unasked", READY "S:421 4.4.2 idle\n"
                              "E:closed closed by the server at greeting 421 4.4.2 idle\n"},
        {"421 for the message", OPEN ">:end\n"
                                     "C:.\n"
                                     "S:421 4.3.0 oh\n"
                                     "E:closed closed by the server at end 421 4.3.0 oh\n"},
        {"lost while a message is judged", OPEN ">:end\n"
                                                ">:lost\n"
                                                "C:.\n"
                                                "E:closed connection lost at end\n"},
        {"refused before the end", OPEN ">:body x\\r\\n\n"
                                        "C:x\n"
                                        "S:552 5.3.4 too large\n"
                                        "E:reply end 552 5.3.4 too large\n"
                                        "E:closed refused before the end at end\n"
                                        ">:body y\n"
                                        ">:end\n"
                                        "E:body: out of sequence\n"
                                        "E:end: out of sequence\n"},
        {"refused while the dot waits to be sent", OPEN ">:hold\n"
                                                        ">:body x\\r\\n\n"
                                                        ">:end\n"
                                                        "S:554 no\n"
                                                        "E:reply end 554 no\n"
                                                        "E:closed refused before the end at end\n"},
        {"accepted before the dot was sent is a lie", OPEN ">:hold\n"
                                                           ">:body x\\r\\n\n"
                                                           ">:end\n"
                                                           "S:250 queued\n" BROKEN("end")},
        {"accepted before the end is a lie", OPEN "S:250 queued\n" BROKEN("greeting")},
        {"a reply before its command", READY "S:250 ok\n" BROKEN("greeting")},
        {"a reply behind the greeting", ">:hold\n"
                                        "s:220 mx.test\\r\\n250 mx.test\\r\\n\n" BROKEN("ehlo")},
        {"one reply too many", READY ">:mail a@b.test\n"
                                     "C:MAIL FROM:<a@b.test>\n"
                                     "S:250 ok\n"
                                     "S:250 ok\n"
                                     "E:reply mail 250 ok\n" BROKEN("greeting")},
        {"codes that differ in one reply", READY ">:mail a@b.test\n"
                                                 "C:MAIL FROM:<a@b.test>\n"
                                                 "S:250-ok\n"
                                                 "S:550 no\n" BROKEN("mail")},
        {"bare LF in a reply", "s:220 mx.test\\n\n" BROKEN("greeting")},
        {"bare CR in a reply", "s:220 mx\\rtest\\r\\n\n" BROKEN("greeting")},
        {"NUL in a reply", "s:220 mx\\x00test\\r\\n\n" BROKEN("greeting")},
        {"no reply at all", "S:HTTP/1.1 400 Bad Request\n" BROKEN("greeting")},
        {"2yz to DATA", READY ">:mail a@b.test\n"
                              ">:rcpt x@y.test\n"
                              ">:data\n"
                              "C:MAIL FROM:<a@b.test>\n"
                              "C:RCPT TO:<x@y.test>\n"
                              "C:DATA\n"
                              "S:250 ok\n"
                              "S:250 ok\n"
                              "S:250 ok\n"
                              "E:reply mail 250 ok\n"
                              "E:reply rcpt 250 ok\n" BROKEN("greeting")},
        {"354 to MAIL", READY ">:mail a@b.test\n"
                              "C:MAIL FROM:<a@b.test>\n"
                              "S:354 go\n" BROKEN("greeting")},
        {"a stray in the message", OPEN ">:body a\\r\\n\n"
                                        ">:body b\\nc\n"
                                        ">:end\n"
                                        ">:body d\n"
                                        ">:lost\n"
                                        "C:a\n"
                                        "c:b\n"
                                        "E:body: syntax error\n"
                                        "E:end: syntax error\n"
                                        "E:body: syntax error\n"
                                        "E:closed connection lost at greeting\n"},
        {"CR and LF in two pieces", OPEN ">:body a\\r\n"
                                         ">:body \\n.\\r\n"
                                         ">:body \\n..\n"
                                         ">:end\n"
                                         "C:a\n"
                                         "C:..\n"
                                         "C:...\n"
                                         "C:.\n"
                                         "S:250 ok\n"
                                         "E:reply end 250 ok\n" QUIT},
        {"CR at the end of the message", OPEN ">:body a\\r\n"
                                              ">:end\n"
                                              ">:body b\n"
                                              ">:lost\n"
                                              "c:a\n"
                                              "E:end: syntax error\n"
                                              "E:body: syntax error\n"
                                              "E:closed connection lost at greeting\n"},
        {"time for the greeting", ">:time 299999\n"
                                  ">:time 1\n"
                                  "E:closed timeout at greeting\n"},
        {"time for a command; for DATA; for the dot", OPEN ">:time 10000000\n"
                                                           ">:end\n"
                                                           ">:time 599999\n"
                                                           "C:.\n"
                                                           "S:250 ok\n"
                                                           "E:reply end 250 ok\n"
                                                           ">:mail a@b.test\n"
                                                           ">:rcpt x@y.test\n"
                                                           ">:data\n"
                                                           ">:time 299999\n"
                                                           "C:MAIL FROM:<a@b.test>\n"
                                                           "C:RCPT TO:<x@y.test>\n"
                                                           "C:DATA\n"
                                                           "S:250 ok\n"
                                                           "E:reply mail 250 ok\n"
                                                           ">:time 299999\n"
                                                           "S:250 ok\n"
                                                           "E:reply rcpt 250 ok\n"
                                                           ">:time 119999\n"
                                                           "s:354\n"
                                                           ">:time 1\n"
                                                           "E:closed timeout at data\n"},
};

static bool next_line(struct str *text, char *kind, struct str *line)
{
        struct str whole;
        if (text->n == 0)
                return false;
        str_cut(*text, '\n', &whole, text);
        assert_true(whole.n >= 2 && whole.p[1] == ':');
        *kind = whole.p[0];
        *line = str_skip(whole, 2);
        return true;
}

struct expected {
        struct play_text output, events;
};

static void check_group(const struct dialogue *d, struct client_play *p, struct expected *x, struct str rest)
{
        if (!str_eq(play_str(&p->output), play_str(&x->output)) ||
                !str_eq(play_str(&p->events), play_str(&x->events)))
                fail_msg("%s, before <%.*s>\nsaid:\n%.*s\nexpected:\n%.*s\nevents:\n%.*s\nexpected:\n%.*s",
                        d->name, STR_ARG(str_take(rest, 60)), STR_ARG(play_str(&p->output)),
                        STR_ARG(play_str(&x->output)), STR_ARG(play_str(&p->events)),
                        STR_ARG(play_str(&x->events)));
        x->output.n = x->events.n = 0;
        p->output.n = p->events.n = 0;
}

static void feed_line(struct client_play *p, struct str line, bool is_line, uint32_t *seed)
{
        struct play_text bytes = {0};
        play_unescape(&bytes, line);
        play_add_c(&bytes, is_line ? "\r\n" : "");
        client_play_feed(p, play_str(&bytes), seed);
        play_free(&bytes);
}

static void expect_output(struct expected *x, struct str line, bool is_line)
{
        play_unescape(&x->output, line);
        play_add_c(&x->output, is_line ? "\r\n" : "");
}

static void play(const struct dialogue *d, uint32_t seed)
{
        struct expected x = {0};
        struct client_play p;
        struct str text = str_of_c(d->text), line, rest = text;
        char kind, last = 'S';
        client_play_begin(&p, false);
        while (next_line(&text, &kind, &line)) {
                bool is_input = kind == 'S' || kind == 's' || kind == '>';
                if (is_input && (last == 'C' || last == 'c' || last == 'E'))
                        check_group(d, &p, &x, rest);
                if (kind == 'S' || kind == 's')
                        feed_line(&p, line, kind == 'S', &seed);
                else if (kind == '>')
                        client_play_do(&p, line);
                else if (kind == 'E')
                        play_add(&x.events, line), play_add_c(&x.events, "\n");
                else
                        expect_output(&x, line, kind == 'C');
                last = kind;
                rest = text;
        }
        check_group(d, &p, &x, rest);
        assert_true(p.is_closed);
        client_play_free(&p);
        play_free(&x.output);
        play_free(&x.events);
}

static void test_dialogues(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof dialogues / sizeof dialogues[0]; i++) {
                print_message("dialogue: %s\n", dialogues[i].name);
                for (uint32_t seed = 0; seed < 202; seed++)
                        play(&dialogues[i], seed);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_dialogues),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
