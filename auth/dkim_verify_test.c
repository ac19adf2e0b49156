/* SPDX-License-Identifier: ISC */
#include "auth/dkim_verify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "auth/dkim_sign.h"
#include "base/base64.h"
#include "crypto/rsa_search.h"

#define NOW 1700000000
#define FIELDS 600

/* RFC 8463 A.3, signed with Ed25519 and RSA; keys of A.2. */
#define RFC8463                                                            \
        "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n"    \
        " d=football.example.com; i=@football.example.com;\r\n"            \
        " q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n"          \
        " subject : date : message-id : from : subject : date;\r\n"        \
        " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"            \
        " b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus\r\n"  \
        " Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==\r\n"                            \
        "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n"        \
        " d=football.example.com; i=@football.example.com;\r\n"            \
        " q=dns/txt; s=test; t=1528637909; h=from : to : subject :\r\n"    \
        " date : message-id : from : subject : date;\r\n"                  \
        " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"            \
        " b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3\r\n"  \
        " DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz\r\n"  \
        " dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=\r\n"  \
        "From: Joe SixPack <joe@football.example.com>\r\n"                 \
        "To: Suzie Q <suzie@shopping.example.net>\r\n"                     \
        "Subject: Is dinner ready?\r\n"                                    \
        "Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"                  \
        "Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n" \
        "\r\n"                                                             \
        "Hi.\r\n"                                                          \
        "\r\n"                                                             \
        "We lost the game.  Are you hungry yet?\r\n"                       \
        "\r\n"                                                             \
        "Joe.\r\n"
static const char ed25519_record[] = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
static const char rsa_record[] =
        "v=DKIM1; k=rsa; "
        "p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2"
        "jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/"
        "8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+"
        "2kryOTIKT+l/K4w3QIDAQAB";

/* What the tests share. */
struct bench {
        struct crypto_key *rsa, *ed25519;
        char record[1024];
        char text[131072];
        struct mail_field fields[FIELDS];
        struct mail_header header;
        char *message; /* owned, exactly the message */
        size_t message_n;
        struct dkim_verify verify;
};

static int setup(void **state)
{
        struct bench *b = calloc(1, sizeof *b);
        struct rsa_search search;
        enum err e = ERR_AGAIN;
        static const uint8_t seed[ED25519_SEED_SIZE] = {1, 2, 3};
        rsa_search_init(&search, S("a seed for tests only, a seed for tests only"), 1024);
        while (e == ERR_AGAIN)
                e = rsa_search_step(&search, &b->rsa);
        rsa_search_drop(&search);
        *state = b;
        return e == ERR_OK && crypto_key_ed25519_private(seed, &b->ed25519) == ERR_OK ? 0 : -1;
}

static int teardown(void **state)
{
        struct bench *b = *state;
        crypto_key_free(b->rsa);
        crypto_key_free(b->ed25519);
        free(b->message);
        free(b);
        return 0;
}

static void load(struct bench *b, struct str text)
{
        free(b->message);
        b->message = malloc(text.n ? text.n : 1);
        assert_non_null(b->message);
        memcpy(b->message, text.p, text.n);
        b->message_n = text.n;
        assert_int_equal(
                mail_header_index(str_of(b->message, text.n), b->fields, FIELDS, &b->header), ERR_OK);
}

static struct str body(const struct bench *b)
{
        return str_skip(str_of(b->message, b->message_n), b->header.body_at);
}

static void feed(struct bench *b, unsigned cut)
{
        struct str rest = body(b);
        uint32_t seed = cut;
        dkim_verify_init(&b->verify, &b->header, NOW);
        while (rest.n > 0) {
                seed = seed * 1103515245 + 12345;
                size_t n = cut == 0 ? rest.n : 1 + (seed >> 16) % 100;
                dkim_verify_body(&b->verify, str_take(rest, n));
                rest = str_skip(rest, n);
        }
        dkim_verify_body_end(&b->verify);
}

/* The verdict on signature `i` of the loaded message, with these TXT records. */
static struct dkim_verdict judge(
        struct bench *b, size_t i, const char *const *records, size_t count, unsigned cut)
{
        struct str texts[4];
        struct dkim_key key;
        for (size_t k = 0; k < count; k++)
                texts[k] = str_of_c(records[k]);
        feed(b, cut);
        assert_true(i < b->verify.count);
        dkim_key_from_records(texts, count, &key);
        struct dkim_verdict v = dkim_verify_verdict(&b->verify, i, &key);
        dkim_key_drop(&key);
        dkim_verify_drop(&b->verify);
        return v;
}

