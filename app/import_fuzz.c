/* SPDX-License-Identifier: ISC */
/* Any bytes as a dump of any format: the first byte says which, and which file of its folder. What comes out is what the
 * header promises. */
#include <stdlib.h>

#include "app/import.h"
#include "base/check.h"
#include "base/utf8.h"
#include "list/setting.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum err take(void *ctx, const struct import_item *item)
{
        size_t *taken = ctx;
        ++*taken;
        if (item->kind == IMPORT_SETTING)
                CHECK(setting_check(setting_find(item->name), item->text) == ERR_OK);
        CHECK((item->kind == IMPORT_LEFT) == (item->why != NULL));
        CHECK(item->joined_ms >= 0);
        return ERR_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const char *const paths[] = {"", "control/owner", "control/listaddress", "control/footer",
                "control/maxmailsize", "nomailsubs.d/a", "config", "owner.dump", "message_footer",
                "member.dump"};
        if (size == 0)
                return 0;
        size_t taken = 0, line;
        struct str text = str_of(data + 1, size - 1);
        struct import_file file = {(enum import_format)(data[0] % 5), str_of_c(paths[data[0] / 5 % 10]), text,
                malloc(IMPORT_ROOM(text.n))};
        if (file.room == NULL)
                return 0;
        enum err err = import_read(&file, (struct import_sink){take, &taken}, &line);
        CHECK(err == ERR_OK || err == ERR_SYNTAX || err == ERR_LIMIT || err == ERR_DENIED);
        CHECK(taken <= 4 + text.n && line <= text.n + 1);
        free(file.room);
        return 0;
}
