/* SPDX-License-Identifier: ISC */
/* The pages of the signer, for serve/monitor.h; `ctx` is the struct signer. */
#ifndef SERVE_SIGNER_METRICS_H
#define SERVE_SIGNER_METRICS_H

#include "serve/metrics.h"
#include "serve/signer.h"

void signer_metrics(void *ctx, struct metrics *m);
/* It can serve while some domain has a key to sign with; each that has none is named with the reason. */
bool signer_health(void *ctx, struct wr *text);

#endif
