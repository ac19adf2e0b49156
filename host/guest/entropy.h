/* SPDX-License-Identifier: ISC */
/* The processor's random generator, under the health tests of NIST SP 800-90B 4.3 and 4.4.
 * Its output seeds a DRBG (random.c) and goes nowhere else. */
#ifndef HOST_GUEST_ENTROPY_H
#define HOST_GUEST_ENTROPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The continuous tests over samples of 64 bits; all zeros is the start. A failure sticks. */
struct entropy_health {
        uint64_t last;
        uint8_t sample; /* of the window of the adaptive proportion test, in bytes */
        unsigned seen, equal;
        bool has_last, failed;
};

/* Whether the source may still be used after this sample. */
bool entropy_health_take(struct entropy_health *h, uint64_t sample);

/* `n` words from `read(ctx, out)`, which gives false when it has none: tried again ten times, as the processor's maker
 * says. False: the source is broken, and the words are zero. */
bool entropy_gather(
        struct entropy_health *h, bool (*read)(void *ctx, uint64_t *out), void *ctx, uint64_t *out, size_t n);

/* RDRAND, for entropy_gather; whether this processor has it. */
bool entropy_rdrand(void *ctx, uint64_t *out);
bool entropy_has_rdrand(void);

#endif
