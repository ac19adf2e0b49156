/* SPDX-License-Identifier: ISC */
/* Names as they come: from UTF-8 and back, to a short name and back, and any units or bytes from a disk. */
#include "fat/name.h"

#include <string.h>

#include "base/check.h"
#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void from_text(struct str text)
{
        struct fat_name name, back;
        char out[FAT_NAME_UTF8_MAX];
        uint8_t raw[11];
        struct wr w;
        if (fat_name_parse(text, &name) != ERR_OK)
                return;
        CHECK(fat_name_is_sane(&name));
        wr_init(&w, out, sizeof out);
        fat_name_write(&w, &name);
        CHECK(wr_end(&w) == ERR_OK && str_eq(wr_text(&w), text));
        if (fat_short_encode(&name, raw)) {
                fat_short_decode(raw, 0, &back);
                CHECK(fat_short_is_valid(raw) && back.n == name.n && fat_name_eq(&back, &name));
        }
        size_t n = fat_short_basis(&name, raw);
        CHECK(n >= 1 && n <= 8 && fat_short_is_valid(raw));
        fat_short_tail(raw, n, 1 + (uint32_t)text.n % 999999);
        CHECK(fat_short_is_valid(raw));
}

static void from_disk(const uint8_t *data, size_t size)
{
        struct fat_name name = {.n = size / 2 < FAT_NAME_UNITS_MAX ? size / 2 : FAT_NAME_UNITS_MAX};
        char out[FAT_NAME_UTF8_MAX];
        uint8_t raw[12] = {0};
        struct wr w;
        memcpy(name.units, data, name.n * 2);
        wr_init(&w, out, sizeof out);
        fat_name_write(&w, &name);
        CHECK(wr_end(&w) == ERR_OK && utf8_is_valid(wr_text(&w)));
        CHECK(fat_name_eq(&name, &name));
        memcpy(raw, data, size < sizeof raw ? size : sizeof raw);
        fat_short_decode(raw, raw[11], &name);
        CHECK(name.n >= 1 && name.n <= FAT_SHORT_UNITS && fat_name_is_sane(&name));
        wr_init(&w, out, FAT_SHORT_UTF8_MAX);
        fat_name_write(&w, &name);
        CHECK(wr_end(&w) == ERR_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        from_text(str_of(data, size));
        from_disk(data, size);
        return 0;
}
