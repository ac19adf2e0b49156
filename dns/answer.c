/* SPDX-License-Identifier: ISC */
#include "dns/answer.h"

#include "dns/summary.h"
#include "dns/txt.h"

#define TTL_MAX 0x7fffffff /* RFC 2181 8: greater ones are taken as 0 */
#define ARENA_ALIGN 16     /* what arena_alloc may lose on alignment */

static uint32_t ttl_of(const struct dns_record *record)
{
        return record->ttl_s > TTL_MAX ? 0 : record->ttl_s;
}

static uint32_t least(uint32_t a, uint32_t b)
{
        return a < b ? a : b;
}

/* What one pass over a message says about one name. */
struct view {
        size_t count; /* records of the type asked for */
        uint32_t ttl_s;
        bool has_alias;
        uint32_t alias_ttl_s;
        struct dns_name alias;
        bool has_soa; /* in the authority section, of a zone around the name */
        uint32_t negative_ttl_s;
};

static enum err parse_wire(const struct dns_record *record, struct dns_rdata_room *room, struct str *wire)
{
        return record->class == DNS_CLASS_IN ? dns_rdata_expand(record, room, wire) : ERR_SYNTAX;
}

static enum err view_alias(const struct dns_record *record, struct view *view)
{
        struct dns_rdata_room room;
        struct str wire;
        enum err e = parse_wire(record, &room, &wire);
        if (e == ERR_OK)
                e = dns_target_parse(wire, &view->alias);
        view->has_alias = e == ERR_OK;
        view->alias_ttl_s = ttl_of(record);
        return e;
}

/* RFC 2308 5: the TTL of a negative answer is the lesser of the SOA's own TTL and its MINIMUM. */
static enum err view_soa(const struct dns_record *record, struct view *view)
{
        struct dns_rdata_room room;
        struct str wire;
        struct dns_soa soa;
        enum err e = parse_wire(record, &room, &wire);
        if (e == ERR_OK)
                e = dns_soa_parse(wire, &soa);
        if (e != ERR_OK)
                return e;
        view->has_soa = true;
        view->negative_ttl_s = least(ttl_of(record), soa.minimum_s > TTL_MAX ? 0 : soa.minimum_s);
        return ERR_OK;
}

static enum err view_record(
        const struct dns_record *record, const struct dns_name *name, uint16_t type, struct view *view)
{
        bool is_same = dns_name_eq(&record->name, name);
        if (record->class != DNS_CLASS_IN)
                return ERR_OK;
        if (record->section == DNS_AUTHORITY && record->type == DNS_TYPE_SOA && !view->has_soa &&
                dns_name_is_under(name, &record->name))
                return view_soa(record, view);
        if (record->section != DNS_ANSWER || !is_same)
                return ERR_OK;
        if (record->type == type) {
                view->ttl_s = view->count == 0 ? ttl_of(record) : least(view->ttl_s, ttl_of(record));
                view->count++;
        } else if (record->type == DNS_TYPE_CNAME && !view->has_alias) {
                return view_alias(record, view);
        }
        return ERR_OK;
}

static enum err view_message(
        struct str message, const struct dns_name *name, uint16_t type, struct view *view)
{
        struct dns_reader r;
        struct dns_record record;
        *view = (struct view){0};
        enum err e = dns_reader_init(&r, message);
        while (e == ERR_OK) {
                e = dns_reader_record(&r, &record);
                if (e == ERR_OK)
                        e = view_record(&record, name, type, view);
        }
        return e == ERR_EOF ? ERR_OK : e;
}

static enum err parse_value(uint16_t type, struct arena *arena, struct dns_value *value)
{
        struct wr w;
        char *text;
        switch (type) {
        case DNS_TYPE_A:
        case DNS_TYPE_AAAA:
                return dns_address_parse(value->wire, &value->ip);
        case DNS_TYPE_NS:
        case DNS_TYPE_CNAME:
        case DNS_TYPE_PTR:
                return dns_target_parse(value->wire, &value->name);
        case DNS_TYPE_MX:
                return dns_mx_parse(value->wire, &value->mx);
        case DNS_TYPE_TXT:
                text = arena_alloc(arena, value->wire.n);
                if (!text)
                        return ERR_MEMORY;
                wr_init(&w, text, value->wire.n);
                enum err e = dns_txt_join(value->wire, &w);
                value->text = wr_text(&w);
                return e;
        default:
                return ERR_OK;
        }
}

static bool is_known(const struct dns_answer *answer, struct str wire)
{
        for (size_t i = 0; i < answer->count; i++)
                if (str_eq(answer->values[i].wire, wire))
                        return true;
        return false;
}

static enum err add_value(const struct dns_record *record, struct arena *arena, struct dns_answer *out)
{
        struct dns_rdata_room room;
        struct str wire;
        enum err e = parse_wire(record, &room, &wire);
        if (e != ERR_OK || is_known(out, wire))
                return e;
        struct dns_value *value = &out->values[out->count];
        e = arena_copy(arena, wire, &value->wire);
        if (e == ERR_OK)
                e = parse_value(out->type, arena, value);
        if (e == ERR_OK)
                out->count++;
        return e;
}

