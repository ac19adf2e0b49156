/* SPDX-License-Identifier: ISC */
/* ptt ls, cat, get, put and rm: files of the volume. Reading works on any FAT32 volume; writing only on one with our redo
 * area, and not on what the database and the spool are. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "app/ptt.h"
#include "app/ptt_json.h"
#include "base/limits.h"
#include "base/time_text.h"
#include "list/notice_mail.h"
#include "store/volume.h"

#define STEP (1024 * 1024)
#define NEW_NAME S("ptt-put.new") /* until a file that is put is whole */

/* What a command works with. */
struct work {
        struct ptt *ptt;
        struct volume volume;
        struct json json;
        bool is_json, is_long;
        struct fat_entry entry;
        struct fat_file file;
        char bytes[STEP];
};

/* "ptt: WHAT: PATH" for what fat/ says. */
static int trouble(enum err err, struct str path)
{
        switch (err) {
        case ERR_NOT_FOUND:
                return ptt_say(1, "no such file in the image", path);
        case ERR_SYNTAX:
                return ptt_say(1, "not the name of a file there", path);
        case ERR_EXISTS:
                return ptt_say(1, "a folder of that name, or one that is not empty", path);
        case ERR_SEQUENCE:
                return ptt_say(1, "that is the volume itself", path);
        case ERR_FULL:
                return ptt_say(1, "no space left in the image, or on the disk under it", path);
        case ERR_LIMIT:
                return ptt_say(1, "too long a name, or too large a file", path);
        case ERR_CORRUPT:
                return ptt_say(1, "the volume is damaged there", path);
        default:
                return ptt_say(1, err_text(err), path);
        }
}

static int open_refused(struct ptt *p, const struct volume *v, enum err err)
{
        if (err == ERR_DENIED && v->state == FAT_FOREIGN)
                return ptt_refused(p, err, fat_state_text(v->state));
        if (err == ERR_UNSUPPORTED || err == ERR_CORRUPT)
                return ptt_say(1, fat_state_text(v->state), p->options.arguments[0]);
        return ptt_refused(p, err, "");
}

/* Each path in turn, until one fails. */
static int with_each(struct ptt *p, enum volume_user user, int (*fn)(struct work *w, struct str path))
{
        struct work *w = calloc(1, sizeof *w);
        if (w == NULL)
                return ptt_say(1, "out of memory", S(""));
        w->ptt = p;
        w->json = (struct json){stdout, 0, true};
        w->is_json = options_has(&p->options, "json");
        w->is_long = options_has(&p->options, "long");
        int status = 0;
        enum err err = volume_open(&w->volume, p->host, p->options.arguments[0], user);
        if (err != ERR_OK)
                status = open_refused(p, &w->volume, err);
        if (status == 0 && w->is_json)
                json_open(&w->json, NULL, '[');
        for (size_t i = 1; status == 0 && i < p->options.arguments_count; i++)
                status = fn(w, p->options.arguments[i]);
        if (status == 0 && p->options.arguments_count == 1)
                status = fn(w, S(""));
        if (w->is_json && err == ERR_OK)
                json_close(&w->json, ']');
        err = volume_close(&w->volume);
        free(w);
        return status != 0 || err == ERR_OK ? status : ptt_trouble(p, err);
}

/* ls */

static void put_entry(struct work *w, const struct fat_entry *e)
{
        struct str name = str_of(e->name, e->name_n);
        if (w->is_json) {
                json_open(&w->json, NULL, '{');
                json_str(&w->json, "name", name);
                json_bool(&w->json, "folder", e->is_directory);
                json_u64(&w->json, "size", e->size);
                json_time(&w->json, "written", e->written_s * 1000);
                json_close(&w->json, '}');
                return;
        }
        if (w->is_long) {
                char text[32];
                struct wr time;
                wr_init(&time, text, sizeof text);
                time_write_rfc3339(&time, e->written_s * 1000);
                printf("%10" PRIu32 "  %.*s  ", e->size, STR_ARG(wr_text(&time)));
        }
        ptt_text(stdout, name);
        printf("%s\n", e->is_directory ? "/" : "");
}

static int ls_one(struct work *w, struct str path)
{
        struct fat_list list;
        enum err err = fat_stat(w->volume.fat, path, &w->entry);
        if (err == ERR_OK && !w->entry.is_directory) {
                put_entry(w, &w->entry);
                return 0;
        }
        if (err == ERR_OK)
                err = fat_list_open(w->volume.fat, path, &list);
        while (err == ERR_OK) {
                err = fat_list_next(&list, &w->entry);
                if (err == ERR_OK)
                        put_entry(w, &w->entry);
        }
        return err == ERR_EOF ? 0 : trouble(err, path);
}

