/* SPDX-License-Identifier: ISC */
/* Parsed keys of the last DKIM_KEYS_MAX key records, since parsing costs more than verifying. A key is found by the
 * whole text of its record, so that no time to live matters and a wrong one can never come back. */
#ifndef AUTH_DKIM_KEYS_H
#define AUTH_DKIM_KEYS_H

#include <stddef.h>
#include <stdint.h>

#include "auth/dkim_key.h"
#include "base/limits.h"
#include "crypto/sha256.h"
#include "dns/known.h"

struct dkim_keys_entry {
        uint64_t used;           /* the clock when it was last asked for; 0: empty */
        uint8_t id[SHA256_SIZE]; /* of the record's text */
        struct dkim_key key;     /* owned */
};

struct dkim_keys {
        uint64_t clock;
        struct dkim_keys_entry list[DKIM_KEYS_MAX];
        struct dkim_key other; /* owned: the last one that is not kept */
};

void dkim_keys_init(struct dkim_keys *k); /* the zero struct */
void dkim_keys_drop(struct dkim_keys *k);

/* As dkim_key_from_records; borrowed until the next call with this `k`. */
const struct dkim_key *dkim_keys_from_records(struct dkim_keys *k, const struct str *records, size_t count);
/* As dkim_key_from_trouble; borrowed likewise. */
const struct dkim_key *dkim_keys_from_trouble(struct dkim_keys *k);

/* The key record of `name` ("SELECTOR._domainkey.DOMAIN"), as far as the DNS is known; borrowed likewise. A ceiling of
 * `known` is trouble, too.
 *   NULL when the record is wanted there: give the answer and call again */
const struct dkim_key *dkim_keys_find(struct dkim_keys *k, struct dns_known *known, struct str name);
/* Note that question, so that it is asked with others. */
void dkim_keys_ask(struct dns_known *known, struct str name);

#endif
