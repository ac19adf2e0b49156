/* SPDX-License-Identifier: ISC */
#include "auth/canon.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "base/wr.h"

static void collect(void *arg, struct str bytes)
{
        wr_str(arg, bytes);
}

/* One chunk, in a block of exactly its size. */
static void write_exact(struct canon_body *b, struct str chunk, struct canon_sink sink)
{
        char *p = malloc(chunk.n ? chunk.n : 1);
        assert_non_null(p);
        if (chunk.n > 0)
                memcpy(p, chunk.p, chunk.n);
        canon_body_write(b, str_of(p, chunk.n), sink);
        free(p);
}

/* The canonical body, the input cut by `cut`: 0 whole, 1 byte by byte, else at random places seeded by it. */
static struct str body_of(enum canon canon, struct str text, unsigned cut, char *buffer, size_t cap)
{
        struct wr w;
        struct canon_sink sink = {collect, &w};
        struct canon_body b;
        uint32_t seed = cut;
        wr_init(&w, buffer, cap);
        canon_body_init(&b, canon);
        while (text.n > 0) {
                seed = seed * 1103515245 + 12345;
                size_t n = cut == 0 ? text.n : cut == 1 ? 1 : 1 + (seed >> 16) % 90;
                write_exact(&b, str_take(text, n), sink);
                text = str_skip(text, n);
        }
        canon_body_end(&b, sink);
        assert_false(w.full);
        return wr_text(&w);
}

#define LINE70 "0123456789012345678901234567890123456789012345678901234567890123456789"

