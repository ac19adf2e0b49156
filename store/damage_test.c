/* SPDX-License-Identifier: ISC */
/* Damage to an image that was closed in order: each byte of what says where things are, and whole sectors. Whatever is
 * read from the store then is what it was, or an error; nothing crashes or runs without end; and what reads as an error
 * is found by the checks that `ptt check` makes. PTT_LONG=1: every byte, instead of one in a prime number. */
#include "fat/check.h"
#include "store/damage_place.h"
#include "store/damage_read.h"

#define READS_MAX 300000 /* of the device in one run; a healthy image takes some ten thousand */

enum { SERVER, TOOL, CHECK_VOLUME, CHECK_STORE, FILES, RUNS };

struct tally {
        unsigned damages, unread, refused, noticed, found, harmless, files;
};

struct bench {
        struct damage_disk disk;
        struct damage_reading *reading;
        bool *seen[RUNS]; /* sectors that the run on the healthy image reads: no other one matters to it */
        uint64_t files;   /* what the healthy folders give */
        struct fat_file file;
        struct fat_entry entry;
        struct tally tally;
        const char *what; /* the damage at hand */
        uint64_t at;
        unsigned complaints;
        bool is_frail; /* the damage is to what says where things are */
};

#define COMPLAINTS_SHOWN 20

/* All of them are told, so that one run shows what there is. */
static void complain(struct bench *b, const char *fault, const char *more)
{
        if (b->complaints++ < COMPLAINTS_SHOWN)
                print_error("%s at byte %llu: %s %s\n", b->what, (unsigned long long)b->at, fault, more);
}

/* The server: opens, reads, works. What it says of the image. */
enum verdict { SAME, NOTICED, REFUSED };

static enum verdict judge_reading(struct bench *b)
{
        if (b->reading->wrong > 0)
                complain(b, "wrong:", b->reading->what);
        return b->reading->refused > 0 ? NOTICED : SAME;
}

static uint64_t run_server(struct bench *b)
{
        const char *why;
        struct store *s;
        enum err err = store_open_as(&b->disk.host, DAMAGE_PATH, STORE_SERVER, &why, &s);
        if (err != ERR_OK) {
                if (err != ERR_CORRUPT && err != ERR_UNSUPPORTED && err != ERR_SEQUENCE)
                        complain(b, "refused with", err_text(err));
                return REFUSED;
        }
        damage_read_store(b->reading, s);
        store_close(s);
        return judge_reading(b);
}

/* A tool, which does not verify what it will not read: where the server is refused, it may yet read. */
static uint64_t run_tool(struct bench *b)
{
        struct store *s;
        if (store_open_as(&b->disk.host, DAMAGE_PATH, STORE_TOOL, NULL, &s) != ERR_OK)
                return REFUSED;
        damage_look_at_store(b->reading, s);
        store_close(s);
        return (uint64_t)judge_reading(b);
}

/* ptt check: how many faults it finds, and one when it is refused. */

static void nothing(void *ctx, struct str fault)
{
        (void)ctx;
        (void)fault;
}

static uint64_t check_volume(struct bench *b)
{
        struct volume v;
        struct fat_checked found = {0};
        enum err err = volume_open(&v, &b->disk.host, DAMAGE_PATH, VOLUME_CHECK);
        if (err == ERR_OK) {
                size_t n = fat_check_memory(v.fat);
                struct fat_checker how = {.memory = malloc(n), .memory_n = n};
                assert_non_null(how.memory);
                err = fat_check(v.fat, &how, &found);
                free(how.memory);
        }
        uint64_t faults = found.faults + (err != ERR_OK) + (v.state != FAT_CLEAN);
        (void)volume_close(&v);
        return faults;
}

static uint64_t check_store(struct bench *b)
{
        struct store_checker how = {.report = nothing};
        struct store *s;
        uint64_t faults = 0, left;
        if (store_open_as(&b->disk.host, DAMAGE_PATH, STORE_CHECK, NULL, &s) != ERR_OK)
                return 1;
        enum err err = store_check(s, &how, &faults, &left);
        store_close(s);
        return faults + (err != ERR_OK);
}

/* ptt ls and get, of all files: a sum over what they gave. */

static uint64_t mix(uint64_t sum, const void *bytes, size_t n)
{
        for (size_t i = 0; i < n; i++)
                sum = (sum ^ ((const uint8_t *)bytes)[i]) * 1099511628211u;
        return sum;
}

