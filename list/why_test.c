/* SPDX-License-Identifier: ISC */
#include "list/why.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct dns_name name_of(const char *text)
{
        struct dns_name name;
        assert_int_equal(dns_name_parse(str_of_c(text), &name), ERR_OK);
        return name;
}

/* ann@a.example, with a signature that passed and one that did not. */
static struct evaluate *settled(void)
{
        struct evaluate *e = calloc(1, sizeof *e);
        assert_non_null(e);
        e->out.author.domain = e->out.dmarc.author = e->out.dmarc.policy_domain = name_of("a.example");
        e->out.author.address = (struct mail_address){S("ann"), S("a.example")};
        e->out.author.count = 1;
        e->out.dmarc.result = DMARC_PASS;
        e->out.dmarc.policy = DMARC_POLICY_REJECT;
        e->out.spf.result = SPF_FAIL;
        e->out.spf.domain = S("b.example");
        e->out.spf.name = name_of("b.example");
        e->out.spf.term = S("-all");
        e->out.dkim_count = 2;
        e->dkim.list[0].signature.domain = S("a.example");
        e->dkim.list[0].signature.selector = S("s1");
        e->out.dkim[0].result = DKIM_PASS;
        e->dkim.list[1].signature.domain = S("b.example");
        e->dkim.list[1].signature.selector = S("s2");
        e->out.dkim[1].result = DKIM_FAIL;
        e->out.dkim[1].fault = DKIM_BODY;
        return e;
}

static void test_trace(void **state)
{
        (void)state;
        static const struct {
                struct posting_author author;
                struct posting_answer answer;
                const char *text, *begins;
        } cases[] = {
                {{.is_member = true}, {.code = 250}, "",
                        "author: ann@a.example, proven\n"
                        "rule: posting subscribers, the author is a member\n"
                        "answer: 250 accepted\n"
                        "dmarc: pass, a.example asks for reject\n"
                        "spf: fail for b.example, "},
                {{.is_member = true, .is_moderator = true, .is_new = true}, {.code = 250, .is_held = true},
                        "",
                        "author: ann@a.example, proven\n"
                        "rule: posting subscribers, the author is a member and a moderator whose first post "
                        "waits\n"
                        "answer: 250 held for the moderators\n"},
                {{.is_banned = true}, {550, 7, 1, false}, "banned here\nsecond line\n",
                        "author: ann@a.example, proven\n"
                        "rule: posting subscribers, the author is no member and banned\n"
                        "answer: 550 5.7.1 banned here\n"
                        "dmarc: "},
        };
        struct evaluate *e = settled();
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                char memory[WHY_TRACE_MAX];
                struct wr w;
                struct why_arrival a = {.evaluate = e,
                        .posting = S("subscribers"),
                        .author = cases[i].author,
                        .answer = cases[i].answer,
                        .text = str_of_c(cases[i].text)};
                wr_init(&w, memory, sizeof memory);
                why_trace_write(&w, &a);
                assert_false(w.full);
                if (!str_has_prefix(wr_text(&w), str_of_c(cases[i].begins)))
                        fail_msg("%.*s", STR_ARG(wr_text(&w)));
                assert_true(str_find(wr_text(&w), S("\ndkim: pass for a.example, selector s1\n"
                                                    "dkim: fail for b.example, selector s2, ")) < w.n);
                assert_true(str_find(wr_text(&w), S("\narc: none\n")) < w.n);
        }
        free(e);
}

/* What does not fit is left out by whole lines. */
static void test_trace_room(void **state)
{
        (void)state;
        struct evaluate *e = settled();
        struct why_arrival a = {.evaluate = e, .posting = S("open"), .answer = {.code = 250}};
        for (size_t cap = 0; cap < 600; cap++) {
                char memory[600];
                struct wr w;
                wr_init(&w, memory, cap);
                why_trace_write(&w, &a);
                assert_true(w.n <= cap && (w.n == 0 || w.p[w.n - 1] == '\n'));
        }
        free(e);
}

