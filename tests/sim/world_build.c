/* SPDX-License-Identifier: ISC */
#include "tests/sim/world_inside.h"

#include <string.h>

#include "base/check.h"

/* What no scenario needs to choose. */
#define SIGNER_PASSWORD "c2lnbmVyIHBhc3N3b3JkIG9mIHRoZSBzaW11bGF0b3I="
#define LIPAP_PASSWORD "bGlwYXAgcGFzc3dvcmQgb2YgdGhlIHNpbXVsYXRvcg=="
#define DNS_SECRET "c2VjcmV0IG9mIHRoZSBzaW11bGF0b3IncyB6b25lcw=="
#define RETRY_MS (5 * 60 * 1000) /* lipap's, when it is not told */
#define IMAGE_SIZE (34 * 1024 * 1024)

/* ---- asking the scenario ---- */

static bool is_node(enum verb verb)
{
        return verb == VERB_PRIMARY || verb == VERB_SECONDARY || verb == VERB_RESOLVER ||
               verb == VERB_SIGNER || verb == VERB_LIPAP || verb == VERB_MAILHOST || verb == VERB_AUTHOR;
}

static struct machine *first_of(struct world *w, enum verb verb)
{
        for (size_t i = 0; i < w->machine_count; i++)
                if (w->machines[i].said->verb == verb)
                        return &w->machines[i];
        return NULL;
}

/* The server that has all zones but those of primaries with `of`. */
static struct machine *main_primary(struct world *w)
{
        struct str domains;
        for (size_t i = 0; i < w->machine_count; i++)
                if (w->machines[i].said->verb == VERB_PRIMARY &&
                        !statement_has(w->machines[i].said, "of", &domains))
                        return &w->machines[i];
        return NULL;
}

/* The primary of a zone. */
static struct machine *primary_of(struct world *w, struct str domain)
{
        struct str domains;
        for (size_t i = 0; i < w->machine_count; i++)
                if (w->machines[i].said->verb == VERB_PRIMARY &&
                        statement_has(w->machines[i].said, "of", &domains) &&
                        scenario_list_has(domains, domain))
                        return &w->machines[i];
        return main_primary(w);
}

static struct str first_domain(struct world *w)
{
        for (size_t i = 0; i < w->s->count; i++)
                if (w->s->statements[i].verb == VERB_DOMAIN)
                        return statement_argument(&w->s->statements[i], 0);
        return S("");
}

static const char *text_of_ip(struct world *w, const struct ip *ip)
{
        char text[IP_TEXT_MAX];
        struct wr line;
        wr_init(&line, text, sizeof text);
        ip_write(&line, ip);
        return world_text(w, "%.*s", STR_ARG(wr_text(&line)));
}

/* ---- nodes ---- */

static void add_machine(struct world *w, const struct statement *t)
{
        size_t n = w->machine_count++;
        struct machine *m = &w->machines[n];
        m->world = w;
        m->said = t;
        m->name = world_text(w, "%.*s", STR_ARG(statement_argument(t, 0)));
        m->ip = ip_v4(10, (uint8_t)(n / 62500), (uint8_t)(n / 250 % 250), (uint8_t)(n % 250 + 1));
        m->is_clean = true;
        if (t->verb == VERB_LIPAP) {
                m->disk = sim_disk_new(statement_number(t, "image", IMAGE_SIZE) / 4096 * 4096);
                m->disk->flush_ms = 2;
                w->copy = sim_disk_new(m->disk->size);
                if (!w->lipap)
                        w->lipap = m;
        }
        m->node = sim_node_add(w->sim, m->name, &m->ip, 1, m->disk);
}

static void add_machines(struct world *w)
{
        static const struct ip desk = {.family = 4, .b = {192, 0, 2, 1}};
        w->machines = world_alloc(w, (w->s->count + 1) * sizeof *w->machines);
        for (size_t i = 0; i < w->s->count; i++)
                if (is_node(w->s->statements[i].verb))
                        add_machine(w, &w->s->statements[i]);
        w->desk = sim_node_add(w->sim, "desk", &desk, 1, w->copy);
}

/* ---- DNS ---- */

