/* SPDX-License-Identifier: ISC */
/* ptt import: the people and the settings of a list, from files. All files are read whole, each line judged, before the
 * image is opened; then all of it is one change. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "app/ptt_import.h"
#include "base/check.h"
#include "mail/address.h"

#define READ_STEP (1024 * 1024)
#define PATH_ROOM 4096

static int no_memory(void)
{
        return ptt_say(1, "out of memory", S(""));
}

/* Gathering. */

static enum err keep_text(struct gathered *g, struct str text, struct str *out)
{
        struct block *b = g->pool;
        *out = S("");
        if (text.n > POOL_BLOCK)
                text = str_take(text, POOL_BLOCK);
        if (b == NULL || POOL_BLOCK - b->used < text.n) {
                b = malloc(sizeof *b);
                if (b == NULL)
                        return ERR_MEMORY;
                b->next = g->pool;
                b->used = 0;
                g->pool = b;
        }
        if (text.n > 0)
                memcpy(b->bytes + b->used, text.p, text.n);
        *out = str_of(b->bytes + b->used, text.n);
        b->used += text.n;
        return ERR_OK;
}

/* Room for one more in an array that grows. */
static enum err grow(void **array, size_t *cap, size_t count, size_t size)
{
        if (count < *cap)
                return ERR_OK;
        size_t more = *cap * 2 + 1024;
        void *grown = realloc(*array, more * size);
        if (grown == NULL)
                return ERR_MEMORY;
        *array = grown;
        *cap = more;
        return ERR_OK;
}

/* "a@b", "Name <a@b>", "<a@b>". */
static enum err read_address(struct str text, char room[PTT_EMAIL_MAX], struct str *out)
{
        struct mail_mailbox mailbox;
        struct wr w;
        char plain[PTT_EMAIL_MAX];
        enum err err = ptt_email(text, room, out);
        if (err != ERR_SYNTAX || mail_address_parse(text, &mailbox) != ERR_OK)
                return err;
        wr_init(&w, plain, sizeof plain);
        mail_address_write(&w, &mailbox.address);
        return wr_end(&w) == ERR_OK ? ptt_email(wr_text(&w), room, out) : ERR_SYNTAX;
}

static void say_line(struct gathered *g, size_t line, const char *what, struct str text)
{
        fprintf(stderr, "ptt: line %zu of ", line);
        ptt_text(stderr, g->path.n > 0 ? g->path : S("-"));
        fprintf(stderr, " %s: ", what);
        ptt_text(stderr, str_take(text, 100));
        fputs("\n", stderr);
        g->is_said = true;
}

static enum err take_person(struct gathered *g, const struct import_item *item)
{
        char room[PTT_EMAIL_MAX];
        struct person p = {.joined_ms = item->joined_ms,
                .options = (item->is_nomail ? STORE_NOMAIL : 0u) | (item->no_own_posts ? STORE_NO_OWN : 0u),
                .is_member = item->kind == IMPORT_MEMBER,
                .is_moderator = item->kind == IMPORT_MODERATOR,
                .is_banned = item->kind == IMPORT_BAN};
        if (read_address(item->text, room, &p.address) != ERR_OK) {
                if (item->kind == IMPORT_OPTIONS) /* of somebody who is no member then */
                        return ERR_OK;
                say_line(g, item->line, "is not an email address", item->text);
                return ERR_SYNTAX;
        }
        enum err err = keep_text(g, p.address, &p.address);
        if (err == ERR_OK)
                err = grow((void **)&g->people, &g->cap, g->count, sizeof *g->people);
        if (err == ERR_OK)
                g->people[g->count++] = p;
        g->members += p.is_member;
        return err;
}

static enum err take_left(struct gathered *g, const struct import_item *item)
{
        struct left left = {.why = item->why};
        enum err err = keep_text(g, item->name, &left.name);
        if (err == ERR_OK)
                err = keep_text(g, item->text, &left.text);
        if (err == ERR_OK)
                err = grow((void **)&g->left, &g->left_cap, g->left_count, sizeof *g->left);
        if (err == ERR_OK)
                g->left[g->left_count++] = left;
        return err;
}

static enum err take_item(void *ctx, const struct import_item *item)
{
        struct gathered *g = ctx;
        if (item->kind == IMPORT_LEFT)
                return take_left(g, item);
        if (item->kind != IMPORT_SETTING)
                return take_person(g, item);
        const struct setting *setting = setting_find(item->name);
        CHECK(setting != NULL);
        return keep_text(g, item->text, &g->settings[setting - settings]);
}

/* Files. */

static int file_trouble(const char *what, struct str path)
{
        fprintf(stderr, "ptt: %s: ", what);
        ptt_text(stderr, path.n > 0 ? path : S("-"));
        fprintf(stderr, ": %s\n", strerror(errno));
        return 1;
}

static int read_stream(struct gathered *g, FILE *f, char **text, size_t *n)
{
        size_t cap = 0, got = 1;
        while (got > 0) {
                if (cap - *n < READ_STEP) {
                        cap = cap * 2 + READ_STEP;
                        char *grown = realloc(*text, cap);
                        if (grown == NULL)
                                return no_memory();
                        *text = grown;
                }
                got = fread(*text + *n, 1, cap - *n, f);
                *n += got;
        }
        return ferror(f) ? file_trouble("cannot be read", g->path) : 0;
}

