/* SPDX-License-Identifier: ISC */
#include "auth/body_hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static const char text[] = "Hello  world \r\n\r\na\tb\r\n\r\n";
static const char simple[] = "Hello  world \r\n\r\na\tb\r\n";
static const char relaxed[] = "Hello world\r\n\r\na b\r\n";

static void expect(const struct body_hash *b, size_t slot, struct str canonical)
{
        uint8_t want[SHA256_SIZE], got[SHA256_SIZE];
        assert_int_equal(sha256(canonical, want), ERR_OK);
        assert_int_equal(body_hash_result(b, slot, got), ERR_OK);
        assert_memory_equal(want, got, sizeof want);
}

/* All wishes at once, in one pass, cut at every place. */
static void test_one_pass(void **state)
{
        (void)state;
        for (size_t cut = 0; cut < sizeof text; cut++) {
                struct body_hash b;
                body_hash_init(&b);
                size_t all = body_hash_want(&b, CANON_RELAXED, BODY_HASH_ALL);
                size_t five = body_hash_want(&b, CANON_RELAXED, 5);
                size_t none = body_hash_want(&b, CANON_RELAXED, 0);
                size_t more = body_hash_want(&b, CANON_RELAXED, 1000);
                size_t plain = body_hash_want(&b, CANON_SIMPLE, BODY_HASH_ALL);
                assert_int_equal(body_hash_want(&b, CANON_RELAXED, 5), five);
                assert_int_equal(b.count, 5);
                body_hash_write(&b, str_of(text, cut));
                body_hash_write(&b, str_of(text + cut, sizeof text - 1 - cut));
                body_hash_end(&b);
                expect(&b, all, str_of(relaxed, sizeof relaxed - 1));
                expect(&b, five, str_of(relaxed, 5));
                expect(&b, none, S(""));
                expect(&b, more, str_of(relaxed, sizeof relaxed - 1));
                expect(&b, plain, str_of(simple, sizeof simple - 1));
                assert_int_equal(body_hash_size(&b, five), sizeof relaxed - 1);
                assert_int_equal(body_hash_size(&b, plain), sizeof simple - 1);
        }
}

/* RFC 6376 3.4.3 and 3.4.4 print the digests of an empty body. */
static void test_empty_body(void **state)
{
        (void)state;
        struct body_hash b;
        body_hash_init(&b);
        size_t plain = body_hash_want(&b, CANON_SIMPLE, BODY_HASH_ALL);
        size_t wide = body_hash_want(&b, CANON_RELAXED, BODY_HASH_ALL);
        body_hash_end(&b);
        expect(&b, plain, S("\r\n"));
        expect(&b, wide, S(""));
        uint8_t digest[SHA256_SIZE];
        static const uint8_t of_crlf[4] = {
                0x7e, 0xb7, 0x02, 0x57}; /* the head of frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY= */
        static const uint8_t of_nothing[4] = {
                0xe3, 0xb0, 0xc4, 0x42}; /* of 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU= */
        assert_int_equal(body_hash_result(&b, plain, digest), ERR_OK);
        assert_memory_equal(digest, of_crlf, sizeof of_crlf);
        assert_int_equal(body_hash_result(&b, wide, digest), ERR_OK);
        assert_memory_equal(digest, of_nothing, sizeof of_nothing);
}

/* Short pieces are gathered, long ones are not: across both, no byte is lost or moved. */
static void test_gathering(void **state)
{
        (void)state;
        static char body[20000], canonical[20000];
        size_t n = 0, m = 0;
        for (size_t i = 0; n < sizeof body - 1200; i++) {
                size_t word = i % 7 == 0 ? 1000 : i % 50;
                memset(body + n, 'a' + (char)(i % 26), word);
                memset(canonical + m, 'a' + (char)(i % 26), word);
                n += word;
                m += word;
                memcpy(body + n, " \t", 2);
                canonical[m] = ' ';
                n += 2;
                m += m > 0 && canonical[m - 1] == ' ' ? 0 : 1;
        }
        memcpy(body + n, "x\r\n", 3);
        memcpy(canonical + m, "x\r\n", 3);
        for (size_t step = 1; step < 3000; step = step * 3 + 1) {
                struct body_hash b;
                body_hash_init(&b);
                size_t slot = body_hash_want(&b, CANON_RELAXED, BODY_HASH_ALL);
                for (struct str rest = str_of(body, n + 3); rest.n > 0; rest = str_skip(rest, step))
                        body_hash_write(&b, str_take(rest, step));
                body_hash_end(&b);
                expect(&b, slot, str_of(canonical, m + 3));
        }
}

static void test_drop(void **state)
{
        (void)state;
        struct body_hash b;
        body_hash_init(&b);
        body_hash_drop(&b);
        for (uint64_t i = 0; i < BODY_HASHES_MAX; i++)
                assert_int_equal(body_hash_want(&b, CANON_SIMPLE, i), i);
        body_hash_write(&b, S("abc"));
        body_hash_drop(&b); /* a leak would show in AddressSanitizer */
}

/* Digests of the same bytes, of the wishes that both have. */
static void test_lend(void **state)
{
        (void)state;
        struct body_hash ended, b;
        body_hash_init(&ended);
        (void)body_hash_want(&ended, CANON_SIMPLE, BODY_HASH_ALL);
        (void)body_hash_want(&ended, CANON_RELAXED, 5);
        (void)body_hash_want(&ended, CANON_RELAXED, BODY_HASH_ALL);
        body_hash_write(&ended, str_of(text, sizeof text - 1));
        body_hash_end(&ended);
        body_hash_init(&b);
        size_t all = body_hash_want(&b, CANON_RELAXED, BODY_HASH_ALL);
        size_t five = body_hash_want(&b, CANON_RELAXED, 5);
        assert_int_equal(body_hash_lend(&b, &ended), ERR_OK);
        expect(&b, all, str_of(relaxed, sizeof relaxed - 1));
        expect(&b, five, str_of(relaxed, 5));
        assert_int_equal(body_hash_size(&b, five), sizeof relaxed - 1);
        body_hash_init(&b);
        all = body_hash_want(&b, CANON_RELAXED, BODY_HASH_ALL);
        (void)body_hash_want(&b, CANON_RELAXED, 6);
        assert_int_equal(body_hash_lend(&b, &ended), ERR_NOT_FOUND);
        body_hash_write(&b, str_of(text, sizeof text - 1));
        body_hash_end(&b);
        expect(&b, all, str_of(relaxed, sizeof relaxed - 1));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_one_pass),
                cmocka_unit_test(test_empty_body),
                cmocka_unit_test(test_gathering),
                cmocka_unit_test(test_drop),
                cmocka_unit_test(test_lend),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
