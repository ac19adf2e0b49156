/* SPDX-License-Identifier: ISC */
/* lipap as a process of Linux. */
#include <stdio.h>
#include <stdlib.h>

#include "app/lipap.h"
#include "host/linux/linux.h"

struct program {
        struct lipap_options options;
        struct host *host;
        int status;
};

static void run(void *arg)
{
        struct program *p = arg;
        p->status = lipap_run(p->host, &p->options);
}

int main(int argc, char **argv)
{
        struct program *p = calloc(1, sizeof *p);
        if (!p)
                return 1;
        p->status = lipap_options_read(&p->options, argc, argv);
        if (p->status < 0) {
                p->status = 1;
                linux_take_descriptors();
                p->host = linux_host_new(p->options.label);
                if (p->host) {
                        linux_host_run(p->host, run, p);
                        linux_host_free(p->host);
                } else {
                        fprintf(stderr, "lipap: out of memory or descriptors\n");
                }
        }
        int status = p->status;
        lipap_options_wipe(&p->options);
        free(p);
        return status;
}
