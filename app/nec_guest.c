/* SPDX-License-Identifier: ISC */
/* nec as a unikernel. */
#include <stdio.h>
#include <stdlib.h>

#include "app/nec.h"
#include "host/guest/guest.h"

struct program {
        struct nec_options options;
        struct guest_options guest;
        struct host *host;
        int status;
};

static void run(void *arg)
{
        struct program *p = arg;
        p->status = nec_run(p->host, &p->options);
}

int main(int argc, char **argv)
{
        struct program *p = calloc(1, sizeof *p);
        if (!p)
                return 1;
        if (guest_options_take(&p->guest, &argc, argv) != ERR_OK) {
                fprintf(stderr, "nec: %.*s: missing, wrong or given twice\n", STR_ARG(p->guest.wrong));
                return EXIT_USAGE;
        }
        p->status = nec_options_read(&p->options, argc, argv);
        if (p->status < 0) {
                p->status = EXIT_USAGE;
                p->host = guest_host_new(&p->guest, p->options.label);
                if (p->host)
                        guest_host_run(p->host, run, p);
        }
        int status = p->status;
        nec_options_wipe(&p->options);
        return status;
}
