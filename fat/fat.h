/* SPDX-License-Identifier: ISC */
/* FAT32 over a block interface of three functions. Pure: no OS, no clock, no allocation; time and serial come in as
 * arguments and the caller owns every structure (a struct fat is about 220 KiB: give it static or heap memory).
 *
 * Crash safety. A change of metadata (both FATs, directories, the boot sector) is collected in memory and written as
 * one checksummed redo record into reserved sectors: record, flush, apply, flush, clear. fat_mount replays it. So each
 * call below that changes something is atomic: after a crash the image holds the old state or the new. Exceptions are
 * said at the call. What a call has returned ERR_OK for is on the disk, except bytes written in place by fat_write
 * inside the file's size, which fat_flush makes durable. No more is taken as atomic than the write of one device sector.
 *
 * Calls on one volume must not overlap (a fiber that waits for the disk inside one while another calls in): that is the
 * caller's fault and fails a CHECK. fat_extent gives places on the device for I/O beside the volume.
 *
 * Errors of every call that touches the volume, not repeated below:
 *   ERR_IO       the device failed. After a failed write or flush every later change is ERR_IO too: unmount, mount again.
 *   ERR_CORRUPT  the volume is damaged in what this call needed; nothing was changed
 *   ERR_DENIED   a change on a volume that is mounted for reading
 *
 * Paths are UTF-8, parts separated by '/', from the root; "" and "/" are the root itself. Letters are compared without
 * case (simple upper-casing of the Unicode letters that FAT systems fold). A name has at most 255 UTF-16 units.
 * Errors of every call that takes a path:
 *   ERR_SYNTAX     a name that FAT does not allow (" * : < > ? \ |, control characters, "." and "..", a space or dot at
 *                  its end, ill-formed UTF-8), or a directory where a file is asked for or the reverse
 *   ERR_LIMIT      a name above 255 units
 *   ERR_NOT_FOUND  no such file, or a directory on the way is missing */
#ifndef FAT_FAT_H
#define FAT_FAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"

/* The block interface. `offset` and `n` are in bytes, multiples of sector_size, inside `size`. Each returns ERR_OK or
 * ERR_IO; a write to a device that is thinner than it says may return ERR_FULL: of data, the call gives ERR_FULL and may
 * be made again (a file that was growing in parts keeps the whole parts); of metadata, it counts as ERR_IO. What was written is durable once a later flush has returned ERR_OK; before that any of it may be lost, in any
 * order, sector by sector. A read sees what was written last. */
struct fat_device {
        enum err (*read)(void *ctx, uint64_t offset, void *to, size_t n);
        enum err (*write)(void *ctx, uint64_t offset, const void *from, size_t n);
        enum err (*flush)(void *ctx);
        void *ctx;
        uint64_t size;        /* of the device or image, in bytes */
        uint32_t sector_size; /* 512, 1024, 2048 or 4096: what is written as one */
};

/* ---- Making a volume ---- */

struct fat_format {
        uint64_t size;    /* of the volume in bytes, at most the device's; 0 is the device's */
        uint32_t serial;  /* of the volume; any number */
        int64_t now_s;    /* Unix time */
        struct str label; /* at most 11 of A-Z 0-9 SP - _ ; empty for none */
        bool is_blank; /* the device reads as zeros: sectors of zeros are not written, so a sparse file stays sparse */
};

/* Make an empty FAT32 volume with our redo area: sectors of the device's size, clusters of 4096 bytes (below 257 MiB
 * the largest smaller size that leaves 65,525 clusters), 128 reserved sectors, two FATs, FSInfo's free count unknown, a
 * backup of the boot sector. The boot sector is written last, after a flush: an interrupted format is no volume.
 *   ERR_LIMIT   below FAT_VOLUME_MIN, above FAT_VOLUME_MAX, above the device, or too small for its sector size
 *   ERR_SYNTAX  the label */
MUST_USE enum err fat_format(const struct fat_device *device, const struct fat_format *what);

/* ---- Mounting ---- */

enum fat_mode {
        FAT_READ, /* nothing is ever written; a valid redo record is looked through in memory */
        FAT_WRITE /* only a volume with our redo area */
};

/* What mounting found; the text for a message is fat_state_text. */
enum fat_state {
        FAT_CLEAN, /* mounted; it was unmounted in order the last time */
        FAT_DIRTY, /* mounted; it was not unmounted, or is in use by somebody else at this moment */
        FAT_REPLAYED, /* mounted; as FAT_DIRTY, and an interrupted change was completed (FAT_READ: is seen as completed) */
        FAT_NOT_FAT,  /* refused, ERR_UNSUPPORTED: no FAT boot sector */
        FAT_IS_EXFAT, /* refused, ERR_UNSUPPORTED */
        FAT_IS_FAT12, /* refused, ERR_UNSUPPORTED */
        FAT_IS_FAT16, /* refused, ERR_UNSUPPORTED */
        FAT_SECTOR,   /* refused, ERR_UNSUPPORTED: its sectors are smaller than the device's */
        FAT_SHORT,    /* refused, ERR_CORRUPT: the device is smaller than the volume declares */
        FAT_DAMAGED,  /* refused, ERR_CORRUPT: the boot sector contradicts itself, or its backup */
        FAT_FOREIGN, /* refused, ERR_DENIED: FAT_WRITE was asked, and there is no redo area of ours; FAT_READ works */
        FAT_FAILED /* refused, ERR_IO: the device failed */
};

