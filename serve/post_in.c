/* SPDX-License-Identifier: ISC */
/* A message for a list, or for those who look after a list or the server: its header waits in memory, and the body
 * streams to the spool while fibers ask the DNS about the author. At the final dot the verdicts decide whether it is
 * kept, durably and under a ticket before 250, and then left to handover.c, or to the moderators before. */
#include <stdlib.h>

#include "host/log.h"
#include "serve/post.h"

/* Blocks are used again: the kernel would clear the pages of a fresh one. */
static struct post *take(struct lipap *node)
{
        struct post *p = node->spare_posts;
        if (!p)
                return malloc(sizeof *p);
        node->spare_posts = p->next_spare;
        node->spare_post_count--;
        return p;
}

static void give_back(struct lipap *node, struct post *p)
{
        if (node->spare_post_count == LIPAP_SPARE_POSTS_MAX) {
                free(p);
                return;
        }
        p->next_spare = node->spare_posts;
        node->spare_posts = p;
        node->spare_post_count++;
}

void post_in_forget(struct lipap *node)
{
        while (node->spare_posts)
                free(take(node));
        free(node->spare_rewrite);
        node->spare_rewrite = NULL;
}

static void release(struct post *p)
{
        arrival_drop(&p->arrival);
        give_back(p->arrival.envelope->node, p);
}

static void init(struct post *p, const struct inbound_envelope *envelope)
{
        p->intake = NULL;
        p->trouble = ERR_OK;
        p->size_max = post_is_for_list(envelope) ? inbound_post_max(&envelope->list) : UINT64_MAX;
        p->forged = 0;
        p->is_held = p->is_rewritten = false;
        arrival_begin(&p->arrival, envelope, post_header_check);
}

static struct smtp_reply begin(const struct inbound_envelope *envelope, void **state)
{
        struct lipap *node = envelope->node;
        struct post *p = take(node);
        *state = NULL;
        if (!p)
                return smtp_reply_of(452, 3, 1, S("out of memory, try again later"));
        init(p, envelope);
        enum err e = store_intake_begin(node->store, envelope->has_size ? envelope->size : 0, &p->intake);
        if (e != ERR_OK) {
                release(p);
                return inbound_store_trouble(node, e);
        }
        *state = p;
        return smtp_reply_plain(354, S("go ahead, end with a dot on a line of its own"));
}

/* What goes to a list or its moderators gets its header at the end, when it is known what becomes of it. */
static void keep_header(struct post *p)
{
        const struct inbound_envelope *e = p->arrival.envelope;
        if (p->arrival.is_evaluating && !post_is_for_list(e) && !post_is_for_owner(e))
                p->trouble = post_header_write(p);
}

static void body(void *state, struct str bytes)
{
        struct post *p = state;
        if (arrival_got(&p->arrival, &bytes))
                keep_header(p);
        if (bytes.n == 0 || !p->arrival.is_evaluating || p->trouble != ERR_OK)
                return;
        evaluation_body(&p->arrival.evaluation, bytes);
        p->trouble = store_intake_write(p->intake, bytes);
}

static void drop(void *state)
{
        struct post *p = state;
        store_intake_abort(p->intake);
        release(p);
}

/* Why it is not to be kept; code 0 when nothing speaks against it so far. */
static struct smtp_reply refuse(struct post *p, uint64_t size)
{
        const struct inbound_envelope *e = p->arrival.envelope;
        if (p->trouble == ERR_OK && size <= p->size_max && arrival_header_end(&p->arrival))
                keep_header(p);
        if (p->trouble != ERR_OK)
                return inbound_store_trouble(e->node, p->trouble);
        if (size > p->size_max)
                return smtp_reply_of(552, 3, 4, S("larger than this list takes (max-message)"));
        return arrival_settle(&p->arrival);
}

static void log_post(const struct post *p, uint64_t size, const struct smtp_reply *reply)
{
        struct log_line l;
        arrival_log(&l, &p->arrival, size, reply);
        if (p->is_held)
                log_c(&l, "held", "yes");
        if (p->forged > 0)
                log_u64(&l, "forged-results", p->forged);
        if (p->is_rewritten)
                log_str(&l, "author-field", rewrite_from_text(p->from));
        log_end(&l);
}

static struct smtp_reply end(void *state, uint64_t size, bool has_8bit)
{
        struct post *p = state;
        struct smtp_reply reply = refuse(p, size);
        p->has_8bit = has_8bit;
        if (reply.code != 0)
                store_intake_abort(p->intake);
        else
                reply = post_keep(p);
        log_post(p, size, &reply);
        release(p);
        return reply;
}

const struct inbound_target post_in = {.begin = begin, .body = body, .end = end, .drop = drop};
