/* SPDX-License-Identifier: ISC */
/* ptt, the image and operator tool: the command line, and the commands that need no list. */
#include "app/ptt.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/check.h"
#include "fat/fat.h"
#include "host/linux/linux.h"
#include "mail/address.h"

struct command {
        const char *name, *arguments, *help;
        size_t least; /* arguments it needs */
        int (*run)(struct ptt *p);
        const struct option_spec *specs; /* NULL: made by ptt_add_specs */
};

#define HELP                                         \
        {                                            \
                "help", 0, NULL, false, "print this" \
        }
#define END                                \
        {                                  \
                NULL, 0, NULL, false, NULL \
        }
#define DOMAIN                                                    \
        {                                                         \
                "domain", 0, "D", false, "the domain of the list" \
        }

static const struct option_spec create_specs[] = {
        {"size", 0, "SIZE", false, "of the image, from 34M, default 512M"}, HELP, END};
static const struct option_spec help_specs[] = {HELP, END};
static const struct option_spec check_specs[] = {{"repair", 0, NULL, false, "put right what can be"},
        {"not-running", 0, NULL, false, "nothing has the image open, though it is dirty"},
        {"json", 0, NULL, false, "for programs"}, HELP, END};
static const struct option_spec import_specs[] = {DOMAIN,
        {"from", 0, "FORMAT", false,
                "mailman2 | mailman3 | mlmmj | sympa; default: one address a line, or CSV"},
        HELP, END};
static const struct option_spec export_specs[] = {DOMAIN,
        {"csv", 0, NULL, false, "with options and the date of joining, for a table"},
        {"json", 0, NULL, false, "the whole list, for programs"}, HELP, END};
static const struct option_spec queue_specs[] = {DOMAIN, {"json", 0, NULL, false, "for programs"},
        {"flush", 0, "ID", true,
                "try all that waits of a message now, and no longer hold it; all: of those that are not "
                "held"},
        {"hold", 0, "ID", true, "hold a message"}, {"drop", 0, "ID", true, "give a message up"}, HELP, END};
static const struct option_spec ls_specs[] = {{"long", 'l', NULL, false, "with size and time"},
        {"json", 0, NULL, false, "for programs"}, HELP, END};
static const struct option_spec get_specs[] = {
        {"to", 0, "FILE", false, "its name here; - for standard output"}, HELP, END};
static const struct option_spec put_specs[] = {
        {"from", 0, "FILE", false, "its name here; - for standard input"}, HELP, END};
static const struct option_spec dns_specs[] = {{"domain", 0, "D", false, "the domain of the lists"},
        {"hostname", 0, "H", false, "the name of lipap's host, as its --hostname"},
        {"ipv4", 0, "IP", false, "the public address of that host"},
        {"ipv6", 0, "IP", false, "the same, when it has one"},
        {"check", 0, NULL, false, "compare with what is live, and name what is missing or wrong"},
        {"nameserver", 'n', "PROTO:IP[:PORT]", true, "the resolver that --check asks, such as tcp:9.9.9.9"},
        {"selector", 0, "PATTERN", false, "as nec's option of that name, default dkim-%d"},
        {"arc-selector", 0, "PATTERN", false, "as nec's option of that name, default arc-%d"}, HELP, END};
static const struct option_spec change_specs[] = {DOMAIN, HELP, END};
static const struct option_spec member_specs[] = {DOMAIN,
        {"nomail", 0, "on | off", false, "a pause: no posts"},
        {"own-posts", 0, "on | off", false, "copies of what they post themselves"}, HELP, END};
static const struct option_spec why_specs[] = {{"domain", 0, "D", false, "only at lists of that domain"},
        {"json", 0, NULL, false, "for programs"}, HELP, END};
static const struct option_spec show_specs[] = {DOMAIN, {"json", 0, NULL, false, "for programs"}, HELP, END};
static const struct option_spec bounces_specs[] = {DOMAIN, {"json", 0, NULL, false, "for programs"},
        {"of", 0, "EMAIL | ID", false, "the last bounce of that subscriber alone"}, HELP, END};

