/* SPDX-License-Identifier: ISC */
/* A key record up to the first LF, then a message: whole or cut, the verdict is the same; and a set that is added to it
 * makes a chain that is one longer and as good as can be said. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "auth/arc_seal.h"
#include "auth/arc_verify.h"
#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FIELDS 256

static void verify(struct arc_verify *v, const struct mail_header *header, struct str body, size_t step,
        const struct dkim_key *key)
{
        struct body_hash hash;
        bool good = true;
        body_hash_init(&hash);
        arc_verify_init(v, header, 1700000000, &hash);
        for (; body.n > 0; body = str_skip(body, step))
                body_hash_write(&hash, str_take(body, step));
        body_hash_end(&hash);
        for (size_t i = 0; good && i < v->count; i++)
                good = arc_verify_check(v, i, key);
}

/* The results of the message, if it has some, else our own. */
static enum err seal(
        const struct mail_header *header, const struct arc_verify *v, struct crypto_key *key, struct wr *w)
{
        static char room[MAIL_HEADER_MAX + ARC_RESULTS_MAX];
        static const uint8_t digest[SHA256_SIZE];
        struct arc_results results;
        struct wr text;
        wr_init(&text, room, sizeof room);
        if (arc_results_gather(header, S("a"), &text, &results) != ERR_OK)
                results = (struct arc_results){.payload = S("a; none"), .cv = ARC_PASS};
        struct arc_seal_params p = {.domain = S("a"),
                .seal = {S("s"), key},
                .message = {S("s"), key},
                .results = results.payload,
                .cv = results.cv,
                .cover = dkim_cover_default,
                .cover_count = dkim_cover_default_count};
        return arc_seal(&p, header, &v->chain, digest, w);
}

/* The new set in front of the old fields, as the message would have them. */
static void check_sealed(const struct arc_verify *v, struct str message, struct str set)
{
        static struct mail_field fields[FIELDS];
        static struct arc_chain chain; /* large */
        struct mail_header header;
        char *text = malloc(set.n + message.n);
        CHECK(text);
        memcpy(text, set.p, set.n);
        memcpy(text + set.n, message.p, message.n);
        if (mail_header_index(str_of(text, set.n + message.n), fields, FIELDS, &header) == ERR_OK) {
                arc_chain_read(&header, &chain);
                CHECK(chain.count == v->chain.count + 1);
                CHECK(v->chain.verdict.cv != ARC_NONE || chain.verdict.cv == ARC_PASS);
                CHECK(chain.is_ended == (chain.verdict.cv == ARC_FAIL));
        }
        free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const uint8_t seed[ED25519_SEED_SIZE] = {1};
        static struct mail_field fields[FIELDS];
        static struct arc_verify whole, cut; /* large */
        static char room[ARC_SET_ROOM];
        char reason[ARC_REASON_MAX];
        struct str record, message;
        struct mail_header header;
        struct dkim_key key;
        struct crypto_key *ours;
        struct wr w;
        str_cut(str_of(data, size), '\n', &record, &message);
        if (mail_header_index(message, fields, FIELDS, &header) != ERR_OK)
                return 0;
        dkim_key_from_records(&record, 1, &key);
        struct str body = str_skip(message, header.body_at);
        verify(&whole, &header, body, message.n + 1, &key);
        verify(&cut, &header, body, 1 + size % 70, &key);
        dkim_key_drop(&key);
        const struct arc_verdict *one = &whole.chain.verdict, *two = &cut.chain.verdict;
        CHECK(one->cv == two->cv && one->fault == two->fault && one->instance == two->instance);
        CHECK((one->cv == ARC_FAIL) == (one->fault != ARC_OK));
        wr_init(&w, reason, sizeof reason);
        arc_reason_write(&w, one);
        CHECK(!w.full);
        CHECK(crypto_key_ed25519_private(seed, &ours) == ERR_OK);
        wr_init(&w, room, sizeof room);
        if (seal(&header, &whole, ours, &w) == ERR_OK)
                check_sealed(&whole, message, wr_text(&w));
        crypto_key_free(ours);
        return 0;
}
