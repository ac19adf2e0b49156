/* SPDX-License-Identifier: ISC */
/* For tests: messages with chains made by arc_seal, and verdicts on them. */
#ifndef AUTH_ARC_BENCH_H
#define AUTH_ARC_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "auth/arc_seal.h"
#include "auth/arc_verify.h"
#include "base/check.h"

#define ARC_BENCH_NOW 1700000000
#define ARC_BENCH_MESSAGE                                                             \
        "From: a@example.com\r\nTo: b@example.org\r\nSubject: hi\r\nDKIM-Signature: " \
        "x\r\n\r\nHello\r\nlist.\r\n"

struct arc_bench {
        struct crypto_key *key;
        char record[512];
        size_t record_n;
        struct mail_field fields[MAIL_FIELDS_MAX];
        struct mail_header header;
        char *message; /* owned, exactly the message */
        size_t message_n;
        struct arc_seal_params params;
        struct arc_chain chain;
        struct arc_verify verify;
        char set[ARC_SET_ROOM];
};

static inline struct str arc_bench_text(const struct arc_bench *b)
{
        return str_of(b->message, b->message_n);
}

/* Take over a block that holds exactly a message. */
static inline void arc_bench_own(struct arc_bench *b, char *message, size_t n)
{
        free(b->message);
        b->message = message;
        b->message_n = n;
        assert_int_equal(
                mail_header_index(arc_bench_text(b), b->fields, MAIL_FIELDS_MAX, &b->header), ERR_OK);
}

/* The message is `front` and then `rest`, which may be a part of the message that there is. */
static inline void arc_bench_load(struct arc_bench *b, struct str front, struct str rest)
{
        char *message = malloc(front.n + rest.n + 1);
        assert_non_null(message);
        if (front.n > 0)
                memcpy(message, front.p, front.n);
        if (rest.n > 0)
                memcpy(message + front.n, rest.p, rest.n);
        char *exact = realloc(message, front.n + rest.n > 0 ? front.n + rest.n : 1);
        assert_non_null(exact);
        arc_bench_own(b, exact, front.n + rest.n);
}

static inline int arc_bench_setup(void **state)
{
        static const uint8_t seed[ED25519_SEED_SIZE] = {8, 6, 1, 7};
        struct arc_bench *b = calloc(1, sizeof *b);
        struct wr w;
        *state = b;
        if (!b || crypto_key_ed25519_private(seed, &b->key) != ERR_OK)
                return -1;
        wr_init(&w, b->record, sizeof b->record);
        CHECK(dkim_key_record_write(b->key, &w) == ERR_OK);
        b->record_n = w.n;
        b->params = (struct arc_seal_params){.domain = S("example.org"),
                .seal = {S("seal"), b->key},
                .message = {S("sig"), b->key},
                .results = S("example.org; arc=none"),
                .cover = dkim_cover_default,
                .cover_count = dkim_cover_default_count,
                .time_s = ARC_BENCH_NOW - 60};
        return 0;
}

static inline int arc_bench_teardown(void **state)
{
        struct arc_bench *b = *state;
        crypto_key_free(b->key);
        free(b->message);
        free(b);
        return 0;
}

/* Add a set to the message with what `params` say. */
static inline enum err arc_bench_seal(struct arc_bench *b, enum arc_cv cv)
{
        uint8_t digest[SHA256_SIZE];
        struct body_hash body;
        struct wr w;
        body_hash_init(&body);
        size_t slot = body_hash_want(&body, CANON_RELAXED, BODY_HASH_ALL);
        body_hash_write(&body, str_skip(arc_bench_text(b), b->header.body_at));
        body_hash_end(&body);
        assert_int_equal(body_hash_result(&body, slot, digest), ERR_OK);
        wr_init(&w, b->set, sizeof b->set);
        b->params.cv = cv;
        arc_chain_read(&b->header, &b->chain);
        enum err e = arc_seal(&b->params, &b->header, &b->chain, digest, &w);
        if (e == ERR_OK)
                arc_bench_load(b, wr_text(&w), arc_bench_text(b));
        return e;
}

/* A fresh message with `count` sets. */
static inline void arc_bench_chain(struct arc_bench *b, size_t count)
{
        arc_bench_load(b, S(""), S(ARC_BENCH_MESSAGE));
        for (size_t i = 0; i < count; i++)
                assert_int_equal(arc_bench_seal(b, i == 0 ? ARC_NONE : ARC_PASS), ERR_OK);
}

/* The verdict on the message, its body in chunks that `cut` draws (0: whole). `record` empty: DNS has none. */
static inline struct arc_verdict arc_bench_judge_with(struct arc_bench *b, struct dkim_key *key, uint32_t cut)
{
        struct str rest = str_skip(arc_bench_text(b), b->header.body_at);
        struct body_hash body;
        body_hash_init(&body);
        arc_verify_init(&b->verify, &b->header, ARC_BENCH_NOW, &body);
        while (rest.n > 0) {
                cut = cut == 0 ? 0 : cut * 1103515245 + 12345;
                size_t n = cut == 0 ? rest.n : 1 + (cut >> 16) % 5;
                body_hash_write(&body, str_take(rest, n));
                rest = str_skip(rest, n);
        }
        body_hash_end(&body);
        bool good = true;
        for (size_t i = 0; good && i < b->verify.count; i++)
                good = arc_verify_check(&b->verify, i, key);
        return b->verify.chain.verdict;
}

static inline struct arc_verdict arc_bench_judge(struct arc_bench *b)
{
        struct str record = str_of(b->record, b->record_n);
        struct dkim_key key;
        dkim_key_from_records(&record, 1, &key);
        struct arc_verdict v = arc_bench_judge_with(b, &key, 0);
        dkim_key_drop(&key);
        return v;
}

#endif
