/* SPDX-License-Identifier: ISC */
/* blaze: mail authentication on the command line. */
#include "app/blaze.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct blaze_command *const commands[] = {
        &blaze_dkim_verify,
        &blaze_dkim_sign,
        &blaze_dkim_gen,
        &blaze_arc_verify,
        &blaze_arc_sign,
        &blaze_dmarc_verify,
        &blaze_dmarc_collect,
        &blaze_spf_check,
        &blaze_spf_stamp,
        &blaze_spf_analyze,
};
#define COMMANDS (sizeof commands / sizeof commands[0])

#define MESSAGE_MAX 8192 /* a path and what is wrong with it */

int blaze_fail(const char *format, ...)
{
        char text[MESSAGE_MAX] = "";
        va_list arguments;
        fflush(stdout); /* so that it follows what was printed before, when both go to one file */
        fputs("blaze: ", stderr);
        va_start(arguments, format);
        (void)vsnprintf(text, sizeof text, format, arguments);
        va_end(arguments);
        options_put(stderr, str_of_c(text));
        fputs(".\n", stderr);
        return EXIT_BLAZE;
}

static int finish(int status)
{
        if (fflush(stdout) != 0 || ferror(stdout))
                return blaze_fail("Standard output cannot be written");
        return status;
}

/* The commands, or those of one group. */
static int print_help(const char *group)
{
        printf("blaze: authenticate e-mail\n\n");
        for (size_t i = 0; i < COMMANDS; i++)
                if (group == NULL || strcmp(group, commands[i]->group) == 0)
                        printf("  blaze %s %s [OPTION]... %s\n", commands[i]->group, commands[i]->verb,
                                commands[i]->arguments);
        printf("\n`blaze %s %s --help` tells more of one. Failure is one line on standard error and exit "
               "status %d.\n",
                commands[0]->group, commands[0]->verb, EXIT_BLAZE);
        return finish(0);
}

static int print_version(void)
{
        printf("blaze %s\n", PTT_VERSION);
        return finish(0);
}

static bool is_group(const char *name)
{
        for (size_t i = 0; i < COMMANDS; i++)
                if (strcmp(name, commands[i]->group) == 0)
                        return true;
        return false;
}

static int print_command_help(const struct blaze_command *c)
{
        printf("blaze %s %s [OPTION]... %s\n\n%s\n", c->group, c->verb, c->arguments, c->about);
        options_help(stdout, c->specs);
        return finish(0);
}

static int run(const struct blaze_command *c, int argc, char **argv)
{
        struct options o;
        if (argc == 2 && strcmp(argv[1], "--version") == 0)
                return print_version();
        if (options_parse(c->specs, argc, argv, &o) != ERR_OK)
                return blaze_fail("%s", o.message);
        if (options_has(&o, "help"))
                return print_command_help(c);
        if (o.arguments_count > c->arguments_max)
                return blaze_fail("Unexpected argument: %.*s", STR_ARG(o.arguments[c->arguments_max]));
        return finish(c->run(&o));
}

int main(int argc, char **argv)
{
        const char *group = argc > 1 ? argv[1] : "", *verb = argc > 2 ? argv[2] : "";
        if (strcmp(group, "--help") == 0)
                return print_help(NULL);
        if (strcmp(group, "--version") == 0 || (is_group(group) && strcmp(verb, "--version") == 0))
                return print_version();
        if (is_group(group) && strcmp(verb, "--help") == 0)
                return print_help(group);
        if (argc < 2)
                return blaze_fail("A command is missing: see blaze --help");
        if (is_group(group) && argc < 3)
                return blaze_fail("A verb is missing: see blaze %s --help", group);
        for (size_t i = 0; i < COMMANDS; i++)
                if (strcmp(group, commands[i]->group) == 0 && strcmp(verb, commands[i]->verb) == 0)
                        return run(commands[i], argc - 2, argv + 2);
        return blaze_fail("Unknown command: %s%s%s", group, verb[0] ? " " : "", verb);
}
