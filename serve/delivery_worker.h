/* SPDX-License-Identifier: ISC */
/* What the parts of a worker share: delivery_worker.c (the loop), delivery_connect.c (a connection and its TLS),
 * delivery_transact.c (one transaction), delivery_outcome.c (what came of it: log, statistics, store). */
#ifndef SERVE_DELIVERY_WORKER_H
#define SERVE_DELIVERY_WORKER_H

#include "serve/delivery_internal.h"
#include "serve/mx.h"
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
        bool is_reused; /* a transaction was done on this connection: it may be stale */
        struct ip_port peer;
        struct mx_targets targets;
        struct tls_policy policy;   /* of the connection */
        enum tls_result tls_result; /* of the last try to open one */
        struct arena arena;
        char memory[DELIVERY_WORKER_ARENA];
        char said[SMTP_REPLY_TEXT_MAX]; /* what became of the present job, as text */
};

/* What became of a job. */
enum delivery_verdict {
        DELIVERY_DONE,
        DELIVERY_DEFER,
        DELIVERY_FAIL,
        DELIVERY_STALE, /* the connection had been used before and ended here: to be tried over another one */
        DELIVERY_CROWDED /* no connection, but others to this destination are open: it is theirs */
};
struct delivery_outcome {
        enum delivery_verdict kind;
        bool is_destination; /* the whole destination is to be left alone for now */
        unsigned code;       /* of the reply; 0: there was none */
        struct str said;     /* borrowed from the worker until its next word, or for ever */
};

#endif
