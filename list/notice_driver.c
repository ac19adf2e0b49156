/* SPDX-License-Identifier: ISC */
/* Makes notices. Each case is lines "NAME HEX" and an empty line; NAME is kind, list, domain, to, about, text, token, answers,
 * template, post, a setting's name, or "line": one of those that are streamed. An empty HEX is "-". Prints "ok SIZE MESSAGE-ID
 * 8BIT SMTPUTF8", then the message, or "fault" alone. */
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/hex.h"
#include "list/notice_mail.h"

#define FIELDS_MAX 64
#define LINE_MAX_SIZE (1024 * 1024)

struct field {
        struct str name, value;
};

struct driver_case {
        struct field fields[FIELDS_MAX];
        size_t count;
        char *memory;
        size_t used;
};

static struct str value_of(const struct driver_case *c, struct str name)
{
        for (size_t i = 0; i < c->count; i++)
                if (str_eq(c->fields[i].name, name))
                        return c->fields[i].value;
        return S("");
}

static struct str keep(struct driver_case *c, struct str text, bool is_hex)
{
        struct wr w;
        wr_init(&w, c->memory + c->used, LINE_MAX_SIZE - c->used);
        if (!is_hex)
                wr_str(&w, text);
        else if (!str_eq(text, S("-")))
                CHECK(hex_decode(text, &w) == ERR_OK);
        CHECK(!w.full);
        c->used += w.n;
        return wr_text(&w);
}

/* False: the input ended. */
static bool read_case(struct driver_case *c, char *line)
{
        c->count = c->used = 0;
        while (fgets(line, LINE_MAX_SIZE, stdin)) {
                struct str name, hex, text = str_trim(str_of_c(line));
                if (text.n == 0)
                        return true;
                CHECK(c->count < FIELDS_MAX && str_cut(text, ' ', &name, &hex));
                c->fields[c->count].name = keep(c, name, false);
                c->fields[c->count++].value = keep(c, hex, true);
        }
        return c->count > 0;
}

static void print_lines(const struct driver_case *c, struct wr *w)
{
        for (size_t i = 0; i < c->count; i++)
                if (str_eq(c->fields[i].name, S("line")))
                        notice_mail_line(w, c->fields[i].value);
}

static void make(const struct driver_case *c)
{
        static char text[2 * NOTICE_BEFORE_MAX], end[NOTICE_AFTER_MAX];
        static const bool options[MEMBER_OPTIONS] = {[OPTION_OWN_POSTS] = true};
        struct setting_values values;
        struct wr before, after;
        struct notice_made made;
        size_t line;
        struct notice_mail m = {.settings = &values, .options = options, .now_ms = 1795400000000};
        setting_values_init(&values);
        for (size_t i = 0; i < c->count; i++)
                setting_values_put(&values, c->fields[i].name, c->fields[i].value);
        m.kind = notice_kind_of(value_of(c, S("kind")));
        m.list = value_of(c, S("list"));
        m.domain = value_of(c, S("domain"));
        m.to = value_of(c, S("to"));
        m.about = value_of(c, S("about"));
        m.text = value_of(c, S("text"));
        m.token = value_of(c, S("token"));
        m.answers = value_of(c, S("answers"));
        m.template = value_of(c, S("template"));
        struct str post = value_of(c, S("post"));
        for (size_t i = 0; i < post.n; i++)
                m.post_is_8bit = m.post_is_8bit || (uint8_t)post.p[i] > 127;
        wr_init(&before, text, sizeof text);
        wr_init(&after, end, sizeof end);
        CHECK(m.kind < NOTICE_KINDS);
        if ((m.template.n > 0 && notice_template_check(m.kind, m.template, &line) != ERR_OK) ||
                notice_mail_write(&m, &before, &after, &made) != ERR_OK) {
                printf("fault\n");
                return;
        }
        wr_str(&before, post);
        print_lines(c, &before);
        wr_str(&before, wr_text(&after));
        CHECK(!before.full);
        printf("ok %zu %.*s %d %d\n", before.n, STR_ARG(made.message_id), made.is_8bit, made.is_smtputf8);
        fwrite(before.p, 1, before.n, stdout);
}

int main(void)
{
        struct driver_case c = {.memory = malloc(LINE_MAX_SIZE)};
        char *line = malloc(LINE_MAX_SIZE);
        if (!c.memory || !line)
                return 71;
        while (read_case(&c, line))
                make(&c);
        free(line);
        free(c.memory);
        return 0;
}
