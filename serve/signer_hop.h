/* SPDX-License-Identifier: ISC */
/* Connections to the next hop, kept from one message to the next. A connection belongs to one session from MAIL to the
 * end of the transaction, and to nobody between; a stale one is noticed when it is taken. For serve/signer*.c only. */
#ifndef SERVE_SIGNER_HOP_H
#define SERVE_SIGNER_HOP_H

#include <stddef.h>
#include <stdint.h>

#include "host/host.h"
#include "serve/bell.h"
#include "serve/smtp_out.h"

#define SIGNER_HOPS_IDLE_MAX 32           /* beyond that a connection is closed behind its message */
#define SIGNER_HOP_IDLE_MS 10000          /* an unused connection is closed */
#define SIGNER_HOP_CONNECT_MS (10 * 1000) /* the next hop is a neighbour */

struct signer_hop {
        int64_t idle_ms; /* since when */
        struct smtp_out out;
};

struct signer_hops {
        struct host *host;
        struct smtp_out_config config;
        int64_t patience_ms; /* SIGNER_HOP_IDLE_MS; a test may change it */
        size_t idle_count;
        struct signer_hop *idle[SIGNER_HOPS_IDLE_MAX]; /* owned, the longest idle first */
        struct bell bell;                              /* something became idle */
        uint64_t opened, reused;                       /* since the start */
};

/* `config` is copied; what it points to is borrowed for the life. */
void signer_hops_init(struct signer_hops *p, struct host *h, const struct smtp_out_config *config);
void signer_hops_drop(struct signer_hops *p); /* closes what is idle; when nobody holds one */

/* A fresh connection.
 *   ERR_OK      `*out` is to be given back or dropped
 *   ERR_MEMORY, or the errors of smtp_out_open    (`*out` is NULL) */
MUST_USE enum err signer_hop_open(struct signer_hops *p, struct signer_hop **out);
/* The same, but an idle one that is alive is taken first. It may die all the same before it is used. */
MUST_USE enum err signer_hop_take(struct signer_hops *p, struct signer_hop **out);
/* Give back one on which no transaction is open; one that has ended is dropped. */
void signer_hop_give(struct signer_hops *p, struct signer_hop *hop);
void signer_hop_drop(struct signer_hop *hop); /* close at once; NULL is harmless */

/* A fiber that closes, with QUIT, what was idle for too long. `arg` is the struct signer_hops. */
void signer_hops_tend(void *arg);

#endif
