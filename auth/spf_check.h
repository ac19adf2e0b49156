/* SPDX-License-Identifier: ISC */
/* check_host() of RFC 7208 4, by "ask again" (dns/known.h). No I/O and no clock.
 *
 * Terms count against the limits of 4.6.4 in the order in which the RFC evaluates them. A term whose answer is not
 * there yet is passed over, and the questions of those behind it, which the limits allow, are noted too; so includes
 * cost one round trip a level, however many they are. Foresight takes at most half of the questions in `known`, so that
 * it never hinders the evaluation itself. */
#ifndef AUTH_SPF_CHECK_H
#define AUTH_SPF_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "auth/spf.h"
#include "base/ip.h"
#include "base/str.h"
#include "dns/known.h"

struct spf_input {
        struct ip ip; /* the SMTP client, of family 4 or 6; an IPv4-mapped IPv6 address counts as IPv4 */
        /* MAIL FROM without angle brackets and source route. Empty: the HELO identity is checked (2.4). A domain in
         * U-labels counts as its A-labels. */
        struct str sender;
        struct str helo;     /* the argument of HELO or EHLO, whatever it is */
        struct str receiver; /* our own name, for explanations; may be empty */
        int64_t now_s;       /* the clock, for explanations */
        bool explain;        /* ask for the explanation of a fail (6.2), which costs a question more */
};

/* Evaluate with the answers so far.
 *   ERR_OK     `*out` is the verdict
 *   ERR_AGAIN  some questions are wanted in `known`: give the answers and call again (`*out` is SPF_NONE) */
MUST_USE enum err spf_check(const struct spf_input *in, struct dns_known *known, struct spf_verdict *out);

#endif
