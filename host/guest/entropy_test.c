/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/siphash.h"
#include "host/guest/entropy.h"

/* A source that is good until `good` samples were read; then it fails in its way. */
struct source {
        enum { STUCK, BIASED, EMPTY, SLOW } fault;
        unsigned good, reads;
};

static bool read_source(void *ctx, uint64_t *out)
{
        static const uint8_t key[SIPHASH_KEY_SIZE] = "a fixed test key";
        struct source *s = ctx;
        unsigned n = s->reads++;
        *out = siphash(key, str_of(&n, sizeof n));
        if (n < s->good)
                return true;
        if (s->fault == STUCK)
                *out = UINT64_MAX;
        if (s->fault == BIASED) /* one byte in two is 0x11 */
                *out = (*out & 0xff00ff00ff00ff00) | 0x0011001100110011;
        if (s->fault == SLOW)
                return n % 10 == 9;
        return s->fault != EMPTY;
}

static bool gather(struct entropy_health *h, struct source *s, unsigned n)
{
        uint64_t out[8];
        bool ok = true;
        for (unsigned i = 0; i < n; i += 8) {
                ok = entropy_gather(h, read_source, s, out, 8);
                for (unsigned k = 0; k < 8; k++)
                        assert_true(ok == (out[k] != 0));
        }
        return ok;
}

static void test_good_source_passes(void **state)
{
        struct source s = {.good = UINT32_MAX};
        struct entropy_health h = {0};
        (void)state;
        assert_true(gather(&h, &s, 1000000));
}

static void test_faults_are_seen(void **state)
{
        static const enum { AT_START = 0, LATER = 5000 } when[] = {AT_START, LATER};
        (void)state;
        for (unsigned fault = STUCK; fault <= EMPTY; fault++)
                for (unsigned i = 0; i < 2; i++) {
                        struct source s = {.fault = fault, .good = (unsigned)when[i]};
                        struct entropy_health h = {0};
                        assert_false(gather(&h, &s, 6000));
                        assert_true(h.failed);
                        s.good = UINT32_MAX;
                        assert_false(gather(&h, &s, 8)); /* a failure sticks */
                }
}

static void test_source_may_have_none_nine_times(void **state)
{
        struct source s = {.fault = SLOW};
        struct entropy_health h = {0};
        (void)state;
        assert_true(gather(&h, &s, 800));
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_good_source_passes),
                cmocka_unit_test(test_faults_are_seen),
                cmocka_unit_test(test_source_may_have_none_nine_times)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
