/* SPDX-License-Identifier: ISC */
/* PVH: the monitor jumps here in 32 bits, ring 0, without paging or stack; ebx says where its start information lies.
 * (Xen's docs/misc/pvh.pandoc; AMD64 manual 2, 14.6) */
#include "host/guest/x86/layout.h"

        .section .note.pvh, "a", @note
        .balign 4
        .long 4, 8, 18                  /* XEN_ELFNOTE_PHYS32_ENTRY */
        .asciz "Xen"
        .quad start

        .bss
        .balign 16
stack:  .skip 256 * 1024
stack_end:

        .text
        .code32
        .globl start
        .type start, @function
start:
        cld
        movl $0x620, %eax               /* CR4: PAE, OSFXSR, OSXMMEXCPT */
        movl %eax, %cr4
        movl $ring0_boot_tables, %eax
        movl %eax, %cr3
        movl $0xc0000080, %ecx          /* EFER: LME */
        rdmsr
        btsl $8, %eax
        wrmsr
        movl $0x80010033, %eax          /* CR0: PG, WP, NE, ET, MP, PE */
        movl %eax, %cr0
        lgdt ring0_descriptors
        ljmp $KERNEL_CODE, $1f
        .code64
1:      movl $KERNEL_DATA, %eax
        movl %eax, %ss
        movl $stack_end, %esp
        movl %ebx, %edi
        jmp ring0_start
        .size start, . - start

        .section .note.GNU-stack, "", @progbits
