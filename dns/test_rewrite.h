/* SPDX-License-Identifier: ISC */
/* Read, write, read: a message written again from what was read must read the same. For fuzzers and drivers. */
#ifndef DNS_TEST_REWRITE_H
#define DNS_TEST_REWRITE_H

#include "base/check.h"
#include "dns/message.h"
#include "dns/rdata.h"

static inline enum err test_rewrite(struct str message, char *buffer, size_t cap, struct str *out)
{
        struct dns_reader r;
        struct dns_writer w;
        struct dns_question q;
        struct dns_record record;
        struct dns_rdata_room room;
        struct str wire;
        CHECK(dns_reader_init(&r, message) == ERR_OK);
        dns_writer_init(&w, buffer, cap, &r.header);
        while (dns_reader_question(&r, &q) == ERR_OK)
                dns_writer_question(&w, &q);
        while (dns_reader_record(&r, &record) == ERR_OK) {
                CHECK(dns_rdata_expand(&record, &room, &wire) == ERR_OK);
                dns_writer_record(&w, &(struct dns_record_out){record.section, &record.name, record.type,
                                              record.class, record.ttl_s, wire});
        }
        return dns_writer_end(&w, out);
}

static inline bool test_record_eq(const struct dns_record *a, const struct dns_record *b)
{
        struct dns_rdata_room room_a, room_b;
        struct str wire_a, wire_b;
        CHECK(dns_rdata_expand(a, &room_a, &wire_a) == ERR_OK &&
                dns_rdata_expand(b, &room_b, &wire_b) == ERR_OK);
        return a->section == b->section && a->type == b->type && a->class == b->class &&
               a->ttl_s == b->ttl_s && str_eq(wire_a, wire_b) &&
               str_eq(str_of(a->name.b, a->name.n), str_of(b->name.b, b->name.n)); /* case included */
}

static inline bool test_message_eq(struct str a, struct str b)
{
        struct dns_reader ra, rb;
        struct dns_question qa, qb;
        struct dns_record record_a, record_b;
        if (dns_reader_init(&ra, a) != ERR_OK || dns_reader_init(&rb, b) != ERR_OK)
                return false;
        if (!str_eq(str_take(a, DNS_HEADER_SIZE), str_take(b, DNS_HEADER_SIZE)))
                return false;
        while (dns_reader_question(&ra, &qa) == ERR_OK)
                if (dns_reader_question(&rb, &qb) != ERR_OK || !dns_question_eq(&qa, &qb))
                        return false;
        while (dns_reader_record(&ra, &record_a) == ERR_OK)
                if (dns_reader_record(&rb, &record_b) != ERR_OK || !test_record_eq(&record_a, &record_b))
                        return false;
        return dns_reader_record(&rb, &record_b) == ERR_EOF;
}

#endif