/* The records of out->name and out->type; `count` is how many a view has seen. */
static enum err take_values(struct str message, size_t count, struct arena *arena, struct dns_answer *out)
{
        struct dns_reader r;
        struct dns_record record;
        out->values = arena_alloc(arena, count * sizeof out->values[0]);
        if (!out->values)
                return ERR_MEMORY;
        enum err e = dns_reader_init(&r, message);
        while (e == ERR_OK) {
                e = dns_reader_record(&r, &record);
                if (e == ERR_OK && record.section == DNS_ANSWER && record.class == DNS_CLASS_IN &&
                        record.type == out->type && dns_name_eq(&record.name, &out->name))
                        e = add_value(&record, arena, out);
        }
        return e == ERR_EOF ? ERR_OK : e;
}

/* Nothing of the type stands at the end of the chain. Without a chain that is the answer; behind one, only the SOA of a
 * zone around the last name says so (RFC 2308 2.2), else the server does not know where the chain leads. */
static void conclude_negative(const struct view *view, size_t aliases, struct dns_answer *out)
{
        if (out->rcode == DNS_RCODE_NXDOMAIN)
                out->status = DNS_NO_NAME;
        else if (aliases > 0 && !view->has_soa)
                out->status = DNS_ALIAS;
        else
                out->status = DNS_NO_DATA;
        out->is_cacheable = view->has_soa || out->status == DNS_ALIAS;
        if (view->has_soa)
                out->ttl_s = least(out->ttl_s, view->negative_ttl_s);
        else if (out->status != DNS_ALIAS)
                out->ttl_s = 0;
}

static enum err follow(struct str message, struct arena *arena, struct dns_answer *out)
{
        struct view view;
        for (size_t aliases = 0; aliases <= DNS_CNAME_MAX; aliases++) {
                enum err e = view_message(message, &out->name, out->type, &view);
                if (e != ERR_OK)
                        return e;
                if (view.count > 0 && out->rcode == DNS_RCODE_NOERROR) {
                        out->status = DNS_FOUND;
                        out->is_cacheable = true;
                        out->ttl_s = least(out->ttl_s, view.ttl_s);
                        return take_values(message, view.count, arena, out);
                }
                if (!view.has_alias) {
                        conclude_negative(&view, aliases, out);
                        return ERR_OK;
                }
                out->name = view.alias;
                out->ttl_s = least(out->ttl_s, view.alias_ttl_s);
        }
        return ERR_LIMIT;
}

enum err dns_answer_read(struct str message, const struct dns_name *name, uint16_t type, struct arena *arena,
        struct dns_answer *out)
{
        struct dns_summary summary;
        *out = (struct dns_answer){.type = type, .name = *name};
        enum err e = dns_summary_read(message, &summary);
        if (e != ERR_OK || !summary.header.is_response)
                return e != ERR_OK ? e : ERR_SYNTAX;
        out->rcode = summary.rcode;
        out->is_secure = summary.header.authentic_data;
        out->is_authoritative = summary.header.is_authoritative;
        if (summary.rcode != DNS_RCODE_NOERROR && summary.rcode != DNS_RCODE_NXDOMAIN)
                return ERR_DENIED;
        out->ttl_s = TTL_MAX;
        e = follow(message, arena, out);
        if (e != ERR_OK) {
                out->count = 0;
                out->ttl_s = 0;
        }
        return e;
}

static enum err copy_value(
        uint16_t type, const struct dns_value *from, struct arena *arena, struct dns_value *out)
{
        *out = *from;
        enum err e = arena_copy(arena, from->wire, &out->wire);
        if (e == ERR_OK && type == DNS_TYPE_TXT)
                e = arena_copy(arena, from->text, &out->text);
        return e;
}

enum err dns_answer_copy(const struct dns_answer *from, struct arena *arena, struct dns_answer *out)
{
        *out = *from;
        out->count = 0;
        out->values = arena_alloc(arena, from->count * sizeof from->values[0]);
        if (!out->values)
                return ERR_MEMORY;
        for (size_t i = 0; i < from->count; i++)
                if (copy_value(from->type, &from->values[i], arena, &out->values[i]) != ERR_OK)
                        return ERR_MEMORY;
        out->count = from->count;
        return ERR_OK;
}

size_t dns_answer_size(const struct dns_answer *answer)
{
        size_t size = answer->count * sizeof answer->values[0] + ARENA_ALIGN;
        for (size_t i = 0; i < answer->count; i++) {
                size += answer->values[i].wire.n + ARENA_ALIGN;
                if (answer->type == DNS_TYPE_TXT)
                        size += answer->values[i].text.n + ARENA_ALIGN;
        }
        return size;
}