static void expect(struct dkim_verdict v, enum dkim_fault fault, const char *name)
{
        if (v.fault != fault || v.result != dkim_fault_result(fault))
                fail_msg("%s: %.*s (%.*s)", name, STR_ARG(dkim_fault_text(v.fault)), STR_ARG(v.detail));
}

static void test_rfc8463(void **state)
{
        struct bench *b = *state;
        const char *const ed25519[] = {ed25519_record}, *const rsa[] = {rsa_record};
        char name[DNS_NAME_MAX];
        struct wr w;
        load(b, S(RFC8463));
        for (unsigned cut = 0; cut < 50; cut++) {
                expect(judge(b, 0, ed25519, 1, cut), DKIM_OK, "ed25519");
                expect(judge(b, 1, rsa, 1, cut), DKIM_OK, "rsa");
        }
        expect(judge(b, 0, rsa, 1, 0), DKIM_KEY_MISMATCH, "rsa key for ed25519");
        expect(judge(b, 1, ed25519, 1, 0), DKIM_KEY_MISMATCH, "ed25519 key for rsa");
        feed(b, 0);
        wr_init(&w, name, sizeof name);
        assert_int_equal(dkim_verify_question(&b->verify, 1, &w), ERR_OK);
        assert_true(str_eq(wr_text(&w), S("test._domainkey.football.example.com")));
        dkim_verify_drop(&b->verify);
}

