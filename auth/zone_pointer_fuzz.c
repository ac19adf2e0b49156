/* SPDX-License-Identifier: ISC */
/* Whatever parses is written out and parses to the same value, within ZONE_POINTER_MAX. */
#include <string.h>

#include "auth/zone_pointer.h"
#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_readable(const struct zone_pointer *p)
{
        struct zone_pointer again;
        char text[ZONE_POINTER_MAX];
        struct wr w;
        if (p->epoch == p->next || p->epoch == ZONE_EPOCH_MAX || p->next == ZONE_EPOCH_MAX)
                return; /* the end of time */
        wr_init(&w, text, sizeof text);
        CHECK(zone_pointer_write(p, &w) == ERR_OK);
        CHECK(zone_pointer_parse(wr_text(&w), &again) == ERR_OK);
        CHECK(zone_pointer_eq(p, &again));
}

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
        CHECK(zone_pointer_eq(&first, &second));
        /* Whatever follows upon it can be written and read, and what is restored settles. */
        struct zone_pointer next;
        struct zone_take_over how = {first.id, first.old_n > 0 ? first.old[0].until_s : 1, 0, 30 * 86400};
        check_readable(&first);
        zone_pointer_announce(&first, how.now_s, &next);
        check_readable(&next);
        if (zone_pointer_advance(&next, how.validity_s, &second) == ERR_OK)
                check_readable(&second);
        zone_pointer_merge(&first, &second, how.now_s, how.validity_s, &next);
        check_readable(&next);
        zone_pointer_merge(&next, &second, how.now_s, how.validity_s, &second);
        CHECK(zone_pointer_eq(&next, &second) || next.old_n == ZONE_OLD_MAX);
        zone_pointer_take_over(&first, &how, &next);
        check_readable(&next);
        return 0;
}
