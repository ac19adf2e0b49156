/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/exact.h"
#include "base/limits.h"
#include "dns/idna.h"

static const struct {
        const char *name, *in, *out;
} right[] = {
        {"empty", "", ""},
        {"ASCII as it is", "Mail.Example.", "Mail.Example."},
        {"odd ASCII as it is", "a b..\\[1]", "a b..\\[1]"},
        {"a letter among basic ones",
                "b\xc3\xbc"
                "cher.example",
                "xn--bcher-kva.example"},
        {"basic letters in lower case",
                "B\xc3\xbc"
                "CHER.Example",
                "xn--bcher-kva.Example"},
        {"the last label", "foo.\xe6\xb8\xac\xe8\xa9\xa6", "foo.xn--g6w251d"},
        {"no basic character", "\xd0\xb8\xd1\x81\xd0\xbf\xd1\x8b\xd1\x82\xd0\xb0\xd0\xbd\xd0\xb8\xd0\xb5",
                "xn--80akhbyknj4f"},
        /* RFC 3492 7.1 */
        {"(B) Chinese",
                "\xe4\xbb\x96\xe4\xbb\xac\xe4\xb8\xba\xe4\xbb\x80\xe4\xb9\x88\xe4\xb8\x8d\xe8\xaf\xb4\xe4\xb8"
                "\xad\xe6\x96\x87",
                "xn--ihqwcrb4cv8a8dqg056pqjye"},
        {"(R) hiragana among basic ones",
                "\xe3\x81\xb2\xe3\x81\xa8\xe3\x81\xa4\xe5\xb1\x8b\xe6\xa0\xb9\xe3\x81\xae\xe4"
                "\xb8\x8b"
                "2",
                "xn--2-u9tlzr9756bt3uc0v"},
        {"beyond the first plane", "\xf0\x9f\x98\x80.example", "xn--e28h.example"},
};

static enum err make(struct str in, char *room, size_t cap, struct str *out)
{
        struct wr w;
        struct str copy = exact(in);
        wr_init(&w, room, cap);
        enum err e = dns_idna_write(&w, copy);
        *out = wr_text(&w);
        exact_free(copy);
        return e;
}

static void test_labels(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof right / sizeof right[0]; i++) {
                char room[256];
                struct str in = str_of_c(right[i].in), out;
                if (make(in, room, sizeof room, &out) != ERR_OK || !str_eq(out, str_of_c(right[i].out)))
                        fail_msg("%s: %.*s", right[i].name, STR_ARG(out));
                for (size_t n = 0; n < in.n;
                        n++) { /* every prefix: a result or ERR_SYNTAX inside a character */
                        enum err e = make(str_take(in, n), room, sizeof room, &out);
                        assert_true(e == ERR_OK || e == ERR_SYNTAX);
                }
                struct str want = str_of_c(right[i].out);
                for (size_t n = 0; n < want.n; n++)
                        assert_int_equal(make(in, room, n, &out), ERR_SPACE);
        }
}

static void test_ill_formed(void **state)
{
        (void)state;
        static const char *const cases[] = {"a\xff", "\xc3", "\xed\xa0\x80", "\xc0\xaf", "a.\x80.b"};
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                char room[256];
                struct str out;
                assert_int_equal(make(str_of_c(cases[i]), room, sizeof room, &out), ERR_SYNTAX);
        }
}

static void test_a_label_has_63_octets(void **state)
{
        (void)state;
        char room[256], in[2 * DNS_LABEL_MAX + 2];
        struct str out;
        size_t longest = 0;
        for (size_t n = 0; n <= DNS_LABEL_MAX; n++) { /* n basic letters and one other */
                for (size_t i = 0; i < n; i++)
                        in[i] = 'a';
                in[n] = '\xc3';
                in[n + 1] = '\xbc';
                enum err e = make(str_of(in, n + 2), room, sizeof room, &out);
                assert_true(e == ERR_OK || e == ERR_LIMIT);
                if (e == ERR_OK) {
                        assert_true(out.n <= DNS_LABEL_MAX);
                        longest = out.n;
                }
        }
        assert_int_equal(longest, DNS_LABEL_MAX);
        for (size_t i = 0; i < DNS_LABEL_MAX; i++) {
                in[2 * i] = '\xc3';
                in[2 * i + 1] = (char)(0x80 + (int)i % 0x3f);
        }
        assert_int_equal(make(str_of(in, 2 * DNS_LABEL_MAX), room, sizeof room, &out), ERR_LIMIT);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_labels),
                cmocka_unit_test(test_ill_formed),
                cmocka_unit_test(test_a_label_has_63_octets),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
