/* SPDX-License-Identifier: ISC */
#include "serve/text_in.h"

#include <stdlib.h>
#include <string.h>

#include "list/command.h"
#include "mail/encoded_word.h"
#include "mail/mime.h"

#define SUBJECT_MAX 1000 /* octets of a subject that are looked at */

void text_in_begin(struct text_in *t, struct str header)
{
        t->room = header.n + COMMAND_TEXT_MAX;
        t->message = malloc(t->room);
        t->is_out_of_memory = !t->message;
        if (!t->message)
                return;
        memcpy(t->message, header.p, header.n);
        t->n = header.n;
}

void text_in_got(struct text_in *t, struct str body)
{
        size_t left = t->room - t->n;
        if (!t->message)
                return;
        t->is_too_large = t->is_too_large || body.n > left;
        body = str_take(body, left);
        if (body.n > 0)
                memcpy(t->message + t->n, body.p, body.n);
        t->n += body.n;
}

void text_in_drop(struct text_in *t)
{
        free(t->message);
        *t = (struct text_in){0};
}

struct smtp_reply text_in_refusal(const struct text_in *t)
{
        if (t->is_out_of_memory)
                return smtp_reply_of(452, 3, 1, S("out of memory, try again later"));
        if (t->is_too_large)
                return smtp_reply_of(554, 3, 4, S("commands have at most 64 KiB"));
        return (struct smtp_reply){0};
}

void text_in_read(const struct text_in *t, struct wr *w)
{
        if (t->message)
                (void)mime_text_read(str_of(t->message, t->n), w);
}

struct str text_in_subject(const struct mail_header *header, struct arena *a)
{
        const struct mail_field *field = mail_header_first(header, S("Subject"));
        char *room = arena_alloc(a, SUBJECT_MAX);
        struct wr w;
        if (!field || !room)
                return S("");
        wr_init(&w, room, SUBJECT_MAX);
        mail_text_decode(&w, str_trim(field->body));
        return wr_text(&w);
}
