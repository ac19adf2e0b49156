/* SPDX-License-Identifier: ISC */
#include "auth/spf_check.h"

#include "auth/spf_macro.h"
#include "auth/spf_place.h"
#include "auth/spf_record.h"
#include "base/arena.h"
#include "base/ascii.h"
#include "base/check.h"
#include "base/limits.h"
#include "dns/code.h"
#include "dns/idna.h"
#include "dns/rdata.h"

struct run {
        struct dns_known *known;
        struct spf_macros macros; /* without what depends on the place */
        bool is_local_8bit;       /* the local part is not ASCII */
        bool is_guess;            /* an answer is missing: what follows only notes questions */
        bool is_void;             /* a lookup of this term found nothing */
        size_t lookups, voids;
        enum spf_fault fault;
        struct dns_name name; /* the verdict's */
        struct str term;      /* likewise */
        struct str exp;       /* of the record that forbade the client, and its place */
        struct spf_place exp_at;
        struct spf_place mine;            /* the domain of the identity */
        char sender_domain[DNS_NAME_MAX]; /* in A-labels */
        char sender[2 * SMTP_PATH_MAX];   /* with it, and a local part */
};

/* What came of a term, or of a question for it. */
enum step {
        STEP_NO,   /* no match; no such record; or not known yet */
        STEP_YES,  /* a match; the records are there */
        STEP_STOP, /* r->fault is set */
};

static enum step stop(struct run *r, enum spf_fault fault, const struct dns_name *name, struct str term)
{
        r->fault = fault;
        r->name = *name;
        r->term = term;
        return STEP_STOP;
}

/* Questions. */

static enum step ask(
        struct run *r, const struct dns_name *name, uint16_t type, const struct dns_answer **answer)
{
        switch (dns_known_get(r->known, name, type, answer)) {
        case DNS_KNOWN_FOUND:
                return STEP_YES;
        case DNS_KNOWN_NOTHING:
        case DNS_KNOWN_NO_NAME:
                r->is_void = true;
                return STEP_NO;
        case DNS_KNOWN_WANTED:
                r->is_guess = true;
                return STEP_NO;
        case DNS_KNOWN_TROUBLE:
                return stop(r, SPF_TROUBLE, name, S(""));
        case DNS_KNOWN_TOO_MANY:
                return stop(r, SPF_QUESTIONS, name, S(""));
        }
        CHECK(false);
}

/* Is the client, or one of its network, among the addresses of `name`? */
static enum step ask_address(struct run *r, const struct dns_name *name, size_t bits4, size_t bits6)
{
        bool is_v4 = r->macros.ip.family == 4;
        const struct dns_answer *answer;
        enum step step = ask(r, name, is_v4 ? DNS_TYPE_A : DNS_TYPE_AAAA, &answer);
        for (size_t i = 0; step == STEP_YES && i < answer->count; i++)
                if (spf_ip_agrees(&r->macros.ip, &answer->values[i].ip, is_v4 ? bits4 : bits6))
                        return STEP_YES;
        return step == STEP_STOP ? STEP_STOP : STEP_NO;
}

/* The validated names of the client (5.5) that are `domain` or under it: the one that serves best. Trouble is as good
 * as no name. Several unknown ones are asked for at once.
 *   STEP_YES with `*out`, STEP_NO, STEP_STOP for SPF_QUESTIONS alone */
static enum step validate(struct run *r, const struct dns_name *domain, struct dns_name *out)
{
        const struct dns_answer *names;
        struct dns_name reverse;
        enum step found = STEP_NO;
        dns_reverse_name(&r->macros.ip, &reverse);
        enum step step = ask(r, &reverse, DNS_TYPE_PTR, &names);
        bool was_void = r->is_void;
        for (size_t i = 0; step == STEP_YES && i < names->count && i < SPF_HOSTS_MAX; i++) {
                const struct dns_name *name = &names->values[i].name;
                if (!dns_name_is_under(name, domain) || (found == STEP_YES && !dns_name_eq(name, domain)))
                        continue;
                enum step one = ask_address(r, name, 32, 128);
                if (one == STEP_STOP && r->fault == SPF_QUESTIONS)
                        return STEP_STOP;
                if (one == STEP_YES) {
                        *out = *name;
                        found = STEP_YES;
                }
        }
        r->is_void = was_void; /* the names come from the client's owner: none counts against the domain */
        return step == STEP_STOP && r->fault == SPF_QUESTIONS ? STEP_STOP : found;
}

