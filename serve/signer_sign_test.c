/* SPDX-License-Identifier: ISC */
/* What the signing hop signs, what it refuses to sign, and that what it signed verifies. */
#include "serve/signer_world.h"

#include <stdio.h>

#include "auth/dkim_verify.h"

static void check_signed(struct world *w)
{
        struct str got = str_of(w->hop.message, w->hop.n);
        assert_true(str_has_prefix(got, S("DKIM-Signature: v=1; a=rsa-sha256;")));
        assert_true(str_has_suffix_nocase(got, S(MESSAGE)));
        struct str front = str_take(got, got.n - (sizeof MESSAGE - 1));
        assert_true(str_find(front, S("d=" DOMAIN ";")) < front.n);
        assert_true(str_find(front, S("\r\nReceived: from client.example")) < front.n);
        assert_true(str_find(front, S("by nec.example.org")) < front.n);
}

static void check_verdict(struct dkim_verify *v, size_t i, const struct zone_signing_key *signing)
{
        struct dkim_key key;
        char record[KEY_RECORD_MAX];
        struct wr r;
        wr_init(&r, record, sizeof record);
        assert_non_null(signing->key);
        assert_int_equal(key_record_write(signing->key, &r), ERR_OK);
        struct str text = wr_text(&r);
        dkim_key_from_records(&text, 1, &key);
        assert_true(str_eq(v->list[i].signature.selector, signing->selector));
        struct dkim_verdict verdict = dkim_verify_verdict(v, i, &key);
        if (verdict.result != DKIM_PASS)
                fail_msg("signature %zu: %.*s", i, STR_ARG(dkim_fault_text(verdict.fault)));
        dkim_key_drop(&key);
}

/* What the next hop got passes our own verifier with the records that the zone publishes. */
static void check_verifies(struct world *w)
{
        static struct mail_field fields[MAIL_FIELDS_MAX];
        static struct dkim_verify v;
        struct zone_signing_set signing;
        struct mail_header header;
        assert_int_equal(
                mail_header_index(str_of(w->hop.message, w->hop.n), fields, MAIL_FIELDS_MAX, &header),
                ERR_OK);
        assert_int_equal(zone_keeper_keys(w->keepers[0], &signing), ERR_OK);
        dkim_verify_init(&v, &header, signing.keys[ZONE_DKIM_RSA].time_s);
        dkim_verify_body(&v, str_skip(str_of(w->hop.message, w->hop.n), header.body_at));
        dkim_verify_body_end(&v);
        assert_int_equal(v.count, 2);
        check_verdict(&v, 0, &signing.keys[ZONE_DKIM_RSA]);
        check_verdict(&v, 1, &signing.keys[ZONE_DKIM_ED25519]);
        dkim_verify_drop(&v);
}

