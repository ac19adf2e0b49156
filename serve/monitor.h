/* SPDX-License-Identifier: ISC */
/* The pages for those who watch a program, over HTTP: /metrics (serve/metrics.h), and /healthz, which answers 200 while
 * the program can serve, and 503 with the reason else. */
#ifndef SERVE_MONITOR_H
#define SERVE_MONITOR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/ip.h"
#include "host/host.h"
#include "serve/metrics.h"

#define MONITOR_PAGE_MAX \
        (384 * 1024) /* of a page: 32 domains with every error there is, or 100 destinations with long names */

struct monitor {
        struct host *host;
        /* Write all families. May block for a moment, on the fiber of the connection. */
        void (*metrics)(void *ctx, struct metrics *m);
        /* Can it serve? What is wrong, or worth a word, is written as lines of text. */
        bool (*health)(void *ctx, struct wr *text);
        void *ctx;
        size_t open; /* connections, over all listeners; zero at the start */
};

/* Serve one listener until the fiber is cancelled or the listener closed; more than MONITOR_CONNECTIONS_MAX connections
 * at a time are closed at once.
 *   ERR_CANCELLED, ERR_TIMEOUT, ERR_CLOSED: why accepting ended */
enum err monitor_serve(struct monitor *monitor, struct host_listener *listener);

/* The listener of an option: open it and say so in the log.
 *   ERR_OK, or the errors of host_listen */
MUST_USE enum err monitor_listen(struct host *h, const struct ip_port *at, struct host_listener **out);

#endif