static const struct command commands[] = {
        {"create", "IMAGE", "make a new image", 1, ptt_create, create_specs},
        {"grow", "IMAGE SIZE", "make an image larger", 2, ptt_grow, help_specs},
        {"add", "IMAGE NAME", "add a list", 2, ptt_add, NULL},
        {"add-moderator", "IMAGE [NAME] EMAIL...", "add moderators to a list, or to all of a domain", 2,
                ptt_add_moderator, change_specs},
        {"rem-moderator", "IMAGE [NAME] EMAIL...", "remove moderators", 2, ptt_rem_moderator, change_specs},
        {"add-subscriber", "IMAGE [NAME] EMAIL...", "add subscribers to a list, or to all of a domain", 2,
                ptt_add_subscriber, change_specs},
        {"rem-subscriber", "IMAGE [NAME] EMAIL...", "remove subscribers", 2, ptt_rem_subscriber,
                change_specs},
        {"options", "IMAGE NAME EMAIL...", "change options of subscribers", 3, ptt_options, member_specs},
        {"set", "IMAGE NAME SETTING VALUE", "change a setting of a list", 4, ptt_set, change_specs},
        {"show", "IMAGE [NAME]", "lists, members, requests, queue and failures", 1, ptt_show, show_specs},
        {"import", "IMAGE NAME [FILE]...", "add many subscribers, or another program's list", 2, ptt_import,
                import_specs},
        {"export", "IMAGE NAME [FILE]", "write the subscribers, one a line", 2, ptt_export, export_specs},
        {"queue", "IMAGE [NAME]", "what waits; flush, hold or drop it", 1, ptt_queue, queue_specs},
        {"bounces", "IMAGE [NAME]", "recipients that were given up, and what follows", 1, ptt_bounces,
                bounces_specs},
        {"why", "IMAGE MESSAGE-ID", "the path of a message", 2, ptt_why, why_specs},
        {"check", "IMAGE", "look for damage, and repair it", 1, ptt_check, check_specs},
        {"ls", "IMAGE [PATH]...", "files of the volume", 1, ptt_ls, ls_specs},
        {"cat", "IMAGE PATH...", "write files of the volume to standard output", 2, ptt_cat, help_specs},
        {"get", "IMAGE PATH...", "copy files out of the volume", 2, ptt_get, get_specs},
        {"put", "IMAGE PATH...", "copy files into the volume", 2, ptt_put, put_specs},
        {"rm", "IMAGE PATH...", "remove files and empty folders of the volume", 2, ptt_rm, help_specs},
        {"dns", "", "print the records that a domain needs, or check them", 0, ptt_dns, dns_specs},
        {"password", "", "print a new 256-bit password", 0, ptt_password, help_specs},
};
#define COMMANDS (sizeof commands / sizeof commands[0])

/* Saying. */

void ptt_text(FILE *to, struct str text)
{
        options_put(to, text);
}

int ptt_say(int status, const char *what, struct str about)
{
        fprintf(stderr, "ptt: %s", what);
        if (about.n > 0)
                fputs(": ", stderr);
        ptt_text(stderr, about);
        fputc('\n', stderr);
        return status;
}

static const char *image_trouble(enum err err)
{
        switch (err) {
        case ERR_NOT_FOUND:
                return "no image there";
        case ERR_BUSY:
                return "the image is in use by another process; stop it first";
        case ERR_SEQUENCE:
                return "the image is dirty: in use by a guest, or lipap died with it. If nothing has it "
                       "open, run "
                       "ptt check --repair --not-running";
        case ERR_DENIED:
                return "no right to that image";
        case ERR_FULL:
                return "no space left in the image, or on the disk under it";
        case ERR_LIMIT:
        case ERR_SYNTAX:
                return "not the name of an image";
        case ERR_CORRUPT:
                return "the image is damaged; run ptt check --repair --not-running";
        default:
                return err_text(err);
        }
}

static bool says(const char *why, enum fat_state state)
{
        return strcmp(why, fat_state_text(state)) == 0;
}

/* What cannot even be mounted is beyond ptt check. */
static const char *what_helps(enum err err, const char *why)
{
        if (err != ERR_CORRUPT)
                return "";
        return says(why, FAT_SHORT) || says(why, FAT_DAMAGED) ? "; bring it back from a copy"
                                                              : "; run ptt check --repair --not-running";
}

/* Who may write everywhere is not let into a folder, either. */
static bool is_folder(struct str argument)
{
        struct stat st;
        return stat(argument.p, &st) == 0 && S_ISDIR(st.st_mode);
}

int ptt_refused(struct ptt *p, enum err err, const char *why)
{
        struct str image = p->options.arguments[0];
        if ((err == ERR_DENIED || err == ERR_UNSUPPORTED) && says(why, FAT_FOREIGN))
                return ptt_say(1,
                        "not an image of ours: made by another program, so it can only be read, by ptt ls, "
                        "cat and get",
                        image);
        if (err == ERR_DENIED && is_folder(image))
                return ptt_say(1, "not a file, but a folder", image);
        if (why[0] == 0 || (err != ERR_UNSUPPORTED && err != ERR_CORRUPT))
                return ptt_say(1, image_trouble(err), image);
        fprintf(stderr, "ptt: not an image, or damaged: %s%s: ", why, what_helps(err, why));
        ptt_text(stderr, image);
        fputc('\n', stderr);
        return 1;
}

int ptt_open(struct ptt *p, struct store **out)
{
        const char *why;
        enum err err = store_open_as(p->host, p->options.arguments[0], STORE_TOOL, &why, out);
        return err == ERR_OK ? 0 : ptt_refused(p, err, why);
}

int ptt_trouble(struct ptt *p, enum err err)
{
        return ptt_say(1, image_trouble(err), p->options.arguments[0]);
}

/* Progress. */

