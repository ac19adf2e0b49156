/* SPDX-License-Identifier: ISC */
#include "mail/mime_wrap.h"

#include "base/base32.h"
#include "base/check.h"
#include "mail/lex.h"
#include "mail/transfer.h"

#define RANDOM_MAX 16

bool mime_is_content_field(struct str name)
{
        return str_has_prefix_nocase(name, S("Content-"));
}

/* "=_" stands in no body of base64 or quoted-printable (RFC 2045 6.7). */
void mime_wrap_init(struct mime_wrap *m, struct str random)
{
        struct wr w;
        CHECK(random.n <= RANDOM_MAX);
        wr_init(&w, m->text, sizeof m->text);
        wr_str(&w, S("=_"));
        base32_encode(&w, random);
        CHECK(!w.full);
        m->boundary = wr_text(&w);
}

/* What a multipart must say of the parts inside of it: as much as they do themselves. */
static struct str encoding_of(const struct mail_header *header, bool is_8bit)
{
        const struct mail_field *f = mail_header_first(header, S("Content-Transfer-Encoding"));
        if (f) {
                struct str value = str_skip(f->body, mail_cfws_size(f->body, NULL));
                value = str_take(value, mail_atom_size(value, MAIL_ASCII));
                if (str_eq_nocase(value, S("binary")))
                        return S("binary");
                is_8bit = is_8bit || str_eq_nocase(value, S("8bit"));
        }
        return is_8bit ? S("8bit") : S("");
}

void mime_wrap_fields(const struct mime_wrap *m, struct wr *w, const struct mail_header *header, bool is_8bit)
{
        struct str encoding = encoding_of(header, is_8bit);
        if (mail_header_count(header, S("MIME-Version")) == 0)
                wr_str(w, S("MIME-Version: 1.0\r\n"));
        wr_str(w, S("Content-Type: multipart/mixed; boundary=\""));
        wr_str(w, m->boundary);
        wr_str(w, S("\"\r\n"));
        if (encoding.n == 0)
                return;
        wr_str(w, S("Content-Transfer-Encoding: "));
        wr_str(w, encoding);
        wr_str(w, S("\r\n"));
}

static void write_field(struct wr *w, struct str raw)
{
        wr_str(w, raw);
        if (!str_has_suffix_nocase(raw, S("\r\n")))
                wr_str(w, S("\r\n"));
}

void mime_wrap_open(const struct mime_wrap *m, struct wr *w, const struct mail_header *header)
{
        wr_str(w, S("--"));
        wr_str(w, m->boundary);
        wr_str(w, S("\r\n"));
        for (size_t i = 0; i < header->n; i++)
                if (mime_is_content_field(header->fields[i].name))
                        write_field(w, header->fields[i].raw);
        wr_str(w, S("\r\n"));
}

void mime_wrap_close(const struct mime_wrap *m, struct wr *w, struct str text)
{
        struct mail_quoted_out out;
        wr_str(w, S("\r\n--"));
        wr_str(w, m->boundary);
        wr_str(w, S("\r\nContent-Type: text/plain; charset=utf-8\r\n"
                    "Content-Transfer-Encoding: quoted-printable\r\nContent-Disposition: inline\r\n\r\n"));
        mail_quoted_out_init(&out, w);
        mail_quoted_out_write(&out, text);
        mail_quoted_out_write(&out, S("\n"));
        wr_str(w, S("\r\n--"));
        wr_str(w, m->boundary);
        wr_str(w, S("--\r\n"));
}
