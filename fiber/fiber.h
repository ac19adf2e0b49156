/* SPDX-License-Identifier: ISC */
/* Stackful cooperative fibers, structured: a fiber lives in a scope, and a scope ends when all of its fibers have.
 * One scheduler a node, no threads, no global state: every call names its scheduler or scope.
 *
 * What blocks gives ERR_CANCELLED once the fiber's scope (or one around it) is cancelled, and ERR_TIMEOUT once the
 * call's deadline or the deadline of a scope around the fiber has passed. After cancellation every further blocking
 * call fails at once, so a fiber unwinds; what must still be done while unwinding goes through fiber_shield.
 * Deadlines are monotonic milliseconds of the scheduler's clock; FIBER_NEVER is none.
 *
 * Who owns what: the scheduler owns fibers and their stacks; the caller owns scopes, wait queues and channels, which
 * may live on a fiber's stack as long as they outlive what uses them. */
#ifndef FIBER_FIBER_H
#define FIBER_FIBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define FIBER_NEVER INT64_MAX

struct sched;
struct fiber;

/* The platform under a scheduler: a clock, and a way to wait for the world. */
struct sched_platform {
        int64_t (*now_ms)(void *platform); /* monotonic */
        /* Wait until `until_ms` (0: only look; FIBER_NEVER: no limit) or until something happened; wake fibers. */
        void (*wait)(void *platform, int64_t until_ms);
        void *platform;
        /* Stacks. All four may be left out: then they are FIBER_STACK_SIZE bytes from the heap, with a canary.
         * `stack_alloc` gives zeros, or NULL; an overflow must fault by itself (a guard page).
         * `stack_rest` may give back the `n` unused bytes at the low end, which then read as zeros.
         * `stack_unused` counts the bytes at the low end that have never been written (or have been given back). */
        size_t stack_size;
        void *(*stack_alloc)(void *platform, size_t n);
        void (*stack_free)(void *platform, void *stack, size_t n);
        void (*stack_rest)(void *platform, void *stack, size_t n);
        size_t (*stack_unused)(void *platform, const void *stack, size_t n);
};

/* A new scheduler; NULL when memory is out. Freed when sched_run has returned. */
struct sched *sched_new(const struct sched_platform *platform);
void sched_free(struct sched *s);

/* Run `main(arg)` as the first fiber in a root scope until it and everything below it has ended. */
void sched_run(struct sched *s, void (*main)(void *arg), void *arg);
int64_t sched_now_ms(struct sched *s);
struct fiber *sched_current(struct sched *s); /* NULL outside fibers */
/* Fibers alive, and the deepest stack use in bytes that any ended or running fiber has shown (a high-water mark). */
size_t sched_fibers(const struct sched *s);
size_t sched_stack_high(struct sched *s);

/* Scopes. Open one in a fiber, spawn into it, join it in the same fiber; on a stack this reads like a block.
 * `deadline_ms` bounds every blocking call of the fibers inside. A scope lies in the scope of the fiber that opens it
 * and takes cancellation and deadline from there, unless that fiber is shielded: then it is shielded as a whole. */
struct scope {
        struct sched *sched;
        struct scope *parent;
        struct fiber *members;                    /* the fibers in it */
        struct scope *children, *sibling, **link; /* `link` points at what points here */
        struct fiber *owner, *joiner;
        int64_t deadline_ms;
        size_t count;
        bool cancelled;
};

void scope_open(struct scope *scope, struct sched *s, int64_t deadline_ms);
/* Start `fn(arg)` as a fiber in `scope`; `name` (a literal) is for logs and debuggers. It runs at the next switch.
 * May be called from any fiber while the scope is open.
 *   ERR_OK, ERR_MEMORY, or ERR_CANCELLED when the scope is cancelled */
