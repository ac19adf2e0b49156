/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "auth/dkim_signature.h"
#include "auth/tags.h"
#include "base/limits.h"

static void flush(struct dkim_hash *g)
{
        sha256_update(&g->sha, str_of(g->text, g->n));
        g->n = 0;
}

static void got(void *arg, struct str bytes)
{
        struct dkim_hash *g = arg;
        if (bytes.n > sizeof g->text - g->n)
                flush(g);
        if (bytes.n > sizeof g->text) {
                sha256_update(&g->sha, bytes);
                return;
        }
        memcpy(g->text + g->n, bytes.p, bytes.n);
        g->n += bytes.n;
}

/* The signature's own field is no instance of its name (5.4). */
static bool is_instance(const struct mail_field *f, struct str name, struct str own)
{
        return f->name.n == name.n && str_eq_nocase(f->name, name) && f->raw.p != own.p;
}

/* Where the search for the name `at` begins, going up: above the instance that the same name took before (5.4.2). */
static size_t search_start(
        const struct mail_header *header, const struct str *names, const size_t *ends, size_t at)
{
        for (size_t i = at; i > 0; i--)
                if (names[i - 1].n == names[at].n && str_eq_nocase(names[i - 1], names[at]))
                        return ends[i - 1];
        return header->n;
}

enum err dkim_header_digest(const struct mail_header *header, struct str covered, enum canon canon,
        struct str raw, struct str b_span, uint8_t out[SHA256_SIZE])
{
        struct str names[DKIM_COVERED_MAX];
        size_t ends[DKIM_COVERED_MAX], count = 0;
        struct dkim_hash g = {.n = 0};
        struct canon_sink sink = {got, &g};
        sha256_init(&g.sha);
        while (count < DKIM_COVERED_MAX && tags_item(&covered, &names[count])) {
                size_t end = search_start(header, names, ends, count);
                while (end > 0 && !is_instance(&header->fields[end - 1], names[count], raw))
                        end--;
                if (end > 0) /* 5.4: one that is not there counts as the empty string */
                        canon_field(canon, header->fields[--end].raw, sink);
                ends[count++] = end;
        }
        canon_signature_field(canon, raw, b_span, sink);
        flush(&g);
        return sha256_end(&g.sha, out);
}

void dkim_hash_init(struct dkim_hash *h)
{
        h->n = 0;
        sha256_init(&h->sha);
}

void dkim_hash_drop(struct dkim_hash *h)
{
        sha256_drop(&h->sha);
}

void dkim_hash_field(struct dkim_hash *h, struct str raw)
{
        canon_field(CANON_RELAXED, raw, (struct canon_sink){got, h});
}

enum err dkim_hash_sealed(struct dkim_hash *h, struct str raw, struct str b_span, uint8_t out[SHA256_SIZE])
{
        struct dkim_hash own = {.n = 0};
        flush(h);
        sha256_copy(&h->sha, &own.sha);
        canon_signature_field(CANON_RELAXED, raw, b_span, (struct canon_sink){got, &own});
        flush(&own);
        return sha256_end(&own.sha, out);
}
