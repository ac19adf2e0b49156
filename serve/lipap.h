/* SPDX-License-Identifier: ISC */
/* The mailing-list server as one node: what its fibers share. Each works on a part of a message's life and wakes the
 * next: inbound.h takes mail in, handover.h takes it to nec, signed_in.h takes the signed copy back, delivery.h brings
 * it to every subscriber. What has to outlive a moment is in the store; here is only what can be had again. */
#ifndef SERVE_LIPAP_H
#define SERVE_LIPAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/limits.h"
#include "base/str.h"
#include "fiber/fiber.h"
#include "host/host.h"
#include "list/alarm.h"
#include "list/route.h"
#include "list/token.h"
#include "serve/bell.h"
#include "serve/evaluation.h"
#include "serve/identity.h"
#include "serve/peers.h"
#include "serve/resolver.h"
#include "serve/smtpd.h"
#include "serve/sts.h"
#include "serve/tls_result.h"
#include "store/store.h"

struct lipap_domain {
        struct str name;                            /* as given; compared without case */
        struct token_key keys[LIPAP_PASSWORDS_MAX]; /* the first makes tokens, all are accepted */
        size_t key_count;
};

struct post;
struct delivery;
struct providers;
struct rewrite;

#define LIPAP_END_TEXT_MAX 1024
#define LIPAP_REFUSALS 200 /* reply codes 400 to 599 */

/* Since the start. */
struct lipap_stats {
        uint64_t accepted;                /* messages answered 250: posts, commands, signed copies, bounces */
        uint64_t refused[LIPAP_REFUSALS]; /* commands and messages, by reply code, 400 first */
        uint64_t handed_over;             /* messages that a signer took and brought back */
        uint64_t not_signed;              /* tries to hand one over that failed */
        uint64_t delivered, deferred, failed; /* tries of deliveries */
        uint64_t tls_in, tls_in_failed;       /* handshakes of peers that came to us */
        uint64_t tls_results[TLS_RESULTS];    /* of tries to connect to other mail hosts */
        uint64_t commands[ROUTE_KINDS];       /* mail that a list obeyed or answered, by route */
        uint64_t held;                        /* posts that were held for moderators */
        uint64_t written;                     /* notices that became mail */
        uint64_t expired;                     /* requests that nobody answered in time */
        uint64_t bounced_out;                 /* members whom the judge of bounces removed */
        /* what was found about mail for lists and moderators: one each a message, of DKIM one a signature */
        uint64_t spf[SPF_RESULT_COUNT], dkim[DKIM_PERMERROR + 1], dmarc[DMARC_RESULT_COUNT],
                arc[ARC_FAIL + 1];
};
void lipap_count_reply(
        struct lipap_stats *stats, enum smtp_server_event_kind asked, const struct smtp_reply *reply);

struct lipap {
        struct host *host;
        struct store *store;
        struct resolver *resolver;
        struct evaluation_node evaluations;
        struct str hostname;
        struct str authserv_id; /* in whose name results of authentication are written (RFC 8601 2.5) */
        struct lipap_domain domains[LIPAP_DOMAINS_MAX];
        size_t domain_count;
        struct ip_port signers[LIPAP_SIGNERS_MAX];
        size_t signer_count;
        struct ip_net signer_networks[LIPAP_SIGNERS_MAX];
        size_t signer_network_count;
        struct ip_net proxies[LIPAP_PROXIES_MAX]; /* who speak the PROXY protocol for others */
        size_t proxy_count;
        int64_t greet_ms;            /* before the banner */
        int64_t tarpit_ms;           /* before each refusal behind the first; 0: none */
        struct peers peers;          /* who have sessions open */
        size_t address_sessions_max; /* of one address, but for signers; 0: no bound */
        struct str admin_local;      /* beside postmaster and abuse; empty: none */
        struct str admin;            /* where their mail goes; empty: to the moderators of the domain */
        uint64_t message_max;
        int64_t retry_first_ms;   /* before the second try of a delivery */
        size_t delivery_workers;  /* connections for delivery; 0: DELIVERY_WORKERS_MAX */
        struct str relay;         /* the host, or address literal, that takes all mail; empty: none does */
        uint16_t delivery_port;   /* of other mail hosts, or of the relay: 25, unless it is said otherwise */
        struct post *spare_posts; /* memory for messages that come in (post_in.c) */
        size_t spare_post_count;
        struct rewrite *spare_rewrite;  /* room for making the header of one (post_keep.c) */
        struct identity identity;       /* of ours under TLS; without a context nothing is offered */
        struct tls_context *tls_client; /* for connections to other mail hosts; NULL: in the clear */
        struct sts *sts;                /* policies of their domains; NULL: without roots there are none */
        struct inbound_memory *spare_memory; /* of transactions (inbound.c) */
        size_t spare_memory_count;
        struct smtpd_gate gate;
        char end_text[LIPAP_END_TEXT_MAX]; /* of the reply to the message that was last answered */
        struct lipap_stats stats;
        struct bell handover_bell; /* a message was taken in, or a held post was released */
        struct bell delivery_bell; /* a signed copy was taken in */
        struct bell mailer_bell;   /* there is mail to be written */
        struct providers *
                providers; /* how deliveries ended there lately; NULL: nobody judges by it (bounce_judge.h) */
        struct delivery *delivery; /* while it runs: for metrics (delivery_metrics.h) */
        bool has_released;         /* open messages may be older than those already handed over */
        bool has_flushed;          /* the admin wants all tried now: also destinations that rest */
        bool is_signer_away;       /* none could be reached when each was last tried */
        bool alarms[ALARMS];       /* which hold, as last looked at (watch.h) */
};

/* The domain of ours that `name` is, or NULL. */
const struct lipap_domain *lipap_domain_find(const struct lipap *node, struct str name);
bool lipap_is_signer(const struct lipap *node, const struct ip *peer);
bool lipap_is_proxy(const struct lipap *node, const struct ip *peer);
/* Held posts became open: hand them over, though they are older than others that already were. */
void lipap_posts_released(struct lipap *node);
/* The admin changes the queue: look at all of it now. To be called before the change, since what it makes due may be taken
 * at once and must find no destination at rest, and after it. */
void lipap_queue_changed(struct lipap *node);

#endif