static struct str nth_line(struct str text, size_t n)
{
        struct str line = S("");
        while (n-- > 0 && text.n > 0)
                (void)str_cut(text, '\n', &line, &text);
        return line;
}

static int take_text(struct gathered *g, struct str text)
{
        size_t line;
        struct import_file file = {g->format, g->path, text, malloc(IMPORT_ROOM(text.n))};
        if (file.room == NULL)
                return no_memory();
        enum err err = import_read(&file, (struct import_sink){take_item, g}, &line);
        free(file.room);
        if (err == ERR_MEMORY)
                return no_memory();
        if (err != ERR_OK && !g->is_said)
                say_line(g, line,
                        err == ERR_LIMIT    ? "is nested too deeply"
                        : err == ERR_DENIED ? "is of another list than those before"
                                            : "cannot be read",
                        nth_line(text, line));
        return err == ERR_OK ? 0 : 1;
}

/* "-" and no name are standard input. `optional`: it need not be there. */
static int read_file(struct gathered *g, const char *path, bool optional, size_t *files)
{
        char *text = NULL;
        size_t n = 0;
        bool is_input = path[0] == 0 || strcmp(path, "-") == 0;
        g->path = str_of_c(path);
        FILE *f = is_input ? stdin : fopen(path, "rb");
        if (f == NULL)
                return optional && errno == ENOENT ? 0 : file_trouble("cannot be opened", g->path);
        int status = read_stream(g, f, &text, &n);
        if (f != stdin)
                fclose(f);
        if (status == 0)
                status = take_text(g, str_of(text, n));
        ++*files;
        free(text);
        return status;
}

static int join_path(char out[PATH_ROOM], const char *folder, const char *name)
{
        size_t n = strlen(folder);
        const char *between = n > 0 && folder[n - 1] == '/' ? "" : "/";
        int made = snprintf(out, PATH_ROOM, "%s%s%s", folder, between, name);
        return made > 0 && made < PATH_ROOM ? 0 : ptt_say(1, "too long a name", str_of_c(name));
}

static bool is_file(const char *path)
{
        struct stat st;
        return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* Each file of a folder, which need not be there. */
static int read_all(struct gathered *g, const char *folder, size_t *files)
{
        char path[PATH_ROOM];
        int status = 0;
        DIR *d = opendir(folder);
        if (d == NULL)
                return errno == ENOENT ? 0 : file_trouble("cannot be opened", str_of_c(folder));
        for (struct dirent *e = readdir(d); status == 0 && e != NULL; e = readdir(d)) {
                if (e->d_name[0] == '.')
                        continue;
                status = join_path(path, folder, e->d_name);
                if (status == 0 && is_file(path))
                        status = read_file(g, path, false, files);
        }
        closedir(d);
        return status;
}

static int read_folder(struct gathered *g, const char *folder)
{
        const char *const *names = import_folder(g->format);
        char path[PATH_ROOM];
        size_t files = 0;
        int status = 0;
        if (names == NULL)
                return ptt_say(1, "that is a folder", str_of_c(folder));
        for (; status == 0 && *names != NULL; names++) {
                struct str name = str_of_c(*names);
                status = join_path(path, folder, *names);
                if (status == 0)
                        status = name.p[name.n - 1] == '/' ? read_all(g, path, &files)
                                                           : read_file(g, path, true, &files);
        }
        return status != 0 || files > 0
                       ? status
                       : ptt_say(1, "no list of that format in the folder", str_of_c(folder));
}

static int read_path(struct gathered *g, struct str argument)
{
        char path[PATH_ROOM];
        struct stat st;
        size_t files = 0;
        if (argument.n >= sizeof path)
                return ptt_say(1, "too long a name", argument);
        memcpy(path, argument.p, argument.n);
        path[argument.n] = 0;
        return stat(path, &st) == 0 && S_ISDIR(st.st_mode) ? read_folder(g, path)
                                                           : read_file(g, path, false, &files);
}

static int read_paths(struct gathered *g)
{
        const struct options *o = &g->ptt->options;
        size_t files = 0;
        int status = o->arguments_count > 2 ? 0 : read_file(g, "", false, &files);
        for (size_t i = 2; status == 0 && i < o->arguments_count; i++)
                status = read_path(g, o->arguments[i]);
        return status;
}

static int import_all(struct gathered *g)
{
        struct store *s;
        struct str domain;
        int status = ptt_domain(g->ptt, false, &domain);
        if (status == 0)
                status = read_paths(g);
        if (status == 0)
                status = ptt_open(g->ptt, &s);
        if (status != 0)
                return status;
        status = ptt_import_into(g, s, g->ptt->options.arguments[1]);
        store_close(s);
        return status;
}

int ptt_import(struct ptt *p)
{
        struct gathered g = {.ptt = p};
        struct str format;
        if (options_value(&p->options, "from", &format) && import_format_of(format, &g.format) != ERR_OK)
                return ptt_say(EXIT_USAGE, "--from is not mailman2, mailman3, mlmmj or sympa", format);
        int status = import_all(&g);
        for (struct block *b = g.pool, *next; b != NULL; b = next) {
                next = b->next;
                free(b);
        }
        free(g.people);
        free(g.left);
        return status;
}
