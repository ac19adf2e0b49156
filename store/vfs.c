/* SPDX-License-Identifier: ISC */
#include "store/vfs.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/hex.h"
#include "base/rd.h"
#include "base/wr.h"
#include "host/log.h"
#include "store/crc32c.h"
#include "store/gather.h"

#define STEP (1024ull * 1024) /* areas grow by this, or by an eighth of what they are */
#define STEP_MAX (16 * STEP)
#define WAL_HEADER 32 /* sqlite.org/fileformat2.html 4.1 */
#define FRAME_HEADER 24
#define FRAME (FRAME_HEADER + VFS_PAGE)

enum kind { DATABASE, LOG, MEMORY };

struct file {
        sqlite3_file base; /* first: SQLite knows only this */
        struct vfs *vfs;
        enum kind kind;
        struct area area;
        uint32_t *frames; /* of a log: the checksum of each frame's page, 0 when not known */
        size_t frames_cap;
        struct gather gather; /* of a log */
        char *bytes;          /* of a file in memory */
        uint64_t size, cap;
};

struct vfs {
        sqlite3_vfs base;
        struct volume *volume;
        struct crc32c crc;
        enum err fault;
        char name[32];
        char page[VFS_PAGE];
};

static struct file *file_of(sqlite3_file *f)
{
        return (struct file *)(void *)f;
}

static struct vfs *vfs_of(sqlite3_vfs *v)
{
        return v->pAppData;
}

/* Note why, and say it in SQLite's words. */
static int say(struct vfs *v, enum err err, int code)
{
        if (err == ERR_OK)
                return SQLITE_OK;
        v->fault = err;
        switch (err) {
        case ERR_FULL:
                return SQLITE_FULL;
        case ERR_MEMORY:
                return SQLITE_IOERR_NOMEM;
        case ERR_CORRUPT:
                return SQLITE_CORRUPT;
        default:
                return code;
        }
}

/* Checksums. */

static uint32_t page_sum(const struct vfs *v, uint64_t number, const char *page)
{
        char head[4] = {(char)(number & 255), (char)(number >> 8 & 255), (char)(number >> 16 & 255),
                (char)(number >> 24 & 255)};
        uint32_t crc = crc32c_update(&v->crc, 0, str_of(head, sizeof head));
        return crc32c_update(&v->crc, crc, str_of(page, VFS_PAGE - VFS_RESERVED));
}

static void put_sum(char *page, uint32_t crc)
{
        for (int i = 0; i < VFS_RESERVED; i++)
                page[VFS_PAGE - VFS_RESERVED + i] = (char)(crc >> (8 * i) & 255);
}

static bool has_sum(const char *page, uint32_t crc)
{
        char wanted[VFS_PAGE] = {0};
        put_sum(wanted, crc);
        return memcmp(page + VFS_PAGE - VFS_RESERVED, wanted + VFS_PAGE - VFS_RESERVED, VFS_RESERVED) == 0;
}

static enum err say_damaged(struct vfs *v, const char *event, uint64_t number)
{
        struct log_line l;
        log_begin(&l, v->volume->host, LOG_ERROR, "store", event);
        log_u64(&l, "number", number);
        log_end(&l);
        return ERR_CORRUPT;
}

static bool is_page(sqlite3_int64 at, int n)
{
        return n == VFS_PAGE && at % VFS_PAGE == 0;
}

static enum err verify_page(struct vfs *v, uint64_t at, const char *page)
{
        uint64_t number = at / VFS_PAGE + 1;
        return has_sum(page, page_sum(v, number, page)) ? ERR_OK : say_damaged(v, "page-damaged", number);
}

/* The place of the log's frame whose page stands at `at`, or NULL. */
static uint32_t *frame_at(struct file *f, uint64_t at)
{
        if (at < WAL_HEADER + FRAME_HEADER || (at - WAL_HEADER - FRAME_HEADER) % FRAME != 0)
                return NULL;
        size_t number = (size_t)((at - WAL_HEADER - FRAME_HEADER) / FRAME);
        if (number >= f->frames_cap) {
                size_t cap = number < 1024 ? 2048 : number * 2;
                uint32_t *frames = realloc(f->frames, cap * sizeof *frames);
                if (frames == NULL)
                        return NULL; /* then that page is not compared */
                memset(frames + f->frames_cap, 0, (cap - f->frames_cap) * sizeof *frames);
                f->frames = frames;
                f->frames_cap = cap;
        }
        return &f->frames[number];
}

