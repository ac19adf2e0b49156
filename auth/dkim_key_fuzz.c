/* SPDX-License-Identifier: ISC */
/* A line a key record. A record that holds a key, written anew, holds the same key. */
#include <stdint.h>

#include "auth/dkim_key.h"
#include "base/check.h"
#include "base/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define RECORDS_MAX 3

static void check_written(const struct dkim_key *key)
{
        char text[2 * DKIM_KEY_BITS_MAX];
        struct dkim_key again;
        struct wr w;
        wr_init(&w, text, sizeof text);
        CHECK(dkim_key_record_write(key->key, &w) == ERR_OK);
        struct str record = wr_text(&w);
        dkim_key_from_records(&record, 1, &again);
        CHECK(again.fault == DKIM_OK && !again.testing && !again.strict);
        CHECK(crypto_key_kind(again.key) == crypto_key_kind(key->key));
        CHECK(crypto_key_bits(again.key) == crypto_key_bits(key->key));
        dkim_key_drop(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct str records[RECORDS_MAX], rest = str_of(data, size);
        struct dkim_key key;
        size_t count = 0;
        while (rest.n > 0 && count < RECORDS_MAX)
                str_cut(rest, '\n', &records[count++], &rest);
        dkim_key_from_records(records, count, &key);
        CHECK((key.fault == DKIM_OK) == (key.key != NULL));
        CHECK(key.fault != DKIM_OK || count == 1);
        if (key.key) {
                unsigned bits = crypto_key_bits(key.key);
                CHECK(crypto_key_kind(key.key) == CRYPTO_KEY_ED25519 ||
                        (bits >= DKIM_KEY_BITS_MIN && bits <= DKIM_KEY_BITS_MAX));
                check_written(&key);
        }
        dkim_key_drop(&key);
        return 0;
}
