/* SPDX-License-Identifier: ISC */
#include "auth/dkim_check.h"

#include <string.h>

#include "base/base64.h"
#include "base/check.h"
#include "base/limits.h"

enum dkim_fault dkim_check_key(const struct dkim_signature *s, const struct dkim_key *key)
{
        if (key->fault != DKIM_OK)
                return key->fault;
        if ((crypto_key_kind(key->key) == CRYPTO_KEY_ED25519) != (s->algorithm == DKIM_ED25519_SHA256))
                return DKIM_KEY_MISMATCH;
        return key->strict && s->identity_below ? DKIM_KEY_STRICT : DKIM_OK;
}

enum dkim_fault dkim_check_body(const struct dkim_signature *s, const struct body_hash *body, size_t slot)
{
        uint8_t digest[SHA256_SIZE];
        if (body_hash_result(body, slot, digest) != ERR_OK)
                return DKIM_LIBRARY;
        if (s->body_limit != BODY_HASH_ALL && s->body_limit > body_hash_size(body, slot))
                return DKIM_BODY_SHORT;
        return memcmp(digest, s->body_hash, SHA256_SIZE) == 0 ? DKIM_OK : DKIM_BODY;
}

enum dkim_fault dkim_check_digest(
        const struct dkim_signature *s, const uint8_t digest[SHA256_SIZE], const struct crypto_key *key)
{
        char bytes[RSA_SIGNATURE_MAX];
        struct wr b;
        wr_init(&b, bytes, sizeof bytes);
        CHECK(base64_decode(s->b, &b) == ERR_OK); /* dkim_signature_parse has seen to that */
        enum err e = s->algorithm == DKIM_ED25519_SHA256
                             ? crypto_key_ed25519_verify(key, str_of(digest, SHA256_SIZE), wr_text(&b))
                             : crypto_key_rsa_verify(key, digest, wr_text(&b));
        if (e == ERR_OK)
                return DKIM_OK;
        return e == ERR_DENIED ? DKIM_SIGNATURE : DKIM_LIBRARY;
}

enum dkim_fault dkim_check_limits(
        const struct dkim_signature *s, const struct body_hash *body, size_t slot, int64_t now_s)
{
        if (s->body_limit != BODY_HASH_ALL && s->body_limit < body_hash_size(body, slot))
                return DKIM_BODY_PARTIAL;
        if (s->has_time && s->time_s > now_s + DKIM_FUTURE_S)
                return DKIM_FUTURE;
        return s->has_expiry && s->expiry_s < now_s ? DKIM_PAST : DKIM_OK;
}