/* Replace the first `from` of the message by `to`. */
static void edit(struct bench *b, const char *text, const char *from, const char *to)
{
        const char *at = strstr(text, from);
        assert_non_null(at);
        int n = snprintf(b->text, sizeof b->text, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
        load(b, str_of(b->text, (size_t)n));
}

static void test_edited(void **state)
{
        struct bench *b = *state;
        static const struct {
                const char *name, *from, *to;
                enum dkim_fault fault;
        } cases[] = {
                {"untouched", "Joe.", "Joe.", DKIM_OK},
                {"white space at a line's end", "Joe.", "Joe. \t", DKIM_OK},
                {"empty lines at the end", "Joe.\r\n", "Joe.\r\n\r\n \r\n", DKIM_OK},
                {"no line end", "Joe.\r\n", "Joe.", DKIM_OK},
                {"refolded", "Subject: Is", "Subject:\r\n\t Is ", DKIM_OK},
                {"name in other case", "Subject:", "SUBJECT :", DKIM_OK},
                {"uncovered field added", "From: Joe", "X-Any: thing\r\nFrom: Joe", DKIM_OK},
                {"body", "hungry", "Hungry", DKIM_BODY},
                {"subject", "dinner", "Dinner", DKIM_SIGNATURE},
                {"subject removed", "Subject: Is dinner ready?\r\n", "", DKIM_SIGNATURE},
                {"second Subject above", "From: Joe", "Subject: new\r\nFrom: Joe", DKIM_FIELD_ADDED},
                {"second Subject below", "Date: ", "Subject: new\r\nDate: ", DKIM_FIELD_ADDED},
                {"second From", "To: Suzie", "From: x@y.z\r\nTo: Suzie", DKIM_FIELD_ADDED},
                {"no v=", "v=1; ", "", DKIM_TAG_MISSING},
                {"v=2", "v=1; ", "v=2; ", DKIM_VERSION},
                {"v= twice", "v=1; ", "v=1; v=1; ", DKIM_TAG_TWICE},
                {"no a=", "a=ed25519-sha256; ", "", DKIM_TAG_MISSING},
                {"unknown a=", "a=ed25519-sha256", "a=rsa-md5", DKIM_ALGORITHM},
                {"sha1", "a=ed25519-sha256", "a=rsa-sha1", DKIM_TAG_VALUE},
                {"unknown c=", "c=relaxed/relaxed", "c=relaxed/future", DKIM_CANON},
                {"unknown c= of the header", "c=relaxed/relaxed", "c=nofws/simple", DKIM_CANON},
                {"q= other", "q=dns/txt", "q=http", DKIM_QUERY},
                {"q= with more", "q=dns/txt", "q=http : dns/txt", DKIM_SIGNATURE},
                {"no d=", " d=football.example.com;", "", DKIM_TAG_MISSING},
                {"empty d=", "d=football.example.com", "d=", DKIM_TAG_VALUE},
                {"d= with a slash", "d=football.example.com", "d=../com", DKIM_TAG_VALUE},
                {"d= with a dot at the end", "d=football.example.com", "d=football.example.com.",
                        DKIM_TAG_VALUE},
                {"s= with a space", "s=brisbane", "s=bris bane", DKIM_TAG_VALUE},
                {"i= elsewhere", "i=@football.example.com", "i=@example.com", DKIM_IDENTITY},
                {"i= merely ends alike", "i=@football.example.com", "i=@xfootball.example.com",
                        DKIM_IDENTITY},
                {"i= below", "i=@football.example.com", "i=a=40b@sub.football.example.com", DKIM_SIGNATURE},
                {"i= quoted printable", "i=@football.example.com", "i=joe=40football.example=2Ecom",
                        DKIM_SIGNATURE},
                {"i= without a domain", "i=@football.example.com", "i=joe", DKIM_TAG_VALUE},
                {"i= with a broken escape", "i=@football.example.com", "i=a=4@football.example.com",
                        DKIM_TAG_VALUE},
                {"h= without From", "h=from : to :\r\n subject : date : message-id : from :",
                        "h=to :\r\n subject :", DKIM_FROM_UNSIGNED},
                {"h= with an empty name", "h=from : to", "h=from : : to", DKIM_TAG_VALUE},
                {"h= ends with a colon", "subject : date;", "subject : date:;", DKIM_TAG_VALUE},
                {"bh= too short", "bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=", "bh=2jUS",
                        DKIM_TAG_VALUE},
                {"bh= not base64", "bh=2jUSOH", "bh=2jUS*H", DKIM_TAG_VALUE},
                {"b= not base64", "b=/gCr", "b=*gCr", DKIM_TAG_VALUE},
                {"b= other", "b=/gCr", "b=/gCs", DKIM_SIGNATURE},
                {"l= that is no number", "t=1528637909;", "l=1x;", DKIM_TAG_VALUE},
                {"l= negative", "t=1528637909;", "l=-1;", DKIM_TAG_VALUE},
                {"l= above the body", "t=1528637909;", "l=9999;", DKIM_BODY_SHORT},
                {"l= of nothing", "t=1528637909;", "l=0;", DKIM_BODY},
                {"t= with thirteen digits", "t=1528637909;", "t=1528637909000;", DKIM_TAG_VALUE},
                {"x= before t=", "t=1528637909;", "t=1528637909; x=1528637909;", DKIM_TIMES},
                {"no tag list", "v=1; a=ed25519-sha256;", "synerr;", DKIM_TAG_LIST},
        };
        const char *const records[] = {ed25519_record};
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                edit(b, RFC8463, cases[i].from, cases[i].to);
                expect(judge(b, 0, records, 1, 0), cases[i].fault, cases[i].name);
                expect(judge(b, 0, records, 1, (unsigned)i + 1), cases[i].fault, cases[i].name);
        }
}

static void test_sha1_never_passes(void **state)
{
        struct bench *b = *state;
        const char *const records[] = {rsa_record};
        load(b, S("DKIM-Signature: v=1; a=rsa-sha1; d=example.com; s=s; h=from; "
                  "bh=2jmj7l5rSw0yVb/vlWAYkK/YBwk=; b=AAAA\r\n"
                  "From: a@example.com\r\n\r\n"));
        struct dkim_verdict v = judge(b, 0, records, 1, 0);
        expect(v, DKIM_SHA1, "rsa-sha1");
        assert_int_equal(v.result, DKIM_PERMERROR);
}

static void test_every_prefix(void **state)
{
        struct bench *b = *state;
        const char *const records[] = {ed25519_record};
        struct str whole = S(RFC8463);
        for (size_t n = 0; n < whole.n - 2; n++) { /* without the last CRLF it still passes */
                load(b, str_take(whole, n));
                feed(b, 0);
                size_t count = b->verify.count;
                dkim_verify_drop(&b->verify);
                if (count > 0)
                        assert_int_not_equal(judge(b, 0, records, 1, 0).result, DKIM_PASS);
        }
}

