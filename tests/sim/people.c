/* SPDX-License-Identifier: ISC */
#include "tests/sim/people.h"

#include "crypto/rsa_search.h"
#include "host/sim/random.h"
#include "tests/sim/signature.h"

#define RSA_BITS 1024 /* the least that counts: RFC 8301 3.2 */
#define NAMES_MAX 5   /* in one SPF record: RFC 7208 4.6.4 allows ten lookups in all */

struct person {
        struct str name, address, policy; /* owned */
        struct ip ip;
        bool has_spf;
        struct crypto_key *key; /* NULL: he does not sign */
};

struct people {
        uint64_t seed;
        struct person **all;
        size_t count, cap;
};

static struct str domain_of(struct str address)
{
        return str_skip(address, str_find_last_byte(address, '@') + 1);
}

struct people *people_new(uint64_t seed)
{
        struct people *p = calloc(1, sizeof *p);
        CHECK(p);
        p->seed = seed;
        return p;
}

void people_free(struct people *p)
{
        for (size_t i = 0; p && i < p->count; i++) {
                str_free(p->all[i]->name);
                str_free(p->all[i]->address);
                str_free(p->all[i]->policy);
                crypto_key_free(p->all[i]->key);
                free(p->all[i]);
        }
        if (p)
                free(p->all);
        free(p);
}

/* ---- keys ---- */

static struct crypto_key *derive_key(struct sim_random *r, bool is_rsa)
{
        uint8_t seed[ED25519_SEED_SIZE];
        struct rsa_search search;
        struct crypto_key *key;
        sim_random_bytes(r, seed, sizeof seed);
        if (!is_rsa) {
                CHECK(crypto_key_ed25519_private(seed, &key) == ERR_OK);
                return key;
        }
        rsa_search_init(&search, str_of(seed, sizeof seed), RSA_BITS);
        enum err e;
        while ((e = rsa_search_step(&search, &key)) == ERR_AGAIN)
                ;
        rsa_search_drop(&search);
        CHECK(e == ERR_OK);
        return key;
}

/* ---- people ---- */

struct person *people_add(struct people *p, const struct person_new *new)
{
        struct sim_random r = sim_random_of(p->seed, S("person"), new->name);
        struct person *who = calloc(1, sizeof *who);
        CHECK(who);
        uint64_t proof = sim_random_below(&r, 3), key = sim_random_below(&r, 4);
        bool has_key = new->proof.n == 0 ? proof != 0 : !str_eq(new->proof, S("spf"));
        bool is_rsa = new->key.n == 0 ? key == 0 : str_eq(new->key, S("rsa"));
        *who = (struct person){.name = str_copy(new->name),
                .address = str_copy(new->address),
                .policy = str_copy(new->policy),
                .ip = new->ip,
                .has_spf = new->proof.n == 0 ? proof != 1 : !str_eq(new->proof, S("dkim"))};
        if (str_eq(new->proof, S("none")))
                who->has_spf = has_key = false;
        if (has_key)
                who->key = derive_key(&r, is_rsa);
        p->all = array_grow(p->all, p->count, &p->cap, sizeof(struct person *));
        p->all[p->count++] = who;
        return who;
}

struct str person_address(const struct person *who)
{
        return who->address;
}

bool person_signs(const struct person *who)
{
        return who->key != NULL;
}

struct str person_sign(const struct person *who, struct str message, bool is_relaxed)
{
        struct signature s = {domain_of(who->address), who->name, who->key, is_relaxed};
        return signature_make(&s, message);
}

static bool is_at(const struct person *who, struct str domain)
{
        return str_eq_nocase(domain_of(who->address), domain);
}

/* Does the SPF record at `domain` name the node of this person? */
static bool spf_passes(const struct people *p, struct str domain, const struct person *who)
{
        for (size_t i = 0; i < p->count; i++)
                if (is_at(p->all[i], domain) && p->all[i]->has_spf && ip_eq(&p->all[i]->ip, &who->ip))
                        return true;
        return false;
}

/* ---- records ---- */

