/* SPDX-License-Identifier: ISC */
/* Reads cases on standard input, one a line with fields in hexadecimal ("-" is empty), and answers each with a line:
 *     rsa DER MESSAGE SIGNATURE       valid | invalid | key: PHRASE | error: PHRASE
 *     ed25519 RAW MESSAGE SIGNATURE   the same
 *     hmac KEY MESSAGE                the code in hexadecimal */
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "crypto/hmac.h"
#include "crypto/key.h"

#define LINE_MAX_BYTES 65536
#define FIELDS 3

struct fields {
        char room[FIELDS][LINE_MAX_BYTES / 2];
        struct str v[FIELDS];
};

static bool read_fields(struct str line, struct fields *f)
{
        for (size_t i = 0; i < FIELDS; i++) {
                struct str text;
                struct wr w;
                str_cut(line, ' ', &text, &line);
                wr_init(&w, f->room[i], sizeof f->room[i]);
                if (!str_eq(text, S("-")) && hex_decode(text, &w) != ERR_OK)
                        return false;
                f->v[i] = wr_text(&w);
        }
        return true;
}

static void answer_verify(struct str kind, const struct fields *f)
{
        struct crypto_key *key;
        bool is_rsa = str_eq(kind, S("rsa"));
        enum err e =
                is_rsa ? crypto_key_public_from_der(f->v[0], &key) : crypto_key_ed25519_public(f->v[0], &key);
        if (e != ERR_OK) {
                printf("key: %s\n", err_text(e));
                return;
        }
        if (is_rsa) {
                uint8_t digest[SHA256_SIZE];
                e = sha256(f->v[1], digest);
                if (e == ERR_OK)
                        e = crypto_key_rsa_verify(key, digest, f->v[2]);
        } else {
                e = crypto_key_ed25519_verify(key, f->v[1], f->v[2]);
        }
        crypto_key_free(key);
        if (e == ERR_OK || e == ERR_DENIED)
                printf("%s\n", e == ERR_OK ? "valid" : "invalid");
        else
                printf("error: %s\n", err_text(e));
}

static void answer_hmac(const struct fields *f)
{
        uint8_t code[HMAC_SIZE_MAX];
        char text[2 * HMAC_SIZE_MAX];
        struct wr w;
        enum err e = hmac(HMAC_SHA256, f->v[0], f->v[1], code);
        wr_init(&w, text, sizeof text);
        hex_encode(&w, str_of(code, hmac_size(HMAC_SHA256)));
        if (e == ERR_OK)
                printf("%.*s\n", STR_ARG(wr_text(&w)));
        else
                printf("error: %s\n", err_text(e));
}

int main(void)
{
        static char text[LINE_MAX_BYTES];
        static struct fields f;
        while (fgets(text, sizeof text, stdin)) {
                struct str kind, rest;
                str_cut(str_trim(str_of_c(text)), ' ', &kind, &rest);
                if (!read_fields(rest, &f))
                        printf("error: not a case\n");
                else if (str_eq(kind, S("hmac")))
                        answer_hmac(&f);
                else
                        answer_verify(kind, &f);
        }
        return 0;
}
