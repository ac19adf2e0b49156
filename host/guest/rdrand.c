/* SPDX-License-Identifier: ISC */
#include <cpuid.h>

#include "host/guest/entropy.h"

bool entropy_has_rdrand(void)
{
        unsigned a, b, c, d;
        return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_RDRND) != 0;
}

bool entropy_rdrand(void *ctx, uint64_t *out)
{
        unsigned char ok;
        (void)ctx;
        __asm__ volatile("rdrand %0; setc %1" : "=r"(*out), "=qm"(ok) : : "cc");
        return ok != 0;
}
