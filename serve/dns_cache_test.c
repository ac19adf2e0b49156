/* SPDX-License-Identifier: ISC */
#include "serve/dns_cache.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/check.h"

static const uint8_t key[SIPHASH_KEY_SIZE] = {1};

static struct dns_name name_at(size_t i)
{
        char text[32];
        struct wr w;
        struct dns_name name;
        wr_init(&w, text, sizeof text);
        wr_byte(&w, 'n');
        wr_u64(&w, i);
        CHECK(dns_name_parse(wr_text(&w), &name) == ERR_OK);
        return name;
}

/* An answer of one TXT value. */
static struct dns_answer answer_of(struct dns_value *value, struct str text, uint32_t ttl_s)
{
        *value = (struct dns_value){.wire = text, .text = text};
        return (struct dns_answer){.status = DNS_FOUND,
                .type = DNS_TYPE_TXT,
                .is_cacheable = true,
                .ttl_s = ttl_s,
                .count = 1,
                .values = value};
}

static bool has(struct dns_cache *c, size_t i, int64_t now_ms)
{
        struct dns_name name = name_at(i);
        uint32_t left_s;
        return dns_cache_get(c, &name, DNS_TYPE_TXT, now_ms, &left_s) != NULL;
}

static void put(struct dns_cache *c, size_t i, struct str text, uint32_t ttl_s)
{
        struct dns_value value;
        struct dns_answer answer = answer_of(&value, text, ttl_s);
        struct dns_name name = name_at(i);
        dns_cache_put(c, &name, &answer, 0);
}

static void test_time(void **state)
{
        (void)state;
        struct dns_cache *c = dns_cache_new(10, 100000, key);
        struct dns_name name = name_at(1), upper;
        uint32_t left_s;
        put(c, 1, S("hello"), 60);
        const struct dns_answer *a = dns_cache_get(c, &name, DNS_TYPE_TXT, 59999, &left_s);
        assert_non_null(a);
        assert_true(str_eq(a->values[0].text, S("hello")));
        assert_int_equal(left_s, 0);
        assert_non_null(dns_cache_get(c, &name, DNS_TYPE_TXT, 1000, &left_s));
        assert_int_equal(left_s, 59);
        assert_int_equal(dns_name_parse(S("N1"), &upper), ERR_OK);
        assert_non_null(dns_cache_get(c, &upper, DNS_TYPE_TXT, 0, &left_s));
        assert_null(dns_cache_get(c, &name, DNS_TYPE_A, 0, &left_s));
        assert_null(dns_cache_get(c, &name, DNS_TYPE_TXT, 60000, &left_s));
        assert_int_equal(dns_cache_entries(c), 0);
        assert_int_equal(dns_cache_bytes(c), 0);
        assert_int_equal(dns_cache_evicted(c), 0);
        dns_cache_free(c);
}

static void test_bounds_of_life(void **state)
{
        (void)state;
        static const struct {
                enum dns_status status;
                uint32_t ttl_s;
                bool cacheable;
                uint32_t life_s;
        } cases[] = {
                {DNS_FOUND, 100, true, 100},
                {DNS_FOUND, 0, true, 0},
                {DNS_FOUND, 100, false, 0},
                {DNS_FOUND, 0x7fffffff, true, DNS_CACHE_TTL_MAX_S},
                {DNS_NO_DATA, 0x7fffffff, true, DNS_CACHE_NEGATIVE_TTL_MAX_S},
                {DNS_NO_NAME, 0x7fffffff, true, DNS_CACHE_NEGATIVE_TTL_MAX_S},
                {DNS_NO_NAME, 30, true, 30},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct dns_cache *c = dns_cache_new(10, 100000, key);
                struct dns_answer answer = {.status = cases[i].status,
                        .type = DNS_TYPE_TXT,
                        .ttl_s = cases[i].ttl_s,
                        .is_cacheable = cases[i].cacheable};
                struct dns_name name = name_at(1);
                dns_cache_put(c, &name, &answer, 0);
                int64_t end_ms = (int64_t)cases[i].life_s * 1000;
                assert_int_equal(has(c, 1, end_ms - 1), cases[i].life_s > 0);
                assert_false(has(c, 1, end_ms));
                dns_cache_free(c);
        }
}

static void test_least_recent_goes(void **state)
{
        (void)state;
        struct dns_cache *c = dns_cache_new(3, 100000, key);
        for (size_t i = 0; i < 3; i++)
                put(c, i, S("x"), 60);
        assert_true(has(c, 0, 0));
        put(c, 3, S("x"), 60);
        assert_false(has(c, 1, 0));
        assert_true(has(c, 0, 0) && has(c, 2, 0) && has(c, 3, 0));
        assert_int_equal(dns_cache_evicted(c), 1);
        put(c, 2, S("y"), 60); /* the same question again takes no more room */
        assert_int_equal(dns_cache_entries(c), 3);
        assert_int_equal(dns_cache_evicted(c), 1);
        dns_cache_clear(c);
        assert_int_equal(dns_cache_entries(c), 0);
        assert_int_equal(dns_cache_bytes(c), 0);
        assert_false(has(c, 2, 0));
        dns_cache_free(c);
}

static void test_bytes(void **state)
{
        (void)state;
        static char big[5000];
        struct dns_cache *c = dns_cache_new(1000, 20000, key);
        for (size_t i = 0; i < 200; i++) {
                put(c, i, str_of(big, i % 4 * 1200), 60);
                assert_true(dns_cache_bytes(c) <= 20000);
                assert_true(has(c, i, 0));
        }
        assert_true(dns_cache_entries(c) < 10 && dns_cache_evicted(c) > 190);
        dns_cache_free(c);
        c = dns_cache_new(1000, 4000, key);
        put(c, 1, S("x"), 60);
        put(c, 2, str_of(big, sizeof big), 60); /* larger than all of it: not kept, and nothing goes for it */
        assert_false(has(c, 2, 0));
        assert_true(has(c, 1, 0));
        dns_cache_free(c);
}

/* Ten thousand questions through a small cache, against a plain model of which are the last used. */
static void test_model(void **state)
{
        (void)state;
        enum { ROOM = 64, NAMES = 200 };
        size_t used[NAMES] = {0}, clock = 0, live = 0;
        struct dns_cache *c = dns_cache_new(ROOM, 10000000, key);
        uint32_t seed = 12345;
        for (size_t step = 0; step < 10000; step++) {
                seed = seed * 1664525 + 1013904223;
                size_t i = seed >> 16, newer = 0;
                i %= NAMES;
                for (size_t k = 0; k < NAMES; k++)
                        newer += used[k] > used[i];
                bool is_live = used[i] > 0 && newer < ROOM;
                assert_int_equal(has(c, i, 0), is_live);
                if (!is_live)
                        put(c, i, S("x"), 60);
                used[i] = ++clock;
                live = live < ROOM && !is_live ? live + 1 : live;
                assert_int_equal(dns_cache_entries(c), live);
        }
        dns_cache_free(c);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_time),
                cmocka_unit_test(test_bounds_of_life),
                cmocka_unit_test(test_least_recent_goes),
                cmocka_unit_test(test_bytes),
                cmocka_unit_test(test_model),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
