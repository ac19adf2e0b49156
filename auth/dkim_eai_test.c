/* SPDX-License-Identifier: ISC */
/* Internationalised domains in d=, s= and i= (RFC 8616 4, 5): the DNS is asked for A-labels, and both forms of a name are
 * one. "é" is xn--9ca, "sé" is xn--s-bga. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "auth/dkim_keys.h"
#include "auth/dkim_sign.h"
#include "auth/evaluate.h"
#include "auth/fake_dns.h"
#include "base/base64.h"

#define NOW 1700000000
#define E "\xc3\xa9"
#define EMPTY_BODY "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="

struct world {
        struct crypto_key *key;
        char record[512], text[2048], memory[FAKE_DNS_ARENA];
        size_t record_n;
        struct wr w;
        struct mail_field fields[8];
        struct mail_header header;
        struct fake_dns dns;
        struct dkim_keys keys;
        struct arena arena;
        struct dns_known known;
        struct evaluate evaluate;
};

static int setup(void **state)
{
        static const uint8_t seed[ED25519_SEED_SIZE] = {8, 6, 1, 6};
        struct world *x = calloc(1, sizeof *x);
        struct wr w;
        if (!x || crypto_key_ed25519_private(seed, &x->key) != ERR_OK)
                return -1;
        wr_init(&w, x->record, sizeof x->record);
        assert_int_equal(dkim_key_record_write(x->key, &w), ERR_OK);
        x->record_n = w.n;
        dkim_keys_init(&x->keys);
        *state = x;
        return 0;
}

static int teardown(void **state)
{
        struct world *x = *state;
        dkim_keys_drop(&x->keys);
        crypto_key_free(x->key);
        free(x);
        return 0;
}

/* The message with these tags and this b=, indexed. */
static void load(struct world *x, const char *tags, const char *author, struct str b)
{
        const struct str parts[] = {
                S("DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed; h=from; bh=" EMPTY_BODY "; "),
                str_of_c(tags), S("; b="), b, S("\r\nFrom: "), str_of_c(author), S("\r\n\r\n")};
        wr_init(&x->w, x->text, sizeof x->text);
        for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
                wr_str(&x->w, parts[i]);
        assert_int_equal(wr_end(&x->w), ERR_OK);
        assert_int_equal(mail_header_index(wr_text(&x->w), x->fields, 8, &x->header), ERR_OK);
}

/* The same with the b= that fits; left as it is when the field is refused anyway. */
static void sign(struct world *x, const char *tags, const char *author)
{
        uint8_t digest[SHA256_SIZE], signature[ED25519_SIGNATURE_SIZE];
        char text[2 * ED25519_SIGNATURE_SIZE];
        struct dkim_signature s;
        struct str detail;
        struct wr w;
        load(x, tags, author, S("eA=="));
        if (dkim_signature_parse(DKIM_FIELD, x->fields[0].raw, &s, &detail) != DKIM_OK)
                return;
        assert_int_equal(
                dkim_header_digest(&x->header, s.covered, s.header_canon, s.raw, s.b_span, digest), ERR_OK);
        assert_int_equal(crypto_key_ed25519_sign(x->key, str_of(digest, sizeof digest), signature), ERR_OK);
        wr_init(&w, text, sizeof text);
        base64_encode(&w, str_of(signature, sizeof signature));
        load(x, tags, author, wr_text(&w));
}

static const struct evaluation *judge(struct world *x)
{
        struct spf_input in = {.sender = S("a@nowhere.example"), .helo = S("nowhere.example"), .now_s = NOW};
        assert_int_equal(ip_parse(S("192.0.2.1"), &in.ip), ERR_OK);
        arena_init(&x->arena, x->memory, sizeof x->memory);
        dns_known_init(&x->known, &x->arena, EVALUATE_QUESTIONS_MAX);
        evaluate_init(&x->evaluate, &in, &x->header, &x->known);
        evaluate_body_end(&x->evaluate);
        while (evaluate_finish(&x->evaluate, &x->keys) == ERR_AGAIN)
                assert_true(fake_dns_round(&x->dns, &x->known, false) > 0);
        evaluate_drop(&x->evaluate);
        return &x->evaluate.out;
}