/* Records of a zone, made now if there is none of that name. */
static void put_zone(struct world *w, struct str domain, const char *records)
{
        struct dns_zone *zone;
        struct dns_name name;
        size_t line;
        CHECK(dns_name_parse(domain, &name) == ERR_OK);
        zone = dns_zone_find(w->dns, &name);
        if (!zone || !dns_name_eq(dns_zone_origin(zone), &name)) {
                CHECK(dns_zone_new(w->dns, domain, &zone) == ERR_OK);
                dns_peer_serve(primary_of(w, domain)->dns, zone, DNS_PRIMARY);
        }
        CHECK(dns_zone_edit(zone, str_of_c(records), &line) == ERR_OK);
}

static void follow(struct world *w, struct machine *m, struct str domain)
{
        struct dns_name name;
        CHECK(dns_name_parse(domain, &name) == ERR_OK);
        struct dns_zone *zone = dns_zone_find(w->dns, &name);
        int64_t least_ms = statement_ms(m->said, "least", 0);
        dns_peer_serve(m->dns, zone, DNS_SECONDARY);
        dns_peer_lag(m->dns, zone, least_ms, statement_ms(m->said, "most", least_ms));
}

/* A zone of ours: every server has it, and the signers' key may change it. */
static void put_domain(struct world *w, struct str domain)
{
        for (size_t i = 0; i < w->machine_count; i++) {
                struct machine *m = &w->machines[i];
                if (m == primary_of(w, domain) || m->said->verb == VERB_SECONDARY)
                        put_zone(w, domain,
                                world_text(w, "@ NS %s\n%s A %s\n", m->name, m->name, text_of_ip(w, &m->ip)));
                if (m->said->verb == VERB_LIPAP)
                        put_zone(w, domain,
                                world_text(
                                        w, "@ MX 10 %s\n%s A %s\n", m->name, m->name, text_of_ip(w, &m->ip)));
        }
        for (size_t i = 0; i < w->machine_count; i++)
                if (w->machines[i].said->verb == VERB_SECONDARY)
                        follow(w, &w->machines[i], domain);
        CHECK(dns_key_add(w->dns,
                      str_of_c(world_text(w, "k._update.%.*s:SHA256:" DNS_SECRET, STR_ARG(domain))),
                      domain) == ERR_OK);
}

static void put_mail_host(struct world *w, struct machine *m)
{
        struct str domain, domains = statement_argument(m->said, 1);
        while (domains.n > 0) {
                (void)str_cut(domains, ',', &domain, &domains);
                put_zone(w, domain,
                        world_text(w, "@ MX 10 %s\n%s A %s\n", m->name, m->name, text_of_ip(w, &m->ip)));
        }
}

static bool put_record(struct world *w, const struct statement *t)
{
        const char *line = world_text(w, "%.*s 300 %.*s %.*s", STR_ARG(statement_argument(t, 0)),
                STR_ARG(statement_argument(t, 1)), STR_ARG(statement_argument(t, 2)));
        enum err e = dns_world_edit(w->dns, str_of_c(line));
        if (e != ERR_OK)
                world_broken(w, "expect", "line %u: the record cannot stand: %s", t->line, err_text(e));
        return e == ERR_OK;
}

static struct str domain_of_author(const struct statement *t)
{
        struct str address = statement_argument(t, 1);
        return str_skip(address, str_find_last_byte(address, '@') + 1);
}

/* Is that an author, and the first of his domain? */
static bool is_first_of_domain(const struct world *w, size_t at)
{
        const struct statement *all = w->s->statements;
        for (size_t i = 0; i < at && all[at].verb == VERB_AUTHOR; i++)
                if (all[i].verb == VERB_AUTHOR &&
                        str_eq_nocase(domain_of_author(&all[i]), domain_of_author(&all[at])))
                        return false;
        return all[at].verb == VERB_AUTHOR;
}

