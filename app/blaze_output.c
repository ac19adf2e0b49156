/* SPDX-License-Identifier: ISC */
#include "app/blaze_output.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "app/blaze.h"
#include "base/ascii.h"
#include "host/linux/linux.h"

static FILE *open_output(const struct options *o, const struct blaze_message *m)
{
        struct str path;
        char name[4096];
        struct stat in, out;
        if (!options_value(o, "output", &path) || str_eq(path, S("-")))
                return stdout;
        if (path.n >= sizeof name) {
                blaze_fail("%.*s: %s", STR_ARG(str_take(path, 100)), strerror(ENAMETOOLONG));
                return NULL;
        }
        memcpy(name, path.p, path.n);
        name[path.n] = '\0';
        if (stat(name, &out) == 0 && fstat(fileno(m->in), &in) == 0 && in.st_dev == out.st_dev &&
                in.st_ino == out.st_ino) {
                blaze_fail("%s: the output is the input", name);
                return NULL;
        }
        FILE *f = fopen(name, "wb");
        if (!f)
                blaze_fail("%s: %s", name, strerror(errno));
        return f;
}

bool blaze_output_write(const struct options *o, struct blaze_message *m, struct str front)
{
        FILE *to = open_output(o, m);
        if (!to)
                return false;
        for (size_t i = 0; i < front.n; i++)
                if (!m->is_lf || front.p[i] != '\r')
                        fputc(front.p[i], to);
        enum err e = blaze_message_copy(m, to);
        bool good = e == ERR_OK && fflush(to) == 0 && !ferror(to);
        if (to != stdout && fclose(to) != 0)
                good = false;
        if (!good)
                blaze_fail("The message cannot be written");
        return good;
}

void blaze_print_clean(struct str s)
{
        for (size_t i = 0; i < s.n; i++)
                putchar(ascii_is_control(s.p[i]) ? '?' : s.p[i]);
}

int64_t blaze_now_s(void)
{
        struct host *h = linux_host_new(NULL);
        int64_t now = h ? host_wall_ms(h) / 1000 : 0;
        if (h)
                linux_host_free(h);
        return now;
}
