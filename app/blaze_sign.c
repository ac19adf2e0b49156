/* SPDX-License-Identifier: ISC */
#include "app/blaze_sign.h"

#include "app/blaze.h"
#include "app/blaze_key.h"
#include "app/blaze_output.h"
#include "base/quantity.h"
#include "base/time_text.h"
#include "crypto/bytes.h"
#include "dns/idna.h"

bool blaze_sign_name(struct str *name, char room[DNS_NAME_MAX])
{
        struct wr w;
        wr_init(&w, room, DNS_NAME_MAX);
        if (dns_idna_write(&w, *name) != ERR_OK) {
                blaze_fail("Not a domain name: %.*s", STR_ARG(*name));
                return false;
        }
        *name = wr_text(&w);
        return true;
}

bool blaze_sign_times(const struct options *o, int64_t *time_s, int64_t *expiry_s)
{
        struct str text;
        uint64_t seconds = 0;
        int64_t valid_s;
        *time_s = blaze_now_s();
        *expiry_s = 0;
        if (options_value(o, "time", &text)) {
                if (str_to_u64(text, TIME_UNIX_MAX, &seconds) != ERR_OK || seconds == 0) {
                        blaze_fail("Not a Unix time: %.*s", STR_ARG(text));
                        return false;
                }
                *time_s = (int64_t)seconds;
        }
        if (!options_value(o, "expire", &text))
                return true;
        if (quantity_duration_parse(text, &valid_s) != ERR_OK || valid_s == 0) {
                blaze_fail("Not a duration: %.*s", STR_ARG(text));
                return false;
        }
        *expiry_s = *time_s + valid_s;
        return true;
}

size_t blaze_sign_cover(const struct options *o, struct dkim_cover *chosen)
{
        struct str name;
        size_t count = 0;
        while (options_nth(o, "field", count, &name))
                chosen[count++] = (struct dkim_cover){name, true};
        return count;
}

struct crypto_key *blaze_sign_key(const struct options *o)
{
        struct str path, text, seed;
        char buffer[BLAZE_SEED_MAX];
        bool ed25519, has_path = options_value(o, "private-key", &path),
                      has_seed = options_value(o, "seed", &text);
        size_t bits;
        struct crypto_key *key = NULL;
        if (!blaze_key_algorithm(o, &ed25519, &bits))
                return NULL;
        if (has_path == has_seed) {
                blaze_fail(has_path ? "Either -p or --seed, not both"
                                    : "A private key is missing: -p KEY.pem or --seed BASE64");
                return NULL;
        }
        if (has_seed) {
                if (blaze_key_seed(text, buffer, sizeof buffer, &seed))
                        key = blaze_key_from_seed(seed, ed25519, bits);
                crypto_wipe(buffer, sizeof buffer);
                return key;
        }
        key = blaze_key_from_file(path);
        if (key && options_has(o, "algorithm") && ed25519 != (crypto_key_kind(key) == CRYPTO_KEY_ED25519)) {
                blaze_fail("%.*s: the key is not of the algorithm asked for", STR_ARG(path));
                crypto_key_free(key);
                key = NULL;
        }
        return key;
}

bool blaze_sign_open(struct blaze_message *m, const struct options *o)
{
        if (!blaze_message_open(m, o, true))
                return false;
        if (m->header.strays == 0)
                return true;
        blaze_fail("The header has a line that is no field: %.*s",
                STR_ARG(str_trim(str_take(m->header.stray, 60))));
        return false;
}

bool blaze_sign_body(struct blaze_message *m, struct body_hash *hash)
{
        struct str bytes;
        enum err e;
        while ((e = blaze_message_body(m, &bytes)) == ERR_OK)
                body_hash_write(hash, bytes);
        body_hash_end(hash);
        if (e == ERR_EOF)
                return true;
        blaze_fail("The message cannot be read: %s", err_text(e));
        return false;
}
