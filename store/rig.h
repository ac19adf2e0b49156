/* SPDX-License-Identifier: ISC */
/* For the tests of the store: a Linux host, a scratch folder with an image in it, and a fiber to work in. */
#ifndef STORE_RIG_H
#define STORE_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/linux/linux.h"
#include "host/linux/test_folder.h"
#include "store/ask.h"
#include "store/delivery.h"
#include "store/lists.h"
#include "store/messages.h"

struct rig {
        struct host *h;
        char folder[TEST_FOLDER_MAX];
        char image[TEST_FOLDER_MAX + 16];
        struct store *s;
        struct scope scope; /* of the store fiber */
        struct arena arena;
        void (*body)(struct rig *r);
        uint64_t image_size;
        char memory[4 * 1024 * 1024];
};

static inline int rig_unlink(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
        (void)st;
        (void)flag;
        (void)ftw;
        return remove(path);
}

static inline void rig_drop(const char *folder)
{
        nftw(folder, rig_unlink, 16, FTW_DEPTH | FTW_PHYS);
}

static inline void rig_open(struct rig *r)
{
        assert_int_equal(store_open(r->h, str_of_c(r->image), &r->s), ERR_OK);
}

/* Open, with a store fiber. */
static inline void rig_start(struct rig *r)
{
        rig_open(r);
        scope_open(&r->scope, r->h->sched, FIBER_NEVER);
        assert_int_equal(store_start(r->s, &r->scope), ERR_OK);
}

static inline void rig_stop(struct rig *r)
{
        scope_cancel(&r->scope);
        scope_join(&r->scope);
        store_close(r->s);
        r->s = NULL;
}

static inline void rig_main(void *arg)
{
        struct rig *r = arg;
        r->body(r);
}

static inline void rig_run(struct rig *r)
{
        r->h = linux_host_new(NULL);
        assert_non_null(r->h);
        linux_host_run(r->h, rig_main, r);
        linux_host_free(r->h);
}

/* A file of zeros, sparse. */
static inline void rig_file(const char *path, uint64_t size)
{
        FILE *f = fopen(path, "wx");
        assert_non_null(f);
        assert_int_equal(ftruncate(fileno(f), (off_t)size), 0);
        fclose(f);
}

/* Run `body` in a fiber beside a fresh image. */
static inline void rig_with(void (*body)(struct rig *r), void (*make)(struct rig *r), uint64_t image_size)
{
        struct rig *r = calloc(1, sizeof *r);
        assert_non_null(r);
        test_folder_make(r->folder, "store");
        (void)snprintf(r->image, sizeof r->image, "%s/lipap.img", r->folder);
        arena_init(&r->arena, r->memory, sizeof r->memory);
        r->image_size = image_size;
        r->body = make;
        if (make != NULL)
                rig_run(r);
        r->body = body;
        rig_run(r);
        rig_drop(r->folder);
        free(r);
}

static inline void rig_create(struct rig *r)
{
        rig_file(r->image, r->image_size);
        assert_int_equal(store_create(r->h, str_of_c(r->image)), ERR_OK);
}

/* Nothing but `bytes` more for the spool than it has. */
static inline void rig_limit(struct rig *r, uint64_t bytes)
{
        struct fat_info info;
        uint32_t clusters;
        assert_int_equal(fat_info(r->s->volume.fat, &info), ERR_OK);
        assert_int_equal(fat_free_clusters(r->s->volume.fat, &clusters), ERR_OK);
        r->s->spool.spare = (uint64_t)clusters * info.cluster_size - bytes;
        r->s->spool.share = r->s->spool.made * SPOOL_BLOCK + bytes;
}

/* Behind the store's back, while it is closed. */

static inline void rig_volume(struct rig *r, struct volume *v)
{
        assert_int_equal(volume_open(v, r->h, str_of_c(r->image), VOLUME_REPAIR), ERR_OK);
}

/* Change one bit of a file. */
static inline void rig_flip(struct rig *r, const char *path, uint64_t at)
{
        struct volume v;
        struct area area;
        char byte;
        rig_volume(r, &v);
        assert_int_equal(area_open(&v, str_of_c(path), &area), ERR_OK);
        assert_int_equal(area_read(&area, at, &byte, 1), ERR_OK);
        byte ^= 4;
        assert_int_equal(area_write(&area, at, str_of(&byte, 1)), ERR_OK);
        area_close(&area);
        assert_int_equal(volume_close(&v), ERR_OK);
}

static inline void rig_remove(struct rig *r, const char *path)
{
        struct volume v;
        rig_volume(r, &v);
        assert_int_equal(fat_remove(v.fat, str_of_c(path)), ERR_OK);
        assert_int_equal(volume_close(&v), ERR_OK);
}

