/* SPDX-License-Identifier: ISC */
/* Destinations, for those who watch: counters and the present state of the ones that were used last, by the name of their
 * first mail host. */
#ifndef SERVE_DELIVERY_METRICS_H
#define SERVE_DELIVERY_METRICS_H

#include "serve/lipap.h"
#include "serve/metrics.h"

#define DELIVERY_METRICS_MAX \
        100 /* destinations on the page: a bound for it, and for whoever keeps its series */
#define DELIVERY_METRICS_NAME 100 /* of a longer name, the end is cut */

/* Families lipap_destination_*; nothing while no delivery runs. Counters begin anew when a destination is forgotten. */
void delivery_metrics(const struct lipap *node, struct metrics *m);

#endif
