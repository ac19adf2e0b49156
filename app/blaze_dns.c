/* SPDX-License-Identifier: ISC */
#include "app/blaze_dns.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/blaze.h"
#include "base/ascii.h"
#include "host/linux/linux.h"

#define ARENA_SIZE (4 * DNS_ANSWER_ROOM)
#define LINE_MAX_SIZE 65536

/* "nameserver IP" lines; what else stands there is not for us. */
static void read_resolv_conf(struct blaze_dns *d)
{
        char line[1024];
        FILE *f = fopen("/etc/resolv.conf", "r");
        while (f && d->servers_count < RESOLVER_SERVERS_MAX && fgets(line, sizeof line, f)) {
                struct str text = str_trim(str_of_c(line));
                if (!str_has_prefix(text, S("nameserver")) || text.n < 11 || !ascii_is_wsp(text.p[10]))
                        continue;
                if (dns_server_parse(str_trim(str_skip(text, 10)), &d->servers[d->servers_count]) == ERR_OK)
                        d->servers_count++;
        }
        if (f)
                fclose(f);
}

static bool read_servers(struct blaze_dns *d, const struct options *o)
{
        struct str text;
        for (size_t i = 0; options_nth(o, "nameserver", i, &text); i++) {
                if (i == RESOLVER_SERVERS_MAX) {
                        blaze_fail("More than %d name servers", RESOLVER_SERVERS_MAX);
                        return false;
                }
                if (dns_server_parse(text, &d->servers[i]) != ERR_OK) {
                        blaze_fail("Not a name server: %.*s", STR_ARG(text));
                        return false;
                }
                d->servers_count = i + 1;
        }
        if (d->servers_count == 0)
                read_resolv_conf(d);
        return true;
}

bool blaze_dns_init(struct blaze_dns *d, const struct options *o)
{
        *d = (struct blaze_dns){.folder = getenv("BLAZE_DNS_STATIC"), .memory = malloc(ARENA_SIZE)};
        if (!d->memory) {
                blaze_fail("Out of memory");
                return false;
        }
        arena_init(&d->arena, d->memory, ARENA_SIZE);
        return read_servers(d, o);
}

void blaze_dns_drop(struct blaze_dns *d)
{
        free(d->memory);
}

static void trouble(struct blaze_txt *q, enum err why)
{
        q->status = BLAZE_TXT_TROUBLE;
        q->why = why;
}

static void keep_text(struct blaze_dns *d, struct blaze_txt *q, struct str text)
{
        if (q->count == BLAZE_TEXTS_MAX || arena_copy(&d->arena, text, &q->texts[q->count]) != ERR_OK)
                trouble(q, ERR_LIMIT);
        else
                q->count++;
}

/* The file NAME.dns, the name as it is asked for or in lower case. NULL when there is none. Names hold no '/'. */
static FILE *open_static(const struct blaze_dns *d, struct str name)
{
        char path[4096], lower[DNS_NAME_MAX];
        struct wr w;
        wr_init(&w, lower, sizeof lower);
        wr_lower(&w, name);
        struct str forms[] = {name, wr_text(&w)};
        FILE *f = NULL;
        for (size_t i = 0; !f && i < sizeof forms / sizeof forms[0]; i++)
                if (snprintf(path, sizeof path, "%s/%.*s.dns", d->folder, STR_ARG(forms[i])) <
                        (int)sizeof path)
                        f = fopen(path, "r");
        return f;
}

/* Its lines "txt:..." are the records. */
static void ask_folder(struct blaze_dns *d, struct blaze_txt *q)
{
        char line[LINE_MAX_SIZE];
        FILE *f = open_static(d, q->name);
        if (!f && errno != ENOENT)
                trouble(q, ERR_IO);
        while (f && fgets(line, sizeof line, f)) {
                struct str text = str_of_c(line);
                while (text.n > 0 && (text.p[text.n - 1] == '\n' || text.p[text.n - 1] == '\r'))
                        text.n--;
                if (str_has_prefix_nocase(text, S("txt:")))
                        keep_text(d, q, str_skip(text, 4));
        }
        if (f)
                fclose(f);
}

/* One question in flight. */
struct asking {
        struct blaze_dns *dns;
        struct blaze_txt *question;
        struct resolver *resolver;
};

static void ask_one(void *arg)
{
        struct asking *a = arg;
        struct blaze_txt *q = a->question;
        struct dns_name name;
        struct dns_answer answer = {0};
        enum err e = dns_name_parse(q->name, &name);
        if (e == ERR_OK)
                e = resolver_lookup(a->resolver, &name, DNS_TYPE_TXT, FIBER_NEVER, &a->dns->arena, &answer);
        for (size_t i = 0; e == ERR_OK && i < answer.count; i++)
                keep_text(a->dns, q, answer.values[i].text);
        if (e != ERR_OK)
                trouble(q, e);
}

struct round {
        struct blaze_dns *dns;
        struct host *host;
        struct blaze_txt *list;
        size_t count;
};

static void ask_servers(void *arg)
{
        struct round *r = arg;
        struct resolver_config config = {.servers = r->dns->servers, .server_count = r->dns->servers_count};
        struct resolver *resolver = resolver_new(r->host, &config);
        struct asking asking[DKIM_SIGNATURES_MAX];
        struct scope scope;
        scope_open(&scope, r->host->sched, host_now_ms(r->host) + BLAZE_DNS_WAIT_MS);
        for (size_t i = 0; i < r->count; i++) {
                enum err e = resolver ? ERR_OK : ERR_MEMORY;
                asking[i] = (struct asking){r->dns, &r->list[i], resolver};
                if (e == ERR_OK)
                        e = scope_spawn(&scope, "question", ask_one, &asking[i]);
                if (e != ERR_OK)
                        trouble(&r->list[i], e);
        }
        scope_join(&scope);
        if (resolver)
                resolver_free(resolver);
}

void blaze_dns_ask(struct blaze_dns *d, struct blaze_txt *list, size_t count)
{
        struct round round = {d, NULL, list, count};
        for (size_t i = 0; i < count; i++) {
                list[i].count = 0;
                list[i].status = BLAZE_TXT_FOUND;
                if (d->folder)
                        ask_folder(d, &list[i]);
                else if (d->servers_count == 0)
                        trouble(&list[i], ERR_NOT_FOUND);
        }
        if (!d->folder && d->servers_count > 0 && count > 0) {
                round.host = linux_host_new(NULL);
                if (round.host)
                        linux_host_run(round.host, ask_servers, &round);
                for (size_t i = 0; !round.host && i < count; i++)
                        trouble(&list[i], ERR_MEMORY);
                if (round.host)
                        linux_host_free(round.host);
        }
        for (size_t i = 0; i < count; i++)
                if (list[i].status == BLAZE_TXT_FOUND && list[i].count == 0)
                        list[i].status = BLAZE_TXT_NONE;
}
