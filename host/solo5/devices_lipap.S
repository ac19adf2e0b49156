/* SPDX-License-Identifier: ISC */
/* What lipap asks the tender for. */
#include "host/solo5/note.inc"
        solo5_devices 2
        solo5_device 1, lipap
        solo5_device 2, service
        .section .note.GNU-stack, "", @progbits
