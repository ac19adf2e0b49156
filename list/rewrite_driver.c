/* SPDX-License-Identifier: ISC */
/* A list and its signer for tests/interop/deliverability.py: posts in, as they come from authors; posts out, as members get them.
 * On standard input, a line each:
 *     record NAME<TAB>TYPE<TAB>VALUE   as auth/fake_dns.h has it; there are no others
 *     key PEM DOMAIN SELECTOR          the list's signer: a file with its RSA key
 *     now SECONDS
 *     standard                         the settings of the list ptt at the signer's domain are the standard ones
 *     set NAME VALUE                   but this one
 *     post IP SENDER SIZE              followed by SIZE bytes: a message from there, whose author must be proven
 * For each post: "SIZE WORD" and SIZE bytes, WORD being that of rewrite_from_text; or "refused REASON". */
#include <stdio.h>
#include <stdlib.h>

#include "auth/dkim_sign.h"
#include "auth/fake_dns.h"
#include "list/posting.h"
#include "list/rewrite.h"

#define LINE_SIZE 4096
#define FILE_SIZE 8192
#define POST_MAX (4 << 20)
#define OUT_MAX (POST_MAX + 2 * MAIL_HEADER_MAX)
#define RECEIVED "Received: from author by list for <ptt>; Mon, 23 Nov 2026 00:00:00 +0000\r\n"

struct driver {
        struct fake_dns dns;
        struct dkim_keys keys;
        struct arena arena;
        struct dns_known known;
        struct evaluate verdicts;
        struct mail_field fields[MAIL_FIELDS_MAX];
        struct mail_header header;
        struct rewrite rewrite;
        struct crypto_key *key;
        char domain[DNS_NAME_MAX], selector[64];
        int64_t now_s;
        struct setting_values values;
        char texts[SETTINGS][SETTING_TEXT_MAX]; /* of values that were set */
        size_t text_count;
        char memory[FAKE_DNS_ARENA], in[POST_MAX], out[OUT_MAX], signature[DKIM_FIELD_MAX];
};

static struct str word(struct str *rest)
{
        struct str head;
        str_cut(*rest, ' ', &head, rest);
        return head;
}

static void copy(char *out, size_t cap, struct str text)
{
        CHECK(text.n < cap);
        memcpy(out, text.p, text.n);
        out[text.n] = '\0';
}

static void load_key(struct driver *d, struct str rest)
{
        char path[LINE_SIZE], pem[FILE_SIZE];
        copy(path, sizeof path, word(&rest));
        copy(d->domain, sizeof d->domain, word(&rest));
        copy(d->selector, sizeof d->selector, rest);
        FILE *f = fopen(path, "rb");
        CHECK(f);
        size_t n = fread(pem, 1, sizeof pem, f);
        fclose(f);
        CHECK(crypto_key_private_from_pem(str_of(pem, n), &d->key) == ERR_OK);
}

static void set(struct driver *d, struct str rest)
{
        struct str name = word(&rest);
        const struct setting *setting = setting_find(name);
        CHECK(setting && setting_check(setting, rest) == ERR_OK && d->text_count < SETTINGS);
        char *text = d->texts[d->text_count++];
        memcpy(text, rest.p, rest.n);
        setting_values_put(&d->values, str_of_c(setting->name), str_of(text, rest.n));
}

/* As lipap does while a message comes in. */
static void judge(struct driver *d, const struct spf_input *in, struct str message)
{
        arena_init(&d->arena, d->memory, sizeof d->memory);
        dns_known_init(&d->known, &d->arena, EVALUATE_QUESTIONS_MAX);
        evaluate_init(&d->verdicts, in, &d->header, &d->known);
        while (evaluate_ask(&d->verdicts) == ERR_AGAIN)
                CHECK(fake_dns_round(&d->dns, &d->known, false) > 0);
        evaluate_body(&d->verdicts, str_skip(message, d->header.body_at));
        evaluate_body_end(&d->verdicts);
        while (evaluate_finish(&d->verdicts, &d->keys) == ERR_AGAIN)
                CHECK(fake_dns_round(&d->dns, &d->known, false) > 0);
}

/* As nec does. */
static struct str sign(struct driver *d, struct str message)
{
        struct dkim_sign_params p = {.domain = str_of_c(d->domain),
                .selector = str_of_c(d->selector),
                .header_canon = CANON_RELAXED,
                .body_canon = CANON_RELAXED,
                .cover = dkim_cover_default,
                .cover_count = dkim_cover_default_count,
                .time_s = d->now_s};
        struct body_hash body;
        uint8_t digest[SHA256_SIZE];
        struct wr w;
        CHECK(mail_header_index(message, d->fields, MAIL_FIELDS_MAX, &d->header) == ERR_OK);
        body_hash_init(&body);
        size_t slot = body_hash_want(&body, CANON_RELAXED, BODY_HASH_ALL);
        body_hash_write(&body, str_skip(message, d->header.body_at));
        body_hash_end(&body);
        CHECK(body_hash_result(&body, slot, digest) == ERR_OK);
        wr_init(&w, d->signature, sizeof d->signature);
        CHECK(dkim_sign(&p, &d->header, digest, d->key, &w) == ERR_OK);
        return wr_text(&w);
}

