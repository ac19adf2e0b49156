/* SPDX-License-Identifier: ISC */
/* Does the author still stand for a message whose header was changed on the way? Its body is as it came. The verifier is
 * the one that judged it at arrival (auth/evaluate.h), on the octets that go out, with the keys and the policy that were
 * found then: nothing is asked. Pure: no I/O, no clock. */
#ifndef AUTH_PROOF_H
#define AUTH_PROOF_H

#include <stdbool.h>
#include <stdint.h>

#include "auth/evaluate.h"

/* Is there a signature that passed at arrival, passes on `header` as well, does so at `until_s` too, which is not before
 * the moment of arrival, and is aligned with the author's domain? Aligned is what DMARC says, or, when its policy could not be
 * found out, exactly that domain. A key in testing gives no credit.
 *
 * `e` is settled, by `keys`. `header` has the signatures in the order in which they came, and none beside.
 * `room` is for the work; nothing is left in it. */
bool proof_holds(struct dkim_verify *room, const struct evaluate *e, struct dkim_keys *keys,
        const struct mail_header *header, int64_t until_s);

#endif
