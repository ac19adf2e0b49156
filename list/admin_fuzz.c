/* SPDX-License-Identifier: ISC */
/* Commands of the admin: the first line is the subject. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "list/admin.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Slices of the input, and what was read says the same again. */
static void look_at(const struct admin_command *c, const char *text, size_t n)
{
        struct admin_commands again;
        char line[1024];
        struct wr w;
        bool is_inside = c->line.n == 0 || (c->line.p >= text && c->line.p + c->line.n <= text + n);
        CHECK(is_inside || c->kind == ADMIN_HELP);
        CHECK(c->message >= 0 && c->rows <= ADMIN_ROWS_MAX);
        if (c->kind == ADMIN_HOLD || c->kind == ADMIN_DROP)
                CHECK(c->message > 0);
        if (c->kind != ADMIN_WRONG) {
                admin_commands_read(c->line, S(""), &again);
                CHECK(again.count == 1 && again.list[0].kind == c->kind);
                CHECK(again.list[0].message == c->message && again.list[0].rows == c->rows);
        }
        wr_init(&w, line, sizeof line);
        admin_outcome_write(&w, c, ADMIN_DONE);
        CHECK(wr_end(&w) == ERR_OK && w.n > 0 && line[w.n - 1] == '\n');
        for (size_t i = 0; i + 1 < w.n; i++)
                CHECK((unsigned char)line[i] >= ' ');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct admin_commands commands;
        struct str subject, text;
        char *copy = malloc(size > 0 ? size : 1); /* of its exact size */
        if (!copy)
                return 0;
        if (size > 0)
                memcpy(copy, data, size);
        (void)str_cut(str_of(copy, size), '\n', &subject, &text);
        admin_commands_read(subject, text, &commands);
        CHECK(commands.count > 0 && commands.count <= ADMIN_COMMANDS_MAX);
        for (size_t i = 0; i < commands.count; i++)
                look_at(&commands.list[i], copy, size);
        free(copy);
        return 0;
}