/* 7.3: %{p} is the domain itself, else a name below it, else any, else "unknown". */
static enum step validate_best(struct run *r, const struct dns_name *domain, struct dns_name *out)
{
        struct dns_name root;
        bool was_void = r->is_void;
        dns_name_set_root(&root);
        enum step step = validate(r, domain, out);
        if (step == STEP_NO)
                step = validate(r, &root, out);
        r->is_void = was_void;
        return step;
}

/* Targets. */

enum target {
        TARGET_READY,
        TARGET_MALFORMED, /* no name to ask for */
        TARGET_NEVER,     /* the term matches nothing */
        TARGET_WAITS,     /* an answer is missing */
        TARGET_STOP,      /* r->fault is set */
};

/* Expand macros at the place of their record. */
static enum target expand(struct run *r, const struct spf_place *at, struct str text, struct wr *w)
{
        struct spf_macros macros = r->macros;
        struct dns_name best;
        char room[DNS_NAME_MAX];
        struct wr validated;
        wr_init(&validated, room, sizeof room);
        macros.domain = str_of(at->text, at->text_n);
        if (spf_macro_uses(text, 'p')) {
                bool was_guess = r->is_guess;
                r->is_guess = false;
                enum step step = validate_best(r, &at->name, &best);
                bool waits = r->is_guess;
                r->is_guess = was_guess || waits;
                if (step == STEP_STOP || waits)
                        return step == STEP_STOP ? TARGET_STOP : TARGET_WAITS;
                if (step == STEP_YES)
                        spf_place_write_name(&validated, &best);
        }
        macros.validated = validated.n > 0 ? wr_text(&validated) : S("unknown");
        spf_macro_expand(text, &macros, w);
        return TARGET_READY;
}

/* The domain that a domain-spec means; without one, that of its record. */
static enum target find_target(
        struct run *r, const struct spf_place *at, struct str spec, struct spf_place *out)
{
        char room[SPF_EXPANSION_MAX];
        struct wr w;
        wr_init(&w, room, sizeof room);
        if (spec.n == 0) {
                *out = *at;
                return TARGET_READY;
        }
        if (r->is_local_8bit && (spf_macro_uses(spec, 's') || spf_macro_uses(spec, 'l')))
                return TARGET_NEVER; /* RFC 8616 4 */
        enum target target = expand(r, at, spec, &w);
        if (target == TARGET_READY && (w.full || !spf_place_parse(out, wr_text(&w))))
                return TARGET_MALFORMED;
        return target;
}

/* Terms. */

static enum spf_result evaluate(struct run *r, const struct spf_place *at);

/* 5.4 */
static enum step match_mx(struct run *r, const struct spf_place *at, const struct spf_term *term,
        const struct spf_place *target)
{
        const struct dns_answer *answer;
        enum step step = ask(r, &target->name, DNS_TYPE_MX, &answer);
        if (step != STEP_YES)
                return step;
        if (answer->count > SPF_HOSTS_MAX) /* whatever their order: 4.6.4 */
                return stop(r, SPF_HOSTS, &at->name, term->text);
        step = STEP_NO;
        for (size_t i = 0; step == STEP_NO && i < answer->count; i++)
                if (!dns_name_is_root(&answer->values[i].mx.exchange)) /* a null MX (RFC 7505) */
                        step = ask_address(r, &answer->values[i].mx.exchange, term->bits4, term->bits6);
        return step;
}

/* 5.2 */
static enum step match_include(struct run *r, const struct spf_place *at, const struct spf_term *term,
        const struct spf_place *target)
{
        enum spf_result result = evaluate(r, target);
        r->is_void = false; /* its terms were counted for themselves */
        switch (result) {
        case SPF_PASS:
                return STEP_YES;
        case SPF_NONE:
                return stop(r, SPF_TARGET, &at->name, term->text);
        case SPF_TEMPERROR:
        case SPF_PERMERROR:
                return STEP_STOP;
        default:
                return STEP_NO;
        }
}

/* A term that asks the DNS. */
static enum step match_by_lookup(struct run *r, const struct spf_place *at, const struct spf_term *term)
{
        const struct dns_answer *answer;
        struct dns_name validated;
        struct spf_place target;
        enum target found = find_target(r, at, term->domain, &target);
        if (found == TARGET_STOP)
                return STEP_STOP;
        if (found == TARGET_MALFORMED && term->kind == SPF_TERM_INCLUDE)
                return stop(r, SPF_TARGET, &at->name, term->text);
        if (found != TARGET_READY)
                return STEP_NO;
        switch (term->kind) {
        case SPF_TERM_INCLUDE:
                return match_include(r, at, term, &target);
        case SPF_TERM_A: /* 5.3 */
                return ask_address(r, &target.name, term->bits4, term->bits6);
        case SPF_TERM_MX:
                return match_mx(r, at, term, &target);
        case SPF_TERM_PTR: /* 5.5 */
                return validate(r, &target.name, &validated);
        case SPF_TERM_EXISTS: /* 5.7: A, whatever the client's family */
                return ask(r, &target.name, DNS_TYPE_A, &answer);
        default:
                CHECK(false);
        }
}

