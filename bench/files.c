/* SPDX-License-Identifier: ISC */
/* A file in a FAT32 image beside a plain file of the same size on the same disk: FOLDER MEGABYTES.
 *
 * Written in pieces of 1 MiB, growing, and then once more over what is there, both with a flush at the end; read in
 * the same pieces, first from the disk and then from the page cache; read in pieces of 4 KiB at random places, from the
 * page cache. */
#include <fcntl.h>
#include <unistd.h>

#include "bench/bench.h"
#include "store/volume.h"

#define PIECE (1024 * 1024)
#define SMALL 4096
#define SMALL_READS 50000
#define MARGIN (64ull * 1024 * 1024) /* of the image, beside the file */

struct files {
        char image[512], plain[512];
        uint64_t size;
        char *piece;
        struct volume volume;
        struct fat_file file;
        int fd; /* of the plain one */
};

/* The two that are compared. */
struct kind {
        const char *name, *path;
        void (*write)(struct files *f, uint64_t at);
        void (*read)(struct files *f, uint64_t at, size_t n);
        void (*flush)(struct files *f);
};

static void fat_file_write(struct files *f, uint64_t at)
{
        bench_need(fat_write(&f->file, at, f->piece, PIECE, 1), "writing");
}

static void fat_file_read(struct files *f, uint64_t at, size_t n)
{
        size_t got;
        bench_need(fat_read(&f->file, at, f->piece, n, &got), "reading");
        if (got != n)
                bench_fail("reading", "short");
}

static void fat_file_flush(struct files *f)
{
        bench_need(fat_flush(f->volume.fat), "flushing");
}

static void plain_write(struct files *f, uint64_t at)
{
        if (pwrite(f->fd, f->piece, PIECE, (off_t)at) != PIECE)
                bench_fail("writing", f->plain);
}

static void plain_read(struct files *f, uint64_t at, size_t n)
{
        if (pread(f->fd, f->piece, n, (off_t)at) != (ssize_t)n)
                bench_fail("reading", f->plain);
}

static void plain_flush(struct files *f)
{
        if (fdatasync(f->fd) != 0)
                bench_fail("flushing", f->plain);
}

/* Megabytes a second since `start`. */
static void row_rate(const struct kind *k, const char *what, uint64_t bytes, int64_t start)
{
        char key[64];
        (void)snprintf(key, sizeof key, "%s-%s", k->name, what);
        bench_row(key, (double)bytes * 1e3 / (double)(bench_now_ns() - start));
}

static void drop_cache(const char *path)
{
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || fdatasync(fd) != 0 || posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) != 0)
                bench_fail("leaving the page cache", path);
        (void)close(fd);
}

static void write_all(struct files *f, const struct kind *k, const char *what)
{
        int64_t start = bench_now_ns();
        for (uint64_t at = 0; at < f->size; at += PIECE)
                k->write(f, at);
        k->flush(f);
        row_rate(k, what, f->size, start);
}

static void read_all(struct files *f, const struct kind *k, const char *what)
{
        int64_t start = bench_now_ns();
        for (uint64_t at = 0; at < f->size; at += PIECE)
                k->read(f, at, PIECE);
        row_rate(k, what, f->size, start);
}

static void read_small(struct files *f, const struct kind *k)
{
        uint64_t random = 1;
        int64_t start = bench_now_ns();
        for (size_t i = 0; i < SMALL_READS; i++) {
                random = random * 6364136223846793005u + 1442695040888963407u;
                k->read(f, (random >> 33) % (f->size / SMALL) * SMALL, SMALL);
        }
        row_rate(k, "read-small", (uint64_t)SMALL_READS * SMALL, start);
}

static void measure(struct files *f, const struct kind *k)
{
        write_all(f, k, "write-new");
        write_all(f, k, "write-again");
        drop_cache(k->path);
        read_all(f, k, "read-disk");
        read_all(f, k, "read-cached");
        read_small(f, k);
}

static int make_file(const char *path, uint64_t size)
{
        int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0 || ftruncate(fd, (off_t)size) != 0)
                bench_fail("making", path);
        return fd;
}

static void files_run(struct host *h, void *arg)
{
        struct files *f = arg;
        const struct kind fat = {"fat", f->image, fat_file_write, fat_file_read, fat_file_flush};
        const struct kind plain = {"plain", f->plain, plain_write, plain_read, plain_flush};
        (void)close(make_file(f->image, f->size + MARGIN));
        f->fd = make_file(f->plain, 0);
        bench_need(volume_make(&f->volume, h, str_of_c(f->image)), "the image");
        bench_need(fat_file_open(f->volume.fat, &f->file, S("bench"), FAT_OPEN_NEW, 1), "a file in it");
        measure(f, &plain);
        measure(f, &fat);
        fat_file_close(&f->file);
        bench_need(volume_close(&f->volume), "closing the image");
        (void)close(f->fd);
        (void)unlink(f->image);
        (void)unlink(f->plain);
}

int main(int argc, char **argv)
{
        static struct files f;
        if (argc != 3)
                bench_fail(argv[0], "FOLDER MEGABYTES");
        f.size = bench_count(argv[2]) * PIECE;
        (void)snprintf(f.image, sizeof f.image, "%s/files.img", argv[1]);
        (void)snprintf(f.plain, sizeof f.plain, "%s/files.plain", argv[1]);
        f.piece = bench_memory(1, PIECE);
        memset(f.piece, 'p', PIECE);
        bench_run(files_run, &f);
        free(f.piece);
        return 0;
}
