/* SPDX-License-Identifier: ISC */
#include "app/ptt_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hex.h"

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
        case EFBIG:
                return ERR_FULL;
        case ENAMETOOLONG:
                return ERR_LIMIT;
        default:
                return ERR_IO;
        }
}

static enum err path_of(struct str path, char out[DISK_PATH_MAX])
{
        out[0] = 0;
        if (path.n == 0 || path.p[path.n - 1] == '/' || str_find_byte(path, 0) < path.n)
                return ERR_SYNTAX;
        if (path.n >= DISK_PATH_MAX)
                return ERR_LIMIT;
        memcpy(out, path.p, path.n);
        out[path.n] = 0;
        return ERR_OK;
}

enum err disk_is_free(struct str path)
{
        char name[DISK_PATH_MAX];
        struct stat st;
        enum err err = path_of(path, name);
        if (err != ERR_OK)
                return err;
        if (lstat(name, &st) == 0)
                return ERR_EXISTS;
        return errno == ENOENT ? ERR_OK : err_of_errno();
}

static enum err name_beside(struct host *h, struct str path, char out[DISK_PATH_MAX])
{
        uint8_t random[8];
        struct wr w;
        enum err err = path_of(path, out);
        host_random(h, random, sizeof random);
        wr_init(&w, out, DISK_PATH_MAX);
        wr_str(&w, path);
        wr_str(&w, S(".new-"));
        hex_encode(&w, str_of(random, sizeof random));
        wr_byte(&w, 0);
        return err != ERR_OK ? err : wr_end(&w) == ERR_OK ? ERR_OK : ERR_LIMIT;
}

enum err disk_new(struct host *h, struct str path, uint64_t size, uint64_t firm, char out[DISK_PATH_MAX])
{
        enum err err = name_beside(h, path, out);
        if (err != ERR_OK)
                return err;
        int fd = open(out, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0)
                return err_of_errno();
        if (ftruncate(fd, (off_t)size) != 0)
                err = err_of_errno();
        else if ((errno = posix_fallocate(fd, 0, (off_t)(firm < size ? firm : size))) != 0)
                err = err_of_errno();
        close(fd);
        if (err != ERR_OK)
                disk_drop(out);
        return err;
}

/* Make the names in the folder around `path` durable. */
static enum err flush_around(char *path)
{
        char *slash = strrchr(path, '/');
        if (slash != NULL)
                slash[slash == path ? 1 : 0] = 0;
        int fd = open(slash != NULL ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return err_of_errno();
        enum err err = fsync(fd) == 0 || errno == EINVAL ? ERR_OK : ERR_IO;
        close(fd);
        return err;
}

static enum err take_looks(const char *from, const char *of)
{
        struct stat st;
        if (stat(of, &st) != 0)
                return err_of_errno();
        int fd = open(from, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return err_of_errno();
        struct stat own;
        enum err err = ERR_OK;
        if (fstat(fd, &own) != 0 ||
                ((own.st_uid != st.st_uid || own.st_gid != st.st_gid) &&
                        fchown(fd, st.st_uid, st.st_gid) != 0) ||
                fchmod(fd, st.st_mode & 07777) != 0)
                err = err_of_errno();
        close(fd);
        return err;
}

enum err disk_move(const char *from, struct str path, bool may_replace)
{
        char to[DISK_PATH_MAX];
        enum err err = path_of(path, to);
        if (err == ERR_OK && may_replace)
                err = take_looks(from, to);
        if (err != ERR_OK)
                return err;
        int result = renameat2(AT_FDCWD, from, AT_FDCWD, to, may_replace ? 0 : RENAME_NOREPLACE);
        if (result != 0 && errno == EINVAL && !may_replace) { /* a file system that cannot promise it */
                err = disk_is_free(path);
                if (err != ERR_OK)
                        return err;
                result = rename(from, to);
        }
        return result != 0 ? err_of_errno() : flush_around(to);
}

void disk_drop(const char *path)
{
        (void)unlink(path);
}

enum err disk_resolve(struct str path, char out[DISK_PATH_MAX])
{
        char name[DISK_PATH_MAX];
        struct stat st;
        enum err err = path_of(path, name);
        if (err != ERR_OK)
                return err;
        char *whole = realpath(name, NULL);
        if (whole == NULL)
                return err_of_errno();
        err = path_of(str_of_c(whole), out);
        free(whole);
        if (err != ERR_OK)
                return err;
        if (stat(out, &st) != 0)
                return err_of_errno();
        return S_ISREG(st.st_mode) ? ERR_OK : ERR_UNSUPPORTED;
}
