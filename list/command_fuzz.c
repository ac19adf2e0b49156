/* SPDX-License-Identifier: ISC */
#include "base/check.h"
#include "base/utf8.h"
#include "list/command.h"
#include "mail/address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a request keeps of a command is the same when it is read again. */
static void check_kept(const struct command *c)
{
        static struct commands again;
        char text[1024];
        struct wr w;
        wr_init(&w, text, sizeof text);
        command_write(&w, c);
        again.count = 0;
        CHECK(wr_end(&w) == ERR_OK && commands_read_kept(wr_text(&w), &again) == ERR_OK && again.count == 1);
        CHECK(again.list[0].kind == c->kind && again.list[0].setting == c->setting);
        CHECK(str_eq(again.list[0].address, c->address) && str_eq(again.list[0].value, c->value));
}

static void check_outcome(const struct command *c)
{
        char text[1024];
        struct wr w;
        struct str in, line;
        enum outcome o;
        wr_init(&w, text, sizeof text);
        outcome_line_write(&w, c->fault, c->line);
        in = wr_text(&w);
        CHECK(outcome_line_read(&in, &o, &line) == ERR_OK && o == c->fault && in.n == 0);
        CHECK(line.n <= OUTCOME_LINE_MAX && utf8_is_valid(line));
}

static void check(const struct command *c)
{
        struct mail_address address;
        CHECK(c->kind < COMMAND_KINDS);
        if (c->address.n > 0)
                CHECK(mail_mailbox_parse(c->address, MAIL_UTF8, &address) == ERR_OK);
        if (c->kind == COMMAND_SET)
                CHECK(setting_check(&settings[c->setting], c->value) == ERR_OK);
        if (c->kind == COMMAND_OPTION)
                CHECK(c->option == OPTION_NOMAIL || c->option == OPTION_OWN_POSTS);
        if (c->kind == COMMAND_SET || c->kind == COMMAND_REMOVE || c->kind == COMMAND_BAN ||
                c->kind == COMMAND_UNBAN)
                check_kept(c);
        check_outcome(c);
}

/* The first byte chooses the route, the next line is subject and token, the rest is the text. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static struct commands commands;
        static char memory[65536];
        struct arena arena;
        struct setting_values in_force;
        struct command_input in = {.in_force = &in_force};
        if (size == 0 || size > sizeof memory / 2)
                return 0;
        in.route = ROUTE_SUBSCRIBE + data[0] % (ROUTE_REJECT - ROUTE_SUBSCRIBE + 1);
        (void)str_cut(str_of(data + 1, size - 1), '\n', &in.subject, &in.text);
        in.token = in.subject;
        setting_values_init(&in_force);
        arena_init(&arena, memory, sizeof memory);
        CHECK(commands_read(&in, &arena, &commands) == ERR_OK);
        CHECK(commands.count > 0 && commands.count <= COMMANDS_MAX);
        for (size_t i = 0; i < commands.count; i++)
                check(&commands.list[i]);
        commands.count = 0;
        CHECK(commands_read_kept(in.text, &commands) == ERR_OK || commands.count == 0);
        for (size_t i = 0; i < commands.count; i++)
                check(&commands.list[i]);
        return 0;
}