static uint64_t read_file(struct bench *b, struct volume *v, const char *path)
{
        static const uint64_t most = 1 << 16; /* the areas of the store are long, and not for looking at */
        char bytes[8192];
        uint64_t sum = 0;
        size_t got = 1;
        enum err err = fat_file_open(v->fat, &b->file, str_of_c(path), FAT_OPEN, 0);
        if (err != ERR_OK)
                return (uint64_t)err;
        for (uint64_t at = 0; err == ERR_OK && got > 0 && at < most; at += got) {
                err = fat_read(&b->file, at, bytes, sizeof bytes, &got);
                sum = mix(sum, bytes, got);
        }
        fat_file_close(&b->file);
        return sum + (uint64_t)err;
}

static uint64_t walk(struct bench *b, struct volume *v, const char *path, unsigned depth)
{
        struct fat_list list;
        char below[1200];
        uint64_t sum = 0;
        enum err err = fat_list_open(v->fat, str_of_c(path), &list);
        while (err == ERR_OK && !damage_disk_is_endless(&b->disk)) {
                struct fat_entry *e = &b->entry;
                err = fat_list_next(&list, e);
                if (err != ERR_OK)
                        break;
                bool is_directory = e->is_directory;
                sum = mix(sum, e->name, e->name_n);
                if (snprintf(below, sizeof below, "%s/%s", path, e->name) >= (int)sizeof below)
                        continue;
                if (!is_directory && !str_has_prefix(str_of_c(below), S("/ptt.db")))
                        sum = mix(sum, &(uint64_t){read_file(b, v, below)}, sizeof(uint64_t));
                else if (is_directory && depth < 6) /* a folder may hold itself */
                        sum = mix(sum, &(uint64_t){walk(b, v, below, depth + 1)}, sizeof(uint64_t));
        }
        return sum + (uint64_t)err;
}

static uint64_t run_files(struct bench *b)
{
        struct volume v;
        enum err err = volume_open(&v, &b->disk.host, DAMAGE_PATH, VOLUME_READER);
        uint64_t sum = err == ERR_OK ? walk(b, &v, "", 0) : (uint64_t)err;
        (void)volume_close(&v);
        return sum;
}

static uint64_t run_once(struct bench *b, int which)
{
        static uint64_t (*const runs[RUNS])(struct bench * b) = {[SERVER] = run_server,
                [TOOL] = run_tool,
                [CHECK_VOLUME] = check_volume,
                [CHECK_STORE] = check_store,
                [FILES] = run_files};
        damage_disk_begin(&b->disk, READS_MAX);
        uint64_t result = runs[which](b);
        if (damage_disk_is_endless(&b->disk))
                complain(b, "reads without end", "");
        return result;
}

/* One run from the image as it stands, which it leaves as it was. */
static uint64_t run(struct bench *b, int which)
{
        damage_disk_mark(&b->disk);
        uint64_t result = run_once(b, which);
        damage_disk_undo(&b->disk);
        return result;
}

/* The healthy image: the truth, and which sectors each run reads. */
static void learn(struct bench *b)
{
        static const uint64_t none[RUNS] = {[SERVER] = SAME, [TOOL] = SAME};
        damage_make(&b->disk);
        b->reading = damage_reading_new();
        for (int i = 0; i < RUNS; i++) {
                b->seen[i] = b->disk.seen = calloc(DAMAGE_IMAGE / DAMAGE_SECTOR, sizeof(bool));
                assert_non_null(b->disk.seen);
                uint64_t result = run(b, i);
                b->reading->is_truth = false;
                if (i == FILES)
                        b->files = result;
                else
                        assert_int_equal(result, none[i]);
                b->disk.seen = NULL;
                assert_int_equal(run(b, i), result);
        }
        assert_true(b->reading->items > 100);
}

static void forget(struct bench *b)
{
        for (int i = 0; i < RUNS; i++)
                free(b->seen[i]);
        damage_reading_free(b->reading);
        damage_disk_free(&b->disk);
}

static bool is_seen(const struct bench *b, int which, uint64_t at, size_t n)
{
        for (uint64_t s = at / DAMAGE_SECTOR; s * DAMAGE_SECTOR < at + n; s++)
                if (b->seen[which][s])
                        return true;
        return false;
}

static void tally_add(struct bench *b, enum verdict verdict, uint64_t faults, bool is_read)
{
        struct tally *t = &b->tally;
        t->damages++;
        t->unread += !is_read;
        t->refused += verdict == REFUSED;
        t->noticed += verdict == NOTICED;
        t->found += verdict == SAME && faults > 0;
        t->harmless += is_read && verdict == SAME && faults == 0;
        if (verdict != SAME && faults == 0)
                complain(b, "no check finds what the server",
                        verdict == REFUSED ? "refuses" : "could not read");
}