static void test_records(void **state)
{
        struct bench *b = *state;
        const char *const two[] = {ed25519_record, ed25519_record};
        struct dkim_key key;
        load(b, S(RFC8463));
        expect(judge(b, 0, two, 0, 0), DKIM_KEY_NONE, "none");
        expect(judge(b, 0, two, 2, 0), DKIM_KEY_SEVERAL, "two");
        feed(b, 0);
        dkim_key_from_trouble(&key);
        struct dkim_verdict v = dkim_verify_verdict(&b->verify, 0, &key);
        expect(v, DKIM_KEY_TROUBLE, "trouble");
        assert_int_equal(v.result, DKIM_TEMPERROR);
        dkim_verify_drop(&b->verify);
}

static void test_many_signatures(void **state)
{
        struct bench *b = *state;
        size_t n = 0;
        for (int i = 0; i < DKIM_SIGNATURES_MAX + 3; i++)
                n += (size_t)snprintf(
                        b->text + n, sizeof b->text - n, "DKIM-Signature: v=1; d=d%d.example\r\n", i);
        n += (size_t)snprintf(b->text + n, sizeof b->text - n, "From: a@b\r\n\r\n");
        load(b, str_of(b->text, n));
        feed(b, 0);
        assert_int_equal(b->verify.count, DKIM_SIGNATURES_MAX);
        assert_int_equal(b->verify.ignored, 3);
        assert_true(
                str_eq(b->verify.list[7].signature.domain, S("d7.example"))); /* told even of a broken one */
        dkim_verify_drop(&b->verify);
}

/* By a key that did not sign: what is right is known from before, and what is not known is verified. */
static void test_judged_before(void **state)
{
        static const struct {
                const char *name, *from, *to;
                enum dkim_fault fault;
        } cases[] = {
                {"untouched", "Joe.", "Joe.", DKIM_OK},
                {"name in other case", "Subject:", "SUBJECT :", DKIM_OK},
                {"uncovered field added", "From: Joe", "X-Any: thing\r\nFrom: Joe", DKIM_OK},
                {"body", "hungry", "Hungry", DKIM_BODY},
                {"subject", "dinner", "Dinner", DKIM_SIGNATURE},
                {"second Subject above", "From: Joe", "Subject: new\r\nFrom: Joe", DKIM_FIELD_ADDED},
                {"another signature", "b=/gCr", "b=/gCs", DKIM_SIGNATURE},
                {"the same, folded in another way", "Fa3bT3", "Fa 3bT3", DKIM_SIGNATURE},
        };
        static struct dkim_verify before;
        struct bench *b = *state;
        struct dkim_key key, other;
        struct str own = str_of_c(ed25519_record);
        struct wr w;
        wr_init(&w, b->record, sizeof b->record);
        assert_int_equal(dkim_key_record_write(b->ed25519, &w), ERR_OK);
        dkim_key_from_records(&own, 1, &key);
        own = wr_text(&w);
        dkim_key_from_records(&own, 1, &other);
        load(b, S(RFC8463));
        feed(b, 0);
        expect(dkim_verify_verdict(&b->verify, 0, &key), DKIM_OK, "before");
        before = b->verify;
        char *text = b->message;
        b->message = NULL;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                edit(b, RFC8463, cases[i].from, cases[i].to);
                feed(b, 0);
                dkim_verify_judged(&b->verify, 0, &before);
                expect(dkim_verify_verdict(&b->verify, 0, &other), cases[i].fault, cases[i].name);
                dkim_verify_drop(&b->verify);
        }
        dkim_verify_drop(&before);
        dkim_key_drop(&key);
        dkim_key_drop(&other);
        free(text);
}

