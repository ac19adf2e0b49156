/* SPDX-License-Identifier: ISC */
/* Files that images are made in: beside the place where they are wanted, under another name until they are whole. */
#ifndef APP_PTT_DISK_H
#define APP_PTT_DISK_H

#include "host/host.h"

#define DISK_PATH_MAX 4096

/* Is nothing at `path`, and the folder around it there?
 *   ERR_OK, ERR_EXISTS, ERR_NOT_FOUND (the folder), ERR_DENIED, ERR_LIMIT (too long), ERR_SYNTAX (no name), ERR_IO */
MUST_USE enum err disk_is_free(struct str path);
/* A new file "PATH.new-RANDOM" of `size` zeros, sparse but for its first `firm` bytes; its name into `out`.
 *   ERR_OK, ERR_NOT_FOUND, ERR_DENIED, ERR_FULL, ERR_LIMIT, ERR_SYNTAX, ERR_IO */
MUST_USE enum err disk_new(
        struct host *h, struct str path, uint64_t size, uint64_t firm, char out[DISK_PATH_MAX]);
/* Put `from` in the place of `path`, durably; of what is there already `from` takes owner and mode, and replaces it,
 * but only if `may_replace`.
 *   ERR_OK, ERR_EXISTS, ERR_DENIED, ERR_IO */
MUST_USE enum err disk_move(const char *from, struct str path, bool may_replace);
void disk_drop(const char *path);
/* The file that `path` leads to, through symbolic links.
 *   ERR_OK, ERR_NOT_FOUND, ERR_DENIED, ERR_LIMIT, ERR_UNSUPPORTED (a device or folder), ERR_IO */
MUST_USE enum err disk_resolve(struct str path, char out[DISK_PATH_MAX]);

#endif
