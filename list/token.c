/* SPDX-License-Identifier: ISC */
#include "list/token.h"

#include <string.h>

#include "base/base32.h"
#include "base/check.h"
#include "crypto/bytes.h"
#include "crypto/hmac.h"
#include "crypto/kdf.h"

#define HEAD_SIZE 7 /* id and day */
#define MAC_SIZE 8
#define TOKEN_SIZE (HEAD_SIZE + MAC_SIZE)

static const struct str purpose_names[] = {
        [TOKEN_RETURN] = {"return", 6},
        [TOKEN_CONFIRM] = {"confirm", 7},
        [TOKEN_DECIDE] = {"decide", 6},
        [TOKEN_PROBE] = {"probe", 5},
};

enum err token_key_derive(struct str seed, struct token_key *out)
{
        return kdf_hkdf_expand(seed, S("ptt-v1\0token"), out->b, sizeof out->b);
}

static void write_head(uint8_t head[HEAD_SIZE], const struct token *token)
{
        for (size_t i = 0; i < 5; i++)
                head[i] = (uint8_t)((uint64_t)token->id >> (32 - 8 * i));
        head[5] = (uint8_t)(token->day >> 8);
        head[6] = (uint8_t)token->day;
}

/* The MAC covers purpose 00 list 00 head; neither name can hold a NUL. */
static enum err mac(const struct token_key *key, enum token_purpose purpose, struct str list,
        const uint8_t head[HEAD_SIZE], uint8_t out[HMAC_SIZE_MAX])
{
        struct hmac m;
        hmac_init(&m, HMAC_SHA256, str_of(key->b, sizeof key->b));
        hmac_update(&m, purpose_names[purpose]);
        hmac_update(&m, S("\0"));
        hmac_update(&m, list);
        hmac_update(&m, S("\0"));
        hmac_update(&m, str_of(head, HEAD_SIZE));
        return hmac_end(&m, out);
}

enum err token_write(struct wr *w, const struct token_key *key, enum token_purpose purpose, struct str list,
        const struct token *token)
{
        uint8_t bytes[TOKEN_SIZE], code[HMAC_SIZE_MAX];
        CHECK(token->id >= 0 && token->id <= TOKEN_ID_MAX);
        write_head(bytes, token);
        enum err e = mac(key, purpose, list, bytes, code);
        if (e != ERR_OK)
                return e;
        memcpy(bytes + HEAD_SIZE, code, MAC_SIZE);
        base32_encode(w, str_of(bytes, sizeof bytes));
        return wr_end(w);
}

enum err token_parse(struct str text, const struct token_key *keys, size_t n, enum token_purpose purpose,
        struct str list, struct token *out)
{
        uint8_t bytes[TOKEN_SIZE], code[HMAC_SIZE_MAX];
        struct wr w;
        *out = (struct token){0};
        wr_init(&w, bytes, sizeof bytes);
        if (text.n != TOKEN_TEXT_SIZE || base32_decode(text, &w) != ERR_OK)
                return ERR_SYNTAX;
        for (size_t i = 0; i < n; i++) {
                enum err e = mac(&keys[i], purpose, list, bytes, code);
                if (e != ERR_OK)
                        return e;
                if (!crypto_equal(str_of(code, MAC_SIZE), str_of(bytes + HEAD_SIZE, MAC_SIZE)))
                        continue;
                for (size_t k = 0; k < 5; k++)
                        out->id = out->id << 8 | bytes[k];
                out->day = (uint16_t)(bytes[5] << 8 | bytes[6]);
                return ERR_OK;
        }
        return ERR_DENIED;
}
