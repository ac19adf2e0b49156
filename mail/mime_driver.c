/* SPDX-License-Identifier: ISC */
/* Reads a message and prints what its text was found in, "plain", "html" or "none", and below that the text. */
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "mail/mime.h"

int main(void)
{
        static const char *const found[] = {"none", "plain", "html"};
        size_t cap = 3 * MAIL_MESSAGE_MAX;
        char *message = malloc(MAIL_MESSAGE_MAX), *text = malloc(cap);
        struct wr w;
        if (!message || !text)
                return 71;
        wr_init(&w, text, cap);
        struct str s = str_of(message, fread(message, 1, MAIL_MESSAGE_MAX, stdin));
        printf("%s\n", found[mime_text_read(s, &w)]);
        fwrite(text, 1, w.n, stdout);
        free(text);
        free(message);
        return 0;
}
