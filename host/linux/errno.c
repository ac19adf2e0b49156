/* SPDX-License-Identifier: ISC */
#include <errno.h>

#include "host/linux/inside.h"

enum err err_of_socket(int error)
{
        return error == ECONNREFUSED ? ERR_REFUSED : ERR_CLOSED;
}

enum err err_of_open(int error)
{
        switch (error) {
        case ECONNREFUSED:
                return ERR_REFUSED;
        case ETIMEDOUT:
                return ERR_TIMEOUT;
        case EADDRINUSE:
                return ERR_BUSY;
        case EMFILE:
        case ENFILE:
        case ENOBUFS:
        case ENOMEM:
        case ENOSPC: /* of epoll watches */
        case EAGAIN: /* of local ports */
                return ERR_LIMIT;
        case ECONNRESET:
        case ECONNABORTED:
        case EPIPE:
                return ERR_CLOSED;
        default: /* no route, no such family, not our address, forbidden by a firewall */
                return ERR_UNREACHABLE;
        }
}

enum err err_of_disk(int error)
{
        switch (error) {
        case ENOENT:
        case ENOTDIR:
        case ENAMETOOLONG:
                return ERR_NOT_FOUND;
        case EACCES:
        case EPERM:
        case EROFS:
        case EISDIR:
        case ELOOP:
                return ERR_DENIED;
        case EWOULDBLOCK:
        case ETXTBSY:
        case EBUSY:
                return ERR_BUSY;
        case ENOSPC:
        case EDQUOT:
        case EFBIG:
                return ERR_FULL;
        case EMFILE: /* too many sessions are open: the disk is none the worse for it */
        case ENFILE:
        case ENOMEM:
                return ERR_MEMORY;
        default:
                return ERR_IO;
        }
}
