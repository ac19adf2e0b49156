/* SPDX-License-Identifier: ISC */
/* UPDATE, sent by the product's own client over the simulated network: RFC 2136 case by case, and its signatures. */
#include "tests/sim/dns_rig.h"

#include "tests/sim/dns_text.h"

#define BASE                                                                                            \
        "@ NS ns1\n@ NS ns2\nns1 A 10.0.0.1\n@ MX 10 mx\nmx A 10.0.0.2\nmx A 10.0.0.3\nt TXT one\nwww " \
        "CNAME mx\n"                                                                                    \
        "a.b TXT deep\n"

/* Records of the message: section (P or U), class, TTL, then a line of a master file that may lack its data. What must
 * stand in the zone afterwards, or with `!` in front must not. */
static const struct update_case {
        const char *label;
        const char *message[5];
        uint16_t rcode;
        unsigned versions; /* made */
        const char *after[4];
} cases[] = {
        /* RFC 2136 2.4, 3.2 */
        {"set is there", {"P ANY 0 t TXT", "U IN 60 n TXT new"}, 0, 1, {"n TXT new"}},
        {"set is not there", {"P ANY 0 t A", "U IN 60 n TXT new"}, DNS_RCODE_NXRRSET, 0, {"!n TXT new"}},
        {"no such set", {"P NONE 0 t A", "U IN 60 n TXT new"}, 0, 1, {"n TXT new"}},
        {"no such set, but there is", {"P NONE 0 t TXT", "U IN 60 n TXT new"}, DNS_RCODE_YXRRSET, 0,
                {"!n TXT new"}},
        {"set is just so", {"P IN 0 t TXT one", "U IN 60 n TXT new"}, 0, 1, {"n TXT new"}},
        {"set has another text", {"P IN 0 t TXT two", "U IN 60 n TXT new"}, DNS_RCODE_NXRRSET, 0,
                {"!n TXT new"}},
        {"set in another order", {"P IN 0 mx A 10.0.0.3", "P IN 0 mx A 10.0.0.2", "U IN 60 n TXT new"}, 0, 1,
                {"n TXT new"}},
        {"set has one more", {"P IN 0 mx A 10.0.0.3", "U IN 60 n TXT new"}, DNS_RCODE_NXRRSET, 0,
                {"!n TXT new"}},
        {"set has one less",
                {"P IN 0 mx A 10.0.0.3", "P IN 0 mx A 10.0.0.2", "P IN 0 mx A 10.0.0.4", "U IN 60 n TXT new"},
                DNS_RCODE_NXRRSET, 0, {"!n TXT new"}},
        {"the same twice is not two", {"P IN 0 mx A 10.0.0.3", "P IN 0 mx A 10.0.0.3", "U IN 60 n TXT new"},
                DNS_RCODE_NXRRSET, 0, {"!n TXT new"}},
        {"two sets", {"P IN 0 t TXT one", "P IN 0 @ MX 10 MX", "U IN 60 n TXT new"}, 0, 1, {"n TXT new"}},
        {"two sets, one wrong", {"P IN 0 t TXT one", "P IN 0 @ MX 11 mx", "U IN 60 n TXT new"},
                DNS_RCODE_NXRRSET, 0, {"!n TXT new"}},
        {"exact set that is not there", {"P IN 0 x TXT one", "U IN 60 n TXT new"}, DNS_RCODE_NXRRSET, 0, {0}},
        {"name in use", {"P ANY 0 www ANY", "U IN 60 n TXT new"}, 0, 1, {"n TXT new"}},
        {"name not in use", {"P ANY 0 x ANY", "U IN 60 n TXT new"}, DNS_RCODE_NXDOMAIN, 0, {0}},
        {"a name between is not in use", {"P ANY 0 b ANY", "U IN 60 n TXT new"}, DNS_RCODE_NXDOMAIN, 0, {0}},
        {"name free", {"P NONE 0 x ANY", "U IN 60 n TXT new"}, 0, 1, {"n TXT new"}},
        {"a name between is free", {"P NONE 0 b ANY", "U IN 60 b TXT new"}, 0, 1, {"b TXT new"}},
        {"name not free", {"P NONE 0 t ANY", "U IN 60 n TXT new"}, DNS_RCODE_YXDOMAIN, 0, {0}},
        {"prerequisite with TTL", {"P ANY 1 t TXT", "U IN 60 n TXT new"}, DNS_RCODE_FORMERR, 0, {0}},
        {"exact prerequisite with TTL", {"P IN 1 t TXT one"}, DNS_RCODE_FORMERR, 0, {0}},
        {"prerequisite ANY with data", {"P ANY 0 t TXT one"}, DNS_RCODE_FORMERR, 0, {0}},
        {"prerequisite NONE with data", {"P NONE 0 t TXT two"}, DNS_RCODE_FORMERR, 0, {0}},
        {"prerequisite of another class", {"P 3 0 t TXT one"}, DNS_RCODE_FORMERR, 0, {0}},
        {"prerequisite outside", {"P ANY 0 t.test. TXT"}, DNS_RCODE_NOTZONE, 0, {0}},
        {"prerequisites without changes", {"P ANY 0 t TXT"}, 0, 0, {0}},
        /* 2.5, 3.4 */
        {"add", {"U IN 60 mx A 10.0.0.4"}, 0, 1, {"mx A 10.0.0.2", "mx A 10.0.0.4"}},
        {"add what is there", {"U IN 300 mx A 10.0.0.3"}, 0, 0, {"mx A 10.0.0.3"}},
        {"add what is there, other TTL", {"U IN 60 mx A 10.0.0.3"}, 0, 1, {"mx A 10.0.0.3"}},
        {"an alias beside data", {"U IN 60 mx CNAME t"}, 0, 0, {"!mx CNAME t", "mx A 10.0.0.2"}},
        {"data beside an alias", {"U IN 60 www A 10.0.0.2"}, 0, 0, {"!www A 10.0.0.2"}},
        {"another alias", {"U IN 60 www CNAME t"}, 0, 1, {"www CNAME t", "!www CNAME mx"}},
        {"data instead of an alias", {"U ANY 0 www CNAME", "U IN 60 www A 10.0.0.2"}, 0, 1,
                {"!www CNAME mx", "www A 10.0.0.2"}},
        {"delete a set", {"U ANY 0 mx A"}, 0, 1, {"!mx A 10.0.0.2", "!mx A 10.0.0.3"}},
        {"delete a set that is not there", {"U ANY 0 mx TXT"}, 0, 0, {"mx A 10.0.0.2"}},
        {"delete a name", {"U ANY 0 t ANY"}, 0, 1, {"!t TXT one"}},
        {"delete a record", {"U NONE 0 mx A 10.0.0.2"}, 0, 1, {"!mx A 10.0.0.2", "mx A 10.0.0.3"}},
        {"delete a record that is not there", {"U NONE 0 mx A 10.0.0.9"}, 0, 0, {"mx A 10.0.0.2"}},
        {"replace", {"P IN 0 t TXT one", "U ANY 0 t TXT", "U IN 60 t TXT two"}, 0, 1,
                {"!t TXT one", "t TXT two"}},
        {"add and delete in order", {"U IN 60 n TXT new", "U ANY 0 n ANY"}, 0, 1, {"!n TXT new"}},
        {"delete name servers", {"U ANY 0 @ NS"}, 0, 0, {"@ NS ns1", "@ NS ns2"}},
        {"delete all at the origin", {"U ANY 0 @ ANY"}, 0, 1, {"@ NS ns1", "@ NS ns2", "!@ MX 10 mx"}},
        {"delete one name server, not the last", {"U NONE 0 @ NS ns1", "U NONE 0 @ NS ns2"}, 0, 1,
                {"!@ NS ns1", "@ NS ns2"}},
        {"delete the SOA", {"U ANY 0 @ SOA"}, 0, 0, {0}},
        {"delete the SOA's record", {"U NONE 0 @ SOA @ @ 2 300 60 86400 60"}, 0, 0, {0}},
        {"an older SOA", {"U IN 60 @ SOA ns1 h 1 2 3 4 5"}, 0, 0, {"!@ SOA ns1 h 1 2 3 4 5"}},
        {"the same serial", {"U IN 60 @ SOA ns1 h 2 2 3 4 5"}, 0, 0, {"!@ SOA ns1 h 2 2 3 4 5"}},
        {"a newer SOA", {"U IN 60 @ SOA ns1 h 7 2 3 4 5"}, 0, 1, {"@ SOA ns1 h 7 2 3 4 5"}},
        {"a SOA elsewhere", {"U IN 60 mx SOA ns1 h 7 2 3 4 5"}, 0, 0, {"!mx SOA ns1 h 7 2 3 4 5"}},
        {"change outside", {"U IN 60 n TXT new", "U IN 60 n.test. TXT new"}, DNS_RCODE_NOTZONE, 0,
                {"!n TXT new"}},
        {"all or nothing", {"U IN 60 n TXT new", "U ANY 1 t TXT"}, DNS_RCODE_FORMERR, 0, {"!n TXT new"}},
        {"delete set with data", {"U ANY 0 t TXT one"}, DNS_RCODE_FORMERR, 0, {"t TXT one"}},
        {"delete record with TTL", {"U NONE 1 t TXT one"}, DNS_RCODE_FORMERR, 0, {"t TXT one"}},
        {"add to all types", {"U NONE 0 t ANY"}, DNS_RCODE_FORMERR, 0, {"t TXT one"}},
        {"another class", {"U 3 0 t TXT one"}, DNS_RCODE_FORMERR, 0, {0}},
        {"wildcard is a name like others", {"P NONE 0 * ANY", "U IN 60 * TXT any", "P ANY 0 x ANY"},
                DNS_RCODE_NXDOMAIN, 0, {0}},
};

