/* SPDX-License-Identifier: ISC */
#include "app/ptt_json.h"

#include <inttypes.h>

#include "base/ascii.h"
#include "base/time_text.h"
#include "base/utf8.h"

static void write_string(FILE *to, struct str s)
{
        fputc('"', to);
        for (size_t n; s.n > 0; s = str_skip(s, n)) {
                n = utf8_head(s);
                if (n == 0) {
                        n = 1;
                        fputs("\\ufffd", to);
                } else if (ascii_is_control(s.p[0])) {
                        fprintf(to, "\\u%04x", (unsigned)s.p[0]);
                } else {
                        if (s.p[0] == '"' || s.p[0] == '\\')
                                fputc('\\', to);
                        fwrite(s.p, 1, n, to);
                }
        }
        fputc('"', to);
}

static void begin(struct json *j, const char *name)
{
        if (!j->is_first)
                fputc(',', j->to);
        if (j->depth > 0)
                fprintf(j->to, "\n%*s", (int)j->depth * 2, "");
        j->is_first = false;
        if (name != NULL) {
                write_string(j->to, str_of_c(name));
                fputs(": ", j->to);
        }
}

void json_open(struct json *j, const char *name, char bracket)
{
        begin(j, name);
        fputc(bracket, j->to);
        j->depth++;
        j->is_first = true;
}

void json_close(struct json *j, char bracket)
{
        j->depth--;
        if (!j->is_first)
                fprintf(j->to, "\n%*s", (int)j->depth * 2, "");
        j->is_first = false;
        fputc(bracket, j->to);
        if (j->depth == 0)
                fputc('\n', j->to);
}

void json_str(struct json *j, const char *name, struct str value)
{
        begin(j, name);
        write_string(j->to, value);
}

void json_bool(struct json *j, const char *name, bool value)
{
        begin(j, name);
        fputs(value ? "true" : "false", j->to);
}

void json_u64(struct json *j, const char *name, uint64_t value)
{
        begin(j, name);
        fprintf(j->to, "%" PRIu64, value);
}

void json_time(struct json *j, const char *name, int64_t unix_ms)
{
        char text[32];
        struct wr w;
        wr_init(&w, text, sizeof text);
        time_write_rfc3339(&w, unix_ms);
        json_str(j, name, wr_text(&w));
}
