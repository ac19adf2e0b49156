/* SPDX-License-Identifier: ISC */
#include "auth/zone_pointer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define ID "; id=f768e82a760a25f5"

static const struct {
        const char *name, *text;
        enum err err;
        const char *written; /* NULL: as it was */
} cases[] = {
        {"smallest", "v=PTT1; e=1775138006" ID, ERR_OK, NULL},
        {"next and old", "v=PTT1; e=1775138006; n=1777125206; r=1773150806:1775742806,1:2" ID, ERR_OK, NULL},
        {"no spaces, other order", "v=PTT1;id=F768E82A760A25F5;r=1:2;e=3;", ERR_OK, "v=PTT1; e=3; r=1:2" ID},
        {"unknown tag", "v=PTT1; e=3; x=y" ID, ERR_OK, "v=PTT1; e=3" ID},
        {"eight old ones", "v=PTT1; e=9; r=1:2,2:2,3:2,4:2,5:2,6:2,7:2,8:2" ID, ERR_OK, NULL},
        {"nine old ones", "v=PTT1; e=10; r=1:2,2:2,3:2,4:2,5:2,6:2,7:2,8:2,9:2" ID, ERR_LIMIT, NULL},
        {"largest numbers", "v=PTT1; e=99999999998; n=99999999999; r=99999999997:253402300799" ID, ERR_OK,
                NULL},
        {"former ones", "v=PTT1; e=9; r=1:2,2:2,3:2; f=1,3" ID, ERR_OK, NULL},
        {"former ones that are not old", "v=PTT1; e=9; r=1:2; f=9,1,7" ID, ERR_OK,
                "v=PTT1; e=9; r=1:2; f=1" ID},
        {"former ones without old ones", "v=PTT1; e=9; f=1" ID, ERR_OK, "v=PTT1; e=9" ID},
        {"former empty", "v=PTT1; e=9; r=1:2; f=" ID, ERR_SYNTAX, NULL},
        {"former not a number", "v=PTT1; e=9; r=1:2; f=1,x" ID, ERR_SYNTAX, NULL},
        {"old until too late", "v=PTT1; e=9; r=1:253402300800" ID, ERR_SYNTAX, NULL},
        {"empty", "", ERR_SYNTAX, NULL},
        {"another version", "v=PTT2; e=3" ID, ERR_UNSUPPORTED, NULL},
        {"version not first", "e=3; v=PTT1" ID, ERR_SYNTAX, NULL},
        {"a key record", "v=DKIM1; k=rsa; p=AAAA", ERR_UNSUPPORTED, NULL},
        {"no epoch", "v=PTT1" ID, ERR_SYNTAX, NULL},
        {"no id", "v=PTT1; e=3", ERR_SYNTAX, NULL},
        {"short id", "v=PTT1; e=3; id=f768e82a760a25", ERR_SYNTAX, NULL},
        {"long id", "v=PTT1; e=3; id=f768e82a760a25f500", ERR_SYNTAX, NULL},
        {"epoch twice", "v=PTT1; e=3; e=3" ID, ERR_SYNTAX, NULL},
        {"epoch zero", "v=PTT1; e=0" ID, ERR_SYNTAX, NULL},
        {"epoch negative", "v=PTT1; e=-3" ID, ERR_SYNTAX, NULL},
        {"epoch too large", "v=PTT1; e=100000000000" ID, ERR_SYNTAX, NULL},
        {"epoch beyond 64 bits", "v=PTT1; e=99999999999999999999" ID, ERR_SYNTAX, NULL},
        {"next is the epoch", "v=PTT1; e=3; n=3" ID, ERR_SYNTAX, NULL},
        {"next is before the epoch", "v=PTT1; e=3; n=2" ID, ERR_SYNTAX, NULL},
        {"old is behind the epoch", "v=PTT1; e=3; n=5; r=4:9" ID, ERR_SYNTAX, NULL},
        {"old is the epoch", "v=PTT1; e=3; r=3:4" ID, ERR_SYNTAX, NULL},
        {"old is the next", "v=PTT1; e=3; n=4; r=4:4" ID, ERR_SYNTAX, NULL},
        {"old twice", "v=PTT1; e=3; r=1:4,1:5" ID, ERR_SYNTAX, NULL},
        {"old without time", "v=PTT1; e=3; r=1" ID, ERR_SYNTAX, NULL},
        {"old empty", "v=PTT1; e=3; r=" ID, ERR_SYNTAX, NULL},
        {"old ends with a comma", "v=PTT1; e=3; r=1:2," ID, ERR_SYNTAX, NULL},
};

