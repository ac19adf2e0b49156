/* SPDX-License-Identifier: ISC */
#include "list/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

struct reading {
        const char *name;
        enum route_kind route;
        const char *token, *subject, *text;
        const char *commands; /* as write_command writes them, parted by a space and a bar */
};

/* What is in force for all cases: the standard settings, but for a footer of this. */
#define FOOTER "a footer that is long enough to be folded by a mail program that folds"

static const struct reading readings[] = {
        /* Routes that need no text. */
        {"subscribe", ROUTE_SUBSCRIBE, "", "leave", "who\n", "join"},
        {"unsubscribe", ROUTE_UNSUBSCRIBE, "", "", "", "leave"},
        {"subscribers", ROUTE_SUBSCRIBERS, "", "", "", "who"},
        {"help", ROUTE_HELP, "", "", "", "help"},
        {"confirm", ROUTE_CONFIRM, "x", "", "leave\n", "confirm"},
        {"accept", ROUTE_ACCEPT, "x", "", "", "accept"},
        {"reject", ROUTE_REJECT, "x", "", "", "reject"},

        /* NAME-remove-USER=DOMAIN. */
        {"remove", ROUTE_REMOVE, "ann=a.example", "", "", "remove ann@a.example"},
        {"remove with = in the local part", ROUTE_REMOVE, "a=b=a.example", "", "", "remove a=b@a.example"},
        {"remove with a plus", ROUTE_REMOVE, "ann+x=a.example", "", "", "remove ann+x@a.example"},
        {"remove nobody", ROUTE_REMOVE, "ann", "", "", "wrong no-address"},
        {"remove no address", ROUTE_REMOVE, "ann=", "", "", "wrong no-address"},
        {"remove with a hard space behind", ROUTE_REMOVE, "a=b.example\xc2\xa0", "", "", "wrong no-address"},
        {"remove two", ROUTE_REMOVE, "a@b=c", "", "", "wrong no-address"},

        /* NAME-request: the subject. */
        {"subject", ROUTE_REQUEST, "", "join", "", "join"},
        {"subject in capitals", ROUTE_REQUEST, "", "JOIN", "", "join"},
        {"subject of an answer", ROUTE_REQUEST, "", "Re: re:  help ", "", "help"},
        {"subject with an address", ROUTE_REQUEST, "", "remove <ann@a.example>", "", "remove ann@a.example"},
        {"subject, and more below", ROUTE_REQUEST, "", "who", "\nban x@y.example\nleave\nregards\nhelp\n",
                "who | ban x@y.example | leave"},
        {"subject, and an empty line", ROUTE_REQUEST, "", "who", "help\n\nleave\n", "who | help"},
        {"subject, and a person's text", ROUTE_REQUEST, "", "join", "Dear list,\nleave\n", "join"},
        {"subject, and a wrong line", ROUTE_REQUEST, "", "who", "remove\nleave\n", "who"},
        {"subject, and more lines than are read", ROUTE_REQUEST, "", "who",
                "\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\nhelp\nleave\n", "who | help"},
        {"subject that only begins like one", ROUTE_REQUEST, "", "who can help me?", "join\n", "join"},
        {"subject that only begins like one, alone", ROUTE_REQUEST, "", "who can help me?", "",
                "wrong unknown"},
        {"subject without an address", ROUTE_REQUEST, "", "remove", "", "wrong no-address"},
        {"nothing at all", ROUTE_REQUEST, "", "", "", "help"},
        {"nothing but white space", ROUTE_REQUEST, "", "Re: \xc2\xa0", "\n \r\n\xc2\xa0\n", "help"},
        {"nothing but what was quoted", ROUTE_REQUEST, "", "", "> who\n", "help"},
        {"subject of another language", ROUTE_REQUEST, "", "inscription", "\n\n", "wrong unknown"},

        /* NAME-request: the text. */
        {"several", ROUTE_REQUEST, "", "", "join\r\nwho\r\n", "join | who"},
        {"other words for the same", ROUTE_REQUEST, "", "", "subscribe\nunsubscribe\n", "join | leave"},
        {"an own address", ROUTE_REQUEST, "", "", "join ann@a.example\nleave <ann@a.example>\n",
                "join ann@a.example | leave ann@a.example"},
        {"no line end", ROUTE_REQUEST, "", "", "leave", "leave"},
        {"white space", ROUTE_REQUEST, "", "", "\n \t leave \xc2\xa0\n", "leave"},
        {"a byte order mark", ROUTE_REQUEST, "", "", "\xef\xbb\xbfleave\n", "leave"},
        {"end at an empty line", ROUTE_REQUEST, "", "", "\n\nleave\n\nwho\n", "leave"},
        {"end at a signature", ROUTE_REQUEST, "", "", "leave\n-- \nwho\n", "leave"},
        {"end at a bare signature", ROUTE_REQUEST, "", "", "leave\n--\nwho\n", "leave"},
        {"a signature first", ROUTE_REQUEST, "", "", "-- \nwho\n", "help"},
        {"quoted lines", ROUTE_REQUEST, "", "", "> who\nleave\n", "leave"},
        {"wrong lines", ROUTE_REQUEST, "", "", "frobnicate\nban\nban x\nwho x\nban a@b.example\n",
                "wrong unknown | wrong no-address | wrong no-address | wrong unknown | ban a@b.example"},
        {"twenty lines", ROUTE_REQUEST, "", "",
                "help\nhelp\nhelp\nhelp\nhelp\nhelp\nhelp\nhelp\nhelp\nhelp\nhelp\nhelp\nhelp\nhelp\nhelp\nhe"
                "lp\n"
                "help\nhelp\nhelp\nwho\nleave\n",
                "help | help | help | help | help | help | help | help | help | help | help | help | help | "
                "help "
                "| help | help | help | help | help | who"},
        {"a quoted local part", ROUTE_REQUEST, "", "", "unban \"a b\"@c.example\n",
                "unban \"a b\"@c.example"},

        /* NAME-settings. */
        {"nothing to set", ROUTE_SETTINGS, "", "Re: settings", "Hello,\n\nthanks.\n", "show-settings"},
        {"one setting", ROUTE_SETTINGS, "", "", "posting: open\n", "set posting=open"},
        {"with =", ROUTE_SETTINGS, "", "", "posting=open\r\n", "set posting=open"},
        {"with white space", ROUTE_SETTINGS, "", "", "  Posting  :  open  \n", "set posting=open"},
        {"the same value again", ROUTE_SETTINGS, "", "", "posting: subscribers\n", "set posting=subscribers"},
        {"a colon in the value", ROUTE_SETTINGS, "", "", "subject-prefix: [a: b=c]\n",
                "set subject-prefix=[a: b=c]"},
        {"wrong value", ROUTE_SETTINGS, "", "", "posting: perhaps\n", "wrong wrong"},
        {"no value", ROUTE_SETTINGS, "", "", "posting:\n", "wrong wrong"},
        {"too large", ROUTE_SETTINGS, "", "", "max-message: 0\n", "wrong too-long"},
        {"wrong name", ROUTE_SETTINGS, "", "", "postign: open\nwho: nobody\n",
                "wrong unknown | set who=nobody"},
        {"prose with colons", ROUTE_SETTINGS, "", "", "Hello: everybody\nschrieb:\n", "show-settings"},
        {"prose that begins with A", ROUTE_SETTINGS, "", "", "Archived: x\n", "show-settings"},
        {"quoted and untouched", ROUTE_SETTINGS, "", "", "> posting: subscribers\n> # who may post\n",
                "show-settings"},
        {"quoted and changed", ROUTE_SETTINGS, "", "",
                "> posting: open\n> # who may post (subscribers | open)\n>footer: " FOOTER "\n",
                "set posting=open"},
        {"quoted and folded", ROUTE_SETTINGS, "", "",
                "> footer: a footer that is long enough to be folded by a\nmail program that folds\n",
                "show-settings"},
        {"quoted and cut by its author", ROUTE_SETTINGS, "", "", "> footer: a footer\n",
                "set footer=a footer"},
        {"quoted and wrong", ROUTE_SETTINGS, "", "", "> posting: all\n", "wrong wrong"},
        {"quoted twice", ROUTE_SETTINGS, "", "", "> > posting: open\n>> who: nobody\n", "show-settings"},
        {"quoted below an own line", ROUTE_SETTINGS, "", "", "who: nobody\n> posting: open\n",
                "set who=nobody"},
        {"comments", ROUTE_SETTINGS, "", "", "# posting: open\n", "show-settings"},
        {"a signature", ROUTE_SETTINGS, "", "", "who: nobody\n-- \nposting: open\n", "set who=nobody"},
        {"a header above the text", ROUTE_SETTINGS, "", "",
                "posting: open\n\nFrom: ptt-settings@mailingl.st\nSent: Monday\nReply-To: ptt@mailingl.st\n",
                "set posting=open"},
        {"reply-to as a setting", ROUTE_SETTINGS, "", "", "reply-to: list\n", "set reply-to=list"},
        {"broken UTF-8", ROUTE_SETTINGS, "", "", "footer: \xff\n", "wrong wrong"},

        /* NAME-options. */
        {"options", ROUTE_OPTIONS, "", "", "", "show-options"},
        {"an option", ROUTE_OPTIONS, "", "", "nomail: on\nOwn-Posts = OFF\n",
                "option nomail=on | option own-posts=off"},
        {"an option in the subject", ROUTE_OPTIONS, "", "nomail on", "", "option nomail=on"},
        {"an option that nobody may set", ROUTE_OPTIONS, "", "", "approved: on\n", "wrong unknown"},
        {"an option without a name", ROUTE_OPTIONS, "", "", ": on\n", "show-options"},
        {"a wrong value of an option", ROUTE_OPTIONS, "", "", "nomail: maybe\n", "wrong wrong"},
        {"an unknown option, quoted", ROUTE_OPTIONS, "", "", "> nomali: on\n", "show-options"},
        {"prose about options", ROUTE_OPTIONS, "", "", "Hello there\nDear: on\n", "show-options"},
        {"options quoted", ROUTE_OPTIONS, "", "", "> nomail: on\n", "option nomail=on"},

        /* NAME-why. */
        {"why, in the subject", ROUTE_WHY, "", "<a@b.example>", "", "why a@b.example"},
        {"why, without brackets", ROUTE_WHY, "", "why a@b.example", "", "why a@b.example"},
        {"why, in the text", ROUTE_WHY, "", "why", "what of\nMessage-ID: <x.1@b.example>\n<y@z>\n",
                "why x.1@b.example"},
        {"why, quoted", ROUTE_WHY, "", "", "> <x@b.example>\n", "wrong unknown"},
        {"why of nothing", ROUTE_WHY, "", "", "", "wrong unknown"},
        {"why of something hidden", ROUTE_WHY, "", "<a\x01@b>", "", "wrong unknown"},
};

