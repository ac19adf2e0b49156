/* SPDX-License-Identifier: ISC */
#include "dns/message.h"

#include "base/check.h"

/* RFC 1035 4.1.1, RFC 4035 3.1.6: the bits of the second 16-bit word. */
enum flag {
        FLAG_QR = 0x8000,
        FLAG_AA = 0x0400,
        FLAG_TC = 0x0200,
        FLAG_RD = 0x0100,
        FLAG_RA = 0x0080,
        FLAG_Z = 0x0040,
        FLAG_AD = 0x0020,
        FLAG_CD = 0x0010,
};

#define POINTER_MAX 0x3fff

static void read_header(struct rd *rd, struct dns_header *h)
{
        h->id = rd_be16(rd);
        uint16_t flags = rd_be16(rd);
        h->opcode = (uint8_t)(flags >> 11 & 15);
        h->rcode = (uint8_t)(flags & 15);
        h->is_response = flags & FLAG_QR;
        h->is_authoritative = flags & FLAG_AA;
        h->is_truncated = flags & FLAG_TC;
        h->recursion_desired = flags & FLAG_RD;
        h->recursion_available = flags & FLAG_RA;
        h->reserved = flags & FLAG_Z;
        h->authentic_data = flags & FLAG_AD;
        h->checking_disabled = flags & FLAG_CD;
        for (size_t i = 0; i < DNS_SECTIONS; i++)
                h->counts[i] = rd_be16(rd);
}

static uint16_t header_flags(const struct dns_header *h)
{
        return (uint16_t)((h->is_response ? FLAG_QR : 0) | (h->opcode & 15) << 11 |
                          (h->is_authoritative ? FLAG_AA : 0) | (h->is_truncated ? FLAG_TC : 0) |
                          (h->recursion_desired ? FLAG_RD : 0) | (h->recursion_available ? FLAG_RA : 0) |
                          (h->reserved ? FLAG_Z : 0) | (h->authentic_data ? FLAG_AD : 0) |
                          (h->checking_disabled ? FLAG_CD : 0) | (h->rcode & 15));
}

enum err dns_reader_init(struct dns_reader *r, struct str message)
{
        size_t entries = 0;
        *r = (struct dns_reader){0};
        rd_init(&r->rd, message);
        read_header(&r->rd, &r->header);
        for (size_t i = 0; i < DNS_SECTIONS; i++)
                entries += r->header.counts[i];
        r->left = r->header.counts[DNS_QUESTION];
        if (r->rd.fault == ERR_OK && (message.n > DNS_MESSAGE_MAX || entries > DNS_RECORDS_MAX))
                rd_fail(&r->rd, ERR_LIMIT);
        return r->rd.fault;
}

enum err dns_reader_question(struct dns_reader *r, struct dns_question *out)
{
        *out = (struct dns_question){0};
        if (r->rd.fault == ERR_OK && (r->section != DNS_QUESTION || r->left == 0))
                return ERR_EOF;
        dns_name_read(&r->rd, &out->name);
        out->type = rd_be16(&r->rd);
        out->class = rd_be16(&r->rd);
        r->left--;
        return r->rd.fault;
}

/* Go to the next section that has an entry left, reading questions that nobody asked for: true if there is one. */
static bool next_entry(struct dns_reader *r)
{
        struct dns_question unread;
        while (r->section == DNS_QUESTION && r->left > 0)
                if (dns_reader_question(r, &unread) != ERR_OK)
                        return false;
        while (r->left == 0 && r->section < DNS_ADDITIONAL)
                r->left = r->header.counts[++r->section];
        return r->left > 0;
}

enum err dns_reader_record(struct dns_reader *r, struct dns_record *out)
{
        *out = (struct dns_record){0};
        if (r->rd.fault == ERR_OK && !next_entry(r)) {
                if (rd_left(&r->rd) == 0 && r->rd.fault == ERR_OK)
                        return ERR_EOF;
                rd_fail(&r->rd, ERR_SYNTAX);
        }
        out->section = r->section;
        out->message = str_of(r->rd.p, r->rd.n);
        out->at = r->rd.at;
        dns_name_read(&r->rd, &out->name);
        out->type = rd_be16(&r->rd);
        out->class = rd_be16(&r->rd);
        out->ttl_s = rd_be32(&r->rd);
        uint16_t n = rd_be16(&r->rd);
        out->rdata_at = r->rd.at;
        out->rdata = rd_bytes(&r->rd, n);
        r->left--;
        return r->rd.fault;
}

