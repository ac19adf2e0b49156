/* SPDX-License-Identifier: ISC */
/* Evaluating a message while it comes in: auth/evaluate.h, whose questions fibers put to the resolver.
 *
 *     evaluation_begin(e, node, &spf, &header)   as soon as the header is there: the questions go out
 *     evaluation_body(e, chunk) ...              meanwhile
 *     evaluation_end(e)                          waits for the answers: e->evaluate.out has the verdicts
 *     evaluation_drop(e)
 *
 * What one message may cost is bounded: its questions by EVALUATE_QUESTIONS_MAX, those on their way at one time by
 * RESOLVER_AT_ONCE, what is kept of the answers by EVALUATION_MEMORY, and the wait at its end by EVALUATION_DNS_MS. At
 * most EVALUATIONS_ASKING_MAX messages of a node ask at one time, others wait for their turn. What is not known in time
 * is trouble of the DNS, so that the verdicts which hang on it are temporary errors; what exceeds the questions or the
 * memory is what the verdicts make of it: it would be so at every try. */
#ifndef SERVE_EVALUATION_H
#define SERVE_EVALUATION_H

#include <stdbool.h>

#include "auth/evaluate.h"
#include "base/arena.h"
#include "base/limits.h"
#include "dns/known.h"
#include "fiber/fiber.h"
#include "host/host.h"
#include "serve/resolver.h"

/* What all evaluations of a node share. */
struct evaluation_node {
        struct host *host;
        struct resolver *resolver; /* borrowed */
        struct dkim_keys keys;     /* parsed keys */
        struct semaphore asking;
        int64_t patience_ms; /* EVALUATION_DNS_MS; a test may change it */
};

void evaluation_node_init(struct evaluation_node *n, struct host *h, struct resolver *resolver);
void evaluation_node_drop(struct evaluation_node *n); /* harmless after zeros */

/* One message. Belongs to one fiber; large, and only as much of it is touched as the message asks for. Not to be moved. */
struct evaluation_job {
        struct evaluation_node *node; /* borrowed */
        struct evaluate evaluate;
        struct dns_known known;
        bool is_scope_open;
        struct scope scope;       /* of the fiber that asks while the body comes */
        bool is_asking, is_asked; /* it was begun; it has come to its end */
        struct waitq asked;
        struct arena arena;
        char memory[EVALUATION_MEMORY];
};

/* Begin, and put all questions that can be foreseen. `spf` is copied; what it points to and the header are borrowed
 * until the drop. What is remembered of the DNS answers at once; the rest is asked in a fiber: the caller is never blocked. */
void evaluation_begin(struct evaluation_job *e, struct evaluation_node *node, const struct spf_input *spf,
        const struct mail_header *header);
void evaluation_body(struct evaluation_job *e, struct str bytes);
/* The body has come: wait for what is still to be known, and settle all verdicts.
 *   ERR_OK         `e->evaluate.out` has them; what DNS did not tell in time is a temporary error there
 *   ERR_CANCELLED  the calling fiber is to end */
MUST_USE enum err evaluation_end(struct evaluation_job *e);
/* At any moment behind evaluation_begin, and exactly once: cancels what is still asked, waits for its fiber, frees. */
void evaluation_drop(struct evaluation_job *e);

#endif
