/* SPDX-License-Identifier: ISC */
/* For tests: domains with and without policies and keys, and messages signed for them. */
#ifndef SERVE_INBOUND_SIGNED_H
#define SERVE_INBOUND_SIGNED_H

#include "serve/inbound_world.h"

#include "auth/dkim_sign.h"
#include "auth/dkim_write.h"
#include "crypto/key.h"
#include "store/open_tickets.h"

static char signed_key_record[256];

/* None of them lets ::1 send, but where it says so. */
static const struct fake_text signed_texts[] = {
        {"example.org", "v=spf1 ip6:::1 -all"}, /* no policy */
        {"strict.test", "v=spf1 -all"},         /* forgeable no more */
        {"_dmarc.strict.test", "v=DMARC1; p=reject"},
        {"s._domainkey.strict.test", signed_key_record},
        {"lax.test", "v=spf1 -all"},
        {"_dmarc.lax.test", "v=DMARC1; p=none"},
        {"m.sub.test", "v=spf1 ip6:::1 -all"}, /* aligned with sub.test by its policy */
        {"_dmarc.sub.test", "v=DMARC1; p=reject"},
        {"bare.test", "v=spf1 -all"},                    /* no policy, and SPF fails */
        {"s._domainkey.silent.test", signed_key_record}, /* no policy, no SPF */
        {NULL, NULL},
};

/* The message signed for `domain`, in `room`. */
static inline struct str signed_by(const char *domain, const char *message, char *room, size_t cap)
{
        static const uint8_t seed[ED25519_SEED_SIZE] = {5, 3, 2, 2};
        struct dkim_sign_params params = {.domain = str_of_c(domain),
                .selector = S("s"),
                .header_canon = CANON_RELAXED,
                .body_canon = CANON_SIMPLE,
                .cover = dkim_cover_author,
                .cover_count = dkim_cover_author_count};
        struct mail_field fields[32];
        struct mail_header header;
        struct str text = str_of_c(message);
        struct crypto_key *key;
        uint8_t digest[SHA256_SIZE];
        struct wr w;
        assert_int_equal(crypto_key_ed25519_private(seed, &key), ERR_OK);
        wr_init(&w, signed_key_record, sizeof signed_key_record - 1);
        assert_int_equal(dkim_key_record_write(key, &w), ERR_OK);
        signed_key_record[w.n] = '\0';
        assert_int_equal(mail_header_index(text, fields, 32, &header), ERR_OK);
        assert_int_equal(sha256(str_skip(text, header.body_at), digest), ERR_OK);
        wr_init(&w, room, cap);
        assert_int_equal(dkim_sign(&params, &header, digest, key, &w), ERR_OK);
        wr_str(&w, text);
        assert_int_equal(wr_end(&w), ERR_OK);
        crypto_key_free(key);
        return wr_text(&w);
}

/* The newest message that waits for a signer, as it would get it; borrowed until the next call. */
static inline struct str newest(struct rig *r)
{
        static char text[512 * 1024];
        int64_t ids[64];
        size_t count, got;
        struct store_reader *reader;
        assert_int_equal(open_tickets(r->node.store, 0, 64, ids, &count), ERR_OK);
        assert_true(count > 0);
        assert_int_equal(store_reader_open(r->node.store, ids[count - 1], STORE_SENT, &reader), ERR_OK);
        assert_int_equal(store_reader_read(reader, 0, text, sizeof text, &got), ERR_OK);
        store_reader_close(reader);
        return str_of(text, got);
}

static inline struct str field_of(struct str message, const char *name, size_t nth)
{
        static struct mail_field fields[MAIL_FIELDS_MAX];
        struct mail_header header;
        assert_int_equal(mail_header_index(message, fields, MAIL_FIELDS_MAX, &header), ERR_OK);
        assert_int_equal(header.strays, 0);
        const struct mail_field *f = mail_header_nth(&header, str_of_c(name), nth);
        return f ? f->raw : (struct str){NULL, 0};
}

static inline bool has(struct str text, const char *part)
{
        return str_find(text, str_of_c(part)) < text.n;
}

#endif