static void note_frame(struct file *f, uint64_t at, const char *page)
{
        uint32_t *frame = frame_at(f, at);
        if (frame != NULL)
                *frame = crc32c_update(&f->vfs->crc, 0, str_of(page, VFS_PAGE));
}

/* Recovery reads whole frames and judges them by their own checksums; later reads are of pages. */
static enum err verify_frame(struct file *f, uint64_t at, const char *bytes, size_t n)
{
        if (n == FRAME) {
                note_frame(f, at + FRAME_HEADER, bytes + FRAME_HEADER);
                return ERR_OK;
        }
        const uint32_t *frame = n == VFS_PAGE ? frame_at(f, at) : NULL;
        if (frame == NULL || *frame == 0 || *frame == crc32c_update(&f->vfs->crc, 0, str_of(bytes, VFS_PAGE)))
                return ERR_OK;
        return say_damaged(f->vfs, "frame-damaged", (at - WAL_HEADER) / FRAME);
}

/* Files in memory: what SQLite writes to undo a part of a transaction. */

static int memory_read(const struct file *f, char *into, uint64_t n, uint64_t at)
{
        uint64_t there = at < f->size ? f->size - at : 0;
        if (there > n)
                there = n;
        if (there > 0)
                memcpy(into, f->bytes + at, (size_t)there);
        memset(into + there, 0, (size_t)(n - there));
        return there == n ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

static int memory_write(struct file *f, const void *from, uint64_t n, uint64_t at)
{
        if (at + n > f->cap) {
                uint64_t cap = (at + n) * 2;
                char *bytes = realloc(f->bytes, (size_t)cap);
                if (bytes == NULL)
                        return SQLITE_IOERR_NOMEM;
                f->bytes = bytes;
                f->cap = cap;
        }
        if (at > f->size)
                memset(f->bytes + f->size, 0, (size_t)(at - f->size));
        memcpy(f->bytes + at, from, (size_t)n);
        if (at + n > f->size)
                f->size = at + n;
        return SQLITE_OK;
}

/* Files. */

static int file_close(sqlite3_file *base)
{
        struct file *f = file_of(base);
        area_close(&f->area);
        gather_close(&f->gather); /* what is in there was never synced, so nothing committed needs it */
        free(f->frames);
        free(f->bytes);
        return SQLITE_OK;
}

/* Of the database; `*got` is how much of it is there. SQLite reads the header before it looks into the log: when a death
 * has torn that page, the whole one is in the log, so the header is not there yet. If the log has none either, reading
 * the page is what fails. */
static enum err read_page(struct file *f, uint64_t at, void *into, size_t n, size_t *got)
{
        uint64_t start = at - at % VFS_PAGE;
        if (n > VFS_PAGE - (at - start) || f->area.size - start < VFS_PAGE)
                return area_read(&f->area, at, into, n);
        struct vfs *v = f->vfs;
        enum err err = area_read(&f->area, start, v->page, VFS_PAGE);
        if (err == ERR_OK && n < VFS_PAGE && !has_sum(v->page, page_sum(v, start / VFS_PAGE + 1, v->page)))
                *got = 0;
        else if (err == ERR_OK)
                err = verify_page(v, start, v->page);
        if (err == ERR_OK)
                memcpy(into, v->page + (at - start), *got);
        return err;
}

static enum err read_log(struct file *f, uint64_t at, void *into, size_t n)
{
        enum err err = gather_out(&f->gather);
        if (err == ERR_OK)
                err = area_read(&f->area, at, into, n);
        return err == ERR_OK ? verify_frame(f, at, into, n) : err;
}

static int file_read(sqlite3_file *base, void *into, int n, sqlite3_int64 at)
{
        struct file *f = file_of(base);
        uint64_t from = (uint64_t)at, there = from < f->area.size ? f->area.size - from : 0;
        if (f->kind == MEMORY)
                return memory_read(f, into, (uint64_t)n, from);
        size_t got = there < (uint64_t)n ? (size_t)there : (size_t)n;
        enum err err = ERR_OK;
        if (got > 0)
                err = f->kind == LOG ? read_log(f, from, into, got) : read_page(f, from, into, got, &got);
        if (err != ERR_OK)
                return say(f->vfs, err, SQLITE_IOERR_READ);
        memset((char *)into + got, 0, (size_t)n - got);
        return got < (size_t)n ? SQLITE_IOERR_SHORT_READ : SQLITE_OK;
}

/* In large steps; in the smallest when the volume has no more. */
static enum err reach(struct file *f, uint64_t end)
{
        if (end <= f->area.size)
                return ERR_OK;
        uint64_t step = f->area.size / 8;
        step = step < STEP ? STEP : step > STEP_MAX ? STEP_MAX : step;
        uint64_t least = (end + STEP - 1) / STEP * STEP, wanted = f->area.size + step;
        enum err err = ERR_FULL;
        if (wanted > least)
                err = area_grow(&f->area, wanted / STEP * STEP);
        return err == ERR_FULL ? area_grow(&f->area, least) : err;
}

static int file_write(sqlite3_file *base, const void *from, int n, sqlite3_int64 at)
{
        struct file *f = file_of(base);
        struct vfs *v = f->vfs;
        if (f->kind == MEMORY)
                return memory_write(f, from, (uint64_t)n, (uint64_t)at);
        enum err err = reach(f, (uint64_t)at + (uint64_t)n);
        struct str bytes = str_of(from, (size_t)n);
        if (f->kind == DATABASE && is_page(at, n)) {
                memcpy(v->page, from, VFS_PAGE);
                put_sum(v->page, page_sum(v, (uint64_t)at / VFS_PAGE + 1, v->page));
                bytes = str_of(v->page, VFS_PAGE);
        }
        if (err == ERR_OK)
                err = f->kind == LOG ? gather_write(&f->gather, (uint64_t)at, bytes)
                                     : area_write(&f->area, (uint64_t)at, bytes);
        if (f->kind == LOG && n == VFS_PAGE && err == ERR_OK)
                note_frame(f, (uint64_t)at, from);
        return say(v, err, SQLITE_IOERR_WRITE);
}

/* SQLite empties a log whose pages are all in the database: nobody reads one without its header. */
static enum err empty_log(struct file *f)
{
        static const char zeros[WAL_HEADER];
        char header[WAL_HEADER];
        if (f->area.size < sizeof header)
                return ERR_OK;
        enum err err = gather_out(&f->gather);
        if (err == ERR_OK)
                err = area_read(&f->area, 0, header, sizeof header);
        if (err == ERR_OK && memcmp(header, zeros, sizeof header) != 0) {
                err = area_write(&f->area, 0, str_of(zeros, sizeof zeros));
                if (err == ERR_OK)
                        err = volume_flush(f->vfs->volume);
        }
        return err == ERR_OK ? area_cut(&f->area, VFS_LOG_KEPT) : err;
}

/* Otherwise, what is cut off is left for later. */
static int file_truncate(sqlite3_file *base, sqlite3_int64 size)
{
        struct file *f = file_of(base);
        if (f->kind == MEMORY && (uint64_t)size < f->size)
                f->size = (uint64_t)size;
        return f->kind == LOG && size == 0 ? say(f->vfs, empty_log(f), SQLITE_IOERR_TRUNCATE) : SQLITE_OK;
}

static int file_sync(sqlite3_file *base, int flags)
{
        struct file *f = file_of(base);
        (void)flags;
        if (f->kind == MEMORY)
                return SQLITE_OK;
        enum err err = gather_out(&f->gather);
        if (err == ERR_OK)
                err = volume_flush(f->vfs->volume);
        return say(f->vfs, err, SQLITE_IOERR_FSYNC);
}

static int file_size(sqlite3_file *base, sqlite3_int64 *out)
{
        struct file *f = file_of(base);
        *out = (sqlite3_int64)(f->kind == MEMORY ? f->size : f->area.size);
        return SQLITE_OK;
}

static int file_lock(sqlite3_file *base, int level)
{
        (void)base;
        (void)level;
        return SQLITE_OK;
}

static int file_is_reserved(sqlite3_file *base, int *out)
{
        (void)base;
        *out = 0;
        return SQLITE_OK;
}

static int file_control(sqlite3_file *base, int op, void *arg)
{
        struct file *f = file_of(base);
        switch (op) {
        case SQLITE_FCNTL_SIZE_HINT:
                return f->kind == MEMORY ? SQLITE_OK
                                         : say(f->vfs, reach(f, *(uint64_t *)arg), SQLITE_IOERR_WRITE);
        case SQLITE_FCNTL_PERSIST_WAL:
                *(int *)arg = 1;
                return SQLITE_OK;
        default:
                return SQLITE_NOTFOUND;
        }
}

static int file_sector(sqlite3_file *base)
{
        return (int)volume_sector(file_of(base)->vfs->volume);
}

/* A sector is written whole or not at all, so what stands beside the bytes of a write is never harmed. */
static int file_traits(sqlite3_file *base)
{
        (void)base;
        return SQLITE_IOCAP_POWERSAFE_OVERWRITE | SQLITE_IOCAP_UNDELETABLE_WHEN_OPEN;
}

static const sqlite3_io_methods methods = {.iVersion = 1,
        .xClose = file_close,
        .xRead = file_read,
        .xWrite = file_write,
        .xTruncate = file_truncate,
        .xSync = file_sync,
        .xFileSize = file_size,
        .xLock = file_lock,
        .xUnlock = file_lock,
        .xCheckReservedLock = file_is_reserved,
        .xFileControl = file_control,
        .xSectorSize = file_sector,
        .xDeviceCharacteristics = file_traits};

/* The VFS. */

static enum err open_area(struct vfs *v, const char *name, int flags, struct file *f)
{
        struct str path = str_of_c(name);
        enum err err = area_open(v->volume, path, &f->area);
        if (err == ERR_NOT_FOUND && (flags & SQLITE_OPEN_CREATE))
                err = area_make(v->volume, path, &f->area);
        return err;
}

static int do_open(sqlite3_vfs *base, const char *name, sqlite3_file *file, int flags, int *flags_out)
{
        struct vfs *v = vfs_of(base);
        struct file *f = file_of(file);
        memset(f, 0, sizeof *f);
        f->vfs = v;
        f->kind = flags & SQLITE_OPEN_MAIN_DB ? DATABASE : flags & SQLITE_OPEN_WAL ? LOG : MEMORY;
        if (f->kind != MEMORY) {
                enum err err = open_area(v, name, flags, f);
                if (err != ERR_OK)
                        return say(v, err, SQLITE_CANTOPEN);
        } else if (name != NULL) {
                return SQLITE_CANTOPEN; /* a rollback journal has no place here */
        }
        if (f->kind == LOG && gather_init(&f->gather, &f->area) != ERR_OK) {
                area_close(&f->area);
                return say(v, ERR_MEMORY, SQLITE_CANTOPEN);
        }
        f->base.pMethods = &methods;
        if (flags_out != NULL)
                *flags_out = flags;
        return SQLITE_OK;
}

static int do_delete(sqlite3_vfs *base, const char *name, int sync)
{
        (void)base;
        (void)name;
        (void)sync;
        return SQLITE_IOERR_DELETE_NOENT;
}

static int do_access(sqlite3_vfs *base, const char *name, int flags, int *out)
{
        struct vfs *v = vfs_of(base);
        struct area area;
        (void)flags;
        enum err err = area_open(v->volume, str_of_c(name), &area);
        *out = err == ERR_OK;
        area_close(&area);
        return say(v, err == ERR_NOT_FOUND ? ERR_OK : err, SQLITE_IOERR_ACCESS);
}

static int do_full_name(sqlite3_vfs *base, const char *name, int cap, char *out)
{
        size_t n = strlen(name);
        (void)base;
        if (n >= (size_t)cap)
                return SQLITE_CANTOPEN;
        memcpy(out, name, n + 1);
        return SQLITE_OK;
}

static int do_random(sqlite3_vfs *base, int n, char *out)
{
        host_random(vfs_of(base)->volume->host, out, (size_t)n);
        return n;
}

static int do_sleep(sqlite3_vfs *base, int microseconds)
{
        (void)base;
        (void)microseconds;
        return 0; /* nobody is waited for: there is one connection */
}

/* Milliseconds since noon of 24 November 4714 BC. */
static int do_time(sqlite3_vfs *base, sqlite3_int64 *out)
{
        *out = host_wall_ms(vfs_of(base)->volume->host) + 210866760000000ll;
        return SQLITE_OK;
}

static int do_time_days(sqlite3_vfs *base, double *out)
{
        sqlite3_int64 ms;
        int rc = do_time(base, &ms);
        *out = (double)ms / 86400000.0;
        return rc;
}

static int do_last_error(sqlite3_vfs *base, int n, char *out)
{
        (void)base;
        (void)n;
        (void)out;
        return 0;
}

static void make_name(struct vfs *v)
{
        uint8_t random[8];
        struct wr w;
        host_random(v->volume->host, random, sizeof random);
        wr_init(&w, v->name, sizeof v->name);
        wr_str(&w, S("ptt-"));
        hex_encode(&w, str_of(random, sizeof random));
        wr_byte(&w, 0);
        CHECK(wr_end(&w) == ERR_OK);
}

/* Whoever has a store uses it from one thread, so SQLite's locks are for nobody, and nobody asks how much memory it has.
 * It takes this before it starts, the first time. */
static void let_alone(void)
{
        (void)sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
        (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

struct vfs *vfs_new(struct volume *volume)
{
        struct vfs *v = calloc(1, sizeof *v);
        if (v == NULL)
                return NULL;
        let_alone();
        v->volume = volume;
        crc32c_init(&v->crc);
        make_name(v);
        v->base = (sqlite3_vfs){.iVersion = 2,
                .szOsFile = sizeof(struct file),
                .mxPathname = 255,
                .zName = v->name,
                .pAppData = v,
                .xOpen = do_open,
                .xDelete = do_delete,
                .xAccess = do_access,
                .xFullPathname = do_full_name,
                .xRandomness = do_random,
                .xSleep = do_sleep,
                .xCurrentTime = do_time_days,
                .xGetLastError = do_last_error,
                .xCurrentTimeInt64 = do_time};
        if (sqlite3_vfs_register(&v->base, 0) != SQLITE_OK) {
                free(v);
                return NULL;
        }
        return v;
}

void vfs_free(struct vfs *v)
{
        if (v == NULL)
                return;
        CHECK(sqlite3_vfs_unregister(&v->base) == SQLITE_OK);
        free(v);
}

const char *vfs_name(const struct vfs *v)
{
        return v->name;
}

enum err vfs_fault(const struct vfs *v)
{
        return v->fault;
}

#define VERIFY_PAGES 64
#define LOCK_PAGE (0x40000000u / VFS_PAGE + 1) /* which SQLite never uses (sqlite.org/fileformat2.html 1.4) */

static enum err verify_pages(
        struct vfs *v, const struct area *area, uint64_t at, uint64_t end, char *pages, uint64_t *damaged)
{
        size_t n = end - at < VERIFY_PAGES * VFS_PAGE ? (size_t)(end - at) : VERIFY_PAGES * VFS_PAGE;
        enum err err = area_read(area, at, pages, n);
        for (size_t i = 0; err == ERR_OK && i + VFS_PAGE <= n; i += VFS_PAGE)
                if ((at + i) / VFS_PAGE + 1 != LOCK_PAGE)
                        *damaged += verify_page(v, at + i, pages + i) != ERR_OK;
        return err;
}

/* Where the pages end that were ever written, as the header says; behind them there is only room. When the header is
 * damaged, or the file is cut, that is a damaged page, and all that is there is looked at. */
static enum err pages_end(
        struct vfs *v, const struct area *area, char page[VFS_PAGE], uint64_t *end, uint64_t *damaged)
{
        *end = area->size - area->size % VFS_PAGE;
        enum err err = *end > 0 ? area_read(area, 0, page, VFS_PAGE) : ERR_OK;
        if (err != ERR_OK || *end == 0 || !has_sum(page, page_sum(v, 1, page))) {
                *damaged += *end == 0;
                return err;
        }
        struct rd r;
        rd_init(&r, str_of(page + 28, 4)); /* sqlite.org/fileformat2.html 1.3.8 */
        uint64_t written = (uint64_t)rd_be32(&r) * VFS_PAGE;
        *damaged += written > *end;
        if (written < *end)
                *end = written;
        return ERR_OK;
}

enum err vfs_verify(
        struct vfs *v, void (*progress)(void *ctx, uint64_t done, uint64_t all), void *ctx, uint64_t *damaged)
{
        struct area area;
        uint64_t end = 0;
        *damaged = 0;
        char *pages = malloc(VERIFY_PAGES * VFS_PAGE);
        if (pages == NULL)
                return ERR_MEMORY;
        enum err err = area_open(v->volume, S("ptt.db"), &area);
        if (err == ERR_OK)
                err = pages_end(v, &area, pages, &end, damaged);
        for (uint64_t at = 0; err == ERR_OK && at < end; at += VERIFY_PAGES * VFS_PAGE) {
                err = verify_pages(v, &area, at, end, pages, damaged);
                if (progress != NULL)
                        progress(ctx, at, end);
        }
        area_close(&area);
        free(pages);
        return err;
}