static void write_kind(struct wr *w, const struct command *c)
{
        static const char *const kinds[COMMAND_KINDS] = {"join", "leave", "help", "who", "remove", "ban",
                "unban", "show-settings", "set", "show-options", "option", "why", "confirm", "accept",
                "reject", "wrong"};
        wr_str(w, str_of_c(kinds[c->kind]));
}

static void write_command(struct wr *w, const struct command *c)
{
        write_kind(w, c);
        if (c->address.n > 0 || c->kind == COMMAND_WHY || c->kind == COMMAND_WRONG)
                wr_byte(w, ' ');
        wr_str(w, c->address);
        if (c->kind == COMMAND_WRONG)
                wr_str(w, outcome_word(c->fault));
        if (c->kind == COMMAND_SET || c->kind == COMMAND_OPTION) {
                wr_byte(w, ' ');
                wr_str(w, c->kind == COMMAND_SET ? str_of_c(settings[c->setting].name)
                                                 : member_option_name(c->option));
                wr_byte(w, '=');
        }
        wr_str(w, c->value);
        if (c->kind == COMMAND_OPTION)
                wr_str(w, c->on ? S("on") : S("off"));
}

static struct str copy(struct str s)
{
        char *p = malloc(s.n > 0 ? s.n : 1);
        assert_non_null(p);
        memcpy(p, s.p, s.n);
        return str_of(p, s.n);
}

