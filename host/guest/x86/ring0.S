/* SPDX-License-Identifier: ISC */
/* The few instructions of a guest that run in ring 0: into ring 3 once, and what ring 3 cannot do itself. There may be a
 * hypervisor below that interprets ring 0 instruction by instruction and without SSE, so nothing here is longer than it
 * must be, and the tables are filled in by C code in ring 3, which owns all memory until they are loaded.
 *
 * What lies in .ring0 is out of reach for ring 3 from then on. (AMD64 manual 2: 4.8 descriptors, 8.9 gates, 12.2 TSS.) */
#include "host/guest/x86/layout.h"

        .section .ring0, "aw", @progbits

        .globl ring0_boot_tables, ring0_descriptors
/* Until then: 4 GB as they are, everything allowed. */
        .balign 4096
ring0_boot_tables:
        .quad boot_directories + 7
        .fill 511, 8, 0
boot_directories:
        .quad boot_pages + 7, boot_pages + 0x1000 + 7, boot_pages + 0x2000 + 7, boot_pages + 0x3000 + 7
        .fill 508, 8, 0
boot_pages:
        .set at, 0
        .rept 2048
        .quad at + 0x87
        .set at, at + 0x200000
        .endr

        .balign 16
descriptors:
        .quad 0
        .quad 0x00209b0000000000        /* KERNEL_CODE: 64 bits, present, executable, readable */
        .quad 0x0000930000000000        /* KERNEL_DATA */
        .quad 0x0000f30000000000        /* USER_DATA */
        .quad 0x0020fb0000000000        /* USER_CODE */
task_descriptor:
        .word TASK_SIZE - 1, 0          /* its base is filled in */
        .byte 0, 0x89, 0, 0
        .quad 0
descriptors_end:

ring0_descriptors:
        .word descriptors_end - descriptors - 1
        .quad descriptors
        .balign 8
gates_pointer:
        .word GATES * 16 - 1
        .quad gates

        .balign 16
gates:  .fill GATES * 16, 1, 0

/* Ports are forbidden until ring 3 has allowed its own (ports_allow). */
        .balign 8
        .globl ring0_task
ring0_task:
        .long 0
        .quad 0, 0, 0
        .quad 0
        .quad trap_stack_end, 0, 0, 0, 0, 0, 0
        .quad 0
        .word 0, TASK_PORTS_AT
        .fill TASK_PORTS + 1, 1, 0xff

/* What tables.c leaves behind. */
        .globl ring0_tables, ring0_pages_free, ring0_pages_end, ring0_directory
ring0_tables:
        .quad ring0_boot_tables               /* the top table, loaded when the guest seals itself */
ring0_directory:
        .quad 0                         /* the entries of 2 MB, in a row */
ring0_pages_free:
        .quad 0                         /* pages for further tables */
ring0_pages_end:
        .quad 0

        .bss
        .balign 16
trap_stack:
        .skip TRAP_STACK_SIZE
trap_stack_end:
report_stack:
        .skip REPORT_STACK_SIZE
report_stack_end:

        .text

/* From the machine's start, in 64 bits, ring 0, with any tables that map the image: rdi goes to `ring3_start` on the
 * stack in rsp. Does not return. */
        .globl ring0_start
        .type ring0_start, @function
ring0_start:
        movl $ring0_task, %eax
        movw %ax, task_descriptor + 2
        shrl $16, %eax
        movb %al, task_descriptor + 4
        movb %ah, task_descriptor + 7
        lgdt ring0_descriptors
        pushq $KERNEL_CODE
        pushq $1f
        lretq
1:      movl $KERNEL_DATA, %eax
        movl %eax, %ss
        movl $USER_DATA, %eax
        movl %eax, %ds
        movl %eax, %es
        movl %eax, %fs
        movl %eax, %gs
        movl $TASK, %eax
        ltr %ax

        /* A gate a trap, all on the trap's own stack. */
        movl $traps, %eax
        movl $gates, %edx
        movl $TRAPS, %ecx
2:      movw %ax, (%rdx)
        movl $(0x8e010000 | KERNEL_CODE), 2(%rdx)
        movl %eax, %esi
        shrl $16, %esi
        movw %si, 6(%rdx)
        addl $32, %eax
        addl $16, %edx
        decl %ecx
        jnz 2b
        movl $timer, %eax
        movw %ax, gates + TIMER * 16
        movl $(0x8e000000 | KERNEL_CODE), gates + TIMER * 16 + 2
        shrl $16, %eax
        movw %ax, gates + TIMER * 16 + 6
        lidt gates_pointer

        /* EFER.NXE: data that is not executable. */
        movl $0xc0000080, %ecx
        rdmsr
        btsl $11, %eax
        wrmsr

        /* CR4.OSXSAVE, and in XCR0 what the processor has of x87, SSE, AVX and all of AVX-512. */
        movl $1, %eax
        cpuid
        btl $26, %ecx
        jnc 4f
        movq %cr4, %rax
        btsq $18, %rax
        movq %rax, %cr4
        movl $0xd, %eax
        xorl %ecx, %ecx
        cpuid
        andl $0xe7, %eax
        movl %eax, %edx
        andl $0xe0, %edx
        cmpl $0xe0, %edx
        je 3f
        andl $7, %eax