bool dns_question_eq(const struct dns_question *a, const struct dns_question *b)
{
        return a->type == b->type && a->class == b->class && dns_name_eq(&a->name, &b->name);
}

void dns_writer_init(struct dns_writer *w, void *buffer, size_t cap, const struct dns_header *header)
{
        *w = (struct dns_writer){0};
        wr_init(&w->wr, buffer, cap < DNS_MESSAGE_MAX ? cap : DNS_MESSAGE_MAX);
        wr_be16(&w->wr, header->id);
        wr_be16(&w->wr, header_flags(header));
        for (size_t i = 0; i < DNS_SECTIONS; i++)
                wr_be16(&w->wr, 0);
}

/* Does the name that we wrote at `place` read as the `n` octets at `suffix`, case included? */
static bool place_is(const struct dns_writer *w, size_t place, const uint8_t *suffix, size_t n)
{
        const uint8_t *b = (const uint8_t *)w->wr.p;
        for (size_t i = 0;;) {
                while (b[place] > DNS_LABEL_MAX)
                        place = (size_t)(b[place] & 0x3f) << 8 | b[place + 1];
                size_t label = 1u + b[place];
                if (label > n - i || !str_eq(str_of(b + place, label), str_of(suffix + i, label)))
                        return false;
                i += label;
                place += label;
                if (i == n)
                        return true;
        }
}

static bool find_place(const struct dns_writer *w, const uint8_t *suffix, size_t n, uint16_t *place)
{
        for (size_t i = 0; i < w->place_count; i++) {
                *place = w->places[i];
                if (place_is(w, *place, suffix, n))
                        return true;
        }
        return false;
}

static void remember_place(struct dns_writer *w, size_t place)
{
        if (w->place_count < DNS_WRITER_NAMES && place <= POINTER_MAX)
                w->places[w->place_count++] = (uint16_t)place;
}

/* RFC 1035 4.1.4. Places are remembered only once the whole name is in the buffer, so that all of them are whole. */
static void write_name(struct dns_writer *w, const struct dns_name *name)
{
        CHECK(name->n > 0);
        uint16_t place = 0;
        size_t start = w->wr.n, n = 0;
        while (name->b[n] != 0 && !find_place(w, name->b + n, name->n - n, &place))
                n += 1u + name->b[n];
        wr_str(&w->wr, str_of(name->b, n));
        if (name->b[n] != 0)
                wr_be16(&w->wr, (uint16_t)(0xc000 | place));
        else
                wr_byte(&w->wr, 0);
        if (w->wr.full)
                return;
        for (size_t i = 0; i < n; i += 1u + name->b[i])
                remember_place(w, start + i);
}

static void count_entry(struct dns_writer *w, enum dns_section section)
{
        CHECK(section >= w->section && section < DNS_SECTIONS);
        w->section = section;
        if (w->counts[section] == UINT16_MAX)
                w->wr.full = true;
        else
                w->counts[section]++;
}

void dns_writer_question(struct dns_writer *w, const struct dns_question *q)
{
        count_entry(w, DNS_QUESTION);
        write_name(w, &q->name);
        wr_be16(&w->wr, q->type);
        wr_be16(&w->wr, q->class);
}

void dns_writer_record(struct dns_writer *w, const struct dns_record_out *r)
{
        CHECK(r->section != DNS_QUESTION && r->rdata.n <= UINT16_MAX);
        count_entry(w, r->section);
        write_name(w, r->name);
        wr_be16(&w->wr, r->type);
        wr_be16(&w->wr, r->class);
        wr_be32(&w->wr, r->ttl_s);
        wr_be16(&w->wr, (uint16_t)r->rdata.n);
        wr_str(&w->wr, r->rdata);
}

enum err dns_writer_end(struct dns_writer *w, struct str *out)
{
        *out = (struct str){NULL, 0};
        if (w->wr.full)
                return ERR_SPACE;
        for (size_t i = 0; i < DNS_SECTIONS; i++)
                wr_patch_be16(&w->wr, 4 + 2 * i, w->counts[i]);
        *out = wr_text(&w->wr);
        return ERR_OK;
}
