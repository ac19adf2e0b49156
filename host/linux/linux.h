/* SPDX-License-Identifier: ISC */
/* The Linux platform: epoll, non-blocking sockets, files as blocks with flushes on a helper thread.
 * Only mains include this; everything else knows host/host.h. */
#ifndef HOST_LINUX_LINUX_H
#define HOST_LINUX_LINUX_H

#include "host/host.h"

/* Take as many descriptors as this process may have; a server's sessions need more than the usual soft limit. */
void linux_take_descriptors(void);
/* A host of this process; NULL when memory or descriptors are out. `label` is --name, or NULL; borrowed.
 * SIGPIPE and SIGXFSZ are ignored from now on. Nothing may be open any more when it is freed. */
struct host *linux_host_new(const char *label);
void linux_host_free(struct host *h);
/* Run `main(arg)` as the first fiber until everything has ended. */
void linux_host_run(struct host *h, void (*main)(void *arg), void *arg);

#endif
