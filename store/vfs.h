/* SPDX-License-Identifier: ISC */
/* SQLite's view of the volume: a database and its write-ahead log, each an area that grows in large steps and never
 * shrinks, but for a very long log at its end. Nothing else can be opened; what SQLite would put into temporary files stays in memory.
 *
 * The last VFS_RESERVED bytes of each database page are its checksum over the page's number and its bytes, written and
 * verified here, so that a page that rots, is lost or lands in another's place is refused instead of believed. Pages in the log are compared with what was written or recovered; the log's own
 * checksums stand on disk.
 *
 * One connection at a time, from one fiber at a time: the image is locked as a whole, so the locks of SQLite are none. */
#ifndef STORE_VFS_H
#define STORE_VFS_H

#include "store/volume.h"

#define VFS_PAGE 4096
#define VFS_LOG_KEPT \
        (16ull * 1024 * 1024) /* a log that one large change has made longer is cut when it is closed */
#define VFS_RESERVED 4        /* SQLITE_FCNTL_RESERVE_BYTES */

struct vfs;

/* Register a VFS of its own name. `v` is borrowed until vfs_free.
 *   the VFS, or NULL: no memory */
struct vfs *vfs_new(struct volume *v);
void vfs_free(struct vfs *f); /* when nothing of it is open any more */
const char *vfs_name(const struct vfs *f);
/* Why a call last failed, or ERR_OK. */
enum err vfs_fault(const struct vfs *f);
/* Verify every page of the database as it stands on disk, without the log; so bring that in before. Each damaged page
 * is logged. `progress` may be NULL.
 *   ERR_OK, also with damage: `*damaged` counts pages; ERR_NOT_FOUND, ERR_IO, ERR_MEMORY */
MUST_USE enum err vfs_verify(struct vfs *f, void (*progress)(void *ctx, uint64_t done, uint64_t all),
        void *ctx, uint64_t *damaged);

#endif
