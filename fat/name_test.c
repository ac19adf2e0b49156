/* SPDX-License-Identifier: ISC */
#include "fat/name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/exact.h"

static void test_parse(void **state)
{
        (void)state;
        static const struct {
                const char *text;
                enum err err;
                size_t n;
        } cases[] = {
                {"a", ERR_OK, 1}, {"README.TXT", ERR_OK, 10}, {".profile", ERR_OK, 8}, {"a b", ERR_OK, 3},
                {" a", ERR_OK, 2}, {"a..b", ERR_OK, 4}, {"+,;=[]", ERR_OK, 6},
                {"Gr\xc3\xbc\xc3\x9f"
                 "e",
                        ERR_OK, 5},
                {"\xf0\x9f\x98\x80", ERR_OK, 2}, /* a pair of surrogates */
                {"", ERR_SYNTAX, 0}, {".", ERR_SYNTAX, 0}, {"..", ERR_SYNTAX, 0}, {"a.", ERR_SYNTAX, 0},
                {"a ", ERR_SYNTAX, 0}, {"a/b", ERR_SYNTAX, 0}, {"a\\b", ERR_SYNTAX, 0},
                {"a:b", ERR_SYNTAX, 0}, {"a*", ERR_SYNTAX, 0}, {"a?", ERR_SYNTAX, 0},
                {"\"a\"", ERR_SYNTAX, 0}, {"<a>", ERR_SYNTAX, 0}, {"a|b", ERR_SYNTAX, 0},
                {"a\tb", ERR_SYNTAX, 0}, {"a\x7f", ERR_SYNTAX, 0}, {"\xff", ERR_SYNTAX, 0},
                {"\xc3", ERR_SYNTAX, 0}, {"\xed\xa0\x80", ERR_SYNTAX, 0}, /* a surrogate of its own */
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct str text = exact(str_of_c(cases[i].text));
                struct fat_name name;
                assert_int_equal(fat_name_parse(text, &name), cases[i].err);
                if (cases[i].err == ERR_OK) {
                        char back[FAT_NAME_UTF8_MAX];
                        struct wr w;
                        wr_init(&w, back, sizeof back);
                        fat_name_write(&w, &name);
                        assert_int_equal(name.n, cases[i].n);
                        assert_true(str_eq(wr_text(&w), text));
                        assert_true(fat_name_is_sane(&name));
                }
                exact_free(text);
        }
        struct fat_name name;
        assert_int_equal(fat_name_parse(str_of("a\0b", 3), &name), ERR_SYNTAX);
}

static void test_longest(void **state)
{
        (void)state;
        char text[1100], back[FAT_NAME_UTF8_MAX];
        struct fat_name name;
        struct wr w;
        for (size_t i = 0; i < sizeof text; i += 3)
                memcpy(text + i, "\xe2\x82\xac",
                        3 < sizeof text - i ? 3 : sizeof text - i); /* the euro sign */
        assert_int_equal(fat_name_parse(str_of(text, 255 * 3), &name), ERR_OK);
        assert_int_equal(name.n, 255);
        wr_init(&w, back, sizeof back);
        fat_name_write(&w, &name);
        assert_int_equal(wr_end(&w), ERR_OK);
        assert_int_equal(w.n, FAT_NAME_UTF8_MAX);
        assert_int_equal(fat_name_parse(str_of(text, 256 * 3), &name), ERR_LIMIT);
        memcpy(text + 254 * 3, "\xf0\x9f\x98\x80", 4); /* two units where one is left */
        assert_int_equal(fat_name_parse(str_of(text, 254 * 3 + 4), &name), ERR_LIMIT);
        memset(text, ' ', sizeof text); /* a bad one is bad however long it is */
        assert_int_equal(fat_name_parse(str_of(text, 400), &name), ERR_SYNTAX);
}

static void test_case(void **state)
{
        (void)state;
        static const struct {
                const char *a, *b;
                bool eq;
        } cases[] = {
                {"readme.txt", "README.TXT", true},
                {"stra\xc3\x9f"
                 "e",
                        "STRA\xc3\x9f"
                        "E",
                        true},
                {"stra\xc3\x9f"
                 "e",
                        "STRASSE", false},
                {"\xc3\xa4\xc3\xb6\xc3\xbc\xc3\xbf", "\xc3\x84\xc3\x96\xc3\x9c\xc5\xb8",
                        true},                                                  /* a o u y with two dots */
                {"\xd0\xbf\xd1\x80\xd0\xb8", "\xd0\x9f\xd0\xa0\xd0\x98", true}, /* Cyrillic */
                {"\xce\xb1\xcf\x89", "\xce\x91\xce\xa9", true},                 /* Greek */
                {"\xef\xbd\x81", "\xef\xbc\xa1", true},                         /* full width */
                {"\xc3\xb7", "\xc3\x97", false}, /* the division sign is no letter */
                {"\xc4\xb1", "I", false},        /* nor does a dotless i fold into ASCII */
                {"\xc5\xbf", "S", false},
                {"a", "b", false},
                {"a", "aa", false},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct fat_name a, b;
                assert_int_equal(fat_name_parse(str_of_c(cases[i].a), &a), ERR_OK);
                assert_int_equal(fat_name_parse(str_of_c(cases[i].b), &b), ERR_OK);
                assert_int_equal(fat_name_eq(&a, &b), cases[i].eq);
        }
        for (uint32_t u = 0; u < 0x10000; u++) { /* upper case is settled, and never ASCII from outside */
                uint16_t upper = fat_upper((uint16_t)u);
                assert_int_equal(fat_upper(upper), upper);
                assert_true(u < 0x80 || upper >= 0x80);
        }
}

