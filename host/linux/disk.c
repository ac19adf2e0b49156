/* SPDX-License-Identifier: ISC */
/* Blocks are files or devices. Reads and writes go through the page cache at once; what takes long is the flush, so it
 * runs on a helper thread. All who ask for a flush while one runs share the next one. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "host/linux/inside.h"

struct host_block {
        struct linux_host *host;
        int fd;
        bool is_device;
        bool is_failed; /* a write or flush failed: nothing more is promised */
        uint64_t size;

        uint64_t asked, covered,
                flushed; /* flushes, counted: asked for, in those begun, in those ended well */
        bool in_flight;
        size_t waiters;
        struct waitq ended;
        struct host_block *next; /* in the flusher's lists */
        int error;               /* of the flush in flight; the helper's to write */
};

static void *flush_all(void *arg)
{
        struct flusher *f = arg;
        pthread_mutex_lock(&f->lock);
        for (;;) {
                while (f->waiting == NULL && !f->stop)
                        pthread_cond_wait(&f->work, &f->lock);
                struct host_block *b = f->waiting;
                if (b == NULL)
                        break;
                f->waiting = b->next;
                pthread_mutex_unlock(&f->lock);
                b->error = fdatasync(b->fd) == 0 ? 0 : errno;
                pthread_mutex_lock(&f->lock);
                b->next = f->done;
                f->done = b;
                CHECK(eventfd_write(f->poll.fd, 1) == 0);
        }
        pthread_mutex_unlock(&f->lock);
        return NULL;
}

bool flusher_start(struct linux_host *h)
{
        struct flusher *f = &h->flusher;
        sigset_t all, before;
        int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        if (fd < 0 || !poll_add(h, &f->poll, fd))
                return false;
        pthread_mutex_init(&f->lock, NULL);
        pthread_cond_init(&f->work, NULL);
        sigfillset(&all); /* signals are for the loop */
        pthread_sigmask(SIG_SETMASK, &all, &before);
        int error = pthread_create(&f->thread, NULL, flush_all, f);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        if (error == 0)
                return true;
        pthread_cond_destroy(&f->work);
        pthread_mutex_destroy(&f->lock);
        poll_remove(&f->poll);
        return false;
}

void flusher_stop(struct linux_host *h)
{
        struct flusher *f = &h->flusher;
        pthread_mutex_lock(&f->lock);
        f->stop = true;
        pthread_cond_signal(&f->work);
        pthread_mutex_unlock(&f->lock);
        CHECK(pthread_join(f->thread, NULL) == 0);
        pthread_cond_destroy(&f->work);
        pthread_mutex_destroy(&f->lock);
        poll_remove(&f->poll);
}

static void flush_begin(struct host_block *b)
{
        struct flusher *f = &b->host->flusher;
        b->in_flight = true;
        b->covered = b->asked;
        pthread_mutex_lock(&f->lock);
        b->next = NULL;
        struct host_block **end = &f->waiting;
        while (*end != NULL)
                end = &(*end)->next;
        *end = b;
        pthread_cond_signal(&f->work);
        pthread_mutex_unlock(&f->lock);
}

void flusher_collect(struct linux_host *h)
{
        struct flusher *f = &h->flusher;
        eventfd_t count;
        (void)eventfd_read(f->poll.fd, &count);
        pthread_mutex_lock(&f->lock);
        struct host_block *b = f->done;
        f->done = NULL;
        pthread_mutex_unlock(&f->lock);
        while (b != NULL) {
                struct host_block *next = b->next;
                b->in_flight = false;
                if (b->error == 0)
                        b->flushed = b->covered;
                else
                        b->is_failed = true;
                waitq_wake_all(&b->ended);
                b = next;
        }
}

enum err linux_block_flush(struct host_block *b)
{
        struct sched *s = b->host->host.sched;
        enum err err = fiber_check(s);
        if (err != ERR_OK)
                return err;
        uint64_t ticket = ++b->asked;
        b->waiters++;
        while (err == ERR_OK && b->flushed < ticket) {
                if (b->is_failed) {
                        err = ERR_IO;
                        break;
                }
                if (!b->in_flight)
                        flush_begin(b);
                err = waitq_wait(&b->ended, s, FIBER_NEVER);
        }
        b->waiters--;
        if (b->waiters == 0)
                waitq_wake_all(&b->ended); /* linux_block_close may wait for that */
        return err;
}

/* A NUL-terminated copy.
 *   ERR_OK, or ERR_NOT_FOUND for what can be no name */
static enum err path_of(struct str name, char path[PATH_MAX])
{
        if (name.n == 0 || name.n >= PATH_MAX || str_find_byte(name, 0) < name.n)
                return ERR_NOT_FOUND;
        memcpy(path, name.p, name.n);
        path[name.n] = 0;
        return ERR_OK;
}

/* A new file is there after a crash only when its directory was flushed. One that is found may be new too: whoever
 * made it may have died, or failed, before that flush. */
