/* SPDX-License-Identifier: ISC */
#include "dns/name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "dns/test_input.h"

#define L63 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk"
#define COUNT(table) (sizeof(table) / sizeof(table)[0])

static void test_parse(void **state)
{
        (void)state;
        static const struct {
                const char *text;
                enum err err;
                struct str wire;
        } cases[] = {
                {".", ERR_OK, {"", 1}},
                {"a", ERR_OK, {"\1a", 3}},
                {"a.", ERR_OK, {"\1a", 3}},
                {"Mx.Example", ERR_OK, {"\2Mx\7Example", 12}},
                {"_dmarc.a", ERR_OK, {"\6_dmarc\1a", 10}},
                {"a\\.b.c", ERR_OK, {"\3a.b\1c", 7}},
                {"a\\000b", ERR_OK, {"\3a\0b", 5}},
                {"\\255\\\\", ERR_OK, {"\2\xff\\", 4}},
                {L63 ".x", ERR_OK, {"\77" L63 "\1x", 67}},
                {"", ERR_SYNTAX, {0}},
                {"..", ERR_SYNTAX, {0}},
                {".a", ERR_SYNTAX, {0}},
                {"a..b", ERR_SYNTAX, {0}},
                {"a..", ERR_SYNTAX, {0}},
                {"a b", ERR_SYNTAX, {0}},
                {"a\tb", ERR_SYNTAX, {0}},
                {"\xc3\xa4.example", ERR_SYNTAX, {0}},
                {"a\\", ERR_SYNTAX, {0}},
                {"a\\2", ERR_SYNTAX, {0}},
                {"a\\25", ERR_SYNTAX, {0}},
                {"a\\256", ERR_SYNTAX, {0}},
                {"a\\2x5", ERR_SYNTAX, {0}},
                {"a\\ b", ERR_SYNTAX, {0}},
                {"x" L63, ERR_LIMIT, {0}},
                {L63 "." L63 "." L63 "." L63, ERR_LIMIT, {0}},
        };
        for (size_t i = 0; i < COUNT(cases); i++) {
                struct str text = heap_copy(str_of_c(cases[i].text));
                struct dns_name name;
                memset(&name, 0xee, sizeof name);
                assert_int_equal(dns_name_parse(text, &name), cases[i].err);
                assert_int_equal(name.n, cases[i].wire.n);
                if (name.n > 0)
                        assert_memory_equal(name.b, cases[i].wire.p, name.n);
                heap_free(text);
        }
}

/* 255 octets are a name, 256 are none: three labels of 63 and one of 61 or 62. */
static void test_longest(void **state)
{
        (void)state;
        char text[256];
        memset(text, 'a', sizeof text);
        text[63] = text[127] = text[191] = '.';
        struct dns_name name, back;
        assert_int_equal(dns_name_parse(str_of(text, 253), &name), ERR_OK);
        assert_int_equal(name.n, 255);
        assert_int_equal(dns_name_child(&name, S("b"), &back), ERR_LIMIT);
        assert_int_equal(back.n, 0);
        assert_int_equal(dns_name_parse(str_of(text, 254), &name), ERR_LIMIT);
        assert_int_equal(dns_name_parse(str_of(text, 252), &name), ERR_OK);
        assert_int_equal(dns_name_child(&name, S("b"), &back), ERR_LIMIT); /* 256 */
        assert_int_equal(dns_name_parse(str_of(text, 251), &name), ERR_OK);
        assert_int_equal(dns_name_child(&name, S("b"), &back), ERR_OK); /* 255 */
        assert_int_equal(back.n, 255);
        struct rd r;
        rd_init(&r, S(""));
        dns_name_read(&r, &name);
        assert_int_equal(r.fault, ERR_SYNTAX);
}

static void test_longest_text(void **state)
{
        (void)state;
        char text[DNS_NAME_TEXT_MAX];
        struct wr w;
        struct dns_name name, back;
        dns_name_set_root(&name);
        static const char zeros[63];
        for (size_t i = 0; i < 3; i++)
                assert_int_equal(dns_name_child(&name, str_of(zeros, 63), &name), ERR_OK);
        assert_int_equal(dns_name_child(&name, str_of(zeros, 61), &name), ERR_OK);
        wr_init(&w, text, sizeof text);
        dns_name_write(&w, &name);
        assert_int_equal(wr_end(&w), ERR_OK);
        assert_int_equal(dns_name_parse(wr_text(&w), &back), ERR_OK);
        assert_true(dns_name_eq(&name, &back));
}

