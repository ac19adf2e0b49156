/* SPDX-License-Identifier: ISC */
#include "store/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/wr.h"

static enum err err_of_errno(void)
{
        switch (errno) {
        case EEXIST:
        case ENOTEMPTY:
                return ERR_EXISTS;
        case ENOENT:
        case ENOTDIR:
                return ERR_NOT_FOUND;
        case EACCES:
        case EPERM:
        case EROFS:
                return ERR_DENIED;
        case ENOSPC:
        case EDQUOT:
                return ERR_FULL;
        case ENAMETOOLONG:
                return ERR_LIMIT;
        default:
                return ERR_IO;
        }
}

enum err folder_path(struct str base, struct str name, char *out)
{
        struct wr w;
        wr_init(&w, out, FOLDER_PATH_MAX);
        wr_str(&w, base);
        if (name.n > 0) {
                wr_byte(&w, '/');
                wr_str(&w, name);
        }
        wr_byte(&w, 0);
        if (wr_end(&w) != ERR_OK) {
                out[0] = 0;
                return ERR_LIMIT;
        }
        if (base.n == 0 || str_find_byte(wr_text(&w), 0) + 1 != w.n)
                return ERR_SYNTAX;
        return ERR_OK;
}

enum err folder_make(const char *path)
{
        return mkdir(path, 0700) == 0 ? ERR_OK : err_of_errno();
}

enum err folder_is_free(const char *path)
{
        struct stat st;
        if (lstat(path, &st) == 0)
                return ERR_EXISTS;
        return errno == ENOENT ? ERR_OK : err_of_errno();
}

enum err folder_sync(const char *path)
{
        int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return err_of_errno();
        enum err err = fsync(fd) == 0 ? ERR_OK : ERR_IO;
        close(fd);
        return err;
}

/* The folder that `path` stands in. */
static enum err sync_around(const char *path)
{
        struct str p = str_of_c(path);
        while (p.n > 1 && p.p[p.n - 1] == '/')
                p.n--;
        size_t slash = str_find_last_byte(p, '/');
        char around[FOLDER_PATH_MAX];
        struct str base = slash == p.n ? S(".") : slash == 0 ? S("/") : str_take(p, slash);
        enum err err = folder_path(base, S(""), around);
        return err != ERR_OK ? err : folder_sync(around);
}

enum err folder_move(const char *from, const char *to)
{
        if (rename(from, to) != 0)
                return err_of_errno();
        return sync_around(to);
}

void folder_drop(const char *path)
{
        (void)remove(path);
}
