/* SPDX-License-Identifier: ISC */
#include "auth/spf_place.h"

#include <string.h>

/* The name of the octets between the dots. */
static bool name_of(struct str text, struct dns_name *out)
{
        dns_name_set_root(out);
        for (;;) {
                size_t dot = str_find_last_byte(text, '.');
                struct str label = dot < text.n ? str_skip(text, dot + 1) : text;
                if (dns_name_child(out, label, out) != ERR_OK)
                        return false;
                if (dot == text.n)
                        return true;
                text.n = dot;
        }
}

bool spf_place_parse(struct spf_place *out, struct str text)
{
        if (text.n > 0 && text.p[text.n - 1] == '.')
                text.n--;
        while (text.n > SPF_DOMAIN_TEXT_MAX) {
                size_t dot = str_find_byte(text, '.');
                text = str_skip(text, dot < text.n ? dot + 1 : dot);
        }
        out->text_n = (uint8_t)text.n;
        if (text.n > 0)
                memcpy(out->text, text.p, text.n);
        return name_of(text, &out->name);
}

void spf_place_write_name(struct wr *w, const struct dns_name *name)
{
        for (size_t i = 0, n = dns_name_labels(name); i < n; i++) {
                if (i > 0)
                        wr_byte(w, '.');
                wr_str(w, dns_name_label(name, i));
        }
}
