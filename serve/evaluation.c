/* SPDX-License-Identifier: ISC */
#include "serve/evaluation.h"

void evaluation_node_init(struct evaluation_node *n, struct host *h, struct resolver *resolver)
{
        *n = (struct evaluation_node){.host = h,
                .resolver = resolver,
                .asking.left = EVALUATIONS_ASKING_MAX,
                .patience_ms = EVALUATION_DNS_MS};
        dkim_keys_init(&n->keys);
}

void evaluation_node_drop(struct evaluation_node *n)
{
        dkim_keys_drop(&n->keys);
}

/* One round of questions.
 *   ERR_OK when nothing is wanted any more, ERR_TIMEOUT, ERR_CANCELLED */
static enum err ask(struct evaluation_job *e, int64_t deadline_ms)
{
        struct evaluation_node *n = e->node;
        enum err err = semaphore_take(&n->asking, n->host->sched, deadline_ms);
        if (err != ERR_OK)
                return err;
        err = resolver_answer(n->resolver, &e->known, deadline_ms);
        semaphore_give(&n->asking);
        return err;
}

static void ask_run(void *arg)
{
        struct evaluation_job *e = arg;
        enum err err = ERR_OK;
        while (err == ERR_OK && evaluate_ask(&e->evaluate) == ERR_AGAIN)
                err = ask(e, FIBER_NEVER);
        e->is_asked = true;
        waitq_wake_all(&e->asked);
}

void evaluation_begin(struct evaluation_job *e, struct evaluation_node *node, const struct spf_input *spf,
        const struct mail_header *header)
{
        enum err err;
        e->node = node;
        e->is_asking = e->is_asked = e->is_scope_open = false;
        e->asked = (struct waitq){0};
        arena_init(&e->arena, e->memory, sizeof e->memory);
        dns_known_init(&e->known, &e->arena, EVALUATE_QUESTIONS_MAX);
        evaluate_init(&e->evaluate, spf, header, &e->known);
        do
                err = evaluate_ask(&e->evaluate);
        while (err == ERR_AGAIN && resolver_answer_remembered(node->resolver, &e->known));
        if (err == ERR_OK)
                return;
        scope_open(&e->scope, node->host->sched, FIBER_NEVER);
        e->is_scope_open = true;
        e->is_asking = scope_spawn(&e->scope, "evaluation", ask_run, e) == ERR_OK; /* else at the end */
}

void evaluation_body(struct evaluation_job *e, struct str bytes)
{
        evaluate_body(&e->evaluate, bytes);
}

static void close_scope(struct evaluation_job *e)
{
        if (!e->is_scope_open)
                return;
        scope_cancel(&e->scope);
        (void)scope_join(&e->scope);
        e->is_scope_open = false;
}

/* Wait for the fiber that asks, until the deadline. */
static enum err wait_asked(struct evaluation_job *e, int64_t deadline_ms)
{
        enum err err = ERR_OK;
        while (e->is_asking && !e->is_asked && err == ERR_OK)
                err = waitq_wait(&e->asked, e->node->host->sched, deadline_ms);
        close_scope(e);
        return err;
}

/* What nobody has answered by now is trouble. */
static void give_up(struct evaluation_job *e)
{
        for (struct dns_fact *f = NULL; (f = dns_known_wanted(&e->known, f));)
                dns_known_give(&e->known, f, ERR_TIMEOUT, NULL);
}

enum err evaluation_end(struct evaluation_job *e)
{
        int64_t deadline_ms = host_now_ms(e->node->host) + e->node->patience_ms;
        evaluate_body_end(&e->evaluate);
        enum err err = wait_asked(e, deadline_ms);
        while (err != ERR_CANCELLED && evaluate_finish(&e->evaluate, &e->node->keys) == ERR_AGAIN) {
                if (err == ERR_OK)
                        err = ask(e, deadline_ms);
                if (err != ERR_OK)
                        give_up(e);
        }
        return err == ERR_CANCELLED ? ERR_CANCELLED : ERR_OK;
}

void evaluation_drop(struct evaluation_job *e)
{
        close_scope(e);
        evaluate_drop(&e->evaluate);
}
