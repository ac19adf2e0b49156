/* SPDX-License-Identifier: ISC */
#include "host/guest/words.h"

#include <stdbool.h>

static bool is_space(char c)
{
        return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* One word from `*from`, its quotes removed, ended by NUL; `*from` goes behind it. */
static enum err take_word(char **from)
{
        char *in = *from, *out = in, quote = 0;
        for (; *in != 0 && (quote != 0 || !is_space(*in)); in++) {
                if (*in == quote)
                        quote = 0;
                else if (quote == 0 && (*in == '"' || *in == '\''))
                        quote = *in;
                else
                        *out++ = *in;
        }
        *from = *in == 0 ? in : in + 1;
        *out = 0;
        return quote == 0 ? ERR_OK : ERR_SYNTAX;
}

enum err words_split(char *line, char **words, size_t cap, size_t *count)
{
        enum err err = ERR_OK;
        *count = 0;
        for (;;) {
                while (is_space(*line))
                        line++;
                if (err != ERR_OK || *line == 0)
                        break;
                if (*count + 1 >= cap)
                        err = ERR_LIMIT;
                else
                        words[(*count)++] = line;
                if (err == ERR_OK)
                        err = take_word(&line);
        }
        words[*count] = NULL;
        return err;
}
