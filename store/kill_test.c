/* SPDX-License-Identifier: ISC */
/* A process works on the store and dies at a random moment, again and again. What it was told to be kept is kept, with
 * the right bytes; no blocks belong to two messages; no space is lost; each member gets each message, and twice only
 * where a result was not yet kept. What the child was told goes into a file, a record after each answer. */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "store/ask.h"
#include "store/open_tickets.h"
#include "store/rig.h"

enum { MESSAGES = 4000, MEMBERS = 12, ROUNDS = 25, WORKERS = 6 };

/* What the children share with the one who checks. */
struct told {
        uint32_t next; /* number of the next message to take in */
        bool kept[MESSAGES];
        int64_t id[MESSAGES];
        uint32_t size[MESSAGES];
        uint8_t done[MESSAGES][MEMBERS];  /* results that were answered */
        uint8_t given[MESSAGES][MEMBERS]; /* rows handed out */
        int64_t lists;
};

struct life {
        struct rig *r;
        struct told *told;
        uint64_t left; /* answers until the end */
};

/* Dying in the middle of anything that answers. */
static void step(struct life *life)
{
        if (life->left-- == 0)
                _exit(0);
}

static uint32_t number_of(const struct told *told, int64_t id)
{
        for (uint32_t i = 0; i < told->next; i++)
                if (told->id[i] == id)
                        return i;
        return MESSAGES;
}

static void take_one(struct life *life)
{
        struct told *told = life->told;
        uint32_t n = told->next++;
        char ticket[16];
        int64_t id;
        told->size[n] = (uint32_t)host_random_below(life->r->h, n % 5 == 0 ? 200000 : 9000);
        (void)snprintf(ticket, sizeof ticket, "t%u", n);
        enum err err = rig_take(life->r, told->lists, ticket, n, told->size[n], 4000, &id);
        if (err == ERR_OK) {
                told->id[n] = id;
                told->kept[n] = true;
        } else {
                assert_int_equal(err, ERR_FULL);
        }
        step(life);
}

static void sign_some(struct life *life)
{
        int64_t ids[3];
        size_t n;
        assert_int_equal(open_tickets(life->r->s, 0, 3, ids, &n), ERR_OK);
        for (size_t i = 0; i < n; i++) {
                enum err err = store_ticket_sign(life->r->s, ids[i], S("P: 1\r\n"));
                assert_true(err == ERR_OK || err == ERR_EXISTS);
                step(life);
        }
}

static void deliver_some(struct life *life)
{
        struct rig *r = life->r;
        char memory[16384];
        struct arena arena;
        struct store_delivery *d;
        size_t n;
        arena_init(&arena, memory, sizeof memory);
        bool due = host_random_below(r->h, 3) == 0;
        enum err err = due ? store_delivery_due(r->s, 1000, 10, &arena, &d, &n)
                           : store_post_fill(r->s, 1000, 10, &arena, &d, &n);
        assert_int_equal(err, ERR_OK);
        for (size_t i = 0; i < n; i++) {
                uint32_t at = number_of(life->told, d[i].message);
                bool defer = host_random_below(r->h, 4) == 0;
                if (at < MESSAGES)
                        life->told->given[at][d[i].member - 1]++;
                err = defer ? store_delivery_defer(r->s, d[i].id, 500, S("later"))
                            : store_delivery_done(r->s, d[i].id, 1, 250, S("250 ok"));
                assert_int_equal(err, ERR_OK);
                if (at < MESSAGES && !defer)
                        life->told->done[at][d[i].member - 1]++;
                step(life);
        }
        step(life);
}

static void worker(void *arg)
{
        struct life *life = arg;
        while (life->told->next < MESSAGES) {
                switch (host_random_below(life->r->h, 3)) {
                case 0:
                        take_one(life);
                        break;
                case 1:
                        sign_some(life);
                        break;
                default:
                        deliver_some(life);
                }
        }
}

static void live_and_die(void *arg)
{
        struct life *life = arg;
        rig_start(life->r);
        struct scope scope;
        scope_open(&scope, life->r->h->sched, FIBER_NEVER);
        for (int i = 0; i < WORKERS; i++)
                assert_int_equal(scope_spawn(&scope, "worker", worker, life), ERR_OK);
        scope_join(&scope);
        _exit(0);
}

static int64_t count_of(struct store *s, const char *sql)
{
        sqlite3_stmt *st;
        assert_int_equal(sqlite3_prepare_v2(s->db.c, sql, -1, &st, NULL), SQLITE_OK);
        assert_int_equal(sqlite3_step(st), SQLITE_ROW);
        int64_t n = sqlite3_column_int64(st, 0);
        sqlite3_finalize(st);
        return n;
}

