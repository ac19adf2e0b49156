/* SPDX-License-Identifier: ISC */
/* Bodies: whole or cut, the same canonical form, which is its own canonical form. Fields: the same. */
#include <stdint.h>
#include <stdlib.h>

#include "auth/canon.h"
#include "base/check.h"
#include "base/wr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void collect(void *arg, struct str bytes)
{
        wr_str(arg, bytes);
}

static void body(enum canon canon, struct str text, size_t step, struct wr *w)
{
        struct canon_body b;
        struct canon_sink sink = {collect, w};
        w->n = 0;
        canon_body_init(&b, canon);
        for (; text.n > 0; text = str_skip(text, step))
                canon_body_write(&b, str_take(text, step), sink);
        canon_body_end(&b, sink);
        CHECK(!w->full);
}

static void field(enum canon canon, struct str text, struct wr *w)
{
        w->n = 0;
        canon_field(canon, text, (struct canon_sink){collect, w});
        CHECK(!w->full);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct wr whole, other;
        if (size < 1)
                return 0;
        size_t step = 1 + data[0] % 80u, cap = 2 * size + 16;
        struct str text = str_of(data + 1, size - 1);
        char *one = malloc(cap), *two = malloc(cap);
        CHECK(one && two);
        wr_init(&whole, one, cap);
        wr_init(&other, two, cap);
        for (int canon = 0; canon < CANON_COUNT; canon++) {
                body((enum canon)canon, text, size, &whole);
                body((enum canon)canon, text, step, &other);
                CHECK(str_eq(wr_text(&whole), wr_text(&other)));
                body((enum canon)canon, wr_text(&whole), step, &other);
                CHECK(str_eq(wr_text(&whole), wr_text(&other)));
                if (str_find_byte(text, ':') == text.n)
                        continue;
                field((enum canon)canon, text, &whole);
                field((enum canon)canon, wr_text(&whole), &other);
                CHECK(str_eq(wr_text(&whole), wr_text(&other)));
        }
        free(one);
        free(two);
        return 0;
}
