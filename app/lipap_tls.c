/* SPDX-License-Identifier: ISC */
#include "app/lipap_tls.h"

#include <stdlib.h>

#include "crypto/bytes.h"
#include "host/log.h"

#define HTTPS_PORT 443
#define ROOTS S("tls/roots.pem")
#define CERTIFICATE S("tls/cert.pem")
#define KEY S("tls/key.pem")

static void log_tls(struct host *h, enum log_level level, const char *event, const char *hint, enum err e)
{
        struct log_line l;
        log_begin(&l, h, level, "tls", event);
        if (e != ERR_OK)
                log_err(&l, e);
        log_c(&l, "hint", hint);
        log_end(&l);
}

/* ---- files ---- */

/* A file of the system, or of the image; at most TLS_PEM_MAX octets.
 *   ERR_OK, ERR_NOT_FOUND, and others */
static enum err read_file(struct store *store, struct str path, char *room, struct str *out)
{
        struct arena arena;
        if (!store)
                return options_file_read(path, room, TLS_PEM_MAX, out);
        arena_init(&arena, room, TLS_PEM_MAX);
        return store_file_read(store, path, TLS_PEM_MAX, &arena, out);
}

/* ---- roots ---- */

static enum err take_roots(struct host *h, struct lipap_options *o, char *room, struct str *roots)
{
        bool is_named = o->ca_file.n > 0;
        enum err e = read_file(is_named ? NULL : o->node.store, is_named ? o->ca_file : ROOTS, room, roots);
        if (e == ERR_OK && roots->n == 0)
                return ERR_SYNTAX; /* a file that was cut is not the wish to go without */
        if (e != ERR_NOT_FOUND || is_named)
                return e;
        *roots = (struct str){NULL, 0};
        log_tls(h, LOG_WARN, "sts-off", "for MTA-STS give --ca-file, or ptt put roots as tls/roots.pem",
                ERR_OK);
        return ERR_OK;
}

static enum err prepare_client(struct host *h, struct lipap_options *o)
{
        char *room = malloc(TLS_PEM_MAX);
        struct str roots;
        if (!room)
                return ERR_MEMORY;
        enum err e = take_roots(h, o, room, &roots);
        if (e == ERR_OK)
                e = tls_client(roots, &o->node.tls_client);
        free(room);
        if (e != ERR_OK)
                log_tls(h, LOG_ERROR, "roots-refused", "certificates as PEM are wanted", e);
        return e;
}

/* ---- our own certificate ---- */

/* The two files; both are read, so that one that is missing is told from none. */
static enum err give(
        struct identity *id, struct host *h, struct store *store, struct str certificate, struct str key)
{
        const size_t size = 2 * TLS_PEM_MAX;
        char *room = malloc(size);
        struct str first, second;
        if (!room)
                return ERR_MEMORY;
        enum err of_first = read_file(store, certificate, room, &first);
        enum err of_second = read_file(store, key, room + TLS_PEM_MAX, &second);
        enum err e = of_first != ERR_OK ? of_first : of_second;
        if (e == ERR_OK)
                e = identity_give(id, h, first, second);
        else if (store && (of_first == ERR_NOT_FOUND) != (of_second == ERR_NOT_FOUND))
                e = ERR_MISMATCH; /* one alone */
        crypto_wipe(room, size);
        free(room);
        return e;
}

static enum err give_again(struct identity *id, void *ctx)
{
        const struct lipap_options *o = ctx;
        return give(id, id->host, NULL, o->tls_cert, o->tls_key);
}

static enum err make_own(struct host *h, struct lipap_options *o)
{
        struct identity *id = &o->node.identity;
        struct dns_name name;
        enum err e = identity_init(id, h, o->node.hostname, &o->passwords[0]);
        if (e == ERR_OK)
                e = dns_name_parse(o->node.hostname, &name);
        if (e != ERR_OK || o->dns_keys.count == 0)
                return e;
        id->primary = o->dns_keys.server;
        id->tsig = dns_keys_choose(&o->dns_keys, &name, &id->zone);
        if (!id->tsig)
                log_tls(h, LOG_WARN, "no-tlsa", "no --dns-key serves the zone of --hostname", ERR_OK);
        return ERR_OK;
}

static enum err prepare_server(struct host *h, struct lipap_options *o)
{
        struct identity *id = &o->node.identity;
        bool is_named = o->tls_cert.n > 0;
        enum err e;
        id->hostname = o->node.hostname;
        if (is_named) {
                id->give_again = give_again;
                id->ctx = o;
                e = give(id, h, NULL, o->tls_cert, o->tls_key);
        } else {
                e = give(id, h, o->node.store, CERTIFICATE, KEY);
                if (e == ERR_NOT_FOUND)
                        return make_own(h, o);
        }
        if (e != ERR_OK)
                log_tls(h, LOG_ERROR, "certificate-refused",
                        is_named ? "look at the files of --tls-cert and --tls-key"
                                 : "look at tls/cert.pem and tls/key.pem in the image: both are wanted, or "
                                   "none",
                        e);
        return e;
}

enum err lipap_tls_prepare(struct host *h, struct lipap_options *o)
{
        enum err e = prepare_client(h, o);
        return e == ERR_OK ? prepare_server(h, o) : e;
}

enum err lipap_tls_start(struct lipap *node)
{
        const struct sts_config config = {.host = node->host,
                .store = node->store,
                .resolver = node->resolver,
                .roots = node->tls_client,
                .port = HTTPS_PORT};
        if (!tls_client_has_roots(node->tls_client))
                return ERR_OK;
        node->sts = sts_new(&config);
        return node->sts ? ERR_OK : ERR_MEMORY;
}

void lipap_tls_drop(struct lipap *node)
{
        identity_drop(&node->identity);
        sts_free(node->sts);
        node->sts = NULL;
        tls_context_free(node->tls_client);
        node->tls_client = NULL;
}