static void test_bodies(void **state)
{
        (void)state;
        static const struct {
                const char *name, *text, *simple, *relaxed;
        } cases[] = {
                {"RFC 6376 3.4.5", " C \r\nD \t E\r\n\r\n\r\n", " C \r\nD \t E\r\n", " C\r\nD E\r\n"},
                {"empty", "", "\r\n", ""},
                {"one line end", "\r\n", "\r\n", ""},
                {"line ends alone", "\r\n\r\n\r\n", "\r\n", ""},
                {"no line end", "abc", "abc\r\n", "abc\r\n"},
                {"white space alone", " \t ", " \t \r\n", ""},
                {"white space on the last lines", "a\r\n \r\n\t\r\n", "a\r\n \r\n\t\r\n", "a\r\n"},
                {"white space without a line end", "a\r\n  ", "a\r\n  \r\n", "a\r\n"},
                {"white space at the end of the last line", "a  ", "a  \r\n", "a\r\n"},
                {"empty lines inside", "a\r\n\r\n\r\nb\r\n", "a\r\n\r\n\r\nb\r\n", "a\r\n\r\n\r\nb\r\n"},
                {"empty lines first", "\r\n\r\nb", "\r\n\r\nb\r\n", "\r\n\r\nb\r\n"},
                {"blank line inside", "a\r\n \t\r\nb\r\n", "a\r\n \t\r\nb\r\n", "a\r\n\r\nb\r\n"},
                {"leading white space", "\t \ta\r\n", "\t \ta\r\n", " a\r\n"},
                {"lone CR and LF are bytes", "a\rb\nc\n\r\n", "a\rb\nc\n\r\n", "a\rb\nc\n\r\n"},
                {"CR at the end", "a\r", "a\r\r\n", "a\r\r\n"},
                {"white space before a lone CR", "a  \rb \nc", "a  \rb \nc\r\n", "a \rb \nc\r\n"},
                {"CR CR LF", "a\r\r\n\r\n", "a\r\r\n", "a\r\r\n"},
                {"LF CR", "a\n\r", "a\n\r\r\n", "a\n\r\r\n"},
                {"long plain line", LINE70 LINE70 "\r\n", LINE70 LINE70 "\r\n", LINE70 LINE70 "\r\n"},
                {"CR as last byte of a block",
                        LINE70 "\b23456789012345678901234567890123456789012345678901234567\r\n\r\n",
                        LINE70 "\b23456789012345678901234567890123456789012345678901234567\r\n",
                        LINE70 "\b23456789012345678901234567890123456789012345678901234567\r\n"},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
                for (unsigned cut = 0; cut < 200; cut++) {
                        char buffer[1024];
                        struct str text = str_of_c(cases[i].text);
                        if (!str_eq(body_of(CANON_SIMPLE, text, cut, buffer, sizeof buffer),
                                    str_of_c(cases[i].simple)))
                                fail_msg("simple, %s, cut %u: %.200s", cases[i].name, cut, buffer);
                        if (!str_eq(body_of(CANON_RELAXED, text, cut, buffer, sizeof buffer),
                                    str_of_c(cases[i].relaxed)))
                                fail_msg("relaxed, %s, cut %u: %.200s", cases[i].name, cut, buffer);
                }
}

/* A second, slow reading of 3.4.4, line by line, as the judge of the fast one. */
static struct str relaxed_slowly(struct str text, char *buffer, size_t cap)
{
        struct wr w;
        size_t end = 0; /* behind the last line that is not empty */
        wr_init(&w, buffer, cap);
        while (text.n > 0) {
                size_t at = str_find(text, S("\r\n"));
                struct str line = str_take(text, at);
                text = str_skip(text, at + 2);
                while (line.n > 0 && (line.p[line.n - 1] == ' ' || line.p[line.n - 1] == '\t'))
                        line.n--;
                for (size_t i = 0; i < line.n; i++) {
                        bool blank = line.p[i] == ' ' || line.p[i] == '\t';
                        if (blank && i > 0 && (line.p[i - 1] == ' ' || line.p[i - 1] == '\t'))
                                continue;
                        wr_byte(&w, blank ? ' ' : line.p[i]);
                }
                wr_str(&w, S("\r\n"));
                if (line.n > 0)
                        end = w.n;
        }
        assert_false(w.full);
        return str_of(buffer, end);
}

static void test_against_slow(void **state)
{
        (void)state;
        static const char alphabet[] = "ab  \t\r\n\rxyzxyzxyzxyzxyzxyzxyzxyz";
        uint32_t seed = 7;
        for (int round = 0; round < 3000; round++) {
                char text[600], fast[1600], slow[1600];
                size_t n = 0, size;
                seed = seed * 1103515245 + 12345;
                size = (seed >> 16) % 400;
                while (n < size) {
                        seed = seed * 1103515245 + 12345;
                        uint32_t pick = seed >> 16;
                        if (pick % 13 == 0) {
                                text[n++] = '\r';
                                text[n++] = '\n';
                        } else if (round % 2) {
                                text[n++] = alphabet[pick % (sizeof alphabet - 1)];
                        } else {
                                text[n++] = "abcdefghijklmnop "[pick % 17];
                        }
                }
                struct str want = relaxed_slowly(str_of(text, n), slow, sizeof slow);
                for (unsigned cut = 0; cut < 6; cut++) {
                        struct str got = body_of(CANON_RELAXED, str_of(text, n), cut, fast, sizeof fast);
                        if (!str_eq(got, want))
                                fail_msg("round %d, cut %u", round, cut);
                        char again[1600];
                        assert_true(str_eq(body_of(CANON_RELAXED, got, cut, again, sizeof again), got));
                }
        }
}

static struct str field_of(enum canon canon, struct str raw, char *buffer, size_t cap)
{
        struct wr w;
        wr_init(&w, buffer, cap);
        canon_field(canon, raw, (struct canon_sink){collect, &w});
        assert_false(w.full);
        return wr_text(&w);
}

static void test_fields(void **state)
{
        (void)state;
        static const struct {
                const char *name, *raw, *simple, *relaxed;
        } cases[] = {
                {"RFC 6376 3.4.5 A", "A: X\r\n", "A: X\r\n", "a:X\r\n"},
                {"RFC 6376 3.4.5 B", "B : Y\t\r\n\tZ  \r\n", "B : Y\t\r\n\tZ  \r\n", "b:Y Z\r\n"},
                {"no CRLF at the end", "A: X", "A: X\r\n", "a:X\r\n"},
                {"empty", "A:\r\n", "A:\r\n", "a:\r\n"},
                {"blank", "A: \t \r\n", "A: \t \r\n", "a:\r\n"},
                {"blank continuation", "A: x\r\n \r\n", "A: x\r\n \r\n", "a:x\r\n"},
                {"folded at once", "Subject:\r\n  a\r\n b", "Subject:\r\n  a\r\n b\r\n", "subject:a b\r\n"},
                {"colons", "A:b: c :d", "A:b: c :d\r\n", "a:b: c :d\r\n"},
                {"8-bit", "A: \xe9  \xe9", "A: \xe9  \xe9\r\n", "a:\xe9 \xe9\r\n"},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                char buffer[256];
                struct str raw = str_of_c(cases[i].raw);
                if (!str_eq(field_of(CANON_SIMPLE, raw, buffer, sizeof buffer), str_of_c(cases[i].simple)))
                        fail_msg("simple, %s", cases[i].name);
                if (!str_eq(field_of(CANON_RELAXED, raw, buffer, sizeof buffer), str_of_c(cases[i].relaxed)))
                        fail_msg("relaxed, %s", cases[i].name);
        }
}

static void test_long_name(void **state)
{
        (void)state;
        char buffer[256];
        assert_true(str_eq(field_of(CANON_RELAXED, S("ABCDEFGHIJ" LINE70 "X:y"), buffer, sizeof buffer),
                S("abcdefghij" LINE70 "x:y\r\n")));
}

static void test_signature_field(void **state)
{
        (void)state;
        static const struct {
                const char *name, *raw, *simple, *relaxed;
        } cases[] = {
                /* the hole is what stands between '<' and '>', which are taken out */
                {"last", "S: a=1; b=<xyz>\r\n", "S: a=1; b=", "s:a=1; b="},
                {"inside", "S: b=<\r\n xy\r\n z >; c=1\r\n", "S: b=; c=1", "s:b=; c=1"},
                {"empty", "S: b=<>;\r\n c=1  \r\n", "S: b=;\r\n c=1  ", "s:b=; c=1"},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                char raw[64], buffer[128];
                struct str text = str_of_c(cases[i].raw), head, hole, tail;
                struct wr w;
                str_cut(text, '<', &head, &text);
                str_cut(text, '>', &hole, &tail);
                memcpy(raw, head.p, head.n);
                memcpy(raw + head.n, hole.p, hole.n);
                memcpy(raw + head.n + hole.n, tail.p, tail.n);
                for (int relaxed = 0; relaxed < 2; relaxed++) {
                        wr_init(&w, buffer, sizeof buffer);
                        canon_signature_field(relaxed ? CANON_RELAXED : CANON_SIMPLE,
                                str_of(raw, head.n + hole.n + tail.n), str_of(raw + head.n, hole.n),
                                (struct canon_sink){collect, &w});
                        if (!str_eq(wr_text(&w), str_of_c(relaxed ? cases[i].relaxed : cases[i].simple)))
                                fail_msg("%s: %.*s", cases[i].name, STR_ARG(wr_text(&w)));
                }
        }
}

static void count(void *arg, struct str bytes)
{
        *(size_t *)arg += bytes.n;
}

/* A line full of gaps costs as much as it is long, not the square of that. */
static void test_long_line_of_gaps(void **state)
{
        (void)state;
        const size_t n = 4U << 20;
        char *text = malloc(n);
        size_t got = 0;
        assert_non_null(text);
        memset(text, ' ', n);
        text[0] = 'a';
        text[1] = ':';
        for (size_t i = 2; i < n; i += 3)
                text[i] = 'x';
        clock_t begin = clock();
        canon_field(CANON_RELAXED, str_of(text, n), (struct canon_sink){count, &got});
        assert_true(clock() - begin < 5 * CLOCKS_PER_SEC);
        assert_int_equal(got, 2 + ((n - 2) / 3 + 1) * 2 - 1 + 2);
        free(text);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_bodies),
                cmocka_unit_test(test_against_slow),
                cmocka_unit_test(test_fields),
                cmocka_unit_test(test_long_name),
                cmocka_unit_test(test_signature_field),
                cmocka_unit_test(test_long_line_of_gaps),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
