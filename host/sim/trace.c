/* SPDX-License-Identifier: ISC */
/* The trace: a line an event, formatted only when somebody looks. */
#include <stdarg.h>
#include <stdio.h>

#include "host/sim/inside.h"

enum { LINE_MAX_BYTES = 4096 };

const char *ip_port_text(const struct ip_port *at, char text[IP_PORT_TEXT_MAX])
{
        struct wr w;
        wr_init(&w, text, IP_PORT_TEXT_MAX);
        ip_port_write(&w, at);
        wr_byte(&w, '\0');
        return text;
}

/* "12.345 node event " */
static void write_head(struct wr *w, const struct sim *sim, const struct sim_node *node, const char *event)
{
        uint64_t ms = (uint64_t)(sim->now_ms - SIM_START_MS);
        wr_u64(w, ms / 1000);
        wr_byte(w, '.');
        wr_u64_padded(w, ms % 1000, 3);
        wr_byte(w, ' ');
        wr_str(w, node != NULL ? str_of_c(node->name) : S("-"));
        wr_byte(w, ' ');
        wr_str(w, str_of_c(event));
        wr_byte(w, ' ');
}

/* A line stays a line, whatever a peer said. */
static void blank_controls(char *p, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if ((unsigned char)p[i] < ' ' || p[i] == 0x7f)
                        p[i] = '?';
}

static void emit(struct sim *sim, struct wr *w, size_t n)
{
        blank_controls(w->p, w->n + n);
        w->p[w->n + n] = '\n';
        sim->watch.trace(sim->watch.arg, str_of(w->p, w->n + n + 1));
}

void sim_trace(struct sim *sim, const struct sim_node *node, const char *event, const char *format, ...)
{
        char line[LINE_MAX_BYTES];
        struct wr w;
        if (sim->watch.trace == NULL)
                return;
        wr_init(&w, line, sizeof line);
        write_head(&w, sim, node, event);
        size_t room = sizeof line - w.n;
        va_list arguments;
        va_start(arguments, format);
        int n = vsnprintf(line + w.n, room, format, arguments);
        va_end(arguments);
        size_t length = n > 0 ? (size_t)n : 0;
        emit(sim, &w, length < room ? length : room - 1);
}

void node_console(struct host *h, struct str line)
{
        struct sim_node *node = node_of(h);
        struct sim *sim = node->sim;
        if (node->is_dead)
                return;
        if (sim->watch.console != NULL)
                sim->watch.console(sim->watch.arg, node, line);
        if (sim->watch.trace == NULL)
                return;
        char text[LINE_MAX_BYTES];
        struct wr w;
        wr_init(&w, text, sizeof text - 1);
        write_head(&w, sim, node, "log");
        wr_str(&w, str_take(line, sizeof text - 1 - w.n));
        emit(sim, &w, 0);
}
