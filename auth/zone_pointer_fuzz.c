/* SPDX-License-Identifier: ISC */
/* Whatever parses is written out and parses to the same value, within ZONE_POINTER_MAX. */
#include <string.h>

#include "auth/zone_pointer.h"
#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct zone_pointer first, second;
        char text[ZONE_POINTER_MAX];
        struct wr w;
        if (zone_pointer_parse(str_of(data, size), &first) != ERR_OK)
                return 0;
        wr_init(&w, text, sizeof text);
        CHECK(zone_pointer_write(&first, &w) == ERR_OK);
        CHECK(zone_pointer_parse(wr_text(&w), &second) == ERR_OK);
        CHECK(first.epoch == second.epoch && first.next == second.next && first.old_n == second.old_n);
        for (size_t i = 0; i < first.old_n; i++)
                CHECK(first.old[i].epoch == second.old[i].epoch &&
                        first.old[i].until_s == second.old[i].until_s);
        CHECK(memcmp(first.id, second.id, sizeof first.id) == 0);
        return 0;
}
