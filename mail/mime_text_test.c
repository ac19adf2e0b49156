/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/utf8.h"
#include "mail/mime.h"

#define PLAIN(parameters, text) "Content-Type: text/plain; " parameters "\r\n\r\n" text
#define MULTI(kind, boundary, parts) \
        "Content-Type: multipart/" kind "; boundary=" boundary "\r\n\r\n" parts "--" boundary "--\r\n"

static enum mime_text read_message(struct str message, struct wr *w)
{
        char *block = malloc(message.n > 0 ? message.n : 1);
        assert_non_null(block);
        if (message.n > 0)
                memcpy(block, message.p, message.n);
        enum mime_text found = mime_text_read(str_of(block, message.n), w);
        free(block);
        return found;
}

static void test_text(void **state)
{
        (void)state;
        static const struct {
                const char *name, *message;
                enum mime_text found;
                const char *text;
        } cases[] = {
                {"no MIME at all", "Subject: x\r\n\r\njoin\r\n", MIME_TEXT_PLAIN, "join\n"},
                {"no end of line", "\r\njoin", MIME_TEXT_PLAIN, "join\n"},
                {"lone CR and LF", "\r\na\rb\nc\r\n", MIME_TEXT_PLAIN, "a\nb\nc\n"},
                {"no text", "Subject: x\r\n\r\n", MIME_TEXT_PLAIN, ""},
                {"no body", "Subject: x\r\n", MIME_TEXT_PLAIN, ""},
                {"controls",
                        "\r\na\1b\x7f"
                        "c\td\xc2\x85"
                        "e\r\n",
                        MIME_TEXT_PLAIN, "a b c\td e\n"},
                {"no-break space and marks without width", "\r\n\xef\xbb\xbfjoin\xc2\xa0now\xe2\x80\x8b\r\n",
                        MIME_TEXT_PLAIN, "join now\n"},
                {"ill-formed UTF-8",
                        "\r\na\xff"
                        "b\xe2\x82\r\n",
                        MIME_TEXT_PLAIN,
                        "a\xef\xbf\xbd"
                        "b\xef\xbf\xbd\xef\xbf\xbd\n"},
                {"Latin 1", PLAIN("charset=ISO-8859-1", "caf\xe9\r\n"), MIME_TEXT_PLAIN, "caf\xc3\xa9\n"},
                {"Latin 9", PLAIN("charset=\"iso-8859-15\"", "5 \xa4\r\n"), MIME_TEXT_PLAIN,
                        "5 \xe2\x82\xac\n"},
                {"Windows",
                        PLAIN("charset=windows-1252", "\x93"
                                                      "a\x94\r\n"),
                        MIME_TEXT_PLAIN,
                        "\xe2\x80\x9c"
                        "a\xe2\x80\x9d\n"},
                {"another charset", PLAIN("charset=koi8-r", "join \xc1\r\n"), MIME_TEXT_PLAIN,
                        "join \xef\xbf\xbd\n"},
                {"quoted-printable",
                        "Content-Transfer-Encoding: quoted-printable\r\n\r\njo=\r\nin=20\r\nleave=C3=A9\r\n",
                        MIME_TEXT_PLAIN, "join \nleave\xc3\xa9\n"},
                {"base64", "Content-Transfer-Encoding: BASE64\r\n\r\nam9pbg0KbGVhdmUNCg==\r\n",
                        MIME_TEXT_PLAIN, "join\nleave\n"},
                {"HTML only", "Content-Type: text/html\r\n\r\n<p>join</p><blockquote>x</blockquote>",
                        MIME_TEXT_HTML, "join\n> x\n"},
                {"an image", "Content-Type: image/png\r\n\r\njoin\r\n", MIME_TEXT_NONE, ""},
                {"plain before HTML",
                        MULTI("alternative", "x",
                                "--x\r\nContent-Type: text/html\r\n\r\nno\r\n--x\r\n\r\nyes\r\n"),
                        MIME_TEXT_PLAIN, "yes\n"},
                {"HTML in parts", MULTI("mixed", "x", "--x\r\nContent-Type: text/html\r\n\r\na<br>b\r\n"),
                        MIME_TEXT_HTML, "a\nb\n"},
                {"blank beside HTML",
                        MULTI("alternative", "x",
                                "--x\r\n\r\n \t\r\n--x\r\nContent-Type: text/html\r\n\r\na\r\n"),
                        MIME_TEXT_HTML, "a\n"},
                {"blank alone", MULTI("mixed", "x", "--x\r\n\r\n \r\n"), MIME_TEXT_PLAIN, " \n"},
                {"nested",
                        MULTI("mixed", "x",
                                "--x\r\n" MULTI(
                                        "alternative", "y", "--y\r\n\r\njoin\r\n") "--x\r\n\r\nno\r\n"),
                        MIME_TEXT_PLAIN, "join\n"},
                {"an attachment is passed over",
                        MULTI("mixed", "x",
                                "--x\r\nContent-Disposition: attachment\r\n\r\nno\r\n--x\r\n\r\nyes\r\n"),
                        MIME_TEXT_PLAIN, "yes\n"},
                {"a message inside is not looked into",
                        MULTI("mixed", "x",
                                "--x\r\nContent-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\nno\r\n"),
                        MIME_TEXT_NONE, ""},
                {"a digest holds messages", MULTI("digest", "x", "--x\r\n\r\nSubject: x\r\n\r\nno\r\n"),
                        MIME_TEXT_NONE, ""},
                {"signed", MULTI("signed", "x", "--x\r\n\r\njoin\r\n--x\r\nContent-Type: a/b\r\n\r\nc\r\n"),
                        MIME_TEXT_PLAIN, "join\n"},
                {"no boundary", "Content-Type: multipart/mixed\r\n\r\n--x\r\n\r\njoin\r\n", MIME_TEXT_NONE,
                        ""},
                {"flowed", PLAIN("format=flowed", "footer: one \r\ntwo \r\nthree\r\nleave\r\n"),
                        MIME_TEXT_PLAIN, "footer: one two three\nleave\n"},
                {"flowed without its spaces", PLAIN("format=flowed; delsp=yes", "one \r\ntwo\r\n"),
                        MIME_TEXT_PLAIN, "onetwo\n"},
                {"flowed, stuffed", PLAIN("format=flowed", " From me\r\n  two\r\n"), MIME_TEXT_PLAIN,
                        "From me\n two\n"},
                {"flowed, quoted", PLAIN("format=flowed", ">> a \r\n>> b\r\n> c \r\nd\r\n"), MIME_TEXT_PLAIN,
                        ">> a b\n> c \nd\n"},
                {"flowed, a signature", PLAIN("Format=Flowed", "a\r\n-- \r\nme\r\n"), MIME_TEXT_PLAIN,
                        "a\n-- \nme\n"},
                {"flowed, empty lines", PLAIN("format=flowed", "a \r\n\r\nb\r\n"), MIME_TEXT_PLAIN,
                        "a \n\nb\n"},
                {"flowed, cut", PLAIN("format=flowed", "a \r\n"), MIME_TEXT_PLAIN, "a \n"},
                {"not flowed", PLAIN("format=fixed", "a \r\n b\r\n"), MIME_TEXT_PLAIN, "a \n b\n"},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                char memory[512];
                struct wr w;
                struct str message = str_of_c(cases[i].message);
                wr_init(&w, memory, sizeof memory);
                enum mime_text found = read_message(message, &w);
                if (found != cases[i].found || !str_eq(wr_text(&w), str_of_c(cases[i].text)))
                        fail_msg("%s: %d \"%.*s\"", cases[i].name, found, STR_ARG(wr_text(&w)));
                for (size_t n = 0; n < message.n; n++) {
                        wr_init(&w, memory, sizeof memory);
                        (void)read_message(str_take(message, n), &w);
                        assert_true(utf8_is_valid(wr_text(&w)));
                }
        }
}