/* No author, no signature, no policy. */
static void test_nothing_found(void **state)
{
        (void)state;
        struct evaluate *e = calloc(1, sizeof *e);
        char memory[WHY_TRACE_MAX];
        struct wr w;
        assert_non_null(e);
        struct why_arrival a = {
                .evaluate = e, .posting = S("open"), .answer = {451, 7, 24, false}, .text = S("later")};
        e->out.author.fault = DMARC_FROM_NONE;
        e->out.dmarc.fault = DMARC_FROM_NONE;
        e->out.dmarc.result = DMARC_PERMERROR;
        e->out.spf.fault = SPF_NO_DOMAIN;
        wr_init(&w, memory, sizeof memory);
        why_trace_write(&w, &a);
        assert_true(str_has_prefix(wr_text(&w), S("author: nobody\n")));
        assert_true(str_find(wr_text(&w), S("\nanswer: 451 4.7.24 later\n")) < w.n);
        assert_true(str_find(wr_text(&w), S("\ndkim: none\n")) < w.n);
        assert_true(str_find(wr_text(&w), S("\nspf: none for nobody, ")) < w.n);
        free(e);
}

static void test_head(void **state)
{
        (void)state;
        char memory[WHY_HEAD_MAX];
        struct wr w;
        struct why_message m = {.list = S("ptt@mailingl.st"),
                .message_id = S("<a@b>"),
                .state = S("done"),
                .received_ms = 1795400000123,
                .left = 3,
                .trace = S("author: ann\nbroken\nfrom: rewritten\x1b[2J\n: \n")};
        wr_init(&w, memory, sizeof memory);
        why_head_write(&w, &m);
        assert_true(str_eq(wr_text(&w), S("message: <a@b>\n"
                                          "list: ptt@mailingl.st\n"
                                          "received: 2026-11-23T02:13:20.123Z\n"
                                          "envelope: <>\n"
                                          "author: ann\n"
                                          "from: rewritten?[2J\n"
                                          ": \n"
                                          "state: done\n"
                                          "left: 3\n")));
        char trace[WHY_TRACE_MAX];
        memset(trace, ':', sizeof trace);
        m.trace = str_of(trace, sizeof trace);
        m.list = m.message_id = m.sender = m.state = m.trace;
        wr_init(&w, memory, sizeof memory);
        why_head_write(&w, &m);
        assert_false(w.full);
}

static void test_results(void **state)
{
        (void)state;
        static const struct {
                struct why_result result;
                const char *line;
        } cases[] = {
                {{{"bob@example.net", 15}, true, 250, {"2.0.0 ok", 8}, 0},
                        "1970-01-01T00:00:00.000Z delivered bob@example.net: 250 2.0.0 ok\n"},
                {{{"bob@example.net", 15}, false, 0, {"", 0}, 1000},
                        "1970-01-01T00:00:01.000Z not delivered bob@example.net: no answer\n"},
                {{{"bob@example.net", 15}, false, 0, {"timed out", 9}, 1000},
                        "1970-01-01T00:00:01.000Z not delivered bob@example.net: timed out\n"},
                {{{"bob@example.net", 15}, true, 250, {"250 2.0.0 kept", 14}, 0},
                        "1970-01-01T00:00:00.000Z delivered bob@example.net: 250 2.0.0 kept\n"},
                {{{"b\nob@x", 6}, false, 550, {"no\r\nmore", 8}, 0},
                        "1970-01-01T00:00:00.000Z not delivered b?ob@x: 550 no more\n"},
        };
        char memory[WHY_LINE_MAX];
        struct wr w;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                wr_init(&w, memory, sizeof memory);
                why_result_write(&w, &cases[i].result);
                if (!str_eq(wr_text(&w), str_of_c(cases[i].line)))
                        fail_msg("%.*s", STR_ARG(wr_text(&w)));
        }
        char text[4096];
        memset(text, 0xff, sizeof text);
        struct why_result longest = {str_of(text, sizeof text), false, 550, str_of(text, sizeof text), 0};
        wr_init(&w, memory, sizeof memory);
        why_result_write(&w, &longest);
        assert_true(!w.full && w.n > 1000);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_trace),
                cmocka_unit_test(test_trace_room),
                cmocka_unit_test(test_nothing_found),
                cmocka_unit_test(test_head),
                cmocka_unit_test(test_results),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