/* A damage, done by the caller, to these bytes. */
static enum verdict judge(struct bench *b, uint64_t at, size_t n)
{
        enum verdict verdict = SAME;
        uint64_t faults = 0;
        bool is_read = false;
        for (int i = 0; i < RUNS; i++)
                is_read = is_read || is_seen(b, i, at, n);
        if (is_seen(b, SERVER, at, n))
                verdict = (enum verdict)run(b, SERVER);
        if (verdict == REFUSED && is_seen(b, TOOL, at, n))
                (void)run(b, TOOL);
        if (is_seen(b, CHECK_VOLUME, at, n))
                faults = run(b, CHECK_VOLUME);
        if (faults == 0 && is_seen(b, CHECK_STORE, at, n))
                faults = run(b, CHECK_STORE);
        if (is_seen(b, FILES, at, n))
                b->tally.files += run(b, FILES) != b->files;
        tally_add(b, verdict, faults, is_read);
        return verdict;
}

/* The damages. */

static bool is_long(void)
{
        return getenv("PTT_LONG") != NULL;
}

/* Who refuses an image has not harmed it: once the byte is as it was, so is everything. */
static void judge_harm(struct bench *b, uint64_t at, uint8_t bits)
{
        damage_disk_mark(&b->disk);
        damage_keep(&b->disk, at / DAMAGE_SECTOR);
        damage_disk_flip(&b->disk, at, bits);
        (void)run_once(b, SERVER);
        damage_disk_flip(&b->disk, at, bits);
        if (run_once(b, SERVER) != SAME)
                complain(b, "harmed by who refused it:", b->reading->what);
        damage_disk_undo(&b->disk);
}

static void flip(struct bench *b, uint64_t at, uint8_t bits)
{
        b->at = at;
        damage_disk_flip(&b->disk, at, bits);
        enum verdict verdict = judge(b, at, 1);
        damage_disk_flip(&b->disk, at, bits);
        if (verdict == REFUSED && b->is_frail)
                judge_harm(b, at, bits);
}

static void tell(struct bench *b)
{
        const struct tally *t = &b->tally;
        print_message(
                "%s: %u damages: %u refused, %u noticed, %u found by a check, %u harmless, %u never read;"
                " %u change other files\n",
                b->what, t->damages, t->refused, t->noticed, t->found, t->harmless, t->unread, t->files);
        b->tally = (struct tally){0};
}

/* Every byte of these places, or one in `stride`; all of its bits, and then one of them. */
static void flip_all(struct bench *b, const char *what,
        void (*where)(struct damage_disk *d, struct places *p), uint64_t stride)
{
        struct places p = {0};
        where(&b->disk, &p);
        b->what = what;
        stride = is_long() ? 1 : stride * RIG_SLOW;
        for (uint64_t i = stride / 2; i < p.bytes; i += stride)
                flip(b, place_of(&p, i), 0xff);
        tell(b);
        for (uint64_t i = 0; is_long() && i < p.bytes; i++)
                flip(b, place_of(&p, i), (uint8_t)(1u << (i * 5 % 8)));
        if (is_long())
                tell(b);
        free(p.items);
        assert_int_equal(b->complaints, 0);
}

/* Lost parts of `size` bytes: of those that hold anything, `count` by chance. */
static void zero_some(struct bench *b, const char *what, size_t size, unsigned count)
{
        uint8_t *old = malloc(size);
        uint64_t draw = 20261122;
        assert_non_null(old);
        b->what = what;
        while (count > 0) {
                draw = draw * 6364136223846793005u + 1442695040888963407u;
                uint64_t at = (draw >> 20) % (DAMAGE_IMAGE / size) * size;
                if (is_zeros(&b->disk, at, size))
                        continue;
                count--;
                memcpy(old, b->disk.bytes + at, size);
                memset(b->disk.bytes + at, 0, size);
                b->at = at;
                (void)judge(b, at, size);
                memcpy(b->disk.bytes + at, old, size);
        }
        tell(b);
        free(old);
        assert_int_equal(b->complaints, 0);
}

/* A chain that runs into an earlier part of itself, or into another: its bytes would have two owners. */
static void crossed(struct bench *b, const char *from, const char *to, const char *wanted)
{
        struct places a = {0}, z = {0};
        const char *why;
        struct store *s;
        file_places(&b->disk, from, 1 << 20, &a);
        file_places(&b->disk, to, 1 << 20, &z);
        uint32_t at = cluster_of(&b->disk, &a, 9 * CLUSTER), old = cluster_of(&b->disk, &a, 10 * CLUSTER);
        link_to(&b->disk, at, cluster_of(&b->disk, &z, 2 * CLUSTER));
        damage_disk_mark(&b->disk);
        damage_disk_begin(&b->disk, READS_MAX);
        assert_int_equal(store_open_as(&b->disk.host, DAMAGE_PATH, STORE_SERVER, &why, &s), ERR_CORRUPT);
        assert_string_equal(why, wanted);
        damage_disk_undo(&b->disk);
        assert_true(run(b, CHECK_VOLUME) > 0);
        link_to(&b->disk, at, old);
        free(a.items);
        free(z.items);
}

