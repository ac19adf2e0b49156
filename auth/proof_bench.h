/* SPDX-License-Identifier: ISC */
/* For tests: messages of authors, signed and judged with a DNS of a few records. */
#ifndef AUTH_PROOF_BENCH_H
#define AUTH_PROOF_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "auth/dkim_sign.h"
#include "auth/evaluate.h"
#include "auth/fake_dns.h"

#define PROOF_BENCH_NOW 1700000000
#define PROOF_BENCH_IP "192.0.2.1"

struct proof_bench {
        struct crypto_key *key; /* owned */
        char record[512];       /* of the key, published at s._domainkey of each domain that signs */
        size_t record_n;
        struct fake_dns dns;
        struct dkim_keys keys;
        struct arena arena;
        struct dns_known known;
        struct evaluate evaluate;
        struct mail_field fields[MAIL_FIELDS_MAX];
        struct mail_header header;
        char *message; /* owned, exactly the message */
        size_t message_n;
        char memory[FAKE_DNS_ARENA];
};

static inline struct str proof_bench_text(const struct proof_bench *b)
{
        return str_of(b->message, b->message_n);
}

/* The message is `front` and then `rest`, which may be a part of the message that there is. */
static inline void proof_bench_load(struct proof_bench *b, struct str front, struct str rest)
{
        char *message = malloc(front.n + rest.n > 0 ? front.n + rest.n : 1);
        assert_non_null(message);
        if (front.n > 0)
                memcpy(message, front.p, front.n);
        if (rest.n > 0)
                memcpy(message + front.n, rest.p, rest.n);
        free(b->message);
        b->message = message;
        b->message_n = front.n + rest.n;
        assert_int_equal(
                mail_header_index(proof_bench_text(b), b->fields, MAIL_FIELDS_MAX, &b->header), ERR_OK);
}

/* Add a signature of `domain` that ends at `expiry_s` (0: never), and publish its key. */
static inline void proof_bench_sign(struct proof_bench *b, struct str domain, const struct dkim_cover *cover,
        size_t cover_count, int64_t expiry_s)
{
        struct dkim_sign_params p = {.domain = domain,
                .selector = S("s"),
                .header_canon = CANON_RELAXED,
                .body_canon = CANON_SIMPLE,
                .cover = cover,
                .cover_count = cover_count,
                .time_s = PROOF_BENCH_NOW - 60,
                .expiry_s = expiry_s};
        uint8_t digest[SHA256_SIZE];
        char field[DKIM_FIELD_MAX], name[DNS_NAME_MAX];
        struct str body = str_skip(proof_bench_text(b), b->header.body_at);
        struct wr w;
        assert_int_equal(sha256(body.n > 0 ? body : S("\r\n"), digest), ERR_OK);
        wr_init(&w, field, sizeof field);
        assert_int_equal(dkim_sign(&p, &b->header, digest, b->key, &w), ERR_OK);
        proof_bench_load(b, wr_text(&w), proof_bench_text(b));
        wr_init(&w, name, sizeof name);
        wr_str(&w, S("s._domainkey."));
        wr_str(&w, domain);
        struct dns_name key_name = fake_dns_name(wr_text(&w));
        for (size_t i = 0; i < b->dns.count; i++)
                if (dns_name_eq(&b->dns.records[i].name, &key_name))
                        return;
        fake_dns_text(&b->dns, wr_text(&w), str_of(b->record, b->record_n));
}

/* Signed as authors' programs do. */
static inline void proof_bench_sign_as_author(struct proof_bench *b, struct str domain)
{
        proof_bench_sign(b, domain, dkim_cover_author, dkim_cover_author_count, 0);
}

/* All verdicts on the message, which came from `sender` at PROOF_BENCH_IP. */
static inline const struct evaluate *proof_bench_judge(struct proof_bench *b, struct str sender)
{
        struct spf_input in = {.sender = sender, .helo = S("mx.example"), .now_s = PROOF_BENCH_NOW};
        struct evaluate *e = &b->evaluate;
        assert_int_equal(ip_parse(S(PROOF_BENCH_IP), &in.ip), ERR_OK);
        arena_init(&b->arena, b->memory, sizeof b->memory);
        dns_known_init(&b->known, &b->arena, EVALUATE_QUESTIONS_MAX);
        evaluate_init(e, &in, &b->header, &b->known);
        while (evaluate_ask(e) == ERR_AGAIN)
                assert_true(fake_dns_round(&b->dns, &b->known, false) > 0);
        evaluate_body(e, str_skip(proof_bench_text(b), b->header.body_at));
        evaluate_body_end(e);
        while (evaluate_finish(e, &b->keys) == ERR_AGAIN)
                assert_true(fake_dns_round(&b->dns, &b->known, false) > 0);
        return e;
}

static inline int proof_bench_setup(void **state)
{
        static const uint8_t seed[ED25519_SEED_SIZE] = {9, 9, 8, 9};
        struct proof_bench *b = calloc(1, sizeof *b);
        struct wr w;
        *state = b;
        if (!b || crypto_key_ed25519_private(seed, &b->key) != ERR_OK)
                return -1;
        dkim_keys_init(&b->keys);
        wr_init(&w, b->record, sizeof b->record);
        CHECK(dkim_key_record_write(b->key, &w) == ERR_OK);
        b->record_n = w.n;
        return 0;
}

static inline int proof_bench_teardown(void **state)
{
        struct proof_bench *b = *state;
        dkim_keys_drop(&b->keys);
        crypto_key_free(b->key);
        free(b->message);
        free(b);
        return 0;
}

#endif
