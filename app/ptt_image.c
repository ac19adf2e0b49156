/* SPDX-License-Identifier: ISC */
/* ptt create, grow and check: the image as a whole. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "app/ptt.h"
#include "app/ptt_disk.h"
#include "app/ptt_json.h"
#include "base/limits.h"
#include "base/quantity.h"
#include "fat/check.h"
#include "store/volume.h"

/* What the FATs and the first folders take of an image: kept firm, so that a disk that fills up under a sparse image is
 * met by data, which can be refused, and never by metadata half written. */
#define FIRM_LEAST (1024ull * 1024)

static uint64_t firm_of(uint64_t size)
{
        /* two FATs of 4 bytes a cluster: clusters have 512 bytes and more, above 257M 4096 */
        return FIRM_LEAST + size / (size < 257ull * 1024 * 1024 ? 64 : 512);
}

static int make_trouble(enum err err, struct str path)
{
        switch (err) {
        case ERR_EXISTS:
                return ptt_say(1, "something is there already", path);
        case ERR_NOT_FOUND:
                return ptt_say(1, "no such folder", path);
        case ERR_DENIED:
                return ptt_say(1, "no right to write there", path);
        case ERR_FULL:
                return ptt_say(1, "no space left on the disk", path);
        case ERR_LIMIT:
        case ERR_SYNTAX:
                return ptt_say(1, "no name for an image", path);
        default:
                return ptt_say(1, "the image cannot be made", path);
        }
}

static int check_size(const char *option, struct str text, uint64_t *size)
{
        if (quantity_size_parse(text, size) != ERR_OK) {
                fprintf(stderr, "ptt: %s is not a size: ", option);
        } else if (*size < FAT_VOLUME_MIN || *size > FAT_VOLUME_MAX) {
                fprintf(stderr, "ptt: %s is not from 34M to 1024G: ", option);
        } else {
                *size = *size / 4096 * 4096;
                return 0;
        }
        ptt_text(stderr, text);
        fputc('\n', stderr);
        return EXIT_USAGE;
}

/* create */

static enum err create(struct ptt *p, struct str path, uint64_t size)
{
        char beside[DISK_PATH_MAX];
        enum err err = disk_is_free(path);
        if (err == ERR_OK)
                err = disk_new(p->host, path, size, firm_of(size), beside);
        if (err != ERR_OK)
                return err;
        err = store_create(p->host, str_of_c(beside));
        if (err == ERR_OK)
                err = disk_move(beside, path, false);
        if (err != ERR_OK)
                disk_drop(beside);
        return err;
}

int ptt_create(struct ptt *p)
{
        struct str path = p->options.arguments[0], text;
        uint64_t size = STORE_IMAGE_SIZE;
        if (p->options.arguments_count > 1)
                return ptt_say(EXIT_USAGE, "unexpected argument", p->options.arguments[1]);
        int status = options_value(&p->options, "size", &text) ? check_size("--size", text, &size) : 0;
        if (status != 0)
                return status;
        enum err err = create(p, path, size);
        return err == ERR_OK ? 0 : make_trouble(err, path);
}

/* grow: every file into a larger volume. */

#define COPY_STEP (1024 * 1024)

struct copying {
        struct volume from, to;
        struct ptt_progress progress;
        uint64_t done, all;
        char path[FAT_DEPTH_MAX * (FAT_NAME_UTF8_MAX + 1)];
        char bytes[COPY_STEP];
};

static enum err copy_bytes(struct copying *c, struct fat_file *from, struct fat_file *to, int64_t now_s)
{
        enum err err = fat_preallocate(to, from->size, now_s);
        for (uint64_t at = 0; err == ERR_OK && at < from->size;) {
                size_t got = 0;
                err = fat_read(from, at, c->bytes, sizeof c->bytes, &got);
                if (err == ERR_OK && got == 0)
                        err = ERR_CORRUPT;
                if (err == ERR_OK)
                        err = fat_write(to, at, c->bytes, got, now_s);
                at += got;
                c->done += got;
                ptt_progress(&c->progress, c->done, c->all);
        }
        return err;
}

static enum err copy_file(struct copying *c, struct str path, int64_t now_s)
{
        struct fat_file from, to;
        enum err err = fat_file_open(c->from.fat, &from, path, FAT_OPEN, now_s);
        if (err != ERR_OK)
                return err;
        err = fat_file_open(c->to.fat, &to, path, FAT_OPEN_NEW, now_s);
        if (err == ERR_OK) {
                err = copy_bytes(c, &from, &to, now_s);
                fat_file_close(&to);
        }
        fat_file_close(&from);
        return err;
}

static enum err copy_folder(struct copying *c, size_t path_n, unsigned depth);