static inline void rig_sql_on(struct store *s, const char *sql)
{
        assert_int_equal(sqlite3_exec(s->db.c, sql, NULL, NULL, NULL), SQLITE_OK);
}

/* Sanitizers take their time. */
#if defined(__SANITIZE_ADDRESS__)
#define RIG_SLOW 10
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define RIG_SLOW 10
#endif
#endif
#ifndef RIG_SLOW
#define RIG_SLOW 1
#endif

static inline void rig_sql(struct rig *r, const char *sql)
{
        struct volume v;
        struct db db;
        rig_volume(r, &v);
        struct vfs *vfs = vfs_new(&v);
        assert_non_null(vfs);
        assert_int_equal(db_open(&db, r->h, vfs, false), ERR_OK);
        assert_int_equal(sqlite3_exec(db.c, sql, NULL, NULL, NULL), SQLITE_OK);
        db_close(&db);
        vfs_free(vfs);
        assert_int_equal(volume_close(&v), ERR_OK);
}

#define RIG_IMAGE (160ull * 1024 * 1024)
static inline void rig_test(void (*body)(struct rig *r))
{
        rig_with(body, rig_create, RIG_IMAGE);
}

/* test_NAME runs the body `NAME` beside a fresh image. */
#define RIG_CASE(name)                        \
        static void test_##name(void **state) \
        {                                     \
                (void)state;                  \
                rig_test(name);               \
        }

/* A list `name` at example.org with `members` members mN@dK.example. */
static inline int64_t rig_list(struct rig *r, const char *name, size_t members)
{
        struct str *addresses = calloc(members + 1, sizeof *addresses);
        char(*text)[48] = calloc(members + 1, sizeof *text);
        assert_true(addresses != NULL && text != NULL);
        for (size_t i = 0; i < members; i++) {
                (void)snprintf(text[i], sizeof text[i], "M%zu@D%zu.example", i, i % 7);
                addresses[i] = str_of_c(text[i]);
        }
        struct str moderator = S("boss@example.org");
        struct store_list_new list = {.name = str_of_c(name),
                .domain = S("example.org"),
                .moderators = &moderator,
                .moderator_count = 1,
                .members = addresses,
                .member_count = members,
                .now_ms = 1000};
        int64_t id = 0;
        assert_int_equal(store_list_add(r->s, &list, &id), ERR_OK);
        free(addresses);
        free(text);
        return id;
}

/* Byte `at` of the message of that seed. */
static inline char rig_byte(uint64_t seed, uint64_t at)
{
        return (char)((at * 2654435761u + seed * 40503u) >> 7);
}

/* Take in `size` bytes of `seed` for `list` under the ticket; in pieces of `piece`. */
static inline enum err rig_take(struct rig *r, int64_t list, const char *ticket, uint64_t seed, size_t size,
        size_t piece, int64_t *id)
{
        struct store_intake *i;
        *id = 0;
        enum err err = store_intake_begin(r->s, size, &i);
        if (err != ERR_OK)
                return err;
        char *bytes = malloc(piece);
        assert_non_null(bytes);
        for (size_t at = 0, n; at < size && err == ERR_OK; at += n) {
                n = size - at < piece ? size - at : piece;
                for (size_t k = 0; k < n; k++)
                        bytes[k] = rig_byte(seed, at + k);
                err = store_intake_write(i, str_of(bytes, n));
        }
        free(bytes);
        if (err != ERR_OK) {
                store_intake_abort(i);
                return err;
        }
        struct store_message_new m = {.ticket = str_of_c(ticket),
                .kind = STORE_POST,
                .list = list,
                .domain = S("example.org"),
                .sender = S("a@b.example"),
                .message_id = S("<x@y>"),
                .front = S("Front: 1\r\n"),
                .received_ms = 5000};
        return store_intake_commit(i, &m, id);
}

/* Does the message hold `size` bytes of `seed`, behind `head`? */
static inline bool rig_holds(
        struct rig *r, int64_t id, enum store_part part, struct str head, uint64_t seed, size_t size)
{
        struct store_reader *reader;
        char buffer[5000];
        bool ok = true;
        assert_int_equal(store_reader_open(r->s, id, part, &reader), ERR_OK);
        assert_int_equal(store_reader_size(reader), head.n + size);
        uint64_t at = 0;
        for (size_t got = 1; got > 0; at += got) {
                assert_int_equal(store_reader_read(reader, at, buffer, sizeof buffer, &got), ERR_OK);
                for (size_t k = 0; k < got; k++)
                        ok = ok && buffer[k] == (at + k < head.n ? head.p[at + k]
                                                                 : rig_byte(seed, at + k - head.n));
        }
        store_reader_close(reader);
        return ok && at == head.n + size;
}

#endif