void ptt_progress(void *ctx, uint64_t done, uint64_t all)
{
        struct ptt_progress *p = ctx;
        unsigned percent = all > 0 && done < all ? (unsigned)(done / (all / 100 + 1)) : 100;
        if (!isatty(STDERR_FILENO) || (p->is_there && percent == p->shown))
                return;
        fprintf(stderr, "\rptt: %s %u%%", p->what, percent);
        p->shown = percent;
        p->is_there = true;
}

void ptt_progress_end(struct ptt_progress *p)
{
        if (p->is_there)
                fputs("\r\033[K", stderr);
        p->is_there = false;
}

int ptt_domain(struct ptt *p, bool may_miss, struct str *out)
{
        if (!options_value(&p->options, "domain", out))
                return may_miss ? 0 : ptt_say(EXIT_USAGE, "option missing", S("--domain"));
        if (!mail_domain_is_valid(*out, MAIL_ASCII))
                return ptt_say(EXIT_USAGE, "--domain is not a domain name", *out);
        return 0;
}

/* password. */

int ptt_password(struct ptt *p)
{
        uint8_t secret[32];
        char text[64];
        struct wr w;
        if (p->options.arguments_count > 0)
                return ptt_say(EXIT_USAGE, "unexpected argument", p->options.arguments[0]);
        host_random(p->host, secret, sizeof secret);
        wr_init(&w, text, sizeof text);
        base64_encode(&w, str_of(secret, sizeof secret));
        CHECK(wr_end(&w) == ERR_OK);
        printf("%.*s\n", STR_ARG(wr_text(&w)));
        return 0;
}

/* The command line. */

static void help_command(const struct command *c, const struct option_spec *specs)
{
        printf("usage: ptt %s%s%s [OPTION]...\n%s\n", c->name, c->arguments[0] ? " " : "", c->arguments,
                c->help);
        options_help(stdout, specs);
}

static int help_all(void)
{
        printf("usage: ptt COMMAND ...\n");
        for (size_t i = 0; i < COMMANDS; i++)
                printf("  %-15s %-25s %s\n", commands[i].name, commands[i].arguments, commands[i].help);
        printf("ptt COMMAND --help tells more; ptt --version prints the version.\n");
        return 0;
}

static int print_version(void)
{
        printf("ptt %s\n", PTT_VERSION);
        return 0;
}

static const struct command *find_command(struct str name)
{
        for (size_t i = 0; i < COMMANDS; i++)
                if (str_eq(str_of_c(commands[i].name), name))
                        return &commands[i];
        return NULL;
}

struct run {
        struct ptt *ptt;
        const struct command *command;
        int status;
};

static void run_fiber(void *arg)
{
        struct run *run = arg;
        run->status = run->command->run(run->ptt);
}

/* What goes wrong is said in one line, by the command; what lipap would log of it is not said beside that. */
static void say_nothing(struct host *h, struct str line)
{
        (void)h;
        (void)line;
}

static int run_command(struct ptt *p, const struct command *c)
{
        struct run run = {p, c, 1};
        arena_init(&p->arena, p->memory, sizeof p->memory);
        p->host = linux_host_new(NULL);
        if (p->host == NULL)
                return ptt_say(1, "out of memory or descriptors", S(""));
        const struct host_ops *ops = p->host->ops;
        struct host_ops quiet = *ops;
        quiet.console = say_nothing;
        p->host->ops = &quiet;
        linux_host_run(p->host, run_fiber, &run);
        p->host->ops = ops;
        linux_host_free(p->host);
        if (fflush(stdout) != 0 || ferror(stdout))
                return ptt_say(1, "the output cannot be written", S(""));
        return run.status;
}

static int start_command(const struct command *c, int argc, char **argv)
{
        struct option_spec add_specs[PTT_OPTIONS_MAX];
        const struct option_spec *specs = c->specs != NULL ? c->specs : add_specs;
        ptt_add_specs(add_specs);
        struct ptt *p = malloc(sizeof *p);
        if (p == NULL)
                return ptt_say(1, "out of memory", S(""));
        int status = 0;
        if (argc == 2 && str_eq(str_of_c(argv[1]), S("--version")))
                status = print_version();
        else if (options_parse(specs, argc, argv, &p->options) != ERR_OK)
                status = ptt_say(EXIT_USAGE, p->options.message, S(""));
        else if (options_has(&p->options, "help"))
                help_command(c, specs);
        else if (p->options.arguments_count < c->least)
                status = ptt_say(EXIT_USAGE, "arguments missing", str_of_c(c->arguments));
        else
                status = run_command(p, c);
        free(p);
        return status;
}

int main(int argc, char **argv)
{
        if (argc < 2)
                return ptt_say(EXIT_USAGE, "no command; ptt --help names them", S(""));
        struct str name = str_of_c(argv[1]);
        if (str_eq(name, S("--help")))
                return help_all();
        if (str_eq(name, S("--version")))
                return print_version();
        const struct command *c = find_command(name);
        if (c == NULL)
                return ptt_say(EXIT_USAGE, name.p[0] == '-' ? "unknown option" : "unknown command", name);
        return start_command(c, argc - 1, argv + 1);
}
