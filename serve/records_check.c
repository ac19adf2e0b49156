/* SPDX-License-Identifier: ISC */
#include "serve/records_check.h"

#define QUESTIONS_MAX 512
#define ROUND_MAX 64
#define WAIT_MS 20000

struct asking {
        struct dns_known *known;
        struct resolver *resolver;
        struct dns_fact *fact;
};

static void ask_one(void *arg)
{
        struct asking *a = arg;
        struct dns_answer answer;
        enum err e = resolver_lookup(
                a->resolver, &a->fact->name, a->fact->type, FIBER_NEVER, a->known->arena, &answer);
        dns_known_give(a->known, a->fact, e, &answer);
}

/* All that is wanted, at once. */
static void ask_all(struct host *h, struct resolver *resolver, struct dns_known *known)
{
        struct asking asking[ROUND_MAX];
        struct dns_fact *fact = NULL;
        struct scope scope;
        scope_open(&scope, h->sched, host_now_ms(h) + WAIT_MS);
        for (size_t i = 0; i < ROUND_MAX && (fact = dns_known_wanted(known, fact)); i++) {
                asking[i] = (struct asking){known, resolver, fact};
                if (scope_spawn(&scope, "question", ask_one, &asking[i]) != ERR_OK)
                        dns_known_give(known, fact, ERR_MEMORY, NULL);
        }
        (void)scope_join(&scope);
}

enum err records_check(struct host *h, struct resolver *resolver, struct arena *a,
        const struct records_plan *plan, records_tell_fn *tell, void *ctx, struct records *r)
{
        struct dns_known known;
        dns_known_init(&known, a, QUESTIONS_MAX);
        *r = (struct records){.plan = plan, .known = &known};
        for (records_compare(r); known.wanted > 0; records_compare(r))
                ask_all(h, resolver, &known);
        bool is_cancelled = fiber_is_cancelled(h->sched);
        if (!is_cancelled) {
                r->tell = tell;
                r->ctx = ctx;
                records_compare(r);
        }
        r->known = NULL;
        return is_cancelled ? ERR_CANCELLED : ERR_OK;
}
