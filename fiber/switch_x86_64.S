/* SPDX-License-Identifier: ISC */
/* The switch for x86-64, System V ABI 3.2.1: what a callee preserves is rbx, rbp, r12 to r15, the control bits of MXCSR
 * and the x87 control word. They are kept on the stack that is left, and the context is its stack pointer:
 *
 *     0 MXCSR   4 x87 control word   8 r15   16 r14   24 r13   32 r12   40 rbx   48 rbp   56 return address */
        .text

        .globl switch_to
        .type switch_to, @function
switch_to:                              /* rdi: from, rsi: to */
        .cfi_startproc
        pushq %rbp
        pushq %rbx
        pushq %r12
        pushq %r13
        pushq %r14
        pushq %r15
        subq $8, %rsp
        stmxcsr (%rsp)
        fnstcw 4(%rsp)
        movq %rsp, (%rdi)
        movq %rsi, %rsp
        ldmxcsr (%rsp)
        fldcw 4(%rsp)
        addq $8, %rsp
        popq %r15
        popq %r14
        popq %r13
        popq %r12
        popq %rbx
        popq %rbp
        retq
        .cfi_endproc
        .size switch_to, . - switch_to

/* The first frame of a context: r12 holds the entry, r13 its argument; no return address, so that a backtrace ends. */
        .type start, @function
start:
        .cfi_startproc
        .cfi_undefined rip
        movq %r13, %rdi
        xorl %ebp, %ebp
        callq *%r12
        ud2
        .cfi_endproc
        .size start, . - start

        .globl switch_make
        .type switch_make, @function
switch_make:                            /* rdi: stack, rsi: n, rdx: entry, rcx: arg */
        .cfi_startproc
        leaq (%rdi,%rsi), %rax
        andq $-16, %rax
        subq $80, %rax                  /* 64 bytes of frame below a 16-byte boundary, as before a call */
        stmxcsr (%rax)
        movl $0, 4(%rax)
        fnstcw 4(%rax)
        movq $0, 8(%rax)
        movq $0, 16(%rax)
        movq %rcx, 24(%rax)
        movq %rdx, 32(%rax)
        movq $0, 40(%rax)
        movq $0, 48(%rax)
        leaq start(%rip), %rdx
        movq %rdx, 56(%rax)
        retq
        .cfi_endproc
        .size switch_make, . - switch_make

        .section .note.GNU-stack, "", @progbits