MUST_USE enum err scope_spawn(struct scope *scope, const char *name, void (*fn)(void *arg), void *arg);
void scope_cancel(struct scope *scope); /* every blocking call inside fails from now on; returns at once */
/* Wait until every fiber inside has ended and close the scope. If the joining fiber is itself cancelled, the scope is
 * cancelled too, and still waited for: nothing is orphaned.
 *   ERR_OK, or ERR_CANCELLED when that happened */
enum err scope_join(struct scope *scope);
/* The name of a fiber that is alive in it, in the deepest scope below it that has one; NULL: there is none. */
const char *scope_fiber_name(const struct scope *scope);

void fiber_yield(struct sched *s); /* let others run; also looks at the platform when due */
/*   ERR_OK when the time has come, ERR_TIMEOUT when the deadline of a scope came first, ERR_CANCELLED */
MUST_USE enum err fiber_sleep_until(struct sched *s, int64_t when_ms);
MUST_USE enum err fiber_sleep(struct sched *s, int64_t ms);
/* What a blocking call would give now without waiting: ERR_OK, ERR_CANCELLED, or ERR_TIMEOUT for a scope's deadline.
 * Whoever offers a blocking call asks this first, so that a fiber which never has to wait is stopped as well. */
MUST_USE enum err fiber_check(struct sched *s);
bool fiber_is_cancelled(struct sched *s); /* would a blocking call fail now? */
/* While shielded, this fiber ignores cancellation and scope deadlines; calls nest. Only for bounded clean-up. */
void fiber_shield(struct sched *s, bool on);

/* Parking: the lowest primitive, for those who write platforms and queues.
 * fiber_park gives ERR_OK once fiber_wake was called on it (also when that came before), else as above. */
MUST_USE enum err fiber_park(struct sched *s, int64_t deadline_ms);
void fiber_wake(struct fiber *f);
/* End the wait of another fiber as if its deadline had come: what it blocks in gives ERR_TIMEOUT, what it waited for is not
 * touched; a sleep ends early. False, and nothing done, when it does not wait or waits without a deadline. */
bool fiber_expire(struct fiber *f);

/* A wait queue: fibers that wait for a condition in first-in first-out order. Zero-initialised is ready.
 *   waitq_wait: ERR_OK when woken, ERR_TIMEOUT, ERR_CANCELLED. The condition is to be tested again. */
struct waitq_node;
struct waitq {
        struct waitq_node *head, *tail;
};
MUST_USE enum err waitq_wait(struct waitq *q, struct sched *s, int64_t deadline_ms);
bool waitq_wake_one(
        struct waitq *q); /* whether there was one; a waiter that is timed out or cancelled is none */
void waitq_wake_all(struct waitq *q);

/* A bounded channel of pointers; `slots` holds `cap` of them and belongs to the caller. With `cap` 0 sender and
 * receiver meet. Items and waiters are served in their order; an item handed over is never lost to a cancellation.
 *   chan_send: ERR_OK, ERR_CLOSED (the item stays the sender's), ERR_TIMEOUT, ERR_CANCELLED
 *   chan_receive: ERR_OK, ERR_CLOSED once closed and empty, ERR_TIMEOUT, ERR_CANCELLED; `*item` is NULL on errors */
struct chan {
        void **slots;
        size_t cap, first, used;
        bool closed;
        struct waitq senders, receivers;
};
void chan_init(struct chan *c, void **slots, size_t cap);
MUST_USE enum err chan_send(struct chan *c, struct sched *s, void *item, int64_t deadline_ms);
MUST_USE enum err chan_receive(struct chan *c, struct sched *s, int64_t deadline_ms, void **item);
void chan_close(struct chan *c);

/* Counting slots, for "at most N at once". Zero `left` makes semaphore_take wait, in order.
 *   semaphore_take: ERR_OK (give it back), ERR_TIMEOUT, ERR_CANCELLED */
struct semaphore {
        size_t left;
        struct waitq waiters;
};
MUST_USE enum err semaphore_take(struct semaphore *m, struct sched *s, int64_t deadline_ms);
void semaphore_give(struct semaphore *m);

#endif