static void free_str(struct str s)
{
        free((void *)(uintptr_t)s.p);
}

static void read_all(const struct reading *r, struct str text, struct wr *w)
{
        static struct commands commands;
        struct setting_values in_force;
        char memory[512];
        struct arena arena;
        struct command_input in = {.route = r->route,
                .token = copy(str_of_c(r->token)),
                .subject = copy(str_of_c(r->subject)),
                .text = copy(text),
                .in_force = &in_force};
        setting_values_init(&in_force);
        setting_values_put(&in_force, S("footer"), S(FOOTER));
        arena_init(&arena, memory, sizeof memory);
        assert_int_equal(commands_read(&in, &arena, &commands), ERR_OK);
        assert_true(commands.count > 0 && commands.count <= COMMANDS_MAX);
        for (size_t i = 0; i < commands.count; i++) {
                if (i > 0)
                        wr_str(w, S(" | "));
                write_command(w, &commands.list[i]);
        }
        wr_byte(w, '\0');
        free_str(in.token);
        free_str(in.subject);
        free_str(in.text);
}

static void test_what_mails_ask_for(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof readings / sizeof readings[0]; i++) {
                const struct reading *r = &readings[i];
                char text[2048];
                struct wr w;
                wr_init(&w, text, sizeof text);
                read_all(r, str_of_c(r->text), &w);
                if (strcmp(text, r->commands) != 0)
                        print_error("%s\n", r->name);
                assert_string_equal(text, r->commands);
        }
}

