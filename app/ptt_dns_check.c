/* SPDX-License-Identifier: ISC */
/* ptt dns --check: each record of the plan against the live one. */
#include "app/ptt_dns.h"
#include "serve/records_check.h"

#define LINE_ROOM 4096

static void tell(void *ctx, const struct records_finding *finding)
{
        char text[LINE_ROOM];
        struct wr w;
        (void)ctx;
        wr_init(&w, text, sizeof text);
        records_finding_write(&w, finding);
        ptt_text(stdout, wr_text(&w));
        putchar('\n');
}

int ptt_dns_check(struct ptt *p, const struct ptt_dns_plan *plan)
{
        struct resolver_config config = {.servers = plan->servers, .server_count = plan->server_count};
        struct resolver *resolver = resolver_new(p->host, &config);
        struct records r;
        if (!resolver)
                return ptt_say(1, "out of memory", S(""));
        enum err e = records_check(p->host, resolver, &p->arena, &plan->records, tell, NULL, &r);
        resolver_free(resolver);
        return e != ERR_OK || r.bad + r.unknown > 0 ? 1 : 0;
}
