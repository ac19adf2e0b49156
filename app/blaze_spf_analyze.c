/* SPDX-License-Identifier: ISC */
/* blaze spf analyze */
#include <stdio.h>
#include <stdlib.h>

#include "app/blaze.h"
#include "app/blaze_message.h"
#include "app/blaze_output.h"
#include "auth/received_spf.h"

static const struct option_spec specs[] = {
        BLAZE_NEWLINE_OPTION,
        {"help", 0, NULL, false, "this text"},
        {NULL, 0, NULL, false, NULL},
};

static void print_pair(const char *key, struct str value)
{
        if (value.n == 0)
                return;
        printf(" %s=", key);
        blaze_print_clean(value);
}

/* "RESULT: identity=..." with the keys that are there, or "malformed". */
static bool print_field(struct str body)
{
        struct received_spf r;
        struct wr w;
        char *room = malloc(body.n + 1);
        wr_init(&w, room, room ? body.n : 0);
        bool good = room && received_spf_parse(body, &w, &r) == ERR_OK;
        if (!good) {
                printf("malformed\n");
        } else {
                printf("%.*s:", STR_ARG(spf_result_text(r.result)));
                print_pair("receiver", r.receiver);
                print_pair("client-ip", r.client_ip);
                print_pair("envelope-from", r.envelope_from);
                print_pair("helo", r.helo);
                print_pair("identity", r.identity);
                print_pair("mechanism", r.mechanism);
                print_pair("problem", r.problem);
                printf("\n");
        }
        free(room);
        return good;
}

static int analyze(const struct blaze_message *m)
{
        const struct mail_field *field;
        size_t count = 0, malformed = 0;
        for (; (field = mail_header_nth(&m->header, S("Received-SPF"), count)); count++)
                malformed += !print_field(field->body);
        if (count == 0)
                return blaze_fail("No Received-SPF field");
        return malformed > 0 ? blaze_fail("Malformed Received-SPF field") : 0;
}

static int run(const struct options *o)
{
        struct blaze_message m;
        int status = blaze_message_open(&m, o, false) ? analyze(&m) : EXIT_BLAZE;
        blaze_message_close(&m);
        return status;
}

const struct blaze_command blaze_spf_analyze = {
        .group = "spf",
        .verb = "analyze",
        .arguments = "[FILE]",
        .arguments_max = 1,
        .about = "Print a line for each Received-SPF field of a message from FILE or standard input, from "
                 "the top: its\n"
                 "result and its keys, or `malformed`. They are as true as the host that wrote them.\n",
        .specs = specs,
        .run = run,
};
