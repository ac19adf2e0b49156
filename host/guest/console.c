/* SPDX-License-Identifier: ISC */
/* The machine's console takes a whole line at once or loses it; nobody waits for its reader but the machine itself. */
#include "base/ascii.h"
#include "host/guest/inside.h"

enum { LINE_MAX = 4096 };

void guest_console(struct host *h, struct str line)
{
        char text[LINE_MAX];
        size_t n = line.n < sizeof text - 1 ? line.n : sizeof text - 1;
        (void)h;
        for (size_t i = 0; i < n; i++)
                text[i] = line.p[i] != '\t' && ascii_is_control(line.p[i]) ? '?' : line.p[i];
        text[n] = '\n';
        machine_console(str_of(text, n + 1));
}

enum err guest_wait_stop(struct host *h)
{
        enum err err;
        do
                err = fiber_park(h->sched, FIBER_NEVER);
        while (err == ERR_OK);
        return err;
}
