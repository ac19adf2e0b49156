/* SPDX-License-Identifier: ISC */
/* What people sign by hand verifies under the product's own verifier, whatever the letter, and fails when it is touched. */
#include "tests/sim/signature.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "auth/dkim_verify.h"
#include "base/limits.h"
#include "crypto/rsa_search.h"
#include "tests/sim/buffer.h"
#include "tests/sim/letter.h"

static struct crypto_key *make_key(bool is_rsa)
{
        static const uint8_t seed[ED25519_SEED_SIZE] = {7};
        struct crypto_key *key = NULL;
        struct rsa_search search;
        if (!is_rsa) {
                assert_int_equal(crypto_key_ed25519_private(seed, &key), ERR_OK);
                return key;
        }
        rsa_search_init(&search, str_of(seed, sizeof seed), 1024);
        while (rsa_search_step(&search, &key) == ERR_AGAIN)
                ;
        rsa_search_drop(&search);
        assert_non_null(key);
        return key;
}

static enum dkim_result verdict_on(struct str message, struct str record)
{
        static struct mail_field fields[MAIL_FIELDS_MAX];
        static struct dkim_verify v;
        struct mail_header header;
        struct dkim_key key;
        char text[2 * DNS_NAME_MAX];
        struct wr name;
        wr_init(&name, text, sizeof text);
        assert_int_equal(mail_header_index(message, fields, MAIL_FIELDS_MAX, &header), ERR_OK);
        dkim_verify_init(&v, &header, 1800000000);
        dkim_verify_body(&v, str_skip(message, header.body_at));
        dkim_verify_body_end(&v);
        assert_int_equal(v.count, 1);
        assert_int_equal(dkim_verify_question(&v, 0, &name), ERR_OK);
        assert_true(str_eq(wr_text(&name), S("ann._domainkey.author.test")));
        dkim_key_from_records(&record, 1, &key);
        enum dkim_result result = dkim_verify_verdict(&v, 0, &key).result;
        dkim_key_drop(&key);
        dkim_verify_drop(&v);
        return result;
}

/* As the author sends it: DATA ends the last line. */
static struct str compose(struct str field, struct str letter, size_t touched)
{
        struct buffer b = {0};
        buffer_put(&b, field);
        buffer_put(&b, letter);
        if (!str_has_suffix_nocase(letter, S("\r\n")))
                buffer_put(&b, S("\r\n"));
        if (touched < letter.n)
                b.p[field.n + touched] ^= 1;
        return buffer_text(&b);
}

static void check_one(const struct signature *s, struct str record, const struct letter *l)
{
        struct str letter = letter_write(l), field = signature_make(s, letter);
        struct str whole = compose(field, letter, letter.n);
        size_t end = str_find(letter, S("\r\n\r\n"));
        if (verdict_on(whole, record) != DKIM_PASS)
                fail_msg("shape %s, size %zu, %s", letter_shape_text(l->shape), l->size,
                        s->is_relaxed ? "relaxed" : "simple");
        str_free(whole);
        whole = compose(field, letter, 7); /* in From */
        assert_int_equal(verdict_on(whole, record), DKIM_FAIL);
        str_free(whole);
        whole = compose(field, letter, end + 5); /* in the body */
        assert_true(l->size < 3 || verdict_on(whole, record) == DKIM_FAIL);
        str_free(whole);
        str_free(field);
        letter_free(letter);
}

static void test_verifies(void **state)
{
        (void)state;
        for (unsigned kind = 0; kind < 4; kind++) {
                struct signature s = {S("author.test"), S("ann"), make_key(kind % 2 > 0), kind / 2 > 0};
                struct str record = signature_record(s.key);
                for (unsigned shape = 0; shape < LETTER_HUGE_HEADER; shape++)
                        for (uint64_t seed = 0; seed < 20; seed++)
                                check_one(&s, record,
                                        &(struct letter){.seed = seed,
                                                .name = S("t7"),
                                                .from = S("ann@author.test"),
                                                .to = S("l@list.test"),
                                                .shape = (enum letter_shape)shape,
                                                .size = 40 * seed});
                str_free(record);
                crypto_key_free((struct crypto_key *)(uintptr_t)s.key);
        }
}

/* What letters seldom have: folds, blanks at line ends, no body, empty lines alone. */
static void test_forms(void **state)
{
        static const char *const messages[] = {
                "From: ann@author.test\r\n\r\n",
                "From: ann@author.test\r\n\r\n\r\n\r\n",
                "From: ann@author.test\r\n\r\n \t\r\n\r\n",
                ("From:ann@author.test \t\r\nSubject:  a \t b\r\n\t c  \r\n \r\n\r\nx \t y \r\n z\t\r\n "
                 "\r\n\r\n"),
                "SUBJECT: twice\r\nfrom : ann@author.test\r\nsubject: again\r\nX-Other: no\r\n\r\nx",
        };
        (void)state;
        for (unsigned kind = 0; kind < 4; kind++) {
                struct signature s = {S("author.test"), S("ann"), make_key(kind % 2 > 0), kind / 2 > 0};
                struct str record = signature_record(s.key);
                for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++) {
                        struct str message = str_of_c(messages[i]), field = signature_make(&s, message);
                        struct str whole = compose(field, message, message.n);
                        if (verdict_on(whole, record) != DKIM_PASS)
                                fail_msg("message %zu, kind %u", i, kind);
                        str_free(whole);
                        str_free(field);
                }
                str_free(record);
                crypto_key_free((struct crypto_key *)(uintptr_t)s.key);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_verifies),
                cmocka_unit_test(test_forms),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
