/* SPDX-License-Identifier: ISC */
/* The power goes behind every write and before every flush of a whole life of the store, with what was not flushed kept,
 * lost, torn, reordered and mixed; also while it recovers from that. Each time the server opens the image, everything
 * that was answered is there, the call that was under way is done or was never made, and all checks find nothing.
 * PTT_LONG=1: every moment in every manner; under the sanitizers, some moments. */
#include <unistd.h>

#include "fat/check.h"
#include "host/linux/test_folder.h"
#include "store/ask.h"
#include "store/crash_work.h"

#define IMAGE_SIZE (40ull * 1024 * 1024)

#if defined(__SANITIZE_ADDRESS__)
#define IS_SLOW 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define IS_SLOW 1
#endif
#endif
#ifndef IS_SLOW
#define IS_SLOW 0
#endif

static bool is_long(void)
{
        return getenv("PTT_LONG") != NULL;
}

/* One life, recorded. */

struct life {
        struct work work;
        struct sim_disk *disk;
        uint64_t begin, end; /* operations */
};

static void create(void *arg)
{
        struct work *w = arg;
        assert_int_equal(store_create(work_host(w), CRASH_IMAGE), ERR_OK);
}

static void live(struct life *life)
{
        *life = (struct life){.disk = sim_disk_new(IMAGE_SIZE)};
        life->work.machine.disk = life->disk;
        crash_host_run(&life->work.machine, create, &life->work);
        life->disk->flush_ms = 1; /* so that an answer comes before the house-keeping behind it */
        sim_disk_remember(life->disk);
        life->begin = life->disk->operations;
        crash_host_run(&life->work.machine, work_main, &life->work);
        life->end = life->disk->operations;
        assert_int_equal(life->work.err, ERR_OK);
        assert_int_equal(life->work.count, 1 + WORK_ROUNDS * WORK_STEPS);
        assert_true(life->work.checkpoints > 0);
}

static void bury(struct life *life)
{
        work_free(&life->work);
        sim_disk_free(life->disk);
}

/* What must be there after a cut behind the first `at` operations. */

/* The last moment that was answered by then, and whether the next one had begun. */
static size_t answered(const struct life *life, uint64_t at, bool *is_under_way)
{
        const struct moment *m = life->work.moments;
        size_t low = 0, high = life->work.count; /* the answer is in low..high */
        while (high - low > 1) {
                size_t middle = low + (high - low) / 2;
                if (m[middle].end <= at)
                        low = middle;
                else
                        high = middle;
        }
        *is_under_way = low + 1 < life->work.count && m[low + 1].begin < at;
        return low;
}

/* Of a group each may be there or not, but those that were answered are. */
static struct str misfit_of_group(
        const struct moment *before, const struct moment *group, uint64_t at, const struct truth *found)
{
        static char key[32];
        struct str line = truth_missing(&before->truth, found);
        if (line.n == 0)
                line = truth_missing(found, &group->truth);
        for (unsigned i = 0; i < WORK_GROUP && line.n == 0; i++) {
                (void)snprintf(key, sizeof key, " g%u-%u", group->round, i);
                if (group->answered[i] <= at && strstr(found->text, key) == NULL)
                        line = str_of_c(key);
        }
        return line;
}

/* A line that is there and should not be, or the reverse; else nothing. */
static struct str misfit(const struct life *life, uint64_t at, const struct truth *found)
{
        bool is_under_way;
        size_t i = answered(life, at, &is_under_way);
        const struct moment *before = &life->work.moments[i], *next = before + 1;
        if (is_under_way && next->is_group)
                return misfit_of_group(before, next, at, found);
        if (strcmp(found->text, before->truth.text) == 0)
                return S("");
        if (is_under_way && strcmp(found->text, next->truth.text) == 0)
                return S("");
        struct str line = truth_missing(&before->truth, found);
        if (line.n == 0)
                line = truth_missing(found, &before->truth);
        return line.n > 0 ? line : S("the order of lines");
}

/* Recovery. */

struct visit {
        struct crash_host machine;
        const char *story; /* what went wrong, or NULL */
        struct truth found;
        bool was_clean; /* as it was found */
        uint64_t points;
};

static void report_fat(void *ctx, enum fat_fault fault, struct str path, uint32_t number, bool is_repaired)
{
        (void)ctx;
        (void)is_repaired;
        print_message("%.*s: %s (%u)\n", STR_ARG(path), fat_fault_text(fault), number);
}

static void report_store(void *ctx, struct str fault)
{
        (void)ctx;
        print_message("%.*s\n", STR_ARG(fault));
}

