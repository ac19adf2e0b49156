/* SPDX-License-Identifier: ISC */
/* The pages of the list server, for serve/monitor.h; `ctx` is the struct lipap. */
#ifndef SERVE_LIPAP_METRICS_H
#define SERVE_LIPAP_METRICS_H

#include "serve/lipap.h"
#include "serve/metrics.h"

/* The store is asked, which takes a moment and blocks the calling fiber. */
void lipap_metrics(void *ctx, struct metrics *m);
/* It can serve as long as its disk has not failed. */
bool lipap_health(void *ctx, struct wr *text);

#endif