static uint16_t class_of(struct str text)
{
        uint64_t n;
        if (str_eq(text, S("IN")))
                return DNS_CLASS_IN;
        if (str_eq(text, S("ANY")))
                return DNS_CLASS_ANY;
        if (str_eq(text, S("NONE")))
                return DNS_CLASS_NONE;
        assert_int_equal(str_to_u64(text, UINT16_MAX, &n), ERR_OK);
        return (uint16_t)n;
}

/* "NAME TYPE" without data, or a whole line. */
static void read_line(const struct dns_name *origin, struct str line, struct dns_text_record *out)
{
        struct dns_text text = {.origin = *origin};
        struct str name, type, data;
        char with_data[256];
        (void)str_cut(line, ' ', &name, &type);
        if (str_cut(type, ' ', &type, &data)) {
                assert_int_equal(dns_text_parse(&text, line, out), ERR_OK);
                return;
        }
        (void)snprintf(with_data, sizeof with_data, "%.*s TYPE99 \\# 0", STR_ARG(name));
        assert_int_equal(dns_text_parse(&text, str_of_c(with_data), out), ERR_OK);
        assert_int_equal(dns_text_type_parse(type, &out->type), ERR_OK);
}

static void put_record(struct dns_update *u, const struct dns_name *origin, struct str line)
{
        struct str section, class, ttl;
        struct dns_text_record record;
        uint64_t ttl_s;
        (void)str_cut(line, ' ', &section, &line);
        (void)str_cut(line, ' ', &class, &line);
        (void)str_cut(line, ' ', &ttl, &line);
        assert_int_equal(str_to_u64(ttl, UINT32_MAX, &ttl_s), ERR_OK);
        read_line(origin, line, &record);
        dns_writer_record(&u->writer, &(struct dns_record_out){
                                              .section = section.p[0] == 'P' ? DNS_PREREQUISITE : DNS_UPDATE,
                                              .name = &record.name,
                                              .type = record.type,
                                              .class = class_of(class),
                                              .ttl_s = (uint32_t)ttl_s,
                                              .rdata = str_of(record.rdata, record.rdata_n),
                                      });
}

