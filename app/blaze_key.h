/* SPDX-License-Identifier: ISC */
/* Keys as blaze's options name them. Each function gives NULL (or false) after saying what is wrong. */
#ifndef APP_BLAZE_KEY_H
#define APP_BLAZE_KEY_H

#include "app/options.h"
#include "crypto/key.h"

/* -p FILE: a private key in PEM; owned by the caller. */
struct crypto_key *blaze_key_from_file(struct str path);

/* The private key that follows from a seed alone, by an HMAC_DRBG (crypto/drbg.h) with the seed as entropy: for RSA the
 * search of crypto/rsa_search.h, for Ed25519 the generator's first 32 bytes. */
struct crypto_key *blaze_key_from_seed(struct str seed, bool ed25519, size_t bits);

/* -a and -b; defaults are RSA and 2048. */
bool blaze_key_algorithm(const struct options *o, bool *ed25519, size_t *bits);

/* The bytes of --seed in `buffer`; with fewer than 16 a warning is said. */
bool blaze_key_seed(struct str text, char *buffer, size_t cap, struct str *out);
#define BLAZE_SEED_MAX 4096

/* KEY of -e: a PEM file, or base64 of DER or of a raw Ed25519 key; owned by the caller. */
struct crypto_key *blaze_key_public(struct str text);

#endif
