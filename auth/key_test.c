/* SPDX-License-Identifier: ISC */
#include "auth/key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/hex.h"
#include "base/limits.h"
#include "crypto/sha256.h"

/* The vectors of docs/key-derivation.md: seed, id and the SHA-256 of the key record's text. */
static const struct vector {
        const char *name;
        const char *password, *domain;
        enum key_purpose purpose;
        enum key_algorithm algorithm;
        const char *selector;
        const char *seed, *id, *record;
} vectors[] = {
        {"the worked example", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "mailingl.st", KEY_DKIM,
                KEY_RSA_2048, "dkim-1775138006",
                "0dbfb1cea3f10ae2f6c57745f2207a64254a5e6193413357659873fb73f5e0c3", "f768e82a760a25f5",
                "bb09b6223d538b6697e75765cb55405a563fc68080de019ea50e4f98f58b13df"},
        {"capitals in the domain change nothing",
                "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "MailingL.ST", KEY_DKIM, KEY_RSA_2048,
                "dkim-1775138006", "0dbfb1cea3f10ae2f6c57745f2207a64254a5e6193413357659873fb73f5e0c3",
                "f768e82a760a25f5", "bb09b6223d538b6697e75765cb55405a563fc68080de019ea50e4f98f58b13df"},
        {"another selector", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "mailingl.st", KEY_DKIM,
                KEY_RSA_2048, "dkim-1777730006",
                "0dbfb1cea3f10ae2f6c57745f2207a64254a5e6193413357659873fb73f5e0c3", "f768e82a760a25f5",
                "0cb6ecbf265e5e096a43e9f1b69a73eda7fb7972d83f0931e4e7c87e507174b5"},
        {"another purpose", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "mailingl.st", KEY_ARC,
                KEY_RSA_2048, "arc-1775138006",
                "0dbfb1cea3f10ae2f6c57745f2207a64254a5e6193413357659873fb73f5e0c3", "f768e82a760a25f5",
                "e070167e85615172fdbec1f5d79801e827b1c3a42fa90a2c06e09697ff1fa97f"},
        {"Ed25519", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "mailingl.st", KEY_DKIM, KEY_ED25519,
                "dkim-ed25519-1775138006", "0dbfb1cea3f10ae2f6c57745f2207a64254a5e6193413357659873fb73f5e0c3",
                "f768e82a760a25f5", "097aa708c7624192234070a161ded7121b7b856b19b5d077b8861243b5096978"},
        {"the shortest password, a name of A-labels", "/////////////////////w==", "xn--bcher-kva.example",
                KEY_DKIM, KEY_RSA_2048, "dkim-0",
                "2c4e945e9ed2bcb9b2ad3fee68983d9691c9c946fade3d373c2df8310e88bf8f", "3c34dae9779ee81e",
                "9239f346b836f36fd12ff5163decd57ad1b33437ddef078f3c6e85a78b034f0a"},
        {"a password longer than a hash block, the longest label",
                "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+P0BB"
                "QkNERUZHSElKS0xNTk9QUVJTVFVWV1hZWltcXV5fYGFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6e3x9fn+AgYKD"
                "hIWGh4iJiouMjY6PkJGSk5SVlpeYmZqbnJ2en6ChoqOkpaanqKmqq6ytrq+wsbKztLW2t7i5uru8vb6/wMHCw8TF"
                "xsfIycrLzM3Oz9DR0tPU1dbX2Nna29zd3t/g4eLj5OXm5+jp6uvs7e7v8PHy8/T19vf4+fr7/P3+/w==",
                "a.b.c.example", KEY_DKIM, KEY_RSA_2048,
                "sssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss",
                "4d650186818c15f6dfbc950704f3f09438172035597523124a231e74794e1329", "232bb93537b628e5",
                "47d65bab496a0f95758ad7f22d3275cfb579f86afda0210b00097d7383ab22ae"},
        {"the TLS key of a host", "yMnKy8zNzs/Q0dLT1NXW19jZ2tvc3d7f4OHi4+Tl5ufo6err7O3u7w==",
                "mx.mailingl.st", KEY_TLS, KEY_RSA_2048, "tls-1775138006",
                "015971c2a923b7f82ea8e76848f0efda6ef7c2ac5d44bd61ac52c6f74e793c9f", "5356cb438cc4515e",
                "c15c9a2e5920746e69aac91aaec73f2f5e8b8744cd196f6333d30a1e99d1ec58"},
        {"Ed25519 under the same selector as an RSA key",
                "yMnKy8zNzs/Q0dLT1NXW19jZ2tvc3d7f4OHi4+Tl5ufo6err7O3u7w==", "mx.mailingl.st", KEY_TLS,
                KEY_ED25519, "tls-1775138006",
                "015971c2a923b7f82ea8e76848f0efda6ef7c2ac5d44bd61ac52c6f74e793c9f", "5356cb438cc4515e",
                "669167f6c79599c9ff63c762385b0dae19e2a3d16c7ceeab6865248693ac6f5c"},
};

