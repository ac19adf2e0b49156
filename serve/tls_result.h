/* SPDX-License-Identifier: ISC */
/* How a try to open a connection to a mail host ended, as far as TLS is concerned. Exactly one for each try that came to
 * an end by it; a host that nobody could connect to has none. */
#ifndef SERVE_TLS_RESULT_H
#define SERVE_TLS_RESULT_H

#include "base/str.h"

enum tls_result {
        TLS_RESULT_NONE,     /* no connection, so there is nothing to say */
        TLS_RESULT_CLEAR,    /* open: TLS was not offered, and nobody asks for it */
        TLS_RESULT_FALLBACK, /* open in the clear: TLS was offered and failed, and nobody asks for it */
        TLS_RESULT_OPEN,     /* under TLS with whoever is there (RFC 7435) */
        TLS_RESULT_DANE,     /* under TLS: its zone proves the host (RFC 7672) */
        TLS_RESULT_STS,      /* under TLS: a root and the policy of the domain prove the host (RFC 8461) */
        TLS_RESULT_STS_TESTING_FAILED, /* open, though the policy would refuse it, were it not for testing only */
        TLS_RESULT_DANE_FAILED,        /* not open: its TLSA records ask for more, or cannot be had */
        TLS_RESULT_STS_FAILED,         /* not open: the policy of the domain asks for more */
        TLS_RESULTS
};

/* A word for metrics and logs, such as "sts-testing-failed". */
struct str tls_result_word(enum tls_result result);

#endif
