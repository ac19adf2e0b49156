/* SPDX-License-Identifier: ISC */
/* DMARC over a whole evaluation. Of the input's lines the first is the From field, the second and third are domains of
 * DKIM and SPF, and each further one is a text that stands at one of the names asked for, in turn; an empty line is a
 * name without records, "!" one without an answer. The evaluation ends, within its questions. */
#include <stdint.h>
#include <stdlib.h>

#include "auth/dmarc_check.h"
#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void give(struct dns_known *known, struct dns_fact *fact, struct str *texts)
{
        struct dns_value value = {.wire = S("")};
        struct dns_answer answer = {.type = fact->type, .name = fact->name, .values = &value};
        struct str line;
        str_cut(*texts, '\n', &line, texts);
        value.text = line;
        answer.count = line.n > 0;
        answer.status = line.n > 0 ? DNS_FOUND : DNS_NO_NAME;
        dns_known_give(known, fact, str_eq(line, S("!")) ? ERR_TIMEOUT : ERR_OK, &answer);
}

static void check_verdict(const struct dmarc_verdict *v)
{
        char reason[DMARC_REASON_MAX];
        struct wr w;
        wr_init(&w, reason, sizeof reason);
        dmarc_reason_write(&w, v);
        CHECK(!w.full);
        CHECK(v->result == dmarc_fault_result(v->fault));
        CHECK((v->result == DMARC_PASS) == (v->spf_aligned || v->dkim_aligned));
        CHECK(v->policy_domain.n > 0 || v->policy == DMARC_POLICY_NONE);
        CHECK(v->policy_domain.n == 0 || dns_name_is_under(&v->author, &v->policy_domain));
        CHECK(v->organization.n == 0 || dns_name_is_under(&v->author, &v->organization));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static char memory[1 << 20];
        struct str rest = str_of(data, size);
        struct mail_field field = {.name = S("From")};
        struct mail_header header = {.fields = &field, .n = 1};
        struct dmarc_identifier ids[] = {
                {DMARC_BY_DKIM, DMARC_ID_PASSED, S("")}, {DMARC_BY_SPF, DMARC_ID_TROUBLE, S("")}};
        struct dmarc_author author;
        struct dmarc_verdict v;
        struct dns_known known;
        struct arena arena;
        if (size > 8192) /* what the answers copy fits the arena */
                return 0;
        str_cut(rest, '\n', &field.body, &rest);
        str_cut(rest, '\n', &ids[0].domain, &rest);
        str_cut(rest, '\n', &ids[1].domain, &rest);
        dmarc_author_find(&header, &author);
        struct dmarc_input in = {&author, ids, 2};
        arena_init(&arena, memory, sizeof memory);
        dns_known_init(&known, &arena, DMARC_QUESTIONS_MAX);
        while (dmarc_check(&in, &known, &v) == ERR_AGAIN) {
                CHECK(known.wanted > 0);
                for (struct dns_fact *f = NULL; (f = dns_known_wanted(&known, f));)
                        give(&known, f, &rest);
        }
        check_verdict(&v);
        return 0;
}
