/* SPDX-License-Identifier: ISC */
#include "app/blaze_message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app/blaze.h"

#define ROOM (MAIL_HEADER_MAX + 4 * BLAZE_CHUNK)

/* One chunk of the input behind `into`, LF made CRLF where asked: at most 2 * BLAZE_CHUNK bytes. */
static enum err read_chunk(struct blaze_message *m, char *into, size_t *n)
{
        char raw[BLAZE_CHUNK];
        size_t got = fread(raw, 1, sizeof raw, m->in);
        *n = 0;
        if (got == 0)
                return ferror(m->in) ? ERR_IO : ERR_EOF;
        for (size_t at = 0; at < got;) {
                struct str rest = str_of(raw + at, got - at);
                size_t plain = m->is_lf ? str_find_byte(rest, '\n') : rest.n;
                memcpy(into + *n, rest.p, plain);
                *n += plain;
                at += plain;
                if (plain > 0)
                        m->after_cr = rest.p[plain - 1] == '\r';
                if (at == got)
                        break;
                if (!m->after_cr)
                        into[(*n)++] = '\r';
                into[(*n)++] = '\n';
                m->after_cr = false;
                at++;
        }
        return ERR_OK;
}

/* The header section and the piece of the body that came with it. */
static enum err read_header(struct blaze_message *m)
{
        struct mail_header_end end;
        enum err e = ERR_AGAIN;
        mail_header_end_init(&end);
        while (e == ERR_AGAIN) {
                size_t n, used;
                e = read_chunk(m, m->bytes + m->bytes_n, &n);
                if (e != ERR_OK)
                        break;
                e = mail_header_end_got(&end, str_of(m->bytes + m->bytes_n, n), &used);
                m->bytes_n += n;
        }
        if (e != ERR_OK && e != ERR_EOF) /* at the end of the input without an empty line all is header */
                return e;
        return mail_header_index(str_of(m->bytes, m->bytes_n), m->fields, MAIL_FIELDS_MAX, &m->header);
}

/* What is read from a pipe goes to a temporary file, and is read from there. */
static enum err keep_input(struct blaze_message *m)
{
        m->start = ftello(m->in);
        m->kept = true;
        if (m->start >= 0 && fseeko(m->in, m->start, SEEK_SET) == 0)
                return ERR_OK;
        FILE *copy = tmpfile();
        char raw[BLAZE_CHUNK];
        bool good = copy;
        for (size_t n = 1; good && n > 0;) {
                n = fread(raw, 1, sizeof raw, m->in);
                good = fwrite(raw, 1, n, copy) == n && !ferror(m->in);
        }
        good = good && fflush(copy) == 0 && fseeko(copy, 0, SEEK_SET) == 0;
        if (!good) {
                if (copy)
                        fclose(copy);
                return ERR_IO;
        }
        if (m->is_ours)
                fclose(m->in);
        m->in = copy;
        m->is_ours = true;
        m->start = 0;
        return ERR_OK;
}

static bool open_input(struct blaze_message *m, struct str path)
{
        char name[4096];
        if (path.n == 0 || str_eq(path, S("-"))) {
                m->in = stdin;
                return true;
        }
        if (path.n < sizeof name) {
                memcpy(name, path.p, path.n);
                name[path.n] = '\0';
                m->in = fopen(name, "rb");
        } else {
                errno = ENAMETOOLONG;
        }
        m->is_ours = m->in;
        if (!m->in)
                blaze_fail("%.*s: %s", STR_ARG(path), strerror(errno));
        return m->in;
}

static bool complain(enum err e)
{
        if (e == ERR_LIMIT)
                blaze_fail("The header of the message is too long");
        else if (e != ERR_OK)
                blaze_fail("The message cannot be read: %s", err_text(e));
        return e == ERR_OK;
}

bool blaze_message_open(struct blaze_message *m, const struct options *o, bool keep)
{
        struct str newline, path = o->arguments_count > 0 ? o->arguments[0] : S("");
        *m = (struct blaze_message){0};
        bool given = options_value(o, "newline", &newline);
        m->is_lf = !given || str_eq(newline, S("lf"));
        if (!m->is_lf && !str_eq(newline, S("crlf"))) {
                blaze_fail("--newline is lf or crlf, not %.*s", STR_ARG(newline));
                return false;
        }
        if (!open_input(m, path))
                return false;
        m->bytes = malloc(ROOM);
        m->fields = calloc(MAIL_FIELDS_MAX, sizeof *m->fields);
        if (!m->bytes || !m->fields)
                return complain(ERR_MEMORY);
        if (keep && !complain(keep_input(m)))
                return false;
        return complain(read_header(m));
}

enum err blaze_message_body(struct blaze_message *m, struct str *out)
{
        size_t n = 0;
        *out = S("");
        if (!m->first_given) {
                m->first_given = true;
                *out = str_skip(str_of(m->bytes, m->bytes_n), m->header.body_at);
                if (out->n > 0)
                        return ERR_OK;
        }
        char *into = m->bytes + ROOM - 2 * BLAZE_CHUNK; /* behind every header */
        enum err e = read_chunk(m, into, &n);
        *out = str_of(into, n);
        return e;
}

enum err blaze_message_copy(struct blaze_message *m, FILE *to)
{
        char raw[BLAZE_CHUNK];
        if (fseeko(m->in, m->start, SEEK_SET) != 0)
                return ERR_IO;
        for (;;) {
                size_t n = fread(raw, 1, sizeof raw, m->in);
                if (n == 0)
                        return ferror(m->in) ? ERR_IO : ERR_OK;
                if (fwrite(raw, 1, n, to) != n)
                        return ERR_IO;
        }
}

void blaze_message_close(struct blaze_message *m)
{
        if (m->is_ours)
                fclose(m->in);
        free(m->bytes);
        free(m->fields);
}
