/* SPDX-License-Identifier: ISC */
#include "serve/peers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static struct ip address(const char *text)
{
        struct ip ip;
        assert_int_equal(ip_parse(str_of_c(text), &ip), ERR_OK);
        return ip;
}

static void test_counts(void **state)
{
        static const struct {
                const char *ip;
                size_t count;
        } steps[] = {{"192.0.2.1", 1}, {"192.0.2.1", 2}, {"192.0.2.2", 1}, {"2001:db8::1", 1},
                {"2001:db8::ffff:1", 2}, {"2001:db8:0:1::1", 1}, {"192.0.2.1", 3}};
        static struct peers p = {.key = {1, 2, 3}};
        struct peer entries[sizeof steps / sizeof steps[0]] = {0};
        (void)state;
        for (size_t round = 0; round < 2; round++) {
                for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
                        struct ip ip = address(steps[i].ip);
                        assert_int_equal(peers_enter(&p, &entries[i], &ip), steps[i].count);
                }
                for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
                        peers_leave(&p, &entries[i]);
                        peers_leave(&p, &entries[i]);
                }
        }
        for (size_t i = 0; i < PEERS_BUCKETS; i++)
                assert_null(p.buckets[i]);
}

/* In any order, from the middle of a bucket too: every one of 5,000 can go. */
static void test_many(void **state)
{
        static struct peers p;
        static struct peer entries[5000];
        (void)state;
        for (unsigned i = 0; i < 5000; i++) {
                struct ip ip = ip_v4(10, 0, (uint8_t)(i / 256 % 8), (uint8_t)(i % 256));
                assert_int_equal(peers_enter(&p, &entries[i], &ip), 1 + i / 2048);
        }
        for (unsigned i = 0; i < 5000; i++)
                peers_leave(&p, &entries[i * 7919 % 5000]);
        for (size_t i = 0; i < PEERS_BUCKETS; i++)
                assert_null(p.buckets[i]);
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_counts), cmocka_unit_test(test_many)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
