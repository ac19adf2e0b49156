/* SPDX-License-Identifier: ISC */
#include "tests/sim/dns_text.h"

#include "base/hex.h"
#include "base/ip.h"
#include "dns/code.h"
#include "dns/rdata.h"

/* The words of a line: an unquoted one ends at a blank, a quoted one at its other quote (RFC 1035 5.1). */
struct words {
        struct str rest;
        enum err fault; /* sticks */
};

static bool is_blank(char c)
{
        return c == ' ' || c == '\t' || c == '\r';
}

static void skip_blanks(struct words *w)
{
        while (w->rest.n > 0 && is_blank(w->rest.p[0]))
                w->rest = str_skip(w->rest, 1);
        if (w->rest.n > 0 && w->rest.p[0] == ';')
                w->rest = str_take(w->rest, 0);
}

/* The next word as it stands, escapes unread: true, or false after the last. */
static bool next_word(struct words *w, struct str *word, bool *is_quoted)
{
        skip_blanks(w);
        *word = str_take(w->rest, 0);
        *is_quoted = w->rest.n > 0 && w->rest.p[0] == '"';
        if (w->rest.n == 0)
                return false;
        size_t start = *is_quoted ? 1 : 0, n = start;
        while (n < w->rest.n && (*is_quoted ? w->rest.p[n] != '"' : !is_blank(w->rest.p[n])))
                n += w->rest.p[n] == '\\' ? 2 : 1;
        if (n > w->rest.n || (*is_quoted && n == w->rest.n)) {
                w->fault = ERR_SYNTAX;
                n = w->rest.n;
        }
        *word = str_skip(str_take(w->rest, n), start);
        w->rest = str_skip(w->rest, n + (*is_quoted ? 1 : 0));
        return true;
}

/* A word that must be there and bare; empty with the fault set otherwise. */
static struct str want_word(struct words *w)
{
        struct str word;
        bool is_quoted;
        if (!next_word(w, &word, &is_quoted) || is_quoted)
                w->fault = ERR_SYNTAX;
        return w->fault == ERR_OK ? word : S("");
}

static uint64_t want_number(struct words *w, uint64_t most)
{
        uint64_t n;
        if (str_to_u64(want_word(w), most, &n) != ERR_OK)
                w->fault = ERR_SYNTAX;
        return n;
}

static void read_name(struct words *w, const struct dns_text *t, struct str word, struct dns_name *out)
{
        enum err e = ERR_OK;
        bool is_whole = word.n > 0 && word.p[word.n - 1] == '.';
        if (str_eq(word, S("@")))
                *out = t->origin;
        else if (is_whole || dns_name_is_root(&t->origin))
                e = dns_name_parse(word, out);
        else
                e = dns_name_join(word, &t->origin, out);
        if (e != ERR_OK) {
                w->fault = ERR_SYNTAX;
                dns_name_set_root(out);
        }
}

static void want_name(struct words *w, const struct dns_text *t, struct dns_name *out)
{
        read_name(w, t, want_word(w), out);
}

static const uint16_t types[] = {DNS_TYPE_A, DNS_TYPE_NS, DNS_TYPE_CNAME, DNS_TYPE_SOA, DNS_TYPE_PTR,
        DNS_TYPE_MX, DNS_TYPE_TXT, DNS_TYPE_AAAA, DNS_TYPE_TLSA, DNS_TYPE_ANY};

enum err dns_text_type_parse(struct str text, uint16_t *out)
{
        uint64_t n;
        for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
                if (str_eq_nocase(text, dns_type_text(types[i]))) {
                        *out = types[i];
                        return ERR_OK;
                }
        *out = 0;
        if (!str_has_prefix_nocase(text, S("TYPE")) ||
                str_to_u64(str_skip(text, 4), UINT16_MAX, &n) != ERR_OK)
                return ERR_NOT_FOUND;
        *out = (uint16_t)n;
        return ERR_OK;
}

void dns_text_type_write(struct wr *w, uint16_t type)
{
        struct str text = dns_type_text(type);
        bool has_name = text.n > 0 && text.p[text.n - 1] != '?';
        wr_str(w, has_name ? text : S("TYPE"));
        if (!has_name)
                wr_u64(w, type);
}

/* Data. */

static bool is_digit(char c)
{
        return c >= '0' && c <= '9';
}

/* \DDD is an octet, \X stands for X. */
static void write_unescaped(struct words *w, struct str word, struct wr *out)
{
        for (size_t i = 0; i < word.n; i++) {
                char c = word.p[i];
                if (c == '\\' && ++i < word.n) {
                        uint64_t octet = 0;
                        c = word.p[i];
                        if (is_digit(c)) {
                                if (i + 3 > word.n || str_to_u64(str_take(str_skip(word, i), 3), UINT8_MAX,
                                                              &octet) != ERR_OK)
                                        w->fault = ERR_SYNTAX;
                                c = (char)octet;
                                i += 2;
                        }
                }
                wr_byte(out, c);
        }
}

