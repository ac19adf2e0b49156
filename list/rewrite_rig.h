/* SPDX-License-Identifier: ISC */
/* For tests: posts to ptt@mailingl.st as they go out. */
#ifndef LIST_REWRITE_RIG_H
#define LIST_REWRITE_RIG_H

#include <stdio.h>

#include "auth/proof_bench.h"
#include "list/rewrite.h"

#define LIST_FIELDS                                                                                          \
        "List-Id: <ptt.mailingl.st>\r\nList-Post: <mailto:ptt@mailingl.st>\r\n"                              \
        "List-Help: <mailto:ptt-help@mailingl.st>\r\nList-Subscribe: <mailto:ptt-subscribe@mailingl.st>\r\n" \
        "List-Unsubscribe: <mailto:ptt-unsubscribe@mailingl.st>\r\nList-Owner: "                             \
        "<mailto:ptt-owner@mailingl.st>"                                                                     \
        "\r\n"
#define PRECEDENCE "Precedence: list\r\n"
#define SENDER "Sender: ptt@mailingl.st\r\n"
#define FRONT                                                                                             \
        "Received: from a by b; Sun, 22 Nov 2026 12:00:00 +0000\r\nAuthentication-Results: mailingl.st; " \
        "none\r\n"
#define REJECT "_dmarc.author.test\tTXT\tv=DMARC1; p=reject"
#define QUARANTINE "_dmarc.author.test\tTXT\tv=DMARC1; p=quarantine"
#define MONITOR "_dmarc.author.test\tTXT\tv=DMARC1; p=none"
#define NO_POLICY "else.test\tTXT\tx"
#define SPF "author.test\tTXT\tv=spf1 ip4:" PROOF_BENCH_IP " -all"

#define MESSAGE                                                                                           \
        "From: Joe <joe@author.test>\r\nTo: ptt@mailingl.st\r\nSubject:  hi\r\n there\r\nX-Odd : yes\r\n" \
        "MIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\nHello\r\n"

static struct rewrite rewrite;
static struct setting_values values;
static const struct rewrite_list list = {{"ptt", 3}, {"mailingl.st", 11}, &values};

/* "NAME VALUE", by LF; NULL is nothing. */
static inline void set(const char *chosen)
{
        struct str rest = str_of_c(chosen ? chosen : ""), line, name, value;
        setting_values_init(&values);
        while (rest.n > 0) {
                str_cut(rest, '\n', &line, &rest);
                str_cut(line, ' ', &name, &value);
                assert_non_null(setting_find(name));
                assert_int_equal(setting_check(setting_find(name), value), ERR_OK);
                setting_values_put(&values, name, value);
        }
}

static const struct rewrite_list owner = {{"ptt-owner", 9}, {"mailingl.st", 11}, &values};

static inline enum err make_for(
        struct proof_bench *b, const struct rewrite_list *to, bool is_ours, int64_t until_s)
{
        struct rewrite_post post = {.verdicts = &b->evaluate,
                .keys = &b->keys,
                .header = &b->header,
                .front = S(FRONT),
                .authserv_id = S("mailingl.st"),
                .is_ours = is_ours,
                .is_forward = to == &owner,
                .until_s = until_s,
                .random = {1, 2, 3}};
        return rewrite_make(&rewrite, to, &post);
}

static inline enum err make(struct proof_bench *b, bool is_ours, int64_t until_s)
{
        return make_for(b, &list, is_ours, until_s);
}

/* The message as it came, unsigned, from a domain without a policy. */
static inline void make_plain(struct proof_bench *b, const char *chosen, const char *message)
{
        b->dns.count = 0;
        set(chosen);
        proof_bench_load(b, S(""), str_of_c(message));
        (void)proof_bench_judge(b, S("x@else.test"));
        assert_int_equal(make(b, false, PROOF_BENCH_NOW), ERR_OK);
}

static inline void expect(const char *name, struct str got, const char *want)
{
        if (!str_eq(got, str_of_c(want)))
                fail_msg("%s:\n%.*s\ninstead of\n%s", name, STR_ARG(got), want);
}

/* The fields of that name in what goes out, whole, by the order in which they stand. */
static inline struct str fields_of(struct str name)
{
        static char text[8192];
        struct mail_field field;
        struct wr w;
        size_t at = 0;
        wr_init(&w, text, sizeof text);
        while (mail_item_next(rewrite.head, &at, &field) == MAIL_ITEM_FIELD)
                if (str_eq_nocase(field.name, name))
                        wr_str(&w, field.raw);
        assert_int_equal(wr_end(&w), ERR_OK);
        return wr_text(&w);
}

/* `front`, and then as often `unit` as `most` octets hold. */
static inline void repeat(char *out, size_t cap, const char *front, const char *unit, size_t most)
{
        struct wr w;
        wr_init(&w, out, cap - 1);
        wr_str(&w, str_of_c(front));
        for (size_t n = strlen(unit); n <= most; n += strlen(unit))
                wr_str(&w, str_of_c(unit));
        assert_int_equal(wr_end(&w), ERR_OK);
        out[w.n] = '\0';
}

#endif
