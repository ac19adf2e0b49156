/* SPDX-License-Identifier: ISC */
/* DKIM signatures of people, by hand: RFC 6376 3.4 and 3.7 in a few lines over crypto/, and nothing of auth/, so that a
 * fault of the product's canonicalization is not forgiven by its twin. */
#ifndef TESTS_SIM_SIGNATURE_H
#define TESTS_SIM_SIGNATURE_H

#include <stdbool.h>

#include "base/str.h"
#include "crypto/key.h"

struct signature {
        struct str domain, selector;
        const struct crypto_key *key; /* private */
        bool is_relaxed;              /* both canonicalizations; else both are simple */
};

/* The field, with its CRLF, to stand in front of `message`; owned by the caller (str_free). It covers From, once more than
 * there is, and To, Subject, Date, Message-ID and X-Try where they are, and the whole body. */
struct str signature_make(const struct signature *s, struct str message);

/* What stands in the key record of such a key: "v=DKIM1; k=...; p=..."; owned by the caller. */
struct str signature_record(const struct crypto_key *key);

#endif
