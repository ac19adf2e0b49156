/* SPDX-License-Identifier: ISC */
/* blaze spf stamp */
#include "app/blaze.h"
#include "app/blaze_message.h"
#include "app/blaze_output.h"
#include "app/blaze_spf.h"
#include "auth/received_spf.h"

static const struct option_spec specs[] = {
        BLAZE_CLIENT_OPTIONS,
        BLAZE_NAMESERVER_OPTION,
        BLAZE_NEWLINE_OPTION,
        BLAZE_OUTPUT_OPTION,
        {"help", 0, NULL, false, "this text"},
        {NULL, 0, NULL, false, NULL},
};

static bool write_field(struct wr *w, const struct spf_input *in, const struct spf_verdict *v)
{
        char room[RECEIVED_SPF_ROOM];
        struct received_spf field;
        struct wr made;
        wr_init(&made, room, sizeof room);
        enum err e = received_spf_make(in, v, &made, &field);
        if (e == ERR_OK)
                e = received_spf_write(w, &field);
        if (e != ERR_OK)
                blaze_fail("The field cannot be written: %s", err_text(e));
        return e == ERR_OK;
}

static bool stamp(const struct options *o, struct blaze_dns *dns, const struct spf_input *in)
{
        char room[2 * RECEIVED_SPF_ROOM];
        struct blaze_message m;
        struct spf_verdict verdict;
        struct wr w;
        wr_init(&w, room, sizeof room);
        bool good = blaze_message_open(&m, o, true);
        if (good) {
                blaze_spf_evaluate(dns, in, &verdict);
                good = write_field(&w, in, &verdict) && blaze_output_write(o, &m, wr_text(&w));
        }
        blaze_message_close(&m);
        return good;
}

static int run(const struct options *o)
{
        char hostname[BLAZE_HOSTNAME_MAX];
        struct spf_input in;
        struct blaze_dns dns;
        if (!blaze_client_read(o, hostname, &in))
                return EXIT_BLAZE;
        bool good = blaze_dns_init(&dns, o) && stamp(o, &dns, &in);
        blaze_dns_drop(&dns);
        return good ? 0 : EXIT_BLAZE;
}

const struct blaze_command blaze_spf_stamp = {
        .group = "spf",
        .verb = "stamp",
        .arguments = "--ip IP --sender ADDRESS --helo NAME [FILE]",
        .arguments_max = 1,
        .about = "Write a Received-SPF field, with what `blaze spf check` finds, and then the message from "
                 "FILE or standard\n"
                 "input as it was.\n",
        .specs = specs,
        .run = run,
};