static struct dns_update_result send(struct rig *r, const char *zone, const struct tsig_key *key,
        uint8_t server, const char *const *message, size_t n)
{
        static char buffer[DNS_MESSAGE_MAX];
        struct dns_name origin = rig_name(zone);
        struct dns_update u;
        struct dns_update_result result;
        struct dns_server at = rig_server(server, false);
        dns_update_init(&u, buffer, sizeof buffer, 7, &origin);
        for (char section = 'P'; section <= 'U'; section = (char)(section + 'U' - 'P'))
                for (size_t i = 0; i < n && message[i]; i++)
                        if (message[i][0] == section)
                                put_record(&u, &origin, str_of_c(message[i]));
        dns_update_send(r->h, &at, key, &u, host_now_ms(r->h) + 10000, &result);
        return result;
}

static bool stands(const struct rig *r, const struct dns_zone *z, const char *line)
{
        struct dns_text text = {.origin = z->origin};
        struct dns_text_record record;
        (void)r;
        assert_int_equal(dns_text_parse(&text, str_of_c(line), &record), ERR_OK);
        return dns_store_record(z, dns_store_newest(z), &record.name, record.type,
                       str_of(record.rdata, record.rdata_n)) != NULL;
}

static void play_case(struct rig *r, const struct update_case *c, size_t number)
{
        char zone[32], name[64];
        (void)snprintf(zone, sizeof zone, "z%zu.example", number);
        (void)snprintf(name, sizeof name, "k._update.%s", zone);
        struct dns_zone *z = rig_zone(r, zone, BASE);
        struct tsig_key key = rig_key(name);
        uint32_t before = dns_store_newest(z);
        rig_key_add(r, name, zone);
        struct dns_update_result result = send(r, zone, &key, 1, c->message, 5);
        if (result.status != (c->rcode == 0 ? DNS_UPDATE_DONE : DNS_UPDATE_REFUSED) ||
                result.rcode != c->rcode)
                fail_msg("%s: status %d, %s", c->label, (int)result.status, dns_rcode_text(result.rcode).p);
        if (dns_store_newest(z) - before != c->versions)
                fail_msg("%s: %u versions", c->label, (unsigned)(dns_store_newest(z) - before));
        for (size_t i = 0; i < 4 && c->after[i]; i++)
                if (stands(r, z, c->after[i] + (c->after[i][0] == '!')) != (c->after[i][0] != '!'))
                        fail_msg("%s: not so: %s", c->label, c->after[i]);
}