static void read_strings(struct words *w, struct wr *out)
{
        struct str word;
        bool is_quoted;
        size_t count = 0;
        for (; next_word(w, &word, &is_quoted); count++) {
                char text[UINT8_MAX];
                struct wr one;
                wr_init(&one, text, sizeof text);
                write_unescaped(w, word, &one);
                if (one.full)
                        w->fault = ERR_SYNTAX;
                wr_byte(out, (char)one.n);
                wr_str(out, wr_text(&one));
        }
        if (count == 0)
                w->fault = ERR_SYNTAX;
}

static void read_hex(struct words *w, struct wr *out)
{
        struct str word;
        bool is_quoted;
        while (next_word(w, &word, &is_quoted))
                if (is_quoted || hex_decode(word, out) != ERR_OK)
                        w->fault = ERR_SYNTAX;
}

static void read_address(struct words *w, uint8_t family, struct wr *out)
{
        struct ip ip;
        if (ip_parse(want_word(w), &ip) != ERR_OK || ip.family != family)
                w->fault = ERR_SYNTAX;
        else
                dns_address_write_wire(out, &ip);
}

static void read_soa(struct words *w, const struct dns_text *t, struct wr *out)
{
        struct dns_soa soa;
        want_name(w, t, &soa.primary);
        want_name(w, t, &soa.mailbox);
        soa.serial = (uint32_t)want_number(w, UINT32_MAX);
        soa.refresh_s = (uint32_t)want_number(w, UINT32_MAX);
        soa.retry_s = (uint32_t)want_number(w, UINT32_MAX);
        soa.expire_s = (uint32_t)want_number(w, UINT32_MAX);
        soa.minimum_s = (uint32_t)want_number(w, UINT32_MAX);
        dns_soa_write_wire(out, &soa);
}

static void read_known(struct words *w, const struct dns_text *t, uint16_t type, struct wr *out)
{
        struct dns_mx mx;
        switch (type) {
        case DNS_TYPE_A:
        case DNS_TYPE_AAAA:
                read_address(w, type == DNS_TYPE_A ? 4 : 6, out);
                return;
        case DNS_TYPE_NS:
        case DNS_TYPE_CNAME:
        case DNS_TYPE_PTR:
                want_name(w, t, &mx.exchange);
                dns_name_write_wire(out, &mx.exchange);
                return;
        case DNS_TYPE_MX:
                mx.preference = (uint16_t)want_number(w, UINT16_MAX);
                want_name(w, t, &mx.exchange);
                dns_mx_write_wire(out, &mx);
                return;
        case DNS_TYPE_TXT:
                read_strings(w, out);
                return;
        case DNS_TYPE_SOA:
                read_soa(w, t, out);
                return;
        case DNS_TYPE_TLSA:
                for (int i = 0; i < 3; i++)
                        wr_byte(out, (char)want_number(w, UINT8_MAX));
                read_hex(w, out);
                return;
        default:
                w->fault = ERR_SYNTAX;
        }
}

/* RFC 3597 5: "\# LENGTH HEX" for any type. */
static void read_data(struct words *w, const struct dns_text *t, uint16_t type, struct wr *out)
{
        struct words generic = *w;
        struct str word;
        bool is_quoted;
        if (!next_word(&generic, &word, &is_quoted) || is_quoted || !str_eq(word, S("\\#"))) {
                read_known(w, t, type, out);
                return;
        }
        *w = generic;
        uint64_t n = want_number(w, UINT16_MAX);
        read_hex(w, out);
        if (out->n != n)
                w->fault = ERR_SYNTAX;
}

/* [TTL] [IN] TYPE, the first two in either order. */
static void read_fields(struct words *w, struct dns_text_record *out)
{
        uint64_t ttl_s;
        bool has_ttl = false, has_class = false;
        out->ttl_s = DNS_TEXT_TTL_S;
        for (;;) {
                struct str word = want_word(w);
                if (!has_ttl && str_to_u64(word, INT32_MAX, &ttl_s) == ERR_OK) {
                        out->ttl_s = (uint32_t)ttl_s;
                        has_ttl = true;
                } else if (!has_class && str_eq_nocase(word, S("IN"))) {
                        has_class = true;
                } else {
                        if (dns_text_type_parse(word, &out->type) != ERR_OK || out->type == DNS_TYPE_ANY)
                                w->fault = ERR_SYNTAX;
                        return;
                }
        }
}

enum err dns_text_parse(struct dns_text *t, struct str line, struct dns_text_record *out)
{
        struct words w = {.rest = line};
        struct str word;
        struct wr rdata;
        bool is_quoted, goes_on = line.n > 0 && is_blank(line.p[0]);
        skip_blanks(&w);
        if (w.rest.n == 0)
                return ERR_NOT_FOUND;
        if (!goes_on)
                want_name(&w, t, &t->last);
        if (w.fault != ERR_OK || t->last.n == 0)
                return ERR_SYNTAX;
        out->name = t->last;
        read_fields(&w, out);
        wr_init(&rdata, out->rdata, sizeof out->rdata);
        read_data(&w, t, out->type, &rdata);
        out->rdata_n = rdata.n;
        if (next_word(&w, &word, &is_quoted) || rdata.full)
                return ERR_SYNTAX;
        return w.fault;
}
