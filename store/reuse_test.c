/* SPDX-License-Identifier: ISC */
/* The space of a message that is done is given to others once that is on disk, and not a moment before: else the power
 * goes, the message is not done, and its bytes are another's. */
#include "store/ask.h"
#include "store/crash_truth.h"

#define IMAGE_SIZE (40ull * 1024 * 1024)
#define FLUSH_MS 10

struct bench {
        struct crash_host machine;
        struct store *s;
        struct scope scope; /* of the store fiber */
        struct arena arena;
        char memory[64 * 1024];
        uint64_t size; /* of the message that fills the spool */
        int64_t first, row;
        enum err done, taken;
        bool is_done, is_taken; /* answered */
        bool is_whole;
};

static enum err take(struct bench *b, struct str ticket, uint64_t size, int64_t *id)
{
        static char bytes[SPOOL_EXTENT_MAX];
        static const struct str to = {"x@far.example", 13};
        struct store_intake *i;
        enum err err = store_intake_begin(b->s, size, &i);
        if (err != ERR_OK)
                return err;
        for (uint64_t at = 0, n; at < size && err == ERR_OK; at += n) {
                n = size - at < sizeof bytes ? size - at : sizeof bytes;
                truth_body(truth_seed(ticket), at, bytes, n);
                err = store_intake_write(i, str_of(bytes, n));
        }
        if (err != ERR_OK) {
                store_intake_abort(i);
                return err;
        }
        const struct store_message_new m = {.ticket = ticket,
                .kind = STORE_FORWARD,
                .domain = S("example.org"),
                .sender = S("a@x.example"),
                .message_id = S("<1@x.example>"),
                .front = TRUTH_FRONT,
                .received_ms = 5000,
                .recipients = &to,
                .recipient_count = 1};
        return store_intake_commit(i, &m, id);
}

static void open_store(struct bench *b)
{
        assert_int_equal(store_open(&b->machine.host, CRASH_IMAGE, &b->s), ERR_OK);
        scope_open(&b->scope, b->machine.host.sched, FIBER_NEVER);
        assert_int_equal(store_start(b->s, &b->scope), ERR_OK);
}

static void close_store(struct bench *b)
{
        scope_cancel(&b->scope);
        assert_int_equal(scope_join(&b->scope), ERR_OK);
        store_close(b->s);
}

/* A spool of one segment, all of which one message has, and a share that allows no other. */
static void fill(struct bench *b)
{
        struct spool *p = &b->s->spool;
        struct store_intake *i;
        struct store_delivery *d;
        size_t n;
        assert_int_equal(store_intake_begin(b->s, 1, &i), ERR_OK);
        store_intake_abort(i);
        b->size = p->made * SPOOL_BLOCK;
        p->spare = UINT64_MAX;
        p->share = b->size;
        assert_int_equal(take(b, S("first"), b->size, &b->first), ERR_OK);
        assert_int_equal(p->free, 0);
        assert_int_equal(store_ticket_sign(b->s, b->first, TRUTH_PREFIX), ERR_OK);
        assert_int_equal(store_delivery_due(b->s, 6000, 2, &b->arena, &d, &n), ERR_OK);
        assert_int_equal(n, 1);
        b->row = d[0].id;
}

static void finish(void *arg)
{
        struct bench *b = arg;
        b->done = store_delivery_done(b->s, b->row, 1, 250, S("250 ok"));
        b->is_done = true;
}

static void take_next(void *arg)
{
        struct bench *b = arg;
        int64_t id;
        b->taken = take(b, S("next"), SPOOL_EXTENT_MAX, &id);
        b->is_taken = true;
}

/* The commit is under way, the intake wants space: it waits. Then that flush works, or it never does. */
static void live(struct bench *b, bool works)
{
        struct scope scope;
        struct sim_disk *d = b->machine.disk;
        open_store(b);
        fill(b);
        d->flush_ms = FLUSH_MS;
        d->faults.flush_at = works ? SIM_DISK_NEVER : d->flushes;
        scope_open(&scope, b->machine.host.sched, FIBER_NEVER);
        assert_int_equal(scope_spawn(&scope, "finish", finish, b), ERR_OK);
        assert_int_equal(fiber_sleep(b->machine.host.sched, FLUSH_MS / 2), ERR_OK);
        assert_int_equal(scope_spawn(&scope, "take", take_next, b), ERR_OK);
        assert_int_equal(fiber_sleep(b->machine.host.sched, FLUSH_MS / 4), ERR_OK);
        assert_false(b->is_done || b->is_taken);
        assert_int_equal(scope_join(&scope), ERR_OK);
        assert_int_equal(b->done, works ? ERR_OK : ERR_IO);
        assert_int_equal(b->taken, works ? ERR_OK : ERR_IO);
        d->flush_ms = 0;
        close_store(b);
}

static void live_on(void *arg)
{
        live(arg, true);
}

static void live_to_the_failure(void *arg)
{
        live(arg, false);
}

static void look(void *arg)
{
        struct bench *b = arg;
        struct store_message m;
        open_store(b);
        arena_reset(&b->arena);
        assert_int_equal(store_message_get(b->s, b->first, &b->arena, &m), ERR_OK);
        b->is_done = m.state == STORE_DONE;
        b->is_whole = !b->is_done && truth_message_reads(b->s, &m);
        close_store(b);
}

static void create(void *arg)
{
        struct bench *b = arg;
        assert_int_equal(store_create(&b->machine.host, CRASH_IMAGE), ERR_OK);
}

/* What the first message is after that life and a power cut: done, or whole. */
static bool is_kept(void (*life)(void *arg), enum sim_disk_crash how, uint64_t seed, bool *is_done)
{
        static struct bench b;
        struct sim_disk *d = sim_disk_new(IMAGE_SIZE);
        b = (struct bench){.machine = {.disk = d}};
        arena_init(&b.arena, b.memory, sizeof b.memory);
        crash_host_run(&b.machine, create, &b);
        crash_host_run(&b.machine, life, &b);
        d->faults.flush_at = SIM_DISK_NEVER;
        sim_disk_crash(d, how, seed);
        crash_host_run(&b.machine, look, &b);
        sim_disk_free(d);
        *is_done = b.is_done;
        return b.is_done || b.is_whole;
}

static void test_after_the_commit(void **state)
{
        (void)state;
        bool is_done;
        assert_true(is_kept(live_on, SIM_DISK_LOSES_ALL, 0, &is_done));
        assert_true(is_done);
}

/* However much of that transaction is on disk. */
static void test_never_before_the_commit(void **state)
{
        (void)state;
        unsigned done = 0, whole = 0;
        for (int how = 0; how < SIM_DISK_CRASHES; how++)
                for (uint64_t seed = 0; seed < 4; seed++) {
                        bool is_done;
                        assert_true(is_kept(live_to_the_failure, (enum sim_disk_crash)how, seed, &is_done));
                        done += is_done;
                        whole += !is_done;
                }
        assert_true(done > 0 && whole > 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_after_the_commit),
                cmocka_unit_test(test_never_before_the_commit),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