static void assert_hex(const uint8_t *bytes, size_t n, const char *expected)
{
        char text[2 * KEY_RECORD_MAX];
        struct wr w;
        wr_init(&w, text, sizeof text);
        hex_encode(&w, str_of(bytes, n));
        assert_true(str_eq(wr_text(&w), str_of_c(expected)));
}

static struct crypto_key *find(const struct key_seed *seed, const struct vector *v)
{
        struct crypto_key *key = NULL;
        struct key_search search;
        assert_int_equal(
                key_search_init(&search, seed, v->purpose, v->algorithm, str_of_c(v->selector)), ERR_OK);
        enum err e = ERR_AGAIN;
        while (e == ERR_AGAIN) {
                assert_null(key);
                e = key_search_step(&search, &key);
        }
        assert_int_equal(e, ERR_OK);
        key_search_drop(&search);
        return key;
}

static void test_vectors(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
                const struct vector *v = &vectors[i];
                struct key_password password;
                struct key_seed seed;
                uint8_t id[KEY_ID_SIZE], digest[SHA256_SIZE];
                char text[KEY_RECORD_MAX];
                struct wr w;
                print_message("vector: %s\n", v->name);
                assert_int_equal(key_password_parse(str_of_c(v->password), &password), ERR_OK);
                assert_int_equal(key_seed_derive(&password, str_of_c(v->domain), &seed), ERR_OK);
                assert_hex(seed.bytes, sizeof seed.bytes, v->seed);
                assert_int_equal(key_id(&seed, id), ERR_OK);
                assert_hex(id, sizeof id, v->id);
                struct crypto_key *key = find(&seed, v);
                wr_init(&w, text, sizeof text);
                assert_int_equal(key_record_write(key, &w), ERR_OK);
                assert_int_equal(sha256(wr_text(&w), digest), ERR_OK);
                assert_hex(digest, sizeof digest, v->record);
                crypto_key_free(key);
                key_seed_wipe(&seed);
                key_password_wipe(&password);
        }
}

static void test_passwords(void **state)
{
        (void)state;
        static const struct {
                const char *base64;
                enum err err;
                size_t n;
        } cases[] = {
                {"AAECAwQFBgcICQoLDA0ODw==", ERR_OK, 16},
                {" AAECAwQFBgcICQoLDA0ODw==\n", ERR_OK, 16},
                {"AAECAwQFBgcICQoLDA0O", ERR_DENIED, 0}, /* 15 bytes */
                {"", ERR_DENIED, 0},
                {"AAECAwQFBgcICQoLDA0ODw", ERR_SYNTAX, 0},
                {"AAECAwQFBgcICQoLDA0ODw=!", ERR_SYNTAX, 0},
        };
        struct key_password p;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                assert_int_equal(key_password_parse(str_of_c(cases[i].base64), &p), cases[i].err);
                assert_int_equal(p.n, cases[i].n);
        }
        char long_text[(KEY_PASSWORD_MAX + 3) / 3 * 4];
        for (size_t i = 0; i < sizeof long_text; i++)
                long_text[i] = 'A';
        assert_int_equal(key_password_parse(str_of(long_text, sizeof long_text), &p), ERR_LIMIT);
        assert_int_equal(p.n, 0);
}

static void test_domains(void **state)
{
        (void)state;
        static const char *const wrong[] = {
                "", ".", "a.", ".a", "a..b", "a b", "a\n", "b\xc3\xbc.example", "a/b"};
        struct key_password p = {.n = PASSWORD_MIN};
        struct key_seed seed;
        for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
                assert_int_equal(key_seed_derive(&p, str_of_c(wrong[i]), &seed), ERR_SYNTAX);
        char long_name[254];
        for (size_t i = 0; i < sizeof long_name; i++)
                long_name[i] = i % 2 ? '.' : 'a';
        assert_int_equal(key_seed_derive(&p, str_of(long_name, 254), &seed), ERR_SYNTAX);
        assert_int_equal(key_seed_derive(&p, str_of(long_name, 253), &seed), ERR_OK);
}

static void test_record_without_room(void **state)
{
        (void)state;
        uint8_t seed[ED25519_SEED_SIZE] = {7};
        struct crypto_key *key;
        char text[KEY_RECORD_MAX];
        struct wr w;
        assert_int_equal(crypto_key_ed25519_private(seed, &key), ERR_OK);
        wr_init(&w, text, sizeof text);
        assert_int_equal(key_record_write(key, &w), ERR_OK);
        for (size_t cap = 0; cap < w.n; cap++) {
                struct wr small;
                wr_init(&small, text, cap);
                assert_int_equal(key_record_write(key, &small), ERR_SPACE);
        }
        crypto_key_free(key);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_vectors),
                cmocka_unit_test(test_passwords),
                cmocka_unit_test(test_domains),
                cmocka_unit_test(test_record_without_room),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