int ptt_ls(struct ptt *p)
{
        return with_each(p, VOLUME_READER, ls_one);
}

/* cat, get */

static int copy_out(struct work *w, struct str path, FILE *to)
{
        enum err err = fat_file_open(w->volume.fat, &w->file, path, FAT_OPEN, 0);
        if (err != ERR_OK)
                return trouble(err, path);
        size_t got = 1;
        for (uint64_t at = 0; err == ERR_OK && got > 0 && !ferror(to); at += got) {
                err = fat_read(&w->file, at, w->bytes, sizeof w->bytes, &got);
                if (err == ERR_OK)
                        fwrite(w->bytes, 1, got, to);
        }
        fat_file_close(&w->file);
        return err == ERR_OK ? 0 : trouble(err, path);
}

static int cat_one(struct work *w, struct str path)
{
        int status = copy_out(w, path, stdout);
        return status != 0 || !ferror(stdout) ? status : ptt_say(1, "the output cannot be written", S(""));
}

int ptt_cat(struct ptt *p)
{
        return with_each(p, VOLUME_READER, cat_one);
}

static struct str last_part(struct str path)
{
        size_t slash = str_find_last_byte(path, '/');
        return slash == path.n ? path : str_skip(path, slash + 1);
}

/* The file here: the option's value, or the last part of the path. */
static int open_here(
        struct work *w, const char *option, struct str path, const char *mode, FILE *standard, FILE **out)
{
        struct str here;
        char name[4096];
        if (!options_value(&w->ptt->options, option, &here))
                here = last_part(path);
        else if (w->ptt->options.arguments_count > 2)
                return ptt_say(EXIT_USAGE, "one file here goes with one PATH", here);
        *out = standard;
        if (str_eq(here, S("-")))
                return 0;
        if (here.n == 0 || here.n >= sizeof name)
                return ptt_say(1, "not the name of a file", here);
        memcpy(name, here.p, here.n);
        name[here.n] = 0;
        *out = fopen(name, mode);
        return *out != NULL ? 0 : ptt_say(1, strerror(errno), here);
}

static int get_one(struct work *w, struct str path)
{
        FILE *to;
        enum err err = fat_stat(w->volume.fat, path, &w->entry);
        if (err == ERR_OK && w->entry.is_directory)
                err = ERR_SYNTAX;
        if (err != ERR_OK)
                return trouble(err, path);
        int status = open_here(w, "to", path, "wb", stdout, &to);
        if (status != 0)
                return status;
        status = copy_out(w, path, to);
        bool is_written = fflush(to) == 0 && !ferror(to);
        if (to != stdout && fclose(to) != 0)
                is_written = false;
        return status != 0 || is_written ? status : ptt_say(1, "the output cannot be written", path);
}

int ptt_get(struct ptt *p)
{
        return with_each(p, VOLUME_READER, get_one);
}

/* put, rm */

static bool is_ours(struct str path)
{
        while (path.n > 0 && path.p[0] == '/')
                path = str_skip(path, 1);
        return str_eq_nocase(path, S("ptt.db")) || str_eq_nocase(path, S("ptt.db-wal")) ||
               str_eq_nocase(path, S("spool")) || str_has_prefix_nocase(path, S("spool/"));
}

/* The folders on the way to `path`. */
static enum err make_folders(struct work *w, struct str path)
{
        enum err err = ERR_OK;
        for (size_t i = 1; err == ERR_OK && i < path.n; i++)
                if (path.p[i] == '/') {
                        err = fat_mkdir(w->volume.fat, str_take(path, i), volume_now_s(&w->volume));
                        if (err == ERR_EXISTS)
                                err = ERR_OK;
                }
        return err;
}

static enum err copy_in(struct work *w, FILE *from)
{
        int64_t now_s = volume_now_s(&w->volume);
        enum err err = fat_file_open(w->volume.fat, &w->file, NEW_NAME, FAT_OPEN_NEW, now_s);
        if (err != ERR_OK)
                return err;
        size_t got = 1;
        for (uint64_t at = 0; err == ERR_OK && got > 0; at += got) {
                got = fread(w->bytes, 1, sizeof w->bytes, from);
                if (got > 0)
                        err = fat_write(&w->file, at, w->bytes, got, now_s);
        }
        fat_file_close(&w->file);
        return err;
}

