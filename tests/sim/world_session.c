/* SPDX-License-Identifier: ISC */
/* A dialogue of a scenario: lines as they stand to port 25 of a node, and lines that must come. */
#include "tests/sim/world_inside.h"

#include <string.h>

#include "base/wr.h"

#define LINE_MAX 2048
#define ANSWER_MS (5 * 60 * 1000)
#define SMTP_PORT 25

struct dialogue {
        struct host *host;
        struct host_tcp *tcp;
        int64_t deadline_ms;
        char bytes[LINE_MAX];
        size_t n;
};

static enum err say(struct dialogue *d, struct str line)
{
        char text[LINE_MAX];
        struct wr w;
        wr_init(&w, text, sizeof text);
        wr_str(&w, line);
        wr_str(&w, S("\r\n"));
        enum err e = wr_end(&w);
        return e != ERR_OK ? e : host_tcp_write(d->host, d->tcp, wr_text(&w), d->deadline_ms);
}

/* The next line without its CRLF, into `line`; what lies behind it stays. */
static enum err hear(struct dialogue *d, char line[LINE_MAX], struct str *out)
{
        for (;;) {
                size_t end = str_find(str_of(d->bytes, d->n), S("\r\n")), got;
                if (end < d->n) {
                        memcpy(line, d->bytes, end);
                        *out = str_of(line, end);
                        d->n -= end + 2;
                        memmove(d->bytes, d->bytes + end + 2, d->n);
                        return ERR_OK;
                }
                if (d->n == LINE_MAX)
                        return ERR_LIMIT;
                enum err e = host_tcp_read(
                        d->host, d->tcp, d->bytes + d->n, LINE_MAX - d->n, d->deadline_ms, &got);
                if (e != ERR_OK)
                        return e;
                d->n += got;
        }
}

/* False: it is over. */
static bool play_line(struct world *w, struct dialogue *d, const struct statement *t)
{
        char line[LINE_MAX];
        struct str pattern = statement_argument(t, 0), got = S("");
        d->deadline_ms = sim_now(w->sim) + ANSWER_MS;
        enum err e = t->verb == VERB_CLIENT ? say(d, pattern) : hear(d, line, &got);
        if (e != ERR_OK)
                world_broken(w, "dialogue", "line %u: %s", t->line, err_text(e));
        else if (t->verb == VERB_SERVER && !scenario_matches(pattern, got))
                world_broken(w, "dialogue", "line %u: got %.*s", t->line, STR_ARG(got));
        else
                return true;
        return false;
}

void play_session(struct world *w, size_t at)
{
        const struct statement *said = &w->s->statements[at];
        struct machine *from = world_machine(w, statement_argument(said, 0));
        struct machine *to = world_machine(w, statement_argument(said, 1));
        struct ip_port port = {to->ip, SMTP_PORT};
        struct dialogue *d = world_alloc(w, sizeof *d);
        d->host = sim_node_host(from->node);
        d->deadline_ms = sim_now(w->sim) + ANSWER_MS;
        enum err e = host_connect(d->host, &port, d->deadline_ms, &d->tcp);
        if (e != ERR_OK) {
                world_broken(w, "dialogue", "line %u: %s", said->line, err_text(e));
                return;
        }
        for (size_t i = at + 1; i < w->s->count; i++) {
                const struct statement *t = &w->s->statements[i];
                if ((t->verb != VERB_CLIENT && t->verb != VERB_SERVER) || !play_line(w, d, t))
                        break;
        }
        host_tcp_close(d->host, d->tcp);
}
