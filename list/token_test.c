/* SPDX-License-Identifier: ISC */
#include "list/token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "base/ascii.h"

static struct token_key key_of(const char *seed)
{
        struct token_key key;
        assert_int_equal(token_key_derive(str_of_c(seed), &key), ERR_OK);
        return key;
}

static struct str make(char text[32], const struct token_key *key, int64_t id, uint16_t day)
{
        struct wr w;
        struct token token = {.id = id, .day = day};
        wr_init(&w, text, 32);
        assert_int_equal(token_write(&w, key, TOKEN_RETURN, S("ptt@mailingl.st"), &token), ERR_OK);
        assert_int_equal(w.n, TOKEN_TEXT_SIZE);
        return wr_text(&w);
}

static void test_round_trip(void **state)
{
        (void)state;
        struct token_key key = key_of("seed");
        static const int64_t ids[] = {0, 1, 77, 1LL << 32, TOKEN_ID_MAX};
        for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
                char text[32];
                struct token token;
                struct str made = make(text, &key, ids[i], (uint16_t)(20000 + i));
                assert_int_equal(
                        token_parse(made, &key, 1, TOKEN_RETURN, S("ptt@mailingl.st"), &token), ERR_OK);
                assert_int_equal(token.id, ids[i]);
                assert_int_equal(token.day, 20000 + i);
        }
}

static void test_case_does_not_matter(void **state)
{
        (void)state;
        char text[32];
        struct token_key key = key_of("seed");
        struct token token;
        struct str made = make(text, &key, 5, 6);
        for (size_t i = 0; i < made.n; i += 2)
                text[i] = ascii_upper(text[i]);
        assert_int_equal(token_parse(made, &key, 1, TOKEN_RETURN, S("ptt@mailingl.st"), &token), ERR_OK);
}

/* Lesson: anyone can forge a bounce and unsubscribe a member. */
static void test_forgeries(void **state)
{
        (void)state;
        char text[32];
        struct token_key key = key_of("seed"), other = key_of("another"), both[2] = {other, key};
        struct token token;
        struct str made = make(text, &key, 5, 6);
        assert_int_equal(
                token_parse(made, &other, 1, TOKEN_RETURN, S("ptt@mailingl.st"), &token), ERR_DENIED);
        assert_int_equal(token_parse(made, both, 2, TOKEN_RETURN, S("ptt@mailingl.st"), &token), ERR_OK);
        assert_int_equal(
                token_parse(made, &key, 1, TOKEN_RETURN, S("other@mailingl.st"), &token), ERR_DENIED);
        assert_int_equal(token_parse(str_take(made, 23), &key, 1, TOKEN_RETURN, S("ptt@mailingl.st"), &token),
                ERR_SYNTAX);
        for (size_t i = 0; i < made.n; i++) {
                char was = text[i];
                text[i] = was == 'a' ? 'b' : 'a';
                assert_int_equal(
                        token_parse(made, &key, 1, TOKEN_RETURN, S("ptt@mailingl.st"), &token), ERR_DENIED);
                assert_int_equal(token.id, 0);
                text[i] = '1';
                assert_int_equal(
                        token_parse(made, &key, 1, TOKEN_RETURN, S("ptt@mailingl.st"), &token), ERR_SYNTAX);
                text[i] = was;
        }
}

/* A token serves one purpose: whoever gets one by mail cannot decide with it, nor bounce. */
static void test_purposes(void **state)
{
        (void)state;
        static const enum token_purpose purposes[] = {TOKEN_RETURN, TOKEN_CONFIRM, TOKEN_DECIDE};
        struct token_key key = key_of("seed");
        for (size_t i = 0; i < 9; i++) {
                char text[32];
                struct wr w;
                struct token token = {.id = 5, .day = 6};
                wr_init(&w, text, sizeof text);
                assert_int_equal(
                        token_write(&w, &key, purposes[i / 3], S("ptt@mailingl.st"), &token), ERR_OK);
                assert_int_equal(
                        token_parse(wr_text(&w), &key, 1, purposes[i % 3], S("ptt@mailingl.st"), &token),
                        i / 3 == i % 3 ? ERR_OK : ERR_DENIED);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_round_trip),
                cmocka_unit_test(test_case_does_not_matter),
                cmocka_unit_test(test_forgeries),
                cmocka_unit_test(test_purposes),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
