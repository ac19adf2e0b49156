/* SPDX-License-Identifier: ISC */
/* The platform of the unikernels: no system below, one network device, block devices by name.
 * Only mains and the machine's start include this; everything else knows host/host.h. */
#ifndef HOST_GUEST_GUEST_H
#define HOST_GUEST_GUEST_H

#include "base/ip.h"
#include "host/host.h"

/* The platform's own options: --ipv4 ADDR/LEN, --ipv4-gateway IP, --ipv6 ADDR/64, --ipv6-gateway IP. */
struct guest_options {
        struct ip ipv4, ipv4_gateway, ipv6, ipv6_gateway; /* family 0: not given */
        uint8_t ipv4_bits, ipv6_bits;
        struct str wrong; /* the first option that is not understood, else empty */
};

/* Takes the platform's options out of argv[1] and after, which ends with NULL as before.
 *   ERR_OK
 *   ERR_SYNTAX  a value is missing or wrong, or an option is given twice: `wrong` is the option */
MUST_USE enum err guest_options_take(struct guest_options *o, int *argc, char **argv);

/* The host of this guest; there is one. NULL when memory is out, when the machine has no network device or the options
 * no address: the reason is printed. `label` is --name, or NULL; borrowed. */
struct host *guest_host_new(const struct guest_options *o, const char *label);
/* Run `main(arg)` as the first fiber until everything has ended. */
void guest_host_run(struct host *h, void (*main)(void *arg), void *arg);

/* What the machine's start calls, once, on a stack that stays: `line` is the command line, ended by NUL, which is taken
 * apart in place; the memory from `heap` to `heap_end` is free and zero. Ends in machine_exit. */
struct guest_boot {
        char *line;
        char *heap, *heap_end;
};
_Noreturn void guest_fail(struct str what); /* a line on the console, and the end: status 70 */
void guest_demand_memory(
        uint64_t image_end, uint64_t memory_end); /* before all else: ends a guest that is too small */
_Noreturn void guest_start(const struct guest_boot *boot);

#endif
