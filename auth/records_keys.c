/* SPDX-License-Identifier: ISC */
/* The records that nec and lipap write themselves. */
#include "auth/records.h"

#include "auth/dkim_key.h"
#include "auth/zone.h"
#include "auth/zone_pointer.h"
#include "base/time_text.h"

#define TEXTS_MAX 16

/* The one pointer record; false: there is none to go by. */
static bool read_pointer(struct records *r, struct zone_pointer *out)
{
        struct dns_name name = records_name(S("_ptt._domainkey"), r->plan->domain);
        char text[32];
        struct wr w;
        const struct dns_answer *a =
                records_look(r, &name, DNS_TYPE_TXT, RECORDS_MISSING, "nec has published no key yet");
        if (!a)
                return false;
        if (a->count > 1 || zone_pointer_parse(a->values[0].text, out) != ERR_OK) {
                records_tell(r, RECORDS_WRONG, &name, DNS_TYPE_TXT,
                        a->count > 1 ? "several records: nec changes nothing until one is left"
                                     : "not a pointer of nec, which changes nothing until it is gone",
                        S(""));
                return false;
        }
        wr_init(&w, text, sizeof text);
        time_write_rfc3339(&w, out->epoch * 1000);
        records_tell(r, RECORDS_OK, &name, DNS_TYPE_TXT, "keys of", wr_text(&w));
        return true;
}

static void check_key(struct records *r, struct str pattern, enum zone_kind kind, int64_t epoch,
        const char *what, enum records_verdict missing)
{
        bool is_ed25519 = kind == ZONE_DKIM_ED25519;
        char labels[DNS_LABEL_MAX + 16];
        struct str texts[TEXTS_MAX];
        struct dkim_key key;
        struct wr w;
        wr_init(&w, labels, sizeof labels);
        zone_selector_write(&w, pattern, kind, epoch);
        wr_str(&w, S("._domainkey"));
        struct dns_name name = records_name(wr_text(&w), r->plan->domain);
        const struct dns_answer *a = records_look(r, &name, DNS_TYPE_TXT, missing, what);
        if (!a)
                return;
        size_t count = a->count < TEXTS_MAX ? a->count : TEXTS_MAX;
        for (size_t i = 0; i < count; i++)
                texts[i] = a->values[i].text;
        dkim_key_from_records(texts, count, &key);
        bool is_kind = key.fault == DKIM_OK && is_ed25519 == (crypto_key_kind(key.key) == CRYPTO_KEY_ED25519);
        if (count > 1)
                records_tell(r, RECORDS_WRONG, &name, DNS_TYPE_TXT,
                        "several records: verifiers may take any of them", S(""));
        else if (key.fault != DKIM_OK)
                records_tell(r, RECORDS_WRONG, &name, DNS_TYPE_TXT, what, dkim_fault_text(key.fault));
        else
                records_tell(r, is_kind ? RECORDS_OK : RECORDS_WRONG, &name, DNS_TYPE_TXT, what,
                        is_kind ? S("") : S("a key of another kind"));
        dkim_key_drop(&key);
}

void records_compare_keys(struct records *r)
{
        struct zone_pointer pointer;
        if (!read_pointer(r, &pointer))
                return;
        int64_t epochs[] = {pointer.epoch, pointer.next};
        for (size_t i = 0; i < 2 && epochs[i] != 0; i++) {
                /* the next epoch is announced before its keys are there */
                enum records_verdict missing = i == 0 ? RECORDS_MISSING : RECORDS_ADVICE;
                check_key(r, r->plan->selector, ZONE_DKIM_RSA, epochs[i], "DKIM, RSA", missing);
                check_key(
                        r, r->plan->selector, ZONE_DKIM_ED25519, epochs[i], "DKIM, Ed25519", RECORDS_ADVICE);
                check_key(r, r->plan->arc_selector, ZONE_ARC_RSA, epochs[i], "ARC", missing);
        }
}

/* RFC 7672 3.1.1: DANE-EE(3) SPKI(1) SHA2-256(1). */
void records_compare_tlsa(struct records *r)
{
        struct dns_name name = records_name(S("_25._tcp"), r->plan->hostname);
        const struct dns_answer *a = records_look(
                r, &name, DNS_TYPE_TLSA, RECORDS_ADVICE, "none: senders that use DANE send as to anyone");
        bool is_there = false;
        if (!a)
                return;
        for (size_t i = 0; i < a->count; i++)
                is_there = is_there ||
                           (a->values[i].wire.n == 3 + 32 && str_has_prefix(a->values[i].wire, S("\3\1\1")));
        if (!is_there)
                records_tell(
                        r, RECORDS_WRONG, &name, DNS_TYPE_TLSA, "no record 3 1 1, as lipap writes it", S(""));
        else
                records_tell(r, RECORDS_OK, &name, DNS_TYPE_TLSA, "3 1 1", S(""));
}
