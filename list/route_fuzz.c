/* SPDX-License-Identifier: ISC */
#include "base/check.h"
#include "list/route.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every reading ends, and each list name is shorter than the one before. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct str local = str_of(data, size);
        size_t last = size + 1;
        for (size_t nth = 0;; nth++) {
                struct route r = route_read(local, nth);
                if (r.kind == ROUTE_NONE)
                        break;
                CHECK(r.kind == ROUTE_SIGNED || r.kind == ROUTE_POSTMASTER || r.list.n < last);
                last = r.list.n;
        }
        (void)route_is_reserved(local);
        return 0;
}
