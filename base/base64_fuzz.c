/* SPDX-License-Identifier: ISC */
/* Base 64 and 32 and hexadecimal: decode(encode(bytes)) = bytes, and what decodes was long enough for it. */
#include <stdlib.h>

#include "base/base32.h"
#include "base/base64.h"
#include "base/check.h"
#include "base/hex.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_codec(struct str bytes, char *memory, size_t cap, void (*encode)(struct wr *, struct str),
        enum err (*decode)(struct str, struct wr *))
{
        struct wr text, back;
        wr_init(&text, memory, cap / 2);
        wr_init(&back, memory + cap / 2, bytes.n);
        encode(&text, bytes);
        enum err e = decode(wr_text(&text), &back);
        CHECK(!text.full && e == ERR_OK && str_eq(wr_text(&back), bytes));
        wr_init(&back, memory, cap);
        e = decode(bytes, &back);
        CHECK((e == ERR_OK || e == ERR_SYNTAX) && back.n <= bytes.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct str bytes = str_of(data, size);
        size_t cap = 4 * size + 16;
        char *memory = malloc(cap);
        CHECK(memory);
        check_codec(bytes, memory, cap, base64_encode, base64_decode);
        check_codec(bytes, memory, cap, base32_encode, base32_decode);
        check_codec(bytes, memory, cap, hex_encode, hex_decode);
        free(memory);
        return 0;
}
