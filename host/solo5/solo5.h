/* SPDX-License-Identifier: ISC */
/* What the two ABIs of Solo5 have in common: the manifest of devices, which the tender fills in and hands over.
 * (Solo5's include/mft_abi.h, version 1.) */
#ifndef HOST_SOLO5_SOLO5_H
#define HOST_SOLO5_SOLO5_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

#define SOLO5_NAME_SIZE 68
#define SOLO5_STACK_SIZE \
        (256 * 1024) /* at the end of the memory: the start and the scheduler's loop run on it */

enum solo5_type { SOLO5_BLOCK = 1, SOLO5_NET = 2 };

struct solo5_device {
        char name[SOLO5_NAME_SIZE];
        uint32_t type;
        union {
                struct {
                        uint64_t capacity;
                        uint16_t block_size;
                } block;
                struct {
                        uint8_t mac[6];
                        uint16_t mtu;
                } net;
        };
        union {
                int32_t descriptor; /* spt */
                uint64_t unused;
        };
        bool is_attached;
};

struct solo5_manifest {
        uint32_t version, count;
        struct solo5_device devices[];
};

/* The attached device of that type and name, NULL: none. `*index` is what the tender calls it. */
const struct solo5_device *solo5_find(
        const struct solo5_manifest *m, enum solo5_type type, struct str name, uint64_t *index);

#endif
