/* SPDX-License-Identifier: ISC */
/* A node's disk through its host: that it outlives the node, and what a kill does to it. */
#include "host/sim/stage.h"

enum { SIZE = 8192, FLUSH_MS = 2 };

static void calls(struct stage *s)
{
        struct host_block *b, *second;
        char bytes[4] = "";
        assert_int_equal(host_block_open(s->ah, S("image"), true, &b), ERR_NOT_FOUND); /* without a disk */
        assert_int_equal(host_block_open(s->bh, S("image"), false, &b), ERR_OK);
        assert_int_equal(host_block_open(s->bh, S("image"), false, &second), ERR_BUSY);
        assert_int_equal(host_block_size(s->bh, b), SIZE);
        assert_int_equal(host_block_write(s->bh, b, SIZE - 3, S("abc")), ERR_OK);
        assert_int_equal(host_block_write(s->bh, b, SIZE - 2, S("abc")), ERR_LIMIT);
        assert_int_equal(host_block_read(s->bh, b, SIZE - 3, bytes, 3), ERR_OK);
        assert_memory_equal(bytes, "abc", 3);
        assert_int_equal(host_block_read(s->bh, b, SIZE, bytes, 1), ERR_LIMIT);
        assert_int_equal(host_block_resize(s->bh, b, 2 * SIZE), ERR_OK);
        assert_int_equal(host_block_size(s->bh, b), 2 * SIZE);
        int64_t before_ms = sim_now(s->sim);
        assert_int_equal(host_block_flush(s->bh, b), ERR_OK);
        assert_int_equal(sim_now(s->sim) - before_ms, FLUSH_MS);
        assert_int_equal(sim_node_counters(s->b).open, 1);
        host_block_close(s->bh, b);
        host_block_close(s->bh, NULL);
        assert_int_equal(sim_node_counters(s->b).open, 0);
        assert_ptr_equal(sim_node_disk(s->b), s->disk);
}

/* Writes A and flushes it, writes B, and goes on until it is killed in its next flush. */
static int keep_writing(struct host *h, void *arg)
{
        struct host_block *b;
        enum err *err = arg;
        assert_int_equal(host_block_open(h, S("image"), false, &b), ERR_OK);
        assert_int_equal(host_block_write(h, b, 0, S("A")), ERR_OK);
        assert_int_equal(host_block_flush(h, b), ERR_OK);
        assert_int_equal(host_block_write(h, b, 512, S("B")), ERR_OK);
        *err = host_block_flush(h, b);
        host_block_close(h, b);
        return 0;
}

static void kills(struct stage *s)
{
        static const struct {
                const char *name;
                enum sim_kill how;
                int crash;
                bool has_b, is_possible_b;
        } cases[] = {
                {"process", SIM_KILL_PROCESS, SIM_DISK_CRASHES, true, true},
                {"power, all lost", SIM_KILL_POWER, SIM_DISK_LOSES_ALL, false, false},
                {"power, all kept", SIM_KILL_POWER, SIM_DISK_KEEPS_ALL, true, true},
                {"power, as drawn", SIM_KILL_POWER, SIM_DISK_CRASHES, false, true},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                enum err err = ERR_OK;
                int status;
                char a, b;
                sim_disk_put(s->disk, 0, "\0", 1);
                sim_disk_put(s->disk, 512, "\0", 1);
                sim_node_set_crash(s->b, cases[i].crash);
                sim_node_start(s->b, keep_writing, &err);
                stage_sleep(s, FLUSH_MS + 1);
                sim_node_kill(s->b, cases[i].how);
                assert_int_equal(sim_node_join(s->b, stage_in(s, 100), &status), ERR_OK);
                assert_int_equal(status, SIM_STATUS_KILLED);
                assert_true(err != ERR_OK);
                sim_disk_get(s->disk, 0, &a, 1);
                sim_disk_get(s->disk, 512, &b, 1);
                assert_int_equal(a, 'A');
                if (cases[i].has_b || !cases[i].is_possible_b)
                        assert_int_equal(b, cases[i].has_b ? 'B' : 0);
                assert_true(b == 'B' || b == 0);
        }
}

/* A killed process leaves its last writes with the kernel; the power may still take them. */
static void kill_then_power(struct stage *s)
{
        enum err err = ERR_OK;
        int status;
        char b;
        sim_node_set_crash(s->b, SIM_DISK_LOSES_ALL);
        sim_node_start(s->b, keep_writing, &err);
        stage_sleep(s, FLUSH_MS + 1);
        sim_node_kill(s->b, SIM_KILL_PROCESS);
        assert_int_equal(sim_node_join(s->b, stage_in(s, 100), &status), ERR_OK);
        sim_disk_get(s->disk, 512, &b, 1);
        assert_int_equal(b, 'B');
        sim_node_kill(s->b, SIM_KILL_POWER);
        sim_disk_get(s->disk, 512, &b, 1);
        assert_int_equal(b, 0);
}

static void play(void (*body)(struct stage *s))
{
        struct stage s = {.disk = sim_disk_new(SIZE)};
        s.disk->flush_ms = FLUSH_MS;
        stage_play(&s, 1, body);
        assert_null(sim_failure(s.sim));
        stage_end(&s);
        sim_disk_free(s.disk);
}

static void test_calls(void **state)
{
        (void)state;
        play(calls);
}

static void test_kills(void **state)
{
        (void)state;
        play(kills);
        play(kill_then_power);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_calls),
                cmocka_unit_test(test_kills),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
