/* SPDX-License-Identifier: ISC */
/* Works on the image file that is its argument (and a sector size, 512 if left out). Reads a command a line, fields split
 * by tabs, bytes in hexadecimal ("-" for none); answers with lines of data and then the error's phrase or "ok".
 *   format SIZE SERIAL LABEL      mount r|w  (gives the state)      unmount      flush      info      free
 *   ls PATH  (f|d SIZE NAME)      stat PATH  get PATH TO-FILE       mkdir, rm, rmdir PATH     mv FROM TO
 *   new PATH                      write PATH OFFSET BYTES           read PATH OFFSET N        allocate PATH SIZE
 *   truncate PATH SIZE            extents PATH  (how many pieces)   check, repair  (a line a fault) */
#define _FILE_OFFSET_BITS 64
#define _POSIX_C_SOURCE 200809L
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/hex.h"
#include "fat/check.h"

#define NOW 1763836800 /* 2025-11-22T18:40:00Z */
#define FIELDS 4

static struct fat volume;
static uint8_t bytes[1 << 20];

static enum err image_read(void *ctx, uint64_t offset, void *to, size_t n)
{
        return pread(*(int *)ctx, to, n, (off_t)offset) == (ssize_t)n ? ERR_OK : ERR_IO;
}

static enum err image_write(void *ctx, uint64_t offset, const void *from, size_t n)
{
        return pwrite(*(int *)ctx, from, n, (off_t)offset) == (ssize_t)n ? ERR_OK : ERR_IO;
}

static enum err image_flush(void *ctx)
{
        (void)ctx;
        return ERR_OK;
}

static uint64_t number(const char *field)
{
        return strtoull(field, NULL, 0);
}

static enum err format(const struct fat_device *device, char **field)
{
        struct fat_format what = {.size = number(field[1]),
                .serial = (uint32_t)number(field[2]),
                .now_s = NOW,
                .label = str_of_c(field[3]),
                .is_blank = true};
        return fat_format(device, &what);
}

static enum err mount(const struct fat_device *device, const char *mode)
{
        enum fat_state state;
        enum err err = fat_mount(&volume, device, *mode == 'w' ? FAT_WRITE : FAT_READ, &state);
        printf("%s\n", fat_state_text(state));
        return err;
}

static enum err info(void)
{
        struct fat_info i;
        enum err err = fat_info(&volume, &i);
        printf("%s\n%" PRIu32 " %" PRIu32 " %" PRIu32 " %d %d\n", i.label, i.sector_size, i.cluster_size,
                i.clusters, i.has_redo, i.was_dirty);
        return err;
}

static void print_entry(const struct fat_entry *e)
{
        printf("%c %" PRIu32 " %" PRId64 " %s %s\n", e->is_directory ? 'd' : 'f', e->size, e->written_s,
                e->short_name, e->name);
}

static enum err list(const char *path)
{
        struct fat_list l;
        struct fat_entry e;
        enum err err = fat_list_open(&volume, str_of_c(path), &l);
        while (err == ERR_OK && (err = fat_list_next(&l, &e)) == ERR_OK)
                print_entry(&e);
        return err == ERR_EOF ? ERR_OK : err;
}

static enum err stat_one(const char *path)
{
        struct fat_entry e;
        enum err err = fat_stat(&volume, str_of_c(path), &e);
        if (err == ERR_OK)
                print_entry(&e);
        return err;
}

static enum err get(struct fat_file *file, const char *to)
{
        FILE *out = fopen(to, "wb");
        CHECK(out);
        enum err err = ERR_OK;
        size_t got = 1;
        for (uint64_t at = 0; err == ERR_OK && got > 0; at += got) {
                err = fat_read(file, at, bytes, sizeof bytes, &got);
                CHECK(fwrite(bytes, 1, got, out) == got);
        }
        CHECK(fclose(out) == 0);
        return err;
}

static enum err read_bytes(struct fat_file *file, uint64_t at, uint64_t n)
{
        size_t got;
        enum err err = fat_read(file, at, bytes, n < sizeof bytes ? (size_t)n : sizeof bytes, &got);
        for (size_t i = 0; i < got; i++)
                printf("%02x", bytes[i]);
        printf(got > 0 ? "\n" : "-\n");
        return err;
}

static enum err write_bytes(struct fat_file *file, uint64_t at, const char *hex)
{
        struct wr w;
        wr_init(&w, bytes, sizeof bytes);
        CHECK(hex_decode(str_of_c(hex), &w) == ERR_OK);
        return fat_write(file, at, bytes, w.n, NOW);
}