static enum err copy_entry(struct copying *c, size_t path_n, unsigned depth, const struct fat_entry *e)
{
        struct wr w;
        int64_t time_s = e->written_s != 0 ? e->written_s : volume_now_s(&c->to);
        wr_init(&w, c->path + path_n, sizeof c->path - path_n);
        if (path_n > 0)
                wr_byte(&w, '/');
        wr_str(&w, str_of(e->name, e->name_n));
        if (wr_end(&w) != ERR_OK)
                return ERR_LIMIT;
        struct str path = str_of(c->path, path_n + w.n);
        if (!e->is_directory)
                return copy_file(c, path, time_s);
        enum err err = fat_mkdir(c->to.fat, path, time_s);
        return err != ERR_OK ? err : copy_folder(c, path.n, depth + 1);
}

static enum err copy_folder(struct copying *c, size_t path_n, unsigned depth)
{
        struct fat_list list;
        if (depth > FAT_DEPTH_MAX)
                return ERR_LIMIT;
        struct fat_entry *e = malloc(sizeof *e);
        if (e == NULL)
                return ERR_MEMORY;
        enum err err = fat_list_open(c->from.fat, str_of(c->path, path_n), &list);
        while (err == ERR_OK) {
                err = fat_list_next(&list, e);
                if (err == ERR_OK)
                        err = copy_entry(c, path_n, depth, e);
        }
        free(e);
        return err == ERR_EOF ? ERR_OK : err;
}

static enum err copy_all(struct copying *c)
{
        struct fat_info info;
        uint32_t free_clusters = 0;
        enum err err = fat_info(c->from.fat, &info);
        if (err == ERR_OK)
                err = fat_free_clusters(c->from.fat, &free_clusters);
        c->all = (uint64_t)(info.clusters - free_clusters) * info.cluster_size;
        c->progress.what = "growing";
        if (err == ERR_OK)
                err = copy_folder(c, 0, 0);
        ptt_progress_end(&c->progress);
        return err;
}

/* Into a new image beside, which then takes the place of the old one. That stays locked until the end. */
static enum err grow_open(struct ptt *p, struct copying *c, struct str path, uint64_t size)
{
        char beside[DISK_PATH_MAX];
        enum err err = disk_new(p->host, path, size, firm_of(size), beside);
        if (err != ERR_OK)
                return err;
        err = volume_make(&c->to, p->host, str_of_c(beside));
        if (err == ERR_OK)
                err = copy_all(c);
        enum err closed = volume_close(&c->to);
        if (err == ERR_OK)
                err = closed;
        if (err == ERR_OK)
                err = disk_move(beside, path, true);
        if (err != ERR_OK)
                disk_drop(beside);
        return err;
}

static int grow(struct ptt *p, struct copying *c, uint64_t size)
{
        char path[DISK_PATH_MAX];
        struct str image = p->options.arguments[0];
        enum err err = disk_resolve(image, path);
        if (err == ERR_UNSUPPORTED)
                return ptt_say(1, "not a file", image);
        if (err != ERR_OK)
                return ptt_refused(p, err, "");
        err = volume_open(&c->from, p->host, str_of_c(path), VOLUME_TOOL);
        int status = 0;
        if (err != ERR_OK)
                status = ptt_refused(p, err, fat_state_text(c->from.state));
        else if (size <= c->from.device.size)
                status = ptt_say(1, "the image is not smaller than that", p->options.arguments[1]);
        else if ((err = grow_open(p, c, str_of_c(path), size)) != ERR_OK)
                status = err == ERR_CORRUPT ? ptt_trouble(p, err) : make_trouble(err, image);
        (void)volume_close(&c->from);
        return status;
}

int ptt_grow(struct ptt *p)
{
        uint64_t size;
        if (p->options.arguments_count > 2)
                return ptt_say(EXIT_USAGE, "unexpected argument", p->options.arguments[2]);
        int status = check_size("SIZE", p->options.arguments[1], &size);
        struct copying *c = status == 0 ? calloc(1, sizeof *c) : NULL;
        if (status == 0)
                status = c == NULL ? ptt_say(1, "out of memory", S("")) : grow(p, c, size);
        free(c);
        return status;
}

/* check */

struct checking {
        struct ptt *ptt;
        struct json *json; /* NULL: text */
        struct ptt_progress progress;
        bool repair, may_be_dirty;
        uint64_t faults, left;
};

static void put_fault(
        struct checking *c, const char *where, struct str text, struct str path, uint64_t number)
{
        ptt_progress_end(&c->progress);
        if (c->json != NULL) {
                json_open(c->json, NULL, '{');
                json_str(c->json, "where", str_of_c(where));
                json_str(c->json, "fault", text);
                json_str(c->json, "path", path);
                json_close(c->json, '}');
                return;
        }
        printf("%s: ", where);
        ptt_text(stdout, path);
        printf("%s", path.n > 0 ? ": " : "");
        ptt_text(stdout, text);
        if (number > 0)
                printf(" (%" PRIu64 ")", number);
        printf("\n");
}

