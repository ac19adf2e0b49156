/* SPDX-License-Identifier: ISC */
#include "tests/sim/signature.h"

#include "base/ascii.h"
#include "base/base64.h"
#include "tests/sim/buffer.h"

static const char *const covered[] = {"From", "To", "Subject", "Date", "Message-ID", "X-Try"};
#define COVERED (sizeof covered / sizeof covered[0])

static bool is_blank(char c)
{
        return c == ' ' || c == '\t';
}

static void put_base64(struct buffer *b, struct str bytes)
{
        struct wr w;
        size_t n = base64_encoded_size(bytes.n);
        wr_init(&w, buffer_room(b, n), n);
        base64_encode(&w, bytes);
        b->n += n;
}

/* ---- canonical forms ---- */

/* Runs of blanks become one space, those at the end nothing; line ends within a field nothing as well. */
static void put_squeezed(struct buffer *b, struct str text)
{
        bool is_gap = false;
        for (size_t i = 0; i < text.n; i++) {
                char c = text.p[i];
                if (is_blank(c)) {
                        is_gap = true;
                } else if (c != '\r' && c != '\n') {
                        buffer_put(b, is_gap ? S(" ") : S(""));
                        buffer_put(b, str_of(&c, 1));
                        is_gap = false;
                }
        }
}

/* RFC 6376 3.4.1, 3.4.2: a field without its last CRLF. */
static void put_field(struct buffer *b, struct str field, bool is_relaxed)
{
        struct str name, body;
        if (!is_relaxed) {
                buffer_put(b, field);
                return;
        }
        (void)str_cut(field, ':', &name, &body);
        name = str_trim(name);
        for (size_t i = 0; i < name.n; i++) {
                char c = ascii_lower(name.p[i]);
                buffer_put(b, str_of(&c, 1));
        }
        buffer_put(b, S(":"));
        while (body.n > 0 && (is_blank(body.p[0]) || body.p[0] == '\r' || body.p[0] == '\n'))
                body = str_skip(body, 1);
        put_squeezed(b, body);
}

/* RFC 6376 3.4.3, 3.4.4 */
static void put_body(struct buffer *b, struct str body, bool is_relaxed)
{
        size_t end = b->n; /* behind the last line that is not empty */
        while (body.n > 0) {
                size_t n = str_find(body, S("\r\n")), begin = b->n;
                struct str line = str_take(body, n);
                if (is_relaxed)
                        put_squeezed(b, line);
                else
                        buffer_put(b, line);
                bool is_empty = b->n == begin;
                buffer_put(b, S("\r\n"));
                end = is_empty ? end : b->n;
                body = str_skip(body, n < body.n ? n + 2 : n);
        }
        b->n = end;
        if (end == 0 && !is_relaxed)
                buffer_put(b, S("\r\n"));
}

/* ---- the header ---- */

/* The next field with the lines that continue it, without its last CRLF. False: the header is over. */
static bool next_field(struct str *header, struct str *field)
{
        size_t n = 0;
        if (header->n == 0 || str_has_prefix(*header, S("\r\n")))
                return false;
        do
                n += str_find(str_skip(*header, n), S("\r\n")) + 2;
        while (n < header->n && is_blank(header->p[n]));
        n = n < header->n ? n : header->n;
        *field = str_take(*header, n - 2);
        *header = str_skip(*header, n);
        return true;
}

/* The only field of that name, or the last of them (RFC 6376 5.4.2). False: there is none. */
static bool find_field(struct str header, struct str name, struct str *out)
{
        struct str field, its_name, body;
        bool is_found = false;
        while (next_field(&header, &field))
                if (str_cut(field, ':', &its_name, &body) && str_eq_nocase(str_trim(its_name), name)) {
                        *out = field;
                        is_found = true;
                }
        return is_found;
}

/* Names for h=, and what is to be hashed of their fields. */
static void cover(struct str header, bool is_relaxed, struct buffer *names, struct buffer *hashed)
{
        struct str field;
        for (size_t i = 0; i < COVERED; i++) {
                if (!find_field(header, str_of_c(covered[i]), &field))
                        continue;
                buffer_print(names, "%s:", covered[i]);
                put_field(hashed, field, is_relaxed);
                buffer_put(hashed, S("\r\n"));
        }
        buffer_put(names, S("From")); /* RFC 6376 5.4.2: none can be added */
}

/* ---- signing ---- */

static void put_signature(struct buffer *b, const struct crypto_key *key, struct str hashed)
{
        uint8_t digest[SHA256_SIZE], made[RSA_SIGNATURE_MAX];
        struct wr w;
        wr_init(&w, (char *)made, sizeof made);
        CHECK(sha256(hashed, digest) == ERR_OK);
        if (crypto_key_kind(key) == CRYPTO_KEY_RSA) {
                CHECK(crypto_key_rsa_sign(key, digest, &w) == ERR_OK);
                put_base64(b, wr_text(&w));
                return;
        }
        CHECK(crypto_key_ed25519_sign(key, str_of(digest, sizeof digest), made) == ERR_OK);
        put_base64(b, str_of(made, ED25519_SIGNATURE_SIZE));
}

struct str signature_make(const struct signature *s, struct str message)
{
        size_t end = str_find(message, S("\r\n\r\n"));
        struct str header = str_take(message, end + 2), body = str_skip(message, end + 4);
        struct buffer field = {0}, names = {0}, hashed = {0}, canonical = {0};
        const char *how = s->is_relaxed ? "relaxed/relaxed" : "simple/simple",
                   *algorithm = crypto_key_kind(s->key) == CRYPTO_KEY_RSA ? "rsa" : "ed25519";
        uint8_t digest[SHA256_SIZE];
        cover(header, s->is_relaxed, &names, &hashed);
        put_body(&canonical, body, s->is_relaxed);
        CHECK(sha256(buffer_text(&canonical), digest) == ERR_OK);
        buffer_print(&field,
                "DKIM-Signature: v=1; a=%s-sha256; c=%s;\r\n\td=%.*s; s=%.*s;\r\n\th=%.*s;\r\n\tbh=",
                algorithm, how, STR_ARG(s->domain), STR_ARG(s->selector), STR_ARG(buffer_text(&names)));
        put_base64(&field, str_of(digest, sizeof digest));
        buffer_put(&field, S(";\r\n\tb="));
        put_field(&hashed, buffer_text(&field), s->is_relaxed);
        put_signature(&field, s->key, buffer_text(&hashed));
        buffer_put(&field, S("\r\n"));
        buffer_free(&names);
        buffer_free(&hashed);
        buffer_free(&canonical);
        return buffer_text(&field);
}

struct str signature_record(const struct crypto_key *key)
{
        struct buffer b = {0};
        uint8_t raw[ED25519_PUBLIC_SIZE];
        char der[RSA_SIGNATURE_MAX + 64];
        struct wr w;
        if (crypto_key_kind(key) == CRYPTO_KEY_RSA) {
                wr_init(&w, der, sizeof der);
                CHECK(crypto_key_spki(key, &w) == ERR_OK);
                buffer_put(&b, S("v=DKIM1; k=rsa; p="));
                put_base64(&b, wr_text(&w));
        } else {
                CHECK(crypto_key_ed25519_raw(key, raw) == ERR_OK);
                buffer_put(&b, S("v=DKIM1; k=ed25519; p="));
                put_base64(&b, str_of(raw, sizeof raw));
        }
        return buffer_text(&b);
}
