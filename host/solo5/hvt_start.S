/* SPDX-License-Identifier: ISC */
/* The tender jumps here in ring 0, with what it has to say at rdi and a stack at the end of the memory. */
        .text
        .globl _start
        .type _start, @function
_start:
        jmp ring0_start
        .size _start, . - _start

        .section .note.GNU-stack, "", @progbits
