/* SPDX-License-Identifier: ISC */
/* A message in one chunk (RFC 3030) by the client engine. */
#include "smtp/client_dialogue.h"

#define OFFERED              \
        GREET                \
        "S:250-mx.test\n"    \
        "S:250-PIPELINING\n" \
        "S:250 chunking\n"   \
        "E:ready pipelining chunking\n"
#define ENVELOPE                   \
        OFFERED                    \
        ">:mail a@b.test\n"        \
        ">:rcpt x@y.test\n"        \
        "C:MAIL FROM:<a@b.test>\n" \
        "C:RCPT TO:<x@y.test>\n"   \
        "S:250 ok\n"               \
        "S:250 ok\n"               \
        "E:reply mail 250 ok\n"    \
        "E:reply rcpt 250 ok\n"

static const struct dialogue dialogues[] = {
        {"a message", ENVELOPE ">:bdat 17\n"
                               ">:body Subject: x\\r\\n\\r\\n\n"
                               ">:body .\\r\n"
                               ">:body \\n\n"
                               ">:end\n"
                               "C:BDAT 17 LAST\n"
                               "C:Subject: x\n"
                               "C:\n"
                               "C:.\n"
                               "S:250 2.0.0 queued\n"
                               "E:reply end 250 2.0.0 queued\n" QUIT},
        {"an empty one", ENVELOPE ">:bdat 0\n"
                                  ">:end\n"
                                  "C:BDAT 0 LAST\n"
                                  "S:554 no\n"
                                  "E:reply end 554 no\n"
                                  ">:rset\n"
                                  "C:RSET\n"
                                  "S:250 ok\n"
                                  "E:reply rset 250 ok\n" QUIT},
        {"several messages", ENVELOPE ">:bdat 3\n"
                                      ">:body x\\r\\n\n"
                                      ">:end\n"
                                      "C:BDAT 3 LAST\n"
                                      "C:x\n"
                                      "S:250 ok\n"
                                      "E:reply end 250 ok\n"
                                      ">:mail c@d.test\n"
                                      ">:rcpt x@y.test\n"
                                      "C:MAIL FROM:<c@d.test>\n"
                                      "C:RCPT TO:<x@y.test>\n"
                                      "S:250 ok\n"
                                      "S:250 ok\n"
                                      "E:reply mail 250 ok\n"
                                      "E:reply rcpt 250 ok\n"
                                      ">:data\n"
                                      "C:DATA\n"
                                      "S:354 go\n"
                                      "E:reply data 354 go\n"
                                      ">:body .\\r\\n\n"
                                      ">:end\n"
                                      "C:..\n"
                                      "C:.\n"
                                      "S:250 ok\n"
                                      "E:reply end 250 ok\n" QUIT},
        {"not offered", READY ">:mail a@b.test\n"
                              ">:rcpt x@y.test\n"
                              "C:MAIL FROM:<a@b.test>\n"
                              "C:RCPT TO:<x@y.test>\n"
                              "S:250 ok\n"
                              "S:250 ok\n"
                              "E:reply mail 250 ok\n"
                              "E:reply rcpt 250 ok\n"
                              ">:bdat 3\n"
                              "E:bdat: not supported\n" QUIT},
        {"before the answers", OFFERED ">:bdat 3\n"
                                       "E:bdat: out of sequence\n"
                                       ">:mail a@b.test\n"
                                       ">:rcpt x@y.test\n"
                                       ">:bdat 3\n"
                                       ">:body x\\r\\n\n"
                                       ">:end\n"
                                       "C:MAIL FROM:<a@b.test>\n"
                                       "C:RCPT TO:<x@y.test>\n"
                                       "C:BDAT 3 LAST\n"
                                       "C:x\n"
                                       "S:250 ok\n"
                                       "S:250 ok\n"
                                       "S:250 2.0.0 queued\n"
                                       "E:reply mail 250 ok\n"
                                       "E:reply rcpt 250 ok\n"
                                       "E:reply end 250 2.0.0 queued\n" QUIT},
        {"before the refusals", OFFERED ">:mail a@b.test\n"
                                        ">:rcpt x@y.test\n"
                                        ">:bdat 3\n"
                                        ">:body x\\r\\n\n"
                                        ">:end\n"
                                        "C:MAIL FROM:<a@b.test>\n"
                                        "C:RCPT TO:<x@y.test>\n"
                                        "C:BDAT 3 LAST\n"
                                        "C:x\n"
                                        "S:250 ok\n"
                                        "S:550 no\n"
                                        "S:503 no recipient\n"
                                        "E:reply mail 250 ok\n"
                                        "E:reply rcpt 550 no\n"
                                        "E:reply end 503 no recipient\n"
                                        ">:rset\n"
                                        "C:RSET\n"
                                        "S:250 ok\n"
                                        "E:reply rset 250 ok\n"
                                        ">:mail a@b.test\n"
                                        ">:rcpt x@y.test\n"
                                        "C:MAIL FROM:<a@b.test>\n"
                                        "C:RCPT TO:<x@y.test>\n"
                                        "S:250 ok\n"
                                        "S:550 no\n"
                                        "E:reply mail 250 ok\n"
                                        "E:reply rcpt 550 no\n"
                                        ">:bdat 3\n"
                                        "E:bdat: out of sequence\n" QUIT},
        {"an answer that is too early", OFFERED ">:mail a@b.test\n"
                                                ">:rcpt x@y.test\n"
                                                ">:bdat 5\n"
                                                ">:body x\n"
                                                "C:MAIL FROM:<a@b.test>\n"
                                                "C:RCPT TO:<x@y.test>\n"
                                                "C:BDAT 5 LAST\n"
                                                "c:x\n"
                                                "S:250 ok\n"
                                                "S:250 ok\n"
                                                "S:250 queued already\n"
                                                "E:reply mail 250 ok\n"
                                                "E:reply rcpt 250 ok\n"
                                                "E:closed protocol broken at greeting\n"},
        {"more than was said", ENVELOPE ">:bdat 3\n"
                                        ">:body xy\\r\\n\n"
                                        "E:body: out of sequence\n"
                                        "C:BDAT 3 LAST\n"
                                        ">:body x\\r\\n\n"
                                        ">:body y\n"
                                        ">:end\n"
                                        "E:body: out of sequence\n"
                                        "C:x\n"
                                        "S:250 ok\n"
                                        "E:reply end 250 ok\n" QUIT},
        {"less than was said", ENVELOPE ">:bdat 4\n"
                                        ">:body x\\r\\n\n"
                                        ">:end\n"
                                        "E:end: out of sequence\n"
                                        "C:BDAT 4 LAST\n"
                                        "C:x\n"
                                        ">:lost\n"
                                        "E:closed connection lost at greeting\n"},
        {"a last line without end", ENVELOPE ">:bdat 1\n"
                                             ">:body x\n"
                                             ">:end\n"
                                             "E:end: syntax error\n"
                                             "C:BDAT 1 LAST\n"
                                             "c:x\n"
                                             ">:lost\n"
                                             "E:closed connection lost at greeting\n"},
        {"a stray", ENVELOPE ">:bdat 5\n"
                             ">:body x\\ny\\r\\n\n"
                             ">:end\n"
                             "E:body: syntax error\n"
                             "E:end: syntax error\n"
                             "C:BDAT 5 LAST\n"
                             "c:x\n"
                             ">:lost\n"
                             "E:closed connection lost at greeting\n"},
        {"refused before the end", ENVELOPE ">:bdat 5\n"
                                            ">:body x\n"
                                            "C:BDAT 5 LAST\n"
                                            "c:x\n"
                                            "S:552 too large\n"
                                            "E:reply end 552 too large\n"
                                            "E:closed refused before the end at end\n"},
};

static void test_dialogues(void **state)
{
        (void)state;
        play_dialogues(dialogues, sizeof dialogues / sizeof dialogues[0]);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_dialogues),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