static void test_crossed(void **state)
{
        crossed(*state, "spool/0000", "spool/0000", "its files share space");
        crossed(*state, "spool/0000", "ptt.db-wal", "its spool is damaged"); /* that one is shorter */
        crossed(*state, "ptt.db-wal", "ptt.db-wal", "its files share space");
        crossed(*state, "ptt.db-wal", "spool/0000", "its files share space");
        assert_int_equal(run(*state, SERVER), SAME);
}

/* A log that a death has left is brought into the database only when nothing else lies there: it had been written over
 * messages before the image was refused. */
static void test_crossed_under_a_log(void **state)
{
        struct bench *b = *state;
        struct places db = {0}, spool = {0};
        const char *why;
        struct store *s;
        damage_disk_mark(&b->disk);
        damage_disk_begin(&b->disk, READS_MAX);
        assert_int_equal(store_open_as(&b->disk.host, DAMAGE_PATH, STORE_SERVER, &why, &s), ERR_OK);
        rig_sql_on(s, "UPDATE member SET joined_ms = joined_ms + 1");
        s->db.broken = true; /* as after a death */
        store_close(s);
        file_places(&b->disk, "ptt.db", 1 << 20, &db);
        file_places(&b->disk, "spool/0000", 1 << 20, &spool);
        uint32_t at = cluster_of(&b->disk, &db, 9 * CLUSTER), old = cluster_of(&b->disk, &db, 10 * CLUSTER);
        uint8_t *before = malloc(spool.items[0].n);
        assert_non_null(before);
        memcpy(before, b->disk.bytes + spool.items[0].at, spool.items[0].n);
        link_to(&b->disk, at, cluster_of(&b->disk, &spool, 2 * CLUSTER));
        assert_int_equal(store_open_as(&b->disk.host, DAMAGE_PATH, STORE_SERVER, &why, &s), ERR_CORRUPT);
        assert_memory_equal(before, b->disk.bytes + spool.items[0].at, spool.items[0].n);
        assert_string_equal(why, "its files share space");
        damage_disk_undo(&b->disk);
        link_to(&b->disk, at, old);
        free(before);
        free(db.items);
        free(spool.items);
        assert_int_equal(run(b, SERVER), SAME);
}

static int set_up(void **state)
{
        struct bench *b = calloc(1, sizeof *b);
        if (b == NULL)
                return -1;
        b->what = "healthy";
        learn(b);
        *state = b;
        return 0;
}

static int tear_down(void **state)
{
        if (*state != NULL)
                forget(*state);
        free(*state);
        return 0;
}

static void test_boot(void **state)
{
        ((struct bench *)*state)->is_frail = true;
        flip_all(*state, "boot sectors", boot_places, 13);
}

static void test_tables(void **state)
{
        flip_all(*state, "used FAT sectors", fat_places, 83);
}

static void test_directories(void **state)
{
        flip_all(*state, "directories", directory_places, 53);
}

static void test_redo(void **state)
{
        ((struct bench *)*state)->is_frail = false;
        flip_all(*state, "redo area", redo_places, 101);
}

static void test_database(void **state)
{
        flip_all(*state, "database", database_places, 251);
}

static void test_log(void **state)
{
        flip_all(*state, "log", log_places, 53);
}

static void test_sectors(void **state)
{
        zero_some(*state, "zeroed sectors", DAMAGE_SECTOR, is_long() ? 10000 : 300 / RIG_SLOW);
}

static void test_clusters(void **state)
{
        zero_some(*state, "zeroed clusters", CLUSTER, is_long() ? 2000 : 100 / RIG_SLOW);
}

int main(int argc, char **argv)
{
        if (argc > 1)
                cmocka_set_test_filter(argv[1]); /* test_log, test_z* */
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_boot),
                cmocka_unit_test(test_tables),
                cmocka_unit_test(test_directories),
                cmocka_unit_test(test_redo),
                cmocka_unit_test(test_database),
                cmocka_unit_test(test_log),
                cmocka_unit_test(test_sectors),
                cmocka_unit_test(test_clusters),
                cmocka_unit_test(test_crossed),
                cmocka_unit_test(test_crossed_under_a_log),
        };
        return cmocka_run_group_tests(tests, set_up, tear_down);
}
