/* SPDX-License-Identifier: ISC */
/* lipap, the mailing-list server, on any platform: what its command line says, and the server that it asks for. */
#ifndef APP_LIPAP_H
#define APP_LIPAP_H

#include "app/dns_keys.h"
#include "app/options.h"
#include "auth/key.h"
#include "base/ip.h"
#include "serve/lipap.h"
#include "serve/resolver.h"
#include "serve/watch.h"

#define LIPAP_LISTENERS_MAX 8

/* Values borrow from argv. */
struct lipap_options {
        struct options options;
        struct lipap node; /* its names, networks and limits; lipap_run fills in the rest */
        struct str image;
        struct dns_server nameservers[RESOLVER_SERVERS_MAX];
        struct ip_port listens[LIPAP_LISTENERS_MAX];
        struct ip_port metrics; /* family 0: none */
        struct key_password passwords[LIPAP_PASSWORDS_MAX];
        size_t nameserver_count, listen_count, password_count;
        size_t sessions_max;       /* as asked for; 0: not */
        struct watch_config watch; /* nec's selectors */
        struct dns_keys dns_keys;  /* may write the TLSA records of the host name */
        struct str tls_cert,
                tls_key;    /* files; empty: those of the image, or a certificate of our own making */
        struct str ca_file; /* roots; empty: those of the image, if there are any */
        char relay[64];     /* of --relay, when it is an address */
        const char *label;  /* --name, or NULL */
};

/* Read argv into `o`, all zeros. `--help` and `--version` are answered here.
 *   -1: go on; else the program ends with this status, and what is wrong was said in one line */
int lipap_options_read(struct lipap_options *o, int argc, char **argv);
void lipap_options_wipe(struct lipap_options *o); /* the secrets in it */

/* Serve on `h`, in a fiber, until the platform asks to stop, the fiber is cancelled or the disk fails.
 * Uses up `o`: its passwords are wiped, and its node is of no use afterwards.
 *   the status of the program: 0, or 1 with the reason in the log */
int lipap_run(struct host *h, struct lipap_options *o);

#endif