static enum err parse_exact(const char *text, size_t n, struct zone_pointer *out)
{
        char *copy = malloc(n > 0 ? n : 1);
        assert_non_null(copy);
        memcpy(copy, text, n);
        enum err e = zone_pointer_parse(str_of(copy, n), out);
        free(copy);
        return e;
}

static void test_cases(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct zone_pointer p;
                char text[ZONE_POINTER_MAX];
                struct wr w;
                enum err e = parse_exact(cases[i].text, strlen(cases[i].text), &p);
                if (e != cases[i].err)
                        fail_msg("%s: %s", cases[i].name, err_text(e));
                if (e != ERR_OK) {
                        assert_int_equal(p.epoch, 0);
                        continue;
                }
                wr_init(&w, text, sizeof text);
                assert_int_equal(zone_pointer_write(&p, &w), ERR_OK);
                const char *expected = cases[i].written ? cases[i].written : cases[i].text;
                if (!str_eq(wr_text(&w), str_of_c(expected)))
                        fail_msg("%s: %.*s", cases[i].name, STR_ARG(wr_text(&w)));
        }
}

static void test_prefixes(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
                for (size_t n = 0; n < strlen(cases[i].text); n++) {
                        struct zone_pointer p;
                        enum err e = parse_exact(cases[i].text, n, &p);
                        assert_true((e == ERR_OK) == (p.epoch != 0));
                }
}

static void test_room(void **state)
{
        (void)state;
        struct zone_pointer p = {.epoch = ZONE_EPOCH_MAX, .next = ZONE_EPOCH_MAX - 1, .old_n = ZONE_OLD_MAX};
        char text[ZONE_POINTER_MAX];
        struct wr w;
        for (size_t i = 0; i < ZONE_OLD_MAX; i++)
                p.old[i] = (struct zone_old){ZONE_EPOCH_MAX - 100 + (int64_t)i, 253402300799, true};
        wr_init(&w, text, sizeof text);
        assert_int_equal(zone_pointer_write(&p, &w), ERR_OK);
        for (size_t cap = 0; cap < w.n; cap++) {
                struct wr small;
                wr_init(&small, text, cap);
                assert_int_equal(zone_pointer_write(&p, &small), ERR_SPACE);
        }
}

static struct zone_pointer parsed(const char *text)
{
        struct zone_pointer p;
        if (zone_pointer_parse(str_of_c(text), &p) != ERR_OK)
                fail_msg("%s", text);
        return p;
}

static void expect(const char *name, const struct zone_pointer *p, const char *expected)
{
        char text[ZONE_POINTER_MAX];
        struct wr w;
        wr_init(&w, text, sizeof text);
        assert_int_equal(zone_pointer_write(p, &w), ERR_OK);
        if (!str_eq(wr_text(&w), str_of_c(expected)))
                fail_msg("%s: %.*s; expected: %s", name, STR_ARG(wr_text(&w)), expected);
}

static void test_changes(void **state)
{
        (void)state;
        struct zone_pointer p = parsed("v=PTT1; e=100; r=50:120,70:140" ID), out;
        zone_pointer_announce(&p, 180, &out);
        expect("announced", &out, "v=PTT1; e=100; n=180; r=50:120,70:140" ID);
        zone_pointer_announce(&p, 90, &out);
        expect("announced later than all", &out, "v=PTT1; e=100; n=101; r=50:120,70:140" ID);
        assert_int_equal(zone_pointer_advance(&out, 150, &p), ERR_OK);
        expect("advanced", &p, "v=PTT1; e=101; r=50:120,70:140,100:250" ID);
        zone_pointer_forget(&p, 70, &out);
        expect("forgotten", &out, "v=PTT1; e=101; r=50:120,100:250" ID);
        p = parsed("v=PTT1; e=10; n=11; r=1:2,2:2,3:2,4:2,5:2,6:2,7:2,8:2" ID);
        assert_int_equal(zone_pointer_advance(&p, 150, &out), ERR_LIMIT);
        assert_int_equal(out.epoch, 0);
}

