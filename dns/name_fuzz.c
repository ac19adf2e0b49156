/* SPDX-License-Identifier: ISC */
/* The first byte is where to read a name in the rest; then the rest as text. What is read survives writing. */
#include "dns/name.h"

#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_round_trips(const struct dns_name *name)
{
        char text[DNS_NAME_TEXT_MAX], wire[DNS_NAME_MAX];
        struct dns_name back, parent;
        struct wr w;
        struct rd r;
        wr_init(&w, text, sizeof text);
        dns_name_write(&w, name);
        CHECK(wr_end(&w) == ERR_OK);
        CHECK(dns_name_parse(wr_text(&w), &back) == ERR_OK);
        CHECK(str_eq(str_of(name->b, name->n), str_of(back.b, back.n)));
        wr_init(&w, wire, sizeof wire);
        dns_name_write_wire(&w, name);
        rd_init(&r, wr_text(&w));
        dns_name_read(&r, &back);
        CHECK(r.fault == ERR_OK && r.at == name->n && dns_name_eq(name, &back));
        bool has_parent = dns_name_parent(name, &parent);
        CHECK(has_parent == (dns_name_labels(name) > 0) && dns_name_is_under(name, &parent));
        if (has_parent) {
                CHECK(dns_name_child(&parent, dns_name_label(name, 0), &back) == ERR_OK);
                CHECK(dns_name_eq(name, &back));
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct dns_name name;
        struct rd r;
        if (size == 0)
                return 0;
        rd_init(&r, str_of(data + 1, size - 1));
        rd_seek(&r, data[0]);
        dns_name_read(&r, &name);
        CHECK((r.fault == ERR_OK) == (name.n > 0));
        if (name.n > 0)
                check_round_trips(&name);
        if (dns_name_parse(str_of(data + 1, size - 1), &name) == ERR_OK)
                check_round_trips(&name);
        return 0;
}
