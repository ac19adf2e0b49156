/* SPDX-License-Identifier: ISC */
/* What nec asks the tender for. */
#include "host/solo5/note.inc"
        solo5_devices 1
        solo5_device 2, service
        .section .note.GNU-stack, "", @progbits
