/* SPDX-License-Identifier: ISC */
#include "auth/dkim_keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "auth/fake_dns.h"
#include "crypto/key.h"

struct bench {
        struct dkim_keys keys;
        struct fake_dns dns;
        struct arena arena;
        struct dns_known known;
        char records[DKIM_KEYS_MAX + 1][256];
        struct str texts[DKIM_KEYS_MAX + 1];
        char memory[FAKE_DNS_ARENA];
};

/* One record more than are kept. */
static int setup(void **state)
{
        struct bench *b = calloc(1, sizeof *b);
        *state = b;
        if (!b)
                return -1;
        dkim_keys_init(&b->keys);
        for (size_t i = 0; i <= DKIM_KEYS_MAX; i++) {
                uint8_t seed[ED25519_SEED_SIZE] = {(uint8_t)i};
                struct crypto_key *key;
                struct wr w;
                wr_init(&w, b->records[i], sizeof b->records[i]);
                if (crypto_key_ed25519_private(seed, &key) != ERR_OK ||
                        dkim_key_record_write(key, &w) != ERR_OK)
                        return -1;
                crypto_key_free(key);
                b->texts[i] = wr_text(&w);
        }
        arena_init(&b->arena, b->memory, sizeof b->memory);
        dns_known_init(&b->known, &b->arena, 8);
        return 0;
}

static int teardown(void **state)
{
        struct bench *b = *state;
        dkim_keys_drop(&b->keys);
        free(b);
        return 0;
}

static const struct crypto_key *get(struct bench *b, size_t i)
{
        const struct dkim_key *key = dkim_keys_from_records(&b->keys, &b->texts[i], 1);
        assert_int_equal(key->fault, DKIM_OK);
        return key->key;
}

static void test_kept(void **state)
{
        struct bench *b = *state;
        const struct crypto_key *keys[DKIM_KEYS_MAX];
        for (size_t i = 0; i < DKIM_KEYS_MAX; i++)
                keys[i] = get(b, i);
        for (size_t i = 0; i < DKIM_KEYS_MAX; i++)
                assert_ptr_equal(get(b, i), keys[i]);
}

static void test_the_least_used_goes(void **state)
{
        struct bench *b = *state;
        for (size_t i = 0; i < DKIM_KEYS_MAX; i++)
                (void)get(b, i);
        const struct crypto_key *first = get(b, 0), *third = get(b, 2);
        (void)get(b, DKIM_KEYS_MAX); /* takes the place of number 1 */
        assert_ptr_equal(get(b, 0), first);
        assert_ptr_equal(get(b, 2), third);
        uint64_t clock = b->keys.clock;
        size_t kept = 0;
        (void)get(b, 1);
        for (size_t i = 0; i < DKIM_KEYS_MAX; i++)
                kept += b->keys.list[i].used > 0;
        assert_int_equal(kept, DKIM_KEYS_MAX);
        assert_int_equal(b->keys.clock, clock + 1);
}

static void test_faults(void **state)
{
        struct bench *b = *state;
        struct str twice[] = {b->texts[0], b->texts[1]}, revoked = S("v=DKIM1; p=");
        assert_int_equal(dkim_keys_from_records(&b->keys, NULL, 0)->fault, DKIM_KEY_NONE);
        assert_int_equal(dkim_keys_from_records(&b->keys, twice, 2)->fault, DKIM_KEY_SEVERAL);
        assert_int_equal(dkim_keys_from_trouble(&b->keys)->fault, DKIM_KEY_TROUBLE);
        for (int i = 0; i < 3; i++)
                assert_int_equal(dkim_keys_from_records(&b->keys, &revoked, 1)->fault, DKIM_KEY_REVOKED);
        (void)get(b, 0);
}

static enum dkim_fault find(struct bench *b, const char *name)
{
        const struct dkim_key *key = dkim_keys_find(&b->keys, &b->known, str_of_c(name));
        return key ? key->fault : DKIM_FAULT_COUNT;
}

static void test_from_dns(void **state)
{
        struct bench *b = *state;
        static const char *const names[] = {"a.example", "two.example", "none.example", "away.example"};
        static const enum dkim_fault faults[] = {DKIM_OK, DKIM_KEY_SEVERAL, DKIM_KEY_NONE, DKIM_KEY_TROUBLE};
        fake_dns_text(&b->dns, S("a.example"), b->texts[0]);
        fake_dns_text(&b->dns, S("two.example"), b->texts[0]);
        fake_dns_text(&b->dns, S("two.example"), b->texts[1]);
        fake_dns_add(&b->dns, S("away.example\tTROUBLE\tTXT"));
        for (size_t i = 0; i < 4; i++)
                dkim_keys_ask(&b->known, str_of_c(names[i]));
        assert_int_equal(b->known.wanted, 4);
        assert_int_equal(find(b, names[0]), DKIM_FAULT_COUNT);
        assert_true(fake_dns_round(&b->dns, &b->known, false) > 0);
        for (size_t i = 0; i < 4; i++)
                assert_int_equal(find(b, names[i]), faults[i]);
        assert_int_equal(find(b, "not a name"), DKIM_KEY_NONE);
}

/* What may not be asked any more cannot be known now. */
static void test_too_many_questions(void **state)
{
        struct bench *b = *state;
        dns_known_init(&b->known, &b->arena, 1);
        dkim_keys_ask(&b->known, S("a.example"));
        assert_int_equal(find(b, "b.example"), DKIM_KEY_TROUBLE);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_kept, setup, teardown),
                cmocka_unit_test_setup_teardown(test_the_least_used_goes, setup, teardown),
                cmocka_unit_test_setup_teardown(test_faults, setup, teardown),
                cmocka_unit_test_setup_teardown(test_from_dns, setup, teardown),
                cmocka_unit_test_setup_teardown(test_too_many_questions, setup, teardown),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
