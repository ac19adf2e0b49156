/* SPDX-License-Identifier: ISC */
/* The form of the field and the refusals; that what is signed verifies is tested in dkim_verify_test.c. */
#include "auth/dkim_sign.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/limits.h"

static const uint8_t body_digest[SHA256_SIZE] = {1, 2, 3};

static int setup(void **state)
{
        static const uint8_t seed[ED25519_SEED_SIZE] = {7};
        struct crypto_key *key = NULL;
        enum err e = crypto_key_ed25519_private(seed, &key);
        *state = key;
        return e == ERR_OK ? 0 : -1;
}

static int teardown(void **state)
{
        crypto_key_free(*state);
        return 0;
}

static enum err sign(
        struct str text, const struct dkim_sign_params *p, const struct crypto_key *key, struct wr *w)
{
        struct mail_field fields[1000];
        struct mail_header header;
        assert_int_equal(mail_header_index(text, fields, 1000, &header), ERR_OK);
        return dkim_sign(p, &header, body_digest, key, w);
}

static struct dkim_sign_params usual(void)
{
        return (struct dkim_sign_params){.domain = S("example.com"),
                .selector = S("sel"),
                .header_canon = CANON_RELAXED,
                .body_canon = CANON_RELAXED,
                .cover = dkim_cover_default,
                .cover_count = dkim_cover_default_count,
                .time_s = 1700000000,
                .expiry_s = 1702592000};
}

static void test_form(void **state)
{
        struct dkim_sign_params p = usual();
        char field[DKIM_FIELD_MAX];
        struct wr w;
        wr_init(&w, field, sizeof field);
        p.cover_count = 0;
        assert_int_equal(sign(S("From: a@b\r\n\r\n"), &p, *state, &w), ERR_OK);
        assert_true(str_has_prefix(wr_text(&w),
                S("DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed; d=example.com;\r\n"
                  " s=sel; t=1700000000; x=1702592000; h=From:From; bh=AQIDAAAAAAAAAAAAAAAAAAAAA\r\n"
                  " AAAAAAAAAAAAAAAAAA=; b=")));
        assert_true(str_has_suffix_nocase(wr_text(&w), S("==\r\n")));
        wr_init(&w, field, sizeof field);
        p.time_s = 0;
        p.expiry_s = 0;
        p.header_canon = CANON_SIMPLE;
        assert_int_equal(sign(S("From: a@b\r\n\r\n"), &p, *state, &w), ERR_OK);
        assert_true(str_find(wr_text(&w), S(" t=")) == w.n && str_find(wr_text(&w), S(" x=")) == w.n);
        assert_true(str_find(wr_text(&w), S("c=simple/relaxed;")) < w.n);
}

/* Every line within 78 bytes, whatever the lengths of names. */
static void test_folding(void **state)
{
        char domain[64], text[512], field[DKIM_FIELD_MAX];
        for (int n = 1; n < 60; n++) {
                struct dkim_sign_params p = usual();
                struct wr w;
                memset(domain, 'd', sizeof domain);
                p.domain = str_of(domain, (size_t)n);
                p.selector = str_of(domain, (size_t)(60 - n));
                int size = snprintf(text, sizeof text, "From: a@b\r\n\r\n");
                wr_init(&w, field, sizeof field);
                assert_int_equal(sign(str_of(text, (size_t)size), &p, *state, &w), ERR_OK);
                struct str rest = wr_text(&w);
                bool first = true;
                while (rest.n > 0) {
                        size_t line = str_find(rest, S("\r\n"));
                        assert_in_range(line, 2, MAIL_LINE_GOAL);
                        assert_true(first || rest.p[0] == ' ');
                        first = false;
                        rest = str_skip(rest, line + 2);
                }
        }
}

