/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "base/check.h"
#include "list/rewrite.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* All that a call needs, which is too large for a stack. */
struct work {
        struct mail_field in_fields[MAIL_FIELDS_MAX], out_fields[MAIL_FIELDS_MAX];
        struct mail_header in, out;
        struct evaluate verdicts;
        struct dkim_keys keys;
        struct dns_known known;
        struct arena arena;
        char memory[EVALUATION_MEMORY];
        struct rewrite rewrite;
};

/* No answers at all: the policy is unknown, so that From stays by proof or not. */
static void judge(struct work *w, struct str message)
{
        struct spf_input in = {.ip = {.family = 4}, .now_s = 1700000000};
        arena_init(&w->arena, w->memory, sizeof w->memory);
        dns_known_init(&w->known, &w->arena, EVALUATE_QUESTIONS_MAX);
        evaluate_init(&w->verdicts, &in, &w->in, &w->known);
        evaluate_body(&w->verdicts, str_skip(message, w->in.body_at));
        evaluate_body_end(&w->verdicts);
        while (evaluate_finish(&w->verdicts, &w->keys) == ERR_AGAIN)
                for (struct dns_fact *f = NULL; (f = dns_known_wanted(&w->known, f));)
                        dns_known_give(&w->known, f, ERR_TIMEOUT, NULL);
        evaluate_drop(&w->verdicts);
}

/* Fields that nobody may change: all that are neither the list's nor under a setting; of a forward, all but those that tell
 * of the author, and results. */
static bool is_sacred(struct str name, bool is_forward)
{
        static const char *const told[] = {"From", "Author", "Reply-To", "Authentication-Results"};
        static const char *const names[] = {"To", "Cc", "Date", "Message-ID", "DKIM-Signature", "Received",
                "ARC-Seal", "In-Reply-To", "MIME-Version"};
        for (size_t i = 0; is_forward && i < sizeof told / sizeof told[0]; i++)
                if (str_eq_nocase(name, str_of_c(told[i])))
                        return false;
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
                if (str_eq_nocase(name, str_of_c(names[i])))
                        return true;
        return is_forward;
}

/* The fields that are to stay do so, octet for octet and in their order. */
static void check_kept(const struct work *w, bool is_forward)
{
        size_t at = 0;
        for (size_t i = 0; i < w->in.n; i++) {
                const struct mail_field *f = &w->in.fields[i];
                if (!is_sacred(f->name, is_forward) || !str_has_suffix_nocase(f->raw, S("\r\n")))
                        continue;
                while (at < w->out.n && !str_eq(w->out.fields[at].raw, f->raw))
                        at++;
                CHECK(at < w->out.n);
                at++;
        }
}

/* Nothing of a list is added, and nothing around the body. */
static void check_forward(const struct work *w)
{
        const struct mail_header *out = &w->out;
        CHECK(mail_header_count(out, S("From")) == 1 && out->strays == 0 && out->has_end);
        CHECK(out->n <= w->in.n + 2 && w->rewrite.tail.n == 0);
        CHECK(!rewrite_is_done(w->rewrite.from) || mail_header_count(out, S("Author")) == 1);
}

/* Nothing that the message holds becomes a field, and each of ours is there once. */
static void check_counts(const struct work *w, bool is_wrapped)
{
        static const char *const once[] = {
                "List-Id", "List-Post", "List-Help", "List-Unsubscribe", "Precedence", "From"};
        const struct mail_header *out = &w->out;
        for (size_t i = 0; i < sizeof once / sizeof once[0]; i++)
                CHECK(mail_header_count(out, str_of_c(once[i])) == 1);
        CHECK(out->strays == 0 && out->has_end);
        CHECK(out->n <= w->in.n + 13);
        CHECK(!is_wrapped || mail_header_count(out, S("Content-Type")) == 1);
        CHECK(is_wrapped == (w->rewrite.tail.n > 0));
        CHECK(!rewrite_is_done(w->rewrite.from) ||
                (mail_header_count(out, S("Author")) == 1 && mail_header_count(out, S("Sender")) <= 1));
}

static void choose(struct setting_values *values, uint8_t bits)
{
        static const char *const froms[] = {"auto", "rewrite", "keep", "auto"};
        static const char *const replies[] = {"author", "list", "both", "author"};
        setting_values_init(values);
        setting_values_put(values, S("from"), str_of_c(froms[bits & 3]));
        setting_values_put(values, S("reply-to"), str_of_c(replies[bits >> 2 & 3]));
        if (bits & 16)
                setting_values_put(values, S("subject-prefix"), bits & 32 ? S("[\xc3\xa9]") : S("[ptt]"));
        if (bits & 64)
                setting_values_put(values, S("footer"), S("See you"));
        if (bits & 128)
                setting_values_put(values, S("posting"), S("announce"));
}

static void run(struct work *w, uint8_t bits, struct str message)
{
        struct setting_values values;
        bool is_forward = (bits & 15) == 15;
        const struct rewrite_list list = {is_forward ? S("ptt-owner") : S("ptt"), S("mailingl.st"), &values};
        if (mail_header_index(message, w->in_fields, MAIL_FIELDS_MAX - 50, &w->in) != ERR_OK ||
                w->in.strays > 0 || w->in.bad_bytes > 0)
                return;
        choose(&values, is_forward ? 0 : bits);
        judge(w, message);
        struct rewrite_post post = {.verdicts = &w->verdicts,
                .keys = &w->keys,
                .header = &w->in,
                .front = S("Received: from x\r\n"),
                .authserv_id = S("mailingl.st"),
                .is_forward = is_forward,
                .until_s = 1700000000};
        enum err e = rewrite_make(&w->rewrite, &list, &post);
        CHECK((e == ERR_SYNTAX) == (mail_header_count(&w->in, S("From")) != 1));
        if (e != ERR_OK) {
                CHECK(w->rewrite.head.n == 0 && w->rewrite.tail.n == 0);
                return;
        }
        CHECK(mail_header_index(w->rewrite.head, w->out_fields, MAIL_FIELDS_MAX, &w->out) == ERR_OK);
        if (is_forward)
                check_forward(w);
        else
                check_counts(w, bits & 64);
        check_kept(w, is_forward);
}

/* The first octet chooses settings, the rest is the message. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct work *w;
        if (size == 0 || !(w = malloc(sizeof *w)))
                return 0;
        dkim_keys_init(&w->keys);
        run(w, data[0], str_of(data + 1, size - 1));
        dkim_keys_drop(&w->keys);
        free(w);
        return 0;
}
