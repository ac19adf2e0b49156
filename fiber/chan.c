/* SPDX-License-Identifier: ISC */
/* Whoever finds somebody waiting at the other side hands the item over at once: a receiver waits only while the channel
 * is empty, a sender only while it is full. So nobody overtakes, and the channel may be gone when a waiter resumes. */
#include "base/check.h"
#include "fiber/sched.h"

void chan_init(struct chan *c, void **slots, size_t cap)
{
        *c = (struct chan){.slots = slots, .cap = cap};
}

static void put(struct chan *c, void *item)
{
        c->slots[(c->first + c->used) % c->cap] = item;
        c->used++;
}

static void *take(struct chan *c)
{
        void *item = c->slots[c->first];
        c->first = (c->first + 1) % c->cap;
        c->used--;
        return item;
}

enum err chan_send(struct chan *c, struct sched *s, void *item, int64_t deadline_ms)
{
        enum err err = fiber_check(s);
        if (err != ERR_OK)
                return err;
        if (c->closed)
                return ERR_CLOSED;
        struct waitq_node *receiver = waitq_take(&c->receivers);
        if (receiver != NULL) {
                receiver->item = item;
                waitq_resume(receiver, ERR_OK);
                return ERR_OK;
        }
        if (c->used < c->cap) {
                put(c, item);
                return ERR_OK;
        }
        struct waitq_node node = {.item = item};
        return waitq_wait_node(&c->senders, s, deadline_ms, &node);
}

/* Something for a receiver: the oldest slot, refilled from the first waiting sender, or that sender's item itself. */
static bool next_item(struct chan *c, void **item)
{
        struct waitq_node *sender = waitq_take(&c->senders);
        if (c->used > 0) {
                *item = take(c);
                if (sender != NULL)
                        put(c, sender->item);
        } else if (sender != NULL) {
                *item = sender->item;
        } else {
                return false;
        }
        if (sender != NULL)
                waitq_resume(sender, ERR_OK);
        return true;
}

enum err chan_receive(struct chan *c, struct sched *s, int64_t deadline_ms, void **item)
{
        *item = NULL;
        enum err err = fiber_check(s);
        if (err != ERR_OK)
                return err;
        if (next_item(c, item))
                return ERR_OK;
        if (c->closed)
                return ERR_CLOSED;
        struct waitq_node node = {0};
        err = waitq_wait_node(&c->receivers, s, deadline_ms, &node);
        if (err == ERR_OK)
                *item = node.item;
        return err;
}

static void close_all(struct waitq *q)
{
        struct waitq_node *node;
        while ((node = waitq_take(q)) != NULL)
                waitq_resume(node, ERR_CLOSED);
}

void chan_close(struct chan *c)
{
        c->closed = true;
        close_all(&c->senders);
        close_all(&c->receivers);
}
