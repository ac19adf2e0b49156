/* SPDX-License-Identifier: ISC */
/* Stacks are kept for later fibers until the simulation ends: a scenario spawns tens of thousands. */
#include "base/limits.h"
#include "host/linux/inside.h"
#include "host/sim/inside.h"

/* In the first bytes of a stack that nobody uses. */
struct idle_stack {
        struct idle_stack *next;
};

void *stack_alloc(void *platform, size_t n)
{
        struct sim *sim = platform;
        struct idle_stack *stack = sim->stacks;
        if (stack == NULL)
                return linux_stack_alloc(NULL, n);
        sim->stacks = stack->next;
        stack->next = NULL;
        return stack;
}

void stack_keep(void *platform, void *stack, size_t n)
{
        struct sim *sim = platform;
        struct idle_stack *idle = stack;
        (void)n;
        idle->next = sim->stacks;
        sim->stacks = idle;
}

size_t stack_unused(void *platform, const void *stack, size_t n)
{
        return linux_stack_unused(platform, stack, n);
}

void stack_free_all(struct sim *sim)
{
        while (sim->stacks != NULL)
                linux_stack_free(NULL, stack_alloc(sim, FIBER_STACK_SIZE), FIBER_STACK_SIZE);
}