static void volume_fault(void *ctx, enum fat_fault fault, struct str path, uint32_t number, bool is_repaired)
{
        put_fault(ctx, is_repaired ? "volume, repaired" : "volume", str_of_c(fat_fault_text(fault)), path,
                number);
}

static void store_fault(void *ctx, struct str text)
{
        put_fault(ctx, "database", text, S(""), 0);
}

static void store_progress(void *ctx, uint64_t done, uint64_t all)
{
        struct checking *c = ctx;
        ptt_progress(&c->progress, done, all);
}

/* How it was left; true if that is a fault. */
static bool check_state(struct checking *c, enum fat_state state)
{
        if (state == FAT_CLEAN)
                return false;
        if (c->repair)
                put_fault(c, "volume, repaired", str_of_c(fat_state_text(state)), S(""), 0);
        else /* it was completed in memory only */
                put_fault(c, "volume",
                        state == FAT_REPLAYED ? S("a change was interrupted")
                                              : str_of_c(fat_state_text(state)),
                        S(""), 0);
        return true;
}

static enum err check_mounted(struct checking *c, struct volume *v)
{
        size_t n = fat_check_memory(v->fat);
        struct fat_checked found = {0};
        struct fat_checker how = {
                .report = volume_fault, .ctx = c, .repair = c->repair, .memory = malloc(n), .memory_n = n};
        if (how.memory == NULL)
                return ERR_MEMORY;
        bool was_left = check_state(c, v->state);
        enum err err = fat_check(v->fat, &how, &found);
        free(how.memory);
        c->faults += found.faults + was_left;
        c->left += found.unrepaired + (was_left && !c->repair);
        return err;
}

static int check_volume(struct checking *c)
{
        struct volume v;
        enum volume_user user = c->may_be_dirty ? VOLUME_REPAIR : c->repair ? VOLUME_TOOL : VOLUME_CHECK;
        enum err err = volume_open(&v, c->ptt->host, c->ptt->options.arguments[0], user);
        if (err != ERR_OK) {
                int status = ptt_refused(c->ptt, err, fat_state_text(v.state));
                (void)volume_close(&v);
                return status;
        }
        err = check_mounted(c, &v);
        enum err closed = volume_close(&v);
        if (err == ERR_OK)
                err = closed;
        return err == ERR_OK ? 0 : ptt_trouble(c->ptt, err);
}

static int check_store(struct checking *c)
{
        struct store_checker how = {
                .report = store_fault, .progress = store_progress, .ctx = c, .repair = c->repair};
        struct store *s;
        const char *why;
        uint64_t faults, left;
        enum err err = store_open_as(
                c->ptt->host, c->ptt->options.arguments[0], c->repair ? STORE_REPAIR : STORE_CHECK, &why, &s);
        if (err == ERR_CORRUPT) {
                put_fault(c, "database", str_of_c(why), S(""), 0);
                c->faults++;
                c->left++;
                return 0;
        }
        if (err != ERR_OK)
                return ptt_refused(c->ptt, err, why);
        err = store_check(s, &how, &faults, &left);
        ptt_progress_end(&c->progress);
        store_close(s);
        c->faults += faults;
        c->left += left;
        return err == ERR_OK ? 0 : ptt_trouble(c->ptt, err);
}

static int check(struct checking *c)
{
        if (c->json != NULL) {
                json_open(c->json, NULL, '{');
                json_open(c->json, "faults", '[');
        }
        int status = check_volume(c);
        if (status == 0)
                status = check_store(c);
        if (c->json != NULL) {
                json_close(c->json, ']');
                json_u64(c->json, "found", c->faults);
                json_u64(c->json, "left", c->left);
                json_close(c->json, '}');
        } else if (status == 0) {
                printf("%" PRIu64 " found, %" PRIu64 " left\n", c->faults, c->left);
        }
        return status != 0 ? status : c->left > 0;
}

int ptt_check(struct ptt *p)
{
        struct json json = {stdout, 0, true};
        struct checking c = {.ptt = p,
                .json = options_has(&p->options, "json") ? &json : NULL,
                .progress = {.what = "checking"},
                .repair = options_has(&p->options, "repair"),
                .may_be_dirty = options_has(&p->options, "not-running")};
        if (p->options.arguments_count > 1)
                return ptt_say(EXIT_USAGE, "unexpected argument", p->options.arguments[1]);
        if (c.may_be_dirty && !c.repair)
                return ptt_say(EXIT_USAGE, "--not-running goes with --repair", S(""));
        return check(&c);
}
