/* SPDX-License-Identifier: ISC */
#include "app/blaze_dns.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/blaze.h"
#include "base/ascii.h"
#include "dns/code.h"
#include "host/linux/linux.h"

#define ARENA_SIZE (16 << 20) /* touched as used */
#define ROUND_MAX 64          /* questions asked at once */
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
        dns_known_init(&d->known, &d->arena, BLAZE_QUESTIONS_MAX);
        return read_servers(d, o);
}

void blaze_dns_drop(struct blaze_dns *d)
{
        free(d->memory);
}

/* One question, and what came of it. */
struct question {
        struct dns_name name;
        uint16_t type;
        enum err err;
        struct dns_answer answer;
};

/* The file NAME.dns, the name as it is asked for or in lower case. NULL when there is none. */
static FILE *open_static(const struct blaze_dns *d, const struct dns_name *name)
{
        char path[4096], text[DNS_NAME_TEXT_MAX], lower[DNS_NAME_TEXT_MAX];
        struct wr w, l;
        wr_init(&w, text, sizeof text);
        dns_name_write(&w, name);
        wr_init(&l, lower, sizeof lower);
        wr_lower(&l, wr_text(&w));
        struct str forms[] = {wr_text(&w), wr_text(&l)};
        FILE *f = NULL;
        errno = ENOENT;
        if (str_find_byte(forms[0], '/') < forms[0].n) /* it would lead elsewhere */
                return NULL;
        for (size_t i = 0; !f && i < sizeof forms / sizeof forms[0]; i++)
                if (snprintf(path, sizeof path, "%s/%.*s.dns", d->folder, STR_ARG(forms[i])) <
                        (int)sizeof path)
                        f = fopen(path, "r");
        return f;
}

static struct dns_value *new_value(struct dns_answer *a)
{
        a->status = DNS_FOUND;
        return a->count < BLAZE_TEXTS_MAX ? &a->values[a->count++] : NULL;
}

/* One value of a line; `text` is between white space, or all of a TXT. */
static enum err take_value(struct blaze_dns *d, struct question *q, struct str text)
{
        struct str host, preference;
        uint64_t number = 0;
        struct dns_value *v = new_value(&q->answer);
        if (!v)
                return ERR_LIMIT;
        switch (q->type) {
        case DNS_TYPE_TXT:
                return arena_copy(&d->arena, text, &v->text);
        case DNS_TYPE_A:
        case DNS_TYPE_AAAA:
                if (ip_parse(text, &v->ip) != ERR_OK || v->ip.family != (q->type == DNS_TYPE_A ? 4 : 6))
                        return ERR_SYNTAX;
                return ERR_OK;
        case DNS_TYPE_MX: /* HOST:PREF */
                if (str_cut(text, ':', &host, &preference) &&
                        str_to_u64(preference, UINT16_MAX, &number) != ERR_OK)
                        return ERR_SYNTAX;
                v->mx.preference = (uint16_t)number;
                return dns_name_parse(host, &v->mx.exchange);
        default:
                return dns_name_parse(text, &v->name);
        }
}

/* A line "TYPE:VALUES" of the question's type. */
static enum err take_line(struct blaze_dns *d, struct question *q, struct str line)
{
        struct str type, values, one;
        enum err e = ERR_OK;
        if (!str_cut(line, ':', &type, &values) || !str_eq_nocase(type, dns_type_text(q->type)))
                return ERR_OK;
        if (q->type == DNS_TYPE_TXT)
                return take_value(d, q, values);
        while (e == ERR_OK && values.n > 0) {
                str_cut(values, ' ', &one, &values);
                if (one.n > 0)
                        e = take_value(d, q, one);
        }
        return e;
}

static void ask_folder(struct blaze_dns *d, struct question *q)
{
        char line[LINE_MAX_SIZE];
        FILE *f = open_static(d, &q->name);
        q->answer = (struct dns_answer){
                .status = f ? DNS_NO_DATA : DNS_NO_NAME, .type = q->type, .name = q->name};
        q->answer.values = arena_alloc(&d->arena, BLAZE_TEXTS_MAX * sizeof *q->answer.values);
        q->err = !q->answer.values ? ERR_MEMORY : !f && errno != ENOENT ? ERR_IO : ERR_OK;
        while (f && q->err == ERR_OK && fgets(line, sizeof line, f)) {
                struct str text = str_of_c(line);
                while (text.n > 0 && (text.p[text.n - 1] == '\n' || text.p[text.n - 1] == '\r'))
                        text.n--;
                q->err = take_line(d, q, text);
        }
        if (f)
                fclose(f);
}

