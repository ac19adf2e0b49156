/* SPDX-License-Identifier: ISC */
#include "mail/transfer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* Decode from a block of exactly the input's size. */
static void decode(enum mail_transfer transfer, struct str text, struct wr *w)
{
        char *block = malloc(text.n > 0 ? text.n : 1);
        struct mail_transfer_in in;
        int octet;
        assert_non_null(block);
        if (text.n > 0)
                memcpy(block, text.p, text.n);
        mail_transfer_in_init(&in, transfer, str_of(block, text.n));
        while ((octet = mail_transfer_in_next(&in)) >= 0)
                wr_byte(w, (char)octet);
        assert_int_equal(mail_transfer_in_next(&in), -1);
        free(block);
}

static void test_names(void **state)
{
        (void)state;
        assert_int_equal(mail_transfer_of(S("Quoted-Printable")), MAIL_TRANSFER_QUOTED);
        assert_int_equal(mail_transfer_of(S("BASE64")), MAIL_TRANSFER_BASE64);
        assert_int_equal(mail_transfer_of(S("8bit")), MAIL_TRANSFER_PLAIN);
        assert_int_equal(mail_transfer_of(S("x-uuencode")), MAIL_TRANSFER_PLAIN);
        assert_int_equal(mail_transfer_of(S("")), MAIL_TRANSFER_PLAIN);
}

static void test_decoding(void **state)
{
        (void)state;
        static const struct {
                const char *name;
                enum mail_transfer transfer;
                const char *text, *octets;
        } cases[] = {
                {"as it is", MAIL_TRANSFER_PLAIN, "a=3D\r\n", "a=3D\r\n"},
                {"hex", MAIL_TRANSFER_QUOTED, "a=3Db=c3=A9", "a=b\xc3\xa9"},
                {"soft break", MAIL_TRANSFER_QUOTED, "ab=\r\ncd\r\n", "abcd\r\n"},
                {"soft break with padding", MAIL_TRANSFER_QUOTED, "ab= \t\r\ncd", "abcd"},
                {"soft break at the end", MAIL_TRANSFER_QUOTED, "ab=", "ab"},
                {"padding of a line", MAIL_TRANSFER_QUOTED, "ab \t \r\ncd  ", "ab\r\ncd"},
                {"inner white space", MAIL_TRANSFER_QUOTED, "a  b\t c", "a  b\t c"},
                {"padding behind inner white space", MAIL_TRANSFER_QUOTED, "a b \r\nc d ", "a b\r\nc d"},
                {"no hex", MAIL_TRANSFER_QUOTED, "a=zz=4", "a=zz=4"},
                {"no hex behind a space", MAIL_TRANSFER_QUOTED, "a = b", "a = b"},
                {"base64", MAIL_TRANSFER_BASE64, "aGFsbG8=", "hallo"},
                {"base64 in lines", MAIL_TRANSFER_BASE64, "aGF\r\nsbG\r\n8=\r\n", "hallo"},
                {"base64 with dirt", MAIL_TRANSFER_BASE64, "a-G*F s b,G8", "hallo"},
                {"base64 ends with its padding", MAIL_TRANSFER_BASE64, "YQ==YQ==", "a"},
                {"base64 cut", MAIL_TRANSFER_BASE64, "aGFsb", "hal"},
                {"nothing", MAIL_TRANSFER_BASE64, "", ""},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                char memory[256];
                struct wr w;
                wr_init(&w, memory, sizeof memory);
                decode(cases[i].transfer, str_of_c(cases[i].text), &w);
                if (!str_eq(wr_text(&w), str_of_c(cases[i].octets)))
                        fail_msg("%s: \"%.*s\"", cases[i].name, STR_ARG(wr_text(&w)));
                for (size_t n = 0; n < str_of_c(cases[i].text).n; n++) {
                        wr_init(&w, memory, sizeof memory);
                        decode(cases[i].transfer, str_take(str_of_c(cases[i].text), n), &w);
                        assert_true(w.n <= n);
                }
        }
}