static void play_messages(struct world *w)
{
        static const struct {
                const char *name, *to, *message;
                uint16_t code;
                const char *text;
        } cases[] = {
                {"ours", "reader@example.com", MESSAGE, 250, "queued as 42"},
                {"ours, in capitals", "reader@example.com", "From: a@LISTS.Example.ORG\r\n\r\n", 250,
                        "queued"},
                {"second author ours", "reader@example.com", "From: x@example.com, " AUTHOR "\r\n\r\nb\r\n",
                        250, "queued"},
                {"a ticket of ours", "_signed.abc@" DOMAIN, "From: x@example.com\r\n\r\nb\r\n", 250,
                        "queued"},
                {"a ticket elsewhere", "_signed.abc@example.com", "From: x@example.com\r\n\r\nb\r\n", 550,
                        "Neither"},
                {"not ours", "reader@example.com", "From: x@example.com\r\n\r\nb\r\n", 550, "Neither"},
                {"below ours", "reader@example.com", "From: x@sub." DOMAIN "\r\n\r\nb\r\n", 550, "Neither"},
                {"no From", "_signed.abc@" DOMAIN, "Subject: x\r\n\r\nb\r\n", 550, "exactly one From"},
                {"two From", "_signed.abc@" DOMAIN, FROM FROM "\r\nb\r\n", 550, "exactly one From"},
                {"a broken header", "reader@example.com", FROM "no field\r\n\r\nb\r\n", 550, "no fields"},
                {"empty", "reader@example.com", "", 550, "exactly one From"},
                {"no body", "reader@example.com", FROM, 250, "queued"},
                {"a name in odd case", "reader@example.com", "fRoM:" AUTHOR "\r\n\r\nb\r\n", 250, "queued"},
                {"a space before the colon", "reader@example.com", "From \t: " AUTHOR "\r\n\r\nb\r\n", 250,
                        "queued"},
                {"a folded author", "reader@example.com", "From:\r\n\tA\r\n <" AUTHOR ">\r\n\r\nb\r\n", 250,
                        "queued"},
                {"a group of authors", "reader@example.com", "From: g:x@example.com," AUTHOR ";\r\n\r\nb\r\n",
                        250, "queued"},
                {"bytes above 127", "reader@example.com", FROM "Subject: \xc3\xa9\xff\r\n\r\n\xff\r\n", 250,
                        "queued"},
                {"an empty field", "reader@example.com", FROM "Subject:\r\nTo: \r\n \r\nCc:\r\n\r\nb\r\n",
                        250, "queued"},
                {"a foreign signature", "reader@example.com",
                        FROM "X-DKIM-Signature: v=1; d=" DOMAIN "; b=AA\r\n\r\nb\r\n", 250, "queued"},
                {"two From, one in odd case", "_signed.abc@" DOMAIN, FROM "FROM: x@example.com\r\n\r\nb\r\n",
                        550, "exactly one From"},
                {"two From, one with a space", "_signed.abc@" DOMAIN,
                        "From : x@example.com\r\n" FROM "\r\nb\r\n", 550, "exactly one From"},
                {"a name that is folded", "reader@example.com", "From\r\n : " AUTHOR "\r\n\r\nb\r\n", 550,
                        "no fields"},
                {"a header that begins with a fold", "reader@example.com", " x\r\n" FROM "\r\nb\r\n", 550,
                        "no fields"},
                {"a name with a byte above 127", "reader@example.com", FROM "\xc3rom: x\r\n\r\nb\r\n", 550,
                        "no fields"},
                {"From in the body", "reader@example.com", "Subject: x\r\n\r\n" FROM "\r\n", 550,
                        "exactly one From"},
                {"ours in a comment", "reader@example.com", "From: x@example.com (" AUTHOR ")\r\n\r\nb\r\n",
                        550, "Neither"},
                {"ours in a display name", "reader@example.com",
                        "From: \"" AUTHOR "\" <x@example.com>\r\n\r\nb\r\n", 550, "Neither"},
                {"ours as a route", "reader@example.com", "From: <@" DOMAIN ":x@example.com>\r\n\r\nb\r\n",
                        550, "Neither"},
                {"ours as a group", "reader@example.com", "From: author: x@example.com;\r\n\r\nb\r\n", 550,
                        "Neither"},
                {"ours as the head of another", "reader@example.com",
                        "From: " AUTHOR ".example.com\r\n\r\nb\r\n", 550, "Neither"},
                {"ours in a quoted local part", "reader@example.com",
                        "From: \"" AUTHOR "\"@example.com\r\n\r\nb\r\n", 550, "Neither"},
                {"not an address", "reader@example.com", "From: " AUTHOR " <\r\n\r\nb\r\n", 550, "Neither"},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                unsigned taken = w->hop.taken;
                print_message("case: %s\n", cases[i].name);
                post(w, cases[i].to, cases[i].message, cases[i].code, cases[i].text);
                assert_int_equal(w->hop.taken, taken + (cases[i].code == 250));
                if (i == 0)
                        check_signed(w);
                if (cases[i].code == 250)
                        check_verifies(w);
                assert_int_equal(w->signer.reserved, 0);
        }
}

/* `count` times `field`, then From, a field that fills the header section up to `size` if that is more, and a body. */
static char *header_of(const char *field, size_t count, size_t size)
{
        size_t n = strlen(field), used = count * n + sizeof FROM - 1 + 2;
        char *text = malloc(used + size + 16), *end = text;
        assert_non_null(text);
        for (size_t i = 0; i < count; i++, end += n)
                memcpy(end, field, n);
        memcpy(end, FROM, sizeof FROM - 1);
        end += sizeof FROM - 1;
        if (size > used) {
                size_t left = size - used;
                while (left > 0) {
                        size_t line = left > 500 ? 400 : left;
                        memset(end, 'x', line);
                        memcpy(end, "X: ", 3);
                        memcpy(end + line - 2, "\r\n", 2);
                        end += line;
                        left -= line;
                }
        }
        memcpy(end, "\r\nb\r\n", 6);
        return text;
}

