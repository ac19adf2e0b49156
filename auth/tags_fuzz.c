/* SPDX-License-Identifier: ISC */
/* A list that parses, written again, parses to the same tags. */
#include <stdint.h>
#include <stdlib.h>

#include "auth/tags.h"
#include "base/check.h"
#include "base/wr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct tags first, second;
        struct str rest, item;
        struct wr w;
        if (tags_parse(str_of(data, size), &first) != ERR_OK) {
                CHECK(first.count == 0);
                return 0;
        }
        CHECK(first.count > 0 && first.count <= DKIM_TAGS_MAX);
        char *text = malloc(size + 2 * DKIM_TAGS_MAX);
        CHECK(text);
        wr_init(&w, text, size + 2 * DKIM_TAGS_MAX);
        for (size_t i = 0; i < first.count; i++) {
                wr_str(&w, first.list[i].name);
                wr_byte(&w, '=');
                wr_str(&w, first.list[i].value);
                wr_byte(&w, ';');
        }
        CHECK(wr_end(&w) == ERR_OK && tags_parse(wr_text(&w), &second) == ERR_OK &&
                second.count == first.count);
        for (size_t i = 0; i < first.count; i++) {
                CHECK(str_eq(first.list[i].name, second.list[i].name));
                CHECK(str_eq(first.list[i].value, second.list[i].value));
                CHECK(tags_find(&first, second.list[i].name) == &first.list[i]);
                rest = first.list[i].value;
                while (tags_item(&rest, &item))
                        CHECK(tags_has_item(first.list[i].value, item));
        }
        free(text);
        return 0;
}