/* One address in a term of SPF, and the records that the term needs. */
static void put_host(struct buffer *terms, struct buffer *lines, const struct person *who, uint64_t form)
{
        char text[IP_TEXT_MAX];
        struct wr w;
        struct str domain = domain_of(who->address);
        wr_init(&w, text, sizeof text);
        ip_write(&w, &who->ip);
        if (form == 0) { /* its name */
                buffer_print(terms, " \" a:%.*s.%.*s\"", STR_ARG(who->name), STR_ARG(domain));
                buffer_print(lines, "%.*s A %.*s\n", STR_ARG(who->name), STR_ARG(wr_text(&w)));
        } else if (form ==
                   1) { /* RFC 7208 7: a macro, one term for all: 4.6.4 allows two names that are none */
                if (terms->n == 0)
                        buffer_print(terms, " \" exists:%%{i}._ip.%.*s\"", STR_ARG(domain));
                buffer_print(lines, "%.*s._ip A 127.0.0.2\n", STR_ARG(wr_text(&w)));
        } else {
                buffer_print(terms, " \" ip4:%.*s\"", STR_ARG(wr_text(&w)));
        }
}

/* RFC 7208: the record itself, or one that it includes or leads to. */
static void put_spf(const struct people *p, struct str domain, struct sim_random *r, struct buffer *lines)
{
        static const char *const ends[] = {"-all", "~all", "?all"};
        struct buffer terms = {0};
        uint64_t where = sim_random_below(r, 4), form = sim_random_below(r, 4), end = sim_random_below(r, 3);
        size_t hosts = 0;
        for (size_t i = 0; i < p->count; i++)
                hosts += is_at(p->all[i], domain) && p->all[i]->has_spf;
        form = hosts <= NAMES_MAX ? form : 2;
        for (size_t i = 0; i < p->count; i++)
                if (is_at(p->all[i], domain) && p->all[i]->has_spf)
                        put_host(&terms, lines, p->all[i], form);
        bool is_whole = terms.n == 0 || where > 1;
        if (terms.n > 0 || end == 0) /* nobody may, or nothing is said */
                buffer_print(lines, "%s TXT \"v=spf1\"%.*s \" %s\"\n", is_whole ? "@" : "_spf",
                        STR_ARG(buffer_text(&terms)), ends[end]);
        if (!is_whole && where == 0)
                buffer_print(lines, "@ TXT \"v=spf1 include:_spf.%.*s -all\"\n", STR_ARG(domain));
        if (!is_whole && where == 1)
                buffer_print(lines, "@ TXT \"v=spf1 redirect=_spf.%.*s\"\n", STR_ARG(domain));
        buffer_free(&terms);
}

/* What one of the domain's people says, or what is drawn for it; "absent" where nobody publishes anything. */
static struct str policy_of(const struct people *p, struct str domain)
{
        static const char *const policies[] = {"absent", "absent", "none", "quarantine", "reject", "reject"};
        struct sim_random r = sim_random_of(p->seed, S("policy"), domain);
        struct str policy = S("absent");
        for (size_t i = 0; i < p->count; i++) {
                if (!is_at(p->all[i], domain))
                        continue;
                if (p->all[i]->policy.n > 0)
                        return p->all[i]->policy;
                policy = S("");
        }
        return policy.n > 0 ? policy : str_of_c(policies[sim_random_below(&r, 6)]);
}

struct ledger_truth people_truth(
        const struct people *p, const struct person *who, struct str sender, struct str from, bool is_signed)
{
        struct str author = domain_of(from);
        struct ledger_truth truth = {.is_told = true,
                .spf = spf_passes(p, domain_of(sender), who),
                .dkim = is_signed,
                .signer = domain_of(who->address)};
        truth.is_proven = (truth.spf && str_eq_nocase(domain_of(sender), author)) ||
                          (truth.dkim && str_eq_nocase(truth.signer, author));
        if (!str_eq(policy_of(p, author), S("absent")))
                truth.dmarc = truth.is_proven ? LEDGER_DMARC_PASS : LEDGER_DMARC_FAIL;
        return truth;
}

void people_records(const struct people *p, struct str domain, struct buffer *lines)
{
        struct sim_random r = sim_random_of(p->seed, S("spf"), domain);
        struct str policy = policy_of(p, domain);
        put_spf(p, domain, &r, lines);
        if (!str_eq(policy, S("absent")))
                buffer_print(lines, "_dmarc TXT \"v=DMARC1; p=%.*s\"\n", STR_ARG(policy));
        for (size_t i = 0; i < p->count; i++) {
                if (!is_at(p->all[i], domain) || !p->all[i]->key)
                        continue;
                struct str record = signature_record(p->all[i]->key);
                buffer_print(
                        lines, "%.*s._domainkey TXT \"%.*s\"\n", STR_ARG(p->all[i]->name), STR_ARG(record));
                str_free(record);
        }
}