/* Sign `text` with `key` and load the signed message. */
static void sign(struct bench *b, struct dkim_sign_params *p, const struct crypto_key *key, struct str text)
{
        struct body_hash hash;
        uint8_t digest[SHA256_SIZE];
        struct wr w;
        load(b, text);
        p->domain = S("example.com");
        p->selector = S("dkim-1700000000");
        if (!p->cover) {
                p->cover = dkim_cover_default;
                p->cover_count = dkim_cover_default_count;
        }
        body_hash_init(&hash);
        size_t slot = body_hash_want(&hash, p->body_canon, BODY_HASH_ALL);
        body_hash_write(&hash, body(b));
        body_hash_end(&hash);
        assert_int_equal(body_hash_result(&hash, slot, digest), ERR_OK);
        wr_init(&w, b->text, sizeof b->text);
        assert_int_equal(dkim_sign(p, &b->header, digest, key, &w), ERR_OK);
        wr_str(&w, text);
        assert_false(w.full);
        load(b, wr_text(&w));
        wr_init(&w, b->record, sizeof b->record);
        assert_int_equal(dkim_key_record_write(key, &w), ERR_OK);
        wr_byte(&w, '\0');
}

#define PLAIN                                                                                      \
        "Received: a\r\nReceived: b\r\nFrom: \xc3\xa9 <a@example.com>\r\nTo : b@example.org,\r\n " \
        "c@example.org\r\nTo: twice\r\n"                                                           \
        "Subject:\r\n  folded \r\n\tand  wide\r\n\r\n"

static void test_sign_and_verify(void **state)
{
        struct bench *b = *state;
        static const struct {
                const char *name, *text;
        } messages[] = {
                {"usual", PLAIN "Hello\r\n"},
                {"no body", PLAIN},
                {"no end of the header", "From: a@example.com\r\n"},
                {"empty lines", PLAIN "\r\n\r\n"},
                {"white space", PLAIN " \t\r\nx  y\t\r\n\r\n \r\n"},
                {"no line end", PLAIN "x"},
                {"8-bit and lone bytes", PLAIN "\xff\xfe\r\r\n\n x\r"},
        };
        for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++)
                for (unsigned form = 0; form < 8; form++) {
                        struct dkim_sign_params p = {.header_canon = form & 1 ? CANON_RELAXED : CANON_SIMPLE,
                                .body_canon = form & 2 ? CANON_RELAXED : CANON_SIMPLE,
                                .time_s = NOW - 10,
                                .expiry_s = NOW + 10};
                        sign(b, &p, form & 4 ? b->rsa : b->ed25519, str_of_c(messages[i].text));
                        const char *const records[] = {b->record};
                        for (unsigned cut = 0; cut < 6; cut++)
                                expect(judge(b, 0, records, 1, cut), DKIM_OK, messages[i].name);
                }
}

static void test_times(void **state)
{
        struct bench *b = *state;
        static const struct {
                const char *name;
                int64_t time_s, expiry_s;
                enum dkim_fault fault;
        } cases[] = {
                {"no times", 0, 0, DKIM_OK},
                {"expires now", NOW - 10, NOW, DKIM_OK},
                {"expired a second ago", NOW - 10, NOW - 1, DKIM_PAST},
                {"made a little ahead", NOW + DKIM_FUTURE_S, 0, DKIM_OK},
                {"made in the future", NOW + DKIM_FUTURE_S + 1, 0, DKIM_FUTURE},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct dkim_sign_params p = {.time_s = cases[i].time_s, .expiry_s = cases[i].expiry_s};
                sign(b, &p, b->rsa, S(PLAIN "Hello\r\n"));
                const char *const records[] = {b->record};
                expect(judge(b, 0, records, 1, 0), cases[i].fault, cases[i].name);
        }
        /* an expired signature that is wrong besides is wrong */
        struct dkim_sign_params p = {.time_s = NOW - 10, .expiry_s = NOW - 1};
        sign(b, &p, b->rsa, S(PLAIN "Hello\r\n"));
        b->message[b->message_n - 3] ^= 1;
        const char *const records[] = {b->record};
        expect(judge(b, 0, records, 1, 0), DKIM_BODY, "expired and changed");
}

