/* SPDX-License-Identifier: ISC */
/* For tests: a ledger with a list of two members, a key, and copies of tries as lipap and nec make them. */
#ifndef TESTS_SIM_SIGNED_RIG_H
#define TESTS_SIM_SIGNED_RIG_H

#include "auth/body_hash.h"
#include "auth/dkim_sign.h"
#include "auth/key.h"
#include "base/limits.h"
#include "mail/header.h"
#include "tests/sim/buffer.h"
#include "tests/sim/ledger.h"
#include "tests/sim/verify.h"

#define RIG_NOW_S 1800000000
#define RIG_PATH "l-return-abcdefghijklmnopqrstuvwx@list.test"

struct signed_rig {
        struct ledger *ledger;
        struct verify *verify;
        uint32_t list, role;
        struct crypto_key *key, *other_key;
        char record_text[KEY_RECORD_MAX], other_text[KEY_RECORD_MAX];
        struct str record, other_record;
        struct verify_view views[VERIFY_VIEWS_MAX]; /* what DNS says */
        size_t view_count, questions;
};

static inline int64_t rig_now_ms(void *ctx)
{
        (void)ctx;
        return 1000;
}

static inline size_t rig_lookup(void *ctx, struct str name, struct verify_view *views, size_t cap)
{
        static const struct verify_view nothing;
        struct signed_rig *r = ctx;
        CHECK(cap >= r->view_count);
        r->questions++;
        if (!str_eq(name, S("s1._domainkey.list.test"))) {
                views[0] = nothing;
                return 1;
        }
        memcpy(views, r->views, sizeof r->views);
        return r->view_count;
}

static inline struct crypto_key *rig_key(
        enum key_algorithm algorithm, struct str selector, char *text, struct str *record)
{
        static const struct key_seed seed = {{7}};
        struct key_search search;
        struct crypto_key *key = NULL;
        struct wr w;
        CHECK(key_search_init(&search, &seed, KEY_DKIM, algorithm, selector) == ERR_OK);
        enum err e;
        while ((e = key_search_step(&search, &key)) == ERR_AGAIN)
                ;
        CHECK(e == ERR_OK);
        key_search_drop(&search);
        wr_init(&w, text, KEY_RECORD_MAX);
        CHECK(key_record_write(key, &w) == ERR_OK);
        *record = wr_text(&w);
        return key;
}

/* `config` of the ledger; NULL: one whose clock stands still. */
static inline void rig_init(
        struct signed_rig *r, enum key_algorithm algorithm, const struct ledger_config *config)
{
        static const struct ledger_config still = {.seed = 3, .now_ms = rig_now_ms};
        memset(r, 0, sizeof *r);
        r->ledger = ledger_new(config ? config : &still);
        r->verify = verify_new(r->ledger, rig_lookup, r);
        r->list = ledger_list(r->ledger, S("l@list.test"), LEDGER_LIST);
        r->role = ledger_list(r->ledger, S("postmaster@list.test"), LEDGER_ROLE);
        ledger_member(r->ledger, r->list, S("bob@b.test"), LEDGER_IN);
        ledger_member(r->ledger, r->list, S("cat@b.test"), LEDGER_IN);
        ledger_member(r->ledger, r->role, S("boss@b.test"), LEDGER_IN);
        r->key = rig_key(algorithm, S("s1"), r->record_text, &r->record);
        r->other_key = rig_key(KEY_ED25519, S("s2"), r->other_text, &r->other_record);
        r->views[0] = (struct verify_view){VERIFY_RECORDS, &r->record, 1};
        r->view_count = 1;
}

static inline void rig_free(struct signed_rig *r)
{
        verify_free(r->verify);
        ledger_free(r->ledger);
        crypto_key_free(r->key);
        crypto_key_free(r->other_key);
}

/* A try that was answered 250 at the list (or the role, when `to` says so). */
static inline uint32_t rig_try(struct signed_rig *r, enum letter_shape shape, size_t size, struct str to)
{
        struct ledger_try_new new = {.author = "ann",
                .post = S("p1"),
                .sender = S("ann@author.test"),
                .to = to,
                .shape = shape,
                .size = size,
                .smuggles = LEDGER_NONE};
        uint32_t t = ledger_try(r->ledger, &new);
        ledger_try_target(r->ledger, t, to);
        ledger_try_dot(r->ledger, t);
        ledger_try_answer(r->ledger, t, 250);
        return t;
}

/* What a copy is made of; zeros are as it should be. */
struct rig_copy {
        const struct crypto_key *key; /* NULL: the rig's */
        const char *domain;           /* of the signature; NULL: list.test */
        const char *front;            /* lipap's fields; NULL: those of the list */
        int64_t expiry_s;
        bool is_unsigned;
};

static inline void rig_sign(struct signed_rig *r, const struct rig_copy *how, struct buffer *b)
{
        static struct mail_field fields[MAIL_FIELDS_MAX];
        static char room[DKIM_FIELD_MAX];
        struct body_hash body;
        struct mail_header header;
        uint8_t digest[SHA256_SIZE];
        struct wr w;
        CHECK(mail_header_index(buffer_text(b), fields, MAIL_FIELDS_MAX, &header) == ERR_OK);
        body_hash_init(&body);
        size_t slot = body_hash_want(&body, CANON_RELAXED, BODY_HASH_ALL);
        body_hash_write(&body, str_skip(buffer_text(b), header.body_at));
        body_hash_end(&body);
        CHECK(body_hash_result(&body, slot, digest) == ERR_OK);
        const struct dkim_sign_params params = {.domain = str_of_c(how->domain ? how->domain : "list.test"),
                .selector = S("s1"),
                .header_canon = CANON_RELAXED,
                .body_canon = CANON_RELAXED,
                .cover = dkim_cover_default,
                .cover_count = dkim_cover_default_count,
                .time_s = RIG_NOW_S,
                .expiry_s = how->expiry_s};
        wr_init(&w, room, sizeof room);
        CHECK(dkim_sign(&params, &header, digest, how->key ? how->key : r->key, &w) == ERR_OK);
        struct buffer whole = {0};
        buffer_put(&whole, wr_text(&w));
        buffer_put(&whole, buffer_text(b));
        buffer_free(b);
        *b = whole;
}

/* A copy of a try as a member gets it; buffer_free it. */
static inline struct buffer rig_make(struct signed_rig *r, uint32_t t, const struct rig_copy *how)
{
        struct letter letter = ledger_letter(r->ledger, t);
        struct str bytes = letter_write(&letter);
        struct buffer b = {0};
        buffer_put(&b, how->front ? str_of_c(how->front)
                                  : S("Received: from x by mx.list.test; Sun, 22 Nov 2026 12:00:00 +0000\r\n"
                                      "List-Id: A list <l.list.test>\r\nList-Post: <mailto:l@list.test>\r\n"
                                      "Precedence: list\r\n"));
        buffer_put(&b, bytes);
        if (!str_has_suffix_nocase(bytes, S("\r\n")))
                buffer_put(&b, S("\r\n"));
        letter_free(bytes);
        if (!how->is_unsigned)
                rig_sign(r, how, &b);
        return b;
}

#endif
