/* SPDX-License-Identifier: ISC */
/* A record or a policy of a hostile domain. What is accepted is within its limits, is read back from what is kept of it, and
 * lists the hosts that it names. */
#include "auth/sts.h"
#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_hosts(const struct sts_policy *p)
{
        for (size_t i = 0; i < p->mx_count; i++) {
                char text[300];
                struct wr w;
                bool is_wild = str_has_prefix(p->mx[i], S("*."));
                wr_init(&w, text, sizeof text);
                wr_str(&w, is_wild ? S("x") : S(""));
                wr_str(&w, is_wild ? str_skip(p->mx[i], 1) : p->mx[i]);
                CHECK(wr_end(&w) == ERR_OK && sts_policy_lists(p, wr_text(&w)));
        }
}

static void check_policy(const struct sts_policy *p)
{
        char text[STS_KEPT_MAX];
        struct sts_policy again;
        struct wr w;
        CHECK(p->max_age_s >= 0 && p->max_age_s <= STS_MAX_AGE_S && p->mx_count <= STS_MX_MAX);
        wr_init(&w, text, sizeof text);
        sts_policy_write(&w, p);
        CHECK(wr_end(&w) == ERR_OK && sts_policy_parse(wr_text(&w), &again) == ERR_OK);
        CHECK(again.mode == p->mode && again.max_age_s == p->max_age_s && again.mx_count == p->mx_count);
        for (size_t i = 0; i < p->mx_count; i++)
                CHECK(str_eq(again.mx[i], p->mx[i]));
        check_hosts(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct str text = str_of(data, size), id;
        struct sts_policy policy;
        if (sts_record_find(&text, 1, &id) == ERR_OK)
                CHECK(id.n > 0 && id.n <= STS_ID_MAX);
        if (sts_policy_parse(text, &policy) == ERR_OK)
                check_policy(&policy);
        else
                CHECK(policy.mx_count == 0 && policy.mode == STS_NONE);
        return 0;
}