static void test_u_labels_are_a_labels(void **state)
{
        static const struct {
                const char *name, *tags, *author;
                enum dkim_fault fault;
                enum dmarc_result dmarc;
        } cases[] = {
                {"all U-labels", "d=" E ".example; s=s" E "; i=joe@b." E ".example", "a@" E ".example",
                        DKIM_OK, DMARC_PASS},
                {"all A-labels", "d=xn--9ca.example; s=xn--s-bga; i=@xn--9ca.example", "a@xn--9ca.example",
                        DKIM_OK, DMARC_PASS},
                {"an A-label signs for a U-label", "d=xn--9ca.example; s=xn--s-bga", "a@" E ".example",
                        DKIM_OK, DMARC_PASS},
                {"a U-label signs for an A-label", "d=" E ".example; s=xn--s-bga", "a@xn--9ca.example",
                        DKIM_OK, DMARC_PASS},
                {"i= in the other form", "d=" E ".example; s=s" E "; i=@b.xn--9ca.example", "a@" E ".example",
                        DKIM_OK, DMARC_PASS},
                {"i= in quoted printable", "d=" E ".example; s=s" E "; i=j" E "@=C3=A9.example",
                        "a@" E ".example", DKIM_OK, DMARC_PASS},
                {"i= elsewhere", "d=" E ".example; s=s" E "; i=@e.example", "a@" E ".example", DKIM_IDENTITY,
                        DMARC_FAIL},
                {"i= merely ends alike", "d=" E ".example; s=s" E "; i=@x" E ".example", "a@" E ".example",
                        DKIM_IDENTITY, DMARC_FAIL},
                {"another selector", "d=" E ".example; s=" E, "a@" E ".example", DKIM_KEY_NONE, DMARC_FAIL},
                {"ill-formed UTF-8", "d=\xc3.example; s=s" E, "a@" E ".example", DKIM_TAG_VALUE, DMARC_FAIL},
                {"a label that is too long",
                        "d=" E ".example; s=" E E E E E E E E E E E E E E E E E E E E E E E E E E E E E E E E
                                E E E E E E E E E E E E E E E E E E E E E E E E E E E E E E,
                        "a@" E ".example", DKIM_TAG_VALUE, DMARC_FAIL},
        };
        struct world *x = *state;
        fake_dns_text(&x->dns, S("xn--s-bga._domainkey.xn--9ca.example"), str_of(x->record, x->record_n));
        fake_dns_text(&x->dns, S("_dmarc.xn--9ca.example"), S("v=DMARC1; p=reject"));
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                sign(x, cases[i].tags, cases[i].author);
                const struct evaluation *out = judge(x);
                if (out->dkim[0].fault != cases[i].fault || out->dmarc.result != cases[i].dmarc)
                        fail_msg("%s: %.*s, %.*s", cases[i].name,
                                STR_ARG(dkim_fault_text(out->dkim[0].fault)),
                                STR_ARG(dmarc_result_text(out->dmarc.result)));
        }
}

/* t=s looks at names, not at bytes: "é" and xn--9ca are of different lengths. */
static void test_strict_keys_compare_names(void **state)
{
        struct world *x = *state;
        char text[600];
        struct wr w;
        wr_init(&w, text, sizeof text);
        wr_str(&w, str_of(x->record, x->record_n));
        wr_str(&w, S("; t=s"));
        fake_dns_text(&x->dns, S("s._domainkey.xn--9ca.example"), wr_text(&w));
        sign(x, "d=" E ".example; s=s; i=@xn--9ca.example", "a@" E ".example");
        assert_int_equal(judge(x)->dkim[0].fault, DKIM_OK);
        sign(x, "d=xn--9ca.example; s=s; i=@" E ".example", "a@" E ".example");
        assert_int_equal(judge(x)->dkim[0].fault, DKIM_OK);
        sign(x, "d=xn--9ca.example; s=s; i=@b." E ".example", "a@" E ".example");
        assert_int_equal(judge(x)->dkim[0].fault, DKIM_KEY_STRICT);
}

static void test_reasons_are_ascii(void **state)
{
        struct world *x = *state;
        char text[DKIM_REASON_MAX];
        struct wr w;
        sign(x, "d=" E ".example; s=s" E, "a@" E ".example");
        assert_int_equal(judge(x)->dkim[0].fault, DKIM_KEY_NONE);
        wr_init(&w, text, sizeof text);
        const struct dkim_signature *s = &x->evaluate.dkim.list[0].signature;
        dkim_reason_write(&w, DKIM_KEY_NONE, S(""), s->selector, s->domain);
        assert_true(str_has_suffix_nocase(wr_text(&w), S(": xn--s-bga._domainkey.xn--9ca.example")));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_u_labels_are_a_labels, setup, teardown),
                cmocka_unit_test_setup_teardown(test_strict_keys_compare_names, setup, teardown),
                cmocka_unit_test_setup_teardown(test_reasons_are_ascii, setup, teardown),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