/* A run of white space is looked at twice, not once for each of its octets. */
static void test_long_blanks(void **state)
{
        (void)state;
        const size_t n = 1000000;
        char *text = malloc(n + 1), *out = malloc(n + 1);
        struct wr w;
        assert_true(text && out);
        memset(text, ' ', n);
        text[n] = 'x';
        wr_init(&w, out, n + 1);
        decode(MAIL_TRANSFER_QUOTED, str_of(text, n + 1), &w);
        assert_int_equal(w.n, n + 1);
        memset(text, '=', 2);
        wr_init(&w, out, n + 1);
        decode(MAIL_TRANSFER_QUOTED, str_of(text, n + 1), &w);
        assert_int_equal(w.n, n + 1);
        free(text);
        free(out);
}

static void encode(struct str text, size_t step, struct wr *w)
{
        struct mail_quoted_out out;
        mail_quoted_out_init(&out, w);
        for (; text.n > 0; text = str_skip(text, step))
                mail_quoted_out_write(&out, str_take(text, step));
}

static void test_encoding(void **state)
{
        (void)state;
        static const struct {
                const char *text, *encoded;
        } cases[] = {
                {"plain text\n", "plain text\r\n"},
                {"a = b\n", "a =3D b\r\n"},
                {"\xc3\xa9\n", "=C3=A9\r\n"},
                {"blank \nand tab\t\n", "blank=20\r\nand tab=09\r\n"},
                {".\n.x\n", "=2E\r\n=2Ex\r\n"},
                {"From here\nFrom\n", "=46rom here\r\nFrom\r\n"},
                {"\n\n", "\r\n\r\n"},
                {"a\r\n\r", "a\r\n"},
                {"0123456789012345678901234567890123456789012345678901234567890123456789012345\n",
                        "012345678901234567890123456789012345678901234567890123456789012345678901234="
                        "\r\n5\r\n"},
                {"0123456789012345678901234567890123456789012345678901234567890123456789012 \n",
                        "0123456789012345678901234567890123456789012345678901234567890123456789012=\r\n="
                        "20\r\n"},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                char memory[512];
                struct wr w;
                wr_init(&w, memory, sizeof memory);
                encode(str_of_c(cases[i].text), 1000, &w);
                if (!str_eq(wr_text(&w), str_of_c(cases[i].encoded)))
                        fail_msg("%s: \"%.*s\"", cases[i].text, STR_ARG(wr_text(&w)));
        }
}

/* Any octets come back, but for line ends: those are CRLF. */
static void test_round_trip(void **state)
{
        (void)state;
        char text[600], memory[4096], back[4096];
        uint32_t seed = 7;
        for (unsigned round = 0; round < 300; round++) {
                size_t n = round;
                struct wr w, b;
                for (size_t i = 0; i < n; i++) {
                        seed = seed * 1664525 + 1013904223;
                        char c = (char)(seed >> 24);
                        text[i] = (seed >> 16 & 3) == 0 ? ' ' : c == '\r' ? 'r' : c;
                }
                text[n] = '\n';
                wr_init(&w, memory, sizeof memory);
                encode(str_of(text, n + 1), round % 7 + 1, &w);
                assert_false(w.full);
                for (struct str rest = wr_text(&w), line; str_cut(rest, '\n', &line, &rest);)
                        assert_true(line.n <= 77 && line.p[line.n - 1] == '\r');
                wr_init(&b, back, sizeof back);
                decode(MAIL_TRANSFER_QUOTED, wr_text(&w), &b);
                size_t at = 0;
                for (size_t i = 0; i <= n; i++) {
                        if (text[i] == '\n')
                                assert_int_equal(back[at++], '\r');
                        assert_int_equal(back[at++], text[i]);
                }
                assert_int_equal(at, b.n);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_decoding),
                cmocka_unit_test(test_long_blanks),
                cmocka_unit_test(test_encoding),
                cmocka_unit_test(test_round_trip),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
