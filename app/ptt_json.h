/* SPDX-License-Identifier: ISC */
/* JSON (RFC 8259) onto a stream, indented, with commas where they belong. Strings may hold any bytes: what is not
 * UTF-8 becomes U+FFFD, so that a peer's reply cannot break the document. */
#ifndef APP_PTT_JSON_H
#define APP_PTT_JSON_H

#include <stdio.h>

#include "base/str.h"

struct json {
        FILE *to;
        unsigned depth;
        bool is_first; /* nothing stands in the innermost object or array yet */
};

/* `name` is NULL inside an array and at the top. */
void json_open(struct json *j, const char *name, char bracket); /* '{' or '[' */
void json_close(struct json *j, char bracket);                  /* '}' or ']' */
void json_str(struct json *j, const char *name, struct str value);
void json_bool(struct json *j, const char *name, bool value);
void json_u64(struct json *j, const char *name, uint64_t value);
void json_time(struct json *j, const char *name, int64_t unix_ms); /* RFC 3339 */

#endif
