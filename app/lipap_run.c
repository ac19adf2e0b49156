/* SPDX-License-Identifier: ISC */
/* The life of lipap: keys, image, listeners, fibers, and their end. */
#include <stdlib.h>

#include "app/lipap.h"
#include "app/lipap_tls.h"
#include "host/log.h"
#include "serve/bounce_judge.h"
#include "serve/delivery.h"
#include "serve/handover.h"
#include "serve/inbound.h"
#include "serve/janitor.h"
#include "serve/lipap_metrics.h"
#include "serve/mailer.h"
#include "serve/monitor.h"
#include "store/lists.h"

#define DOMAINS_ARENA (256 * 1024)

struct server {
        struct host *host;
        struct lipap_options *o;
        struct lipap *node;  /* of `o` */
        struct scope *scope; /* of everything that serves */
        struct monitor monitor;
        struct host_listener *watched; /* NULL: no --metrics */
        int status;
};

static void log_plain(
        struct server *s, enum log_level level, const char *event, const char *key, struct str value)
{
        struct log_line l;
        log_begin(&l, s->host, level, "lipap", event);
        if (key)
                log_str(&l, key, value);
        log_end(&l);
}

static enum err derive_keys(struct server *s)
{
        enum err e = ERR_OK;
        for (size_t i = 0; i < s->node->domain_count; i++) {
                struct lipap_domain *d = &s->node->domains[i];
                for (size_t k = 0; e == ERR_OK && k < s->o->password_count; k++) {
                        struct key_seed seed;
                        e = key_seed_derive(&s->o->passwords[k], d->name, &seed);
                        if (e == ERR_OK)
                                e = token_key_derive(
                                        str_of(seed.bytes, sizeof seed.bytes), &d->keys[d->key_count++]);
                        key_seed_wipe(&seed);
                }
        }
        return e;
}

static enum err open_store(struct server *s)
{
        const char *why;
        enum err e = store_open_as(s->host, s->o->image, STORE_SERVER, &why, &s->node->store);
        if (e == ERR_OK)
                return e;
        struct log_line l;
        log_begin(&l, s->host, LOG_ERROR, "lipap", "image-refused");
        log_str(&l, "image", s->o->image);
        log_err(&l, e);
        if (why[0])
                log_c(&l, "why", why);
        log_c(&l, "hint",
                e == ERR_BUSY          ? "another process has it open"
                : e == ERR_NOT_FOUND   ? "make it with ptt create"
                : e == ERR_UNSUPPORTED ? "no image, or of a newer version"
                : e == ERR_CORRUPT     ? "run ptt check --repair --not-running, or restore it from a copy"
                                       : "look at the disk and its rights");
        log_end(&l);
        return e;
}

/* Lists of a domain that is not served are named, and their mail is refused. */
static enum err name_unserved(struct server *s)
{
        char *memory = malloc(DOMAINS_ARENA);
        struct arena arena;
        struct str *domains;
        size_t count = 0;
        if (!memory)
                return ERR_MEMORY;
        arena_init(&arena, memory, DOMAINS_ARENA);
        enum err e = store_domains(s->node->store, &arena, &domains, &count);
        for (size_t i = 0; e == ERR_OK && i < count; i++) {
                struct store_list *lists;
                size_t lists_count = 0;
                if (lipap_domain_find(s->node, domains[i]))
                        continue;
                e = store_lists(s->node->store, domains[i], &arena, &lists, &lists_count);
                for (size_t k = 0; e == ERR_OK && k < lists_count; k++) {
                        struct log_line l;
                        log_begin(&l, s->host, LOG_WARN, "lipap", "list-not-served");
                        log_str(&l, "list", lists[k].name);
                        log_str(&l, "domain", lists[k].domain);
                        log_c(&l, "hint", "its domain is none of --domain: mail to it is refused");
                        log_end(&l);
                }
        }
        free(memory);
        return e;
}

/* ---- serving ---- */

struct listening {
        struct server *server;
        struct host_listener *listener;
};

static void listen_run(void *arg)
{
        struct listening *listening = arg;
        struct lipap *node = listening->server->node;
        struct smtpd_listen_config config = {.host = node->host,
                .listener = listening->listener,
                .gate = &node->gate,
                .session = inbound_session,
                .is_favoured = inbound_is_favoured,
                .ctx = node};
        (void)smtpd_listen(&config);
}

