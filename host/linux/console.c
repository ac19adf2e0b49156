/* SPDX-License-Identifier: ISC */
/* Standard error without ever waiting for who reads it. The description behind descriptor 2 is shared with other
 * processes, so it is not made non-blocking: a pipe or terminal is opened once more for ourselves, a socket is written
 * with MSG_DONTWAIT, a file never blocks. */
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/ascii.h"
#include "base/time_text.h"
#include "base/wr.h"
#include "host/linux/inside.h"

enum { LINE_MAX = 4096 }; /* PIPE_BUF: written whole or not at all */

void console_open(struct console *c, int fd)
{
        struct stat st;
        *c = (struct console){.fd = fd, .is_blocking = true};
        if (fstat(fd, &st) != 0)
                return;
        c->is_socket = S_ISSOCK(st.st_mode);
        c->is_blocking = !S_ISREG(st.st_mode);
        if (!S_ISFIFO(st.st_mode) && !S_ISCHR(st.st_mode))
                return;
        char path[32];
        struct wr w;
        wr_init(&w, path, sizeof path - 1);
        wr_str(&w, S("/proc/self/fd/"));
        wr_u64(&w, (uint64_t)fd);
        path[w.n] = 0;
        int own = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (own < 0)
                return;
        c->fd = own;
        c->is_ours = true;
        c->is_blocking = false;
}

void console_close(struct console *c)
{
        if (c->is_ours)
                close(c->fd);
}

static ssize_t write_some(struct console *c, const char *p, size_t n)
{
        if (c->is_socket)
                return send(c->fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
        struct pollfd poll_fd = {.fd = c->fd, .events = POLLOUT};
        if (c->is_blocking && (poll(&poll_fd, 1, 0) != 1 || (poll_fd.revents & POLLOUT) == 0))
                return -1;
        return write(c->fd, p, n);
}

/* `text` ends with a line feed. False: it did not get out whole. */
static bool write_line(struct console *c, struct str text)
{
        if (c->is_torn && write_some(c, "\n", 1) != 1)
                return false;
        c->is_torn = false;
        ssize_t n = write_some(c, text.p, text.n);
        if (n > 0 && (size_t)n < text.n)
                c->is_torn = true;
        return n == (ssize_t)text.n;
}

static bool write_dropped(struct linux_host *h)
{
        char text[128];
        struct wr w;
        if (h->console.dropped == 0)
                return true;
        wr_init(&w, text, sizeof text);
        time_write_rfc3339(&w, linux_wall_ms(&h->host));
        wr_str(&w, S(" warn console event=dropped lines="));
        wr_u64(&w, h->console.dropped);
        wr_byte(&w, '\n');
        if (!write_line(&h->console, wr_text(&w)))
                return false;
        h->console.dropped = 0;
        return true;
}

void linux_console(struct host *host, struct str line)
{
        struct linux_host *h = linux_of(host);
        char text[LINE_MAX];
        size_t n = line.n < sizeof text - 1 ? line.n : sizeof text - 1;
        for (size_t i = 0; i < n; i++)
                text[i] = line.p[i] != '\t' && ascii_is_control(line.p[i]) ? '?' : line.p[i];
        text[n] = '\n';
        if (!write_dropped(h) || !write_line(&h->console, str_of(text, n + 1)))
                h->console.dropped++;
}