static void test_write(void **state)
{
        (void)state;
        static const char *const cases[][2] = {
                {".", "."},
                {"a.B.", "a.B"},
                {"a\\.b.c", "a\\.b.c"},
                {"\\097", "a"},
                {"\\000\\127\\255", "\\000\\127\\255"},
                {"a;b", "a\\;b"},
                {"\\\"\\(\\)\\@\\$\\\\", "\\\"\\(\\)\\@\\$\\\\"},
                {"\\032", "\\032"},
        };
        for (size_t i = 0; i < COUNT(cases); i++) {
                char text[100];
                struct wr w;
                struct dns_name name = name_of(cases[i][0]);
                wr_init(&w, text, sizeof text);
                dns_name_write(&w, &name);
                assert_true(str_eq(wr_text(&w), str_of_c(cases[i][1])));
        }
}

static void test_read(void **state)
{
        (void)state;
        static const struct {
                const char *label;
                struct str bytes;
                size_t at;
                const char *name; /* NULL: a fault */
                size_t end;
        } cases[] = {
                {"root", {"", 1}, 0, ".", 1},
                {"plain", {"\1a\2bc", 6}, 0, "a.bc", 6},
                {"pointer", {"\1a\0\1b\300\0", 7}, 3, "b.a", 7},
                {"pointer only", {"\1a\0\300\0xx", 7}, 3, "a", 5},
                {"pointer to a pointer", {"\1a\0\1b\300\0\1c\300\3", 11}, 7, "c.b.a", 11},
                {"pointer into a label", {"\2\1a\0\300\1", 6}, 4, "a", 6},
                {"pointer to itself", {"\300\0", 2}, 0, NULL, 0},
                {"pointer to its own part", {"\1a\300\0", 4}, 0, NULL, 0},
                {"pointer forward", {"\300\2\1a", 5}, 0, NULL, 0},
                {"two pointers in a ring", {"\300\2\300\0", 4}, 2, NULL, 0},
                {"pointer past the end", {"\300\377", 2}, 0, NULL, 0},
                {"pointer cut", {"\1a\0\300", 4}, 3, NULL, 0},
                {"label type 01", {"\101a", 3}, 0, NULL, 0},
                {"label type 10", {"\201a", 3}, 0, NULL, 0},
                {"label cut", {"\3ab", 3}, 0, NULL, 0},
                {"no root", {"\1a", 2}, 0, NULL, 0},
                {"nothing", {"", 0}, 0, NULL, 0},
        };
        for (size_t i = 0; i < COUNT(cases); i++) {
                struct str bytes = heap_copy(cases[i].bytes);
                struct dns_name name;
                struct rd r;
                rd_init(&r, bytes);
                rd_seek(&r, cases[i].at);
                dns_name_read(&r, &name);
                if (cases[i].name) {
                        struct dns_name right = name_of(cases[i].name);
                        assert_int_equal(r.fault, ERR_OK);
                        assert_true(dns_name_eq(&name, &right));
                        assert_int_equal(r.at, cases[i].end);
                } else {
                        assert_int_equal(r.fault, ERR_SYNTAX);
                        assert_int_equal(name.n, 0);
                }
                heap_free(bytes);
        }
}

/* A chain of pointers as long as a message allows ends, and so do names that grow past 255 octets through pointers. */
static void test_pointer_chains(void **state)
{
        (void)state;
        static char bytes[0x4000];
        struct dns_name name;
        struct rd r;
        for (size_t i = 2; i < sizeof bytes; i += 2) {
                bytes[i] = (char)(0xc0 | (i - 2) >> 8);
                bytes[i + 1] = (char)(i - 2);
        }
        rd_init(&r, str_of(bytes, sizeof bytes));
        rd_seek(&r, sizeof bytes - 2);
        dns_name_read(&r, &name);
        assert_int_equal(r.fault, ERR_OK);
        assert_true(dns_name_is_root(&name));

        for (size_t i = 4; i < sizeof bytes; i += 4) {
                bytes[i] = 1;
                bytes[i + 1] = 'a';
                bytes[i + 2] = (char)(0xc0 | (i - 4) >> 8);
                bytes[i + 3] = (char)(i - 4);
        }
        memset(bytes, 0, 4);
        for (size_t labels = 126; labels <= 129; labels++) {
                rd_init(&r, str_of(bytes, sizeof bytes));
                rd_seek(&r, 4 * labels);
                dns_name_read(&r, &name);
                assert_int_equal(r.fault, labels <= DNS_LABELS_MAX ? ERR_OK : ERR_SYNTAX);
        }
}

