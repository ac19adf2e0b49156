/* SPDX-License-Identifier: ISC */
/* nec, the signer: reads the command line and wires the fibers. One fiber a domain keeps its keys in the zone, one a
 * listener takes sessions. */
#include <stdlib.h>

#include "app/nec.h"
#include "host/linux/linux.h"
#include "host/log.h"
#include "serve/signer.h"
#include "serve/zone.h"

struct program {
        struct nec_options options;
        struct host *host;
        struct zone_keeper *keepers[NEC_DOMAINS_MAX];
        struct host_listener *listeners[NEC_LISTENERS_MAX];
        struct signer signer;
        int status;
};

struct listening {
        struct program *program;
        struct host_listener *listener;
};

static void log_start(struct program *p)
{
        struct log_line l;
        log_begin(&l, p->host, LOG_INFO, "nec", "start");
        log_c(&l, "version", PTT_VERSION);
        log_ip_port(&l, "dns-server", &p->options.dns_server.at);
        log_ip_port(&l, "destination", &p->options.destination);
        log_u64(&l, "domains", p->options.domain_count);
        log_u64(&l, "message-memory", p->options.memory);
        log_u64(&l, "sessions", SIGNER_SESSIONS_MAX);
        log_end(&l);
}

static enum err open_keepers(struct program *p)
{
        const struct nec_options *o = &p->options;
        enum err e = ERR_OK;
        for (size_t i = 0; e == ERR_OK && i < o->domain_count; i++) {
                struct zone_keeper_config config = {
                        .domain = o->domains[i].name,
                        .zone = o->domains[i].zone,
                        .primary = o->dns_server,
                        .tsig = o->domains[i].tsig,
                        .password = &o->password,
                        .selector = o->selector,
                        .validity_s = o->validity_s,
                        .overlap_s = o->overlap_s,
                        .queue_life_s = o->queue_life_s,
                        .ttl_s = (uint32_t)o->ttl_s,
                };
                e = zone_keeper_new(p->host, &config, &p->keepers[i]);
        }
        key_password_wipe(&p->options.password);
        return e;
}

static enum err open_listeners(struct program *p)
{
        for (size_t i = 0; i < p->options.listen_count; i++) {
                struct log_line l;
                enum err e = host_listen(p->host, &p->options.listens[i], &p->listeners[i]);
                log_begin(&l, p->host, e == ERR_OK ? LOG_INFO : LOG_ERROR, "nec",
                        e == ERR_OK ? "listening" : "cannot-listen");
                log_ip_port(&l, "at", &p->options.listens[i]);
                if (e != ERR_OK)
                        log_err(&l, e);
                log_end(&l);
                if (e != ERR_OK)
                        return e;
        }
        return ERR_OK;
}

static void run_listener(void *arg)
{
        struct listening *listening = arg;
        (void)signer_serve(&listening->program->signer, listening->listener);
}

static enum err spawn_all(struct program *p, struct scope *scope, struct listening *listening)
{
        enum err e = ERR_OK;
        for (size_t i = 0; e == ERR_OK && i < p->options.domain_count; i++)
                e = scope_spawn(scope, "zone", zone_keeper_run, p->keepers[i]);
        for (size_t i = 0; e == ERR_OK && i < p->options.listen_count; i++) {
                listening[i] = (struct listening){p, p->listeners[i]};
                e = scope_spawn(scope, "listener", run_listener, &listening[i]);
        }
        return e;
}

static enum err serve(struct program *p)
{
        struct listening listening[NEC_LISTENERS_MAX];
        struct scope scope;
        struct signer_config config = {
                .host = p->host,
                .keepers = p->keepers,
                .keeper_count = p->options.domain_count,
                .hostname = p->options.domains[0].name,
                .destination = p->options.destination,
                .accept_from = p->options.accept_from,
                .accept_from_count = p->options.accept_from_count,
                .memory = p->options.memory,
        };
        signer_init(&p->signer, &config);
        scope_open(&scope, p->host->sched, FIBER_NEVER);
        enum err e = spawn_all(p, &scope, listening);
        if (e == ERR_OK)
                (void)(linux_host_wait_stop(p->host) == ERR_OK); /* whatever ends the wait ends the program */
        scope_cancel(&scope);
        (void)scope_join(&scope);
        return e;
}

static void run(void *arg)
{
        struct program *p = arg;
        struct log_line l;
        log_start(p);
        enum err e = open_keepers(p);
        if (e == ERR_OK)
                e = open_listeners(p);
        if (e == ERR_OK)
                e = serve(p);
        for (size_t i = 0; i < p->options.listen_count; i++)
                if (p->listeners[i])
                        host_listener_close(p->host, p->listeners[i]);
        for (size_t i = 0; i < p->options.domain_count; i++)
                zone_keeper_free(p->keepers[i]);
        log_begin(&l, p->host, e == ERR_OK ? LOG_INFO : LOG_ERROR, "nec", "stop");
        if (e != ERR_OK)
                log_err(&l, e);
        log_end(&l);
        p->status = e == ERR_OK ? 0 : 1;
}

int main(int argc, char **argv)
{
        struct program *p = calloc(1, sizeof *p);
        if (!p)
                return 1;
        p->status = nec_options_read(&p->options, argc, argv);
        if (p->status < 0) {
                p->status = 1;
                linux_take_descriptors();
                p->host = linux_host_new(p->options.label);
                if (p->host) {
                        linux_host_run(p->host, run, p);
                        linux_host_free(p->host);
                }
        }
        int status = p->status;
        nec_options_wipe(&p->options);
        free(p);
        return status;
}
