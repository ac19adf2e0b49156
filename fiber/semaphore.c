/* SPDX-License-Identifier: ISC */
#include "fiber/sched.h"

enum err semaphore_take(struct semaphore *m, struct sched *s, int64_t deadline_ms)
{
        enum err err = fiber_check(s);
        if (err != ERR_OK)
                return err;
        if (m->left == 0)
                return waitq_wait(&m->waiters, s, deadline_ms);
        m->left--;
        return ERR_OK;
}

/* A slot goes straight to the first waiter, so that a newcomer cannot overtake it. */
void semaphore_give(struct semaphore *m)
{
        if (!waitq_wake_one(&m->waiters))
                m->left++;
}
