/* SPDX-License-Identifier: ISC */
/* One request to a peer, from its bytes to the bytes of its answer: EDNS, TSIG, truncation and the peer's faults.
 * No I/O and no waiting: who serves does that between the steps.
 *
 *     dns_request_read(&request, peer, message, over_tcp, now_s);
 *     if (dns_request_is_question(&request)) ...fill the content...
 *     else dns_request_settle(&request, &content);
 *     dns_request_answer(&request, &content, buffer, cap, &answer); */
#ifndef TESTS_SIM_DNS_REQUEST_H
#define TESTS_SIM_DNS_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "dns/edns.h"
#include "dns/summary.h"
#include "tests/sim/dns_content.h"
#include "tests/sim/dns_peer.h"

struct dns_request {
        struct dns_peer *peer;
        struct str message; /* borrowed for the request's life */
        bool over_tcp;
        bool is_silent;     /* nothing that could be answered, or a fault: no answer */
        bool has_code;      /* the code of the answer is settled; nothing is to be done */
        bool has_signature; /* the answer is signed with `key`, or tells `tsig_error` without */
        uint16_t code;
        uint16_t tsig_error;
        uint64_t now_s; /* the server's clock */
        struct dns_summary summary;
        struct dns_edns edns;
        struct dns_name key_name, algorithm; /* of the TSIG record */
        const struct dns_key *key;
        struct tsig_result tsig;
        struct dns_faults faults;
};

/* Read it, verify its signature at `now_s`, draw the faults that hit it. */
void dns_request_read(
        struct dns_request *r, struct dns_peer *p, struct str message, bool over_tcp, uint64_t now_s);
/* Is it a question of class IN that nothing speaks against? */
bool dns_request_is_question(const struct dns_request *r);
/* What is no question: apply an UPDATE, or give the code that is settled. */
void dns_request_settle(struct dns_request *r, struct dns_content *out);
/* The message; `*out` is empty when nobody is to hear anything. `cap` is DNS_MESSAGE_MAX. The content is spoilt by
 * those faults that are lies. */
void dns_request_answer(
        struct dns_request *r, struct dns_content *content, void *buffer, size_t cap, struct str *out);

#endif
