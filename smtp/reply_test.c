/* SPDX-License-Identifier: ISC */
#include "smtp/reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "smtp/play_text.h"

/* Parse `in` from a block of exactly its size. */
static enum err parse_exact(struct str in, struct smtp_reply_line *line, size_t *used, char **block)
{
        *block = malloc(in.n > 0 ? in.n : 1);
        if (in.n > 0)
                memcpy(*block, in.p, in.n);
        return smtp_reply_line_parse(str_of(*block, in.n), line, used);
}

static void test_lines(void **state)
{
        (void)state;
        static const struct {
                const char *name, *in;
                size_t n; /* 0: strlen */
                enum err err;
                uint16_t code;
                bool is_last;
                const char *enhanced, *text;
                size_t used;
        } cases[] = {
                {"plain", "250 ok\r\n", 0, ERR_OK, 250, true, "", "ok", 8},
                {"more to come", "250-ok\r\n250 x\r\n", 0, ERR_OK, 250, false, "", "ok", 8},
                {"code alone", "354\r\n", 0, ERR_OK, 354, true, "", "", 5},
                {"code and space", "354 \r\n", 0, ERR_OK, 354, true, "", "", 6},
                {"enhanced", "550 5.1.1 no such\r\n", 0, ERR_OK, 550, true, "5.1.1", "no such", 19},
                {"enhanced alone", "550 5.7.509\r\n", 0, ERR_OK, 550, true, "5.7.509", "", 13},
                {"enhanced of another class is text", "550 4.1.1 x\r\n", 0, ERR_OK, 550, true, "", "4.1.1 x",
                        13},
                {"an address is text", "550 5.1.1.1 x\r\n", 0, ERR_OK, 550, true, "", "5.1.1.1 x", 15},
                {"too many digits are text", "550 5.1234.1 x\r\n", 0, ERR_OK, 550, true, "", "5.1234.1 x",
                        16},
                {"half an enhanced code is text", "250 2.0\r\n", 0, ERR_OK, 250, true, "", "2.0", 9},
                {"no digits at all", "250 2..0 x\r\n", 0, ERR_OK, 250, true, "", "2..0 x", 12},
                {"8-bit text", "250 \xc3\xa9\r\n", 0, ERR_OK, 250, true, "", "\xc3\xa9", 8},
                {"bare LF", "250 ok\n", 0, ERR_SYNTAX, 0, false, "", "", 0},
                {"LF first", "\n", 0, ERR_SYNTAX, 0, false, "", "", 0},
                {"bare CR", "250 o\rk\r\n", 0, ERR_SYNTAX, 0, false, "", "", 0},
                {"NUL", "250 o\0k\r\n", 9, ERR_SYNTAX, 0, false, "", "", 0},
                {"empty line", "\r\n", 0, ERR_SYNTAX, 0, false, "", "", 0},
                {"no code", "ok\r\n", 0, ERR_SYNTAX, 0, false, "", "", 0},
                {"short code", "25\r\n", 0, ERR_SYNTAX, 0, false, "", "", 0},
                {"long code", "2500 x\r\n", 0, ERR_SYNTAX, 0, false, "", "", 0},
                {"1yz", "150 x\r\n", 0, ERR_SYNTAX, 0, false, "", "", 0},
                {"6yz", "650 x\r\n", 0, ERR_SYNTAX, 0, false, "", "", 0},
                {"tab behind the code", "250\tx\r\n", 0, ERR_SYNTAX, 0, false, "", "", 0},
                {"not whole", "250 ok\r", 0, ERR_AGAIN, 0, false, "", "", 0},
                {"nothing", "", 0, ERR_AGAIN, 0, false, "", "", 0},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct smtp_reply_line line;
                struct wr w;
                size_t used;
                char *block, bytes[32];
                struct str in = cases[i].n ? str_of(cases[i].in, cases[i].n) : str_of_c(cases[i].in);
                print_message("%s\n", cases[i].name);
                assert_int_equal(parse_exact(in, &line, &used, &block), cases[i].err);
                assert_int_equal(line.code, cases[i].code);
                assert_int_equal(used, cases[i].used);
                if (cases[i].err == ERR_OK) {
                        assert_int_equal(line.is_last, cases[i].is_last);
                        wr_init(&w, bytes, sizeof bytes);
                        smtp_enhanced_write(&w, &line.enhanced);
                        assert_true(str_eq(wr_text(&w), str_of_c(cases[i].enhanced)));
                        assert_true(str_eq(line.text, str_of_c(cases[i].text)));
                }
                free(block);
                for (size_t n = 0; cases[i].err == ERR_OK && n < cases[i].used; n++) {
                        assert_int_equal(parse_exact(str_take(in, n), &line, &used, &block), ERR_AGAIN);
                        free(block);
                }
        }
}

static void test_line_length(void **state)
{
        (void)state;
        char line[SMTP_REPLY_LINE_MAX + 1];
        struct smtp_reply_line out;
        size_t used;
        memset(line, 'x', sizeof line);
        memcpy(line, "250 ", 4);
        memcpy(line + SMTP_REPLY_LINE_MAX - 2, "\r\n", 2);
        assert_int_equal(smtp_reply_line_parse(str_of(line, SMTP_REPLY_LINE_MAX), &out, &used), ERR_OK);
        assert_int_equal(
                smtp_reply_line_parse(str_of(line, SMTP_REPLY_LINE_MAX - 1), &out, &used), ERR_AGAIN);
        memcpy(line + SMTP_REPLY_LINE_MAX - 2, "x\r\n", 3);
        assert_int_equal(smtp_reply_line_parse(str_of(line, sizeof line), &out, &used), ERR_LIMIT);
}

