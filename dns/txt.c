/* SPDX-License-Identifier: ISC */
#include "dns/txt.h"

#include "base/rd.h"

#define STRING_MAX 255 /* RFC 1035 3.3: a length octet and that many octets */

enum err dns_txt_join(struct str wire, struct wr *text)
{
        struct rd r;
        rd_init(&r, wire);
        do {
                uint8_t n = rd_u8(&r);
                wr_str(text, rd_bytes(&r, n));
        } while (rd_left(&r) > 0);
        return r.fault != ERR_OK ? ERR_SYNTAX : wr_end(text);
}

void dns_txt_write_wire(struct wr *w, struct str text)
{
        do {
                struct str head = str_take(text, STRING_MAX);
                wr_byte(w, (char)(uint8_t)head.n);
                wr_str(w, head);
                text = str_skip(text, head.n);
        } while (text.n > 0);
}

size_t dns_txt_wire_size(size_t text)
{
        return text == 0 ? 1 : text + (text + STRING_MAX - 1) / STRING_MAX;
}