static void play_cases(struct rig *r)
{
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
                play_case(r, &cases[i], i);
        assert_true(dns_peer_stats(r->primary).updates > 10);
        assert_int_equal(dns_peer_stats(r->primary).over_tcp, sizeof cases / sizeof cases[0]);
}

static void test_cases(void **state)
{
        (void)state;
        (void)rig_run(1, play_cases);
}

/* Who may change what. */

static const char *const change[] = {"U IN 60 n TXT new"};

static void expect(const struct dns_update_result *result, enum dns_update_status status, uint16_t rcode,
        uint16_t tsig_error)
{
        if (result->status != status || result->rcode != rcode || result->tsig_error != tsig_error)
                fail_msg("status %d, rcode %u, TSIG %u", (int)result->status, result->rcode,
                        result->tsig_error);
}

static void play_signatures(struct rig *r)
{
        struct dns_zone *z = rig_zone(r, "example.org", BASE);
        (void)rig_zone(r, "example.net", BASE);
        rig_key_add(r, "k._update.example.org", "example.org");
        rig_key_add(r, "k._update.example.net", "example.net");
        struct tsig_key key = rig_key("k._update.example.org"), wrong = key, other = rig_key("x.example.org");
        struct tsig_key foreign = rig_key("k._update.example.net");
        struct dns_update_result result;
        wrong.secret[0] ^= 1;
        result = send(r, "example.org", &wrong, 1, change, 1);
        expect(&result, DNS_UPDATE_CLAIMED, DNS_RCODE_NOTAUTH, DNS_RCODE_BADSIG);
        result = send(r, "example.org", &other, 1, change, 1);
        expect(&result, DNS_UPDATE_CLAIMED, DNS_RCODE_NOTAUTH, DNS_RCODE_BADKEY);
        wrong = key;
        wrong.hash = HMAC_SHA512;
        result = send(r, "example.org", &wrong, 1, change, 1);
        expect(&result, DNS_UPDATE_CLAIMED, DNS_RCODE_NOTAUTH, DNS_RCODE_BADKEY);
        result = send(r, "example.org", &foreign, 1, change, 1);
        expect(&result, DNS_UPDATE_REFUSED, DNS_RCODE_REFUSED, 0);
        result = send(r, "example.org", &key, 2, change, 1); /* a secondary */
        expect(&result, DNS_UPDATE_REFUSED, DNS_RCODE_REFUSED, 0);
        result = send(r, "mx.example.org", &key, 1, change, 1); /* in a zone, but none */
        expect(&result, DNS_UPDATE_REFUSED, DNS_RCODE_NOTAUTH, 0);
        result = send(r, "example.com", &key, 1, change, 1);
        expect(&result, DNS_UPDATE_REFUSED, DNS_RCODE_NOTAUTH, 0);
        assert_false(stands(r, z, "n TXT new"));
        assert_int_equal(dns_zone_serial(z), 2);
        assert_int_equal(dns_peer_stats(r->primary).refusals, 6);
        result = send(r, "EXAMPLE.org", &key, 1, change, 1);
        expect(&result, DNS_UPDATE_DONE, DNS_RCODE_NOERROR, 0);
        assert_true(stands(r, z, "n TXT new"));
        assert_int_equal(dns_zone_serial(z), 3);
}

