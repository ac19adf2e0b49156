/* SPDX-License-Identifier: ISC */
#include "mail/header.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/exact.h"
#include "base/limits.h"

#define CASES(table) (sizeof(table) / sizeof(table)[0])

static const char good[] =
        "From: a@b\r\nSubject : one\r\n\ttwo\r\n \r\nX:\r\nfrom:second\r\n\r\nBody: no\r\n\r\n";
static const struct str good_text = {good, sizeof good - 1};

static void test_index(void **state)
{
        (void)state;
        struct mail_field fields[8];
        struct mail_header h;
        struct str text = exact(good_text);
        assert_int_equal(mail_header_index(text, fields, 8, &h), ERR_OK);
        assert_int_equal(h.n, 4);
        assert_true(h.has_end && h.strays == 0 && h.bad_bytes == 0);
        assert_true(str_eq(str_skip(text, h.body_at), S("Body: no\r\n\r\n")));
        assert_true(str_eq(fields[1].name, S("Subject")));
        assert_true(str_eq(fields[1].body, S(" one\r\n\ttwo\r\n ")));
        assert_true(str_eq(fields[1].raw, S("Subject : one\r\n\ttwo\r\n \r\n")));
        assert_true(str_eq(fields[2].body, S("")));
        assert_ptr_equal(mail_header_first(&h, S("FROM")), &fields[0]);
        assert_ptr_equal(mail_header_last(&h, S("FROM")), &fields[3]);
        assert_ptr_equal(mail_header_nth(&h, S("From"), 1), &fields[3]);
        assert_ptr_equal(mail_header_nth_last(&h, S("From"), 1), &fields[0]);
        assert_null(mail_header_nth(&h, S("From"), 2));
        assert_null(mail_header_nth_last(&h, S("From"), 2));
        assert_null(mail_header_first(&h, S("Fro")));
        assert_int_equal(mail_header_count(&h, S("from")), 2);
        assert_int_equal(mail_header_index(text, fields, 3, &h), ERR_LIMIT);
        assert_int_equal(h.n, 3);
        exact_free(text);
}

static void test_strange_sections(void **state)
{
        (void)state;
        static const struct {
                const char *name;
                struct str text;
                size_t n, strays, bad_bytes, body_at;
                bool has_end;
        } cases[] = {
                {"empty", {"", 0}, 0, 0, 0, 0, false},
                {"only the empty line", {"\r\nx", 3}, 0, 0, 0, 2, true},
                {"no colon", {"hello\r\nA: b\r\n\r\n", 15}, 1, 1, 0, 15, true},
                {"leading continuation", {" x: y\r\nA: b\r\n\r\n", 15}, 1, 1, 0, 15, true},
                {"stray with continuation", {"hello\r\n there\r\nA:b\r\n\r\n", 22}, 1, 1, 0, 22, true},
                {"no name", {": x\r\n\r\n", 7}, 0, 1, 0, 7, true},
                {"space in the name", {"From joe: x\r\n\r\n", 15}, 0, 1, 0, 15, true},
                {"8-bit name", {"\xc3\xa9: x\r\n\r\n", 9}, 0, 1, 0, 9, true},
                {"NUL in the name", {"A\0: x\r\n\r\n", 9}, 0, 1, 1, 9, true},
                {"NUL in the body", {"A: \0\r\n\r\n", 8}, 1, 0, 1, 8, true},
                {"bare LF does not end a line", {"A: b\nB: c\r\n\r\n", 13}, 1, 0, 1, 13, true},
                {"bare CR does not end a line", {"A: b\rB: c\r\n\r\n", 13}, 1, 0, 1, 13, true},
                {"LF LF does not end the section", {"A: b\n\nB: c\r\n\r\n", 14}, 1, 0, 2, 14, true},
                {"CR CR LF", {"A: b\r\r\n\r\nx", 10}, 1, 0, 1, 9, true},
                {"CR at the end of all", {"A: b\r", 5}, 1, 0, 1, 5, false},
                {"no empty line", {"A: b\r\nB: c\r\n", 12}, 2, 0, 0, 12, false},
                {"last line not ended", {"A: b\r\nB: c", 10}, 2, 0, 0, 10, false},
                {"fold at the end of all", {"A: b\r\n ", 7}, 1, 0, 0, 7, false},
        };
        for (size_t i = 0; i < CASES(cases); i++) {
                struct mail_field fields[4];
                struct mail_header h;
                struct str text = exact(cases[i].text);
                print_message("%s\n", cases[i].name);
                assert_int_equal(mail_header_index(text, fields, 4, &h), ERR_OK);
                assert_int_equal(h.n, cases[i].n);
                assert_int_equal(h.strays, cases[i].strays);
                assert_int_equal(h.bad_bytes, cases[i].bad_bytes);
                assert_int_equal(h.body_at, cases[i].body_at);
                assert_int_equal(h.has_end, cases[i].has_end);
                assert_int_equal(h.stray.n > 0, cases[i].strays > 0);
                exact_free(text);
        }
}

