/* SPDX-License-Identifier: ISC */
/* Records as lines of a master file (RFC 1035 5.1), one a line, without parentheses. Pure. */
#ifndef TESTS_SIM_DNS_TEXT_H
#define TESTS_SIM_DNS_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "base/wr.h"
#include "dns/name.h"

#define DNS_TEXT_TTL_S 300
#define DNS_TEXT_RDATA_MAX 4096

/* What names are relative to, and what a line without a name goes on with. */
struct dns_text {
        struct dns_name origin;
        struct dns_name last; /* n 0: none yet */
};

struct dns_text_record {
        struct dns_name name;
        uint16_t type;
        uint32_t ttl_s;
        size_t rdata_n;
        char rdata[DNS_TEXT_RDATA_MAX];
};

/* One line, without its end.
 *   ERR_OK
 *   ERR_NOT_FOUND  nothing but blanks or a comment
 *   ERR_SYNTAX     also what is too long */
MUST_USE enum err dns_text_parse(struct dns_text *t, struct str line, struct dns_text_record *out);

/* "TXT", "TYPE65": the type of a name in either case.
 *   ERR_OK, ERR_NOT_FOUND */
MUST_USE enum err dns_text_type_parse(struct str text, uint16_t *out);
void dns_text_type_write(struct wr *w, uint16_t type);

#endif
