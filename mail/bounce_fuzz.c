/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "base/check.h"
#include "mail/bounce.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static struct bounce_work work;
        static struct bounce b;
        bounce_read(str_of(data, size), &work, &b);
        CHECK(b.count <= BOUNCE_RECIPIENTS_MAX);
        CHECK(b.count > 0 || !b.is_dsn);
        for (size_t i = 0; i < b.count; i++) {
                CHECK(b.list[i].kind != BOUNCE_NONE);
                CHECK(str_find_byte(b.list[i].address, '@') < b.list[i].address.n);
        }
        return 0;
}
