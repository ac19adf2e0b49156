/* SPDX-License-Identifier: ISC */
#include "tests/sim/mx.h"

#include <stdlib.h>

#include "tests/sim/buffer.h"
#include "tests/sim/mx_inside.h"

struct mx *mx_new(const struct mx_config *config)
{
        struct mx *m = calloc(1, sizeof *m);
        CHECK(m);
        m->config = *config;
        m->config.domains = str_copy(config->domains);
        m->temper = config->temper;
        m->random = sim_random_of(config->seed, S("mx"), str_of_c(config->name));
        return m;
}

void mx_free(struct mx *m)
{
        if (!m)
                return;
        mx_bounces_free(m);
        str_free(m->config.domains);
        free(m->greys);
        free(m->clients);
        free(m);
}

bool mx_chance(struct mx *m, unsigned percent)
{
        return percent > 0 && sim_random_below(&m->random, 100) < percent;
}

const struct mx_temper *mx_temper_get(const struct mx *m)
{
        return &m->temper;
}

void mx_temper_set(struct mx *m, const struct mx_temper *temper)
{
        m->temper = *temper;
        if (m->temper.is_refusing && m->listener) {
                host_listener_close(m->host, m->listener); /* which wakes who accepts */
                m->listener = NULL;
        }
        waitq_wake_all(&m->bell);
}

/* ---- connections ---- */

struct connection {
        struct mx *mx;
        struct host_tcp *tcp;
        struct ip peer;
};

static void run_connection(void *arg)
{
        struct connection c = *(struct connection *)arg;
        free(arg);
        mx_session(c.mx, c.tcp, &c.peer);
}

static void begin(struct mx *m, struct host_tcp *tcp, const struct ip *peer)
{
        struct connection *c = malloc(sizeof *c);
        CHECK(c);
        *c = (struct connection){m, tcp, *peer};
        if (scope_spawn(&m->scope, "mx-session", run_connection, c) == ERR_OK)
                return;
        free(c);
        host_tcp_close(m->host, tcp);
}

/* Listen when that is wished.
 *   ERR_OK, or what stands against it */
static enum err be_there(struct mx *m)
{
        while (m->temper.is_refusing) {
                enum err e = waitq_wait(&m->bell, m->host->sched, FIBER_NEVER);
                if (e != ERR_OK)
                        return e;
        }
        if (m->listener)
                return ERR_OK;
        enum err e = host_listen(m->host, &m->config.at, &m->listener);
        m->status = e == ERR_OK ? m->status : 1;
        return e;
}

static void run_listener(void *arg)
{
        struct mx *m = arg;
        enum err e;
        while ((e = be_there(m)) == ERR_OK) {
                struct host_tcp *tcp;
                struct ip_port peer;
                e = host_accept(m->host, m->listener, FIBER_NEVER, &tcp, &peer);
                if (e == ERR_OK)
                        begin(m, tcp, &peer.ip);
                else if (m->listener)
                        break; /* and not closed by a change of temperament */
        }
        scope_cancel(&m->scope);
}

static void wait_stop(void *arg)
{
        struct mx *m = arg;
        if (host_wait_stop(m->host) == ERR_OK)
                scope_cancel(&m->scope);
}

int mx_run(struct host *h, void *arg)
{
        struct mx *m = arg;
        m->host = h;
        m->status = 0;
        scope_open(&m->scope, h->sched, FIBER_NEVER);
        if (scope_spawn(&m->scope, "mx-stop", wait_stop, m) != ERR_OK ||
                scope_spawn(&m->scope, "mx-bounce", mx_bounce_run, m) != ERR_OK ||
                scope_spawn(&m->scope, "mx", run_listener, m) != ERR_OK)
                scope_cancel(&m->scope);
        (void)scope_join(&m->scope);
        if (m->listener)
                host_listener_close(h, m->listener);
        m->listener = NULL;
        m->host = NULL;
        return m->status;
}
