/* SPDX-License-Identifier: ISC */
/* For tests: inputs in heap blocks of exactly their size, so that AddressSanitizer sees one octet too far. */
#ifndef BASE_EXACT_H
#define BASE_EXACT_H

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/str.h"

/* A copy of `s`; to be given back with exact_free. */
static inline struct str exact(struct str s)
{
        char *p = malloc(s.n > 0 ? s.n : 1);
        CHECK(p);
        if (s.n > 0)
                memcpy(p, s.p, s.n);
        return str_of(p, s.n);
}

static inline void exact_free(struct str s)
{
        free((void *)(uintptr_t)s.p);
}

#endif
