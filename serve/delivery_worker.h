/* SPDX-License-Identifier: ISC */
/* What the parts of a worker share: delivery_worker.c (the loop), delivery_connect.c (a connection and its TLS),
 * delivery_transact.c (one transaction), delivery_outcome.c (what came of it: log, statistics, store). */
#ifndef SERVE_DELIVERY_WORKER_H
#define SERVE_DELIVERY_WORKER_H

#include "serve/delivery_internal.h"
#include "serve/smtp_out.h"
#include "serve/tls_policy.h"
#include "serve/tls_result.h"

#define DELIVERY_WORKER_ARENA 16384

/* One connection to one destination. */
struct delivery_worker {
        struct destination *destination;
        struct lipap *node;
        struct smtp_out *out;
        bool is_open;
        struct delivery_address *address; /* where the connection has its place; NULL: nowhere */
        bool is_reused;                   /* a transaction was done on this connection: it may be stale */
        bool is_shared;             /* it may serve other domains of the destination (delivery_connect.h) */
        uint8_t order[MX_KEY_SIZE]; /* of the hosts, as that domain prefers them, if it is shared */
        unsigned taken;             /* messages on this connection */
        unsigned tried;             /* recipients, whatever became of them */
        bool has_idled;             /* since the last transaction */
        struct str domain;          /* for which it was opened */
        struct ip_port peer;
        struct mx_targets targets;
        struct tls_policy policy;   /* of the connection */
        enum tls_result tls_result; /* of the last try to open one */
        struct arena arena;
        char memory[DELIVERY_WORKER_ARENA];
        char domain_text[SMTP_DOMAIN_MAX + 2];
        char said[SMTP_REPLY_TEXT_MAX]; /* what became of the present job, as text */
};

#endif
