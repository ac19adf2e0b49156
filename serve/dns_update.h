/* SPDX-License-Identifier: ISC */
/* The client of DNS UPDATE: sign, send to the primary, verify what comes back (RFC 2136, RFC 8945).
 * Only an answer with a right signature is success; a lost answer is told apart from a refusal. */
#ifndef SERVE_DNS_UPDATE_H
#define SERVE_DNS_UPDATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "dns/tsig.h"
#include "dns/update.h"
#include "host/host.h"
#include "serve/dns_exchange.h"

enum dns_update_status {
        DNS_UPDATE_DONE, /* NOERROR, signed: the zone is changed */
        DNS_UPDATE_REFUSED, /* another rcode, signed: nothing is changed. NXRRSET and YXRRSET: a prerequisite failed */
        DNS_UPDATE_CLAIMED, /* an error without a right signature: `rcode` and `tsig_error` are only what somebody says */
        DNS_UPDATE_NOT_SENT, /* the request did not reach the server: nothing is changed; `err` says why */
        DNS_UPDATE_UNKNOWN, /* it was sent, and no answer that can be believed came: the zone may be changed */
};

struct dns_update_result {
        enum dns_update_status status;
        enum err err;   /* ERR_OK but for NOT_SENT and UNKNOWN; ERR_DENIED: an answer that did not verify */
        uint16_t rcode; /* of the answer; NOTAUTH when TSIG failed at the server */
        uint16_t tsig_error; /* what the server said of our signature: BADKEY, BADSIG, BADTIME ... or 0 */
        enum tsig_verdict verdict; /* what we say of the answer's */
        uint64_t server_time_s;    /* with BADTIME: the server's clock, signed; else 0 */
        uint64_t our_time_s;       /* the time that we signed */
};

/* Finish `update`, sign it with `key`, send it over TCP (over UDP if the server refuses TCP connections and is not
 * `tcp_only`) and wait for the answer. The buffer of `update` needs TSIG_ROOM bytes more than its message.
 * Sent once. Every outcome is in `*out`. */
void dns_update_send(struct host *h, const struct dns_server *server, const struct tsig_key *key,
        struct dns_update *update, int64_t deadline_ms, struct dns_update_result *out);

#endif
