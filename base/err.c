/* SPDX-License-Identifier: ISC */
#include "base/err.h"

static const char *const texts[ERR_COUNT] = {
        [ERR_OK] = "success",
        [ERR_AGAIN] = "more input needed",
        [ERR_SYNTAX] = "syntax error",
        [ERR_LIMIT] = "limit exceeded",
        [ERR_SPACE] = "buffer too small",
        [ERR_MEMORY] = "out of memory",
        [ERR_NOT_FOUND] = "not found",
        [ERR_EXISTS] = "exists already",
        [ERR_SEQUENCE] = "out of sequence",
        [ERR_UNSUPPORTED] = "not supported",
        [ERR_DENIED] = "denied",
        [ERR_MISMATCH] = "mismatch",
        [ERR_TIMEOUT] = "timed out",
        [ERR_CANCELLED] = "cancelled",
        [ERR_EOF] = "end of stream",
        [ERR_CLOSED] = "connection lost",
        [ERR_REFUSED] = "connection refused",
        [ERR_UNREACHABLE] = "unreachable",
        [ERR_BUSY] = "in use",
        [ERR_FULL] = "no space left",
        [ERR_IO] = "input/output error",
        [ERR_CORRUPT] = "damaged data",
        [ERR_CRYPTO] = "cryptographic library failed",
};

const char *err_text(enum err e)
{
        if ((unsigned)e >= ERR_COUNT)
                return "unknown error";
        return texts[e];
}