static bool is_volume_sound(struct fat *f)
{
        struct fat_checker how = {.report = report_fat, .memory_n = fat_check_memory(f)};
        struct fat_checked checked;
        how.memory = malloc(how.memory_n);
        assert_non_null(how.memory);
        enum err err = fat_check(f, &how, &checked);
        free(how.memory);
        return err == ERR_OK && checked.faults == 0;
}

/* The opening has verified each page, and the truth each extent. */
static bool is_sql_sound(struct store *s)
{
        sqlite3_stmt *st;
        assert_int_equal(sqlite3_prepare_v2(s->db.c, "PRAGMA integrity_check", -1, &st, NULL), SQLITE_OK);
        bool ok =
                sqlite3_step(st) == SQLITE_ROW && strcmp((const char *)sqlite3_column_text(st, 0), "ok") == 0;
        sqlite3_finalize(st);
        assert_int_equal(sqlite3_prepare_v2(s->db.c, "PRAGMA foreign_key_check", -1, &st, NULL), SQLITE_OK);
        ok = ok && sqlite3_step(st) == SQLITE_DONE;
        sqlite3_finalize(st);
        return ok;
}

static bool is_store_sound(struct store *s)
{
        const struct store_checker how = {.report = report_store};
        uint64_t faults = 1, left = 1;
        return store_check(s, &how, &faults, &left) == ERR_OK && faults == 0;
}

/* What the extents take, and no more, is used. */
static bool is_space_right(struct store *s)
{
        sqlite3_stmt *st;
        struct store_space space = store_space(s);
        assert_int_equal(
                sqlite3_prepare_v2(s->db.c,
                        "SELECT coalesce(sum((size + 4095) / 4096 * 4096), 0) FROM extent", -1, &st, NULL),
                SQLITE_OK);
        assert_int_equal(sqlite3_step(st), SQLITE_ROW);
        bool ok = space.used == (uint64_t)sqlite3_column_int64(st, 0) && space.reserved == 0;
        sqlite3_finalize(st);
        return ok && s->bad_extents == 0;
}

/* As it lies there. A volume that says it is clean has nothing to complain about. */
static const char *look(struct visit *v)
{
        struct volume volume;
        const char *story = NULL;
        enum err err = volume_open(&volume, &v->machine.host, CRASH_IMAGE, VOLUME_READER);
        if (err != ERR_OK && err != ERR_SEQUENCE)
                story = "the volume cannot be mounted";
        v->was_clean = err == ERR_OK;
        if (v->was_clean && volume.state != FAT_CLEAN)
                story = "the volume is dirty, and a tool is said to have left it";
        if (v->was_clean && !is_volume_sound(volume.fat))
                story = "the volume says that it is clean, and is not";
        return volume_close(&volume) == ERR_OK ? story : "the volume cannot be closed";
}

static const char *recover(struct visit *v)
{
        struct store *s;
        const char *why, *story = NULL;
        if (store_open_as(&v->machine.host, CRASH_IMAGE, STORE_SERVER, &why, &s) != ERR_OK)
                return *why != 0 ? why : "it cannot be opened";
        truth_tell(&v->found, s, WORK_MESSAGES);
        bool is_thorough = is_long() || v->points % 8 == 0;
        if (is_thorough ? !is_store_sound(s) : !is_sql_sound(s))
                story = "the store is damaged";
        else if (!is_space_right(s))
                story = "the spool is in disorder";
        else if ((is_thorough || s->volume.state == FAT_REPLAYED) && !is_volume_sound(s->volume.fat))
                story = "the volume is damaged";
        store_close(s);
        return story;
}

static void visit_main(void *arg)
{
        struct visit *v = arg;
        v->story = look(v);
        if (v->story == NULL)
                v->story = recover(v);
}

/* The power has come back after a cut behind the first `at` operations: open, and judge. */
static void visit(const struct life *life, struct visit *v, uint64_t at, const char *how)
{
        v->machine = (struct crash_host){.disk = life->disk, .random = at};
        v->story = NULL;
        crash_host_run(&v->machine, visit_main, v);
        v->points++;
        struct str line = v->story != NULL ? str_of_c(v->story) : misfit(life, at, &v->found);
        if (line.n == 0)
                return;
        bool is_under_way;
        const struct moment *m = &life->work.moments[answered(life, at, &is_under_way)];
        fail_msg("cut behind operation %llu of %llu, %s, after \"%s\" of round %u%s: %.*s",
                (unsigned long long)(at - life->begin), (unsigned long long)(life->end - life->begin), how,
                m->name, m->round, is_under_way ? " and in the next" : "", STR_ARG(line));
}

static const char *const manners[SIM_DISK_CRASHES] = {"all kept", "all lost", "the last write lost",
        "one write lost", "only the last write kept", "the last write torn", "mixed"};

