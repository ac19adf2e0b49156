/* SPDX-License-Identifier: ISC */
/* The life of nec: one fiber a domain keeps its keys in the zone, one a listener takes sessions. */
#include "app/nec.h"
#include "host/log.h"
#include "serve/monitor.h"
#include "serve/signer.h"
#include "serve/signer_metrics.h"
#include "serve/zone.h"

struct server {
        struct nec_options *o;
        struct host *host;
        struct zone_keeper *keepers[NEC_DOMAINS_MAX];
        struct host_listener *listeners[NEC_LISTENERS_MAX], *watched;
        struct monitor monitor;
        struct signer signer;
};

struct listening {
        struct server *server;
        struct host_listener *listener;
};

static void log_start(struct server *s)
{
        struct log_line l;
        log_begin(&l, s->host, LOG_INFO, "nec", "start");
        log_c(&l, "version", PTT_VERSION);
        log_ip_port(&l, "dns-server", &s->o->dns_keys.server.at);
        log_ip_port(&l, "destination", &s->o->destination);
        log_u64(&l, "domains", s->o->domain_count);
        log_u64(&l, "message-memory", s->o->memory);
        log_u64(&l, "sessions", SIGNER_SESSIONS_MAX);
        log_end(&l);
}

/* Keys that live for seconds are no keys for mail. */
static void warn_of_test(struct server *s)
{
        struct log_line l;
        if (!s->o->is_rotation_test)
                return;
        log_begin(&l, s->host, LOG_WARN, "nec", "rotation-test");
        log_i64(&l, "validity", s->o->validity_s);
        log_i64(&l, "overlap", s->o->overlap_s);
        log_end(&l);
}

struct zone_keeper_config nec_keeper_config(const struct nec_options *o, size_t i)
{
        return (struct zone_keeper_config){
                .domain = o->domains[i].name,
                .zone = o->domains[i].zone,
                .primary = o->dns_keys.server,
                .tsig = o->domains[i].tsig,
                .password = &o->password,
                .selector = o->selector,
                .arc_selector = o->arc_selector,
                .has_ed25519 = o->has_ed25519,
                .validity_s = o->validity_s,
                .overlap_s = o->overlap_s,
                .queue_life_s = o->queue_life_s,
                .ttl_s = (uint32_t)o->ttl_s,
                .mode = o->mode,
                .is_rotation_test = o->is_rotation_test,
        };
}

static enum err open_keepers(struct server *s)
{
        const struct nec_options *o = s->o;
        enum err e = ERR_OK;
        for (size_t i = 0; e == ERR_OK && i < o->domain_count; i++) {
                struct zone_keeper_config config = nec_keeper_config(o, i);
                e = zone_keeper_new(s->host, &config, &s->keepers[i]);
        }
        key_password_wipe(&s->o->password);
        return e;
}

static enum err open_listeners(struct server *s)
{
        if (s->o->metrics.ip.family != 0) {
                enum err e = monitor_listen(s->host, &s->o->metrics, &s->watched);
                if (e != ERR_OK)
                        return e;
        }
        for (size_t i = 0; i < s->o->listen_count; i++) {
                struct log_line l;
                enum err e = host_listen(s->host, &s->o->listens[i], &s->listeners[i]);
                log_begin(&l, s->host, e == ERR_OK ? LOG_INFO : LOG_ERROR, "nec",
                        e == ERR_OK ? "listening" : "cannot-listen");
                log_ip_port(&l, "at", &s->o->listens[i]);
                if (e != ERR_OK)
                        log_err(&l, e);
                log_end(&l);
                if (e != ERR_OK)
                        return e;
        }
        return ERR_OK;
}

static void run_monitor(void *arg)
{
        struct server *s = arg;
        (void)monitor_serve(&s->monitor, s->watched);
}

static void run_listener(void *arg)
{
        struct listening *listening = arg;
        (void)signer_serve(&listening->server->signer, listening->listener);
}

static enum err spawn_all(struct server *s, struct scope *scope, struct listening *listening)
{
        enum err e = ERR_OK;
        s->monitor = (struct monitor){
                .host = s->host, .metrics = signer_metrics, .health = signer_health, .ctx = &s->signer};
        if (s->watched)
                e = scope_spawn(scope, "metrics", run_monitor, s);
        for (size_t i = 0; e == ERR_OK && i < s->o->domain_count; i++)
                e = scope_spawn(scope, "zone", zone_keeper_run, s->keepers[i]);
        for (size_t i = 0; e == ERR_OK && i < s->o->listen_count; i++) {
                listening[i] = (struct listening){s, s->listeners[i]};
                e = scope_spawn(scope, "listener", run_listener, &listening[i]);
        }
        return e;
}

static enum err serve(struct server *s)
{
        struct listening listening[NEC_LISTENERS_MAX];
        struct scope scope;
        struct signer_config config = {
                .host = s->host,
                .keepers = s->keepers,
                .keeper_count = s->o->domain_count,
                .hostname = s->o->domains[0].name,
                .destination = s->o->destination,
                .accept_from = s->o->accept_from,
                .accept_from_count = s->o->accept_from_count,
                .memory = s->o->memory,
                .authserv_id = s->o->authserv_id,
        };
        struct resolver_config names = {.servers = s->o->nameservers, .server_count = s->o->nameserver_count};
        config.resolver = resolver_new(s->host, &names);
        if (!config.resolver)
                return ERR_MEMORY;
        signer_init(&s->signer, &config);
        scope_open(&scope, s->host->sched, FIBER_NEVER);
        enum err e = spawn_all(s, &scope, listening);
        if (e == ERR_OK)
                (void)(host_wait_stop(s->host) == ERR_OK); /* whatever ends the wait ends the program */
        scope_cancel(&scope);
        (void)scope_join(&scope);
        signer_drop(&s->signer);
        resolver_free(config.resolver);
        return e;
}

int nec_run(struct host *h, struct nec_options *o)
{
        struct server server = {.o = o, .host = h};
        struct log_line l;
        if (o->mode == ZONE_REVOKES || o->mode == ZONE_REVOKES_SAME)
                return nec_revoke(h, o);
        log_start(&server);
        warn_of_test(&server);
        enum err e = open_keepers(&server);
        if (e == ERR_OK)
                e = open_listeners(&server);
        if (e == ERR_OK)
                e = serve(&server);
        if (server.watched)
                host_listener_close(h, server.watched);
        for (size_t i = 0; i < o->listen_count; i++)
                if (server.listeners[i])
                        host_listener_close(h, server.listeners[i]);
        for (size_t i = 0; i < o->domain_count; i++)
                zone_keeper_free(server.keepers[i]);
        log_begin(&l, h, e == ERR_OK ? LOG_INFO : LOG_ERROR, "nec", "stop");
        if (e != ERR_OK)
                log_err(&l, e);
        log_end(&l);
        return e == ERR_OK ? 0 : 1;
}