/* A term of those that can match. */
static enum step match(struct run *r, const struct spf_place *at, const struct spf_term *term)
{
        if (term->kind == SPF_TERM_ALL || term->kind == SPF_TERM_IP4 || term->kind == SPF_TERM_IP6)
                return STEP_YES;
        if (++r->lookups > SPF_LOOKUPS_MAX)
                return stop(r, SPF_LOOKUPS, &at->name, term->text);
        r->is_void = false;
        enum step step = match_by_lookup(r, at, term);
        if (step == STEP_NO && r->is_void && ++r->voids > SPF_VOIDS_MAX)
                return stop(r, SPF_VOIDS, &at->name, term->text);
        return step;
}

/* Records. */

/* 4.4, 4.5. The one SPF record among the TXT records of `name`.
 *   SPF_OK with `*terms`, SPF_NO_NAME, SPF_NO_RECORD, SPF_TROUBLE, SPF_RECORDS, SPF_QUESTIONS
 * `*waits`: it is not known yet */
static enum spf_fault find_record(struct run *r, const struct dns_name *name, struct str *terms, bool *waits)
{
        const struct dns_answer *answer;
        struct str rest;
        size_t count = 0;
        enum dns_knowledge known = dns_known_get(r->known, name, DNS_TYPE_TXT, &answer);
        *terms = S("");
        *waits = known == DNS_KNOWN_WANTED;
        if (known == DNS_KNOWN_TROUBLE || known == DNS_KNOWN_TOO_MANY)
                return known == DNS_KNOWN_TROUBLE ? SPF_TROUBLE : SPF_QUESTIONS;
        if (known == DNS_KNOWN_NO_NAME)
                return SPF_NO_NAME;
        for (size_t i = 0; answer && i < answer->count; i++)
                if (spf_record_is(answer->values[i].text, &rest)) {
                        *terms = rest;
                        count++;
                }
        if (count == 0)
                return SPF_NO_RECORD;
        return count == 1 ? SPF_OK : SPF_RECORDS;
}

static enum spf_result fault_result(enum spf_fault fault)
{
        switch (fault) {
        case SPF_NO_DOMAIN:
        case SPF_NO_NAME:
        case SPF_NO_RECORD:
                return SPF_NONE;
        case SPF_TROUBLE:
                return SPF_TEMPERROR;
        default:
                return SPF_PERMERROR;
        }
}

static enum spf_result fail(struct run *r, enum spf_fault fault, const struct spf_place *at, struct str term)
{
        stop(r, fault, &at->name, term);
        return fault_result(fault);
}

static enum spf_result decide(struct run *r, const struct spf_place *at, const struct spf_record *record,
        struct str term, enum spf_result result)
{
        r->fault = SPF_OK;
        r->name = at->name;
        r->term = term;
        r->exp = record->has_exp ? record->exp.domain : S("");
        r->exp_at = *at;
        return result;
}

/* 6.1 */
static enum spf_result redirect(struct run *r, const struct spf_place *at, const struct spf_record *record)
{
        const struct spf_term *term = &record->redirect;
        struct spf_place target;
        if (++r->lookups > SPF_LOOKUPS_MAX)
                return fail(r, SPF_LOOKUPS, at, term->text);
        switch (find_target(r, at, term->domain, &target)) {
        case TARGET_STOP:
                return fault_result(r->fault);
        case TARGET_WAITS:
        case TARGET_NEVER:
                return decide(r, at, record, S(""), SPF_NEUTRAL);
        case TARGET_MALFORMED:
                return fail(r, SPF_TARGET, at, term->text);
        case TARGET_READY:
                break;
        }
        enum spf_result result = evaluate(r, &target);
        return result == SPF_NONE ? fail(r, SPF_TARGET, at, term->text) : result;
}

/* Is there no room left for foresight? */
static bool has_guessed_enough(const struct run *r)
{
        return r->is_guess && r->known->count >= r->known->most / 2;
}