/* A short lower-case phrase such as "a FAT16 volume" or "smaller than it declares". */
const char *fat_state_text(enum fat_state s);

struct fat;
struct fat_file;

/* Mount. `f` need not be initialised; `device` is copied, its ctx borrowed until fat_unmount. `*state` is set on every
 * path. With FAT_WRITE: the redo record is replayed, the dirty bit set and flushed. Whether a dirty volume may be mounted
 * for writing is the caller's to decide: mount with FAT_READ first and look at the state.
 *   ERR_OK           mounted
 *   ERR_UNSUPPORTED, ERR_CORRUPT, ERR_DENIED, ERR_IO   refused, as `*state` says; `f` is not mounted */
MUST_USE enum err fat_mount(
        struct fat *f, const struct fat_device *device, enum fat_mode mode, enum fat_state *state);

/* Unmount. No file may be open (CHECK). For writing: flush, clear the dirty bit, flush; if the mount saw ERR_IO nothing
 * is written and ERR_IO returned. `f` is unmounted on every path. */
MUST_USE enum err fat_unmount(struct fat *f);

/* Make everything written so far durable. */
MUST_USE enum err fat_flush(struct fat *f);

struct fat_info {
        enum fat_mode mode;
        bool has_redo;         /* our redo area is there */
        bool was_dirty;        /* at mount */
        uint32_t sector_size;  /* of the volume */
        uint32_t cluster_size; /* in bytes */
        uint32_t clusters;     /* in all */
        uint64_t size;         /* of the volume in bytes */
        uint32_t serial;
        char label[12]; /* NUL-terminated, of the root directory, empty when there is none */
};

MUST_USE enum err fat_info(struct fat *f, struct fat_info *out);

/* Free clusters. The first call reads the whole FAT, later ones nothing. */
MUST_USE enum err fat_free_clusters(struct fat *f, uint32_t *out);

/* ---- Names and directories ---- */

struct fat_entry {
        char name[FAT_NAME_UTF8_MAX +
                  1]; /* the long name, or the short one when there is none; NUL-terminated */
        size_t name_n;
        char short_name[FAT_SHORT_UTF8_MAX + 1]; /* "README~1.TXT" */
        bool is_directory;
        bool is_read_only, is_hidden, is_system; /* told, never obeyed */
        uint32_t size;                           /* 0 for a directory */
        uint32_t cluster;                        /* the first one; 0 when there is none */
        int64_t created_s, written_s; /* Unix time, the volume's clock taken as UTC; 0 when not set */
};

/* Look at one name; of the root only is_directory and cluster are set. */
MUST_USE enum err fat_stat(struct fat *f, struct str path, struct fat_entry *out);

/*   ERR_EXISTS  a file or directory of that name
 *   ERR_FULL    the volume, or the directory (65,536 entries), is full */
MUST_USE enum err fat_mkdir(struct fat *f, struct str path, int64_t now_s);

/* Remove a file.
 *   ERR_BUSY    it is open */
MUST_USE enum err fat_remove(struct fat *f, struct str path);

/* Remove an empty directory.
 *   ERR_EXISTS    something is in it
 *   ERR_SEQUENCE  the root */
MUST_USE enum err fat_rmdir(struct fat *f, struct str path);

/* Rename or move a file or directory; both paths are whole. A file at `to` is replaced in the same instant and its space
 * freed. The same name in other case is only respelled. An open file may be renamed; its handle stays good.
 *   ERR_EXISTS    `to` is a directory, or `from` a directory and `to` a file
 *   ERR_BUSY      the file at `to` is open
 *   ERR_SEQUENCE  a directory into itself or below, or the root
 *   ERR_FULL */
MUST_USE enum err fat_rename(struct fat *f, struct str from, struct str to);

/* Listing. Owned by the caller, who may drop it at any time. Entries that are created or removed meanwhile may be seen
 * or not. */
struct fat_list {
        struct fat *f;
        uint32_t first, cluster, mark, index;
        uint32_t
                epoch; /* of removed directories, so that a listing never reads what is no directory any more */
};

MUST_USE enum err fat_list_open(struct fat *f, struct str path, struct fat_list *l);
/* The next one, without ".", ".." and the label. A damaged long name gives its short name. Ends on any image.
 *   ERR_OK        `*out` is filled
 *   ERR_EOF       no more
 *   ERR_CORRUPT   the directory's chain is damaged here; no more
 *   ERR_SEQUENCE  a directory was removed since fat_list_open: open again */
MUST_USE enum err fat_list_next(struct fat_list *l, struct fat_entry *out);

/* ---- Files ---- */

enum fat_open {
        FAT_OPEN,        /* it must exist */
        FAT_OPEN_CREATE, /* created empty if missing */
        FAT_OPEN_NEW     /* must not exist: else ERR_EXISTS */
};