static void test_short(void **state)
{
        (void)state;
        static const struct {
                const char *name, *exact, *basis;
                size_t base_n;
        } cases[] = {
                {"README.TXT", "README  TXT", "README  TXT", 6},
                {"README", "README     ", "README     ", 6},
                {"A.B", "A       B  ", "A       B  ", 1},
                {"12345678.ABC", "12345678ABC", "12345678ABC", 8},
                {"{}~!.#$%", "{}~!    #$%", "{}~!    #$%", 4},
                {"readme.txt", NULL, "README  TXT", 6},
                {"123456789.ABC", NULL, "12345678ABC", 8},
                {"A.BCDE", NULL, "A       BCD", 1},
                {"A.B.C", NULL, "AB      C  ", 2},
                {".profile", NULL, "PROFILE    ", 7},
                {"..a", NULL, "A          ", 1},
                {"A B", NULL, "AB         ", 2},
                {"A+B", NULL, "A_B        ", 3},
                {"\xc3\xa4", NULL, "_          ", 1},
                {"\xf0\x9f\x98\x80", NULL, "_          ", 1}, /* one for a pair */
                {"archive.tar.gz", NULL, "ARCHIVETGZ ", 8},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct fat_name name, back;
                uint8_t raw[FAT_SHORT_SIZE];
                assert_int_equal(fat_name_parse(str_of_c(cases[i].name), &name), ERR_OK);
                assert_int_equal(fat_short_encode(&name, raw), cases[i].exact != NULL);
                if (cases[i].exact) {
                        assert_memory_equal(raw, cases[i].exact, FAT_SHORT_SIZE);
                        assert_true(fat_short_is_valid(raw));
                        fat_short_decode(raw, 0, &back);
                        assert_true(back.n == name.n && memcmp(back.units, name.units, name.n * 2) == 0);
                }
                assert_int_equal(fat_short_basis(&name, raw), cases[i].base_n);
                assert_true(fat_short_is_valid(raw));
                assert_memory_equal(raw, cases[i].basis, FAT_SHORT_SIZE);
        }
}

static void test_tail(void **state)
{
        (void)state;
        static const struct {
                size_t base_n;
                uint32_t number;
                const char *raw;
        } cases[] = {
                {8, 1, "ABCDEF~1TXT"},
                {6, 1, "ABCDEF~1TXT"},
                {3, 1, "ABC~1   TXT"},
                {1, 9, "A~9     TXT"},
                {8, 10, "ABCDE~10TXT"},
                {8, 999999, "A~999999TXT"},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                uint8_t raw[FAT_SHORT_SIZE + 1] = "ABCDEFGHTXT";
                fat_short_tail(raw, cases[i].base_n, cases[i].number);
                assert_memory_equal(raw, cases[i].raw, FAT_SHORT_SIZE);
        }
}

static void test_decode(void **state)
{
        (void)state;
        static const struct {
                const char *raw;
                uint8_t flags;
                const char *text;
        } cases[] = {
                {"README  TXT", 0x00, "README.TXT"},
                {"README  TXT", 0x08, "readme.TXT"},
                {"README  TXT", 0x10, "README.txt"},
                {"README  TXT", 0x18, "readme.txt"},
                {"NOEXT      ", 0x18, "noext"},
                {"\x05"
                 "BC     TXT",
                        0,
                        "\xc3\x95"
                        "BC.TXT"}, /* 0xe5 of code page 850 */
                {"\x8e       TXT", 0, "\xc3\x84.TXT"},
                {"A/B     TXT", 0, "A_B.TXT"}, /* hostile: a path */
                {"A\x01"
                 "B     TXT",
                        0, "A_B.TXT"},
                {"..         ", 0, "_."},
                {"           ", 0, "_"},
                {"A B     C D", 0, "A B.C D"},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                uint8_t raw[FAT_SHORT_SIZE];
                memcpy(raw, cases[i].raw, sizeof raw);
                struct fat_name name;
                char text[FAT_SHORT_UTF8_MAX];
                struct wr w;
                fat_short_decode(raw, cases[i].flags, &name);
                wr_init(&w, text, sizeof text);
                fat_name_write(&w, &name);
                assert_true(str_eq(wr_text(&w), str_of_c(cases[i].text)));
                assert_true(fat_name_is_sane(&name));
        }
        assert_int_equal(fat_short_sum((const uint8_t *)"README  TXT"), 115);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parse),
                cmocka_unit_test(test_longest),
                cmocka_unit_test(test_case),
                cmocka_unit_test(test_short),
                cmocka_unit_test(test_tail),
                cmocka_unit_test(test_decode),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