static void test_take_over(void **state)
{
        (void)state;
        static const uint8_t other[KEY_ID_SIZE] = {1},
                             same[KEY_ID_SIZE] = {0xf7, 0x68, 0xe8, 0x2a, 0x76, 0x0a, 0x25, 0xf5};
        static const struct {
                const char *name, *before;
                struct zone_take_over how;
                const char *after;
        } stories[] = {
                {"replaced", "v=PTT1; e=100; n=180; r=50:120" ID, {other, 130, 0, 150},
                        "v=PTT1; e=181; r=50:120,100:250,180:330; f=50,100,180; id=0100000000000000"},
                {"revoked with another password", "v=PTT1; e=100; r=50:120" ID, {other, 130, 130, 150},
                        "v=PTT1; e=130; r=50:120,100:130; f=50,100; id=0100000000000000"},
                {"revoked with the same one", "v=PTT1; e=100; n=110; r=50:200" ID, {same, 130, 130, 150},
                        "v=PTT1; e=130; r=50:130,100:130,110:130" ID},
                {"no room: the first to end goes", "v=PTT1; e=10; r=1:9,2:8,3:9,4:9,5:9,6:9,7:9,8:9" ID,
                        {same, 20, 20, 150}, "v=PTT1; e=20; r=1:9,3:9,4:9,5:9,6:9,7:9,8:9,10:20" ID},
        };
        for (size_t i = 0; i < sizeof stories / sizeof stories[0]; i++) {
                struct zone_pointer p = parsed(stories[i].before), out;
                zone_pointer_take_over(&p, &stories[i].how, &out);
                expect(stories[i].name, &out, stories[i].after);
        }
}

/* What a signer that has seen `known` makes of a zone that shows `found`, at 1000, with a validity of 100. */
static void test_merge(void **state)
{
        (void)state;
        static const struct {
                const char *name, *found, *known, *merged; /* merged NULL: found */
        } stories[] = {
                {"nothing new", "v=PTT1; e=950; r=920:1020" ID, "v=PTT1; e=950; r=920:1020" ID, NULL},
                {"announced by another", "v=PTT1; e=950; n=1010" ID, "v=PTT1; e=950" ID, NULL},
                {"advanced by another", "v=PTT1; e=990; r=950:1050" ID, "v=PTT1; e=950; n=990" ID, NULL},
                {"forgotten by another", "v=PTT1; e=950" ID, "v=PTT1; e=950; r=890:990" ID, NULL},
                {"revoked by another", "v=PTT1; e=990; r=950:980,920:980" ID, "v=PTT1; e=950; r=920:1020" ID,
                        NULL},
                {"a backup of before the last change", "v=PTT1; e=920" ID, "v=PTT1; e=950; r=920:1020" ID,
                        "v=PTT1; e=950; r=920:1020" ID},
                {"a backup of before an announcement", "v=PTT1; e=950" ID, "v=PTT1; e=950; n=1010" ID,
                        "v=PTT1; e=950; n=1010" ID},
                {"a backup of before all, and another began anew", "v=PTT1; e=995" ID,
                        "v=PTT1; e=950; r=920:1020" ID, "v=PTT1; e=995; r=920:1020,950:1050" ID},
                {"the same, but what we knew is over", "v=PTT1; e=995" ID, "v=PTT1; e=890; r=880:990" ID,
                        NULL},
                {"a revocation that the backup does not know", "v=PTT1; e=950; r=920:1020" ID,
                        "v=PTT1; e=990; r=950:985,920:985" ID, "v=PTT1; e=990; r=950:985,920:985" ID},
                {"of two histories nothing is lost", "v=PTT1; e=940; r=930:1030" ID,
                        "v=PTT1; e=950; r=920:1020" ID, "v=PTT1; e=950; r=920:1020,930:1030,940:1040" ID},
        };
        for (size_t i = 0; i < sizeof stories / sizeof stories[0]; i++) {
                struct zone_pointer found = parsed(stories[i].found), known = parsed(stories[i].known), out,
                                    again;
                zone_pointer_merge(&found, &known, 1000, 100, &out);
                expect(stories[i].name, &out, stories[i].merged ? stories[i].merged : stories[i].found);
                assert_true(zone_pointer_eq(&out, &found) == !stories[i].merged ||
                            str_eq(str_of_c(stories[i].found), str_of_c(stories[i].merged)));
                zone_pointer_merge(&out, &known, 1000, 100, &again); /* it settles */
                assert_true(zone_pointer_eq(&out, &again));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_cases),
                cmocka_unit_test(test_prefixes),
                cmocka_unit_test(test_room),
                cmocka_unit_test(test_changes),
                cmocka_unit_test(test_take_over),
                cmocka_unit_test(test_merge),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