/* Empty, or why the list does not take it. */
static struct str refusal(struct driver *d, const struct spf_input *in, struct str message)
{
        struct mail_mailbox authors[8];
        size_t n = 0;
        if (mail_header_index(message, d->fields, MAIL_FIELDS_MAX, &d->header) != ERR_OK ||
                d->header.strays > 0 || d->header.bad_bytes > 0)
                return S("header");
        if (mail_header_count(&d->header, S("From")) != 1 ||
                mail_addresses_parse(mail_header_first(&d->header, S("From"))->body, authors, 8, &n) !=
                        ERR_OK ||
                n == 0)
                return S("From");
        judge(d, in, message);
        return posting_proof(&d->verdicts) == POSTING_PROVEN ? S("") : S("unproven");
}

static struct str front_of(const struct driver *d)
{
        return mail_header_count(&d->header, S("Message-ID")) > 0
                       ? S(RECEIVED)
                       : S(RECEIVED "Message-ID: <added@mailingl.st>\r\n");
}

static void post(struct driver *d, const struct spf_input *in, struct str message)
{
        struct rewrite_list list = {S("ptt"), str_of_c(d->domain), &d->values};
        struct wr w;
        struct str reason = refusal(d, in, message), front = front_of(d);
        if (reason.n > 0) {
                printf("refused %.*s\n", STR_ARG(reason));
                return;
        }
        struct rewrite_post post = {.verdicts = &d->verdicts,
                .keys = &d->keys,
                .header = &d->header,
                .front = front,
                .authserv_id = str_of_c(d->domain),
                .is_8bit = true,
                .until_s = d->now_s + 86400};
        for (size_t i = 0; i < REWRITE_RANDOM; i++)
                post.random[i] = (uint8_t)(message.n >> (i % 4) | i);
        CHECK(rewrite_make(&d->rewrite, &list, &post) == ERR_OK);
        wr_init(&w, d->out, sizeof d->out);
        wr_str(&w, front);
        wr_str(&w, d->rewrite.head);
        wr_str(&w, str_skip(message, d->header.body_at));
        wr_str(&w, d->rewrite.tail);
        CHECK(!w.full);
        evaluate_drop(&d->verdicts);
        struct str signature = sign(d, wr_text(&w));
        printf("%zu %.*s\n", signature.n + w.n, STR_ARG(rewrite_from_text(d->rewrite.from)));
        fwrite(signature.p, 1, signature.n, stdout);
        fwrite(w.p, 1, w.n, stdout);
}

static void read_post(struct driver *d, struct str rest)
{
        struct spf_input in = {.helo = S("author.helo"), .now_s = d->now_s};
        uint64_t size;
        CHECK(ip_parse(word(&rest), &in.ip) == ERR_OK);
        in.sender = word(&rest);
        CHECK(str_to_u64(rest, POST_MAX, &size) == ERR_OK);
        CHECK(fread(d->in, 1, size, stdin) == size);
        post(d, &in, str_of(d->in, size));
        fflush(stdout);
}

static void command(struct driver *d, struct str rest)
{
        struct str verb = word(&rest);
        uint64_t now;
        if (str_eq(verb, S("record"))) {
                fake_dns_add(&d->dns, rest);
        } else if (str_eq(verb, S("key"))) {
                load_key(d, rest);
        } else if (str_eq(verb, S("now"))) {
                CHECK(str_to_u64(rest, UINT32_MAX, &now) == ERR_OK);
                d->now_s = (int64_t)now;
        } else if (str_eq(verb, S("standard"))) {
                setting_values_init(&d->values);
                d->text_count = 0;
        } else if (str_eq(verb, S("set"))) {
                set(d, rest);
        } else {
                CHECK(str_eq(verb, S("post")));
                read_post(d, rest);
        }
}

int main(void)
{
        struct driver *d = calloc(1, sizeof *d);
        char line[LINE_SIZE];
        CHECK(d);
        dkim_keys_init(&d->keys);
        setting_values_init(&d->values);
        while (fgets(line, sizeof line, stdin)) {
                struct str text = str_of_c(line);
                if (text.n > 0 && text.p[text.n - 1] == '\n')
                        text.n--;
                command(d, text);
        }
        dkim_keys_drop(&d->keys);
        crypto_key_free(d->key);
        free(d);
        return 0;
}
