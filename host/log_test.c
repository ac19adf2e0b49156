/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/log.h"

/* A host that keeps its last line. */
struct paper {
        struct host host;
        char line[LOG_LINE_MAX + 1];
        size_t n;
        unsigned lines;
        uint64_t random[4];
        size_t randoms;
};

static int64_t wall_ms(struct host *h)
{
        (void)h;
        return 1795366800123;
}

static void console(struct host *h, struct str line)
{
        struct paper *p = (struct paper *)h;
        assert_true(line.n <= LOG_LINE_MAX);
        memcpy(p->line, line.p, line.n);
        p->line[line.n] = 0;
        p->n = line.n;
        p->lines++;
}

static void scripted_random(struct host *h, void *out, size_t n)
{
        struct paper *p = (struct paper *)h;
        assert_int_equal(n, sizeof p->random[0]);
        memcpy(out, &p->random[p->randoms++], n);
}

static const struct host_ops ops = {.wall_ms = wall_ms, .console = console, .random = scripted_random};

#define HEAD "2026-11-22T17:00:00.123Z info zone"

static void test_example(void **state)
{
        (void)state;
        struct paper p = {.host.ops = &ops};
        struct log_line l;
        log_begin(&l, &p.host, LOG_INFO, "zone", "published");
        log_str(&l, "selector", S("dkim-1775138006"));
        log_u64(&l, "serial", UINT64_MAX);
        log_i64(&l, "left", INT64_MIN);
        log_err(&l, ERR_TIMEOUT);
        log_ip_port(&l, "peer", &(struct ip_port){{.family = 4, .b = {192, 0, 2, 1}}, 25});
        log_c(&l, "empty", "");
        log_end(&l);
        assert_string_equal(p.line, HEAD " event=published selector=dkim-1775138006 "
                                         "serial=18446744073709551615 left=-9223372036854775808"
                                         " error=\"timed out\" peer=192.0.2.1:25 empty=\"\"");
        assert_int_equal(p.lines, 1);
}

static void test_label_and_levels(void **state)
{
        (void)state;
        static const char *const names[] = {"debug", "info", "warn", "error"};
        struct paper p = {.host = {.ops = &ops, .label = "node 1"}};
        for (unsigned i = 0; i < 4; i++) {
                struct log_line l;
                char want[128];
                log_begin(&l, &p.host, (enum log_level)i, "smtpd", "up");
                log_end(&l);
                snprintf(want, sizeof want, "2026-11-22T17:00:00.123Z %s smtpd name=\"node 1\" event=up",
                        names[i]);
                assert_string_equal(p.line, want);
        }
}

static void test_escaping(void **state)
{
        (void)state;
        static const struct {
                const char *name;
                struct str value;
                const char *printed;
        } cases[] = {
                {"plain", S("a.b@c"), "a.b@c"},
                {"space", S("a b"), "\"a b\""},
                {"equals sign", S("a=b"), "\"a=b\""},
                {"quote", S("a\"b"), "\"a\\\"b\""},
                {"backslash", S("a\\b"), "\"a\\\\b\""},
                {"a forged line", S("x\r\n2026 info zone event=ok"), "\"x\\r\\n2026 info zone event=ok\""},
                {"tab, NUL, ESC, DEL", S("\t\0\x1b[0m\x7f"), "\"\\t\\x00\\x1b[0m\\x7f\""},
                {"UTF-8 of two, three, four bytes", S("ü€😀"), "\"ü€😀\""},
                {"lone continuation", S("a\x80"), "\"a\\x80\""},
                {"cut two", S("\xc3"), "\"\\xc3\""},
                {"cut four", S("\xf0\x9f\x98"), "\"\\xf0\\x9f\\x98\""},
                {"overlong two", S("\xc0\x8a"), "\"\\xc0\\x8a\""},
                {"overlong three", S("\xe0\x80\x8a"), "\"\\xe0\\x80\\x8a\""},
                {"overlong four", S("\xf0\x80\x80\x8a"), "\"\\xf0\\x80\\x80\\x8a\""},
                {"surrogate", S("\xed\xa0\x80"), "\"\\xed\\xa0\\x80\""},
                {"above U+10FFFF", S("\xf4\x90\x80\x80"), "\"\\xf4\\x90\\x80\\x80\""},
                {"C1 control", S("\xc2\x9b"), "\"\\xc2\\x9b\""},
                {"line separator", S("\xe2\x80\xa8"), "\"\\xe2\\x80\\xa8\""},
                {"right-to-left override", S("\xe2\x80\xae"), "\"\\xe2\\x80\\xae\""},
                {"bad then good", S("\xc3(ü"), "\"\\xc3(ü\""},
                {"0xff", S("\xff"), "\"\\xff\""},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct paper p = {.host.ops = &ops};
                struct log_line l;
                char want[256];
                char *exact = malloc(cases[i].value.n);
                memcpy(exact, cases[i].value.p, cases[i].value.n);
                log_begin(&l, &p.host, LOG_INFO, "zone", "e");
                log_str(&l, "v", str_of(exact, cases[i].value.n));
                log_end(&l);
                free(exact);
                snprintf(want, sizeof want, HEAD " event=e v=%s", cases[i].printed);
                if (strcmp(p.line, want) != 0)
                        fail_msg("%s: %s", cases[i].name, p.line);
        }
}