/* What the record at `at` says. With r->is_guess set, it may say anything. */
static enum spf_result evaluate(struct run *r, const struct spf_place *at)
{
        struct spf_record record;
        struct str terms;
        bool waits;
        if (has_guessed_enough(r))
                return SPF_NEUTRAL;
        if (dns_name_labels(&at->name) < 2) /* 4.3 */
                return fail(r, SPF_NO_DOMAIN, at, S(""));
        enum spf_fault fault = find_record(r, &at->name, &terms, &waits);
        if (waits) {
                r->is_guess = true;
                return SPF_NEUTRAL;
        }
        if (fault != SPF_OK)
                return fail(r, fault, at, S(""));
        fault = spf_record_parse(terms, &r->macros.ip, &record);
        if (fault != SPF_OK)
                return fail(r, fault, at, record.wrong);
        for (size_t i = 0; i < record.count && !has_guessed_enough(r); i++) {
                const struct spf_term *term = &record.terms[i];
                enum step step = match(r, at, term);
                if (step == STEP_YES)
                        return decide(r, at, &record, term->text, term->qualifier);
                if (step == STEP_STOP)
                        return fault_result(r->fault);
        }
        if (record.has_redirect)
                return redirect(r, at, &record);
        return decide(r, at, &record, S(""), SPF_NEUTRAL);
}

/* The identity. */

static bool is_8bit(struct str s)
{
        size_t i = 0;
        while (i < s.n && !ascii_is_8bit(s.p[i]))
                i++;
        return i < s.n;
}

/* 2.4, 4.3: whose domain is asked for. False: it cannot have a record. */
static bool identify(struct run *r, const struct spf_input *in, struct str *domain)
{
        struct wr a_labels, sender;
        size_t at = str_find_last_byte(in->sender, '@');
        struct str local = at < in->sender.n ? str_take(in->sender, at) : S("");
        *domain = at < in->sender.n ? str_skip(in->sender, at + 1) : in->sender;
        if (in->sender.n == 0)
                *domain = in->helo;
        if (local.n == 0)
                local = S("postmaster");
        wr_init(&a_labels, r->sender_domain, sizeof r->sender_domain);
        wr_init(&sender, r->sender, sizeof r->sender);
        if (dns_idna_write(&a_labels, *domain) != ERR_OK)
                return false;
        wr_str(&sender, local);
        wr_byte(&sender, '@');
        wr_str(&sender, wr_text(&a_labels));
        r->is_local_8bit = is_8bit(local);
        r->macros = (struct spf_macros){.sender = wr_text(&sender),
                .local = str_take(wr_text(&sender), local.n),
                .sender_domain = wr_text(&a_labels),
                .ip = ip_unmapped(&in->ip),
                .helo = in->helo,
                .receiver = in->receiver,
                .now_s = in->now_s};
        if (sender.full || a_labels.n > SPF_DOMAIN_TEXT_MAX || !spf_place_parse(&r->mine, wr_text(&a_labels)))
                return false;
        size_t labels = dns_name_labels(&r->mine.name);
        return labels > 1 && spf_macro_is_top(dns_name_label(&r->mine.name, labels - 1));
}

/* 6.2: an explanation that cannot be had is none. */
static void explain(struct run *r, struct str *out)
{
        char room[SPF_EXPLANATION_MAX];
        const struct dns_answer *answer;
        struct spf_place target;
        struct wr w;
        size_t i = 0;
        if (find_target(r, &r->exp_at, r->exp, &target) != TARGET_READY ||
                ask(r, &target.name, DNS_TYPE_TXT, &answer) != STEP_YES || answer->count != 1 ||
                !spf_macro_is_valid(answer->values[0].text, SPF_MACRO_EXPLANATION))
                return;
        wr_init(&w, room, sizeof room);
        if (expand(r, &r->exp_at, answer->values[0].text, &w) != TARGET_READY || w.full)
                return;
        while (i < w.n && (room[i] == ' ' || ascii_is_graph(room[i])))
                i++;
        if (i == w.n && arena_copy(r->known->arena, wr_text(&w), out) != ERR_OK)
                *out = S("");
}

enum err spf_check(const struct spf_input *in, struct dns_known *known, struct spf_verdict *out)
{
        struct run r = {.known = known};
        CHECK(in->ip.family == 4 || in->ip.family == 6);
        *out = (struct spf_verdict){.fault = SPF_NO_DOMAIN, .is_helo = in->sender.n == 0};
        if (!identify(&r, in, &out->domain))
                return ERR_OK;
        out->result = evaluate(&r, &r.mine);
        out->fault = r.fault;
        out->name = r.name;
        out->term = r.term;
        if (!r.is_guess && out->result == SPF_FAIL && in->explain && r.exp.n > 0)
                explain(&r, &out->explanation);
        if (!r.is_guess)
                return ERR_OK;
        *out = (struct spf_verdict){.is_helo = out->is_helo};
        return ERR_AGAIN;
}
