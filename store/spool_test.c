/* SPDX-License-Identifier: ISC */
#include "store/spool.h"
#include "store/rig.h"

#define MIB (1024ull * 1024)

/* The spool alone, beside the store's own, with `share` bytes of the volume. */
static void open_spool(struct rig *r, struct spool *p, uint64_t share)
{
        struct fat_info info;
        uint32_t clusters;
        if (r->s == NULL)
                rig_open(r);
        assert_int_equal(spool_open(p, &r->s->volume, 0), ERR_OK);
        assert_int_equal(fat_info(r->s->volume.fat, &info), ERR_OK);
        assert_int_equal(fat_free_clusters(r->s->volume.fat, &clusters), ERR_OK);
        assert_true(p->made * SPOOL_BLOCK <= share);
        p->spare = (uint64_t)clusters * info.cluster_size - (share - p->made * SPOOL_BLOCK);
        p->share = share;
}

static void close_spool(struct rig *r, struct spool *p)
{
        spool_close(p);
        store_close(r->s);
        r->s = NULL;
}

static enum err reserve(struct spool *p, uint64_t blocks)
{
        enum err err = spool_reserve(p, blocks);
        if (err == ERR_AGAIN) {
                err = spool_grow(p, blocks);
                if (err == ERR_OK)
                        err = spool_reserve(p, blocks);
        }
        return err;
}

/* Segments are made as they are needed, and together are the share to the block. */
static void segments(struct rig *r)
{
        struct spool *p = malloc(sizeof *p);
        assert_non_null(p);
        open_spool(r, p, 36 * MIB + 5000);
        assert_int_equal(p->count, 0);
        assert_int_equal(spool_reserve(p, 1), ERR_AGAIN);
        assert_int_equal(spool_grow(p, 1), ERR_OK);
        assert_int_equal(spool_grow(p, 1), ERR_OK); /* already so */
        assert_int_equal(spool_reserve(p, 1), ERR_OK);
        assert_true(p->count == 1 && p->made == p->segments[0].blocks && p->made >= 256);
        uint64_t first = p->made;
        assert_int_equal(reserve(p, first), ERR_OK);
        assert_true(p->count == 2 && p->reserved == first + 1);
        assert_int_equal(reserve(p, 36 * 256 + 1 - p->reserved), ERR_OK);
        assert_int_equal(p->made, 36 * 256 + 1);
        assert_int_equal(reserve(p, 1), ERR_FULL);
        assert_int_equal(p->made, 36 * 256 + 1);
        spool_unreserve(p, 9217);
        assert_int_equal(reserve(p, UINT64_MAX), ERR_FULL);
        size_t count = p->count;
        close_spool(r, p);
        open_spool(r, p, 36 * MIB + 5000);
        assert_true(p->count == count && p->free == 9217 && p->reserved == 0);
        close_spool(r, p);
        free(p);
}

static void marks(struct rig *r)
{
        struct spool *p = malloc(sizeof *p);
        assert_non_null(p);
        open_spool(r, p, 16 * MIB);
        assert_int_equal(spool_grow(p, 1), ERR_OK);
        assert_int_equal(p->made, 256);
        static const struct {
                struct spool_extent e;
                enum err err;
        } cases[] = {
                {{0, 10, 65536, 0}, ERR_OK},
                {{0, 10, 1, 0}, ERR_CORRUPT}, /* taken */
                {{0, 9, 4097, 0}, ERR_CORRUPT},
                {{0, 25, 4096, 0}, ERR_CORRUPT},
                {{0, 26, 4096, 0}, ERR_OK},
                {{0, 9, 4096, 0}, ERR_OK},
                {{0, 100, 0, 0}, ERR_CORRUPT},
                {{0, 100, 65537, 0}, ERR_CORRUPT},
                {{1, 0, 1, 0}, ERR_CORRUPT},
                {{0, 255, 4096, 0}, ERR_OK},
                {{0, 254, 4097, 0}, ERR_CORRUPT},
                {{0, 255, 4097, 0}, ERR_CORRUPT}, /* over the end */
                {{0, 256, 1, 0}, ERR_CORRUPT},
                {{0, UINT32_MAX, 65536, 0}, ERR_CORRUPT},
                {{UINT32_MAX, UINT32_MAX, UINT32_MAX, 0}, ERR_CORRUPT},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                uint64_t free_before = p->free;
                assert_int_equal(spool_mark(p, &cases[i].e), cases[i].err);
                assert_true(cases[i].err == ERR_OK || p->free == free_before);
        }
        assert_int_equal(p->free, 256 - 19);
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
                if (cases[i].err == ERR_OK) {
                        assert_int_equal(spool_free(p, &cases[i].e), ERR_OK);
                        assert_int_equal(spool_free(p, &cases[i].e), ERR_CORRUPT); /* twice */
                }
        assert_int_equal(p->free, 256);
        close_spool(r, p);
        free(p);
}

