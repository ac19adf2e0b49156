/* SPDX-License-Identifier: ISC */
/* Fetching a policy of MTA-STS: https://mta-sts.DOMAIN/.well-known/mta-sts.txt (RFC 8461 3.3), from a server with a
 * certificate for that name to which a root of ours leads. Redirects are not followed, and a text that is cut is none. */
#ifndef SERVE_STS_FETCH_H
#define SERVE_STS_FETCH_H

#include "auth/sts.h"
#include "http/client.h"
#include "serve/sts.h"

struct sts_fetched {
        struct http_client http;
        struct sts_policy policy; /* borrows from `http` */
        const char *why;          /* after an error: for a log, lives for ever */
};

/* Blocks for STS_FETCH_MS at most.
 *   ERR_OK
 *   ERR_CANCELLED
 *   other  there is no policy to be had: `why` */
MUST_USE enum err sts_fetch(const struct sts_config *config, struct str domain, struct sts_fetched *out);

#endif
