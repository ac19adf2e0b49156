/* SPDX-License-Identifier: ISC */
/* One transaction on an open connection: one copy to one recipient. */
#ifndef SERVE_DELIVERY_TRANSACT_H
#define SERVE_DELIVERY_TRANSACT_H

#include "serve/delivery_worker.h"

/* `letter` to the recipient of `job` over the worker's open connection, which is closed when it is good for nothing more.
 * A small one goes out in one write with its envelope, and its answers come in one round trip, where the server offers
 * PIPELINING and CHUNKING. Behind the end of the message nothing is sent before this returns. */
struct delivery_outcome delivery_transact(
        struct delivery_worker *w, const struct delivery_job *job, const struct delivery_letter *letter);

#endif
