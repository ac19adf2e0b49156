/* SPDX-License-Identifier: ISC */
/* Keys from a password: recipe 1 of docs/key-derivation.md, frozen. A key is a pure function of (password, domain,
 * purpose, algorithm, selector), so that any process that knows the password finds the same key and none is stored.
 *
 * password --PBKDF2(salt = domain)--> seed --HKDF-Expand(purpose, algorithm, selector)--> key material --> key
 *
 * Passwords, seeds and searches are secret and held in structs of the caller: wipe or drop each when done. */
#ifndef AUTH_KEY_H
#define AUTH_KEY_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "base/wr.h"
#include "crypto/key.h"
#include "crypto/rsa_search.h"

#define KEY_PASSWORD_MAX 256 /* bytes after base64 */
#define KEY_PBKDF2_ROUNDS 600000
#define KEY_ID_SIZE 8
#define KEY_RECORD_MAX 1024 /* text of a key record, enough for RSA-4096 */

struct key_password {
        uint8_t bytes[KEY_PASSWORD_MAX];
        size_t n;
};

/* From the base64 of --password; white space around it is ignored.
 *   ERR_OK
 *   ERR_SYNTAX  not base64
 *   ERR_DENIED  under PASSWORD_MIN bytes: what we publish would invite guessing
 *   ERR_LIMIT   over KEY_PASSWORD_MAX bytes */
MUST_USE enum err key_password_parse(struct str base64, struct key_password *out);
void key_password_wipe(struct key_password *p);

struct key_seed {
        uint8_t bytes[32];
};

/* The seed of a password at a signing domain (A-labels in any case, without a final dot).
 * PBKDF2 takes 0.1 to 0.2 s and does not yield: once a domain, before serving.
 *   ERR_OK
 *   ERR_SYNTAX  not a domain name of letters, digits, hyphens, underscores and dots
 *   ERR_CRYPTO */
MUST_USE enum err key_seed_derive(
        const struct key_password *password, struct str domain, struct key_seed *out);
void key_seed_wipe(struct key_seed *s);

/* What tells two passwords apart at a domain without showing either.
 *   ERR_OK, ERR_CRYPTO */
MUST_USE enum err key_id(const struct key_seed *seed, uint8_t out[KEY_ID_SIZE]);

enum key_purpose { KEY_DKIM, KEY_ARC, KEY_TLS };
enum key_algorithm { KEY_RSA_2048, KEY_ED25519 };

/* The key of a selector, found step by step; owns memory and secrets until key_search_drop (harmless when zeroed). */
struct key_search {
        enum key_algorithm algorithm;
        uint8_t ed25519_seed[ED25519_SEED_SIZE];
        struct rsa_search rsa;
};

/* `selector` is the whole label, as "dkim-1775138006", at most DNS_LABEL_MAX bytes by the caller's promise.
 *   ERR_OK, ERR_CRYPTO (nothing is owned then) */
MUST_USE enum err key_search_init(struct key_search *s, const struct key_seed *seed, enum key_purpose purpose,
        enum key_algorithm algorithm, struct str selector);
/* Look at one candidate (some 0.1 ms): yield between calls. An RSA key takes some 700.
 *   ERR_OK     `*out` is the key, owned by the caller
 *   ERR_AGAIN  not yet; `*out` is NULL
 *   ERR_CRYPTO */
MUST_USE enum err key_search_step(struct key_search *s, struct crypto_key **out);
void key_search_drop(struct key_search *s);

/* The text of the DKIM key record (RFC 6376 3.6.1, RFC 8463 4): "v=DKIM1; k=rsa; p=...".
 *   ERR_OK, ERR_SPACE (KEY_RECORD_MAX is enough for what the recipe makes), ERR_CRYPTO */
MUST_USE enum err key_record_write(const struct crypto_key *key, struct wr *w);

#endif
