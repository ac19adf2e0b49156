/* SPDX-License-Identifier: ISC */
/* DNS messages (RFC 1035 4): a reader that yields questions and records one by one, and a writer.
 * Pure: no I/O, no allocation. A reader borrows the message; what it yields borrows it too, but for names. */
#ifndef DNS_MESSAGE_H
#define DNS_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rd.h"
#include "base/str.h"
#include "base/wr.h"
#include "dns/code.h"
#include "dns/name.h"

#define DNS_HEADER_SIZE 12

/* UPDATE calls them zone, prerequisite, update, additional (RFC 2136 2). */
enum dns_section {
        DNS_QUESTION,
        DNS_ANSWER,
        DNS_AUTHORITY,
        DNS_ADDITIONAL,
        DNS_SECTIONS,
        DNS_ZONE = DNS_QUESTION,
        DNS_PREREQUISITE = DNS_ANSWER,
        DNS_UPDATE = DNS_AUTHORITY,
};

struct dns_header {
        uint16_t id;
        uint8_t opcode; /* 4 bits */
        uint8_t rcode;  /* 4 bits; EDNS has eight more */
        bool is_response;
        bool is_authoritative;
        bool is_truncated;
        bool recursion_desired;
        bool recursion_available;
        bool reserved; /* the Z bit: kept, never set by us */
        bool authentic_data;
        bool checking_disabled;
        uint16_t counts[DNS_SECTIONS]; /* as claimed; the writer counts by itself */
};

struct dns_question {
        struct dns_name name;
        uint16_t type;
        uint16_t class;
};

struct dns_record {
        enum dns_section section;
        struct dns_name name;
        uint16_t type;
        uint16_t class;
        uint32_t ttl_s;
        struct str rdata;   /* as it stands in the message: may hold compressed names */
        struct str message; /* the whole message, for those */
        size_t at;          /* where the record starts in the message */
        size_t rdata_at;
};

struct dns_reader {
        struct rd rd;
        struct dns_header header;
        enum dns_section section;
        uint16_t left; /* entries left in `section` */
};

/* Start to read.
 *   ERR_OK      `r->header` is filled
 *   ERR_SYNTAX  shorter than a header
 *   ERR_LIMIT   longer than DNS_MESSAGE_MAX, or more than DNS_RECORDS_MAX entries are claimed */
MUST_USE enum err dns_reader_init(struct dns_reader *r, struct str message);
/* The next question; all are to be read, or skipped by reading records.
 *   ERR_OK, ERR_EOF after the last, ERR_SYNTAX (sticks) */
MUST_USE enum err dns_reader_question(struct dns_reader *r, struct dns_question *out);
/* The next record of the three sections behind the questions.
 *   ERR_OK
 *   ERR_EOF     after the last, and nothing stands behind it
 *   ERR_SYNTAX  cut short, a wrong name, or bytes behind the last record (sticks) */
MUST_USE enum err dns_reader_record(struct dns_reader *r, struct dns_record *out);

/* Does `a` ask what `b` asks: name (without case), type and class? */
bool dns_question_eq(const struct dns_question *a, const struct dns_question *b);

/* The writer owns no buffer; owner names and questions are compressed (only where case is equal, so that what is read
 * back is the same), names in RDATA never. The first thing that does not fit sticks: test dns_writer_end. */
#define DNS_WRITER_NAMES 64 /* places of names that later ones may point to */
struct dns_writer {
        struct wr wr;
        enum dns_section section;
        uint16_t counts[DNS_SECTIONS];
        uint16_t places[DNS_WRITER_NAMES];
        size_t place_count;
};

void dns_writer_init(struct dns_writer *w, void *buffer, size_t cap, const struct dns_header *header);
void dns_writer_question(struct dns_writer *w, const struct dns_question *q);
/* Sections in their order: a record for a section before the last one used is our own fault (CHECK).
 * `rdata` holds no compressed names (dns/rdata.h makes it so). */
struct dns_record_out {
        enum dns_section section;
        const struct dns_name *name;
        uint16_t type;
        uint16_t class;
        uint32_t ttl_s;
        struct str rdata;
};
void dns_writer_record(struct dns_writer *w, const struct dns_record_out *r);
/* Set the counts and give the message, borrowed from the buffer.
 *   ERR_OK, or ERR_SPACE when something did not fit (`*out` is empty then) */
MUST_USE enum err dns_writer_end(struct dns_writer *w, struct str *out);

#endif
