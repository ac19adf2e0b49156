/* SPDX-License-Identifier: ISC */
/* For the tests of this folder: inputs in heap blocks of exactly their size, so that AddressSanitizer sees one byte too
 * far, and names from text that is right. */
#ifndef DNS_TEST_INPUT_H
#define DNS_TEST_INPUT_H

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "dns/name.h"

static inline struct str heap_copy(struct str s)
{
        char *p = malloc(s.n ? s.n : 1);
        CHECK(p != NULL);
        if (s.n > 0)
                memcpy(p, s.p, s.n);
        return str_of(p, s.n);
}

static inline void heap_free(struct str s)
{
        free((void *)(uintptr_t)s.p);
}

static inline struct dns_name name_of(const char *text)
{
        struct dns_name name;
        CHECK(dns_name_parse(str_of_c(text), &name) == ERR_OK);
        return name;
}

#endif
