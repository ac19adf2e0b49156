/* SPDX-License-Identifier: ISC */
/* ptt import and export: the subscribers of a list from and to a file. An import is read whole, each line judged, before
 * the image is opened; then all of it is one change. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app/ptt.h"
#include "base/ascii.h"
#include "mail/address.h"

#define PAGE 1000
#define READ_STEP (1024 * 1024)

/* The text of the file, and the addresses found in it; `pool` holds their bytes. */
struct reading {
        struct ptt *ptt;
        struct str name; /* of the file, for messages */
        char *text;
        size_t text_n, text_cap;
        char *pool;
        size_t pool_n;
        struct str *addresses;
        size_t count, cap;
        size_t line;   /* from 1 */
        size_t column; /* of the address in CSV */
        bool is_sympa;
};

static int no_memory(void)
{
        return ptt_say(1, "out of memory", S(""));
}

/* Files. */

/* "-" and no name are the standard stream. */
static FILE *open_file(struct str path, const char *mode, FILE *standard)
{
        char name[4096];
        if (path.n == 0 || str_eq(path, S("-")))
                return standard;
        if (path.n >= sizeof name) {
                errno = ENAMETOOLONG;
                return NULL;
        }
        memcpy(name, path.p, path.n);
        name[path.n] = 0;
        return fopen(name, mode);
}

static int file_trouble(const char *what, struct str path)
{
        fprintf(stderr, "ptt: %s: ", what);
        ptt_text(stderr, path.n > 0 ? path : S("-"));
        fprintf(stderr, ": %s\n", strerror(errno));
        return 1;
}

static int read_text(struct reading *r, FILE *f)
{
        size_t got = 1;
        while (got > 0) {
                if (r->text_cap - r->text_n < READ_STEP) {
                        size_t cap = r->text_cap * 2 + READ_STEP;
                        char *text = realloc(r->text, cap);
                        if (text == NULL)
                                return no_memory();
                        r->text = text;
                        r->text_cap = cap;
                }
                got = fread(r->text + r->text_n, 1, r->text_cap - r->text_n, f);
                r->text_n += got;
        }
        return ferror(f) ? file_trouble("cannot be read", r->name) : 0;
}

static int read_file(struct reading *r)
{
        FILE *f = open_file(r->name, "rb", stdin);
        if (f == NULL)
                return file_trouble("cannot be opened", r->name);
        int status = read_text(r, f);
        if (f != stdin)
                fclose(f);
        return status;
}

/* Lines. */

static int wrong_line(struct reading *r, struct str line)
{
        fprintf(stderr, "ptt: line %zu of ", r->line);
        ptt_text(stderr, r->name.n > 0 ? r->name : S("-"));
        fputs(" is not an email address: ", stderr);
        ptt_text(stderr, str_take(line, 100));
        fputs("\n", stderr);
        return 1;
}

static int keep(struct reading *r, struct str address)
{
        if (r->count == r->cap) {
                size_t cap = r->cap * 2 + 1024;
                struct str *addresses = realloc(r->addresses, cap * sizeof *addresses);
                if (addresses == NULL)
                        return no_memory();
                r->addresses = addresses;
                r->cap = cap;
        }
        memcpy(r->pool + r->pool_n, address.p, address.n);
        r->addresses[r->count++] = str_of(r->pool + r->pool_n, address.n);
        r->pool_n += address.n;
        return 0;
}

/* "a@b", "Name <a@b>", "<a@b>". */
static int take_address(struct reading *r, struct str text)
{
        char room[PTT_EMAIL_MAX];
        struct str address;
        struct mail_mailbox mailbox;
        enum err err = ptt_email(text, room, &address);
        if (err == ERR_SYNTAX && mail_address_parse(text, &mailbox) == ERR_OK) {
                struct wr w;
                char plain[PTT_EMAIL_MAX];
                wr_init(&w, plain, sizeof plain);
                mail_address_write(&w, &mailbox.address);
                err = wr_end(&w) == ERR_OK ? ptt_email(wr_text(&w), room, &address) : ERR_SYNTAX;
        }
        /* written, it is never longer than the text it was found in */
        return err != ERR_OK || address.n > text.n ? wrong_line(r, text) : keep(r, address);
}

