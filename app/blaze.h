/* SPDX-License-Identifier: ISC */
/* What the files of blaze share: commands, and how they fail. */
#ifndef APP_BLAZE_H
#define APP_BLAZE_H

#include "app/options.h"

#define EXIT_BLAZE 124

struct blaze_command {
        const char *group, *verb; /* "dkim", "verify" */
        const char *arguments;    /* for --help, such as "[FILE]" */
        size_t arguments_max;
        const char *about; /* some lines for --help, the last with its line end */
        const struct option_spec *specs;
        int (*run)(const struct options *o); /* gives the exit status */
};

extern const struct blaze_command blaze_dkim_verify;
extern const struct blaze_command blaze_dkim_sign;
extern const struct blaze_command blaze_dkim_gen;
extern const struct blaze_command blaze_arc_verify;
extern const struct blaze_command blaze_arc_sign;
extern const struct blaze_command blaze_dmarc_collect;
extern const struct blaze_command blaze_dmarc_verify;
extern const struct blaze_command blaze_spf_analyze;
extern const struct blaze_command blaze_spf_check;
extern const struct blaze_command blaze_spf_stamp;

/* Say "blaze: MESSAGE." on standard error, on one line whatever it names.
 *   EXIT_BLAZE, to be returned */
int blaze_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