static void test_every_prefix_says_something(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof readings / sizeof readings[0]; i++)
                for (size_t n = 0; n < strlen(readings[i].text); n++) {
                        char text[2048];
                        struct wr w;
                        wr_init(&w, text, sizeof text);
                        read_all(&readings[i], str_of(readings[i].text, n), &w);
                        assert_int_equal(wr_end(&w), ERR_OK);
                }
}

static void test_more_than_one_message_may_have(void **state)
{
        (void)state;
        static struct commands commands;
        static char text[COMMAND_TEXT_MAX + 100];
        struct setting_values in_force;
        struct arena arena;
        struct wr w;
        setting_values_init(&in_force);
        wr_init(&w, text, sizeof text);
        while (w.cap - w.n > 20)
                wr_str(&w, S("posting: open\n"));
        struct command_input in = {
                .route = ROUTE_SETTINGS, .subject = S(""), .text = wr_text(&w), .in_force = &in_force};
        arena_init(&arena, NULL, 0);
        assert_int_equal(commands_read(&in, &arena, &commands), ERR_OK);
        assert_int_equal(commands.count, COMMANDS_MAX);
        assert_int_equal(commands.list[COMMANDS_MAX - 2].kind, COMMAND_SET);
        assert_int_equal(commands.list[COMMANDS_MAX - 1].kind, COMMAND_WRONG);
        assert_int_equal(commands.list[COMMANDS_MAX - 1].fault, OUTCOME_TOO_MUCH);
}

static void test_no_memory(void **state)
{
        (void)state;
        static struct commands commands;
        struct arena arena;
        struct command_input in = {
                .route = ROUTE_REMOVE, .token = S("a=b.example"), .subject = S(""), .text = S("")};
        arena_init(&arena, NULL, 0);
        assert_int_equal(commands_read(&in, &arena, &commands), ERR_MEMORY);
}

static void test_kept_commands_come_back(void **state)
{
        (void)state;
        static const char kept[] = "remove \"a b\"@a.example\nban b@b.example\nunban c@c.example\n"
                                   "set subject-prefix [a b: c]\nset posting open\n";
        static const char *const wrong[] = {"join\n", "set\n", "set posting\n", "set posting perhaps\n",
                "set postign open\n", "sit posting open\n", "remove\n", "\n", "who\n",
                "ban x@y.example\nset who all\n"};
        static struct commands commands;
        char text[1024];
        struct wr w;
        commands.count = 0;
        assert_int_equal(commands_read_kept(str_of_c(kept), &commands), ERR_OK);
        assert_int_equal(commands.count, 5);
        wr_init(&w, text, sizeof text);
        for (size_t i = 0; i < commands.count; i++)
                command_write(&w, &commands.list[i]);
        assert_true(str_eq(wr_text(&w), str_of_c(kept)));
        for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
                assert_int_equal(commands_read_kept(str_of_c(wrong[i]), &commands), ERR_SYNTAX);
                assert_int_equal(commands.count, 5);
        }
        while (commands.count < COMMANDS_MAX)
                assert_int_equal(commands_read_kept(S("ban a@b.example\n"), &commands), ERR_OK);
        assert_int_equal(commands_read_kept(S("ban a@b.example\n"), &commands), ERR_LIMIT);
        assert_int_equal(commands.count, COMMANDS_MAX);
        wr_init(&w, text, 20);
        command_write(&w, &commands.list[0]);
        assert_true(wr_end(&w) == ERR_SPACE && w.n == 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_what_mails_ask_for),
                cmocka_unit_test(test_every_prefix_says_something),
                cmocka_unit_test(test_more_than_one_message_may_have),
                cmocka_unit_test(test_no_memory),
                cmocka_unit_test(test_kept_commands_come_back),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
