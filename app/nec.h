/* SPDX-License-Identifier: ISC */
/* nec, the signer, on any platform: what its command line says, checked and complete, and the signer it asks for. */
#ifndef APP_NEC_H
#define APP_NEC_H

#include <stddef.h>
#include <stdint.h>

#include "app/dns_keys.h"
#include "app/options.h"
#include "auth/key.h"
#include "base/ip.h"
#include "base/limits.h"
#include "host/host.h"
#include "serve/dns_exchange.h"
#include "serve/resolver.h"
#include "serve/zone.h"

#define NEC_DOMAINS_MAX 32
#define NEC_DOMAIN_TEXT_MAX 160 /* leaves room for the names of its records */
#define NEC_LISTENERS_MAX 8
#define NEC_NETWORKS_MAX 32

struct nec_domain {
        char text[NEC_DOMAIN_TEXT_MAX]; /* lower case */
        struct str name;                /* of `text` */
        struct dns_name zone;
        const struct tsig_key *tsig; /* of `dns_keys` */
};

/* Values borrow from argv. */
struct nec_options {
        struct options options;
        struct nec_domain domains[NEC_DOMAINS_MAX];
        struct dns_keys dns_keys;
        struct ip_port listens[NEC_LISTENERS_MAX];
        struct ip_net accept_from[NEC_NETWORKS_MAX];
        size_t domain_count, listen_count, accept_from_count;
        struct ip_port metrics;                              /* family 0: none */
        struct dns_server nameservers[RESOLVER_SERVERS_MAX]; /* the dns_server alone when none is given */
        size_t nameserver_count;
        struct str authserv_id;
        struct ip_port destination;
        struct key_password password;
        struct str selector, arc_selector;
        bool has_ed25519;
        bool is_rotation_test;
        enum zone_mode mode;
        int64_t validity_s, overlap_s, queue_life_s, ttl_s;
        uint64_t memory;
        const char *label; /* --name, or NULL */
};

/* Read argv. `--help` and `--version` are answered here.
 *   -1: go on; else the program ends with this status, and what is wrong was said in one line */
int nec_options_read(struct nec_options *o, int argc, char **argv);
void nec_options_wipe(struct nec_options *o); /* the secrets in it */

/* What the keeper of domain `i` is to do. */
struct zone_keeper_config nec_keeper_config(const struct nec_options *o, size_t i);

/* The one shot of --revoke, in a fiber: what it does stands in the log. The password in `o` is wiped.
 *   the status of the program: 0 when the older keys of each domain are revoked */
int nec_revoke(struct host *h, struct nec_options *o);

/* Sign on `h`, in a fiber, until the platform asks to stop or the fiber is cancelled. The password in `o` is wiped.
 *   the status of the program: 0, or 1 with the reason in the log */
int nec_run(struct host *h, struct nec_options *o);

#endif
