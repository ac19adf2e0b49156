/* SPDX-License-Identifier: ISC */
/* Any message verifies to a verdict that is not good; signed by us it is good, as long as it is a message. */
#include "dns/tsig.h"

#include <string.h>

#include "base/check.h"
#include "dns/summary.h"

#define NOW 1594855491

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static char buffer[DNS_MESSAGE_MAX];
        struct tsig_key key;
        struct tsig_result result;
        struct tsig_mac mac;
        struct dns_summary summary;
        struct str message = str_of(data, size), out;
        (void)(tsig_key_parse(message, &key) == ERR_OK);
        CHECK(tsig_key_parse(S("testkey:SHA256:AAECAwQFBgcICQoLDA0ODw=="), &key) == ERR_OK);
        CHECK(tsig_verify(&key, message, S(""), NOW, &result) == ERR_OK);
        CHECK(result.verdict != TSIG_GOOD && result.verdict != TSIG_BADTIME);
        bool is_message = dns_summary_read(message, &summary) == ERR_OK && !summary.has_tsig &&
                          summary.header.counts[DNS_QUESTION] + summary.header.counts[DNS_ANSWER] +
                                          summary.header.counts[DNS_AUTHORITY] +
                                          summary.header.counts[DNS_ADDITIONAL] <
                                  DNS_RECORDS_MAX;
        if (!is_message || size > sizeof buffer)
                return 0;
        memcpy(buffer, data, size);
        struct tsig_input in = {.buffer = buffer, .n = size, .cap = sizeof buffer};
        in.fields = (struct tsig_fields){.time_s = NOW, .fudge_s = 300};
        enum err e = tsig_sign(&key, &in, &out, &mac);
        CHECK(e == ERR_OK || (e == ERR_SPACE && sizeof buffer - size < TSIG_ROOM));
        if (e != ERR_OK)
                return 0;
        CHECK(tsig_verify(&key, out, S(""), NOW, &result) == ERR_OK);
        /* A name that points into the header may be none any more, now that one more record is counted there. */
        if (dns_summary_read(out, &summary) == ERR_OK)
                CHECK(result.verdict == TSIG_GOOD && result.is_signed);
        return 0;
}
