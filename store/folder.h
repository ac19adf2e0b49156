/* SPDX-License-Identifier: ISC */
/* The folder that is an image for now: paths in it, making it whole or not at all. The only file of the store that
 * knows folders; when the image becomes a volume of its own, this is what goes. */
#ifndef STORE_FOLDER_H
#define STORE_FOLDER_H

#include "base/str.h"

#define FOLDER_PATH_MAX 4096

/* "BASE/NAME" with a NUL behind it, into `out` of FOLDER_PATH_MAX bytes.
 *   ERR_OK, ERR_LIMIT (too long), or ERR_SYNTAX (empty, or a NUL inside) */
MUST_USE enum err folder_path(struct str base, struct str name, char *out);
/*   ERR_OK, ERR_EXISTS, ERR_NOT_FOUND, ERR_DENIED, ERR_FULL, ERR_IO */
MUST_USE enum err folder_make(const char *path);
/* ERR_OK when nothing of that name exists, ERR_EXISTS, ERR_NOT_FOUND (the folder around it), ERR_DENIED, ERR_IO */
MUST_USE enum err folder_is_free(const char *path);
/* Put `from` in the place of `to`, where nothing is, and make that durable. Outcomes as above. */
MUST_USE enum err folder_move(const char *from, const char *to);
/* Make the names inside durable. */
MUST_USE enum err folder_sync(const char *path);
/* Remove a file or an empty folder; what is not there is not missed. */
void folder_drop(const char *path);

#endif
