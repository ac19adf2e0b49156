/* SPDX-License-Identifier: ISC */
/* The client of a message as the command line tells it, and what SPF says of it. */
#ifndef APP_BLAZE_SPF_H
#define APP_BLAZE_SPF_H

#include <stdbool.h>

#include "app/blaze_dns.h"
#include "app/options.h"
#include "auth/spf_check.h"

/* Options of every command that evaluates SPF; the table has BLAZE_NAMESERVER_OPTION too. */
#define BLAZE_CLIENT_OPTIONS                                                                 \
        {"ip", 0, "IP", false, "address of the SMTP client"},                                \
                {"sender", 0, "ADDRESS", false,                                              \
                        "its MAIL FROM; empty or <>: the null sender, whose HELO counts"},   \
                {"helo", 0, "NAME", false, "its HELO or EHLO name"},                         \
        {                                                                                    \
                "hostname", 0, "NAME", false,                                                \
                        "our own name, for comments and explanations; default: of this host" \
        }

#define BLAZE_HOSTNAME_MAX 256

/* What the options above say; `room` is for this host's name. Without --ip, or without both --sender and --helo, there
 * is nothing to check.
 *   true, or false after saying what is wrong */
bool blaze_client_read(const struct options *o, char room[BLAZE_HOSTNAME_MAX], struct spf_input *out);

/* Evaluate, asking what is wanted. The verdict borrows from `dns` and the input. */
void blaze_spf_evaluate(struct blaze_dns *dns, const struct spf_input *in, struct spf_verdict *out);

#endif