/* A part of a file that lies in one piece on the device. */
struct fat_run {
        uint32_t index; /* first cluster of the run, counted in the file */
        uint32_t cluster;
        uint32_t count;
};

/* An open file. Owned by the caller at a fixed address from fat_file_open to fat_file_close: the volume keeps a list of
 * the open ones. Only `size` is for the caller to read. */
struct fat_file {
        uint32_t size; /* in bytes */

        struct fat *f;
        struct fat_file *next;
        uint64_t entry;   /* where its directory entry is, in bytes of the device */
        uint32_t first;   /* its first cluster, or 0 */
        uint32_t spacing; /* clusters between runs that are kept, once there are too many of them */
        uint32_t run_count;
        struct fat_run runs[FAT_FILE_RUNS]; /* what is known of its chain, in order */
};

/* Open. A file is open at most once on a volume (ERR_BUSY): share the handle.
 * With FAT_READ as mode of the mount, FAT_OPEN_CREATE of a missing file is ERR_DENIED.
 *   ERR_FULL     no space for the name */
MUST_USE enum err fat_file_open(
        struct fat *f, struct fat_file *file, struct str path, enum fat_open how, int64_t now_s);
void fat_file_close(struct fat_file *file); /* writes nothing; flush first if it matters */

/* Read `n` bytes at `offset`. `*got` is less than `n` only at the end of the file, and 0 beyond it. */
MUST_USE enum err fat_read(struct fat_file *file, uint64_t offset, void *to, size_t n, size_t *got);

/* Write `n` bytes at `offset`. Inside the file's size: written in place, durable after fat_flush, sector by sector.
 * Beyond: a gap reads as zeros, the file grows and is durable at return (each such call costs some flushes: write large
 * pieces, or preallocate). Growth by very many bytes happens in parts, each of which is atomic and leaves a valid file.
 *   ERR_FULL   the volume is too full; the file has its old size
 *   ERR_LIMIT  above FAT_FILE_MAX; nothing written */
MUST_USE enum err fat_write(
        struct fat_file *file, uint64_t offset, const void *from, size_t n, int64_t now_s);

/* Grow to at least `size` bytes, of zeros, in one piece of the device where possible. In parts, as fat_write.
 *   ERR_FULL   the volume is too full; the file has its old size
 *   ERR_LIMIT  above FAT_FILE_MAX */
MUST_USE enum err fat_preallocate(struct fat_file *file, uint64_t size, int64_t now_s);

/* Cut to `size` bytes. The cut is atomic; a long chain is freed in parts behind it.
 *   ERR_SEQUENCE  `size` is above the file's */
MUST_USE enum err fat_truncate(struct fat_file *file, uint32_t size, int64_t now_s);

/* Set the time of the last write, which in-place writes leave as it is. */
MUST_USE enum err fat_touch(struct fat_file *file, int64_t now_s);

/* Where the bytes from `offset` on lie: `*at` on the device, and `*n` of them in one piece (never past the size). Good
 * until the file is truncated or removed, or the volume unmounted. For I/O that goes past the volume.
 *   ERR_EOF   `offset` is at the end of the file or beyond */
MUST_USE enum err fat_extent(struct fat_file *file, uint32_t offset, uint64_t *at, uint64_t *n);

/* ---- The volume (its fields are the implementation's) ---- */

struct fat_cached {
        uint32_t sector; /* 0 for none */
        uint32_t used;   /* when, for least recently used */
};

struct fat {
        struct fat_device device;
        enum fat_mode mode;
        bool is_mounted, is_broken, is_inside, is_mirrored, has_redo, was_dirty, has_unflushed;

        /* Geometry; everything in sectors of the volume, which are `sector_size` bytes. */
        uint32_t sector_size, sectors, cluster_sectors, cluster_size;
        uint32_t reserved, fats, fat_sectors, active_fat, data; /* `data` is the sector of cluster 2 */
        uint32_t clusters, root, serial;
        uint32_t backup; /* of the boot sector; 0 for none */

        struct fat_file *files; /* the open ones */
        uint32_t epoch;         /* counts removed directories */

        /* Free clusters, counted by groups of the FAT, UINT32_MAX where not yet. */
        uint32_t group_sectors, groups, group_free[FAT_GROUPS_MAX];
        uint32_t hint; /* where the search for free clusters starts */
        uint32_t
                pending; /* the rest of a chain that is being freed, as the change under way notes it; or 0 */
        uint32_t noted;  /* the same as the redo area has it */

        /* What is known of the disk: sets of FAT_CACHE_WAYS, least recently used goes. */
        uint32_t cache_sets, tick;
        struct fat_cached cached[FAT_CACHE_SIZE / 512];
        uint8_t cache[FAT_CACHE_SIZE];

        /* The change under way: the header of its record, then its sectors, as they will be written. */
        uint32_t staged, staged_max, staged_sector[FAT_STAGED_MAX];
        uint8_t stage[FAT_STAGE_SIZE];

        uint8_t bounce[4096]; /* for parts of a data sector */
};

#endif