/* Nothing that opens or closes it was under way. */
static bool is_in_use(const struct life *life, uint64_t at)
{
        bool is_under_way;
        const struct moment *m = &life->work.moments[answered(life, at, &is_under_way)];
        return m->end <= at && m->is_open && !(is_under_way && !m[1].is_open);
}

/* Cut behind the first `at` operations, which is where the disk stands, and go back there afterwards. */
static void cut(const struct life *life, struct visit *v, uint64_t at, enum sim_disk_crash how, uint64_t seed)
{
        sim_disk_crash(life->disk, how, seed);
        visit(life, v, at, manners[how]);
        if (v->was_clean && is_in_use(life, at))
                fail_msg("cut behind operation %llu: the image in use looks as if it was closed",
                        (unsigned long long)(at - life->begin));
        sim_disk_rewind(life->disk, at);
}

/* Some pairs of moment and manner leave the same bytes as others: when everything is flushed; when all of it is lost, but
 * for the last moment before a flush; when the last write is lost, which is the moment before it. Of the rest each
 * moment is seen in some manners. */
static bool is_chosen(const struct life *life, uint64_t at, enum sim_disk_crash how)
{
        size_t unflushed = sim_disk_unflushed(life->disk);
        if (how == SIM_DISK_KEEPS_ALL)
                return true;
        if (is_long() || unflushed == 0)
                return unflushed > 0;
        return unflushed > 1 && (at + how) % 3 == 0 && how != SIM_DISK_LOSES_LAST &&
               (how != SIM_DISK_LOSES_ALL || at % 8 == 0);
}

static void test_every_operation(void **state)
{
        (void)state;
        struct life life;
        struct visit v = {0};
        uint64_t stride = !IS_SLOW ? 1 : is_long() ? 5 : 23;
        live(&life);
        for (uint64_t at = life.end; at >= life.begin; at -= stride) {
                sim_disk_rewind(life.disk, at);
                for (enum sim_disk_crash how = 0; how < SIM_DISK_CRASHES; how++)
                        if (is_chosen(&life, at, how))
                                cut(&life, &v, at, how, at);
        }
        print_message("%llu operations, %llu cuts\n", (unsigned long long)(life.end - life.begin),
                (unsigned long long)v.points);
        truth_free(&v.found);
        bury(&life);
}

/* The power goes again while that is recovered, and then it is recovered from that. */
static void cut_twice(const struct life *life, struct visit *v, uint64_t at, enum sim_disk_crash how)
{
        struct sim_disk *d = life->disk;
        sim_disk_crash(d, how, at);
        uint64_t begin = d->operations;
        visit(life, v, at, manners[how]);
        uint64_t end = d->operations, stride = is_long() ? 1 : 1 + (end - begin) / 4;
        for (uint64_t second = end - at % stride; second > begin; second -= stride) {
                enum sim_disk_crash again = (enum sim_disk_crash)((at + second) % SIM_DISK_CRASHES);
                sim_disk_rewind(d, second);
                sim_disk_crash(d, again, second);
                visit(life, v, at, manners[again]);
                if (second - begin <= stride)
                        break;
        }
        sim_disk_rewind(d, at);
}

static void test_in_recovery(void **state)
{
        (void)state;
        struct life life;
        struct visit v = {0};
        uint64_t stride = IS_SLOW ? 173 : is_long() ? 7 : 23;
        live(&life);
        for (uint64_t at = life.end; at >= life.begin + stride; at -= stride) {
                sim_disk_rewind(life.disk, at);
                cut_twice(&life, &v, at, (enum sim_disk_crash)(at % SIM_DISK_CRASHES));
        }
        print_message("%llu cuts\n", (unsigned long long)v.points);
        truth_free(&v.found);
        bury(&life);
}

/* A checkpoint that is cut may tear the first page of the database, which SQLite reads before it looks into the log. */
static void tear_first_page(void *arg)
{
        struct crash_host *machine = arg;
        struct volume v;
        struct area area;
        char bytes[VFS_PAGE - SIM_DISK_SECTOR];
        memset(bytes, 'x', sizeof bytes);
        assert_int_equal(volume_open(&v, &machine->host, CRASH_IMAGE, VOLUME_SERVER), ERR_OK);
        assert_int_equal(area_open(&v, S("ptt.db"), &area), ERR_OK);
        assert_int_equal(area_write(&area, SIM_DISK_SECTOR, str_of(bytes, sizeof bytes)), ERR_OK);
        area_close(&area);
        assert_int_equal(volume_close(&v), ERR_OK);
}