/* Each ceiling from both sides. */
static void play_ceilings(struct world *w)
{
        static const struct {
                const char *field;
                size_t count, size;
                uint16_t code;
                const char *text;
        } cases[] = {
                {"X: y\r\n", MAIL_FIELDS_MAX - 4, 0, 250, "queued"}, /* ours in front are three */
                {"X: y\r\n", MAIL_FIELDS_MAX - 1, 0, 250, "queued"},
                {"X: y\r\n", MAIL_FIELDS_MAX, 0, 552, "too large"},
                {"To: y\r\n", 400, 0, 250, "queued"},
                {"To: y\r\n", DKIM_COVERED_MAX, 0, 554, "cannot be signed"},
                {"", 0, MAIL_HEADER_MAX, 250, "queued"},
                {"", 0, MAIL_HEADER_MAX + 1, 552, "too large"},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                char *text = header_of(cases[i].field, cases[i].count, cases[i].size);
                print_message("case: %zu of %s\n", cases[i].count, cases[i].field);
                post(w, "reader@example.com", text, cases[i].code, cases[i].text);
                if (cases[i].code == 250 && cases[i].count < MAIL_FIELDS_MAX - 3 && cases[i].size == 0)
                        check_verifies(w);
                free(text);
        }
}

static void post_received(struct world *w, size_t count, uint16_t code, const char *text)
{
        char *message = calloc(1, 8192);
        assert_non_null(message);
        for (size_t i = 0; i < count; i++)
                memcpy(message + 24 * i, "Received: by a; some b\r\n", 24);
        memcpy(message + 24 * count, MESSAGE, sizeof MESSAGE - 1);
        post(w, "reader@example.com", message, code, text);
        free(message);
}

/* What lipap takes, and adds its own field to, is no loop yet: it would be refused for ever. */
static void play_loop(struct world *w)
{
        post_received(w, MAIL_RECEIVED_MAX + 1, 250, "queued as 42");
        post_received(w, MAIL_RECEIVED_MAX + 2, 554, "loop");
}

static void test_messages(void **state)
{
        wait_ready(*state);
        play_messages(*state);
}

/* The first author of ours decides, and the ticket only when there is none. */
static void play_domains(struct world *w)
{
        static const struct {
                const char *to, *from, *domain;
        } cases[] = {
                {"reader@example.com", "a@" DOMAIN, DOMAIN},
                {"reader@example.com", "a@" SECOND, SECOND},
                {"reader@example.com", "x@example.com, a@" SECOND ", b@" DOMAIN, SECOND},
                {"_signed.abc@" SECOND, "x@example.com", SECOND},
                {"_signed.abc@" SECOND, "a@" DOMAIN, DOMAIN},
                {"_signed.abc@" DOMAIN, "a@Two.Example.org", SECOND},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                char message[256], tag[64];
                (void)snprintf(message, sizeof message, "From: %s\r\n\r\nb\r\n", cases[i].from);
                (void)snprintf(tag, sizeof tag, " d=%s;", cases[i].domain);
                print_message("case: %s to %s\n", cases[i].from, cases[i].to);
                post(w, cases[i].to, message, 250, "queued");
                struct str got = str_of(w->hop.message, w->hop.n);
                size_t first = str_find(got, str_of_c(tag));
                assert_true(first < got.n);
                assert_true(str_find(str_skip(got, first + 1), str_of_c(tag)) < got.n - first - 1);
        }
}

static void test_domains(void **state)
{
        play_domains(*state);
}

static void test_loop(void **state)
{
        play_loop(*state);
}

static void test_ceilings(void **state)
{
        play_ceilings(*state);
}

static int all_tests(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_messages),
                cmocka_unit_test(test_domains),
                cmocka_unit_test(test_loop),
                cmocka_unit_test(test_ceilings),
        };
        return cmocka_run_group_tests(tests, give_world, NULL);
}

int main(void)
{
        return run_in_world(all_tests, true);
}
