/* SPDX-License-Identifier: ISC */
/* Reading commands: what command.c (words of requests) and command_lines.c (`name: value`) share. */
#ifndef LIST_COMMAND_LINES_H
#define LIST_COMMAND_LINES_H

#include "list/command.h"

/* The next command, to be filled; NULL when there is no room: the last one says so then. */
struct command *commands_add(struct commands *c, enum command_kind kind, struct str line);
void commands_add_wrong(struct commands *c, enum outcome fault, struct str line);

/* The line at the head of `*text`, without its end; false: there is none. */
bool command_line_next(struct str *text, struct str *line);
struct str command_trim(struct str s);
bool command_is_signature(struct str line);
enum outcome command_fault_of(enum err e);

void command_read_settings(const struct command_input *in, struct commands *out);
void command_read_options(const struct command_input *in, struct commands *out);

#endif
