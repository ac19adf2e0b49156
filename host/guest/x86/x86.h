/* SPDX-License-Identifier: ISC */
/* A guest in ring 3 of its own machine, with its own page tables: code is read-only, everything else not executable,
 * address 0 and the pages below stacks are not there, and the tables themselves are out of reach. */
#ifndef HOST_GUEST_X86_X86_H
#define HOST_GUEST_X86_X86_H

#include <stdbool.h>
#include <stdint.h>

/* In ring0.S: from ring 0 to ring3_start(info) in ring 3, on the stack in use. */
_Noreturn void ring0_start(void *info);
/* In ring0.S, for ring 3: see there what can be asked. */
uint32_t ring0_ask(uint32_t what, void *about);
/* The machine's own; until x86_seal everything may be read, written and run. */
_Noreturn void ring3_start(void *info);

/* Build the tables for `memory_size` bytes, of which what lies below `readable_from` stays out of reach, from there to
 * the image is only read, and the image follows its segments. They lie behind the image.
 * Returns where the heap begins. */
char *tables_build(uint64_t readable_from, uint64_t memory_size);
void tables_device(uint64_t at); /* after tables_build: the 2 MB around a device's registers may be used */
void ports_allow(uint16_t first, uint16_t last); /* for in and out of any width */
/* %fs points to `thread`, and the tables hold from now on. */
void x86_seal(void *thread);

/* The registers of a trap, as ring0.S leaves them. */
struct trap {
        uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax;
        uint64_t vector, error, rip, cs, rflags, rsp, ss;
};
_Noreturn void trap_report(const struct trap *t, uint64_t address);

#endif
