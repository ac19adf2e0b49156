/* SPDX-License-Identifier: ISC */
#include "mail/mime_wrap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/limits.h"
#include "mail/mime.h"

static struct mail_field fields[16];

static struct mail_header index_of(struct str text)
{
        struct mail_header h;
        assert_int_equal(mail_header_index(text, fields, 16, &h), ERR_OK);
        return h;
}

static void test_content_fields(void **state)
{
        (void)state;
        assert_true(mime_is_content_field(S("Content-Type")));
        assert_true(mime_is_content_field(S("content-md5")));
        assert_false(mime_is_content_field(S("Content")));
        assert_false(mime_is_content_field(S("MIME-Version")));
}

/* Each random octet counts, and the longest fits. */
static void test_boundary(void **state)
{
        (void)state;
        struct mime_wrap a, b;
        uint8_t random[16] = {0};
        mime_wrap_init(&a, str_of(random, sizeof random));
        assert_true(str_has_prefix(a.boundary, S("=_")) && a.boundary.n == 28);
        for (size_t i = 0; i < sizeof random; i++) {
                random[i] = 1;
                mime_wrap_init(&b, str_of(random, sizeof random));
                assert_false(str_eq(a.boundary, b.boundary));
                random[i] = 0;
        }
}

/* What is wrapped reads as two parts: the author's entity as it was, and the text. */
static void test_reads_as_two_parts(void **state)
{
        static const struct {
                const char *header, *body;
        } cases[] = {
                {"From: a@b.test\r\n\r\n", "Hello\r\n"},
                {"From: a@b.test\r\n\r\n", ""},
                {"From: a@b.test\r\n", ""},
                {"From: a@b.test\r\nContent-Type: text/html\r\n\r\n", "no end of line"},
                {"From: a@b.test\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n",
                        "--x\r\n\r\n--x--\r\nepilogue\r\n"},
                {"From: a@b.test\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n"
                 "Content-Transfer-Encoding: 8bit",
                        ""},
        };
        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                char text[2048], boundary[64];
                struct mail_header h = index_of(str_of_c(cases[i].header));
                struct mime_entity whole, first, second;
                struct str part;
                struct mime_wrap m;
                struct wr w, name;
                size_t at = 0;
                wr_init(&w, text, sizeof text);
                mime_wrap_init(&m, S("random"));
                mime_wrap_fields(&m, &w, &h, false);
                wr_str(&w, S("\r\n"));
                mime_wrap_open(&m, &w, &h);
                wr_str(&w, str_of_c(cases[i].body));
                mime_wrap_close(&m, &w, S("Caf\xc3\xa9"));
                assert_int_equal(wr_end(&w), ERR_OK);
                mime_entity_read(wr_text(&w), &whole);
                assert_true(mime_type_is(&whole.type, S("multipart"), S("mixed")));
                wr_init(&name, boundary, sizeof boundary);
                assert_true(mime_parameter(&whole.type, S("boundary"), &name));
                assert_true(str_eq(wr_text(&name), m.boundary));
                assert_true(mime_part_next(whole.body, wr_text(&name), &at, &part));
                mime_entity_read(part, &first);
                assert_true(str_eq(first.body, str_of_c(cases[i].body)));
                assert_true(mime_part_next(whole.body, wr_text(&name), &at, &part));
                mime_entity_read(part, &second);
                assert_true(mime_type_is(&second.type, S("text"), S("plain")));
                assert_true(str_has_prefix(second.body, S("Caf=C3=A9\r\n")));
                assert_false(mime_part_next(whole.body, wr_text(&name), &at, &part));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_content_fields),
                cmocka_unit_test(test_boundary),
                cmocka_unit_test(test_reads_as_two_parts),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