static bool is_separator(char c)
{
        return c == ',' || c == ';' || c == '\t';
}

/* One field of a line of CSV (RFC 4180), without its quotes; what stands in quotes has no doubled ones that matter. */
static struct str next_field(struct str *line)
{
        struct str rest = str_trim(*line);
        if (rest.n > 0 && rest.p[0] == '"') {
                struct str inside = str_skip(rest, 1);
                size_t end = str_find_byte(inside, '"');
                rest = str_skip(inside, end + 1);
                size_t n = 0;
                while (n < rest.n && !is_separator(rest.p[n]))
                        n++;
                *line = str_skip(rest, n + 1);
                return str_trim(str_take(inside, end));
        }
        size_t n = 0;
        while (n < line->n && !is_separator(line->p[n]))
                n++;
        struct str field = str_take(*line, n);
        *line = str_skip(*line, n + 1);
        return str_trim(field);
}

static bool is_title(struct str field)
{
        static const char *const titles[] = {
                "email", "e-mail", "address", "email address", "e-mail address", "mail"};
        for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++)
                if (str_eq_nocase(field, str_of_c(titles[i])))
                        return true;
        return false;
}

/* The titles of CSV say which column it is; without any, it is the first one. */
static bool take_titles(struct reading *r, struct str line)
{
        for (size_t i = 0; line.n > 0; i++)
                if (is_title(next_field(&line))) {
                        r->column = i;
                        return true;
                }
        return false;
}

static int take_csv(struct reading *r, struct str line)
{
        struct str field = S(""), rest = line;
        for (size_t i = 0; i <= r->column; i++)
                field = next_field(&rest);
        return field.n > 0 ? take_address(r, field) : wrong_line(r, line);
}

/* sympa's dump has a line `email ADDRESS` in each paragraph. */
static int take_sympa(struct reading *r, struct str line)
{
        return str_has_prefix_nocase(line, S("email ")) ? take_address(r, str_trim(str_skip(line, 6))) : 0;
}

static bool is_csv(struct str line)
{
        for (size_t i = 0; i < line.n; i++)
                if (is_separator(line.p[i]))
                        return line.p[0] != '<' && str_find_byte(line, '<') == line.n;
        return false;
}

static int take_line(struct reading *r, struct str line, bool is_first)
{
        line = str_trim(line);
        if (line.n == 0 || line.p[0] == '#')
                return 0;
        if (r->is_sympa)
                return take_sympa(r, line);
        if (is_first && take_titles(r, line))
                return 0;
        return r->column > 0 || is_csv(line) ? take_csv(r, line) : take_address(r, line);
}

static int take_lines(struct reading *r)
{
        struct str rest = str_of(r->text, r->text_n), line;
        bool is_first = true;
        if (str_has_prefix(rest, S("\xef\xbb\xbf"))) /* a byte order mark */
                rest = str_skip(rest, 3);
        r->pool = malloc(rest.n + 1);
        if (r->pool == NULL)
                return no_memory();
        for (int status = 0; rest.n > 0; is_first = is_first && str_trim(line).n == 0) {
                (void)str_cut(rest, '\n', &line, &rest);
                r->line++;
                status = take_line(r, line, is_first);
                if (status != 0)
                        return status;
        }
        return 0;
}

/* import */

static int compare_nocase(const void *a, const void *b)
{
        const struct str *x = a, *y = b;
        for (size_t i = 0; i < x->n && i < y->n; i++) {
                int c = (unsigned char)ascii_lower(x->p[i]), d = (unsigned char)ascii_lower(y->p[i]);
                if (c != d)
                        return c - d;
        }
        return x->n < y->n ? -1 : x->n > y->n;
}

