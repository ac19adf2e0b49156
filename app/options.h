/* SPDX-License-Identifier: ISC */
/* The command line of every program: `--name VALUE`, `--name=VALUE`, `-x VALUE`, `-xVALUE`, flags, arguments; `--` ends
 * the options and a lone `-` is an argument. A program describes its options in one table, which also makes --help.
 * Values are borrowed from argv. Nothing is printed here but by options_help, options_put and options_complain. */
#ifndef APP_OPTIONS_H
#define APP_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/str.h"

#define OPTIONS_MAX 256     /* options and arguments on one command line */
#define OPTIONS_MESSAGE 256 /* text of a complaint */

#define EXIT_USAGE 64 /* a wrong option (sysexits' EX_USAGE) */

struct option_spec {
        const char *name;  /* without the dashes; "" when there is only a letter */
        char letter;       /* or 0 */
        const char *value; /* the value's name in --help, such as "IP"; NULL: a flag without value */
        bool repeat;       /* may be given more than once */
        const char *help;
};

struct options {
        struct {
                const struct option_spec *spec;
                struct str value;
        } hits[OPTIONS_MAX];
        size_t count;
        struct str arguments[OPTIONS_MAX];
        size_t arguments_count;
        char message[OPTIONS_MESSAGE];
};

/* Read argv[1] and after. `specs` ends with an entry whose name is NULL.
 *   ERR_OK
 *   ERR_SYNTAX  unknown option, missing or unwanted value, given twice: `out->message` names it in one line
 *   ERR_LIMIT   more than OPTIONS_MAX, said in `out->message` */
MUST_USE enum err options_parse(const struct option_spec *specs, int argc, char **argv, struct options *out);

bool options_has(const struct options *o, const char *name);
/* The first value of an option that stands in the table; false and an empty value when it was not given. */
bool options_value(const struct options *o, const char *name, struct str *out);
/* The value number `at` (from 0) of a repeated option; false behind the last. */
bool options_nth(const struct options *o, const char *name, size_t at, struct str *out);

/* Print the table, one option a line. */
void options_help(FILE *to, const struct option_spec *specs);

/* Text that others wrote, onto a terminal: control characters and what is not UTF-8 become `?`. */
void options_put(FILE *to, struct str text);
/* What is wrong with the command line, as one line on standard error whatever `value` holds: "PROGRAM: WHAT: VALUE", without the
 * value when it is empty.
 *   EXIT_USAGE */
int options_complain(const char *program, const char *what, struct str value);

/* The whole of a small file, a secret or a certificate say, without white space at its ends. No copy of it is left
 * behind; nothing of it in `buffer` either after an error.
 *   ERR_OK       `*out` borrows from `buffer`
 *   ERR_NOT_FOUND, ERR_DENIED, ERR_IO, or ERR_SPACE when it is larger than `cap` */
MUST_USE enum err options_file_read(struct str path, char *buffer, size_t cap, struct str *out);

#endif
