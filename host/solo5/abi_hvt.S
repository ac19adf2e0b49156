/* SPDX-License-Identifier: ISC */
#include "host/solo5/note.inc"
        solo5_abi 1, 2
        .section .note.GNU-stack, "", @progbits
