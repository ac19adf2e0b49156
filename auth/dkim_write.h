/* SPDX-License-Identifier: ISC */
/* Writing signature fields: tags on folded lines, and the signature itself. For auth/ itself; pure. */
#ifndef AUTH_DKIM_WRITE_H
#define AUTH_DKIM_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/dkim_sign.h"
#include "base/str.h"
#include "base/wr.h"
#include "crypto/key.h"

/* A field on lines of at most `goal` bytes, as far as its words allow. Starts as {w, goal, 0, false}. */
struct dkim_write {
        struct wr *w;
        size_t goal; /* MAIL_LINE_GOAL, say */
        size_t column;
        bool any; /* a tag was written: the next one is parted from it by ";" */
};

/* The field's name and its colon. */
void dkim_write_name(struct dkim_write *f, struct str name);
/* " name=value", never folded inside; at most SMTP_DOMAIN_MAX bytes of value. */
void dkim_write_tag(struct dkim_write *f, struct str name, struct str value);
/* The same for a number; 0 and below: nothing. */
void dkim_write_number(struct dkim_write *f, struct str name, int64_t number);
/* " name=", a tag whose value follows by the functions below. */
void dkim_write_open(struct dkim_write *f, struct str name);
/* Base64, which may be broken anywhere (RFC 6376 3.5 base64string), so that lines are filled. */
void dkim_write_base64(struct dkim_write *f, struct str bytes);
/* An item of h=, `times` over; `*count` counts them all and stops behind DKIM_COVERED_MAX. */
void dkim_write_covered(struct dkim_write *f, struct str name, size_t times, size_t *count);

/* How a= calls the algorithm of a key. */
struct str dkim_write_algorithm(const struct crypto_key *key);
/* Can `key` sign for these names?
 *   ERR_OK, ERR_SYNTAX, ERR_SEQUENCE, ERR_UNSUPPORTED as dkim_sign */
MUST_USE enum err dkim_write_check(struct str domain, struct str selector, const struct crypto_key *key);
/* The signature of a digest, and its size, which is known before.
 *   ERR_OK, ERR_SPACE, ERR_CRYPTO */
MUST_USE enum err dkim_write_sign(
        const struct crypto_key *key, const uint8_t digest[SHA256_SIZE], struct wr *w);
size_t dkim_write_size(const struct crypto_key *key);

#endif
