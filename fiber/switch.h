/* SPDX-License-Identifier: ISC */
/* The context switch, for fiber/ alone. One file an architecture (switch_x86_64.S), and switch_ucontext.c elsewhere.
 * A context is a pointer into the stack that it belongs to; it is good for one switch. */
#ifndef FIBER_SWITCH_H
#define FIBER_SWITCH_H

#include <stddef.h>

/* A context that calls `entry(arg)` on `stack` when it is switched to; `entry` must not return. */
void *switch_make(void *stack, size_t n, void (*entry)(void *arg), void *arg);
/* Go on at `to`; the context of the caller stands in `*from` until somebody switches back to it. */
void switch_to(void **from, void *to);

#endif
