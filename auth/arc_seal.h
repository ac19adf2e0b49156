/* SPDX-License-Identifier: ISC */
/* Adding an ARC set (RFC 8617 5.1). No I/O, no clock, nothing kept.
 *
 *     arc_results_gather(&header, id, &w, &results)     what the Authentication-Results of our own say
 *     arc_seal(&params, &header, &chain, digest, &w)    the three fields to stand in front of the message */
#ifndef AUTH_ARC_SEAL_H
#define AUTH_ARC_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/arc_chain.h"
#include "auth/dkim_sign.h"

/* All Authentication-Results fields with one authserv-id, as one. */
struct arc_results {
        size_t count;       /* fields that were taken */
        struct str payload; /* "ID; METHOD=RESULT ...; ...", folded as written; borrowed from the writer */
        bool has_cv;        /* there is an arc= among them */
        enum arc_cv cv;     /* its value; ARC_FAIL when two differ, or it is no known word */
};

/* Gather them from the top, each result as written, nothing added and nothing left out but "none" beside others. A field
 * that is malformed, or has above ARC_RESULTS_MAX bytes of quoted text, counts as not there.
 *   ERR_OK         with at least one
 *   ERR_NOT_FOUND  there is none
 *   ERR_SPACE      their whole length and ARC_RESULTS_MAX more are enough */
MUST_USE enum err arc_results_gather(
        const struct mail_header *header, struct str id, struct wr *w, struct arc_results *out);

struct arc_signer {
        struct str selector;          /* A-labels */
        const struct crypto_key *key; /* private: RSA or Ed25519 */
};

struct arc_seal_params {
        struct str domain; /* A-labels */
        struct arc_signer seal, message;
        struct str results; /* behind "i=N; " of ARC-Authentication-Results: an authserv-id and its results */
        /* The chain's status at arrival. Where the chain of the message cannot have had it, what can be said truly is sealed:
         * none without a chain, and fail for a broken one or one that came later. */
        enum arc_cv cv;
        /* As in dkim_sign_params, but From is not added by itself; DKIM-Signature is, as it stands (4.1.2). */
        const struct dkim_cover *cover;
        size_t cover_count;
        int64_t time_s;   /* t=; 0: left out */
        int64_t expiry_s; /* x= of the ARC-Message-Signature; 0: left out */
        size_t line_goal; /* where lines are folded, at most MAIL_LINE_MAX; 0: MAIL_LINE_GOAL */
};

/* Write ARC-Seal, ARC-Message-Signature (relaxed/relaxed) and ARC-Authentication-Results, each folded and with its CRLF,
 * to stand in front of `header`, whose chain is `chain` and whose relaxed body has `body_digest`. A chain that fails gets a
 * seal over the new set alone (5.1.2). `w` needs room for ARC_SET_ROOM bytes.
 *   ERR_OK
 *   ERR_SEQUENCE     the chain has ended with cv=fail, or a key is public: nothing may be added
 *   ERR_LIMIT        the chain has ARC_SETS_MAX sets, or there are more than DKIM_COVERED_MAX instances to cover
 *   ERR_SYNTAX       domain, selector or a covered name are not names; Authentication-Results or an ARC field is to be
 *                    covered (4.1.2); `results` are not a field body
 *   ERR_UNSUPPORTED  an RSA key under DKIM_KEY_BITS_MIN or over DKIM_KEY_BITS_MAX
 *   ERR_SPACE, ERR_CRYPTO
 * On an error what was written to `w` is meaningless. */
MUST_USE enum err arc_seal(const struct arc_seal_params *params, const struct mail_header *header,
        const struct arc_chain *chain, const uint8_t body_digest[SHA256_SIZE], struct wr *w);

#endif
