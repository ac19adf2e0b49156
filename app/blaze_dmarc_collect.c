/* SPDX-License-Identifier: ISC */
/* blaze dmarc collect */
#include <stdio.h>
#include <stdlib.h>

#include "app/blaze.h"
#include "app/blaze_message.h"
#include "app/blaze_output.h"
#include "auth/authres.h"

static const struct option_spec specs[] = {
        BLAZE_NEWLINE_OPTION,
        {"help", 0, NULL, false, "this text"},
        {NULL, 0, NULL, false, NULL},
};

static void print_result(const struct authres *a, const struct authres_result *r)
{
        blaze_print_clean(a->id);
        printf(": %.*s=%.*s", STR_ARG(r->method), STR_ARG(r->result));
        if (r->reason.n > 0) {
                printf(" reason=\"");
                blaze_print_clean(r->reason);
                printf("\"");
        }
        for (size_t i = r->first; i < r->first + r->count; i++) {
                const struct authres_property *p = &a->properties[i];
                printf(" %.*s%s%.*s=", STR_ARG(p->ptype), p->ptype.n > 0 ? "." : "", STR_ARG(p->name));
                blaze_print_clean(p->value);
        }
        printf("\n");
}

/* A line a result. */
static bool print_field(struct str body)
{
        struct authres a;
        struct wr w;
        char *room = malloc(body.n + 1);
        wr_init(&w, room, room ? body.n : 0);
        bool good = room && authres_parse(body, &w, &a) == ERR_OK;
        for (size_t i = 0; good && i < a.count; i++)
                print_result(&a, &a.results[i]);
        if (!good) {
                printf("malformed\n");
        } else if (a.count == 0) {
                blaze_print_clean(a.id);
                printf(": none\n");
        }
        free(room);
        return good;
}

static int collect(const struct blaze_message *m)
{
        const struct mail_field *field;
        size_t count = 0, malformed = 0;
        for (; (field = mail_header_nth(&m->header, S("Authentication-Results"), count)); count++)
                malformed += !print_field(field->body);
        if (count == 0)
                return blaze_fail("No Authentication-Results field");
        return malformed > 0 ? blaze_fail("Malformed Authentication-Results field") : 0;
}

static int run(const struct options *o)
{
        struct blaze_message m;
        int status = blaze_message_open(&m, o, false) ? collect(&m) : EXIT_BLAZE;
        blaze_message_close(&m);
        return status;
}

const struct blaze_command blaze_dmarc_collect = {
        .group = "dmarc",
        .verb = "collect",
        .arguments = "[FILE]",
        .arguments_max = 1,
        .about =
                "Print a line for each result in the Authentication-Results fields of a message from FILE or "
                "standard input,\n"
                "from the top: who says it, the method and its result, the reason and the properties; or "
                "`malformed`.\n"
                "They are as true as the host that wrote them.\n",
        .specs = specs,
        .run = run,
};