static int flush_directory(char path[PATH_MAX])
{
        char *slash = strrchr(path, '/');
        if (slash != NULL)
                slash[slash == path ? 1 : 0] = 0;
        int fd = open(slash != NULL ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return errno;
        int error = fsync(fd) == 0 || errno == EINVAL ? 0 : errno;
        close(fd);
        return error;
}

static enum err open_path(struct str name, bool create, int *fd)
{
        enum { FLAGS = O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY };
        char path[PATH_MAX];
        enum err err = path_of(name, path);
        if (err != ERR_OK)
                return err;
        *fd = open(path, FLAGS);
        if (*fd < 0 && errno == ENOENT && create)
                *fd = open(path, FLAGS | O_CREAT | O_EXCL, 0600);
        if (*fd < 0)
                return errno == EEXIST ? ERR_BUSY : err_of_disk(errno); /* somebody makes it at this moment */
        if (!create)
                return ERR_OK;
        int error = flush_directory(path);
        if (error == 0)
                return ERR_OK;
        close(*fd);
        return err_of_disk(error);
}

/* Lock it and learn what it is. */
static enum err take(int fd, struct host_block *b)
{
        struct stat st;
        if (fstat(fd, &st) != 0)
                return err_of_disk(errno);
        b->is_device = S_ISBLK(st.st_mode);
        if (!b->is_device && !S_ISREG(st.st_mode))
                return ERR_DENIED;
        if (flock(fd, LOCK_EX | LOCK_NB) != 0)
                return err_of_disk(errno);
        off_t size = lseek(fd, 0, SEEK_END);
        if (size < 0)
                return err_of_disk(errno);
        b->size = (uint64_t)size;
        return ERR_OK;
}

enum err linux_block_open(struct host *h, struct str name, bool create, struct host_block **out)
{
        int fd;
        enum err err = open_path(name, create, &fd);
        if (err != ERR_OK)
                return err;
        struct host_block *b = calloc(1, sizeof *b);
        err = b == NULL ? ERR_MEMORY : take(fd, b);
        if (err != ERR_OK) {
                free(b);
                close(fd);
                return err;
        }
        b->host = linux_of(h);
        b->fd = fd;
        *out = b;
        return ERR_OK;
}

uint64_t linux_block_size(struct host_block *b)
{
        return b->size;
}

static enum err write_all(int fd, uint64_t at, const char *p, size_t n)
{
        while (n > 0) {
                ssize_t done = pwrite(fd, p, n, (off_t)at);
                if (done == 0 || (done < 0 && errno != EINTR))
                        return done == 0 ? ERR_IO : err_of_disk(errno);
                if (done > 0) {
                        p += done;
                        at += (uint64_t)done;
                        n -= (size_t)done;
                }
        }
        return ERR_OK;
}

/* For file systems that cannot reserve: zeros take the space. */
static enum err write_zeros(int fd, uint64_t from, uint64_t to)
{
        static const char zeros[64 * 1024];
        enum err err = ERR_OK;
        while (err == ERR_OK && from < to) {
                size_t n = to - from < sizeof zeros ? (size_t)(to - from) : sizeof zeros;
                err = write_all(fd, from, zeros, n);
                from += n;
        }
        return err;
}

static enum err grow(int fd, uint64_t from, uint64_t to)
{
        int result;
        do
                result = fallocate(fd, 0, (off_t)from, (off_t)(to - from));
        while (result != 0 && errno == EINTR);
        if (result == 0)
                return ERR_OK;
        if (errno == EOPNOTSUPP || errno == ENOSYS)
                return write_zeros(fd, from, to);
        return err_of_disk(errno);
}

enum err linux_block_resize(struct host_block *b, uint64_t size)
{
        if (b->is_device)
                return size == b->size ? ERR_OK : ERR_UNSUPPORTED;
        if (b->is_failed)
                return ERR_IO;
        if (size > INT64_MAX)
                return ERR_FULL;
        enum err err = ERR_OK;
        if (size > b->size)
                err = grow(b->fd, b->size, size);
        else if (size < b->size && ftruncate(b->fd, (off_t)size) != 0)
                err = err_of_disk(errno);
        if (err == ERR_OK) {
                b->size = size;
                return ERR_OK;
        }
        bool is_undone = ftruncate(b->fd, (off_t)b->size) == 0; /* what was reserved in part */
        b->is_failed = err != ERR_FULL || !is_undone;
        return b->is_failed ? ERR_IO : ERR_FULL;
}

enum err linux_block_read(struct host_block *b, uint64_t at, void *into, size_t n)
{
        char *p = into;
        while (n > 0) {
                ssize_t got = pread(b->fd, p, n, (off_t)at);
                if (got == 0 || (got < 0 && errno != EINTR))
                        return ERR_IO; /* 0: somebody has cut it off behind our back */
                if (got > 0) {
                        p += got;
                        at += (uint64_t)got;
                        n -= (size_t)got;
                }
        }
        return ERR_OK;
}

enum err linux_block_write(struct host_block *b, uint64_t at, const void *from, size_t n)
{
        if (b->is_failed)
                return ERR_IO;
        enum err err = write_all(b->fd, at, from, n);
        if (err != ERR_OK && err != ERR_FULL) {
                b->is_failed = true;
                return ERR_IO;
        }
        return err;
}

/* The helper may be at work on it for a fiber that was cancelled: wait for that, and for those inside to leave. */
void linux_block_close(struct host_block *b)
{
        if (b == NULL)
                return;
        struct sched *s = b->host->host.sched;
        if (sched_current(s) != NULL)
                fiber_shield(s, true);
        while (b->in_flight || b->waiters > 0) {
                if (sched_current(s) == NULL)
                        linux_wait(b->host, FIBER_NEVER);
                else
                        CHECK(waitq_wait(&b->ended, s, FIBER_NEVER) == ERR_OK);
        }
        if (sched_current(s) != NULL)
                fiber_shield(s, false);
        close(b->fd);
        free(b);
}
