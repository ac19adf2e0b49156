/* SPDX-License-Identifier: ISC */
#include "serve/stored_out.h"

#define READ_CHUNK (16 * 1024)

struct smtp_mail_params stored_out_params(
        const struct smtp_out *out, bool is_8bit, bool is_smtputf8, uint64_t size)
{
        bool is_offered = smtp_out_extensions(out)->mime_8bit;
        return (struct smtp_mail_params){.has_size = true,
                .size = size,
                .body = is_8bit && is_offered ? SMTP_BODY_8BITMIME : SMTP_BODY_UNSAID,
                .smtputf8 = is_smtputf8};
}

enum err stored_out_body(struct smtp_out *out, struct store_reader *reader)
{
        char chunk[READ_CHUNK];
        uint64_t at = 0, size = store_reader_size(reader);
        while (at < size) {
                size_t got;
                enum err e = store_reader_read(reader, at, chunk, sizeof chunk, &got);
                if (e == ERR_OK)
                        e = smtp_out_body(out, str_of(chunk, got));
                if (e != ERR_OK)
                        return e;
                at += got;
        }
        return ERR_OK;
}