/* The items of any text are the text: nothing is lost, nothing counted twice. */
static void test_every_prefix(void **state)
{
        (void)state;
        for (size_t n = 0; n < sizeof good; n++) {
                struct str text = exact(str_take(good_text, n));
                struct mail_field f;
                size_t at = 0, sum = 0, before;
                enum mail_item item;
                do {
                        before = at;
                        item = mail_item_next(text, &at, &f);
                        sum += item == MAIL_ITEM_END ? 2 : f.raw.n;
                        assert_int_equal(at, sum);
                } while (item == MAIL_ITEM_FIELD || item == MAIL_ITEM_STRAY);
                assert_true(item == MAIL_ITEM_EOF ? at == n : at == before + 2);
                exact_free(text);
        }
}

/* A section of exactly `n` octets, its empty line included, and a body behind. */
static struct str section_of(size_t n, size_t body)
{
        char *p = malloc(n + body);
        assert_non_null(p);
        memset(p, 'x', n + body);
        memcpy(p, "A: ", 3);
        memcpy(p + n - 4, "\r\n\r\n", 4);
        return str_of(p, n + body);
}

static void test_section_limit(void **state)
{
        (void)state;
        for (size_t over = 0; over < 5; over++) {
                struct mail_field fields[2];
                struct mail_header h;
                struct mail_header_end e;
                size_t used;
                struct str text = section_of(MAIL_HEADER_MAX + over, 10000);
                enum err want = over == 0 ? ERR_OK : ERR_LIMIT;
                assert_int_equal(mail_header_index(text, fields, 2, &h), want);
                assert_true(over > 0 || h.n == 1);
                mail_header_end_init(&e);
                assert_int_equal(mail_header_end_got(&e, text, &used), want);
                assert_int_equal(used, over == 0 ? MAIL_HEADER_MAX : 0);
                exact_free(text);
        }
}

/* The end found in chunks of every size is where the index finds it. */
static void test_end_in_chunks(void **state)
{
        (void)state;
        static const struct {
                const char *name;
                struct str text;
                enum err err;
        } cases[] = {
                {"good", {good, sizeof good - 1}, ERR_OK},
                {"at once", {"\r\nbody", 6}, ERR_OK},
                {"CR CR LF CR LF", {"A: b\r\r\n\r\n", 9}, ERR_OK},
                {"a line of one CR", {"A: b\r\n\r\r\n\r\nx", 12}, ERR_OK},
                {"bare LF LF", {"A: b\n\nx", 7}, ERR_AGAIN},
                {"CRLF LF", {"A: b\r\n\nx", 8}, ERR_AGAIN},
                {"CR CR", {"A: b\r\rx", 7}, ERR_AGAIN},
                {"LF CR LF", {"A: b\n\r\nx", 8}, ERR_AGAIN},
        };
        for (size_t i = 0; i < CASES(cases); i++) {
                struct mail_field fields[8];
                struct mail_header h;
                struct str text = cases[i].text;
                print_message("%s\n", cases[i].name);
                assert_int_equal(mail_header_index(text, fields, 8, &h), ERR_OK);
                assert_int_equal(h.has_end, cases[i].err == ERR_OK);
                for (size_t chunk = 1; chunk <= text.n; chunk++) {
                        struct mail_header_end e;
                        size_t used, sum = 0;
                        enum err err = ERR_AGAIN;
                        mail_header_end_init(&e);
                        while (err == ERR_AGAIN && sum < text.n) {
                                struct str piece = exact(str_take(str_skip(text, sum), chunk));
                                err = mail_header_end_got(&e, piece, &used);
                                sum += used;
                                exact_free(piece);
                        }
                        assert_int_equal(err, cases[i].err);
                        assert_int_equal(sum, h.body_at);
                }
        }
}

static void test_unfold(void **state)
{
        (void)state;
        static const struct {
                struct str body, want;
        } cases[] = {
                {{" a\r\n b", 6}, {" a b", 4}},
                {{" a\r\n\t b\r\n c", 11}, {" a\t b c", 7}},
                {{"a\r\nb", 4}, {"a  b", 4}},
                {{"a\rb\nc", 5}, {"a b c", 5}},
                {{"a\r\n", 3}, {"a  ", 3}},
                {{"\r", 1}, {" ", 1}},
                {{"", 0}, {"", 0}},
        };
        for (size_t i = 0; i < CASES(cases); i++) {
                char out[32];
                struct wr w;
                struct str body = exact(cases[i].body);
                wr_init(&w, out, sizeof out);
                mail_unfold(&w, body);
                assert_true(str_eq(wr_text(&w), cases[i].want));
                exact_free(body);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_index),
                cmocka_unit_test(test_strange_sections),
                cmocka_unit_test(test_every_prefix),
                cmocka_unit_test(test_section_limit),
                cmocka_unit_test(test_end_in_chunks),
                cmocka_unit_test(test_unfold),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
