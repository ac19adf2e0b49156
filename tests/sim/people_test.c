/* SPDX-License-Identifier: ISC */
/* What people publish, and what is held to be true of their letters, against the product's own evaluation of these letters
 * with these records. */
#include "tests/sim/people.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "auth/evaluate.h"
#include "tests/sim/dns_world.h"
#include "tests/sim/letter.h"

#define MEMORY (256 * 1024)

struct rig {
        struct sim *sim;
        struct dns_world *dns;
        struct dns_peer *primary;
        struct people *people;
        struct evaluate evaluate;
        struct mail_field fields[MAIL_FIELDS_MAX];
        char memory[MEMORY], answer[DNS_ANSWER_ROOM];
};

static void publish(struct rig *r, struct str domain)
{
        struct buffer lines = {0};
        struct dns_zone *zone;
        size_t line;
        people_records(r->people, domain, &lines);
        assert_int_equal(dns_zone_new(r->dns, domain, &zone), ERR_OK);
        if (dns_zone_edit(zone, buffer_text(&lines), &line) != ERR_OK)
                fail_msg("line %zu of %.*s", line, STR_ARG(buffer_text(&lines)));
        dns_peer_serve(r->primary, zone, DNS_PRIMARY);
        buffer_free(&lines);
}

static void answer_all(struct rig *r, struct dns_known *known)
{
        struct dns_fact *fact = NULL;
        while ((fact = dns_known_wanted(known, fact)) != NULL) {
                static const struct dns_answer nothing = {.status = DNS_NO_NAME};
                struct dns_answer answer;
                struct arena arena;
                arena_init(&arena, r->answer, sizeof r->answer);
                enum err e = dns_world_lookup(
                        r->dns, NULL, &fact->name, fact->type, sim_now(r->sim), &arena, &answer);
                dns_known_give(known, fact, ERR_OK, e == ERR_OK ? &answer : &nothing);
        }
}

static const struct evaluation *evaluate(struct rig *r, struct str message, struct str sender, struct ip ip)
{
        struct spf_input spf = {.ip = ip, .sender = sender, .helo = S("there.test")};
        struct arena arena;
        struct dns_known known;
        static struct dkim_keys keys;
        static struct mail_header header;
        arena_init(&arena, r->memory, sizeof r->memory);
        dns_known_init(&known, &arena, EVALUATE_QUESTIONS_MAX);
        dkim_keys_init(&keys);
        assert_int_equal(mail_header_index(message, r->fields, MAIL_FIELDS_MAX, &header), ERR_OK);
        evaluate_init(&r->evaluate, &spf, &header, &known);
        evaluate_body(&r->evaluate, str_skip(message, header.body_at));
        evaluate_body_end(&r->evaluate);
        while (evaluate_finish(&r->evaluate, &keys) == ERR_AGAIN)
                answer_all(r, &known);
        evaluate_drop(&r->evaluate);
        dkim_keys_drop(&keys);
        return &r->evaluate.out;
}

static void compare(struct rig *r, const struct person *who, struct ip ip, struct str sender, struct str from)
{
        struct letter letter = {
                .seed = 1, .name = S("t1"), .from = from, .to = S("l@list.test"), .size = 300};
        struct str bytes = letter_write(&letter), field = {NULL, 0};
        struct buffer message = {0};
        bool is_signed = person_signs(who);
        struct ledger_truth truth = people_truth(r->people, who, sender, from, is_signed);
        if (is_signed)
                field = person_sign(who, bytes, from.n % 2 == 0);
        buffer_put(&message, field);
        buffer_put(&message, bytes);
        const struct evaluation *e = evaluate(r, buffer_text(&message), sender, ip);
        bool passes = e->dmarc.result == DMARC_PASS;
        if ((e->spf.result == SPF_PASS) != truth.spf || truth.dkim != is_signed ||
                (is_signed && e->dkim[0].result != DKIM_PASS) ||
                passes != (truth.dmarc == LEDGER_DMARC_PASS) ||
                (e->dmarc.result == DMARC_NONE) != (truth.dmarc == LEDGER_DMARC_NONE))
                fail_msg("%.*s says that he is %.*s: spf %d dkim %d dmarc %d", STR_ARG(sender), STR_ARG(from),
                        (int)e->spf.result, (int)e->dkim[0].result, (int)e->dmarc.result);
        buffer_free(&message);
        letter_free(bytes);
        str_free(field);
}