static void monitor_run(void *arg)
{
        struct server *s = arg;
        s->monitor = (struct monitor){
                .host = s->host, .metrics = lipap_metrics, .health = lipap_health, .ctx = s->node};
        (void)monitor_serve(&s->monitor, s->watched);
}

/* The end of the program: the platform's word, or a disk that failed. */
static void wait_run(void *arg)
{
        struct server *s = arg;
        while (host_wait_stop(s->host) != ERR_OK && !fiber_is_cancelled(s->host->sched))
                ;
        scope_cancel(s->scope);
}

static void guard_run(void *arg)
{
        struct server *s = arg;
        while (fiber_sleep(s->host->sched, 200) == ERR_OK)
                if (store_is_broken(s->node->store)) {
                        log_plain(s, LOG_ERROR, "storage-failed", "hint",
                                S("nothing more is accepted; ending"));
                        s->status = 1;
                        scope_cancel(s->scope);
                        return;
                }
}

static enum err open_listeners(struct server *s, struct listening *out)
{
        if (s->o->metrics.ip.family != 0) {
                enum err e = monitor_listen(s->host, &s->o->metrics, &s->watched);
                if (e != ERR_OK)
                        return e;
        }
        for (size_t i = 0; i < s->o->listen_count; i++) {
                struct log_line l;
                enum err e = host_listen(s->host, &s->o->listens[i], &out[i].listener);
                log_begin(&l, s->host, e == ERR_OK ? LOG_INFO : LOG_ERROR, "lipap",
                        e == ERR_OK ? "listening" : "listen-failed");
                log_ip_port(&l, "at", &s->o->listens[i]);
                if (e != ERR_OK)
                        log_err(&l, e);
                log_end(&l);
                if (e != ERR_OK)
                        return e;
                out[i].server = s;
        }
        return ERR_OK;
}

static enum err spawn_all(struct server *s, struct listening *listening)
{
        enum err e = scope_spawn(s->scope, "handover", handover_run, s->node);
        if (e == ERR_OK)
                e = scope_spawn(s->scope, "delivery", delivery_run, s->node);
        if (e == ERR_OK)
                e = scope_spawn(s->scope, "stop", wait_run, s);
        if (e == ERR_OK)
                e = scope_spawn(s->scope, "guard", guard_run, s);
        if (e == ERR_OK)
                e = scope_spawn(s->scope, "watch", watch_run, &s->o->watch);
        if (e == ERR_OK)
                e = scope_spawn(s->scope, "mailer", mailer_run, s->node);
        if (e == ERR_OK)
                e = scope_spawn(s->scope, "bounces", bounce_judge_run, s->node);
        if (e == ERR_OK)
                e = scope_spawn(s->scope, "janitor", janitor_run, s->node);
        if (e == ERR_OK)
                e = scope_spawn(s->scope, "tls", identity_run, &s->node->identity);
        if (e == ERR_OK && s->watched)
                e = scope_spawn(s->scope, "metrics", monitor_run, s);
        for (size_t i = 0; e == ERR_OK && i < s->o->listen_count; i++)
                e = scope_spawn(s->scope, "listen", listen_run, &listening[i]);
        return e;
}

/* Whose word on DNSSEC is believed is said, since mail goes by it. */
static void name_trusted(struct server *s)
{
        for (size_t i = 0; i < s->o->nameserver_count; i++) {
                struct log_line l;
                if (!s->o->nameservers[i].is_trusted)
                        continue;
                log_begin(&l, s->host, LOG_INFO, "tls", "dane");
                log_ip_port(&l, "trusted-nameserver", &s->o->nameservers[i].at);
                log_end(&l);
        }
}

