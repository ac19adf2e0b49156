/* SPDX-License-Identifier: ISC */
#include "host/solo5/note.inc"
        solo5_abi 2, 2
        .section .note.GNU-stack, "", @progbits