static void test_compare(void **state)
{
        (void)state;
        static const struct {
                const char *name, *zone;
                bool eq, under;
        } cases[] = {
                {"a.example", "A.EXAMPLE", true, true},
                {"a.example", "example", false, true},
                {"a.example", ".", false, true},
                {".", ".", true, true},
                {".", "example", false, false},
                {"example", "a.example", false, false},
                {"notexample", "example", false, false},
                {"a.notexample", "example", false, false},
                {"b\\.example", "example", false, false},
                {"x.\\007example", "example", false, false},
        };
        for (size_t i = 0; i < COUNT(cases); i++) {
                struct dns_name name = name_of(cases[i].name), zone = name_of(cases[i].zone);
                assert_int_equal(dns_name_eq(&name, &zone), cases[i].eq);
                assert_int_equal(dns_name_is_under(&name, &zone), cases[i].under);
        }
}

static void test_parts(void **state)
{
        (void)state;
        struct dns_name name = name_of("sel._domainkey.example.org"), out;
        assert_int_equal(dns_name_labels(&name), 4);
        assert_true(str_eq(dns_name_label(&name, 0), S("sel")));
        assert_true(str_eq(dns_name_label(&name, 3), S("org")));
        assert_int_equal(dns_name_label(&name, 4).n, 0);
        assert_int_equal(dns_name_label(&name, 9).n, 0);
        assert_true(dns_name_parent(&name, &name));
        struct dns_name right = name_of("_domainkey.example.org");
        assert_true(dns_name_eq(&name, &right));
        dns_name_set_root(&name);
        assert_false(dns_name_parent(&name, &out));
        assert_true(dns_name_is_root(&out));
        assert_int_equal(dns_name_labels(&out), 0);
}

static void test_join(void **state)
{
        (void)state;
        struct dns_name zone = name_of("example.org"), right = name_of("a._domainkey.example.org"), out;
        assert_int_equal(dns_name_join(S("a._domainkey"), &zone, &out), ERR_OK);
        assert_true(dns_name_eq(&out, &right));
        assert_int_equal(dns_name_child(&zone, S("a.b"), &out), ERR_OK);
        right = name_of("a\\.b.example.org");
        assert_true(dns_name_eq(&out, &right));
        assert_int_equal(dns_name_join(S(""), &zone, &out), ERR_SYNTAX);
        assert_int_equal(out.n, 0);
        assert_int_equal(dns_name_child(&zone, S(""), &out), ERR_LIMIT);
        assert_int_equal(dns_name_child(&zone, S("x" L63), &out), ERR_LIMIT);
        assert_int_equal(dns_name_child(&zone, S("www"), &zone), ERR_OK);
        right = name_of("www.example.org");
        assert_true(dns_name_eq(&zone, &right));
}

static void test_canonical(void **state)
{
        (void)state;
        char bytes[20];
        struct wr w;
        struct dns_name name = name_of("MX.Example\\091");
        wr_init(&w, bytes, sizeof bytes);
        dns_name_write_canonical(&w, &name);
        assert_true(str_eq(wr_text(&w), str_of("\2mx\10example[", 13)));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parse),
                cmocka_unit_test(test_longest),
                cmocka_unit_test(test_longest_text),
                cmocka_unit_test(test_write),
                cmocka_unit_test(test_read),
                cmocka_unit_test(test_pointer_chains),
                cmocka_unit_test(test_compare),
                cmocka_unit_test(test_parts),
                cmocka_unit_test(test_join),
                cmocka_unit_test(test_canonical),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