static void test_signatures(void **state)
{
        (void)state;
        (void)rig_run(1, play_signatures);
}

static void play_clock(struct rig *r)
{
        (void)rig_zone(r, "example.org", BASE);
        rig_key_add(r, "k._update.example.org", "example.org");
        struct tsig_key key = rig_key("k._update.example.org");
        static const int64_t ahead_s[] = {TSIG_FUDGE_S + 10, -TSIG_FUDGE_S - 10, 86400, TSIG_FUDGE_S - 10};
        for (size_t i = 0; i < 4; i++) {
                dns_peer_fault(r->primary, DNS_FAULT_CLOCK, SIM_PPM, ahead_s[i]);
                struct dns_update_result result = send(r, "example.org", &key, 1, change, 1);
                if (i == 3) {
                        expect(&result, DNS_UPDATE_DONE, DNS_RCODE_NOERROR, 0);
                        break;
                }
                expect(&result, DNS_UPDATE_REFUSED, DNS_RCODE_NOTAUTH, DNS_RCODE_BADTIME);
                int64_t off_s = (int64_t)(result.server_time_s - result.our_time_s) - ahead_s[i];
                assert_true(off_s >= 0 && off_s <= 1);
        }
        dns_peer_faults_clear(r->primary);
        sim_node_set_clock(r->nodes[0], 1000 * 86400); /* the same by the node's own clock */
        struct dns_update_result result = send(r, "example.org", &key, 1, change, 1);
        expect(&result, DNS_UPDATE_REFUSED, DNS_RCODE_NOTAUTH, DNS_RCODE_BADTIME);
}

static void test_clock(void **state)
{
        (void)state;
        (void)rig_run(1, play_clock);
}

static void play_scopes(struct rig *r)
{
        static const struct {
                const char *message;
                uint16_t rcode;
        } scoped[] = {
                {"U IN 60 _25._tcp.mx TLSA 3 1 1 00", DNS_RCODE_NOERROR},
                {"U ANY 0 _25._tcp.mx TLSA", DNS_RCODE_NOERROR},
                {"U ANY 0 _25._tcp.mx ANY", DNS_RCODE_REFUSED},
                {"U IN 60 mx TLSA 3 1 1 00", DNS_RCODE_REFUSED},
                {"U IN 60 _25._tcp.mx TXT a", DNS_RCODE_REFUSED},
                {"U IN 60 dkim._domainkey TXT a", DNS_RCODE_REFUSED},
                {"U IN 60 x.free TXT a", DNS_RCODE_NOERROR},
                {"U ANY 0 free ANY", DNS_RCODE_NOERROR},
        };
        struct dns_zone *z = rig_zone(r, "example.org", BASE);
        struct tsig_key key = rig_key("k._update.example.org");
        assert_int_equal(dns_key_scope(r->world, S("x"), DNS_TYPE_ANY), ERR_SEQUENCE);
        rig_key_add(r, "k._update.example.org", "example.org");
        assert_int_equal(dns_key_scope(r->world, S("_25._tcp.mx.example.org"), DNS_TYPE_TLSA), ERR_OK);
        assert_int_equal(dns_key_scope(r->world, S("free.example.org"), DNS_TYPE_ANY), ERR_OK);
        assert_int_equal(dns_key_scope(r->world, S("a..b"), DNS_TYPE_ANY), ERR_SYNTAX);
        for (size_t i = 0; i < sizeof scoped / sizeof scoped[0]; i++) {
                struct dns_update_result result = send(r, "example.org", &key, 1, &scoped[i].message, 1);
                if (result.rcode != scoped[i].rcode)
                        fail_msg("%s: %s", scoped[i].message, dns_rcode_text(result.rcode).p);
        }
        assert_true(stands(r, z, "x.free TXT a"));
}