static void test_first_page(void **state)
{
        (void)state;
        struct life life;
        struct visit v = {0};
        live(&life);
        uint64_t at = life.work.moments[life.work.count - 1].begin; /* of the last closing */
        sim_disk_rewind(life.disk, at);
        sim_disk_crash(life.disk, SIM_DISK_KEEPS_ALL, at);
        struct crash_host machine = {.disk = life.disk};
        crash_host_run(&machine, tear_first_page, &machine);
        visit(&life, &v, at, "the first page torn");
        truth_free(&v.found);
        bury(&life);
}

/* The disk fails under a store that lives on: it has answered for nothing that is not there. */
static void test_answers(void **state)
{
        (void)state;
        struct life life;
        struct visit v = {0};
        uint64_t stride = IS_SLOW ? 211 : is_long() ? 5 : 31;
        live(&life);
        for (uint64_t at = life.begin; at < life.end; at += stride) {
                struct work again = {.machine.disk = life.disk, .is_blind = true};
                bool is_under_way;
                sim_disk_rewind(life.disk, life.begin);
                life.disk->faults.cut_at = at;
                crash_host_run(&again.machine, work_main, &again);
                assert_int_equal(life.disk->operations, at);
                assert_int_equal(again.err, ERR_IO);
                size_t count = answered(&life, at, &is_under_way) + 1;
                if (again.count > count)
                        fail_msg("cut behind operation %llu: \"%s\" of round %u was answered all the same",
                                (unsigned long long)(at - life.begin), life.work.moments[count].name,
                                life.work.moments[count].round);
                work_free(&again);
                cut(&life, &v, at, (enum sim_disk_crash)(at % SIM_DISK_CRASHES), at);
        }
        truth_free(&v.found);
        bury(&life);
}

/* fsck.fat finds nothing in what was recovered and closed, and what it may complain about before is marked as dirty. */

struct scratch {
        char folder[TEST_FOLDER_MAX], path[TEST_FOLDER_MAX + 16], command[TEST_FOLDER_MAX + 100];
};

static void write_image(const struct sim_disk *d, const char *path)
{
        static const char zeros[4096];
        char page[4096];
        FILE *f = fopen(path, "wb");
        assert_non_null(f);
        for (uint64_t at = 0; at < d->size; at += sizeof page) {
                sim_disk_get(d, at, page, sizeof page);
                if (memcmp(page, zeros, sizeof page) == 0 && at + sizeof page < d->size)
                        assert_int_equal(fseek(f, sizeof page, SEEK_CUR), 0);
                else
                        assert_int_equal(fwrite(page, 1, sizeof page, f), sizeof page);
        }
        assert_int_equal(fclose(f), 0);
}

static bool is_clean_to_fsck(const struct sim_disk *d, const struct scratch *s)
{
        write_image(d, s->path);
        return system(s->command) == 0;
}

static void compare_with_fsck(const struct scratch *s)
{
        struct life life;
        struct visit v = {0};
        uint64_t samples = IS_SLOW && !is_long() ? 20 : 200, complaints = 0;
        live(&life);
        for (uint64_t i = samples; i > 0; i--) {
                uint64_t at = life.begin + (life.end - life.begin) * i / samples;
                sim_disk_rewind(life.disk, at);
                sim_disk_crash(life.disk, (enum sim_disk_crash)(i % SIM_DISK_CRASHES), at);
                bool was_clean = is_clean_to_fsck(life.disk, s);
                visit(&life, &v, at, "then fsck.fat");
                assert_true(was_clean || !v.was_clean);
                assert_true(is_clean_to_fsck(life.disk, s));
                complaints += !was_clean;
        }
        print_message("fsck.fat on %llu images: %llu wait for recovery, none does afterwards\n",
                (unsigned long long)samples, (unsigned long long)complaints);
        assert_true(complaints > 0);
        truth_free(&v.found);
        bury(&life);
}

static void test_fsck(void **state)
{
        (void)state;
        struct scratch s;
        if (system("PATH=$PATH:/usr/sbin:/sbin command -v fsck.fat >/dev/null") != 0) {
                print_message("test_fsck: there is no fsck.fat\n");
                skip();
        }
        test_folder_make(s.folder, "crash");
        (void)snprintf(s.path, sizeof s.path, "%s/lipap.img", s.folder);
        (void)snprintf(s.command, sizeof s.command,
                "PATH=$PATH:/usr/sbin:/sbin fsck.fat -n %s >/dev/null 2>&1", s.path);
        compare_with_fsck(&s);
        assert_int_equal(unlink(s.path), 0);
        assert_int_equal(rmdir(s.folder), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_every_operation),
                cmocka_unit_test(test_in_recovery),
                cmocka_unit_test(test_first_page),
                cmocka_unit_test(test_answers),
                cmocka_unit_test(test_fsck),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
