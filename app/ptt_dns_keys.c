/* SPDX-License-Identifier: ISC */
/* ptt dns --check: what nec and lipap write themselves. */
#include "app/ptt_dns.h"
#include "auth/dkim_key.h"
#include "auth/zone.h"
#include "auth/zone_pointer.h"
#include "base/time_text.h"

#define TEXTS_MAX 16

/* The one pointer record; false: there is none to go by. */
static bool read_pointer(struct ptt_dns_check *c, struct zone_pointer *out)
{
        struct dns_name name = ptt_dns_name(S("_ptt._domainkey"), c->plan->domain);
        char text[32];
        struct wr w;
        const struct dns_answer *a =
                ptt_dns_look(c, &name, DNS_TYPE_TXT, PTT_DNS_MISSING, "nec has published no key yet");
        if (!a)
                return false;
        if (a->count > 1 || zone_pointer_parse(a->values[0].text, out) != ERR_OK) {
                ptt_dns_tell(c, PTT_DNS_WRONG, &name, DNS_TYPE_TXT,
                        a->count > 1 ? "several records: nec changes nothing until one is left"
                                     : "not a pointer of nec, which changes nothing until it is gone",
                        S(""));
                return false;
        }
        wr_init(&w, text, sizeof text);
        time_write_rfc3339(&w, out->epoch * 1000);
        ptt_dns_tell(c, PTT_DNS_OK, &name, DNS_TYPE_TXT, "keys of", wr_text(&w));
        return true;
}

static void check_key(struct ptt_dns_check *c, struct str pattern, enum zone_kind kind, int64_t epoch,
        const char *what, enum ptt_dns_verdict missing)
{
        bool is_ed25519 = kind == ZONE_DKIM_ED25519;
        char labels[DNS_LABEL_MAX + 16];
        struct str texts[TEXTS_MAX];
        struct dkim_key key;
        struct wr w;
        wr_init(&w, labels, sizeof labels);
        zone_selector_write(&w, pattern, kind, epoch);
        wr_str(&w, S("._domainkey"));
        struct dns_name name = ptt_dns_name(wr_text(&w), c->plan->domain);
        const struct dns_answer *a = ptt_dns_look(c, &name, DNS_TYPE_TXT, missing, what);
        if (!a)
                return;
        size_t count = a->count < TEXTS_MAX ? a->count : TEXTS_MAX;
        for (size_t i = 0; i < count; i++)
                texts[i] = a->values[i].text;
        dkim_key_from_records(texts, count, &key);
        bool is_kind = key.fault == DKIM_OK && is_ed25519 == (crypto_key_kind(key.key) == CRYPTO_KEY_ED25519);
        if (count > 1)
                ptt_dns_tell(c, PTT_DNS_WRONG, &name, DNS_TYPE_TXT,
                        "several records: verifiers may take any of them", S(""));
        else if (key.fault != DKIM_OK)
                ptt_dns_tell(c, PTT_DNS_WRONG, &name, DNS_TYPE_TXT, what, dkim_fault_text(key.fault));
        else
                ptt_dns_tell(c, is_kind ? PTT_DNS_OK : PTT_DNS_WRONG, &name, DNS_TYPE_TXT, what,
                        is_kind ? S("") : S("a key of another kind"));
        dkim_key_drop(&key);
}

void ptt_dns_check_keys(struct ptt_dns_check *c)
{
        struct zone_pointer pointer;
        if (!read_pointer(c, &pointer))
                return;
        int64_t epochs[] = {pointer.epoch, pointer.next};
        for (size_t i = 0; i < 2 && epochs[i] != 0; i++) {
                /* the next epoch is announced before its keys are there */
                enum ptt_dns_verdict missing = i == 0 ? PTT_DNS_MISSING : PTT_DNS_ADVICE;
                check_key(c, c->plan->selector, ZONE_DKIM_RSA, epochs[i], "DKIM, RSA", missing);
                check_key(
                        c, c->plan->selector, ZONE_DKIM_ED25519, epochs[i], "DKIM, Ed25519", PTT_DNS_ADVICE);
                check_key(c, c->plan->arc_selector, ZONE_ARC_RSA, epochs[i], "ARC", missing);
        }
}

/* RFC 7672 3.1.1: DANE-EE(3) SPKI(1) SHA2-256(1). */
void ptt_dns_check_tlsa(struct ptt_dns_check *c)
{
        struct dns_name name = ptt_dns_name(S("_25._tcp"), c->plan->hostname);
        const struct dns_answer *a = ptt_dns_look(
                c, &name, DNS_TYPE_TLSA, PTT_DNS_ADVICE, "none: senders that use DANE send as to anyone");
        bool is_there = false;
        if (!a)
                return;
        for (size_t i = 0; i < a->count; i++)
                is_there = is_there ||
                           (a->values[i].wire.n == 3 + 32 && str_has_prefix(a->values[i].wire, S("\3\1\1")));
        if (!is_there)
                ptt_dns_tell(
                        c, PTT_DNS_WRONG, &name, DNS_TYPE_TLSA, "no record 3 1 1, as lipap writes it", S(""));
        else
                ptt_dns_tell(c, PTT_DNS_OK, &name, DNS_TYPE_TLSA, "3 1 1", S(""));
}
