/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "serve/inbound_target.h"

static bool make_room(struct inbound_header *h, size_t n)
{
        size_t cap = h->cap == 0 ? 4096 : h->cap;
        while (cap - h->n < n)
                cap *= 2;
        if (cap == h->cap)
                return true;
        char *grown = realloc(h->text, cap);
        if (!grown)
                return false;
        h->text = grown;
        h->cap = cap;
        return true;
}

size_t inbound_header_got(struct inbound_header *h, struct str bytes)
{
        size_t used;
        if (h->is_complete)
                return 0;
        if (h->is_too_large || h->is_out_of_memory || bytes.n == 0)
                return bytes.n;
        if (!h->is_started) {
                mail_header_end_init(&h->end);
                h->is_started = true;
        }
        enum err e = mail_header_end_got(&h->end, bytes, &used);
        if (e != ERR_OK && e != ERR_AGAIN) {
                h->is_too_large = true;
                return bytes.n;
        }
        if (!make_room(h, used)) {
                h->is_out_of_memory = true;
                return bytes.n;
        }
        h->is_complete = e == ERR_OK;
        memcpy(h->text + h->n, bytes.p, used);
        h->n += used;
        return used;
}

void inbound_header_free(struct inbound_header *h)
{
        free(h->text);
        *h = (struct inbound_header){0};
}
