/* SPDX-License-Identifier: ISC */
#include "auth/tags.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* A copy in a block of exactly its size, so that AddressSanitizer sees one byte too far. */
static char *exact(struct str s)
{
        char *p = malloc(s.n ? s.n : 1);
        assert_non_null(p);
        if (s.n > 0)
                memcpy(p, s.p, s.n);
        return p;
}

static void test_lists(void **state)
{
        (void)state;
        static const struct {
                const char *name;
                const char *text;
                enum err err;
                const char *shown; /* name[value] of each */
        } cases[] = {
                {"one", "a=b", ERR_OK, "a[b]"},
                {"semicolon at the end", "a=b;", ERR_OK, "a[b]"},
                {"white space at the end", "a=b; \t", ERR_OK, "a[b]"},
                {"spaces around all", " a = b ; c\t=\td ", ERR_OK, "a[b]c[d]"},
                {"empty value", "p=;a=", ERR_OK, "p[]a[]"},
                {"equals in the value", "b=ab==; i==40x", ERR_OK, "b[ab==]i[=40x]"},
                {"folded", " v=1;\r\n\ta=x\r\n y", ERR_OK, "v[1]a[x\r\n y]"},
                {"fold before the semicolon", "a=b\r\n ;c=d", ERR_OK, "a[b]c[d]"},
                {"names keep their case", "A=1;a=2", ERR_OK, "A[1]a[2]"},
                {"8-bit value", "n=\xc3\xa9", ERR_OK, "n[\xc3\xa9]"},
                {"underscore and digits", "a_1=x", ERR_OK, "a_1[x]"},
                {"nothing", "", ERR_SYNTAX, ""},
                {"blank", " \t", ERR_SYNTAX, ""},
                {"semicolon alone", ";", ERR_SYNTAX, ""},
                {"two semicolons", "a=b;;c=d", ERR_SYNTAX, ""},
                {"semicolon first", ";a=b", ERR_SYNTAX, ""},
                {"no equals", "a=b; c", ERR_SYNTAX, ""},
                {"no name", "=b", ERR_SYNTAX, ""},
                {"digit first", "1a=b", ERR_SYNTAX, ""},
                {"space in a name", "a b=c", ERR_SYNTAX, ""},
                {"8-bit name", "\xc3\xa9=c", ERR_SYNTAX, ""},
                {"lone LF", "a=b\n c", ERR_SYNTAX, ""},
                {"lone CR", "a=b\r c", ERR_SYNTAX, ""},
                {"CRLF at the end", "a=b\r\n", ERR_SYNTAX, ""},
                {"fold without white space", "a=b\r\nc", ERR_SYNTAX, ""},
                {"control byte", "a=b\x01", ERR_SYNTAX, ""},
                {"DEL", "a=\x7f", ERR_SYNTAX, ""},
                {"twice", "a=b;c=d;a=b", ERR_EXISTS, ""},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct str text = str_of_c(cases[i].text);
                char *p = exact(text);
                char shown[256] = "";
                size_t n = 0;
                struct tags t = {.count = 99};
                enum err e = tags_parse(str_of(p, text.n), &t);
                for (size_t k = 0; k < t.count; k++)
                        n += (size_t)snprintf(shown + n, sizeof shown - n, "%.*s[%.*s]",
                                STR_ARG(t.list[k].name), STR_ARG(t.list[k].value));
                if (e != cases[i].err || strcmp(shown, cases[i].shown) != 0)
                        fail_msg("%s: %s %s", cases[i].name, err_text(e), shown);
                free(p);
        }
}

static void test_zero_byte(void **state)
{
        (void)state;
        struct tags t;
        assert_int_equal(tags_parse(S("a=b\0c"), &t), ERR_SYNTAX);
}

static void test_limit(void **state)
{
        (void)state;
        char text[DKIM_TAGS_MAX * 8 + 16];
        struct tags t;
        size_t n = 0;
        for (int i = 0; i < DKIM_TAGS_MAX; i++)
                n += (size_t)snprintf(text + n, sizeof text - n, "a%d=1;", i);
        assert_int_equal(tags_parse(str_of(text, n), &t), ERR_OK);
        assert_int_equal(t.count, DKIM_TAGS_MAX);
        n += (size_t)snprintf(text + n, sizeof text - n, "b=1");
        assert_int_equal(tags_parse(str_of(text, n), &t), ERR_LIMIT);
        assert_int_equal(t.count, 0);
}

static void test_span(void **state)
{
        (void)state;
        struct tags t;
        assert_int_equal(tags_parse(S("a=1; b =\r\n x\r\n y ; c= z "), &t), ERR_OK);
        assert_true(str_eq(tags_find(&t, S("b"))->span, S("\r\n x\r\n y ")));
        assert_true(str_eq(tags_find(&t, S("c"))->span, S(" z ")));
        assert_null(tags_find(&t, S("B")));
}

static void test_prefixes(void **state)
{
        (void)state;
        struct str whole = S("v=1; a=rsa-sha256;\r\n\tc=relaxed/simple ; b=\r\n  AbC=");
        for (size_t n = 0; n <= whole.n; n++) {
                char *p = exact(str_take(whole, n));
                struct tags t;
                if (tags_parse(str_of(p, n), &t) != ERR_OK)
                        assert_int_equal(t.count, 0);
                free(p);
        }
}

static void test_items(void **state)
{
        (void)state;
        struct str rest = S(" a :\r\n b::c "), item;
        static const char *const want[] = {"a", "b", "", "c"};
        for (size_t i = 0; i < 4; i++) {
                assert_true(tags_item(&rest, &item));
                assert_true(str_eq(item, str_of_c(want[i])));
        }
        assert_false(tags_item(&rest, &item));
        assert_true(tags_has_item(S("y : S"), S("s")));
        assert_false(tags_has_item(S("yes:no"), S("s")));
        assert_false(tags_has_item(S(""), S("s")));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_lists),
                cmocka_unit_test(test_zero_byte),
                cmocka_unit_test(test_limit),
                cmocka_unit_test(test_span),
                cmocka_unit_test(test_prefixes),
                cmocka_unit_test(test_items),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
