/* SPDX-License-Identifier: ISC */
/* Parsed keys: RSA with PKCS#1 v1.5 and SHA-256 (RFC 8017 8.2), and Ed25519 (RFC 8032).
 * Parsing costs more than verifying, so keep the parsed key. A key never changes; it is owned by whoever got it and
 * freed by crypto_key_free, which wipes its secrets. One thread at a time may use it. On every error `*out` is NULL.
 *
 * Outcomes that all functions share: ERR_CRYPTO when the library failed or memory is out, which says nothing
 * about the key or the signature; a wrong signature is ERR_DENIED. */
#ifndef CRYPTO_KEY_H
#define CRYPTO_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "base/wr.h"
#include "crypto/sha256.h"

#define ED25519_SEED_SIZE 32
#define ED25519_PUBLIC_SIZE 32
#define ED25519_SIGNATURE_SIZE 64
#define RSA_BITS_MAX 16384 /* what parses; callers set their own ceiling with crypto_key_bits */
#define RSA_SIGNATURE_MAX (RSA_BITS_MAX / 8)
#define CRYPTO_KEY_PEM_MAX (64 * 1024) /* PEM text that is looked at */

enum crypto_key_kind { CRYPTO_KEY_RSA, CRYPTO_KEY_ED25519 };

struct crypto_key;

void crypto_key_free(struct crypto_key *key); /* NULL is harmless */
enum crypto_key_kind crypto_key_kind(const struct crypto_key *key);
bool crypto_key_is_private(const struct crypto_key *key);
unsigned crypto_key_bits(const struct crypto_key *key); /* of the RSA modulus; 256 for Ed25519 */

/* A public key in DER: a SubjectPublicKeyInfo (RFC 5280 4.1.2.7) of RSA or Ed25519, or a bare RSAPublicKey
 * (RFC 8017 A.1.1), as DKIM key records carry it (RFC 6376 3.6.1).
 *   ERR_OK
 *   ERR_SYNTAX       neither, or bytes behind it
 *   ERR_UNSUPPORTED  another algorithm; an even modulus or one above RSA_BITS_MAX; an exponent that is even, under
 *                    3 or above 64 bits (nobody uses those but to make verifiers work) */
MUST_USE enum err crypto_key_public_from_der(struct str der, struct crypto_key **out);
/* The 32 bytes of an Ed25519 key record (RFC 8463 4.2).
 *   ERR_OK, ERR_SYNTAX for another length */
MUST_USE enum err crypto_key_ed25519_public(struct str raw, struct crypto_key **out);
/* PEM text: "PUBLIC KEY" or "RSA PUBLIC KEY"; the outcomes of crypto_key_public_from_der. */
MUST_USE enum err crypto_key_public_from_pem(struct str pem, struct crypto_key **out);
/* PEM text: "PRIVATE KEY" or "RSA PRIVATE KEY", not encrypted.
 *   ERR_OK, ERR_SYNTAX (also for an encrypted one), ERR_LIMIT (longer than CRYPTO_KEY_PEM_MAX), ERR_UNSUPPORTED as above */
MUST_USE enum err crypto_key_private_from_pem(struct str pem, struct crypto_key **out);
/*   ERR_OK, ERR_CRYPTO */
MUST_USE enum err crypto_key_ed25519_private(const uint8_t seed[ED25519_SEED_SIZE], struct crypto_key **out);
/* The RSA key of two primes, big-endian, with e = 65537, d = e^-1 mod lcm(p-1, q-1); the greater prime becomes p.
 * That they are primes is the caller's word.
 *   ERR_OK, or ERR_UNSUPPORTED when no such key exists (p = q, or p-1 or q-1 a multiple of e) */
MUST_USE enum err crypto_key_rsa_private(struct str p, struct str q, struct crypto_key **out);

/* The public half, written out: SubjectPublicKeyInfo in DER; the same as PEM; an Ed25519 key's 32 bytes.
 *   ERR_OK, ERR_SPACE */
MUST_USE enum err crypto_key_spki(const struct crypto_key *key, struct wr *w);
MUST_USE enum err crypto_key_public_pem(const struct crypto_key *key, struct wr *w);
MUST_USE enum err crypto_key_ed25519_raw(const struct crypto_key *key, uint8_t out[ED25519_PUBLIC_SIZE]);
/* The private key as PKCS#8 PEM (RFC 5958). Secret: the caller wipes the buffer.
 *   ERR_OK, ERR_SPACE, ERR_SEQUENCE for a public key */
MUST_USE enum err crypto_key_private_pem(const struct crypto_key *key, struct wr *w);

/* RSA over the SHA-256 digest of a message. The signature has crypto_key_bits / 8 bytes, rounded up.
 *   ERR_OK, ERR_SPACE; ERR_SEQUENCE for a public key or another kind */
MUST_USE enum err crypto_key_rsa_sign(
        const struct crypto_key *key, const uint8_t digest[SHA256_SIZE], struct wr *w);
/*   ERR_OK the signature is right, ERR_DENIED it is not (of any length); ERR_SEQUENCE for another kind */
MUST_USE enum err crypto_key_rsa_verify(
        const struct crypto_key *key, const uint8_t digest[SHA256_SIZE], struct str signature);

/* Ed25519 over the message itself; DKIM's ed25519-sha256 gives it the digest as message (RFC 8463 3).
 * Outcomes as for RSA. */
MUST_USE enum err crypto_key_ed25519_sign(
        const struct crypto_key *key, struct str message, uint8_t out[ED25519_SIGNATURE_SIZE]);
MUST_USE enum err crypto_key_ed25519_verify(
        const struct crypto_key *key, struct str message, struct str signature);

#endif
