/* SPDX-License-Identifier: ISC */
/* Authentication-Results: what is read can be written, and reads as the same again; its id is found alone, too. */
#include <stdint.h>
#include <stdlib.h>

#include "auth/authres.h"
#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum err parse(struct str body, char **room, struct authres *out)
{
        struct wr w;
        *room = malloc(body.n + 1);
        CHECK(*room);
        wr_init(&w, *room, body.n);
        return authres_parse(body, &w, out);
}

static void check_same(const struct authres *a, const struct authres *b)
{
        CHECK(str_eq(a->id, b->id) && a->count == b->count && a->property_count == b->property_count);
        for (size_t i = 0; i < a->count; i++) {
                const struct authres_result *r = &a->results[i], *s = &b->results[i];
                CHECK(str_eq(r->method, s->method) && r->version == s->version &&
                        str_eq(r->result, s->result));
                CHECK(str_eq(r->reason, s->reason) && r->first == s->first && r->count == s->count);
        }
        for (size_t i = 0; i < a->property_count; i++) {
                const struct authres_property *p = &a->properties[i], *q = &b->properties[i];
                CHECK(str_eq(p->ptype, q->ptype) && str_eq(p->name, q->name) && str_eq(p->value, q->value));
        }
}

static void check_written(const struct authres *a, size_t size)
{
        static struct authres again; /* large */
        struct mail_field field;
        struct wr w;
        size_t cap = 4 * size + 1024, at = 0;
        char *text = malloc(cap), *room;
        CHECK(text);
        wr_init(&w, text, cap);
        enum err e = authres_write(&w, S("Authentication-Results"), 0, a);
        CHECK(e == ERR_OK || e == ERR_SYNTAX || e == ERR_LIMIT); /* controls in quotes, long words */
        if (e == ERR_OK) {
                CHECK(mail_item_next(wr_text(&w), &at, &field) == MAIL_ITEM_FIELD && at == w.n);
                CHECK(parse(field.body, &room, &again) == ERR_OK);
                check_same(a, &again);
                CHECK(authres_is_forged(&field, a->id) || a->id.n > SMTP_DOMAIN_MAX);
                free(room);
        }
        free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static struct authres a; /* large */
        struct str body = str_of(data, size), id;
        struct wr w;
        char *room, *id_room = malloc(size + 1);
        CHECK(id_room);
        wr_init(&w, id_room, size);
        enum err e = parse(body, &room, &a), id_e = authres_id(body, &w, &id);
        CHECK(e != ERR_SPACE && id_e != ERR_SPACE);
        if (e != ERR_SYNTAX)
                CHECK(id_e == ERR_OK && str_eq(id, a.id));
        if (e == ERR_OK)
                check_written(&a, size);
        else
                CHECK(a.count == 0 && a.property_count == 0);
        free(id_room);
        free(room);
        return 0;
}
