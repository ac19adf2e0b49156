/* SPDX-License-Identifier: ISC */
/* Key records (RFC 6376 3.6.1, RFC 8463 4.2): the TXT text at SELECTOR._domainkey.DOMAIN, read and written.
 * A parsed key may be kept as long as its record: parsing costs more than verifying. */
#ifndef AUTH_DKIM_KEY_H
#define AUTH_DKIM_KEY_H

#include <stdbool.h>
#include <stddef.h>

#include "auth/dkim.h"
#include "base/str.h"
#include "base/wr.h"
#include "crypto/key.h"

struct dkim_key {
        enum dkim_fault fault;  /* DKIM_OK, or why there is no usable key */
        bool testing;           /* t=y */
        bool strict;            /* t=s */
        struct crypto_key *key; /* owned; NULL with a fault */
};

/* The TXT records found at the name, each with its strings joined; `count` 0 when there is none or no such name.
 * `*out` owns the key until dkim_key_drop. */
void dkim_key_from_records(const struct str *records, size_t count, struct dkim_key *out);
/* DNS gave no answer: the verdict will be temperror. */
void dkim_key_from_trouble(struct dkim_key *out);
/* A key from elsewhere than DNS; `key` passes to `*out`. */
void dkim_key_from_crypto(struct crypto_key *key, struct dkim_key *out);
void dkim_key_drop(struct dkim_key *k);

/* "v=DKIM1; k=rsa; p=..." for the public half of `key`.
 *   ERR_OK, ERR_SPACE, ERR_CRYPTO */
MUST_USE enum err dkim_key_record_write(const struct crypto_key *key, struct wr *w);

#endif