/* Marking at the start finds blocks that two own; so only counts are left to compare. */
static void check_space(struct rig *r)
{
        assert_int_equal(store_space(r->s).reserved, 0);
        assert_int_equal(store_space(r->s).used,
                count_of(r->s, "SELECT coalesce(sum((size + 4095) / 4096 * 4096), 0) FROM extent"));
        assert_int_equal(count_of(r->s, "SELECT count(*) FROM message m WHERE state < 3 AND body_size !="
                                        " (SELECT coalesce(sum(size), 0) FROM extent WHERE message = m.id)"),
                0);
        assert_int_equal(
                count_of(r->s,
                        "SELECT count(*) FROM extent e JOIN message m ON m.id = e.message WHERE m.state = 3"),
                0);
        assert_int_equal(count_of(r->s, "SELECT count(*) FROM delivery WHERE next_ms IS NULL"), 0);
        assert_int_equal(count_of(r->s, "SELECT count(*) FROM message m WHERE state = 2"
                                        " AND NOT EXISTS (SELECT 1 FROM delivery WHERE message = m.id)"
                                        " AND NOT EXISTS (SELECT 1 FROM post WHERE message = m.id)"),
                0);
        sqlite3_stmt *st;
        assert_int_equal(sqlite3_prepare_v2(r->s->db.c, "PRAGMA quick_check", -1, &st, NULL), SQLITE_OK);
        assert_int_equal(sqlite3_step(st), SQLITE_ROW);
        assert_string_equal((const char *)sqlite3_column_text(st, 0), "ok");
        sqlite3_finalize(st);
}

static void check_messages(struct life *life)
{
        struct rig *r = life->r;
        for (uint32_t i = 0; i < life->told->next; i++) {
                struct store_message m;
                char ticket[16];
                (void)snprintf(ticket, sizeof ticket, "t%u", i);
                arena_reset(&r->arena);
                enum err err = store_ticket_find(r->s, str_of_c(ticket), &r->arena, &m);
                if (!life->told->kept[i] && err == ERR_NOT_FOUND)
                        continue;
                assert_int_equal(err, ERR_OK); /* kept, or killed between the commit and its answer */
                life->told->kept[i] = true;
                life->told->id[i] = m.id;
                if (m.state != STORE_DONE)
                        assert_true(
                                rig_holds(r, m.id, STORE_SENT, S("Front: 1\r\n"), i, life->told->size[i]));
        }
}

static void check(void *arg)
{
        struct life *life = arg;
        rig_open(life->r);
        check_space(life->r);
        check_messages(life);
        store_close(life->r->s);
}

/* The last life is not cut short: everything is signed and delivered. */
static void finish(void *arg)
{
        struct life *life = arg;
        struct rig *r = life->r;
        rig_start(r);
        int64_t when;
        do {
                sign_some(life);
                deliver_some(life);
                assert_int_equal(store_delivery_next_due(r->s, &when), ERR_OK);
        } while (when != INT64_MAX);
        size_t open;
        int64_t id;
        assert_int_equal(open_tickets(r->s, 0, 1, &id, &open), ERR_OK);
        assert_int_equal(open, 0);
        assert_int_equal(store_space(r->s).used, 0);
        rig_stop(r);
}

static void run_life(struct life *life, void (*body)(void *))
{
        life->r->h = linux_host_new(NULL);
        assert_non_null(life->r->h);
        linux_host_run(life->r->h, body, life);
        linux_host_free(life->r->h);
}

static void prepare(void *arg)
{
        struct life *life = arg;
        rig_create(life->r);
        rig_open(life->r);
        life->told->lists = rig_list(life->r, "ptt", MEMBERS);
        store_close(life->r->s);
}

static void random_deaths(struct life *life)
{
        uint32_t seed = 1;
        run_life(life, prepare);
        for (int round = 0; round < ROUNDS; round++) {
                seed = seed * 1103515245u + 12345u;
                pid_t pid = fork();
                assert_true(pid >= 0);
                if (pid == 0) {
                        life->left = seed >> 20 & 511;
                        run_life(life, live_and_die);
                        _exit(1);
                }
                /* half of them die by their own count, the others at whatever they are doing */
                if (round % 2 == 0) {
                        usleep(5000 + (seed >> 12) % 150000);
                        kill(pid, SIGKILL);
                }
                int status;
                assert_int_equal(waitpid(pid, &status, 0), pid);
                assert_true(status == 0 || (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
                run_life(life, check);
        }
}

static void test_deaths(void **state)
{
        (void)state;
        struct rig *r = calloc(1, sizeof *r);
        struct told *told =
                mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        assert_true(r != NULL && told != MAP_FAILED);
        struct life life = {r, told, UINT64_MAX};
        test_folder_make(r->folder, "store");
        (void)snprintf(r->image, sizeof r->image, "%s/lipap.img", r->folder);
        arena_init(&r->arena, r->memory, sizeof r->memory);
        r->image_size = RIG_IMAGE;
        random_deaths(&life);
        run_life(&life, finish);
        uint32_t kept = 0, doubles = 0;
        for (uint32_t i = 0; i < told->next; i++) {
                kept += told->kept[i];
                for (int k = 0; k < MEMBERS; k++) {
                        /* a result may be kept though its answer was cut off; none is lost, none is kept twice */
                        assert_true(told->done[i][k] <= 1);
                        assert_true(told->kept[i] ? told->given[i][k] >= 1 : told->given[i][k] == 0);
                        doubles += told->given[i][k] > 1;
                }
        }
        print_message("%u messages, %u handed out again\n", kept, doubles);
        assert_true(kept > 50 && kept <= told->next);
        rig_drop(r->folder);
        free(r);
        munmap(told, sizeof *told);
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_deaths)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
