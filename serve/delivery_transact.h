/* SPDX-License-Identifier: ISC */
/* One transaction on an open connection: one copy to one recipient. */
#ifndef SERVE_DELIVERY_TRANSACT_H
#define SERVE_DELIVERY_TRANSACT_H

#include "serve/delivery_worker.h"

/* Over the worker's open connection, which is closed when it is good for nothing more. */
struct delivery_outcome delivery_transact(struct delivery_worker *w, const struct delivery_job *job);

#endif
