/* SPDX-License-Identifier: ISC */
#include "dns/name.h"

#include <string.h>

#include "base/ascii.h"
#include "base/check.h"

#define POINTER_BITS 0xc0 /* RFC 1035 4.1.4 */

void dns_name_set_root(struct dns_name *out)
{
        *out = (struct dns_name){.n = 1};
}

bool dns_name_is_root(const struct dns_name *name)
{
        return name->n == 1;
}

/* Append a label to a name that still lacks its root octet, and keep room for that. */
static enum err push_label(struct dns_name *out, struct str label)
{
        if (label.n == 0)
                return ERR_SYNTAX;
        if (label.n > DNS_LABEL_MAX || 1 + label.n + 1 > (size_t)(DNS_NAME_MAX - out->n))
                return ERR_LIMIT;
        out->b[out->n] = (uint8_t)label.n;
        memcpy(out->b + out->n + 1, label.p, label.n);
        out->n = (uint8_t)(out->n + 1 + label.n);
        return ERR_OK;
}

/* RFC 1035 5.1: "\X", X not a digit, is X itself; "\DDD" is the octet of that decimal number. */
static enum err read_escape(struct rd *r, uint8_t *octet)
{
        uint8_t c = rd_u8(r);
        *octet = c;
        if (!ascii_is_digit((char)c))
                return ascii_is_graph((char)c) ? ERR_OK : ERR_SYNTAX;
        uint64_t value;
        struct str tail = rd_bytes(r, 2);
        char digits[3] = {(char)c, tail.n == 2 ? tail.p[0] : '?', tail.n == 2 ? tail.p[1] : '?'};
        if (str_to_u64(str_of(digits, sizeof digits), 255, &value) != ERR_OK)
                return ERR_SYNTAX;
        *octet = (uint8_t)value;
        return ERR_OK;
}

static enum err read_octet(struct rd *r, uint8_t *octet, bool *is_dot)
{
        *octet = rd_u8(r);
        *is_dot = *octet == '.';
        if (*octet == '\\')
                return read_escape(r, octet);
        return ascii_is_graph((char)*octet) ? ERR_OK : ERR_SYNTAX;
}

/* The labels of `text` into `out`, without a root octet. */
static enum err parse_labels(struct str text, struct dns_name *out)
{
        uint8_t label[DNS_LABEL_MAX], octet;
        size_t n = 0;
        bool is_dot = false;
        struct rd r;
        rd_init(&r, text);
        while (rd_left(&r) > 0) {
                enum err e = read_octet(&r, &octet, &is_dot);
                if (e == ERR_OK && is_dot) {
                        e = push_label(out, str_of(label, n));
                        n = 0;
                } else if (e == ERR_OK && n == sizeof label) {
                        e = ERR_LIMIT;
                } else if (e == ERR_OK) {
                        label[n++] = octet;
                }
                if (e != ERR_OK)
                        return e;
        }
        return is_dot ? ERR_OK : push_label(out, str_of(label, n));
}

/* `prefix` holds labels without a root octet. */
static enum err put_in_front(
        const struct dns_name *prefix, const struct dns_name *parent, struct dns_name *out)
{
        CHECK(parent->n > 0);
        if (prefix->n > DNS_NAME_MAX - parent->n) {
                *out = (struct dns_name){0};
                return ERR_LIMIT;
        }
        struct dns_name joined = *prefix;
        memcpy(joined.b + joined.n, parent->b, parent->n);
        joined.n = (uint8_t)(joined.n + parent->n);
        *out = joined;
        return ERR_OK;
}

enum err dns_name_join(struct str labels, const struct dns_name *parent, struct dns_name *out)
{
        struct dns_name prefix = {0};
        enum err e = parse_labels(labels, &prefix);
        if (e == ERR_OK)
                return put_in_front(&prefix, parent, out);
        *out = (struct dns_name){0};
        return e;
}

enum err dns_name_parse(struct str text, struct dns_name *out)
{
        static const struct dns_name root = {.n = 1};
        if (!str_eq(text, S(".")))
                return dns_name_join(text, &root, out);
        *out = root;
        return ERR_OK;
}

enum err dns_name_child(const struct dns_name *parent, struct str label, struct dns_name *out)
{
        struct dns_name prefix = {0};
        if (push_label(&prefix, label) == ERR_OK)
                return put_in_front(&prefix, parent, out);
        *out = (struct dns_name){0};
        return ERR_LIMIT;
}

