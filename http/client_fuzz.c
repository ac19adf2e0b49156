/* SPDX-License-Identifier: ISC */
/* Answers of a hostile server. Whole or in pieces of the first byte's size, the outcome is the same; the second says whether the
 * stream ends. */
#include "http/client_play.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        if (size < 2)
                return 0;
        struct str bytes = str_skip(str_of(data, size), 2);
        struct http_client *whole = client_play_begin(), *cut = client_play_begin();
        bool ends = data[1] % 2 == 0;
        enum err a = client_play_feed(whole, bytes, 0, ends);
        enum err b = client_play_feed(cut, bytes, (size_t)data[0] + 1, ends);
        CHECK(a == b && http_client_status(whole) == http_client_status(cut));
        CHECK(!ends || a != ERR_AGAIN);
        CHECK(a != ERR_OK || http_client_status(whole) == 200);
        CHECK((a == ERR_OK || a == ERR_AGAIN) == (http_client_why(whole)[0] == '\0'));
        if (a == ERR_OK)
                CHECK(str_eq(http_client_body(whole), http_client_body(cut)));
        free(whole);
        free(cut);
        return 0;
}
