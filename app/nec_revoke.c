/* SPDX-License-Identifier: ISC */
/* nec --revoke: domain by domain, until the zone shows that the older keys are worth nothing. */
#include "app/nec.h"
#include "host/log.h"

#define REVOKE_MAX_MS (2 * 60 * 1000) /* for one domain: an operator waits for it */

static void log_outcome(struct host *h, const struct zone_keeper *k, enum err outcome)
{
        struct zone_signing_key key;
        struct str reason;
        struct log_line l;
        log_begin(&l, h, outcome == ERR_OK ? LOG_INFO : LOG_ERROR, "nec",
                outcome == ERR_OK ? "revoked" : "not-revoked");
        log_str(&l, "domain", zone_keeper_domain(k));
        if (outcome == ERR_NOT_FOUND)
                log_c(&l, "reason", "the zone has no pointer record: it names no key");
        else if (outcome != ERR_OK && zone_keeper_key(k, &key, &reason) != ERR_OK)
                log_str(&l, "reason", reason);
        log_end(&l);
}

static enum err revoke(struct host *h, const struct zone_keeper_config *config)
{
        struct zone_keeper *k;
        struct scope scope;
        enum err e = zone_keeper_new(h, config, &k);
        if (e != ERR_OK)
                return e;
        scope_open(&scope, h->sched, host_now_ms(h) + REVOKE_MAX_MS);
        e = scope_spawn(&scope, "zone", zone_keeper_run, k);
        (void)scope_join(&scope);
        if (e == ERR_OK)
                e = zone_keeper_revoked(k);
        log_outcome(h, k, e);
        zone_keeper_free(k);
        return e;
}

int nec_revoke(struct host *h, struct nec_options *o)
{
        int status = 0;
        for (size_t i = 0; i < o->domain_count; i++) {
                struct zone_keeper_config config = nec_keeper_config(o, i);
                if (revoke(h, &config) != ERR_OK)
                        status = 1;
        }
        key_password_wipe(&o->password);
        return status;
}
