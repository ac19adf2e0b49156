/* SPDX-License-Identifier: ISC */
/* The ARC sets of a message (RFC 8617 4.2) by instance, and the rules of their structure (5.2 steps 1 and 2). Pure;
 * everything is borrowed from the message's header. */
#ifndef AUTH_ARC_CHAIN_H
#define AUTH_ARC_CHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/arc.h"
#include "auth/dkim_signature.h"
#include "base/limits.h"
#include "crypto/sha256.h"
#include "mail/header.h"

/* The fields of a set, in the order in which a seal covers them (5.1.1). */
enum arc_field { ARC_FIELD_RESULTS, ARC_FIELD_SIGNATURE, ARC_FIELD_SEAL, ARC_FIELDS };

struct str arc_field_name(enum arc_field f);

struct arc_set {
        const struct mail_field *fields[ARC_FIELDS];
        struct str twice;           /* the name of a field of which there are two, or empty */
        struct dkim_signature seal; /* the ARC-Seal, as far as it could be read */
        enum dkim_fault seal_fault; /* of it: DKIM_OK when it is well formed */
        struct str seal_detail;     /* of that fault */
};

struct arc_chain {
        size_t count; /* the highest instance from 1 to ARC_SETS_MAX; 0: no ARC field, or none with an instance */
        bool is_ended;                     /* the newest seal says cv=fail */
        bool is_over;                      /* there is an instance above ARC_SETS_MAX */
        struct arc_set sets[ARC_SETS_MAX]; /* instance i at i - 1; those behind `count` are not written */
        struct arc_verdict
                verdict; /* ARC_NONE; ARC_FAIL for its structure; ARC_PASS while only signatures can fail it */
};

/* Read all ARC fields. Of the faults that there are, the verdict tells that which 5.2 comes to first. */
void arc_chain_read(const struct mail_header *header, struct arc_chain *out);

/* i= at the head of ARC-Authentication-Results (4.1.1), and what stands behind its ";".
 *   the instance, or 0 when it has none from 1 to ARC_SETS_MAX; above that: ARC_SETS_MAX + 1 */
size_t arc_results_instance(struct str body, struct str *payload);

/* What the seal of each set signs (5.1.1), that of instance i at i - 1: the sets up to it in relaxed form, but for the
 * value of its own b=. All in one pass, so that fifty large sets cost no more than their length. The chain's verdict
 * must be ARC_PASS.
 *   ERR_OK, or ERR_CRYPTO with zeros in some of `out` */
MUST_USE enum err arc_chain_digests(const struct arc_chain *c, uint8_t out[ARC_SETS_MAX][SHA256_SIZE]);

#endif
