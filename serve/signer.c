/* SPDX-License-Identifier: ISC */
#include "serve/signer.h"

#include <stdlib.h>

#include "host/log.h"
#include "serve/signer_session.h"

void signer_init(struct signer *s, const struct signer_config *config)
{
        struct smtp_out_config hop = {.to = config->destination, .client = {.hello = config->hostname}};
        *s = (struct signer){.config = *config, .gate = {.most = SIGNER_SESSIONS_MAX}};
        signer_hops_init(&s->hops, config->host, &hop);
        dkim_keys_init(&s->keys);
}

void signer_drop(struct signer *s)
{
        signer_hops_drop(&s->hops);
        dkim_keys_drop(&s->keys);
        free(s->spare);
        s->spare = NULL;
}

static bool is_accepted(const struct signer *s, const struct ip *ip)
{
        for (size_t i = 0; i < s->config.accept_from_count; i++)
                if (ip_net_has(&s->config.accept_from[i], ip))
                        return true;
        return false;
}

static void refuse_stranger(struct signer *s, struct host_tcp *tcp, const struct ip_port *peer)
{
        struct log_line l;
        s->stats.refused[SIGNER_STRANGER]++;
        log_begin(&l, s->config.host, LOG_WARN, "signer", "stranger-refused");
        log_ip_port(&l, "peer", peer);
        log_end(&l);
        /* It is told, if it listens; nothing hangs on it. */
        (void)(host_tcp_write(s->config.host, tcp,
                       S("554 5.7.1 This host signs for its own network only\r\n"),
                       host_now_ms(s->config.host) + SIGNER_REFUSAL_MS) == ERR_OK);
}

static void run_session(void *ctx, struct host_tcp *tcp, const struct ip_port *peer)
{
        struct signer *s = ctx;
        if (!is_accepted(s, &peer->ip)) {
                refuse_stranger(s, tcp, peer);
                return;
        }
        struct signer_session *session = calloc(1, sizeof *session);
        if (!session) {
                (void)(host_tcp_write(s->config.host, tcp, S("421 4.3.0 Out of memory\r\n"),
                               host_now_ms(s->config.host) + SIGNER_REFUSAL_MS) == ERR_OK);
                return;
        }
        session->signer = s;
        session->peer = *peer;
        signer_session_run(session, tcp);
        free(session);
}

enum err signer_serve(struct signer *s, struct host_listener *listener)
{
        struct smtpd_listen_config config = {
                .host = s->config.host,
                .listener = listener,
                .gate = &s->gate,
                .session = run_session,
                .ctx = s,
        };
        struct scope scope;
        scope_open(&scope, s->config.host->sched, FIBER_NEVER);
        enum err e = scope_spawn(&scope, "hops", signer_hops_tend, &s->hops);
        if (e == ERR_OK)
                e = smtpd_listen(&config);
        scope_cancel(&scope);
        (void)scope_join(&scope);
        return e;
}
