/* SPDX-License-Identifier: ISC */
#include "mail/mime.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void assert_str(struct str s, const char *expected)
{
        if (!str_eq(s, str_of_c(expected)))
                fail_msg("\"%.*s\" is not \"%s\"", STR_ARG(s), expected);
}

static void test_types(void **state)
{
        (void)state;
        static const struct {
                const char *body, *type, *subtype;
                enum err err;
        } cases[] = {
                {" text/plain; charset=utf-8", "text", "plain", ERR_OK},
                {" Multipart/Signed;\r\n boundary=x", "Multipart", "Signed", ERR_OK},
                {"(a) text (b) / (c) html (d)", "text", "html", ERR_OK},
                {" text", "text", "plain", ERR_SYNTAX},
                {" text/", "text", "plain", ERR_SYNTAX},
                {" /html", "text", "plain", ERR_SYNTAX},
                {"", "text", "plain", ERR_SYNTAX},
                {" image/png junk; name=x", "image", "png", ERR_OK},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct mime_type t;
                assert_int_equal(mime_type_parse(str_of_c(cases[i].body), &t), cases[i].err);
                assert_str(t.type, cases[i].type);
                assert_str(t.subtype, cases[i].subtype);
                assert_true(mime_type_is(&t, str_of_c(cases[i].type), S("")));
                assert_false(mime_type_is(&t, str_of_c(cases[i].type), S("x")));
        }
}

static void test_parameters(void **state)
{
        (void)state;
        static const struct {
                const char *body, *value; /* of boundary; NULL: none */
        } cases[] = {
                {" a/b; boundary=x", "x"},
                {" a/b; BOUNDARY = \"x y\"", "x y"},
                {" a/b;boundary=\"a\\\"b\\\\c\"", "a\"b\\c"},
                {" a/b; x=\"boundary=no\"; boundary=yes", "yes"},
                {" a/b (; boundary=no); boundary=yes (c)", "yes"},
                {" a/b;\r\n\tboundary=\r\n \"x\"", "x"},
                {" a/b; boundary=\"fol\r\n ded\"", "fol ded"},
                {" a/b; boundary=a:b=c?d; x=y", "a:b=c?d"},
                {" a/b; boundary=", ""},
                {" a/b; boundary=\"unclosed", "\"unclosed"},
                {" a/b; boundary", NULL},
                {" a/b; boundaryx=y", NULL},
                {" a/b; =y; ;boundary=x", "x"},
                {" a/b boundary=x", NULL},
                {" a/b; boundary=first; boundary=second", "first"},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                char memory[64];
                struct wr w;
                struct mime_type t;
                wr_init(&w, memory, sizeof memory);
                assert_int_equal(mime_type_parse(str_of_c(cases[i].body), &t), ERR_OK);
                bool found = mime_parameter(&t, S("boundary"), &w);
                if (found != (cases[i].value != NULL))
                        fail_msg("%s", cases[i].body);
                assert_str(wr_text(&w), found ? cases[i].value : "");
        }
        struct wr small;
        struct mime_type t;
        char memory[3];
        wr_init(&small, memory, sizeof memory);
        assert_int_equal(mime_type_parse(S("a/b; c=defg"), &t), ERR_OK);
        assert_true(mime_parameter(&t, S("c"), &small) && small.full);
}

static void test_entities(void **state)
{
        (void)state;
        struct mime_entity e;
        mime_entity_read(S("Content-Type: text/html\r\nCONTENT-transfer-encoding: Base64 (x)\r\n"
                           "Content-Disposition: Attachment; filename=x\r\n\r\nbody"),
                &e);
        assert_str(e.type.subtype, "html");
        assert_str(e.encoding, "Base64");
        assert_str(e.disposition, "Attachment");
        assert_str(e.body, "body");
        mime_entity_read(S("\r\nbody"), &e);
        assert_str(e.type.subtype, "plain");
        assert_str(e.encoding, "");
        assert_str(e.disposition, "");
        assert_str(e.body, "body");
        mime_entity_read(S("Content-Type: nonsense\r\nstray\r\nContent-Type: text/html\r\n"
                           "Content-Type: text/xml\r\nContent-Disposition: inline"),
                &e);
        assert_str(e.type.subtype, "html");
        assert_str(e.disposition, "inline");
        assert_str(e.body, "");
}

static void test_parts(void **state)
{
        (void)state;
        static const struct {
                const char *name, *body, *parts; /* each part with "|" behind it */
        } cases[] = {
                {"two parts", "preamble\r\n--x\r\na\r\n--x\r\nb\r\n--x--\r\nepilogue\r\n--x\r\nc", "a|b|"},
                {"padding behind a delimiter", "--x \t\r\na\r\n--x-- \r\n", "a|"},
                {"at the very beginning and end", "--x\r\na\r\n--x--", "a|"},
                {"no closing delimiter", "--x\r\na\r\n--x\r\nb", "a|b|"},
                {"an empty part", "--x\r\n--x\r\n\r\n--x--\r\n", "||"},
                {"a longer boundary is none", "--x\r\na\r\n--xy\r\nb\r\n--x--\r\n", "a\r\n--xy\r\nb|"},
                {"not at the head of a line", "--x\r\na --x\r\n --x\r\nb\r\n--x--", "a --x\r\n --x\r\nb|"},
                {"closed at once", "--x--\r\n--x\r\na", ""},
                {"none", "a\r\nb", ""},
                {"nothing", "", ""},
                {"only a delimiter", "--x", "|"},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                char memory[256];
                struct wr w;
                struct str part;
                size_t at = 0;
                wr_init(&w, memory, sizeof memory);
                while (mime_part_next(str_of_c(cases[i].body), S("x"), &at, &part)) {
                        wr_str(&w, part);
                        wr_byte(&w, '|');
                }
                if (!str_eq(wr_text(&w), str_of_c(cases[i].parts)))
                        fail_msg("%s: \"%.*s\"", cases[i].name, STR_ARG(wr_text(&w)));
                assert_false(mime_part_next(str_of_c(cases[i].body), S("x"), &at, &part));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_types),
                cmocka_unit_test(test_parameters),
                cmocka_unit_test(test_entities),
                cmocka_unit_test(test_parts),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
