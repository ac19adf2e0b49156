/* SPDX-License-Identifier: ISC */
/* Tokens: 24 characters of base 32 that stand in a local part and prove that we made them.
 * 120 bits: the id of a row or member (40), the day (16, days since 1970), a MAC (64) over purpose, list, id and day.
 * Pure. A token is compared without regard to case, and the MAC in constant time. */
#ifndef LIST_TOKEN_H
#define LIST_TOKEN_H

#include <stdint.h>

#include "base/str.h"
#include "base/wr.h"

#define TOKEN_TEXT_SIZE 24
#define TOKEN_ID_MAX ((1LL << 40) - 1)

struct token_key {
        uint8_t b[32];
};

/* What a token is good for: one never serves for another. */
enum token_purpose {
        TOKEN_RETURN,  /* the return path of one member: bounces; the id is the member's */
        TOKEN_CONFIRM, /* confirm-: joining, a change; the id is the request's */
        TOKEN_DECIDE,  /* accept- and reject-: a moderator's decision; the id is the request's */
        TOKEN_PROBE    /* the return path of a probe; the id is the member's */
};

struct token {
        int64_t id;   /* 0 to TOKEN_ID_MAX */
        uint16_t day; /* days since 1970-01-01 at which it was made */
};

/* The key for tokens of a domain, from the seed of a password at that domain (auth/key.h): HKDF-Expand-SHA256 with
 * info `ptt-v1` 00 `token`.
 *   ERR_OK, or ERR_CRYPTO with a key of zeros */
MUST_USE enum err token_key_derive(struct str seed, struct token_key *out);

/* Write the token; `list` is `name@domain` in lower case.
 *   ERR_OK, ERR_SPACE, ERR_CRYPTO */
MUST_USE enum err token_write(struct wr *w, const struct token_key *key, enum token_purpose purpose,
        struct str list, const struct token *token);
/* Read and prove one.
 *   ERR_OK      `*out` is what we once wrote under one of the `n` keys
 *   ERR_SYNTAX  not a token
 *   ERR_DENIED  the MAC is not ours: forged, or for another purpose, list or password
 *   ERR_CRYPTO */
MUST_USE enum err token_parse(struct str text, const struct token_key *keys, size_t n,
        enum token_purpose purpose, struct str list, struct token *out);

#endif
