/* SPDX-License-Identifier: ISC */
/* A message and a private key, read once, and what our own code does with them. */
#ifndef BENCH_LETTER_H
#define BENCH_LETTER_H

#include "auth/arc_seal.h"
#include "auth/body_hash.h"
#include "auth/dkim_sign.h"
#include "bench/bench.h"
#include "crypto/key.h"
#include "mail/header.h"

#define LETTER_DOMAIN S("list.test")
#define LETTER_SELECTOR S("s1")
#define LETTER_NOW_S 1795341600

struct letter {
        struct str text;
        struct crypto_key *key;
        struct mail_header header;
        struct mail_field fields[MAIL_FIELDS_MAX];
        char room[ARC_SET_ROOM];
};

static inline void letter_read(struct letter *l, const char *key, const char *message)
{
        bench_need(crypto_key_private_from_pem(bench_file(key), &l->key), key);
        l->text = bench_file(message);
}

/* What each message costs before anything else. */
static inline void letter_index(struct letter *l)
{
        bench_need(mail_header_index(l->text, l->fields, MAIL_FIELDS_MAX, &l->header), "the header");
}

static inline struct str letter_body(const struct letter *l)
{
        return str_skip(l->text, l->header.body_at);
}

static inline void letter_sign(struct letter *l, const uint8_t digest[SHA256_SIZE])
{
        struct wr w;
        struct dkim_sign_params params = {.domain = LETTER_DOMAIN,
                .selector = LETTER_SELECTOR,
                .header_canon = CANON_RELAXED,
                .body_canon = CANON_RELAXED,
                .cover = dkim_cover_default,
                .cover_count = dkim_cover_default_count,
                .time_s = LETTER_NOW_S};
        wr_init(&w, l->room, sizeof l->room);
        bench_need(dkim_sign(&params, &l->header, digest, l->key, &w), "signing");
}

/* `chain` is that of the message, and `results` what stands in the set. */
static inline void letter_seal(struct letter *l, const uint8_t digest[SHA256_SIZE],
        const struct arc_chain *chain, enum arc_cv cv, struct str results)
{
        struct wr w;
        struct arc_seal_params params = {.domain = LETTER_DOMAIN,
                .seal = {LETTER_SELECTOR, l->key},
                .message = {LETTER_SELECTOR, l->key},
                .results = results,
                .cv = cv,
                .cover = dkim_cover_default,
                .cover_count = dkim_cover_default_count,
                .time_s = LETTER_NOW_S};
        wr_init(&w, l->room, sizeof l->room);
        bench_need(arc_seal(&params, &l->header, chain, digest, &w), "sealing");
}

#endif