static void test_write(void **state)
{
        (void)state;
        static const struct {
                const char *name;
                struct smtp_reply reply;
                bool enhanced;
                const char *wire;
        } cases[] = {
                {"plain", {220, {0, 0, 0}, {"mx.test ESMTP", 13}}, true, "220 mx.test ESMTP\r\n"},
                {"enhanced", {550, {5, 1, 1}, {"no", 2}}, true, "550 5.1.1 no\r\n"},
                {"enhanced switched off", {550, {5, 1, 1}, {"no", 2}}, false, "550 no\r\n"},
                {"class of another code is left out", {451, {5, 1, 1}, {"no", 2}}, true, "451 no\r\n"},
                {"several lines", {250, {2, 0, 0}, {"a\nb\n\nc", 6}}, true,
                        "250-2.0.0 a\r\n250-2.0.0 b\r\n250-2.0.0 \r\n250 2.0.0 c\r\n"},
                {"an LF at the end is no line", {250, {0, 0, 0}, {"a\n", 2}}, true, "250 a\r\n"},
                {"no text", {250, {0, 0, 0}, {"", 0}}, true, "250 \r\n"},
                {"no line can be written into it", {250, {0, 0, 0}, {"a\r\n550 b\0c\x7f\xc3\xa9\td", 15}},
                        true, "250-a?\r\n250 550 b?c???\td\r\n"},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                char bytes[SMTP_REPLY_WRITTEN_MAX];
                struct wr w;
                wr_init(&w, bytes, sizeof bytes);
                print_message("%s\n", cases[i].name);
                smtp_reply_write(&w, &cases[i].reply, cases[i].enhanced);
                assert_true(str_eq(wr_text(&w), str_of_c(cases[i].wire)));
        }
}

/* Whatever the text, lines have at most 512 octets and all of them the written maximum; what parses is what was said. */
static void test_write_long(void **state)
{
        (void)state;
        static char text[6000];
        for (size_t n = 0; n < sizeof text; n += 37) {
                for (size_t gap = 1; gap < 2000; gap = gap * 3 + 1) {
                        static char bytes[SMTP_REPLY_WRITTEN_MAX];
                        struct wr w;
                        for (size_t i = 0; i < n; i++)
                                text[i] = i % gap == gap - 1 ? (i % 2 ? ' ' : '\n') : 'x';
                        struct smtp_reply reply = smtp_reply_of(554, 999, 999, str_of(text, n));
                        wr_init(&w, bytes, sizeof bytes);
                        smtp_reply_write(&w, &reply, true);
                        assert_int_equal(wr_end(&w), ERR_OK);
                        struct str wire = wr_text(&w);
                        struct smtp_reply_line line = {0};
                        while (wire.n > 0) {
                                size_t used;
                                assert_int_equal(smtp_reply_line_parse(wire, &line, &used), ERR_OK);
                                assert_true(used <= 512 && line.code == 554 && line.enhanced.detail == 999);
                                wire = str_skip(wire, used);
                                assert_int_equal(line.is_last, wire.n == 0);
                        }
                }
        }
}

static enum err add_line(struct smtp_reply_gather *g, const char *text)
{
        struct smtp_reply_line line;
        size_t used;
        assert_int_equal(smtp_reply_line_parse(str_of_c(text), &line, &used), ERR_OK);
        return smtp_reply_gather_line(g, &line);
}

static void test_gather(void **state)
{
        (void)state;
        struct smtp_reply_gather *g = malloc(sizeof *g);
        smtp_reply_gather_init(g);
        assert_int_equal(add_line(g, "550-5.7.1 one\r\n"), ERR_AGAIN);
        assert_int_equal(add_line(g, "550-two\a\r\n"), ERR_AGAIN);
        assert_int_equal(add_line(g, "550 5.7.1 three\r\n"), ERR_OK);
        struct smtp_reply reply = smtp_reply_gathered(g);
        assert_int_equal(reply.code, 550);
        assert_int_equal(reply.enhanced.class, 5);
        assert_true(str_eq(reply.text, S("one\ntwo?\nthree")));

        smtp_reply_gather_init(g);
        assert_int_equal(add_line(g, "250-a\r\n"), ERR_AGAIN);
        assert_int_equal(add_line(g, "550 b\r\n"), ERR_SYNTAX);

        smtp_reply_gather_init(g);
        for (int i = 0; i < SMTP_REPLY_LINES_MAX; i++)
                assert_int_equal(
                        add_line(g, "250-and a text that is long enough to fill it all\r\n"), ERR_AGAIN);
        assert_int_equal(add_line(g, "250 x\r\n"), ERR_LIMIT);
        assert_int_equal(smtp_reply_gathered(g).text.n, SMTP_REPLY_TEXT_MAX);
        free(g);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_lines),
                cmocka_unit_test(test_line_length),
                cmocka_unit_test(test_write),
                cmocka_unit_test(test_write_long),
                cmocka_unit_test(test_gather),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