/* Inside the scope of the store fiber: everything that serves, until it has ended. */
static void serve(struct server *s)
{
        struct listening listening[LIPAP_LISTENERS_MAX] = {0};
        struct resolver_config config = {
                .servers = s->o->nameservers, .server_count = s->o->nameserver_count};
        struct scope scope;
        name_trusted(s);
        s->node->resolver = resolver_new(s->host, &config);
        s->scope = &scope;
        s->status = 1;
        evaluation_node_init(&s->node->evaluations, s->host, s->node->resolver);
        if (s->node->resolver && lipap_tls_start(s->node) == ERR_OK && name_unserved(s) == ERR_OK &&
                open_listeners(s, listening) == ERR_OK) {
                scope_open(&scope, s->host->sched, FIBER_NEVER);
                s->status = 0;
                if (spawn_all(s, listening) != ERR_OK) {
                        s->status = 1;
                        scope_cancel(&scope);
                } else {
                        log_plain(s, LOG_INFO, "ready", "hostname", s->node->hostname);
                }
                (void)scope_join(&scope);
        }
        if (s->watched)
                host_listener_close(s->host, s->watched);
        for (size_t i = 0; i < s->o->listen_count; i++)
                if (listening[i].listener)
                        host_listener_close(s->host, listening[i].listener);
        inbound_forget(s->node);
        evaluation_node_drop(&s->node->evaluations);
        if (s->node->resolver)
                resolver_free(s->node->resolver);
}

/* A connection for delivery takes more memory than a session: a small machine has fewer of them. */
static size_t delivery_workers(size_t room)
{
        size_t share = room / DELIVERY_WORKERS_SHARE;
        if (room == 0 || share > DELIVERY_WORKERS_MAX)
                return DELIVERY_WORKERS_MAX;
        return share > DELIVERY_WORKERS_MIN ? share : DELIVERY_WORKERS_MIN;
}

/* As many sessions as were asked for, or as the platform has room for beside what we open ourselves. */
static void set_gate(struct server *s)
{
        size_t wanted = s->o->sessions_max > 0 ? s->o->sessions_max : LIPAP_SESSIONS_MAX;
        size_t room = s->host->connections_max, workers = delivery_workers(room);
        size_t own = LIPAP_CONNECTIONS_OWN - DELIVERY_WORKERS_MAX + workers;
        size_t most = room > own + LIPAP_SESSIONS_MIN ? room - own : LIPAP_SESSIONS_MIN;
        bool is_lowered = room > 0 && most < wanted;
        struct log_line l;
        s->node->delivery_workers = workers;
        s->node->gate.most = is_lowered ? most : wanted;
        s->node->gate.reserved = LIPAP_SESSIONS_RESERVED;
        s->node->gate.messages_most = LIPAP_MESSAGES_MAX;
        s->node->gate.secured_most = LIPAP_SECURED_MAX;
        log_begin(
                &l, s->host, is_lowered && s->o->sessions_max > 0 ? LOG_WARN : LOG_INFO, "lipap", "sessions");
        log_u64(&l, "most", s->node->gate.most);
        if (is_lowered)
                log_c(&l, "why", "the platform has room for no more");
        log_end(&l);
}

/* Keys, the image, certificates; then nobody needs the passwords any more. */
static enum err prepare(struct server *s)
{
        enum err e = derive_keys(s);
        if (e == ERR_OK)
                e = open_store(s);
        if (e == ERR_OK)
                e = lipap_tls_prepare(s->host, s->o);
        for (size_t k = 0; k < s->o->password_count; k++)
                key_password_wipe(&s->o->passwords[k]);
        return e;
}

int lipap_run(struct host *h, struct lipap_options *o)
{
        struct server server = {.host = h, .o = o, .node = &o->node, .status = 1};
        struct scope scope; /* of the store fiber */
        o->node.host = h;
        o->watch.node = &o->node;
        host_random(h, o->node.peers.key, sizeof o->node.peers.key);
        log_plain(&server, LOG_INFO, "start", "version", S(PTT_VERSION));
        set_gate(&server);
        if (prepare(&server) != ERR_OK) {
                store_close(o->node.store);
                lipap_tls_drop(&o->node);
                return 1;
        }
        scope_open(&scope, h->sched, FIBER_NEVER);
        if (store_start(o->node.store, &scope) == ERR_OK)
                serve(&server);
        scope_cancel(&scope);
        (void)scope_join(&scope);
        store_close(o->node.store);
        lipap_tls_drop(&o->node);
        log_plain(&server, LOG_INFO, "stop", NULL, S(""));
        return server.status;
}