static void test_refusals(void **state)
{
        static const struct {
                const char *name, *message, *domain, *selector, *cover;
                enum err err;
        } cases[] = {
                {"good", "From: a@b\r\n\r\n", "example.com", "s", "X", ERR_OK},
                {"no From", "Subject: x\r\n\r\n", "example.com", "s", "X", ERR_NOT_FOUND},
                {"no header", "\r\n", "example.com", "s", "X", ERR_NOT_FOUND},
                {"empty domain", "From: a@b\r\n\r\n", "", "s", "X", ERR_SYNTAX},
                {"domain with a semicolon", "From: a@b\r\n\r\n", "a;b", "s", "X", ERR_SYNTAX},
                {"domain with a line end", "From: a@b\r\n\r\n", "a\r\nX: y", "s", "X", ERR_SYNTAX},
                {"empty label", "From: a@b\r\n\r\n", "a..b", "s", "X", ERR_SYNTAX},
                {"empty selector", "From: a@b\r\n\r\n", "example.com", "", "X", ERR_SYNTAX},
                {"selector with a space", "From: a@b\r\n\r\n", "example.com", "s s", "X", ERR_SYNTAX},
                {"field with a colon", "From: a@b\r\n\r\n", "example.com", "s", "X:", ERR_SYNTAX},
                {"field with a semicolon", "From: a@b\r\n\r\n", "example.com", "s", "X;", ERR_SYNTAX},
                {"empty field", "From: a@b\r\n\r\n", "example.com", "s", "", ERR_SYNTAX},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct dkim_cover cover = {str_of_c(cases[i].cover), true};
                struct dkim_sign_params p = usual();
                char field[DKIM_FIELD_MAX];
                struct wr w;
                wr_init(&w, field, sizeof field);
                p.domain = str_of_c(cases[i].domain);
                p.selector = str_of_c(cases[i].selector);
                p.cover = &cover;
                p.cover_count = 1;
                enum err e = sign(str_of_c(cases[i].message), &p, *state, &w);
                if (e != cases[i].err)
                        fail_msg("%s: %s", cases[i].name, err_text(e));
        }
}

static void test_space_and_limit(void **state)
{
        struct dkim_sign_params p = usual();
        char field[DKIM_FIELD_MAX], text[8192] = "From: a@b\r\n";
        struct wr w;
        size_t n = strlen(text);
        wr_init(&w, field, sizeof field);
        assert_int_equal(sign(S("From: a@b\r\n\r\n"), &p, *state, &w), ERR_OK);
        size_t whole = w.n;
        for (size_t cap = 0; cap < whole; cap++) {
                wr_init(&w, field, cap);
                assert_int_equal(sign(S("From: a@b\r\n\r\n"), &p, *state, &w), ERR_SPACE);
        }
        for (int i = 0; i <= DKIM_COVERED_MAX; i++)
                n += (size_t)snprintf(text + n, sizeof text - n, "To: x\r\n");
        wr_init(&w, field, sizeof field);
        assert_int_equal(sign(str_of(text, n), &p, *state, &w), ERR_LIMIT);
}

/* What dkim_sign_covered counts is what dkim_sign covers, to the last field that it takes. */
static void test_covered(void **state)
{
        struct dkim_sign_params p = usual();
        char field[DKIM_FIELD_MAX], text[8192] = "From: a@b\r\nSubject: x\r\nsubject: y\r\n";
        struct mail_field fields[DKIM_COVERED_MAX + 8];
        struct mail_header header;
        struct wr w;
        size_t n = strlen(text), covered;
        do {
                assert_int_equal(
                        mail_header_index(str_of(text, n), fields, DKIM_COVERED_MAX + 8, &header), ERR_OK);
                covered = dkim_sign_covered(&header, p.cover, p.cover_count);
                wr_init(&w, field, sizeof field);
                enum err err = sign(str_of(text, n), &p, *state, &w);
                assert_int_equal(err, covered > DKIM_COVERED_MAX ? ERR_LIMIT : ERR_OK);
                if (err == ERR_OK) {
                        struct str h = str_skip(wr_text(&w), str_find(wr_text(&w), S("h=")));
                        size_t colons = 0;
                        h = str_take(h, str_find_byte(h, ';'));
                        for (size_t i = 0; i < h.n; i++)
                                colons += h.p[i] == ':';
                        assert_int_equal(covered, colons + 1);
                }
                n += (size_t)snprintf(text + n, sizeof text - n, "To: x\r\n");
        } while (covered <= DKIM_COVERED_MAX);
}

static void test_keys(void **state)
{
        (void)state;
        static const uint8_t raw[ED25519_PUBLIC_SIZE] = {1};
        struct dkim_sign_params p = usual();
        struct crypto_key *key = NULL;
        char field[DKIM_FIELD_MAX];
        struct wr w;
        wr_init(&w, field, sizeof field);
        assert_int_equal(crypto_key_ed25519_public(str_of(raw, sizeof raw), &key), ERR_OK);
        assert_int_equal(sign(S("From: a@b\r\n\r\n"), &p, key, &w), ERR_SEQUENCE);
        crypto_key_free(key);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_form),
                cmocka_unit_test(test_folding),
                cmocka_unit_test(test_refusals),
                cmocka_unit_test(test_space_and_limit),
                cmocka_unit_test(test_covered),
                cmocka_unit_test(test_keys),
        };
        return cmocka_run_group_tests(tests, setup, teardown);
}
