/* SPDX-License-Identifier: ISC */
/* A key record up to the first LF, then a message: whole or cut, the verdicts are the same. */
#include <stdint.h>
#include <stdlib.h>

#include "auth/dkim_verify.h"
#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void verify(struct dkim_verify *v, const struct mail_header *header, struct str body, size_t step)
{
        dkim_verify_init(v, header, 1700000000);
        for (; body.n > 0; body = str_skip(body, step))
                dkim_verify_body(v, str_take(body, step));
        dkim_verify_body_end(v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static struct mail_field fields[256];
        static struct dkim_verify whole, cut; /* large */
        struct str record, message;
        struct mail_header header;
        struct dkim_key key;
        str_cut(str_of(data, size), '\n', &record, &message);
        if (mail_header_index(message, fields, 256, &header) != ERR_OK)
                return 0;
        dkim_key_from_records(&record, 1, &key);
        struct str body = str_skip(message, header.body_at);
        verify(&whole, &header, body, message.n + 1);
        verify(&cut, &header, body, 1 + size % 70);
        for (size_t i = 0; i < whole.count; i++) {
                struct dkim_verdict one = dkim_verify_verdict(&whole, i, &key),
                                    two = dkim_verify_verdict(&cut, i, &key);
                CHECK(one.fault == two.fault && one.result == dkim_fault_result(one.fault));
                CHECK(str_eq(one.detail, two.detail));
        }
        dkim_verify_drop(&whole);
        dkim_verify_drop(&cut);
        dkim_key_drop(&key);
        return 0;
}
