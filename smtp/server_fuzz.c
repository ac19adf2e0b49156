/* SPDX-License-Identifier: ISC */
/* Bytes of a hostile client. The first byte seeds the cuts; 0xff ends a group, so that DATA can stand at its end.
 * Whole or cut, the session must come to the same events and the same output, unless bytes came behind DATA: whether
 * these were early is a matter of time. The player itself checks that transactions end exactly once. */
#include "base/check.h"
#include "smtp/server_play.h"

static void play_groups(struct server_play *p, struct str bytes, uint32_t seed)
{
        struct smtp_server_config config = server_play_config();
        struct str group;
        server_play_begin(p, &config);
        while (bytes.n > 0) {
                str_cut(bytes, '\xff', &group, &bytes);
                server_play_feed(p, group, &seed);
        }
        if (!p->is_closed)
                server_play_end_of_input(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct str bytes = str_of(data, size);
        struct server_play whole, cut;
        if (size == 0)
                return 0;
        play_groups(&whole, str_skip(bytes, 1), 0);
        play_groups(&cut, str_skip(bytes, 1), data[0]);
        struct str output = play_str(&whole.output);
        if (str_find(output, S("503 5.5.0 ")) == output.n) {
                CHECK(str_eq(output, play_str(&cut.output)));
                CHECK(str_eq(play_str(&whole.events), play_str(&cut.events)));
        }
        server_play_free(&whole);
        server_play_free(&cut);
        return 0;
}
