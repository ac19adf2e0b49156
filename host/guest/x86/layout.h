/* SPDX-License-Identifier: ISC */
/* Numbers that assembly and C share: selectors, gates, page flags, stacks. */
#ifndef HOST_GUEST_X86_LAYOUT_H
#define HOST_GUEST_X86_LAYOUT_H

/* Selectors; those of ring 3 with their privilege level. */
#define KERNEL_CODE 0x08
#define KERNEL_DATA 0x10
#define USER_DATA 0x1b
#define USER_CODE 0x23
#define TASK 0x28

#define TRAPS 32
#define TIMER 47 /* the lower four bits of a spurious interrupt may be fixed to ones: it shares the gate */
#define GATES 48
#define INVALID 6 /* the trap of an instruction that does not exist */
#define SERVICE_SEAL 0
#define SERVICE_SPLIT 1
#define SERVICE_HALT 2

/* The processor's own timer and interrupts (AMD64 manual 2, 16.3). */
#define APIC 0xfee00000
#define APIC_END (APIC + 0xb0)

/* The task segment: its fixed part, then a bit a port, then a byte of ones. */
#define TASK_PORTS_AT 104
#define TASK_PORTS 8192
#define TASK_SIZE (TASK_PORTS_AT + TASK_PORTS + 1)

#define TRAP_STACK_SIZE 1024
#define REPORT_STACK_SIZE 16384

/* Entries of page tables. */
#define PAGE_PRESENT 0x1
#define PAGE_WRITE 0x2
#define PAGE_USER 0x4
#define PAGE_UNCACHED 0x10
#define PAGE_LARGE 0x80
#define PAGE_SEEN 0x60 /* accessed and written: the processor's own notes */
#define PAGE_NO_CODE 0x8000000000000000
#define PAGE_DATA (PAGE_PRESENT | PAGE_WRITE | PAGE_USER | PAGE_NO_CODE)
#define PAGE_TABLE (PAGE_PRESENT | PAGE_WRITE | PAGE_USER)

#define STACK_PAGES 10 /* of a fiber; the page below it is not there */

#endif