/* RFC 6376 5.4.2: of a repeated field, each instance counts, from the bottom; none can be swapped, removed or added. */
static void test_repeated_fields(void **state)
{
        struct bench *b = *state;
        static const struct dkim_cover cover[] = {{{"X", 1}, false}, {{"x", 1}, true}, {{"Y", 1}, true}};
        struct dkim_sign_params p = {.cover = cover, .cover_count = 3, .header_canon = CANON_RELAXED};
        sign(b, &p, b->rsa, S("X: 1\r\nX: 2\r\nFrom: a@b\r\n\r\n"));
        assert_true(str_find(str_of(b->message, b->message_n), S("h=From:From:X:X:Y;")) < b->message_n);
        const char *const records[] = {b->record};
        expect(judge(b, 0, records, 1, 0), DKIM_OK, "as signed");
        static char signed_text[4096];
        memcpy(signed_text, b->message, b->message_n);
        signed_text[b->message_n] = '\0';
        static const struct {
                const char *name, *from, *to;
                enum dkim_fault fault;
        } cases[] = {
                {"swapped", "X: 1\r\nX: 2\r\n", "X: 2\r\nX: 1\r\n", DKIM_FIELD_ADDED},
                {"one removed", "X: 1\r\n", "", DKIM_SIGNATURE},
                {"one more above is not covered", "X: 1\r\n", "X: 0\r\nX: 1\r\n", DKIM_OK},
                {"one more below", "X: 2\r\n", "X: 2\r\nX: 3\r\n", DKIM_FIELD_ADDED},
                {"absent one added", "X: 1\r\n", "Y: 1\r\nX: 1\r\n", DKIM_FIELD_ADDED},
                {"second From above", "X: 1\r\n", "From: c@d\r\nX: 1\r\n", DKIM_FIELD_ADDED},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                edit(b, signed_text, cases[i].from, cases[i].to);
                expect(judge(b, 0, records, 1, 0), cases[i].fault, cases[i].name);
        }
}

/* dkim_sign never writes l=, so the field is made by hand. */
static void test_partial_body(void **state)
{
        struct bench *b = *state;
        static const struct {
                const char *name, *body;
                enum dkim_fault fault;
        } cases[] = {
                {"all of it", "Hello\r\n", DKIM_OK},
                {"empty lines behind", "Hello\r\n\r\n", DKIM_OK},
                {"bytes behind", "Hello\r\nBuy!\r\n", DKIM_BODY_PARTIAL},
                {"shorter", "Hell", DKIM_BODY_SHORT},
                {"other bytes", "Hallo\r\nBuy!\r\n", DKIM_BODY},
        };
        uint8_t digest[SHA256_SIZE];
        char bytes[512];
        struct wr w, signature;
        assert_int_equal(sha256(S("Hello\r\n"), digest), ERR_OK);
        wr_init(&w, b->text, sizeof b->text);
        wr_str(&w, S("DKIM-Signature: v=1; a=rsa-sha256; c=simple/relaxed; d=example.com; s=s; h=From; l=7; "
                     "bh="));
        base64_encode(&w, str_of(digest, sizeof digest));
        wr_str(&w, S("; b="));
        load(b, S("From: a@b\r\n\r\n"));
        assert_int_equal(dkim_header_digest(&b->header, S("From"), CANON_SIMPLE, wr_text(&w),
                                 str_skip(wr_text(&w), w.n), digest),
                ERR_OK);
        wr_init(&signature, bytes, sizeof bytes);
        assert_int_equal(crypto_key_rsa_sign(b->rsa, digest, &signature), ERR_OK);
        base64_encode(&w, wr_text(&signature));
        wr_str(&w, S("\r\nFrom: a@b\r\n\r\n"));
        struct wr record;
        wr_init(&record, b->record, sizeof b->record);
        assert_int_equal(dkim_key_record_write(b->rsa, &record), ERR_OK);
        wr_byte(&record, '\0');
        size_t head = w.n;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                const char *const records[] = {b->record};
                w.n = head;
                wr_str(&w, str_of_c(cases[i].body));
                load(b, wr_text(&w));
                for (unsigned cut = 0; cut < 5; cut++)
                        expect(judge(b, 0, records, 1, cut), cases[i].fault, cases[i].name);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_rfc8463),
                cmocka_unit_test(test_edited),
                cmocka_unit_test(test_judged_before),
                cmocka_unit_test(test_sha1_never_passes),
                cmocka_unit_test(test_every_prefix),
                cmocka_unit_test(test_records),
                cmocka_unit_test(test_many_signatures),
                cmocka_unit_test(test_sign_and_verify),
                cmocka_unit_test(test_times),
                cmocka_unit_test(test_repeated_fields),
                cmocka_unit_test(test_partial_body),
        };
        return cmocka_run_group_tests(tests, setup, teardown);
}
