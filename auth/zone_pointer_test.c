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
        {"largest numbers", "v=PTT1; e=253402300799; n=253402300798; r=253402300797:253402300799" ID, ERR_OK,
                NULL},
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
        {"epoch too large", "v=PTT1; e=253402300800" ID, ERR_SYNTAX, NULL},
        {"epoch beyond 64 bits", "v=PTT1; e=99999999999999999999" ID, ERR_SYNTAX, NULL},
        {"next is the epoch", "v=PTT1; e=3; n=3" ID, ERR_SYNTAX, NULL},
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
        struct zone_pointer p = {.epoch = 253402300799, .next = 253402300798, .old_n = ZONE_OLD_MAX};
        char text[ZONE_POINTER_MAX];
        struct wr w;
        for (size_t i = 0; i < ZONE_OLD_MAX; i++)
                p.old[i] = (struct zone_old){253402300700 + (int64_t)i, 253402300799};
        wr_init(&w, text, sizeof text);
        assert_int_equal(zone_pointer_write(&p, &w), ERR_OK);
        for (size_t cap = 0; cap < w.n; cap++) {
                struct wr small;
                wr_init(&small, text, cap);
                assert_int_equal(zone_pointer_write(&p, &small), ERR_SPACE);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_cases),
                cmocka_unit_test(test_prefixes),
                cmocka_unit_test(test_room),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