static void test_scopes(void **state)
{
        (void)state;
        (void)rig_run(1, play_scopes);
}

/* Faults about updates. */

static void play_faults(struct rig *r)
{
        struct dns_zone *z = rig_zone(r, "example.org", BASE);
        struct tsig_key key = rig_key("k._update.example.org");
        struct dns_update_result result;
        rig_key_add(r, "k._update.example.org", "example.org");
        static const struct {
                enum dns_fault fault;
                uint16_t rcode;
        } codes[] = {{DNS_FAULT_SERVFAIL, DNS_RCODE_SERVFAIL}, {DNS_FAULT_REFUSED, DNS_RCODE_REFUSED},
                {DNS_FAULT_NOTAUTH, DNS_RCODE_NOTAUTH}};
        for (size_t i = 0; i < 3; i++) {
                dns_peer_fault(r->primary, codes[i].fault, SIM_PPM, 0);
                result = send(r, "example.org", &key, 1, change, 1);
                expect(&result, DNS_UPDATE_CLAIMED, codes[i].rcode, 0);
                dns_peer_faults_clear(r->primary);
        }
        dns_peer_fault(r->primary, DNS_FAULT_DEAF, SIM_PPM, 0);
        result = send(r, "example.org", &key, 1, change, 1);
        expect(&result, DNS_UPDATE_DONE, DNS_RCODE_NOERROR, 0);
        dns_peer_faults_clear(r->primary);
        dns_peer_fault(r->primary, DNS_FAULT_DROP, SIM_PPM, 0);
        result = send(r, "example.org", &key, 1, change, 1);
        assert_int_equal(result.status, DNS_UPDATE_UNKNOWN);
        dns_peer_faults_clear(r->primary);
        dns_peer_fault(r->primary, DNS_FAULT_WRONG_ID, SIM_PPM, 0);
        result = send(r, "example.org", &key, 1, (const char *const[]){"U ANY 0 none A"}, 1);
        assert_int_equal(result.status, DNS_UPDATE_UNKNOWN);
        dns_peer_faults_clear(r->primary);
        assert_false(stands(r, z, "n TXT new"));
        assert_int_equal(dns_zone_serial(z), 2);
        dns_peer_fault(r->primary, DNS_FAULT_LOST_ANSWER, SIM_PPM, 0);
        result = send(r, "example.org", &key, 1, change, 1);
        assert_int_equal(result.status, DNS_UPDATE_UNKNOWN);
        assert_true(stands(r, z, "n TXT new"));
        dns_peer_faults_clear(r->primary);
        int64_t begin_ms = host_now_ms(r->h);
        dns_peer_fault(r->primary, DNS_FAULT_DELAY, SIM_PPM, 5000);
        result = send(r, "example.org", &key, 1, (const char *const[]){"U ANY 0 n ANY"}, 1);
        expect(&result, DNS_UPDATE_DONE, DNS_RCODE_NOERROR, 0);
        assert_in_range(host_now_ms(r->h) - begin_ms, 5000, 5100);
        assert_false(stands(r, z, "n TXT new"));
}

static void test_faults(void **state)
{
        (void)state;
        (void)rig_run(1, play_faults);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_cases),
                cmocka_unit_test(test_signatures),
                cmocka_unit_test(test_clock),
                cmocka_unit_test(test_scopes),
                cmocka_unit_test(test_faults),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