/* Values of every length around the limit: the line never grows past it, always ends whole, and says what happened. */
static void cut_with(char filling, const char *tail)
{
        static char value[LOG_LINE_MAX * 2];
        memset(value, filling, sizeof value);
        for (size_t n = LOG_LINE_MAX / 8; n < sizeof value; n++) {
                struct paper p = {.host.ops = &ops};
                struct log_line l;
                log_begin(&l, &p.host, LOG_INFO, "zone", "e");
                log_str(&l, "v", str_of(value, n));
                bool was_cut = l.cut;
                log_str(&l, "after", S("x y"));
                log_u64(&l, "number", 5);
                log_end(&l);
                struct str line = str_of_c(p.line), end = str_of_c(l.cut ? tail : " after=\"x y\" number=5");
                assert_int_equal(line.n, p.n);
                struct str last = S(" after=\"x y\" cut=yes"), key = S(" after=\" cut=yes");
                bool ends_well = str_has_suffix_nocase(line, end) || str_has_suffix_nocase(line, last) ||
                                 (!was_cut && str_has_suffix_nocase(line, S(" cut=yes")));
                assert_true(ends_well && !str_has_suffix_nocase(line, key));
                assert_int_equal(l.cut, str_find(line, S(" cut=yes")) < line.n);
                size_t quotes = 0;
                for (size_t i = 0; i < line.n; i++)
                        quotes += line.p[i] == '"' && line.p[i - 1] != '\\';
                assert_int_equal(quotes % 2, 0);
        }
}

static void test_cut(void **state)
{
        (void)state;
        cut_with('a', "aaa cut=yes");
        cut_with(' ', "   \" cut=yes");
        cut_with('\x01', "\\x01\" cut=yes");
        cut_with('\n', "\\n\" cut=yes");
}

static void test_random_below(void **state)
{
        (void)state;
        /* 2^64 mod 10 is 6: the six highest values are thrown again */
        struct paper p = {.host.ops = &ops, .random = {UINT64_MAX, UINT64_MAX - 5, UINT64_MAX - 6, 3}};
        assert_int_equal(host_random_below(&p.host, 10), 9);
        assert_int_equal(p.randoms, 3);
        assert_int_equal(host_random_below(&p.host, 10), 3);
        struct paper q = {.host.ops = &ops, .random = {UINT64_MAX, UINT64_MAX, 7}};
        assert_int_equal(host_random_below(&q.host, 1), 0);
        assert_int_equal(host_random_below(&q.host, UINT64_C(1) << 32), UINT32_MAX);
        assert_int_equal(q.randoms, 2);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_example),
                cmocka_unit_test(test_label_and_levels),
                cmocka_unit_test(test_escaping),
                cmocka_unit_test(test_cut),
                cmocka_unit_test(test_random_below),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
