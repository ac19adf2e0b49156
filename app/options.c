/* SPDX-License-Identifier: ISC */
#include "app/options.h"

#include <errno.h>
#include <string.h>

#include "base/ascii.h"
#include "base/utf8.h"
#include "base/wr.h"
#include "crypto/bytes.h"

static const struct option_spec *find_name(const struct option_spec *specs, struct str name)
{
        for (; specs->name; specs++)
                if (name.n > 0 && str_eq(str_of_c(specs->name), name))
                        return specs;
        return NULL;
}

static const struct option_spec *find_letter(const struct option_spec *specs, char letter)
{
        for (; specs->name; specs++)
                if (specs->letter != 0 && specs->letter == letter)
                        return specs;
        return NULL;
}

static enum err complain(struct options *o, struct str option, struct str what)
{
        struct wr w;
        wr_init(&w, o->message, sizeof o->message - 1);
        wr_str(&w, what);
        wr_str(&w, S(": "));
        for (size_t i = 0; i < option.n && i < 100; i++)
                wr_byte(&w, ascii_is_control(option.p[i]) ? '?' : option.p[i]);
        o->message[w.n] = '\0';
        return ERR_SYNTAX;
}

static enum err keep(struct options *o, const struct option_spec *spec, struct str option, struct str value)
{
        if (!spec->repeat)
                for (size_t i = 0; i < o->count; i++)
                        if (o->hits[i].spec == spec)
                                return complain(o, option, S("option given twice"));
        o->hits[o->count].spec = spec;
        o->hits[o->count].value = value;
        o->count++;
        return ERR_OK;
}

/* One option at argv[*at]; moves *at over a value that stands in the next argument. */
static enum err parse_one(const struct option_spec *specs, int argc, char **argv, int *at, struct options *o)
{
        struct str whole = str_of_c(argv[*at]), option = whole, value = {NULL, 0};
        const struct option_spec *spec;
        bool joined;
        if (str_has_prefix(whole, S("--"))) {
                joined = str_cut(whole, '=', &option, &value);
                spec = find_name(specs, str_skip(option, 2));
        } else {
                option = str_take(whole, 2);
                value = str_skip(whole, 2);
                joined = value.n > 0;
                spec = find_letter(specs, option.p[1]);
        }
        if (!spec)
                return complain(o, option, S("unknown option"));
        if (!spec->value)
                return joined ? complain(o, option, S("option takes no value"))
                              : keep(o, spec, option, value);
        if (!joined) {
                if (*at + 1 >= argc)
                        return complain(o, option, S("option needs a value"));
                value = str_of_c(argv[++*at]);
        }
        return keep(o, spec, option, value);
}

enum err options_parse(const struct option_spec *specs, int argc, char **argv, struct options *out)
{
        bool ended = false;
        out->count = 0;
        out->arguments_count = 0;
        out->message[0] = '\0';
        for (int at = 1; at < argc; at++) {
                struct str word = str_of_c(argv[at]);
                if (out->count == OPTIONS_MAX || out->arguments_count == OPTIONS_MAX) {
                        (void)complain(out, word, S("too many arguments at"));
                        return ERR_LIMIT;
                }
                if (!ended && str_eq(word, S("--"))) {
                        ended = true;
                } else if (ended || word.n < 2 || word.p[0] != '-') {
                        out->arguments[out->arguments_count++] = word;
                } else {
                        enum err e = parse_one(specs, argc, argv, &at, out);
                        if (e != ERR_OK)
                                return e;
                }
        }
        return ERR_OK;
}

bool options_nth(const struct options *o, const char *name, size_t at, struct str *out)
{
        *out = (struct str){NULL, 0};
        for (size_t i = 0; i < o->count; i++) {
                if (strcmp(o->hits[i].spec->name, name) != 0 || at-- > 0)
                        continue;
                *out = o->hits[i].value;
                return true;
        }
        return false;
}

bool options_value(const struct options *o, const char *name, struct str *out)
{
        return options_nth(o, name, 0, out);
}

bool options_has(const struct options *o, const char *name)
{
        struct str value;
        return options_nth(o, name, 0, &value);
}

void options_help(FILE *to, const struct option_spec *specs)
{
        for (; specs->name; specs++) {
                char left[80];
                snprintf(left, sizeof left, "%s%.1s%s%s%s%s%s", specs->letter ? "-" : "",
                        specs->letter ? &specs->letter : "", specs->letter && specs->name[0] ? ", " : "",
                        specs->name[0] ? "--" : "", specs->name, specs->value ? " " : "",
                        specs->value ? specs->value : "");
                fprintf(to, "  %-32s %s%s\n", left, specs->help, specs->repeat ? " (repeatable)" : "");
        }
}

enum err options_file_read(struct str path, char *buffer, size_t cap, struct str *out)
{
        char name[4096];
        enum err e = ERR_OK;
        *out = (struct str){NULL, 0};
        if (path.n >= sizeof name)
                return ERR_NOT_FOUND;
        memcpy(name, path.p, path.n);
        name[path.n] = '\0';
        FILE *f = fopen(name, "rb");
        if (!f)
                return errno == ENOENT ? ERR_NOT_FOUND : errno == EACCES ? ERR_DENIED : ERR_IO;
        (void)setvbuf(f, NULL, _IONBF, 0); /* no second copy, which nobody would wipe */
        size_t n = fread(buffer, 1, cap, f);
        if (ferror(f))
                e = ERR_IO;
        else if (n == cap && fgetc(f) != EOF)
                e = ERR_SPACE;
        else
                *out = str_trim(str_of(buffer, n));
        if (e != ERR_OK)
                crypto_wipe(buffer, cap);
        fclose(f);
        return e;
}

void options_put(FILE *to, struct str text)
{
        for (size_t n; text.n > 0; text = str_skip(text, n)) {
                n = utf8_head(text);
                bool is_c1 = n == 2 && text.p[0] == '\xc2' && (unsigned char)text.p[1] < 0xa0;
                if (n == 0 || is_c1 || ascii_is_control(text.p[0]))
                        fputc('?', to);
                else
                        fwrite(text.p, 1, n, to);
                n += n == 0;
        }
}

int options_complain(const char *program, const char *what, struct str value)
{
        fprintf(stderr, "%s: %s%s", program, what, value.n > 0 ? ": " : "");
        options_put(stderr, value);
        fputc('\n', stderr);
        return EXIT_USAGE;
}