static void write_octet(struct wr *w, char c)
{
        if (!ascii_is_graph(c)) {
                wr_byte(w, '\\');
                wr_u64_padded(w, (uint8_t)c, 3);
                return;
        }
        if (str_find_byte(S("\".;()\\@$"), c) < S("\".;()\\@$").n)
                wr_byte(w, '\\');
        wr_byte(w, c);
}

void dns_name_write(struct wr *w, const struct dns_name *name)
{
        CHECK(name->n > 0);
        if (dns_name_is_root(name))
                wr_byte(w, '.');
        for (size_t i = 0; name->b[i] != 0; i += 1u + name->b[i]) {
                if (i > 0)
                        wr_byte(w, '.');
                for (size_t k = 1; k <= name->b[i]; k++)
                        write_octet(w, (char)name->b[i + k]);
        }
}

/* Labels from the cursor on, up to the root octet (`*is_end`) or to a pointer, whose target is returned. */
static size_t read_part(struct rd *r, struct dns_name *out, bool *is_end)
{
        *is_end = true;
        for (;;) {
                uint8_t length = rd_u8(r);
                if ((length & POINTER_BITS) == POINTER_BITS) {
                        *is_end = false;
                        return (size_t)(length & ~POINTER_BITS) << 8 | rd_u8(r);
                }
                if (length == 0)
                        return 0;
                if (push_label(out, rd_bytes(r, length)) != ERR_OK)
                        rd_fail(r, ERR_SYNTAX);
                if (r->fault != ERR_OK)
                        return 0;
        }
}

void dns_name_read(struct rd *message, struct dns_name *out)
{
        struct rd r = *message;
        size_t part = r.at;
        bool is_end;
        *out = (struct dns_name){0};
        size_t target = read_part(&r, out, &is_end);
        message->at = r.at;
        while (!is_end && r.fault == ERR_OK) {
                /* RFC 1035 4.1.4: a pointer leads to a prior occurrence. Each target is before the last, so this ends. */
                if (target >= part)
                        rd_fail(&r, ERR_SYNTAX);
                part = target;
                rd_seek(&r, part);
                target = read_part(&r, out, &is_end);
        }
        if (r.fault != ERR_OK) {
                rd_fail(message, ERR_SYNTAX);
                out->n = 0;
                return;
        }
        out->b[out->n++] = 0;
}

void dns_name_write_wire(struct wr *w, const struct dns_name *name)
{
        CHECK(name->n > 0);
        wr_str(w, str_of(name->b, name->n));
}

/* Length octets are below 64 and so no letters: the whole can be folded. */
void dns_name_write_canonical(struct wr *w, const struct dns_name *name)
{
        CHECK(name->n > 0);
        wr_lower(w, str_of(name->b, name->n));
}

bool dns_name_eq(const struct dns_name *a, const struct dns_name *b)
{
        return str_eq_nocase(str_of(a->b, a->n), str_of(b->b, b->n));
}

bool dns_name_is_under(const struct dns_name *name, const struct dns_name *zone)
{
        CHECK(name->n > 0 && zone->n > 0);
        size_t i = 0;
        while (name->n - i > zone->n)
                i += 1u + name->b[i];
        return str_eq_nocase(str_of(name->b + i, name->n - i), str_of(zone->b, zone->n));
}

size_t dns_name_labels(const struct dns_name *name)
{
        size_t count = 0;
        CHECK(name->n > 0);
        for (size_t i = 0; name->b[i] != 0; i += 1u + name->b[i])
                count++;
        return count;
}

struct str dns_name_label(const struct dns_name *name, size_t index)
{
        size_t i = 0;
        CHECK(name->n > 0);
        for (; index > 0 && name->b[i] != 0; index--)
                i += 1u + name->b[i];
        return str_of(name->b + i + 1, name->b[i]);
}

bool dns_name_parent(const struct dns_name *name, struct dns_name *out)
{
        CHECK(name->n > 0);
        if (dns_name_is_root(name)) {
                dns_name_set_root(out);
                return false;
        }
        size_t skip = 1u + name->b[0];
        struct dns_name parent = {.n = (uint8_t)(name->n - skip)};
        memcpy(parent.b, name->b + skip, parent.n);
        *out = parent;
        return true;
}
