/* SPDX-License-Identifier: ISC */
#include "tests/sim/look.h"

bool look_renames(const struct look *look, const struct ledger *l, const struct ledger_try *is, bool *is_open)
{
        struct str domain = str_skip(is->from, str_find_last_byte(is->from, '@') + 1);
        bool is_signed_for = is->truth.dkim && str_eq_nocase(is->truth.signer, domain);
        bool is_broken = look->prefix.n > 0 || look->footer.n > 0; /* every signature of people covers both */
        *is_open = false;
        if (str_eq(look->from, S("keep")) || str_eq(look->from, S("rewrite")))
                return str_eq(look->from, S("rewrite"));
        *is_open = is->is_misled || ledger_dns_may_fail(l);
        return is->truth.is_told && is->truth.dmarc != LEDGER_DMARC_NONE && (!is_signed_for || is_broken);
}

size_t look_find(const struct look *look, struct str bytes, struct str letter)
{
        if (letter.n == 0 || bytes.n < letter.n)
                return bytes.n;
        if (look->footer.n == 0)
                return str_eq(str_skip(bytes, bytes.n - letter.n), letter) ? bytes.n - letter.n : bytes.n;
        size_t cut = str_find(letter, S("Content-Type: "));
        struct str head = str_take(letter, cut), said = str_skip(letter, cut);
        size_t at = str_find(bytes, head);
        struct str rest = str_skip(bytes, at + head.n);
        size_t part = str_find(rest, said);
        struct str behind = str_skip(rest, part + said.n);
        return part < rest.n && str_find(behind, look->footer) < behind.n ? at : bytes.n;
}

const char *look_judge_reply(const struct look *look, const struct ledger_try *is, struct str list,
        bool is_renamed, size_t count, struct str body)
{
        bool wants_list = str_eq(look->reply_to, S("list")) || str_eq(look->reply_to, S("both"));
        bool wants_author = str_eq(look->reply_to, S("both")) || (is_renamed && !wants_list);
        if (count != (wants_list || wants_author))
                return "not as many Reply-To as there must be";
        if (wants_list != (list.n > 0 && str_find(body, list) < body.n) ||
                wants_author != (str_find(body, is->from) < body.n))
                return "Reply-To has the wrong people";
        return NULL;
}
