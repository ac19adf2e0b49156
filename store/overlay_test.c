/* SPDX-License-Identifier: ISC */
#include "store/overlay.h"

#include "store/rig.h"

#define SIZE (4096u * OVERLAY_SECTOR)

struct bench {
        struct host_block *block;
        struct overlay o;
        char *before, *wanted, *got; /* SIZE each */
};

static void begin(struct rig *r, struct bench *b)
{
        rig_file(r->image, SIZE);
        assert_int_equal(host_block_open(r->h, str_of_c(r->image), false, &b->block), ERR_OK);
        b->before = malloc(SIZE);
        b->wanted = malloc(SIZE);
        b->got = malloc(SIZE);
        assert_true(b->before != NULL && b->wanted != NULL && b->got != NULL);
        for (size_t i = 0; i < SIZE; i++)
                b->wanted[i] = b->before[i] = rig_byte(1, i);
        assert_int_equal(host_block_write(r->h, b->block, 0, str_of(b->before, SIZE)), ERR_OK);
        overlay_init(&b->o, r->h, b->block);
}

static void put(struct bench *b, uint64_t at, size_t n, uint64_t seed)
{
        char *bytes = malloc(n + 1);
        assert_non_null(bytes);
        for (size_t i = 0; i < n; i++)
                b->wanted[at + i] = bytes[i] = rig_byte(seed, at + i);
        assert_int_equal(overlay_write(&b->o, at, str_of(bytes, n)), ERR_OK);
        free(bytes);
}

static bool is_read(struct bench *b, uint64_t at, size_t n)
{
        char *got = malloc(n + 1);
        assert_non_null(got);
        assert_int_equal(overlay_read(&b->o, at, got, n), ERR_OK);
        bool same = memcmp(got, b->wanted + at, n) == 0;
        free(got);
        return same;
}

/* All is read as it was written, and the block is as it was. */
static void end(struct rig *r, struct bench *b)
{
        assert_true(is_read(b, 0, SIZE));
        overlay_close(&b->o);
        assert_int_equal(host_block_read(r->h, b->block, 0, b->got, SIZE), ERR_OK);
        assert_memory_equal(b->got, b->before, SIZE);
        host_block_close(r->h, b->block);
        free(b->before);
        free(b->wanted);
        free(b->got);
}

static void edges(struct rig *r)
{
        static const struct {
                uint64_t at;
                size_t n;
        } cases[] = {{0, 0}, {0, 1}, {511, 1}, {511, 2}, {512, 512}, {1000, 600}, {1535, 1026}, {SIZE - 1, 1},
                {SIZE - 513, 513}, {3, 511}};
        struct bench b = {0};
        begin(r, &b);
        assert_true(is_read(&b, 0, SIZE)); /* nothing is kept */
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                put(&b, cases[i].at, cases[i].n, 2 + i);
                assert_true(is_read(&b, cases[i].at, cases[i].n));
                assert_true(is_read(&b, 0, 4096));
        }
        end(r, &b);
}

/* More sectors than the first table has places, again and again. */
static void many(struct rig *r)
{
        struct bench b = {0};
        uint64_t random = 7;
        begin(r, &b);
        for (unsigned i = 0; i < 20000; i++) {
                random = random * 6364136223846793005u + 1442695040888963407u;
                uint64_t at = (random >> 33) % SIZE;
                size_t n = (size_t)(random >> 20) % 1500;
                n = n < SIZE - at ? n : (size_t)(SIZE - at);
                if (i % 2 == 0)
                        put(&b, at, n, i);
                else
                        assert_true(is_read(&b, at, n));
        }
        end(r, &b);
}

static void test_edges(void **state)
{
        (void)state;
        rig_with(edges, NULL, SIZE);
}

static void test_many(void **state)
{
        (void)state;
        rig_with(many, NULL, SIZE);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_edges),
                cmocka_unit_test(test_many),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
