/* SPDX-License-Identifier: ISC */
/* Reads one message and prints a line for each recipient that it names as failed: "permanent ADDRESS STATUS" or
 * "temporary ADDRESS STATUS", "-" for no status; at the end "dsn" or "text". */
#include <stdio.h>
#include <stdlib.h>

#include "mail/bounce.h"

#define MESSAGE_MAX (1u << 20)

int main(void)
{
        char *text = malloc(MESSAGE_MAX);
        struct bounce_work *work = malloc(sizeof *work);
        struct bounce *b = malloc(sizeof *b);
        if (!text || !work || !b)
                return 1;
        bounce_read(str_of(text, fread(text, 1, MESSAGE_MAX, stdin)), work, b);
        for (size_t i = 0; i < b->count; i++) {
                const struct bounce_recipient *r = &b->list[i];
                struct str status = r->status.n > 0 ? r->status : S("-");
                printf("%s %.*s %.*s\n", r->kind == BOUNCE_TEMPORARY ? "temporary" : "permanent",
                        STR_ARG(r->address), STR_ARG(status));
        }
        printf(b->is_dsn ? "dsn\n" : "text\n");
        free(b);
        free(work);
        free(text);
        return 0;
}
