/* SPDX-License-Identifier: ISC */
/* Log lines: `time level component key=value ...`, one an event, to the host's console.
 * Build one with a chain of calls; values are quoted and escaped where needed, so that no peer can write a line.
 *
 *     struct log_line l;
 *     log_begin(&l, host, LOG_INFO, "zone", "published");
 *     log_str(&l, "selector", selector);
 *     log_end(&l);
 * prints
 *     2026-11-22T17:00:00.123Z info zone event=published selector=dkim-1775138006
 * A line that is too long loses its end and says so with `cut=yes`. Never log a secret. */
#ifndef HOST_LOG_H
#define HOST_LOG_H

#include "base/ip.h"
#include "base/str.h"
#include "base/wr.h"
#include "host/host.h"

#define LOG_LINE_MAX 2048

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

struct log_line {
        struct host *host;
        struct wr w;
        bool cut;
        char text[LOG_LINE_MAX];
};

void log_begin(
        struct log_line *l, struct host *h, enum log_level level, const char *component, const char *event);
void log_str(struct log_line *l, const char *key, struct str value);
void log_c(struct log_line *l, const char *key, const char *value); /* a NUL-terminated value */
void log_u64(struct log_line *l, const char *key, uint64_t value);
void log_i64(struct log_line *l, const char *key, int64_t value);
void log_err(struct log_line *l, enum err e); /* error="..." */
void log_ip_port(struct log_line *l, const char *key, const struct ip_port *value);
void log_end(struct log_line *l);

#endif
