/* SPDX-License-Identifier: ISC */
/* Reads Authentication-Results fields for tests/suites. On standard input the size of a field on a line, then the field
 * itself, with its name and CRLF. For each, lines with parts parted by tabs:
 *     error TEXT
 * or
 *     field ID VERSION
 *     result METHOD VERSION RESULT pass-or-other REASON
 *     property PTYPE NAME VALUE          of the result before it
 * and then "end". What was read is written, and must read as the same again. */
#include <stdio.h>
#include <stdlib.h>

#include "auth/authres.h"
#include "base/check.h"

static enum err parse(struct str body, char **room, struct authres *out)
{
        struct wr w;
        *room = malloc(body.n + 1);
        CHECK(*room);
        wr_init(&w, *room, body.n);
        return authres_parse(body, &w, out);
}

static void print(const struct authres *a)
{
        printf("field\t%.*s\t%u\n", STR_ARG(a->id), a->version);
        for (size_t i = 0; i < a->count; i++) {
                const struct authres_result *r = &a->results[i];
                printf("result\t%.*s\t%u\t%.*s\t%s\t%.*s\n", STR_ARG(r->method), r->version,
                        STR_ARG(r->result), authres_is(r, S("pass")) ? "pass" : "other", STR_ARG(r->reason));
                for (size_t k = r->first; k < r->first + r->count; k++)
                        printf("property\t%.*s\t%.*s\t%.*s\n", STR_ARG(a->properties[k].ptype),
                                STR_ARG(a->properties[k].name), STR_ARG(a->properties[k].value));
        }
}

static void check_again(const struct authres *a)
{
        static struct authres again; /* large */
        char text[65536], *room;
        struct mail_field field;
        struct wr w;
        size_t at = 0;
        wr_init(&w, text, sizeof text);
        CHECK(authres_write(&w, S("Authentication-Results"), 0, a) == ERR_OK);
        CHECK(mail_item_next(wr_text(&w), &at, &field) == MAIL_ITEM_FIELD && at == w.n);
        CHECK(parse(field.body, &room, &again) == ERR_OK);
        CHECK(str_eq(a->id, again.id) && a->count == again.count &&
                a->property_count == again.property_count);
        for (size_t i = 0; i < a->property_count; i++)
                CHECK(str_eq(a->properties[i].value, again.properties[i].value));
        free(room);
}

int main(void)
{
        static struct authres a; /* large */
        char line[32], *room;
        uint64_t size;
        while (fgets(line, sizeof line, stdin)) {
                struct mail_field field;
                size_t at = 0;
                CHECK(str_to_u64(str_trim(str_of_c(line)), 1 << 20, &size) == ERR_OK);
                char *text = malloc(size + 1);
                CHECK(text && fread(text, 1, size, stdin) == size);
                CHECK(mail_item_next(str_of(text, size), &at, &field) == MAIL_ITEM_FIELD && at == size);
                enum err e = parse(field.body, &room, &a);
                if (e == ERR_OK) {
                        print(&a);
                        check_again(&a);
                } else {
                        printf("error\t%s\n", err_text(e));
                }
                printf("end\n");
                fflush(stdout);
                free(room);
                free(text);
        }
        return 0;
}