/* Everybody speaks for everybody, under all that may be drawn. */
static void test_truth(void **state)
{
        static const char *const addresses[] = {"ann@a.test", "bob@a.test", "eve@b.test"}, *const crowd[] = {
                                                                                                   "c1", "c2",
                                                                                                   "c3", "c4",
                                                                                                   "c5",
                                                                                                   "c6"};
        static struct rig r;
        size_t proven = 0, policies = 0;
        (void)state;
        for (uint64_t seed = 1; seed <= 60; seed++) {
                struct person *who[3];
                struct ip ips[3], ns = ip_v4(10, 0, 1, 1);
                r.sim = sim_new(seed, NULL);
                r.dns = dns_world_new(r.sim);
                r.primary = dns_peer_new(r.dns, sim_node_add(r.sim, "ns", &ns, 1, NULL), DNS_PEER_SERVER);
                r.people = people_new(seed);
                for (uint8_t i = 0; i < 3; i++) {
                        ips[i] = ip_v4(10, 0, 0, (uint8_t)(i + 1));
                        who[i] = people_add(
                                r.people, &(struct person_new){.name = str_take(str_of_c(addresses[i]), 3),
                                                  .address = str_of_c(addresses[i]),
                                                  .ip = ips[i]});
                }
                for (uint8_t i = 0; i < seed % 7; i++) /* records may have many terms */
                        (void)people_add(r.people, &(struct person_new){.name = str_of_c(crowd[i]),
                                                           .address = S("crowd@a.test"),
                                                           .ip = ip_v4(10, 0, 2, i),
                                                           .proof = S("spf")});
                publish(&r, S("a.test"));
                publish(&r, S("b.test"));
                for (size_t i = 0; i < 27; i++)
                        compare(&r, who[i % 3], ips[i % 3], str_of_c(addresses[i / 3 % 3]),
                                str_of_c(addresses[i / 9]));
                struct ledger_truth truth = people_truth(
                        r.people, who[0], S("ann@a.test"), S("ann@a.test"), person_signs(who[0]));
                proven += truth.is_proven;
                policies += truth.dmarc == LEDGER_DMARC_PASS;
                people_free(r.people);
                sim_free(r.sim);
                dns_world_free(r.dns);
        }
        assert_int_equal(proven, 60);
        assert_true(policies > 20 && policies < 55);
}

/* What is said is so, whatever is drawn. */
static void test_said(void **state)
{
        static const struct {
                const char *proof, *policy, *key, *has, *lacks;
        } cases[] = {
                {"spf", "reject", "", "p=reject", "_domainkey"},
                {"dkim", "none", "rsa", "k=rsa", "10.0.0.1"},
                {"both", "quarantine", "ed25519", "k=ed25519", "k=rsa"},
                {"none", "absent", "", "", "_d"},
        };
        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
                for (uint64_t seed = 1; seed <= 20; seed++) {
                        struct people *p = people_new(seed);
                        struct buffer lines = {0};
                        struct person_new new = {.name = S("ann"),
                                .address = S("ann@a.test"),
                                .ip = ip_v4(10, 0, 0, 1),
                                .proof = str_of_c(cases[i].proof),
                                .policy = str_of_c(cases[i].policy),
                                .key = str_of_c(cases[i].key)};
                        struct person *who = people_add(p, &new);
                        people_records(p, S("a.test"), &lines);
                        struct str text = buffer_text(&lines), lacks = str_of_c(cases[i].lacks);
                        assert_true(
                                cases[i].has[0] == '\0' || str_find(text, str_of_c(cases[i].has)) < text.n);
                        assert_true(text.n == 0 || str_find(text, lacks) == text.n);
                        assert_int_equal(person_signs(who), i == 1 || i == 2);
                        buffer_free(&lines);
                        people_free(p);
                }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_truth),
                cmocka_unit_test(test_said),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
