/* SPDX-License-Identifier: ISC */
/* ptt export: the subscribers of a list as lines or CSV, or the whole list as JSON. */
#include <errno.h>
#include <string.h>

#include "app/ptt.h"
#include "base/time_text.h"

#define PAGE 1000

enum form { FORM_LINES, FORM_CSV, FORM_JSON };

/* RFC 4180: an address may hold what parts fields. */
static void write_field(FILE *to, struct str field)
{
        bool is_plain = str_find_byte(field, ',') == field.n && str_find_byte(field, '"') == field.n &&
                        str_find_byte(field, ';') == field.n;
        if (!is_plain)
                fputc('"', to);
        for (size_t i = 0; i < field.n; i++) {
                if (field.p[i] == '"')
                        fputc('"', to);
                fputc(field.p[i], to);
        }
        if (!is_plain)
                fputc('"', to);
}

static void write_member(FILE *to, enum form form, const struct store_member *m)
{
        char text[32];
        struct wr w;
        if (form == FORM_LINES) {
                fwrite(m->address.p, 1, m->address.n, to);
                fputc('\n', to);
                return;
        }
        wr_init(&w, text, sizeof text);
        time_write_rfc3339(&w, m->joined_ms);
        bool is_nomail = (m->options & STORE_NOMAIL) != 0, no_own = (m->options & STORE_NO_OWN) != 0;
        write_field(to, m->address);
        fprintf(to, ",%s%s%s,%.*s\n", is_nomail ? "nomail" : "", is_nomail && no_own ? " " : "",
                no_own ? "no-own-posts" : "", STR_ARG(wr_text(&w)));
}

static enum err write_members(struct ptt *p, struct store *s, int64_t list, FILE *to, enum form form)
{
        struct store_member *members;
        int64_t after = 0;
        size_t count = PAGE;
        enum err err = ERR_OK;
        if (form == FORM_CSV)
                fputs("address,options,joined\n", to);
        while (err == ERR_OK && count == PAGE) {
                size_t used = p->arena.used;
                err = store_members(s, list, after, PAGE, &p->arena, &members, &count);
                for (size_t i = 0; i < count; i++) {
                        write_member(to, form, &members[i]);
                        after = members[i].id;
                }
                p->arena.used = used;
        }
        return err;
}

static FILE *open_file(struct str path)
{
        char name[4096];
        if (path.n == 0 || str_eq(path, S("-")))
                return stdout;
        if (path.n >= sizeof name) {
                errno = ENAMETOOLONG;
                return NULL;
        }
        memcpy(name, path.p, path.n);
        name[path.n] = 0;
        return fopen(name, "wb");
}

static int export_list(struct ptt *p, struct store *s, struct str path, enum form form)
{
        struct store_list list;
        int status = ptt_list(p, s, p->options.arguments[1], &list);
        if (status != 0)
                return status;
        FILE *to = open_file(path);
        if (to == NULL) {
                fprintf(stderr, "ptt: cannot be made: ");
                ptt_text(stderr, path);
                fprintf(stderr, ": %s\n", strerror(errno));
                return 1;
        }
        enum err err =
                form == FORM_JSON ? ptt_list_json(p, s, &list, to) : write_members(p, s, list.id, to, form);
        bool is_written = fflush(to) == 0 && !ferror(to);
        if (to != stdout && fclose(to) != 0)
                is_written = false;
        if (err != ERR_OK)
                return ptt_trouble(p, err);
        return is_written ? 0 : ptt_say(1, "the output cannot be written", path);
}

int ptt_export(struct ptt *p)
{
        struct store *s;
        struct str domain;
        bool is_csv = options_has(&p->options, "csv"), is_json = options_has(&p->options, "json");
        if (p->options.arguments_count > 3)
                return ptt_say(EXIT_USAGE, "unexpected argument", p->options.arguments[3]);
        if (is_csv && is_json)
                return ptt_say(EXIT_USAGE, "--csv and --json exclude each other", S(""));
        int status = ptt_domain(p, false, &domain);
        if (status == 0)
                status = ptt_open(p, &s);
        if (status != 0)
                return status;
        status = export_list(p, s, p->options.arguments_count > 2 ? p->options.arguments[2] : S(""),
                is_json  ? FORM_JSON
                : is_csv ? FORM_CSV
                         : FORM_LINES);
        store_close(s);
        return status;
}