3:      xorl %edx, %edx
        xorl %ecx, %ecx
        xsetbv

4:      movl $ring0_boot_tables, %eax
        movq %rax, %cr3
        movq %rsp, %rax
        andq $-16, %rax
        subq $8, %rax
        pushq $USER_DATA
        pushq %rax
        pushq $2
        pushq $USER_CODE
        pushq $ring3_start
        iretq
        .size ring0_start, . - ring0_start

/* What ring 3 asks for: ring0_ask(what, about). The way in is an instruction that does not exist, at one address: a
 * software interrupt is not understood by every hypervisor that interprets ring 0.
 *   SERVICE_SEAL   %fs points to `about`; the tables of tables.c are loaded. Again: only the former.
 *   SERVICE_SPLIT  the page of 2 MB at `about` becomes stacks of STACK_PAGES with a page that is not there below each.
 *                  Gives 1, or 0 when there is no such page or no room for its table
 *   SERVICE_HALT   The processor rests until its timer's interrupt */
        .globl ring0_ask
        .type ring0_ask, @function
ring0_ask:
        movl %edi, %eax
        movq %rsi, %rdi
service_request:
        ud2
        retq
        .size ring0_ask, . - ring0_ask

        .type service, @function
service:                                /* eax: what, rdi: about */
        addq $2, (%rsp)                 /* go on behind the request */
        pushq %rcx
        pushq %rdx
        cmpl $SERVICE_SPLIT, %eax
        je 1f
        cmpl $SERVICE_HALT, %eax
        je 6f
        movl $0xc0000100, %ecx
        movq %rdi, %rdx
        movl %edi, %eax
        shrq $32, %rdx
        wrmsr
        movq ring0_tables, %rax
        movq %rax, %cr3
        popq %rdx
        popq %rcx
        iretq

1:      pushq %rsi
        pushq %r8
        xorl %eax, %eax
        movq %rdi, %rsi                 /* its entry, if it is one of a large page of data as tables.c makes them */
        shrq $21, %rsi
        cmpq $2048, %rsi
        jae 5f
        shlq $3, %rsi
        addq ring0_directory, %rsi
        movq $(PAGE_LARGE | PAGE_DATA), %rdx
        orq %rdi, %rdx
        movq (%rsi), %rcx
        andq $~PAGE_SEEN, %rcx
        cmpq %rcx, %rdx
        jne 5f
        movq ring0_pages_free, %r8
        cmpq ring0_pages_end, %r8
        je 5f
        addq $4096, ring0_pages_free
        movq $PAGE_DATA, %rdx
        orq %rdi, %rdx
        xorl %eax, %eax                 /* pages since a guard */
        movl $512, %ecx
2:      testl %eax, %eax
        jz 3f                           /* the guard: no entry */
        movq %rdx, (%r8)
3:      incl %eax
        cmpl $(STACK_PAGES + 1), %eax
        jb 4f
        xorl %eax, %eax
4:      addq $4096, %rdx
        addq $8, %r8
        decl %ecx
        jnz 2b
        leaq (-4096 + PAGE_TABLE)(%r8), %rdx
        movq %rdx, (%rsi)
        movq %cr3, %rdx
        movq %rdx, %cr3
        movl $1, %eax
5:      popq %r8
        popq %rsi
        popq %rdx
        popq %rcx
        iretq

6:      sti                             /* from here to hlt none comes in between */
        hlt
        cli
        popq %rdx
        popq %rcx
        iretq
        .size service, . - service

/* The only interrupt: it has woken the processor, and that is all. */
timer:
        pushq %rax
        movl $APIC_END, %eax
        movl $0, (%rax)
        popq %rax
        iretq

/* A trap ends the guest: its registers lie on the trap's stack, and trap_report(registers, address) tells them from
 * ring 3. */
        .balign 32
traps:
        .set vector, 0
        .rept TRAPS
        .balign 32
        .if vector == INVALID
        cmpq $service_request, (%rsp)
        je service
        .endif
        .if vector != 8 && vector != 10 && vector != 11 && vector != 12 && vector != 13 && vector != 14 && vector != 17 && vector != 21 && vector != 29 && vector != 30
        pushq $0                        /* where the processor pushes no error code */
        .endif
        pushq $vector
        jmp trap
        .set vector, vector + 1
        .endr
trap:
        pushq %rax
        pushq %rbx
        pushq %rcx
        pushq %rdx
        pushq %rsi
        pushq %rdi
        pushq %rbp
        pushq %r8
        pushq %r9
        pushq %r10
        pushq %r11
        pushq %r12
        pushq %r13
        pushq %r14
        pushq %r15
        movq %rsp, %rdi
        movq %cr2, %rsi
        pushq $USER_DATA
        pushq $report_stack_end - 8
        pushq $2
        pushq $USER_CODE
        pushq $trap_report
        iretq

        .section .note.GNU-stack, "", @progbits