/* What the domains of authors publish about their mail. */
static void put_authors(struct world *w)
{
        struct buffer lines = {0};
        for (size_t i = 0; i < w->machine_count; i++) {
                struct machine *m = &w->machines[i];
                if (m->said->verb != VERB_AUTHOR)
                        continue;
                struct str address = statement_argument(m->said, 1);
                struct person_new new = {.name = str_of_c(m->name),
                        .address = address,
                        .ip = m->ip,
                        .proof = statement_text(m->said, "proof", S("")),
                        .policy = statement_text(m->said, "policy", S("")),
                        .key = statement_text(m->said, "key", S(""))};
                m->who = people_add(w->people, &new);
        }
        for (size_t i = 0; i < w->s->count; i++)
                if (is_first_of_domain(w, i)) {
                        struct str domain = domain_of_author(&w->s->statements[i]);
                        lines.n = 0;
                        people_records(w->people, domain, &lines);
                        put_zone(w, domain, world_text(w, "%.*s", STR_ARG(buffer_text(&lines))));
                }
        buffer_free(&lines);
}

static bool build_dns(struct world *w)
{
        bool is_good = true;
        for (size_t i = 0; i < w->machine_count; i++) {
                struct machine *m = &w->machines[i];
                if (m->said->verb == VERB_PRIMARY || m->said->verb == VERB_SECONDARY)
                        m->dns = dns_peer_new(w->dns, m->node, DNS_PEER_SERVER);
                else if (m->said->verb == VERB_RESOLVER)
                        m->dns = dns_peer_new(w->dns, m->node, DNS_PEER_RESOLVER);
        }
        put_authors(w);
        for (size_t i = 0; i < w->s->count; i++) {
                const struct statement *t = &w->s->statements[i];
                if (t->verb == VERB_TIME)
                        break;
                if (t->verb == VERB_DOMAIN)
                        put_domain(w, statement_argument(t, 0));
                if (t->verb == VERB_ZONE)
                        put_zone(w, statement_argument(t, 0), "");
                if (t->verb == VERB_MAILHOST)
                        put_mail_host(w, world_machine(w, statement_argument(t, 0)));
                if (t->verb == VERB_DNS)
                        is_good = put_record(w, t) && is_good;
        }
        return is_good;
}

/* ---- command lines ---- */

static void put_word(struct machine *m, const char *word)
{
        CHECK(m->argc + 1 < WORLD_ARGUMENTS_MAX);
        m->argv[m->argc++] = world_text(m->world, "%s", word);
}

static void put_option(struct machine *m, const char *name, const char *value)
{
        put_word(m, world_text(m->world, "--%s", name));
        put_word(m, value);
}

/* Options that the statement gives to the program as they stand. */
static void pass_options(struct machine *m, const char *const *names, size_t count)
{
        for (size_t i = 0; i < count; i++) {
                struct str value;
                if (statement_has(m->said, names[i], &value))
                        put_option(m, names[i], world_text(m->world, "%.*s", STR_ARG(value)));
        }
}

static void put_domains(struct machine *m)
{
        const struct scenario *s = m->world->s;
        for (size_t i = 0; i < s->count; i++)
                if (s->statements[i].verb == VERB_DOMAIN)
                        put_option(m, "domain",
                                world_text(
                                        m->world, "%.*s", STR_ARG(statement_argument(&s->statements[i], 0))));
}

static void command_lipap(struct world *w, struct machine *m)
{
        static const char *const passed[] = {"retry", "max-message", "admin"};
        put_word(m, "lipap");
        put_option(m, "image", "lipap.img");
        put_option(m, "hostname", world_text(w, "%s.%.*s", m->name, STR_ARG(first_domain(w))));
        put_option(m, "password", LIPAP_PASSWORD);
        put_option(m, "metrics", text_of_ip(w, &m->ip));
        put_domains(m);
        for (size_t i = 0; i < w->machine_count; i++) {
                struct machine *other = &w->machines[i];
                const char *ip = text_of_ip(w, &other->ip);
                if (other->said->verb == VERB_SIGNER) {
                        put_option(m, "signer", ip);
                        put_option(m, "signer-network", ip);
                }
                if (other->said->verb == VERB_RESOLVER)
                        put_option(m, "nameserver", world_text(w, "udp:%s", ip));
        }
        pass_options(m, passed, sizeof passed / sizeof passed[0]);
}

