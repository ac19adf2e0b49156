/* SPDX-License-Identifier: ISC */
/* Reads cases of recipe 1 on standard input, `PASSWORD-BASE64 DOMAIN PURPOSE ALGORITHM SELECTOR` a line, and answers
 * each with `ID RECORD`, where RECORD is the text of the DKIM key record, or with `error: PHRASE`. */
#include <stdio.h>

#include "auth/key.h"
#include "base/hex.h"

#define CASE_FIELDS 5

static enum err find(
        const struct key_seed *seed, const struct str field[CASE_FIELDS], struct crypto_key **key)
{
        enum key_purpose purpose = str_eq(field[2], S("dkim"))  ? KEY_DKIM
                                   : str_eq(field[2], S("arc")) ? KEY_ARC
                                                                : KEY_TLS;
        enum key_algorithm algorithm = str_eq(field[3], S("ed25519")) ? KEY_ED25519 : KEY_RSA_2048;
        struct key_search search;
        enum err e = key_search_init(&search, seed, purpose, algorithm, field[4]);
        if (e == ERR_OK)
                do
                        e = key_search_step(&search, key);
                while (e == ERR_AGAIN);
        key_search_drop(&search);
        return e;
}

static enum err answer(const struct str field[CASE_FIELDS])
{
        struct key_password password;
        struct key_seed seed;
        struct crypto_key *key = NULL;
        char text[KEY_RECORD_MAX + 64];
        uint8_t id[KEY_ID_SIZE];
        struct wr w;
        wr_init(&w, text, sizeof text);
        enum err e = key_password_parse(field[0], &password);
        if (e == ERR_OK)
                e = key_seed_derive(&password, field[1], &seed);
        if (e == ERR_OK)
                e = key_id(&seed, id);
        if (e == ERR_OK)
                e = find(&seed, field, &key);
        if (e == ERR_OK) {
                hex_encode(&w, str_of(id, sizeof id));
                wr_byte(&w, ' ');
                e = key_record_write(key, &w);
        }
        if (e == ERR_OK)
                printf("%.*s\n", STR_ARG(wr_text(&w)));
        crypto_key_free(key);
        key_seed_wipe(&seed);
        key_password_wipe(&password);
        return e;
}

int main(void)
{
        char line[2048];
        while (fgets(line, sizeof line, stdin)) {
                struct str field[CASE_FIELDS], rest = str_trim(str_of_c(line));
                for (size_t i = 0; i < CASE_FIELDS; i++)
                        str_cut(rest, ' ', &field[i], &rest);
                enum err e = answer(field);
                if (e != ERR_OK)
                        printf("error: %s\n", err_text(e));
        }
        return 0;
}
