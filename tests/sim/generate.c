/* SPDX-License-Identifier: ISC */
#include "tests/sim/generate.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "host/sim/random.h"

#define LINE_MAX 256
#define EVENTS_MAX 128
#define HOSTS_MAX 6
#define LISTS_MAX 3
#define AUTHORS_MAX 4

struct happening {
        int64_t at_ms;
        char line[LINE_MAX];
};

struct generator {
        struct wr *w;
        struct sim_random random;
        bool is_dense; /* much in a few minutes, most of it kills */
        unsigned secondaries, signers, lists, hosts, authors;
        bool has_owner[LISTS_MAX];  /* its moderator is the first author, who answers */
        unsigned home[AUTHORS_MAX]; /* the mail host of each author */
        bool has_authors_server;    /* some of their domains are served by nsa alone */
        bool is_slow[AUTHORS_MAX];  /* sends a long letter in days */
        unsigned joiners;           /* names of those who come later */
        int64_t length_ms, calm_ms; /* all tempers are as declared again at calm_ms */
        struct happening events[EVENTS_MAX];
        size_t count;
};

static void put(struct generator *g, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void happen(struct generator *g, int64_t at_ms, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

static void put(struct generator *g, const char *format, ...)
{
        char line[LINE_MAX];
        va_list list;
        va_start(list, format);
        int n = vsnprintf(line, sizeof line, format, list);
        va_end(list);
        CHECK(n > 0 && n < (int)sizeof line);
        wr_str(g->w, str_of(line, (size_t)n));
}

static void happen(struct generator *g, int64_t at_ms, const char *format, ...)
{
        struct happening *e = &g->events[g->count];
        va_list list;
        if (g->count == EVENTS_MAX)
                return;
        g->count++;
        e->at_ms = at_ms;
        va_start(list, format);
        int n = vsnprintf(e->line, sizeof e->line, format, list);
        va_end(list);
        CHECK(n > 0 && n < (int)sizeof e->line);
}

static unsigned below(struct generator *g, unsigned bound)
{
        return (unsigned)sim_random_below(&g->random, bound);
}

static unsigned between(struct generator *g, unsigned least, unsigned most)
{
        return least + below(g, most - least + 1);
}

static bool percent(struct generator *g, unsigned n)
{
        return below(g, 100) < n;
}

static int64_t some_time(struct generator *g)
{
        return (int64_t)sim_random_below(&g->random, (uint64_t)g->length_ms);
}

/* ---- who there is ---- */

static void put_temper(struct generator *g)
{
        unsigned user = below(g, 12);
        switch (below(g, 20)) {
        case 0:
                put(g, " greylist=%um", between(g, 1, 20));
                break;
        case 1:
                put(g, " per-connection=%u", between(g, 1, 3));
                break;
        case 2:
                put(g, " per-hour=%u", between(g, 30, 100));
                break;
        case 3:
                put(g, " storm=%u", between(g, 5, 40));
                break;
        case 4:
                put(g, " banner-delay=%us", between(g, 1, 60));
                break;
        case 5:
                put(g, " read-rate=%u", between(g, 200, 5000));
                break;
        case 6:
                put(g, " drop-before=%u", between(g, 5, 40));
                break;
        case 7:
                put(g, " drop-after=%u", between(g, 5, 40));
                break;
        case 8:
                put(g, " close-after=%u", between(g, 10, 100));
                break;
        case 9:
                put(g, " recipients=%u", between(g, 1, 2));
                break;
        case 10:
                put(g, " pipelining=no");
                break;
        case 11:
                put(g, " ehlo=no");
                break;
        case 12:
                put(g, " bounce=%u", between(g, 5, 50));
                break;
        case 13:
                put(g, " connections=%u", between(g, 1, 3));
                break;
        case 14:
                put(g, " per-minute=%u", between(g, 2, 10));
                break;
        case 15:
                put(g, " chunking=no");
                break;
        case 16:
                put(g, " chatter=%u", between(g, 10, 100));
                break;
        case 17:
                put(g, " forged-bounces=%u", between(g, 10, 100));
                break;
        case 18:
                put(g, " full-users=m%u lost-users=m%u", user, below(g, 12));
                break;
        default:
                put(g, " refused-users=m%u,m%u", user, below(g, 12));
                break;
        }
}

/* A name server for the domains of some people, whose faults are no other's. */
static void put_authors_server(struct generator *g)
{
        static const char *const words[] = {"primary nsa of=", ","};
        bool is_wanted = percent(g, 40);
        for (unsigned i = 1; i <= g->hosts && is_wanted; i++)
                if (percent(g, 50)) {
                        put(g, "%ssub%u.test", words[g->has_authors_server], i);
                        g->has_authors_server = true;
                }
        if (g->has_authors_server)
                put(g, "\n");
}

static void put_servers(struct generator *g)
{
        put(g, "primary ns0\n");
        put_authors_server(g);
        for (unsigned i = 1; i <= g->secondaries; i++) {
                unsigned least = below(g, 5), most = between(g, 5, 90);
                put(g, "secondary ns%u least=%us most=%us\n", i, least, most);
        }
        put(g, "resolver dns\ndomain mailingl.st\n");
        for (unsigned i = 1; i <= g->signers; i++)
                put(g, "signer nec%u\n", i);
        put(g, "lipap mx retry=%um\n", between(g, 1, 8));
}

static void put_mail_hosts(struct generator *g)
{
        for (unsigned i = 1; i <= g->hosts; i++) {
                put(g, "mailhost h%u sub%u.test", i, i);
                if (percent(g, 50))
                        put_temper(g);
                put(g, "\n");
        }
}

static void put_lists(struct generator *g)
{
        static const char *const rules[] = {"", "", "", " first-post=moderated", " posting=open",
                " posting=moderated", " posting=announce"};
        static const char *const ways[] = {"", " subscription=confirm", " subscription=confirm",
                " subscription=open", " subscription=closed"};
        for (unsigned i = 0; i < g->lists; i++) {
                unsigned rule = below(g, 7), way = below(g, 5), host = between(g, 1, g->hosts),
                         members = between(g, 1, 10);
                g->has_owner[i] = rule > 4 || rule == 3 || percent(g, 50);
                put(g, "list list%u@mailingl.st moderator=%s@sub%u.test%s%s\n", i,
                        g->has_owner[i] ? "a0" : "boss", g->has_owner[i] ? g->home[0] : host, rules[rule],
                        ways[way]);
                for (unsigned k = 0; k < members; k++)
                        put(g, "member list%u@mailingl.st m%u@sub%u.test\n", i, k, 1 + (k + i) % g->hosts);
        }
}

/* Those who write belong to every list, so that it takes their mail; strangers to none. */
static void put_authors(struct generator *g)
{
        static const char *const moods[] = {
                "good", "good", "good", "good", "good", "good", "slow", "broken", "malicious", "malicious"};
        static const char *const habits[] = {"accept", "reject", "confirm", "no"};
        for (unsigned i = 0; i < g->authors; i++) {
                unsigned host = g->home[i], mood = i == 0 ? 0 : below(g, 10),
                         habit = i == 0 ? below(g, 2) : 2 + below(g, 2);
                g->is_slow[i] = strcmp(moods[mood], "slow") == 0;
                put(g, "author a%u a%u@sub%u.test mood=%s answers=%s\n", i, i, host, moods[mood],
                        habits[habit]);
                for (unsigned k = 0; k < g->lists && (i == 0 || !percent(g, 10)); k++)
                        put(g, "member list%u@mailingl.st a%u@sub%u.test\n", k, i, host);
        }
}

/* ---- what happens ---- */

static void post(struct generator *g)
{
        static const unsigned sizes[] = {0, 200, 3000, 20000, 150000};
        unsigned author = below(g, g->authors), list = below(g, g->lists), size = sizes[below(g, 5)];
        int64_t at_ms = some_time(g);
        size = g->is_slow[author] && size > 3000 ? 3000 : size;
        if (g->lists > 1 && percent(g, 15))
                happen(g, at_ms, "post a%u list0@mailingl.st,list1@mailingl.st size=%u", author, size);
        else if (percent(g, 8)) /* who looks after the server hears from everybody */
                happen(g, at_ms, "post a%u postmaster@mailingl.st size=%u", author, size + 1);
        else if (size == 0)
                happen(g, at_ms, "post a%u list%u@mailingl.st", author, list);
        else
                happen(g, at_ms, "post a%u list%u@mailingl.st size=%u", author, list, size);
}

/* What people ask of a list by mail; some of it in another's name. */
static void command(struct generator *g)
{
        static const char *const words[] = {"subscribe", "subscribe", "subscribe", "unsubscribe",
                "unsubscribe", "options", "request", "help", "subscribers", "settings"};
        static const char *const options[] = {
                "nomail: on", "nomail: off", "own-posts: off", "own-posts: on|nomail: off"};
        static const char *const requests[] = {
                "leave|join", "join", "leave", "help|who", "remove m1@sub1.test", "nonsense"};
        static const char *const settings[] = {"posting: open", "posting: subscribers",
                "first-post: moderated", "subscription: confirm", "posting: moderated|who: nobody",
                "color: red"};
        unsigned author = below(g, g->authors), list = below(g, g->lists), word = below(g, 10),
                 what = below(g, 24), member = below(g, 5), host = between(g, 1, g->hosts);
        const char *text = word == 5   ? options[what % 4]
                           : word == 6 ? requests[what % 6]
                                       : settings[what % 6];
        bool has_text = word == 5 || word == 6 || word == 9;
        int64_t at_ms = some_time(g);
        author = word == 9 && percent(g, 80) ? 0 : author;
        if (percent(g, 15))
                happen(g, at_ms, "mail a%u list%u-%s@mailingl.st from=m%u@sub%u.test", author, list,
                        words[word], member % 3, host);
        else if (percent(g, 8))
                happen(g, at_ms, "mail a0 \"list%u-remove-m%u=sub%u.test@mailingl.st\"", list, member, host);
        else if (has_text)
                happen(g, at_ms, "mail a%u list%u-%s@mailingl.st times=1 \"text=%s\"", author, list,
                        words[word], text);
        else
                happen(g, at_ms, "mail a%u list%u-%s@mailingl.st", author, list, words[word]);
}

static void kill_server(struct generator *g)
{
        static const char *const hows[] = {"process", "power"}, *const whens[] = {"before", "after"};
        char node[16] = "mx";
        unsigned how = below(g, 2), when = below(g, 2),
                 back = percent(g, 70) ? between(g, 1, 20) : between(g, 20, 900);
        unsigned calls = percent(g, 50) ? between(g, 1, 60) : between(g, 60, 3000);
        int64_t at_ms = some_time(g);
        if (percent(g, 35))
                snprintf(node, sizeof node, "nec%u", between(g, 1, g->signers));
        if (percent(g, 60))
                happen(g, at_ms, "kill %s %s call=%u when=%s back=%us", node, hows[how], calls, whens[when],
                        back);
        else
                happen(g, at_ms, "kill %s %s back=%us", node, hows[how], back);
}

static void break_link(struct generator *g)
{
        unsigned host = between(g, 1, g->hosts), for_s = between(g, 5, 900), cut = between(g, 10, 80);
        unsigned within = percent(g, 50) ? between(g, 50, 600) : between(g, 600, 20000);
        unsigned signer = between(g, 1, g->signers), udp_loss = below(g, 40), jitter = between(g, 1, 200);
        int64_t at_ms = some_time(g);
        switch (below(g, 8)) {
        case 0:
                happen(g, at_ms, "partition h%u for=%us", host, for_s);
                break;
        case 1:
                happen(g, at_ms, "partition nec%u for=%us", signer, for_s);
                break;
        case 2:
                happen(g, at_ms, "down mx h%u for=%us", host, for_s);
                break;
        case 3:
                happen(g, at_ms, "link mx h%u cut=%u within=%u for=%us", host, cut, within, for_s);
                break;
        case 4:
                happen(g, at_ms, "link h%u mx cut=%u within=%u for=%us", host, cut, within, for_s);
                break;
        case 5:
                happen(g, at_ms, "link mx nec%u cut=%u within=%u for=%us", signer, cut, within, for_s);
                break;
        case 6:
                happen(g, at_ms, "link * * loss=%u udp-loss=%u latency=%ums jitter=%ums for=%us", cut / 4,
                        udp_loss, between(g, 1, 400), jitter, for_s);
                break;
        default:
                happen(g, at_ms, "cut mx * how=any");
                break;
        }
}

static void break_dns(struct generator *g)
{
        static const char *const faults[] = {"delay", "drop", "servfail", "refused", "notauth", "truncate",
                "no-edns", "no-tcp", "wrong-id", "other-name", "lost-answer", "clock"};
        static const char *const nodes[] = {"ns0", "ns0", "dns", "dns", "ns1"};
        unsigned node = below(g, g->secondaries > 0 ? 5 : 4), fault = below(g, 12),
                 chance = percent(g, 30) ? 100 : between(g, 20, 100);
        unsigned for_s = between(g, 10, 900), by = between(g, 100, 40000);
        const char *name = g->has_authors_server && percent(g, 40) ? "nsa" : nodes[node];
        int64_t at_ms = some_time(g);
        if (percent(g, 10))
                happen(g, at_ms, "restore mailingl.st ago=%um", between(g, 1, 60));
        else if (percent(g, 10)) /* what our own keys are looked up with tells the truth about texts */
                happen(g, at_ms, "fault %s wrong-text for=%us", g->has_authors_server ? "nsa" : "dns", for_s);
        else if (percent(g, 10))
                happen(g, at_ms, "partition %s for=%us", name, for_s);
        else
                happen(g, at_ms, "fault %s %s chance=%u by=%ums for=%us", name, faults[fault], chance, by,
                        for_s);
}

static void change_temper(struct generator *g)
{
        static const char *const tempers[] = {"storm=100", "refuse=yes", "drop-after=100", "drop-before=100",
                "close-after=100", "per-connection=1", "read-rate=500", "banner-delay=90s", "greylist=5m",
                "connections=1", "per-minute=2", "blocks=yes", "full-users=*"};
        unsigned host = between(g, 1, g->hosts), temper = below(g, 13), for_s = between(g, 30, 3600);
        int64_t at_ms = some_time(g);
        happen(g, at_ms, "temper h%u %s for=%us", host, tempers[temper], for_s);
        if (at_ms + (int64_t)for_s * 1000 > g->calm_ms)
                g->calm_ms = at_ms + (int64_t)for_s * 1000;
}

static void change_members(struct generator *g)
{
        unsigned list = below(g, g->lists), host = between(g, 1, g->hosts);
        int64_t at_ms = some_time(g);
        if (percent(g, 60))
                happen(g, at_ms, "join list%u@mailingl.st new%u@sub%u.test", list, g->joiners++, host);
        else
                happen(g, at_ms, "leave list%u@mailingl.st m0@sub%u.test", list, 1 + list % g->hosts);
}

static void break_disk(struct generator *g)
{
        static const char *const faults[] = {"write-error", "flush-error"};
        unsigned fault = below(g, 2), after = below(g, 40), by = between(g, 100, 3000),
                 for_s = between(g, 5, 300);
        int64_t at_ms = some_time(g);
        if (percent(g, 50))
                happen(g, at_ms, "disk mx slow by=%ums for=%us", by, for_s);
        else
                happen(g, at_ms, "disk mx %s after=%u", faults[fault], after);
}

static void change_clock(struct generator *g)
{
        static const int minutes[] = {-120, -6, -1, 1, 6, 30};
        char node[16] = "mx";
        int by = minutes[below(g, 6)];
        int64_t at_ms = some_time(g), for_ms = (int64_t)between(g, 10, 1800) * 1000;
        if (percent(g, 50))
                snprintf(node, sizeof node, "nec%u", between(g, 1, g->signers));
        happen(g, at_ms, "clock %s %+dm", node, by);
        happen(g, at_ms + for_ms, "clock %s +0", node);
}

static void break_something(struct generator *g)
{
        unsigned what = g->is_dense && percent(g, 50) ? 0 : below(g, 100);
        if (what < 35)
                kill_server(g);
        else if (what < 55)
                break_link(g);
        else if (what < 68)
                break_dns(g);
        else if (what < 83)
                change_temper(g);
        else if (what < 90)
                change_members(g);
        else if (what < 95)
                break_disk(g);
        else
                change_clock(g);
}

/* Stable: what stands first comes first. */
static void sort_events(struct generator *g)
{
        for (size_t i = 1; i < g->count; i++)
                for (size_t k = i; k > 0 && g->events[k - 1].at_ms > g->events[k].at_ms; k--) {
                        struct happening e = g->events[k];
                        g->events[k] = g->events[k - 1];
                        g->events[k - 1] = e;
                }
}

static void put_events(struct generator *g)
{
        int64_t at_ms = 0;
        sort_events(g);
        for (size_t i = 0; i < g->count; i++) {
                if (g->events[i].at_ms > at_ms || i == 0)
                        put(g, "TIME +%lldms\n", (long long)(g->events[i].at_ms - at_ms));
                put(g, "%s\n", g->events[i].line);
                at_ms = g->events[i].at_ms;
        }
}

/* So that at last everything gets through, and not only perhaps. */
static void put_calm(struct generator *g)
{
        int64_t last_ms = g->count > 0 ? g->events[g->count - 1].at_ms : 0;
        put(g, "TIME +%lldms\n", (long long)(g->calm_ms > last_ms ? g->calm_ms - last_ms : 0) + 60000);
        for (unsigned i = 1; i <= g->hosts; i++)
                put(g, "temper h%u storm=0 drop-before=0 drop-after=0\n", i);
}

void generate(uint64_t seed, struct wr *w)
{
        struct generator *g = calloc(1, sizeof *g);
        CHECK(g);
        g->w = w;
        g->random = sim_random_of(seed, S("generate"), S("scenario"));
        g->secondaries = below(g, 3);
        g->signers = between(g, 1, 3);
        g->lists = between(g, 1, LISTS_MAX);
        g->hosts = between(g, 1, HOSTS_MAX);
        g->authors = between(g, 1, AUTHORS_MAX);
        for (unsigned i = 0; i < g->authors; i++)
                g->home[i] = between(g, 1, g->hosts);
        g->is_dense = percent(g, 20);
        g->length_ms = (int64_t)(g->is_dense ? between(g, 2, 8) : between(g, 5, 150)) * 60000;
        put(g, "seed %llu\n", (unsigned long long)seed);
        put_servers(g);
        put_mail_hosts(g);
        put_lists(g);
        put_authors(g);
        unsigned posts = g->is_dense ? between(g, 10, 30) : between(g, 2, 14);
        unsigned faults = g->is_dense ? between(g, 8, 25) : percent(g, 10) ? 0 : between(g, 1, 10);
        unsigned commands = percent(g, 30) ? 0 : between(g, 1, 10);
        while (posts-- > 0)
                post(g);
        while (commands-- > 0)
                command(g);
        while (faults-- > 0)
                break_something(g);
        put_events(g);
        put_calm(g);
        free(g);
}