static void command_signer(struct world *w, struct machine *m)
{
        static const char *const passed[] = {"validity", "overlap", "queue-life", "ttl"};
        put_word(m, "nec");
        put_option(m, "password", SIGNER_PASSWORD);
        put_option(m, "metrics", text_of_ip(w, &m->ip));
        put_domains(m);
        put_option(m, "dns-server", text_of_ip(w, &main_primary(w)->ip));
        for (size_t i = 0; i < w->s->count; i++)
                if (w->s->statements[i].verb == VERB_DOMAIN)
                        put_option(m, "dns-key",
                                world_text(w, "k._update.%.*s:SHA256:" DNS_SECRET,
                                        STR_ARG(statement_argument(&w->s->statements[i], 0))));
        put_option(m, "destination", text_of_ip(w, &w->lipap->ip));
        pass_options(m, passed, sizeof passed / sizeof passed[0]);
}

/* ---- people and mail hosts ---- */

static void build_author(struct world *w, struct machine *m)
{
        struct author_config config = {.name = m->name,
                .address = statement_argument(m->said, 1),
                .mood = author_mood_of(statement_text(m->said, "mood", S("good"))),
                .server = {w->lipap->ip, 25},
                .ledger = w->ledger,
                .verify = w->verify,
                .who = m->who,
                .people = w->people,
                .authserv = w->authserv,
                .book = w->book,
                .seed = w->seed};
        CHECK(config.mood != AUTHOR_MOODS);
        m->author = author_new(&config);
}

void world_temper(const struct statement *t, struct mx_temper *temper)
{
        for (size_t i = 1 + statement_arguments(t); i < t->count; i++) {
                struct str trait, value;
                (void)str_cut(t->words[i], '=', &trait, &value);
                if (!str_eq(trait, S("for")))
                        CHECK(mx_temper_put(temper, trait, value) == ERR_OK);
        }
}

static void build_mail_host(struct world *w, struct machine *m)
{
        struct mx_config config = {.name = m->name,
                .at = {m->ip, 25},
                .server = {w->lipap->ip, 25},
                .domains = statement_argument(m->said, 1),
                .ledger = w->ledger,
                .verify = w->verify,
                .retry_ms = statement_ms(w->lipap->said, "retry", RETRY_MS),
                .seed = w->seed};
        world_temper(m->said, &config.temper);
        m->mx = mx_new(&config);
}

static void expect_lines(struct world *w)
{
        w->expected = world_alloc(w, (w->s->count + 1) * sizeof *w->expected);
        for (size_t i = 0; i < w->s->count; i++) {
                const struct statement *t = &w->s->statements[i];
                struct machine *m = world_machine(w, statement_argument(t, 1));
                if (t->verb == VERB_EXPECT && str_eq(statement_argument(t, 0), S("log")) && m)
                        w->expected[w->expected_count++] = (struct expected_line){
                                .said = t, .node = m->node, .pattern = statement_argument(t, 2)};
        }
}

bool world_build(struct world *w)
{
        static const enum verb needed[] = {VERB_RESOLVER, VERB_SIGNER, VERB_LIPAP};
        add_machines(w);
        for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
                if (!first_of(w, needed[i]) || !main_primary(w) || first_domain(w).n == 0) {
                        world_broken(w, "expect",
                                "a world needs a primary, a resolver, a signer, a lipap and a domain");
                        return false;
                }
        if (!build_dns(w))
                return false;
        w->authserv = world_text(w, "%.*s", STR_ARG(first_domain(w)));
        verify_expect_results(w->verify, w->authserv);
        for (size_t i = 0; i < w->machine_count; i++) {
                struct machine *m = &w->machines[i];
                if (m->said->verb == VERB_LIPAP)
                        command_lipap(w, m);
                if (m->said->verb == VERB_SIGNER)
                        command_signer(w, m);
                if (m->said->verb == VERB_AUTHOR)
                        build_author(w, m);
                if (m->said->verb == VERB_MAILHOST)
                        build_mail_host(w, m);
        }
        world_fill_ledger(w);
        expect_lines(w);
        return true;
}

void world_tear_down(struct world *w)
{
        for (size_t i = 0; i < w->machine_count; i++) {
                if (w->machines[i].author)
                        author_free(w->machines[i].author);
                if (w->machines[i].mx)
                        mx_free(w->machines[i].mx);
                sim_disk_free(w->machines[i].disk);
        }
}