/* As deep as MIME_DEPTH_MAX, and one deeper. */
static void test_depth(void **state)
{
        (void)state;
        for (unsigned depth = MIME_DEPTH_MAX; depth <= MIME_DEPTH_MAX + 1; depth++) {
                char memory[4096], text[64];
                struct wr w, out;
                wr_init(&w, memory, sizeof memory);
                wr_init(&out, text, sizeof text);
                for (unsigned i = 0; i < depth; i++) {
                        wr_str(&w, S("Content-Type: multipart/mixed; boundary=b"));
                        wr_u64(&w, i);
                        wr_str(&w, S("\r\n\r\n--b"));
                        wr_u64(&w, i);
                        wr_str(&w, S("\r\n"));
                }
                wr_str(&w, S("\r\njoin\r\n"));
                assert_int_equal(mime_text_read(wr_text(&w), &out),
                        depth > MIME_DEPTH_MAX ? MIME_TEXT_NONE : MIME_TEXT_PLAIN);
                assert_true(str_eq(wr_text(&out), depth > MIME_DEPTH_MAX ? S("") : S("join\n")));
        }
}

/* Too little room: what fits stands there, and the cursor says so. */
static void test_room(void **state)
{
        (void)state;
        struct str message = S(PLAIN("format=flowed; delsp=yes", "caf\xc3\xa9 \r\n \r\nau lait\r\n"));
        char memory[32];
        struct wr w;
        for (size_t cap = 0; cap < 16; cap++) {
                wr_init(&w, memory, cap);
                assert_int_equal(mime_text_read(message, &w), MIME_TEXT_PLAIN);
                assert_true(w.full == (cap < 14) && w.n <= cap);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_text),
                cmocka_unit_test(test_depth),
                cmocka_unit_test(test_room),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
