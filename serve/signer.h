/* SPDX-License-Identifier: ISC */
/* The signing hop: takes a message by SMTP, signs it, hands it to the next hop, and answers with the next hop's own
 * words. Each command of a transaction is passed on as it comes: MAIL and every RCPT get the next hop's answer, the
 * envelope is not changed, and only extensions that the next hop offers are offered. Between two messages nothing is held.
 *
 * A message is buffered whole, since its signature stands before it; all buffers together stay within `memory`, of
 * which SIZE= reserves its share at MAIL (452 4.3.1 when there is none left).
 *
 * Which domain signs: that of From if it is ours, else that of a recipient `_signed.…@domain` if it is ours; neither:
 * 550 5.7.1. No key at the moment: 451 4.7.5 with the reason. Next hop away: 451 4.4.1.
 *
 * What is added: a DKIM-Signature by RSA and one by Ed25519, unless one of ours is there, right, and valid for as long
 * as queues may hold it; an ARC set when the
 * receiver in front (`authserv_id`) has written down how the message arrived, its cv= by the arc= there, or by the chain as
 * it stands where there is none. A key of the chain that the resolver does not tell for now: 451 4.4.3. */
#ifndef SERVE_SIGNER_H
#define SERVE_SIGNER_H

#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/str.h"
#include "host/host.h"
#include "auth/dkim_keys.h"
#include "serve/metrics.h"
#include "serve/resolver.h"
#include "serve/signer_hop.h"
#include "serve/smtpd.h"
#include "serve/zone.h"

#define SIGNER_SESSIONS_MAX 256

/* Borrowed for the signer's life. */
struct signer_config {
        struct host *host;
        struct zone_keeper *const *keepers; /* one a domain */
        size_t keeper_count;
        struct str hostname; /* in our banner, our EHLO and Received */
        struct ip_port destination;
        const struct ip_net *accept_from; /* who may connect; all others are told 554 5.7.1 */
        size_t accept_from_count;
        uint64_t memory;           /* for messages, over all sessions */
        struct str authserv_id;    /* whose Authentication-Results an ARC set is made of */
        struct resolver *resolver; /* for the keys of earlier ARC sets */
};

struct signer_work; /* serve/signer_work.h */

/* Why a command or a message was answered 4yz or 5yz. */
enum signer_refusal {
        SIGNER_OTHER,            /* the message cannot be signed: its header, its size, a loop */
        SIGNER_STRANGER,         /* a peer outside of accept_from */
        SIGNER_NO_KEY,           /* nothing may sign at the moment */
        SIGNER_NO_MEMORY,        /* the budget of messages is used up */
        SIGNER_NOT_OURS,         /* neither author nor ticket is of a domain of ours */
        SIGNER_NEXT_HOP_AWAY,    /* it cannot be reached, or fails */
        SIGNER_NEXT_HOP_REFUSED, /* its own answer */
        SIGNER_REFUSALS
};

/* Since the start. */
struct signer_stats {
        uint64_t signed_count; /* messages that were signed and taken by the next hop */
        uint64_t refused[SIGNER_REFUSALS];
        struct histogram latency; /* from the end of a message to the answer, the next hop's time included */
};

struct signer {
        struct signer_config config;
        uint64_t reserved; /* of `memory` */
        struct smtpd_gate gate;
        struct signer_stats stats;
        struct signer_hops hops;
        struct dkim_keys keys;     /* parsed, of earlier ARC sets */
        struct signer_work *spare; /* owned, or NULL */
};

void signer_init(struct signer *s, const struct signer_config *config);
void signer_drop(struct signer *s); /* when no listener is served any more */
/* Serve one listener until the fiber is cancelled or the listener is closed; `gate` bounds all listeners together.
 * Gives why it ended, as smtpd_listen does. */
enum err signer_serve(struct signer *s, struct host_listener *listener);

#endif
