/* SPDX-License-Identifier: ISC */
/* All verdicts on one message, in one pass over its header and body, by "ask again" (dns/known.h):
 *
 *     evaluate_init(&e, &input, &header, &known)      as soon as the header is there
 *     evaluate_ask(&e)                                ERR_AGAIN: give the answers, call again; the body may come meanwhile
 *     evaluate_body(&e, chunk) ...
 *     evaluate_body_end(&e)
 *     evaluate_finish(&e, &keys)                      the same; ERR_OK: e.out has the verdicts
 *     evaluate_drop(&e)
 *
 * No I/O and no clock. The struct is large: it belongs into the memory of a session, not on a stack. */
#ifndef AUTH_EVALUATE_H
#define AUTH_EVALUATE_H

#include <stdbool.h>
#include <stddef.h>

#include "auth/arc_verify.h"
#include "auth/dkim_keys.h"
#include "auth/dkim_verify.h"
#include "auth/dmarc_check.h"
#include "auth/spf_check.h"
#include "base/limits.h"
#include "dns/known.h"

/* What one message may ask in all: the `most` of dns_known_init. */
#define EVALUATE_QUESTIONS_MAX \
        (SPF_QUESTIONS_MAX + DMARC_QUESTIONS_MAX + DKIM_SIGNATURES_MAX + ARC_SIGNATURES_MAX)

struct evaluation {
        struct spf_verdict spf;
        size_t dkim_count; /* signatures looked at, from the top: those of e.dkim.list */
        struct dkim_verdict dkim[DKIM_SIGNATURES_MAX];
        struct arc_verdict arc;
        struct dmarc_author author;
        /* What DMARC was told: SPF, then each signature looked at. A key in testing gives its domain no credit. */
        struct dmarc_identifier identifiers[1 + DKIM_SIGNATURES_MAX];
        struct dmarc_verdict dmarc;
};

struct evaluate {
        struct spf_input spf;
        struct dns_known *known; /* borrowed */
        struct dkim_verify dkim; /* its body hash serves ARC, too */
        struct arc_verify arc;
        bool is_asked;                    /* nothing is wanted before the body is there */
        bool is_spf_done, is_signed_done; /* parts of `out` that are settled */
        struct evaluation out;            /* slices are borrowed from input, header and answers */
};

/* `in` is copied, what it points to is borrowed; header and `known` are borrowed. All until the drop. */
void evaluate_init(struct evaluate *e, const struct spf_input *in, const struct mail_header *header,
        struct dns_known *known);
void evaluate_body(struct evaluate *e, struct str bytes);
void evaluate_body_end(struct evaluate *e);
void evaluate_drop(struct evaluate *e);

/* Note all questions that can be foreseen from the envelope, the header and the answers so far.
 *   ERR_OK     nothing is wanted before the body is there
 *   ERR_AGAIN  some questions are wanted in `known` */
MUST_USE enum err evaluate_ask(struct evaluate *e);

/* Settle the verdicts, after evaluate_body_end.
 *   ERR_OK     `e->out` has all
 *   ERR_AGAIN  some questions are wanted in `known`: give the answers and call again */
MUST_USE enum err evaluate_finish(struct evaluate *e, struct dkim_keys *keys);

#endif