static enum err extents(struct fat_file *file)
{
        uint64_t at, n, end = 0;
        unsigned count = 0;
        enum err err = ERR_OK;
        for (uint64_t offset = 0; offset < file->size && err == ERR_OK; offset += n) {
                err = fat_extent(file, (uint32_t)offset, &at, &n);
                count += at != end;
                end = at + n;
        }
        printf("%u\n", count);
        return err;
}

static enum err in_file(char **field)
{
        struct fat_file file;
        bool is_new = strcmp(field[0], "new") == 0;
        enum err err =
                fat_file_open(&volume, &file, str_of_c(field[1]), is_new ? FAT_OPEN_NEW : FAT_OPEN, NOW);
        if (err != ERR_OK)
                return err;
        if (strcmp(field[0], "get") == 0)
                err = get(&file, field[2]);
        else if (strcmp(field[0], "write") == 0)
                err = write_bytes(&file, number(field[2]), field[3]);
        else if (strcmp(field[0], "read") == 0)
                err = read_bytes(&file, number(field[2]), number(field[3]));
        else if (strcmp(field[0], "allocate") == 0)
                err = fat_preallocate(&file, number(field[2]), NOW);
        else if (strcmp(field[0], "truncate") == 0)
                err = fat_truncate(&file, (uint32_t)number(field[2]), NOW);
        else if (strcmp(field[0], "extents") == 0)
                err = extents(&file);
        else if (!is_new)
                err = ERR_UNSUPPORTED;
        fat_file_close(&file);
        return err;
}

static void report(void *ctx, enum fat_fault fault, struct str path, uint32_t count, bool is_repaired)
{
        (void)ctx;
        printf("%.*s: %s (%" PRIu32 ")%s\n", STR_ARG(path), fat_fault_text(fault), count,
                is_repaired ? ", repaired" : "");
}

static enum err check(bool repair)
{
        struct fat_checked found;
        struct fat_checker how = {.report = report, .repair = repair, .memory_n = fat_check_memory(&volume)};
        how.memory = malloc(how.memory_n);
        CHECK(how.memory);
        enum err err = fat_check(&volume, &how, &found);
        free(how.memory);
        printf("%" PRIu32 " faults, %" PRIu32 " unrepaired\n", found.faults, found.unrepaired);
        return err;
}

static enum err run(const struct fat_device *device, char **field)
{
        const char *what = field[0];
        struct str path = str_of_c(field[1]);
        if (strcmp(what, "format") == 0)
                return format(device, field);
        if (strcmp(what, "mount") == 0)
                return mount(device, field[1]);
        if (!volume.is_mounted)
                return ERR_SEQUENCE;
        if (strcmp(what, "unmount") == 0)
                return fat_unmount(&volume);
        if (strcmp(what, "flush") == 0)
                return fat_flush(&volume);
        if (strcmp(what, "info") == 0)
                return info();
        if (strcmp(what, "free") == 0) {
                uint32_t count;
                enum err err = fat_free_clusters(&volume, &count);
                printf("%" PRIu32 "\n", count);
                return err;
        }
        if (strcmp(what, "ls") == 0)
                return list(field[1]);
        if (strcmp(what, "stat") == 0)
                return stat_one(field[1]);
        if (strcmp(what, "mkdir") == 0)
                return fat_mkdir(&volume, path, NOW);
        if (strcmp(what, "rm") == 0)
                return fat_remove(&volume, path);
        if (strcmp(what, "rmdir") == 0)
                return fat_rmdir(&volume, path);
        if (strcmp(what, "mv") == 0)
                return fat_rename(&volume, path, str_of_c(field[2]));
        if (strcmp(what, "check") == 0 || strcmp(what, "repair") == 0)
                return check(*what == 'r');
        return in_file(field);
}

int main(int argc, char **argv)
{
        struct stat st;
        static char empty[] = "";
        if (argc < 2)
                return 2;
        int fd = open(argv[1], O_RDWR | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) != 0)
                return 2;
        struct fat_device device = {.read = image_read,
                .write = image_write,
                .flush = image_flush,
                .ctx = &fd,
                .size = (uint64_t)st.st_size,
                .sector_size = argc > 2 ? (uint32_t)number(argv[2]) : 512};
        device.size -= device.size % device.sector_size;
        char *line = NULL;
        size_t room = 0;
        while (getline(&line, &room, stdin) > 0) {
                char *field[FIELDS] = {empty, empty, empty, empty};
                line[strcspn(line, "\n")] = 0;
                char *rest = line;
                for (size_t i = 0; i < FIELDS && rest; i++) {
                        field[i] = rest;
                        rest = strchr(rest, '\t');
                        if (rest)
                                *rest++ = 0;
                }
                enum err err = run(&device, field);
                printf("= %s\n", err == ERR_OK ? "ok" : err_text(err));
                fflush(stdout);
        }
        free(line);
        close(fd);
        return 0;
}
