/* SPDX-License-Identifier: ISC */
/* Bytes of a hostile client. Whole or in pieces of the first byte's size, the same is said and asked. */
#include "http/server_play.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct str bytes = str_of(data, size);
        struct server_play whole, cut;
        if (size == 0)
                return 0;
        server_play_begin(&whole);
        server_play_begin(&cut);
        server_play_feed(&whole, str_skip(bytes, 1), 0);
        server_play_feed(&cut, str_skip(bytes, 1), (size_t)data[0] + 1);
        CHECK(whole.requests == cut.requests && whole.is_closed == cut.is_closed);
        CHECK(str_eq(wr_text(&whole.said), wr_text(&cut.said)));
        server_play_end(&whole);
        server_play_end(&cut);
        return 0;
}
