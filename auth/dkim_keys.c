/* SPDX-License-Identifier: ISC */
#include "auth/dkim_keys.h"

#include <string.h>

void dkim_keys_init(struct dkim_keys *k)
{
        *k = (struct dkim_keys){0};
}

void dkim_keys_drop(struct dkim_keys *k)
{
        for (size_t i = 0; i < DKIM_KEYS_MAX; i++)
                dkim_key_drop(&k->list[i].key);
        dkim_key_drop(&k->other);
        dkim_keys_init(k);
}

/* The place of that record, or the one that was used the longest time ago. */
static struct dkim_keys_entry *find(struct dkim_keys *k, const uint8_t id[SHA256_SIZE])
{
        struct dkim_keys_entry *oldest = &k->list[0];
        for (size_t i = 0; i < DKIM_KEYS_MAX; i++) {
                struct dkim_keys_entry *e = &k->list[i];
                if (e->used > 0 && memcmp(e->id, id, SHA256_SIZE) == 0)
                        return e;
                if (e->used < oldest->used)
                        oldest = e;
        }
        oldest->used = 0;
        return oldest;
}

const struct dkim_key *dkim_keys_from_records(struct dkim_keys *k, const struct str *records, size_t count)
{
        uint8_t id[SHA256_SIZE];
        dkim_key_drop(&k->other);
        if (count != 1 || sha256(records[0], id) != ERR_OK) {
                dkim_key_from_records(records, count, &k->other);
                return &k->other;
        }
        struct dkim_keys_entry *e = find(k, id);
        if (e->used == 0) {
                dkim_key_drop(&e->key);
                dkim_key_from_records(records, count, &e->key);
                memcpy(e->id, id, sizeof id);
        }
        /* what the library could not do now, it may do later */
        e->used = e->key.fault == DKIM_LIBRARY ? 0 : ++k->clock;
        return &e->key;
}

const struct dkim_key *dkim_keys_from_trouble(struct dkim_keys *k)
{
        dkim_key_drop(&k->other);
        dkim_key_from_trouble(&k->other);
        return &k->other;
}

/* An unusable name has no record, as dkim_signature_parse leaves none that DNS could not have. */
static enum dns_knowledge look(struct dns_known *known, struct str text, const struct dns_answer **answer)
{
        struct dns_name name;
        *answer = NULL;
        if (dns_name_parse(text, &name) != ERR_OK)
                return DNS_KNOWN_NO_NAME;
        return dns_known_get(known, &name, DNS_TYPE_TXT, answer);
}

const struct dkim_key *dkim_keys_find(struct dkim_keys *k, struct dns_known *known, struct str name)
{
        const struct dns_answer *answer;
        struct str texts[2]; /* two are as wrong as any more */
        size_t count = 0;
        switch (look(known, name, &answer)) {
        case DNS_KNOWN_WANTED:
                return NULL;
        case DNS_KNOWN_TROUBLE:
        case DNS_KNOWN_TOO_MANY:
                return dkim_keys_from_trouble(k);
        case DNS_KNOWN_NOTHING:
        case DNS_KNOWN_NO_NAME:
                break;
        case DNS_KNOWN_FOUND:
                for (; count < answer->count && count < 2; count++)
                        texts[count] = answer->values[count].text;
        }
        return dkim_keys_from_records(k, texts, count);
}

void dkim_keys_ask(struct dns_known *known, struct str name)
{
        const struct dns_answer *answer;
        (void)look(known, name, &answer);
}
