/* SPDX-License-Identifier: ISC */
#include "store/gather.h"

#include "store/rig.h"

#define AREA (4ull * GATHER_MAX)

struct bench {
        struct volume v;
        struct area area;
        struct gather g;
        char *wanted;
};

static void begin(struct rig *r, struct bench *b)
{
        rig_volume(r, &b->v);
        assert_int_equal(area_make(&b->v, S("gathered"), &b->area), ERR_OK);
        assert_int_equal(area_grow(&b->area, AREA), ERR_OK);
        assert_int_equal(gather_init(&b->g, &b->area), ERR_OK);
        b->wanted = calloc(1, b->area.size);
        assert_non_null(b->wanted);
}

static void end(struct bench *b)
{
        gather_close(&b->g);
        area_close(&b->area);
        assert_int_equal(volume_close(&b->v), ERR_OK);
        free(b->wanted);
}

static void put(struct bench *b, uint64_t at, size_t n, char c)
{
        memset(b->wanted + at, c, n);
        assert_int_equal(gather_write(&b->g, at, str_of(b->wanted + at, n)), ERR_OK);
}

static bool is_there(const struct bench *b)
{
        char *got = malloc(b->area.size);
        assert_non_null(got);
        assert_int_equal(area_read(&b->area, 0, got, b->area.size), ERR_OK);
        bool same = memcmp(got, b->wanted, b->area.size) == 0;
        free(got);
        return same;
}

/* Heads and pages as SQLite writes them; then holes, steps back, and pieces too large to be gathered. */
static void pieces(struct rig *r)
{
        struct bench b;
        begin(r, &b);
        for (uint64_t i = 0; i < 40; i++) {
                put(&b, 32 + i * 4120, 24, (char)('a' + i % 26));
                put(&b, 32 + i * 4120 + 24, 4096, (char)('A' + i % 26));
        }
        assert_false(is_there(&b));
        assert_int_equal(gather_out(&b.g), ERR_OK);
        assert_true(is_there(&b));
        put(&b, 0, 32, 'h');
        put(&b, 4 * 4120, 24, '1');
        put(&b, 2 * 4120, 4120, '2');
        put(&b, 2 * 4120 + 8, 8, '3');
        put(&b, 100, GATHER_MAX, '4');
        put(&b, 100 + GATHER_MAX, 1, '5');
        put(&b, 7, 2 * GATHER_MAX, '6');
        put(&b, AREA - 1, 1, '7');
        put(&b, 0, 0, '8');
        assert_int_equal(gather_out(&b.g), ERR_OK);
        assert_true(is_there(&b));
        assert_int_equal(gather_out(&b.g), ERR_OK);
        assert_true(is_there(&b));
        end(&b);
}

/* What failed is not written by the next call. */
static void failed(struct rig *r)
{
        struct bench b;
        begin(r, &b);
        assert_int_equal(gather_write(&b.g, AREA - 8, S("0123456789")), ERR_OK);
        assert_int_equal(gather_out(&b.g), ERR_LIMIT);
        assert_int_equal(gather_out(&b.g), ERR_OK);
        assert_int_equal(gather_write(&b.g, AREA - 8, S("0123456789")), ERR_OK);
        assert_int_equal(gather_write(&b.g, 0, S("x")), ERR_LIMIT);
        assert_int_equal(gather_out(&b.g), ERR_OK);
        assert_true(is_there(&b));
        end(&b);
}

RIG_CASE(pieces)
RIG_CASE(failed)

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_pieces), cmocka_unit_test(test_failed)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
