/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "host/solo5/solo5.h"

_Static_assert(sizeof(struct solo5_device) == 104, "the tender's layout");

const struct solo5_device *solo5_find(
        const struct solo5_manifest *m, enum solo5_type type, struct str name, uint64_t *index)
{
        for (uint32_t i = 0; i < m->count; i++) {
                const struct solo5_device *d = &m->devices[i];
                if (d->type != type || !d->is_attached || memchr(d->name, 0, sizeof d->name) == NULL)
                        continue;
                *index = i;
                if (str_eq(str_of_c(d->name), name))
                        return d;
        }
        return NULL;
}