/* Random sizes come and go in a spool that is often full: no block is given twice, no byte is another's. */
enum { LIVE = 200, BLOCKS = 256, TURNS = 4000 };

static void fill_bytes(char *bytes, size_t n, uint64_t seed)
{
        for (size_t i = 0; i < n; i++)
                bytes[i] = rig_byte(seed, i);
}

struct live {
        struct spool_extent e;
        uint64_t seed;
};

static void check_and_free(struct spool *p, struct live *l, char *room, char *wanted)
{
        assert_int_equal(spool_read(p, &l->e, room), ERR_OK);
        fill_bytes(wanted, l->e.size, l->seed);
        assert_memory_equal(room, wanted, l->e.size);
        assert_int_equal(spool_free(p, &l->e), ERR_OK);
        l->e.size = 0;
}

static void come_and_go(struct rig *r)
{
        struct spool *p = malloc(sizeof *p);
        static struct live live[LIVE];
        static char bytes[SPOOL_EXTENT_MAX], wanted[SPOOL_EXTENT_MAX];
        size_t full = 0, cut = 0;
        assert_non_null(p);
        open_spool(r, p, BLOCKS * SPOOL_BLOCK);
        for (uint64_t turn = 0; turn < TURNS; turn++) {
                struct live *l = &live[host_random_below(r->h, LIVE)];
                if (l->e.size > 0) {
                        check_and_free(p, l, bytes, wanted);
                        continue;
                }
                size_t n = 1 + (size_t)host_random_below(r->h, turn % 3 == 0 ? SPOOL_EXTENT_MAX : 6000);
                if (reserve(p, spool_blocks(n)) != ERR_OK) {
                        full++;
                        continue;
                }
                fill_bytes(bytes, n, turn);
                assert_int_equal(spool_write(p, str_of(bytes, n), &l->e), ERR_OK);
                l->seed = turn;
                assert_true(l->e.size == n || (l->e.size < n && l->e.size % SPOOL_BLOCK == 0));
                cut += l->e.size < n;
                spool_unreserve(p, spool_blocks(n) - spool_blocks(l->e.size));
                assert_int_equal(p->reserved, 0);
        }
        assert_true(full > 10 && cut > 10); /* it was as full and as broken up as meant */
        for (size_t i = 0; i < LIVE; i++)
                if (live[i].e.size > 0)
                        check_and_free(p, &live[i], bytes, wanted);
        assert_int_equal(p->free, BLOCKS);
        close_spool(r, p);
        free(p);
}

static enum err write_that_fails(struct host_block *b, uint64_t at, const void *from, size_t n)
{
        (void)b;
        (void)at;
        (void)from;
        (void)n;
        return ERR_FULL;
}

/* What could not be written has taken nothing. */
static void failed_write(struct rig *r)
{
        struct spool *p = malloc(sizeof *p);
        struct host_ops ops = *r->h->ops;
        const struct host_ops *before = r->h->ops;
        struct spool_extent e;
        assert_non_null(p);
        open_spool(r, p, 16 * MIB);
        assert_int_equal(spool_grow(p, 4096), ERR_OK);
        assert_int_equal(spool_reserve(p, 5), ERR_OK);
        ops.block_write = write_that_fails;
        r->h->ops = &ops;
        assert_int_equal(spool_write(p, S("hello"), &e), ERR_FULL);
        r->h->ops = before;
        assert_true(p->free == 4096 && p->reserved == 5);
        assert_int_equal(spool_write(p, S("hello"), &e), ERR_OK);
        assert_true(p->free == 4095 && p->reserved == 4);
        close_spool(r, p);
        free(p);
}

RIG_CASE(segments)
RIG_CASE(marks)
RIG_CASE(come_and_go)
RIG_CASE(failed_write)

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_segments),
                cmocka_unit_test(test_marks),
                cmocka_unit_test(test_come_and_go),
                cmocka_unit_test(test_failed_write),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
