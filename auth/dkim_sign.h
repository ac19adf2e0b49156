/* SPDX-License-Identifier: ISC */
/* Signing (RFC 6376 5): from the header index, the digest of the body (auth/body_hash.h) and a key to one
 * DKIM-Signature field. Several signatures may share one body digest. No I/O, no clock, nothing kept. */
#ifndef AUTH_DKIM_SIGN_H
#define AUTH_DKIM_SIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/canon.h"
#include "base/str.h"
#include "base/wr.h"
#include "crypto/key.h"
#include "crypto/sha256.h"
#include "mail/header.h"

/* A field name that is to be covered: every instance there is, and with `over` one more, so that none can be added. */
struct dkim_cover {
        struct str name;
        bool over;
};

/* What a list's signer covers: From, To, Cc, Subject, Date, Reply-To, Sender, MIME-Version, the Content fields and the fields
 * of lists oversigned; Message-ID, In-Reply-To and References as they stand. */
extern const struct dkim_cover dkim_cover_default[];
extern const size_t dkim_cover_default_count;
/* What an author's signer covers: the same names, but what lists add on the way (Sender, List-*) as it stands. */
extern const struct dkim_cover dkim_cover_author[];
extern const size_t dkim_cover_author_count;

struct dkim_sign_params {
        struct str domain;   /* A-labels */
        struct str selector; /* A-labels */
        enum canon header_canon, body_canon;
        const struct dkim_cover
                *cover; /* a name that stands twice counts once; From is always covered, and oversigned */
        size_t cover_count;
        int64_t time_s;   /* t=; 0: left out */
        int64_t expiry_s; /* x=; 0: left out */
};

/* How many names h= will hold: dkim_sign refuses more than DKIM_COVERED_MAX. */
size_t dkim_sign_covered(
        const struct mail_header *header, const struct dkim_cover *cover, size_t cover_count);

/* Write `DKIM-Signature: v=1; a=...` with its final CRLF, folded at MAIL_LINE_GOAL, to stand in front of `header`.
 * The algorithm is that of the key. `w` needs room for DKIM_FIELD_MAX bytes.
 *   ERR_OK
 *   ERR_SYNTAX       domain, selector or a covered name are not names
 *   ERR_NOT_FOUND    the message has no From field
 *   ERR_UNSUPPORTED  an RSA key under DKIM_KEY_BITS_MIN or over DKIM_KEY_BITS_MAX
 *   ERR_SEQUENCE        a public key
 *   ERR_LIMIT        more than DKIM_COVERED_MAX instances to cover
 *   ERR_SPACE, ERR_CRYPTO
 * On an error what was written to `w` is meaningless. */
MUST_USE enum err dkim_sign(const struct dkim_sign_params *params, const struct mail_header *header,
        const uint8_t body_digest[SHA256_SIZE], const struct crypto_key *key, struct wr *w);

#endif
