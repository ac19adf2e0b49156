/* SPDX-License-Identifier: ISC */
/* lipap as a unikernel: its image is the block device `lipap`. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/lipap.h"
#include "host/guest/guest.h"

#define WORDS_MAX 513 /* what a command line has at most, and one */

struct program {
        struct lipap_options options;
        struct guest_options guest;
        struct host *host;
        char image[sizeof "--image=lipap"];
        char *words[WORDS_MAX + 1];
        int status;
};

static void run(void *arg)
{
        struct program *p = arg;
        p->status = lipap_run(p->host, &p->options);
}

/* The same words behind --image=lipap, unless an image is named. */
static int add_image(struct program *p, int argc, char **argv)
{
        int count = 0;
        bool is_named = false;
        for (int i = 1; i < argc; i++)
                is_named =
                        is_named || strcmp(argv[i], "--image") == 0 || strncmp(argv[i], "--image=", 8) == 0;
        memcpy(p->image, "--image=lipap", sizeof p->image);
        p->words[count++] = argv[0];
        if (!is_named)
                p->words[count++] = p->image;
        for (int i = 1; i < argc && count < WORDS_MAX; i++)
                p->words[count++] = argv[i];
        return count;
}

int main(int argc, char **argv)
{
        struct program *p = calloc(1, sizeof *p);
        if (!p)
                return 1;
        if (guest_options_take(&p->guest, &argc, argv) != ERR_OK) {
                fprintf(stderr, "lipap: %.*s: missing, wrong or given twice\n", STR_ARG(p->guest.wrong));
                return EXIT_USAGE;
        }
        argc = add_image(p, argc, argv);
        p->status = lipap_options_read(&p->options, argc, p->words);
        if (p->status < 0) {
                p->status = EXIT_USAGE;
                p->host = guest_host_new(&p->guest, p->options.label);
                if (p->host)
                        guest_host_run(p->host, run, p);
        }
        int status = p->status;
        lipap_options_wipe(&p->options);
        return status;
}
