/* SPDX-License-Identifier: ISC */
#include "tests/sim/letter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/limits.h"
#include "mail/header.h"

static struct str write_one(unsigned shape, uint64_t seed, size_t size)
{
        return letter_write(&(struct letter){.seed = seed,
                .name = S("t7"),
                .from = S("a@author.test"),
                .to = S("l@list.test"),
                .shape = (enum letter_shape)shape,
                .size = size,
                .smuggled = S("t6")});
}

/* CR and LF only together, no NUL. */
static bool is_clean(struct str s)
{
        for (size_t i = 0; i < s.n; i++) {
                bool is_lone_cr = s.p[i] == '\r' && (i + 1 == s.n || s.p[i + 1] != '\n');
                bool is_lone_lf = s.p[i] == '\n' && (i == 0 || s.p[i - 1] != '\r');
                if (is_lone_cr || is_lone_lf || s.p[i] == 0)
                        return false;
        }
        return true;
}

static void test_shapes(void **state)
{
        (void)state;
        for (unsigned shape = 0; shape < LETTER_SHAPES; shape++)
                for (uint64_t seed = 0; seed < 20; seed++) {
                        struct str one = write_one(shape, seed, 1 + 300 * seed),
                                   two = write_one(shape, seed, 1 + 300 * seed);
                        assert_true(str_eq(one, two));
                        assert_true(one.n > 300 * seed);
                        assert_true(str_eq(letter_name(one), S("t7")));
                        bool is_dirty = (shape >= LETTER_LF && shape <= LETTER_NUL) ||
                                        (shape >= LETTER_SMUGGLE_LF && shape <= LETTER_SMUGGLE_CRLF_LF);
                        assert_int_equal(is_clean(one), !is_dirty);
                        assert_int_equal(str_has_suffix_nocase(one, S("\r\n")), shape != LETTER_NO_END);
                        assert_true(!is_dirty || letter_is_malformed((enum letter_shape)shape));
                        letter_free(one);
                        letter_free(two);
                }
}

/* The header is what the shape says. */
static void test_headers(void **state)
{
        static const struct {
                unsigned shape;
                size_t from, ids, strays, list_ids;
        } cases[] = {
                {LETTER_PLAIN, 1, 1, 0, 0},
                {LETTER_BARE, 1, 0, 0, 0},
                {LETTER_TWO_FROM, 2, 1, 0, 0},
                {LETTER_NO_COLON, 1, 1, 1, 0},
                {LETTER_LOOP, 1, 1, 0, 1},
        };
        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                static struct mail_field fields[MAIL_FIELDS_MAX];
                struct mail_header h;
                struct str bytes = write_one(cases[i].shape, i, 100);
                assert_int_equal(mail_header_index(bytes, fields, MAIL_FIELDS_MAX, &h), ERR_OK);
                assert_true(h.has_end);
                assert_int_equal(mail_header_count(&h, S("From")), cases[i].from);
                assert_int_equal(mail_header_count(&h, S("Message-ID")), cases[i].ids);
                assert_int_equal(mail_header_count(&h, S("List-Id")), cases[i].list_ids);
                assert_int_equal(h.strays, cases[i].strays);
                letter_free(bytes);
        }
        struct str huge = write_one(LETTER_HUGE_HEADER, 1, 100);
        assert_true(str_find(huge, S("\r\n\r\n")) > MAIL_HEADER_MAX);
        letter_free(huge);
}

static void test_what_is_smuggled(void **state)
{
        static const struct {
                unsigned shape;
                struct str end;
        } cases[] = {
                {LETTER_SMUGGLE_LF, {"\n.\r\n", 4}},
                {LETTER_SMUGGLE_LF_LF, {"\n.\n", 3}},
                {LETTER_SMUGGLE_CR, {"\r.\r", 3}},
                {LETTER_SMUGGLE_CRLF_LF, {"\r\n.\n", 4}},
        };
        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct str bytes = write_one(cases[i].shape, i, 100);
                struct str rest = str_skip(bytes, str_find(bytes, S("smuggled")) + 8);
                assert_true(str_has_prefix(rest, cases[i].end));
                assert_true(
                        str_has_prefix(str_skip(rest, cases[i].end.n), S("MAIL FROM:<a@author.test>\r\n")));
                assert_true(str_find(rest, S("\r\nX-Try: t6\r\n")) < rest.n);
                letter_free(bytes);
        }
}

/* Letters of different tries differ, whatever else is the same. */
static void test_names(void **state)
{
        (void)state;
        struct letter letter = {.seed = 1, .name = S("t1"), .from = S("a@b"), .to = S("l@b"), .size = 200};
        struct str one = letter_write(&letter);
        letter.name = S("t2");
        struct str two = letter_write(&letter);
        assert_false(str_eq(
                str_skip(one, str_find(one, S("\r\n\r\n"))), str_skip(two, str_find(two, S("\r\n\r\n")))));
        letter_free(one);
        letter_free(two);
        assert_int_equal(letter_name(S("A: b\r\nx-try: t9\r\n\r\n")).n, 2);
        assert_int_equal(letter_name(S("A: b\r\n\r\nX-Try: t9\r\n")).n, 0);
        assert_int_equal(letter_name(S("A: b")).n, 0);
        assert_int_equal(letter_name(S("")).n, 0);
}

/* Fields in front stay, forged ones go, and nothing else does. */
static void test_forged(void **state)
{
        struct letter l = {.seed = 5,
                .name = S("t7"),
                .from = S("a@author.test"),
                .to = S("l@list.test"),
                .shape = LETTER_NO_END,
                .size = 300};
        (void)state;
        struct str plain = letter_arriving(&l);
        assert_true(str_has_suffix_nocase(plain, S("and no end\r\n")));
        l.front = S("Front: 1\r\n");
        l.forged = S("One: 1\r\n\tmore\r\nTwo: 2\r\nThree: 3\r\n");
        struct str sent = letter_write(&l), arriving = letter_arriving(&l);
        assert_true(str_has_prefix(sent, S("One: 1\r\n\tmore\r\nFront: 1\r\nFrom: ")));
        assert_true(str_find(sent, S("\r\nTwo: 2\r\nThree: 3\r\nSubject: ")) < sent.n);
        assert_true(str_has_prefix(arriving, S("Front: 1\r\n")));
        assert_true(str_eq(str_skip(arriving, 10), plain));
        assert_int_equal(sent.n, arriving.n - 2 + l.forged.n);
        letter_free(plain);
        letter_free(sent);
        letter_free(arriving);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_shapes),
                cmocka_unit_test(test_headers),
                cmocka_unit_test(test_what_is_smuggled),
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_forged),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