static int import_into(struct reading *r, struct store *s, struct str name)
{
        struct ptt_progress progress = {.what = "importing"};
        struct store_list list;
        size_t changed;
        int status = ptt_list(r->ptt, s, name, &list);
        if (status != 0)
                return status;
        if (r->count > 0)
                qsort(r->addresses, r->count, sizeof *r->addresses, compare_nocase);
        struct store_roll roll = {.change = STORE_ADD_MEMBER,
                .lists = &list.id,
                .list_count = 1,
                .addresses = r->addresses,
                .address_count = r->count,
                .now_ms = host_wall_ms(r->ptt->host),
                .progress = ptt_progress,
                .ctx = &progress};
        enum err err = store_roll_change(s, &roll, &changed);
        ptt_progress_end(&progress);
        if (err != ERR_OK)
                return ptt_trouble(r->ptt, err);
        printf("%zu added, %zu already there\n", changed, r->count - changed);
        return 0;
}

static int import_read(struct reading *r, struct str name)
{
        struct store *s;
        struct str domain;
        int status = ptt_domain(r->ptt, false, &domain);
        if (status == 0)
                status = read_file(r);
        if (status == 0)
                status = take_lines(r);
        if (status == 0)
                status = ptt_open(r->ptt, &s);
        if (status != 0)
                return status;
        status = import_into(r, s, name);
        store_close(s);
        return status;
}

int ptt_import(struct ptt *p)
{
        static const char *const formats[] = {"mailman2", "mailman3", "mlmmj", "sympa"};
        struct reading r = {.ptt = p};
        struct str format;
        bool is_known = !options_value(&p->options, "from", &format);
        for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++)
                is_known = is_known || str_eq(format, str_of_c(formats[i]));
        if (!is_known)
                return ptt_say(EXIT_USAGE, "--from is not mailman2, mailman3, mlmmj or sympa", format);
        if (p->options.arguments_count > 3)
                return ptt_say(EXIT_USAGE, "unexpected argument", p->options.arguments[3]);
        r.is_sympa = str_eq(format, S("sympa"));
        r.name = p->options.arguments_count > 2 ? p->options.arguments[2] : S("");
        int status = import_read(&r, p->options.arguments[1]);
        free(r.text);
        free(r.pool);
        free(r.addresses);
        return status;
}

/* export */

static enum err write_members(struct ptt *p, struct store *s, int64_t list, FILE *to)
{
        struct store_member *members;
        int64_t after = 0;
        size_t count = PAGE;
        enum err err = ERR_OK;
        while (err == ERR_OK && count == PAGE) {
                size_t used = p->arena.used;
                err = store_members(s, list, after, PAGE, &p->arena, &members, &count);
                for (size_t i = 0; i < count; i++) {
                        fwrite(members[i].address.p, 1, members[i].address.n, to);
                        fputc('\n', to);
                        after = members[i].id;
                }
                p->arena.used = used;
        }
        return err;
}

static int export_open(struct ptt *p, struct store *s, struct str path)
{
        struct store_list list;
        int status = ptt_list(p, s, p->options.arguments[1], &list);
        if (status != 0)
                return status;
        FILE *to = open_file(path, "wb", stdout);
        if (to == NULL)
                return file_trouble("cannot be made", path);
        enum err err = write_members(p, s, list.id, to);
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
        if (p->options.arguments_count > 3)
                return ptt_say(EXIT_USAGE, "unexpected argument", p->options.arguments[3]);
        int status = ptt_domain(p, false, &domain);
        if (status == 0)
                status = ptt_open(p, &s);
        if (status != 0)
                return status;
        status = export_open(p, s, p->options.arguments_count > 2 ? p->options.arguments[2] : S(""));
        store_close(s);
        return status;
}
