/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "auth/dkim_signature.h"
#include "auth/tags.h"
#include "base/limits.h"

/* Short pieces are gathered: a call of the hash costs more than copying a word. */
struct gather {
        struct sha256 sha;
        size_t n;
        char text[512];
};

static void flush(struct gather *g)
{
        sha256_update(&g->sha, str_of(g->text, g->n));
        g->n = 0;
}

static void got(void *arg, struct str bytes)
{
        struct gather *g = arg;
        if (bytes.n > sizeof g->text - g->n)
                flush(g);
        if (bytes.n > sizeof g->text) {
                sha256_update(&g->sha, bytes);
                return;
        }
        memcpy(g->text + g->n, bytes.p, bytes.n);
        g->n += bytes.n;
}

/* The instance number `nth` from the bottom (5.4.2); the signature's own field is none of them (5.4). */
static const struct mail_field *pick(
        const struct mail_header *header, struct str name, size_t nth, struct str own)
{
        for (size_t i = header->n; i > 0; i--) {
                const struct mail_field *f = &header->fields[i - 1];
                if (f->raw.p != own.p && str_eq_nocase(f->name, name) && nth-- == 0)
                        return f;
        }
        return NULL;
}

enum err dkim_header_digest(const struct mail_header *header, struct str covered, enum canon canon,
        struct str raw, struct str b_span, uint8_t out[SHA256_SIZE])
{
        struct str names[DKIM_COVERED_MAX];
        struct gather g = {.n = 0};
        struct canon_sink sink = {got, &g};
        size_t count = 0;
        sha256_init(&g.sha);
        while (count < DKIM_COVERED_MAX && tags_item(&covered, &names[count])) {
                size_t before = 0;
                for (size_t i = 0; i < count; i++)
                        before += str_eq_nocase(names[i], names[count]);
                const struct mail_field *f = pick(header, names[count], before, raw);
                if (f) /* 5.4: one that is not there counts as the empty string */
                        canon_field(canon, f->raw, sink);
                count++;
        }
        canon_signature_field(canon, raw, b_span, sink);
        flush(&g);
        return sha256_end(&g.sha, out);
}
