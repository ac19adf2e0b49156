/* SPDX-License-Identifier: ISC */
#include "serve/signer_hop.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

void signer_hops_init(struct signer_hops *p, struct host *h, const struct smtp_out_config *config)
{
        *p = (struct signer_hops){.host = h, .config = *config, .patience_ms = SIGNER_HOP_IDLE_MS};
        p->config.connect_ms = SIGNER_HOP_CONNECT_MS;
}

void signer_hop_drop(struct signer_hop *hop)
{
        if (hop)
                smtp_out_close(&hop->out);
        free(hop);
}

void signer_hops_drop(struct signer_hops *p)
{
        while (p->idle_count > 0)
                signer_hop_drop(p->idle[--p->idle_count]);
}

enum err signer_hop_open(struct signer_hops *p, struct signer_hop **out)
{
        struct smtp_reply reply;
        struct signer_hop *hop = malloc(sizeof *hop); /* smtp_out_open fills it */
        *out = NULL;
        if (!hop)
                return ERR_MEMORY;
        enum err e = smtp_out_open(&hop->out, p->host, &p->config, &reply);
        if (e != ERR_OK) {
                signer_hop_drop(hop);
                return e;
        }
        p->opened++;
        *out = hop;
        return ERR_OK;
}

enum err signer_hop_take(struct signer_hops *p, struct signer_hop **out)
{
        while (p->idle_count > 0) {
                struct signer_hop *hop = p->idle[--p->idle_count];
                if (smtp_out_is_alive(&hop->out)) {
                        p->reused++;
                        *out = hop;
                        return ERR_OK;
                }
                signer_hop_drop(hop);
        }
        return signer_hop_open(p, out);
}

void signer_hop_give(struct signer_hops *p, struct signer_hop *hop)
{
        if (p->idle_count == SIGNER_HOPS_IDLE_MAX || hop->out.fault != ERR_OK) {
                signer_hop_drop(hop);
                return;
        }
        hop->idle_ms = host_now_ms(p->host);
        p->idle[p->idle_count++] = hop;
        bell_ring(&p->bell);
}

/* The one that is idle for the longest, if it is so for too long. */
static struct signer_hop *take_old(struct signer_hops *p, int64_t now_ms)
{
        struct signer_hop *hop = p->idle_count > 0 ? p->idle[0] : NULL;
        if (!hop || hop->idle_ms + p->patience_ms > now_ms)
                return NULL;
        p->idle_count--;
        memmove(p->idle, p->idle + 1, p->idle_count * sizeof p->idle[0]);
        return hop;
}

void signer_hops_tend(void *arg)
{
        struct signer_hops *p = arg;
        enum err e = ERR_OK;
        while (e == ERR_OK) {
                uint64_t seen = p->bell.rung;
                struct signer_hop *old = take_old(p, host_now_ms(p->host));
                if (old) {
                        smtp_out_quit(&old->out);
                        signer_hop_drop(old);
                } else if (p->idle_count > 0) {
                        e = fiber_sleep(p->host->sched, p->patience_ms / 4);
                } else {
                        e = bell_wait(&p->bell, p->host->sched, seen, FIBER_NEVER);
                }
        }
}
