/* SPDX-License-Identifier: ISC */
/* Sends messages from standard input through the client engine, for scripts: a line is one message with escapes
 * (\r \n \\ \xHH). Printed is a line each: "sent BYTES" with what went over the wire behind 354, or "refused BYTES"
 * with what went before the message was refused. Argument 1 (default 0) seeds how the message is cut into slices. */
#include <stdio.h>

#include "smtp/client_play.h"

static void send_message(struct str message, uint32_t cut)
{
        struct client_play c;
        struct play_text escaped = {0};
        uint32_t whole = 0;
        enum err e = ERR_OK;
        client_play_begin(&c, false);
        client_play_feed(&c, S("220 mx.test\r\n"), &whole);
        client_play_feed(&c, S("250-mx.test\r\n250 PIPELINING\r\n"), &whole);
        client_play_do(&c, S("mail a@b.test"));
        client_play_do(&c, S("rcpt x@y.test"));
        client_play_do(&c, S("data"));
        client_play_feed(&c, S("250 ok\r\n250 ok\r\n354 go\r\n"), &whole);
        c.output.n = 0;
        while (message.n > 0 && e == ERR_OK) {
                size_t n = play_piece(&cut, message.n);
                e = client_play_body(&c, str_take(message, n));
                message = str_skip(message, n);
        }
        if (e == ERR_OK)
                e = smtp_client_end(c.client);
        client_play_drain(&c);
        play_escape(&escaped, play_str(&c.output));
        printf("%s %.*s\n", e == ERR_OK ? "sent" : "refused", STR_ARG(play_str(&escaped)));
        play_free(&escaped);
        client_play_free(&c);
}

int main(int argc, char **argv)
{
        static char line[1 << 16];
        uint64_t seed = 0;
        if (argc > 1 && str_to_u64(str_of_c(argv[1]), UINT32_MAX, &seed) != ERR_OK)
                return 64;
        while (fgets(line, sizeof line, stdin)) {
                struct play_text bytes = {0};
                play_unescape(&bytes, str_trim(str_of_c(line)));
                send_message(play_str(&bytes), (uint32_t)seed);
                play_free(&bytes);
        }
        return 0;
}
