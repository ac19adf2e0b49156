/* SPDX-License-Identifier: ISC */
/* Received-SPF: what is read can be written, and reads as the same again; what is made of any input can be, too. */
#include <stdint.h>
#include <stdlib.h>

#include "auth/received_spf.h"
#include "base/check.h"
#include "mail/header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_same(const struct received_spf *a, const struct received_spf *b)
{
        CHECK(a->result == b->result && str_eq(a->receiver, b->receiver) &&
                str_eq(a->client_ip, b->client_ip));
        CHECK(str_eq(a->envelope_from, b->envelope_from) && str_eq(a->helo, b->helo));
        CHECK(str_eq(a->identity, b->identity) && str_eq(a->mechanism, b->mechanism));
        CHECK(str_eq(a->problem, b->problem));
}

static enum err parse(struct str body, char **room, struct received_spf *out)
{
        struct wr w;
        *room = malloc(body.n + 1);
        CHECK(*room);
        wr_init(&w, *room, body.n);
        return received_spf_parse(body, &w, out);
}

static enum err check_written(const struct received_spf *r, size_t size)
{
        struct received_spf again;
        struct mail_field field;
        struct wr w;
        size_t cap = 4 * size + 1024, at = 0;
        char *text = malloc(cap), *room;
        CHECK(text);
        wr_init(&w, text, cap);
        enum err e = received_spf_write(&w, r);
        CHECK(e != ERR_SPACE);
        if (e == ERR_OK) {
                CHECK(mail_item_next(wr_text(&w), &at, &field) == MAIL_ITEM_FIELD && at == w.n);
                CHECK(parse(field.body, &room, &again) == ERR_OK);
                check_same(r, &again);
                free(room);
        }
        free(text);
        return e;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct str text = str_of(data, size);
        struct received_spf r;
        char *room, made[RECEIVED_SPF_ROOM];
        struct wr w;
        enum err e = parse(text, &room, &r);
        CHECK(e == ERR_OK || e == ERR_SYNTAX);
        if (e == ERR_OK)
                (void)check_written(&r, size); /* controls in quotes and long words cannot be written */
        free(room);

        struct spf_input in = {
                .ip = ip_v4(192, 0, 2, 1), .sender = text, .helo = text, .receiver = str_take(text, 40)};
        struct spf_verdict v = {.result = size % SPF_RESULT_COUNT,
                .fault = size % SPF_FAULT_COUNT,
                .is_helo = size % 2,
                .domain = text,
                .term = text};
        wr_init(&w, made, sizeof made);
        CHECK(received_spf_make(&in, &v, &w, &r) == ERR_OK);
        CHECK(check_written(&r, RECEIVED_SPF_ROOM) == ERR_OK);
        return 0;
}
