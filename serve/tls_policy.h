/* SPDX-License-Identifier: ISC */
/* What a mail host has to prove before mail goes to it:
 *   1. DANE (RFC 7672), where DNSSEC vouches for the way to the host and the host has TLSA records. Nothing overrules it.
 *   2. MTA-STS (RFC 8461), where the domain has a policy: the policy names the host, and a root leads to its certificate.
 *   3. Nothing: TLS is taken where it is offered, from whoever is there (RFC 7435). */
#ifndef SERVE_TLS_POLICY_H
#define SERVE_TLS_POLICY_H

#include "base/arena.h"
#include "crypto/tls.h"
#include "serve/mx.h"
#include "serve/resolver.h"
#include "serve/sts.h"
#include "smtp/client.h"

enum tls_rule {
        TLS_RULE_NONE,
        TLS_RULE_DANE,
        TLS_RULE_STS,
        TLS_RULE_STS_TESTING /* as the former, but what fails is only counted */
};

struct tls_policy {
        enum tls_rule rule;
        bool is_unlisted;         /* the policy of MTA-STS does not name the host */
        enum smtp_client_tls tls; /* MUST with DANE and MTA-STS */
        struct tls_expect expect; /* borrows from this struct and from the arena */
        struct tls_tlsa records[TLS_TLSA_MAX];
        char name[SMTP_DOMAIN_MAX + 2], other[SMTP_DOMAIN_MAX + 2];
};

struct tls_policy_question {
        struct resolver *resolver;
        struct sts *sts;                  /* NULL: MTA-STS is off */
        const struct mx_targets *targets; /* which mx_find gave for `domain` */
        size_t nth;                       /* of the addresses there */
        struct str domain;
        uint16_t port;               /* of the hosts: each has its TLSA records */
        int64_t now_ms, deadline_ms; /* the deadline is DNS's; a fetch for MTA-STS has one of its own */
        struct arena *arena;
};

/*   ERR_OK
 *   other  what a host that has to have a say would say could not be had: nothing may be sent to it now (RFC 7672 2.1).
 *          `out->rule` tells who failed: TLS_RULE_DANE or TLS_RULE_STS; TLS is a must, so that no error leads to the clear */
MUST_USE enum err tls_policy_find(const struct tls_policy_question *q, struct tls_policy *out);
/* None of the TLSA records turned out to be usable: TLS is a must (RFC 7672 2.2), and the rest is for MTA-STS to say.
 *   as tls_policy_find */
MUST_USE enum err tls_policy_without_dane(const struct tls_policy_question *q, struct tls_policy *policy);

#endif
