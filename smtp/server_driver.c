/* SPDX-License-Identifier: ISC */
/* Plays sessions from standard input to the server engine, for scripts. A line of input is a group of bytes with
 * escapes (\r \n \\ \xHH), fed when the replies to the group before it are there; an empty line ends the session.
 * Then its events and, behind "> ", the lines it said are printed, and an empty line. Argument 1 (default 0) seeds how
 * groups are cut: 0 whole, 1 byte by byte. */
#include <stdio.h>

#include "smtp/server_play.h"

static void print_output(struct str output)
{
        struct str line;
        while (output.n > 0) {
                str_cut(output, '\n', &line, &output);
                printf("> %.*s\n", STR_ARG(str_trim(line)));
        }
}

static void print_session(struct server_play *p)
{
        if (!p->is_closed)
                server_play_end_of_input(p);
        printf("%.*s", STR_ARG(play_str(&p->events)));
        print_output(play_str(&p->output));
        printf("\n");
        server_play_free(p);
}

int main(int argc, char **argv)
{
        static char line[1 << 16];
        struct smtp_server_config config = server_play_config();
        struct server_play p;
        uint64_t seed = 0;
        bool is_open = false;
        if (argc > 1 && str_to_u64(str_of_c(argv[1]), UINT32_MAX, &seed) != ERR_OK)
                return 64;
        uint32_t cut = (uint32_t)seed;
        config.message_max = 0;
        while (fgets(line, sizeof line, stdin)) {
                struct str text = str_trim(str_of_c(line));
                struct play_text bytes = {0};
                if (text.n == 0 && is_open) {
                        print_session(&p);
                        is_open = false;
                        continue;
                }
                if (!is_open)
                        server_play_begin(&p, &config);
                is_open = true;
                play_unescape(&bytes, text);
                server_play_feed(&p, play_str(&bytes), &cut);
                play_free(&bytes);
        }
        if (is_open)
                print_session(&p);
        return 0;
}
