/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "host/guest/find.h"

#define PAGE 4096
#define MOST 70

static const void *plainly(const char *p, uint8_t c, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if ((uint8_t)p[i] == c)
                        return p + i;
        return NULL;
}

/* At each place of a block, each length, with the byte before, in each place of, and behind the range. */
static void test_every_place(void **state)
{
        char text[16 + MOST + 16];
        (void)state;
        for (size_t from = 0; from < 16; from++)
                for (size_t n = 0; n < MOST; n++)
                        for (size_t at = 0; at < sizeof text; at++) {
                                memset(text, 'x', sizeof text);
                                text[at] = '\xff';
                                text[sizeof text - 1] = '\xff';
                                assert_ptr_equal(
                                        find_byte(text + from, 0xff, n), plainly(text + from, 0xff, n));
                        }
}

/* Neither the page before nor the one behind is there. */
static void test_edges(void **state)
{
        (void)state;
        char *three = mmap(NULL, 3 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
             *page = three + PAGE;
        assert_true(three != MAP_FAILED);
        assert_int_equal(mprotect(page, PAGE, PROT_READ | PROT_WRITE), 0);
        for (size_t n = 0; n < MOST; n++) {
                assert_null(find_byte(page, 'x', n));
                assert_null(find_byte(page + PAGE - n, 'x', n));
        }
        page[PAGE - 1] = 'x';
        for (size_t n = 1; n < MOST; n++) {
                assert_ptr_equal(find_byte(page + PAGE - n, 'x', n), page + PAGE - 1);
                assert_ptr_equal(find_byte(page + PAGE - n, 'x', SIZE_MAX), page + PAGE - 1);
        }
        assert_int_equal(munmap(three, 3 * PAGE), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_place), cmocka_unit_test(test_edges)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
