/* SPDX-License-Identifier: ISC */
/* What a mail host has to prove before mail goes to it: DANE (RFC 7672), where DNSSEC vouches for the way to the host and the host
 * has TLSA records; else nothing, and TLS is taken where it is offered. */
#ifndef SERVE_TLS_POLICY_H
#define SERVE_TLS_POLICY_H

#include "base/arena.h"
#include "crypto/tls.h"
#include "serve/mx.h"
#include "serve/resolver.h"
#include "smtp/client.h"

struct tls_policy {
        enum smtp_client_tls tls; /* MUST with TLSA records */
        struct tls_expect expect; /* borrows from this struct and from the arena */
        struct tls_tlsa records[TLS_TLSA_MAX];
        char name[SMTP_DOMAIN_MAX + 2], other[SMTP_DOMAIN_MAX + 2];
};

/* For the address number `nth` of `targets`, which mx_find gave for `domain`.
 *   ERR_OK
 *   other  the records of a host that has to have a say could not be had: nothing may be sent to it now (RFC 7672 2.1) */
MUST_USE enum err tls_policy_find(struct resolver *r, const struct mx_targets *targets, size_t nth,
        struct str domain, int64_t deadline_ms, struct arena *arena, struct tls_policy *out);

#endif
