/* SPDX-License-Identifier: ISC */
/* Evaluates DMARC for tests/suites. On standard input, a line each, its parts parted by tabs:
 *     record NAME TYPE VALUE     as auth/fake_dns.h has it
 *     forget                     no records and no identifiers any more
 *     dkim DOMAIN, spf DOMAIN    passed for this one
 *     from TEXT                  evaluate a message with this From field
 * For each From a line:
 *     RESULT <TAB> policy, or "-" <TAB> author domain <TAB> organization <TAB> spf aligned, or "-" <TAB> dkim aligned
 *     <TAB> adkim <TAB> record <TAB> reason <TAB> names asked for TXT, parted by spaces
 * Each is evaluated twice, with all answers of a round at once and with one answer a round, which must agree. */
#include <stdio.h>

#include "auth/dmarc_check.h"
#include "auth/fake_dns.h"

#define LINE_MAX_SIZE 16384
#define TEXT_SIZE 512

struct evaluation {
        struct arena arena;
        struct dns_known known;
        struct dmarc_verdict verdict;
        char memory[FAKE_DNS_ARENA];
};

struct driver {
        struct fake_dns dns;
        struct dmarc_identifier identifiers[DMARC_IDENTIFIERS_MAX];
        char domains[DMARC_IDENTIFIERS_MAX][TEXT_SIZE];
        size_t count;
        struct evaluation whole, slow;
};

static void evaluate(
        struct evaluation *e, const struct driver *d, const struct dmarc_author *author, bool one_by_one)
{
        struct dmarc_input in = {author, d->identifiers, d->count};
        arena_init(&e->arena, e->memory, sizeof e->memory);
        dns_known_init(&e->known, &e->arena, DMARC_QUESTIONS_MAX);
        while (dmarc_check(&in, &e->known, &e->verdict) == ERR_AGAIN)
                CHECK(fake_dns_round(&d->dns, &e->known, one_by_one) > 0);
}

static void print_name(const struct dns_name *name)
{
        char text[DNS_NAME_TEXT_MAX];
        struct wr w;
        wr_init(&w, text, sizeof text);
        if (name->n > 0)
                dns_name_write(&w, name);
        printf("%.*s", STR_ARG(wr_text(&w)));
}

static void print_reason(const struct dmarc_verdict *v)
{
        char text[DMARC_REASON_MAX];
        struct wr w;
        wr_init(&w, text, sizeof text);
        dmarc_reason_write(&w, v);
        CHECK(!w.full);
        printf("%.*s", STR_ARG(wr_text(&w)));
}

static void print(const struct evaluation *e)
{
        const struct dmarc_verdict *v = &e->verdict;
        struct str policy = v->policy_domain.n > 0 ? dmarc_policy_text(v->policy) : S("-");
        printf("%.*s\t%.*s\t", STR_ARG(dmarc_result_text(v->result)), STR_ARG(policy));
        print_name(&v->author);
        printf("\t");
        print_name(&v->organization);
        printf("\t%s\t%s\t%s\t%.*s\t", v->spf_aligned ? "spf" : "-", v->dkim_aligned ? "dkim" : "-",
                v->record.strict_dkim ? "s" : "r", STR_ARG(v->record_text));
        print_reason(v);
        printf("\t");
        for (const struct dns_fact *f = e->known.first; f; f = f->next)
                if (f->type == DNS_TYPE_TXT) {
                        printf("%s", f == e->known.first ? "" : " ");
                        print_name(&f->name);
                }
        printf("\n");
        fflush(stdout);
}

static void from(struct driver *d, struct str text)
{
        struct mail_field field = {.name = S("From"), .body = text};
        struct mail_header header = {.fields = &field, .n = 1};
        struct dmarc_author author;
        dmarc_author_find(&header, &author);
        evaluate(&d->whole, d, &author, false);
        evaluate(&d->slow, d, &author, true);
        const struct dmarc_verdict *a = &d->whole.verdict, *b = &d->slow.verdict;
        CHECK(a->result == b->result && a->fault == b->fault && a->policy == b->policy);
        CHECK(a->spf_aligned == b->spf_aligned && a->dkim_aligned == b->dkim_aligned &&
                a->aligned == b->aligned);
        print(&d->whole);
}

static void identifier(struct driver *d, bool is_spf, struct str domain)
{
        CHECK(d->count < DMARC_IDENTIFIERS_MAX && domain.n <= TEXT_SIZE);
        memcpy(d->domains[d->count], domain.p, domain.n);
        d->identifiers[d->count] = (struct dmarc_identifier){is_spf ? DMARC_BY_SPF : DMARC_BY_DKIM,
                DMARC_ID_PASSED, str_of(d->domains[d->count], domain.n)};
        d->count++;
}

static void command(struct driver *d, struct str line)
{
        struct str verb, rest;
        str_cut(line, '\t', &verb, &rest);
        if (str_eq(verb, S("record")))
                fake_dns_add(&d->dns, rest);
        else if (str_eq(verb, S("forget")))
                d->dns.count = d->count = 0;
        else if (str_eq(verb, S("dkim")) || str_eq(verb, S("spf")))
                identifier(d, str_eq(verb, S("spf")), rest);
        else if (str_eq(verb, S("from")))
                from(d, rest);
        else
                CHECK(false);
}

int main(void)
{
        static struct driver d; /* large */
        char line[LINE_MAX_SIZE];
        while (fgets(line, sizeof line, stdin)) {
                struct str text = str_of_c(line);
                if (text.n > 0 && text.p[text.n - 1] == '\n')
                        text.n--;
                command(&d, text);
        }
        return 0;
}