/* Templates of the mail that lists write (docs/lists.md): a wrong one would be passed over, so it is refused here. */

/* templates/KIND.LANG.txt, templates/LIST@DOMAIN/KIND.LANG.txt; false: none of these. */
static bool is_template(struct str path, char room[FAT_NAME_UTF8_MAX], struct str *kind)
{
        struct wr w;
        wr_init(&w, room, FAT_NAME_UTF8_MAX);
        while (path.n > 0 && path.p[0] == '/')
                path = str_skip(path, 1);
        if (!str_has_prefix_nocase(path, S("templates/")) || !str_has_suffix_nocase(path, S(".txt")))
                return false;
        wr_lower(&w, last_part(path));
        *kind = str_take(wr_text(&w), str_find_byte(wr_text(&w), '.'));
        return true;
}

static int template_wrong(enum err err, struct str path, size_t line)
{
        const char *what = err == ERR_LIMIT         ? "a template has at most 16384 octets"
                           : err == ERR_UNSUPPORTED ? "a template cannot have that word"
                           : err == ERR_NOT_FOUND   ? "the template lacks a word that this mail needs"
                                                    : "not a template";
        fprintf(stderr, "ptt: %s: line %zu of ", what, line);
        ptt_text(stderr, path);
        fprintf(stderr, "; see docs/lists.md\n");
        return 1;
}

/* What has been copied in is looked at there, since standard input can be read only once. */
static int check_template(struct work *w, struct str path)
{
        char room[FAT_NAME_UTF8_MAX];
        struct str name;
        size_t line = 1, got = 0;
        if (!is_template(path, room, &name))
                return 0;
        enum notice_kind kind = notice_kind_of(name);
        if (kind == NOTICE_KINDS)
                return ptt_say(1, "lists write no mail of that name", path);
        enum err err = fat_file_open(w->volume.fat, &w->file, NEW_NAME, FAT_OPEN, 0);
        if (err != ERR_OK)
                return trouble(err, path);
        err = fat_read(&w->file, 0, w->bytes, sizeof w->bytes, &got);
        fat_file_close(&w->file);
        if (err != ERR_OK)
                return trouble(err, path);
        err = notice_template_check(kind, str_of(w->bytes, got), &line);
        return err == ERR_OK ? 0 : template_wrong(err, path, line);
}

/* A file that was being put when a tool died. */
static enum err drop_new(struct work *w)
{
        enum err err = fat_remove(w->volume.fat, NEW_NAME);
        return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static int put_open(struct work *w, struct str path, FILE *from)
{
        enum err err = drop_new(w);
        if (err == ERR_OK)
                err = copy_in(w, from);
        if (err == ERR_OK && ferror(from)) {
                err = drop_new(w);
                return err == ERR_OK ? ptt_say(1, "the file cannot be read", path) : trouble(err, path);
        }
        int status = err == ERR_OK ? check_template(w, path) : 0;
        if (err == ERR_OK && status == 0)
                err = make_folders(w, path);
        if (err == ERR_OK && status == 0)
                err = fat_rename(w->volume.fat, NEW_NAME, path);
        if (err == ERR_OK && status == 0)
                return 0;
        status = status != 0 ? status : trouble(err, path);
        return drop_new(w) == ERR_OK ? status : 1;
}

static int put_one(struct work *w, struct str path)
{
        FILE *from;
        if (is_ours(path))
                return ptt_say(1, "that is lipap's own", path);
        int status = open_here(w, "from", path, "rb", stdin, &from);
        if (status != 0)
                return status;
        status = put_open(w, path, from);
        if (from != stdin)
                fclose(from);
        return status;
}

int ptt_put(struct ptt *p)
{
        return with_each(p, VOLUME_TOOL, put_one);
}

static int rm_one(struct work *w, struct str path)
{
        if (is_ours(path))
                return ptt_say(1, "that is lipap's own", path);
        enum err err = fat_stat(w->volume.fat, path, &w->entry);
        if (err == ERR_OK)
                err = w->entry.is_directory ? fat_rmdir(w->volume.fat, path)
                                            : fat_remove(w->volume.fat, path);
        return err == ERR_OK ? 0 : trouble(err, path);
}

int ptt_rm(struct ptt *p)
{
        return with_each(p, VOLUME_TOOL, rm_one);
}