/* One question in flight. */
struct asking {
        struct blaze_dns *dns;
        struct question *question;
        struct resolver *resolver;
};

static void ask_one(void *arg)
{
        struct asking *a = arg;
        struct question *q = a->question;
        q->err = resolver_lookup(a->resolver, &q->name, q->type, FIBER_NEVER, &a->dns->arena, &q->answer);
}

struct round {
        struct blaze_dns *dns;
        struct host *host;
        struct question *list;
        size_t count;
};

static void ask_servers(void *arg)
{
        struct round *r = arg;
        struct resolver_config config = {.servers = r->dns->servers, .server_count = r->dns->servers_count};
        struct resolver *resolver = resolver_new(r->host, &config);
        struct asking asking[ROUND_MAX];
        struct scope scope;
        scope_open(&scope, r->host->sched, host_now_ms(r->host) + BLAZE_DNS_WAIT_MS);
        for (size_t i = 0; i < r->count; i++) {
                asking[i] = (struct asking){r->dns, &r->list[i], resolver};
                r->list[i].err = resolver ? scope_spawn(&scope, "question", ask_one, &asking[i]) : ERR_MEMORY;
        }
        scope_join(&scope);
        if (resolver)
                resolver_free(resolver);
}

/* At most ROUND_MAX questions at once. */
static void ask_all(struct blaze_dns *d, struct question *list, size_t count)
{
        struct round round = {d, NULL, list, count};
        for (size_t i = 0; i < count; i++) {
                list[i].err = d->servers_count > 0 ? ERR_MEMORY : ERR_NOT_FOUND;
                if (d->folder)
                        ask_folder(d, &list[i]);
        }
        if (d->folder || d->servers_count == 0 || count == 0)
                return;
        round.host = linux_host_new(NULL);
        if (!round.host)
                return;
        linux_host_run(round.host, ask_servers, &round);
        linux_host_free(round.host);
}

void blaze_dns_answer(struct blaze_dns *d)
{
        struct question list[ROUND_MAX];
        struct dns_fact *facts[ROUND_MAX], *f = NULL;
        size_t count;
        do {
                for (count = 0; count < ROUND_MAX && (f = dns_known_wanted(&d->known, f)); count++) {
                        list[count] = (struct question){.name = f->name, .type = f->type};
                        facts[count] = f;
                }
                ask_all(d, list, count);
                for (size_t i = 0; i < count; i++)
                        dns_known_give(&d->known, facts[i], list[i].err, &list[i].answer);
        } while (count == ROUND_MAX);
}

static void take_texts(struct blaze_dns *d, const struct dns_name *name, struct blaze_txt *out)
{
        const struct dns_answer *answer;
        enum dns_knowledge known = dns_known_get(&d->known, name, DNS_TYPE_TXT, &answer);
        if (known == DNS_KNOWN_NOTHING || known == DNS_KNOWN_NO_NAME)
                out->status = BLAZE_TXT_NONE;
        if (known != DNS_KNOWN_FOUND || answer->count > BLAZE_TEXTS_MAX)
                return;
        out->status = BLAZE_TXT_FOUND;
        out->count = answer->count;
        for (size_t i = 0; i < answer->count; i++)
                out->texts[i] = answer->values[i].text;
}

void blaze_dns_ask(struct blaze_dns *d, struct blaze_txt *list, size_t count)
{
        struct dns_name name;
        for (size_t i = 0; i < count; i++)
                if (dns_name_parse(list[i].name, &name) == ERR_OK)
                        dns_known_get(&d->known, &name, DNS_TYPE_TXT, NULL);
        blaze_dns_answer(d);
        for (size_t i = 0; i < count; i++) {
                list[i].status = BLAZE_TXT_TROUBLE;
                list[i].count = 0;
                if (dns_name_parse(list[i].name, &name) == ERR_OK)
                        take_texts(d, &name, &list[i]);
        }
}
