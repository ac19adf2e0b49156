/* SPDX-License-Identifier: ISC */
/* A waiter is resumed by exactly one of: a waker, its deadline, a cancellation; the first one counts. A waker that finds
 * a waiter which one of the other two has already resumed takes it out of the line and goes on to the next one, so that
 * no wake is lost. After that the waiter never touches the queue again, which may be gone by then. */
#include "base/check.h"
#include "fiber/sched.h"

static void append(struct waitq *q, struct waitq_node *node)
{
        node->queue = q;
        node->prev = q->tail;
        if (q->tail != NULL)
                q->tail->next = node;
        else
                q->head = node;
        q->tail = node;
}

static void take_out(struct waitq_node *node)
{
        struct waitq *q = node->queue;
        if (node->prev != NULL)
                node->prev->next = node->next;
        else
                q->head = node->next;
        if (node->next != NULL)
                node->next->prev = node->prev;
        else
                q->tail = node->prev;
        node->queue = NULL;
}

enum err waitq_wait_node(struct waitq *q, struct sched *s, int64_t deadline_ms, struct waitq_node *node)
{
        node->fiber = sched_current(s);
        append(q, node);
        enum err err;
        do
                err = sched_park(s, deadline_ms, PARK_NORMAL);
        while (err == ERR_OK && !node->done);
        if (node->done)
                return node->result;
        if (node->queue != NULL)
                take_out(node);
        return err;
}

struct waitq_node *waitq_take(struct waitq *q)
{
        while (q->head != NULL) {
                struct waitq_node *node = q->head;
                take_out(node);
                if (!sched_is_leaving(node->fiber))
                        return node;
        }
        return NULL;
}

void waitq_resume(struct waitq_node *node, enum err result)
{
        node->done = true;
        node->result = result;
        if (node->fiber->state == FIBER_PARKED)
                sched_ready(node->fiber, ERR_OK);
}

enum err waitq_wait(struct waitq *q, struct sched *s, int64_t deadline_ms)
{
        struct waitq_node node = {0};
        return waitq_wait_node(q, s, deadline_ms, &node);
}

bool waitq_wake_one(struct waitq *q)
{
        struct waitq_node *node = waitq_take(q);
        if (node != NULL)
                waitq_resume(node, ERR_OK);
        return node != NULL;
}

void waitq_wake_all(struct waitq *q)
{
        while (waitq_wake_one(q))
                ;
}
