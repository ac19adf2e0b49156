/* SPDX-License-Identifier: ISC */
/* Dialogues with a server engine (smtp/server_dialogue.h), but for chunks. */
#include "smtp/server_dialogue.h"

static const struct dialogue dialogues[] = {
        {"one message", OPEN "C:Subject: x\n"
                             "C:\n"
                             "C:text\n"
                             "C:.\n"
                             "S:250 2.0.0 taken\n"
                             "E:body Subject: x\\r\\n\\r\\ntext\\r\\n\n"
                             "E:end 20\n" QUIT},
        {"empty message", OPEN "C:.\n"
                               "S:250 2.0.0 taken\n"
                               "E:body \n"
                               "E:end 0\n" QUIT},
        {"several transactions in one session", OPEN "C:1\n"
                                                     "C:.\n"
                                                     "C:MAIL FROM:<>\n"
                                                     "C:RCPT TO:<Postmaster>\n"
                                                     "C:DATA\n"
                                                     "S:250 2.0.0 taken\n"
                                                     "S:250 2.1.0 sender ok\n"
                                                     "S:250 2.1.5 recipient ok\n"
                                                     "S:354 go\n"
                                                     "E:body 1\\r\\n\n"
                                                     "E:end 3\n"
                                                     "E:mail <>\n"
                                                     "E:rcpt <Postmaster>\n"
                                                     "E:data\n"
                                                     "C:2\n"
                                                     "C:.\n"
                                                     "S:250 2.0.0 taken\n"
                                                     "E:body 2\\r\\n\n"
                                                     "E:end 3\n" QUIT},
        {"dots are undone by line", OPEN "C:..\n"
                                         "C:...x\n"
                                         "C:.y\n"
                                         "C:a.b\n"
                                         "C:a.\n"
                                         "C:.. \n"
                                         "C:.\n"
                                         "S:250 2.0.0 taken\n"
                                         "E:body .\\r\\n..x\\r\\ny\\r\\na.b\\r\\na.\\r\\n. \\r\\n\n"
                                         "E:end 24\n" QUIT},
        {"8-bit is noticed", OPEN "c:caf\\xc3\\xa9\\r\\n.\\r\\n\n"
                                  "S:250 2.0.0 taken\n"
                                  "E:body caf\\xc3\\xa9\\r\\n\n"
                                  "E:end 7 8bit\n" QUIT},
        {"any case", BEGIN "C:eHlO c.test\n"
                           "S:250-mx.test hello\n"
                           "S:250-PIPELINING\n"
                           "S:250-SIZE 1000\n"
                           "S:250-8BITMIME\n"
                           "S:250-SMTPUTF8\n"
                           "S:250-CHUNKING\n"
                           "S:250 ENHANCEDSTATUSCODES\n"
                           "E:ehlo c.test\n"
                           "C:mail from:<a@b.test> size=10 body=8bitmime\n"
                           "C:rcpt to:<postMASTER>\n"
                           "S:250 2.1.0 sender ok\n"
                           "S:250 2.1.5 recipient ok\n"
                           "E:mail <a@b.test> size=10 8bit\n"
                           "E:rcpt <postMASTER>\n"
                           "C:data\n"
                           "S:354 go\n"
                           "E:data\n"
                           "C:.\n"
                           "S:250 2.0.0 taken\n"
                           "E:body \n"
                           "E:end 0\n"
                           "C:quit\n"
                           "S:221 2.0.0 Bye\n"
                           "E:closed quit\n"},
        {"HELO has no extensions", BEGIN "C:HELO c.test\n"
                                         "S:250 mx.test hello\n"
                                         "E:helo c.test\n"
                                         "C:MAIL FROM:<a@b.test> SIZE=1\n"
                                         "S:555 5.5.4 Parameter not known here\n" QUIT},
        {"out of sequence", BEGIN "C:MAIL FROM:<a@b.test>\n"
                                  "C:RCPT TO:<a@b.test>\n"
                                  "S:503 5.5.1 EHLO first\n"
                                  "S:503 5.5.1 MAIL first\n"
                                  "C:DATA\n"
                                  "S:503 5.5.1 MAIL first\n"
                                  "C:HELO c.test\n"
                                  "C:MAIL FROM:<a@b.test>\n"
                                  "C:MAIL FROM:<c@d.test>\n"
                                  "C:DATA\n"
                                  "S:250 mx.test hello\n"
                                  "S:250 2.1.0 sender ok\n"
                                  "S:503 5.5.1 A transaction is open already\n"
                                  "S:554 5.5.1 No valid recipients\n"
                                  "E:helo c.test\n"
                                  "E:mail <a@b.test>\n"
                                  "C:RCPT TO:<c@d.test>\n"
                                  "S:250 2.1.5 recipient ok\n"
                                  "E:rcpt <c@d.test>\n"
                                  "C:QUIT\n"
                                  "S:221 2.0.0 Bye\n"
                                  "E:reset closed\n"
                                  "E:closed quit\n"},
        {"a refused recipient harms no other", HELLO "C:MAIL FROM:<a@b.test>\n"
                                                     "C:RCPT TO:<refused@y.test>\n"
                                                     "C:RCPT TO:<x@y.test>\n"
                                                     "C:RCPT TO:<later@y.test>\n"
                                                     "C:RCPT TO:<odd@y.test>\n"
                                                     "C:DATA\n"
                                                     "S:250 2.1.0 sender ok\n"
                                                     "S:550 5.1.1 no\n"
                                                     "S:250 2.1.5 recipient ok\n"
                                                     "S:451 4.2.0 later\n"
                                                     "S:451 4.3.0 Unexpected answer from inside\n"
                                                     "S:354 go\n"
                                                     "E:mail <a@b.test>\n"
                                                     "E:rcpt <refused@y.test>\n"
                                                     "E:rcpt <x@y.test>\n"
                                                     "E:rcpt <later@y.test>\n"
                                                     "E:rcpt <odd@y.test>\n"
                                                     "E:data\n"
                                                     "C:.\n"
                                                     "S:250 2.0.0 taken\n"
                                                     "E:body \n"
                                                     "E:end 0\n" QUIT},
        {"all recipients refused", HELLO "C:MAIL FROM:<a@b.test>\n"
                                         "C:RCPT TO:<refused@y.test>\n"
                                         "C:DATA\n"
                                         "S:250 2.1.0 sender ok\n"
                                         "S:550 5.1.1 no\n"
                                         "S:554 5.5.1 No valid recipients\n"
                                         "E:mail <a@b.test>\n"
                                         "E:rcpt <refused@y.test>\n"
                                         "C:RSET\n"
                                         "S:250 2.0.0 Reset\n"
                                         "E:reset rset\n" QUIT},
        {"a refused sender opens nothing", HELLO "C:MAIL FROM:<refused@b.test>\n"
                                                 "C:RCPT TO:<x@y.test>\n"
                                                 "C:RSET\n"
                                                 "S:550 5.1.1 no\n"
                                                 "S:503 5.5.1 MAIL first\n"
                                                 "S:250 2.0.0 Reset\n"
                                                 "E:mail <refused@b.test>\n" QUIT},
        {"refused at the end", HELLO "C:MAIL FROM:<atend@b.test>\n"
                                     "C:RCPT TO:<x@y.test>\n"
                                     "C:DATA\n"
                                     "S:250 2.1.0 sender ok\n"
                                     "S:250 2.1.5 recipient ok\n"
                                     "S:354 go\n"
                                     "E:mail <atend@b.test>\n"
                                     "E:rcpt <x@y.test>\n"
                                     "E:data\n"
                                     "C:x\n"
                                     "C:.\n"
                                     "S:554 5.6.0 not this\n"
                                     "E:body x\\r\\n\n"
                                     "E:end 3\n" QUIT},
        {"refused at DATA", HELLO "C:MAIL FROM:<nodata@b.test>\n"
                                  "C:RCPT TO:<x@y.test>\n"
                                  "C:DATA\n"
                                  "S:250 2.1.0 sender ok\n"
                                  "S:250 2.1.5 recipient ok\n"
                                  "S:451 4.3.0 not now\n"
                                  "E:mail <nodata@b.test>\n"
                                  "E:rcpt <x@y.test>\n"
                                  "E:data\n"
                                  "C:QUIT\n"
                                  "S:221 2.0.0 Bye\n"
                                  "E:reset closed\n"
                                  "E:closed quit\n"},
        {"EHLO ends the transaction", HELLO "C:MAIL FROM:<a@b.test>\n"
                                            "C:HELO d.test\n"
                                            "C:RCPT TO:<x@y.test>\n"
                                            "S:250 2.1.0 sender ok\n"
                                            "S:250 mx.test hello\n"
                                            "S:503 5.5.1 MAIL first\n"
                                            "E:mail <a@b.test>\n"
                                            "E:helo d.test\n"
                                            "E:reset hello\n" QUIT},
        {"a refused EHLO changes nothing", HELLO "C:MAIL FROM:<a@b.test>\n"
                                                 "C:EHLO refuse.test\n"
                                                 "C:RCPT TO:<x@y.test>\n"
                                                 "C:RSET\n"
                                                 "S:250 2.1.0 sender ok\n"
                                                 "S:550 5.7.1 not you\n"
                                                 "S:250 2.1.5 recipient ok\n"
                                                 "S:250 2.0.0 Reset\n"
                                                 "E:mail <a@b.test>\n"
                                                 "E:ehlo refuse.test\n"
                                                 "E:rcpt <x@y.test>\n"
                                                 "E:reset rset\n" QUIT},
        {"421 of the caller closes", HELLO "C:MAIL FROM:<a@b.test>\n"
                                           "C:RCPT TO:<closing@y.test>\n"
                                           "C:RCPT TO:<x@y.test>\n"
                                           "S:250 2.1.0 sender ok\n"
                                           "S:421 4.3.2 away\n"
                                           "E:mail <a@b.test>\n"
                                           "E:rcpt <closing@y.test>\n"
                                           "E:reset closed\n"
                                           "E:closed closed by us\n"},
        {"small commands", HELLO "C:NOOP\n"
                                 "C:NOOP some words\n"
                                 "C:VRFY a@b.test\n"
                                 "C:VRFY\n"
                                 "C:HELP\n"
                                 "C:HELP MAIL\n"
                                 "C:EXPN list\n"
                                 "C:STARTTLS\n"
                                 "C:AUTH PLAIN\n"
                                 "C:FOO\n"
                                 "C:\n"
                                 "C:RSET now\n"
                                 "C:QUIT now\n"
                                 "C:EHLO\n"
                                 "C:EHLO a b\n"
                                 "S:250 2.0.0 OK\n"
                                 "S:250 2.0.0 OK\n"
                                 "S:252 2.0.0 Not verified; mail will be taken or refused at RCPT\n"
                                 "S:501 5.5.4 Say whom\n"
                                 "S:214 2.0.0 HELO EHLO MAIL RCPT DATA BDAT RSET NOOP VRFY HELP QUIT\n"
                                 "S:214 2.0.0 HELO EHLO MAIL RCPT DATA BDAT RSET NOOP VRFY HELP QUIT\n"
                                 "S:502 5.5.1 Command not implemented\n"
                                 "S:502 5.5.1 Command not implemented\n"
                                 "S:502 5.5.1 Command not implemented\n"
                                 "S:500 5.5.2 Command not known\n"
                                 "S:500 5.5.2 Command not known\n"
                                 "S:501 5.5.4 No parameters here\n"
                                 "S:501 5.5.4 No parameters here\n"
                                 "S:501 5.5.4 Say your host name\n"
                                 "S:501 5.5.4 Say your host name\n" QUIT},
        {"REQUIRETLS, which is not offered, is refused (RFC 8689 4.1)",
                HELLO "C:MAIL FROM:<a@b.test> REQUIRETLS\n"
                      "C:mail from:<a@b.test> size=10 requiretls\n"
                      "S:555 5.5.4 Parameter not known here\n"
                      "S:555 5.5.4 Parameter not known here\n" QUIT},
        {"addresses and parameters",
                HELLO "C:MAIL FROM:a@b.test\n"
                      "C:MAIL FROM:<a b@c.test>\n"
                      "C:MAIL FROM:<a@b.test> FOO=1\n"
                      "C:MAIL FROM:<a@b.test> SIZE=1 SIZE=1\n"
                      "C:MAIL FROM:<a@b.test> BODY=BINARYMIME\n"
                      "C:MAIL FROM:<a@b.test> SIZE=1001\n"
                      "C:MAIL FROM:<a@b.test> SIZE=99999999999999999999\n"
                      "c:MAIL FROM:<\\xc3\\xa9@b.test>\\r\\n\n"
                      "c:MAIL FROM:<\\xc3\\xa9@b.test> SMTPUTF8\\r\\n\n"
                      "C:RCPT TO:<>\n"
                      "C:RCPT TO:<x@y.test> NOTIFY=NEVER\n"
                      "c:RCPT TO:<\\xc3\\xa9@y.test>\\r\\n\n"
                      "S:501 5.1.7 Bad sender address; the form is MAIL FROM:<address>\n"
                      "S:501 5.1.7 Bad sender address; the form is MAIL FROM:<address>\n"
                      "S:555 5.5.4 Parameter not known here\n"
                      "S:501 5.5.4 Bad parameter\n"
                      "S:501 5.5.4 Bad parameter\n"
                      "S:552 5.3.4 Message too large\n"
                      "S:552 5.3.4 Message too large\n"
                      "S:553 5.6.7 A non-ASCII address needs SMTPUTF8\n"
                      "S:250 2.1.0 sender ok\n"
                      "S:501 5.1.3 Bad recipient address; the form is RCPT TO:<address>\n"
                      "S:555 5.5.4 Parameter not known here\n"
                      "S:250 2.1.5 recipient ok\n"
                      "E:mail <\\xc3\\xa9@b.test> utf8\n"
                      "E:rcpt <\\xc3\\xa9@y.test>\n"
                      "C:RSET\n"
                      "S:250 2.0.0 Reset\n"
                      "E:reset rset\n"
                      "C:MAIL FROM:<a@b.test>\n"
                      "c:RCPT TO:<\\xc3\\xa9@y.test>\\r\\n\n"
                      "S:250 2.1.0 sender ok\n"
                      "S:553 5.6.7 A non-ASCII address needs SMTPUTF8\n"
                      "E:mail <a@b.test>\n"
                      "C:RSET\n"
                      "S:250 2.0.0 Reset\n"
                      "E:reset rset\n" QUIT},
        {"bytes after QUIT are ignored", HELLO "C:QUIT\n"
                                               "C:MAIL FROM:<a@b.test>\n"
                                               "C:RCPT TO:<x@y.test>\n"
                                               "S:221 2.0.0 Bye\n"
                                               "E:closed quit\n"},
        {"bare LF ends a command", HELLO "c:NOOP\\nMAIL FROM:<a@b.test>\\r\\n\n"
                                         "S:500 5.5.2 Bare CR, bare LF or NUL in a command, closing\n"
                                         "E:closed protocol broken\n"},
        {"bare CR in a command", HELLO "c:MAIL FROM:<a@b.test>\\rNOOP\\r\\n\n"
                                       "S:500 5.5.2 Bare CR, bare LF or NUL in a command, closing\n"
                                       "E:closed protocol broken\n"},
        {"NUL in a command", HELLO "c:NOOP \\x00\\r\\n\n"
                                   "S:500 5.5.2 Bare CR, bare LF or NUL in a command, closing\n"
                                   "E:closed protocol broken\n"},
        {"bare LF in a message", OPEN "c:a\\nb\\r\\n.\\r\\nMAIL FROM:<evil@b.test>\\r\\n\n"
                                      "S:554 5.5.2 Bare CR, bare LF or NUL in the message, closing\n"
                                      "E:body a\n"
                                      "E:reset closed\n"
                                      "E:closed protocol broken\n"},
        {"bare CR in a message", OPEN "c:a\\r\\nb\\rc\\r\\n.\\r\\n\n"
                                      "S:554 5.5.2 Bare CR, bare LF or NUL in the message, closing\n"
                                      "E:body a\\r\\nb\n"
                                      "E:reset closed\n"
                                      "E:closed protocol broken\n"},
        {"NUL in a message", OPEN "c:a\\x00b\\r\\n.\\r\\n\n"
                                  "S:554 5.5.2 Bare CR, bare LF or NUL in the message, closing\n"
                                  "E:body a\n"
                                  "E:reset closed\n"
                                  "E:closed protocol broken\n"},
        {"two CR before LF", OPEN "c:a\\r\\r\\n.\\r\\n\n"
                                  "S:554 5.5.2 Bare CR, bare LF or NUL in the message, closing\n"
                                  "E:body a\n"
                                  "E:reset closed\n"
                                  "E:closed protocol broken\n"},
        {"LF dot CRLF is no end", OPEN "c:a\\n.\\r\\nQUIT\\r\\n\n"
                                       "S:554 5.5.2 Bare CR, bare LF or NUL in the message, closing\n"
                                       "E:body a\n"
                                       "E:reset closed\n"
                                       "E:closed protocol broken\n"},
        {"CRLF dot LF is no end", OPEN "c:a\\r\\n.\\nQUIT\\r\\n\n"
                                       "S:554 5.5.2 Bare CR, bare LF or NUL in the message, closing\n"
                                       "E:body a\\r\\n\n"
                                       "E:reset closed\n"
                                       "E:closed protocol broken\n"},
};

static void test_dialogues(void **state)
{
        (void)state;
        play_dialogues(dialogues, sizeof dialogues / sizeof dialogues[0]);
}

/* Every prefix of a session ends in order when the connection is lost there, and takes no message that is cut off. */
static void test_cut_off_anywhere(void **state)
{
        (void)state;
        struct str session = S("EHLO c.test\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<x@y.test>\r\nDATA\r\n");
        struct str message = S("Subject: x\r\n\r\n..text\r\n.\r\n");
        struct smtp_server_config config = server_play_config();
        for (size_t n = 0; n <= session.n + message.n; n++) {
                struct server_play p;
                uint32_t whole = 0;
                server_play_begin(&p, &config);
                server_play_feed(&p, str_take(session, n), &whole);
                if (n > session.n)
                        server_play_feed(&p, str_take(message, n - session.n), &whole);
                server_play_end_of_input(&p);
                bool is_taken = str_find(play_str(&p.events), S("\nend ")) < p.events.n;
                assert_int_equal(is_taken, n == session.n + message.n);
                server_play_free(&p);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_dialogues),
                cmocka_unit_test(test_cut_off_anywhere),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
