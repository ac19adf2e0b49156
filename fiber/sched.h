/* SPDX-License-Identifier: ISC */
/* The inside of the scheduler, for fiber/ alone; everybody else knows fiber/fiber.h. */
#ifndef FIBER_SCHED_H
#define FIBER_SCHED_H

#include "fiber/fiber.h"

enum fiber_state { FIBER_READY, FIBER_RUNNING, FIBER_PARKED, FIBER_ENDED };

/* What may end a fiber's parking beside a wake. */
enum park_mode {
        PARK_NORMAL,      /* cancellation, its deadline, its scope's deadline */
        PARK_CANCELLABLE, /* cancellation */
        PARK_FIRM,        /* nothing */
};

struct fiber {
        struct sched *sched;
        struct scope *scope;
        const char *name;
        void (*fn)(void *arg);
        void *arg;
        enum fiber_state state;
        enum err outcome; /* how the last parking ended */
        bool woken;       /* a wake came while it was not parked */
        bool cancellable; /* a cancellation ends this parking */
        unsigned shields;
        unsigned scopes; /* opened and not yet joined */

        struct fiber *ready_next;
        struct fiber *member_next, **member_link; /* in the scope */
        struct fiber *alive_next, **alive_link;   /* in the scheduler; `alive_next` also links the pool */
        struct fiber *rest_next, **rest_link;     /* parked and its stack not yet rested, longest first */

        int64_t deadline_ms; /* while it stands in the timers */
        uint64_t order;      /* equal deadlines end in the order in which they began */
        size_t timer;        /* its place there, from 1; 0: none */

        int64_t parked_ms;
        void *context;
        void *stack;
        void *fake_stack;  /* AddressSanitizer's */
        unsigned stack_id; /* valgrind's */
};

struct sched {
        struct sched_platform platform;
        struct fiber *current;
        void *context;          /* of the loop */
        void *fake_stack;       /* AddressSanitizer's, for the loop */
        const void *loop_stack; /* where the loop runs; learnt by AddressSanitizer at the first switch */
        size_t loop_stack_size;

        struct fiber *ready, *ready_last;
        struct fiber *alive;
        struct fiber *resting, **resting_end;
        struct fiber *pool; /* ended fibers with their stacks, for the next spawn */
        size_t pool_count;
        size_t fibers;
        size_t stack_high;

        struct fiber **timers; /* a heap: [0] is due first; room for every fiber alive */
        size_t timer_count, timer_cap;
        uint64_t order;

        unsigned runs; /* fibers run since the platform was looked at */
        bool look;     /* a yielding fiber asks for a look */
        int64_t looked_ms;
};

/* sched.c */
enum err sched_park(struct sched *s, int64_t deadline_ms, enum park_mode mode);
void sched_ready(struct fiber *f, enum err outcome); /* `f` is parked; it goes on with `outcome` */
bool sched_is_cancelled(const struct fiber *f);      /* by its scope, and not shielded */
/* `f` is on its way out of its parking with an error: a wake given to it now would be lost. */
bool sched_is_leaving(const struct fiber *f);
enum err sched_start(struct scope *scope, const char *name, void (*fn)(void *arg), void *arg);

/* scope.c */
void scope_add(struct scope *scope, struct fiber *f);
void scope_remove(struct scope *scope, struct fiber *f);

/* stack.c */
bool stack_new(struct fiber *f);
void stack_free(struct fiber *f);
void stack_reuse(struct fiber *f); /* nothing on it lives any longer */
void stack_check(const struct fiber *f);
void stack_measure(struct fiber *f); /* raises sched->stack_high */
void stack_rest(struct fiber *f);    /* parked for long: give back what lies below its frames */
void stack_enter(struct fiber *f);   /* from the loop to `f`, and back */
void stack_leave(struct fiber *f);   /* from `f` to the loop, and back unless it has ended */
void stack_entered(struct fiber *f); /* first thing on a new stack */

/* timer.c */
bool timer_room(struct sched *s, size_t n); /* false: memory is out */
void timer_add(struct fiber *f, int64_t deadline_ms);
void timer_remove(struct fiber *f); /* if it is in */
int64_t timer_next(const struct sched *s);
void timer_expire(struct sched *s, int64_t now_ms);

/* waitq.c: a waiter's place in line, on its stack */
struct waitq_node {
        struct waitq_node *next, *prev;
        struct waitq *queue; /* NULL once taken out */
        struct fiber *fiber;
        void *item; /* what a channel hands over */
        bool done;  /* resumed by another fiber, with `result` */
        enum err result;
};
enum err waitq_wait_node(struct waitq *q, struct sched *s, int64_t deadline_ms, struct waitq_node *node);
struct waitq_node *waitq_take(struct waitq *q); /* the first that still waits, or NULL */
void waitq_resume(struct waitq_node *node, enum err result);

#endif
