/* SPDX-License-Identifier: ISC */
/* What lipap proves itself with under TLS. Either a certificate that was given, or one of its own making, for which nothing
 * is kept and nothing has to be renewed by hand: the key is recipe 1's (docs/key-derivation.md) for the host name and the
 * selector `tls-<epoch>`, and the epoch is the beginning of the present period of TLS_PERIOD_S since 1970, so a clock and the
 * password say which key it is. The certificate signs itself; what vouches for it is the zone: the TLSA records 3 1 1
 * (RFC 7672 3.1) of this period's key and of the next's, so that no sender ever meets a key that a cache does not know. They
 * are looked at each hour and put there by TSIG-signed UPDATE, if a key for that is given. A given certificate is read anew
 * each hour, if somebody says how; and each hour the keys of tickets change. */
#ifndef SERVE_IDENTITY_H
#define SERVE_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "auth/key.h"
#include "crypto/tls.h"
#include "dns/tsig.h"
#include "serve/dns_exchange.h"
#include "serve/metrics.h"

#define IDENTITY_KEYS 2 /* of this period, of the next */

struct identity {
        struct host *host;
        struct str hostname;  /* borrowed */
        struct key_seed seed; /* of the password at the host name */
        bool is_given;        /* the certificate was: nothing is derived or published */
        /* Give it again (identity_give), as it is now; NULL: it stays as it is. What fails leaves the former one. */
        enum err (*give_again)(struct identity *id, void *ctx);
        void *ctx;
        const struct tsig_key *tsig; /* borrowed; NULL: the records are somebody else's to publish */
        struct dns_name zone;        /* with tsig */
        struct dns_server primary;

        struct tls_context *context;                /* NULL: not yet */
        int64_t epoch;                              /* of the key in `context`; 0: none */
        uint8_t hashes[IDENTITY_KEYS][SHA256_SIZE]; /* for the TLSA records */
        bool is_published;                          /* the zone had them when it was last looked at */
        struct dns_errors errors;                   /* questions and updates that failed */
        uint64_t updates;
};

/* Take the password's seed at the host name; takes some 0.5 s without yielding. The rest of `id` is zeros, or set by the caller.
 *   ERR_OK, ERR_SYNTAX, ERR_CRYPTO */
MUST_USE enum err identity_init(
        struct identity *id, struct host *h, struct str hostname, const struct key_password *password);
/* Use these instead, as PEM text, from the next session on. Those that are in use already stay.
 *   ERR_OK, or the errors of tls_server_pem, with what was there before */
MUST_USE enum err identity_give(struct identity *id, struct host *h, struct str certificates, struct str key);
/* A fiber's function: keeps certificate, tickets and records up to date until it is cancelled. `arg` is the identity. */
void identity_run(void *arg);
void identity_drop(struct identity *id); /* after its fiber; harmless when all zeros */

#endif
