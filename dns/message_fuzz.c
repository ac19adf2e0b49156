/* SPDX-License-Identifier: ISC */
/* What dns_summary_read takes can be written and read again with the same meaning; an answer read from it is within its
 * bounds. */
#include "dns/message.h"

#include "base/check.h"
#include "dns/answer.h"
#include "dns/summary.h"
#include "dns/test_rewrite.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_answer(struct str message, const struct dns_question *question)
{
        static char memory[DNS_ANSWER_ROOM], copied[DNS_ANSWER_ROOM];
        struct arena arena;
        struct dns_answer answer, copy;
        if (question->name.n == 0)
                return;
        arena_init(&arena, memory, sizeof memory);
        enum err e = dns_answer_read(message, &question->name, question->type, &arena, &answer);
        CHECK(e != ERR_MEMORY);
        if (e != ERR_OK)
                return;
        CHECK((answer.status == DNS_FOUND) == (answer.count > 0));
        arena_init(&arena, copied, dns_answer_size(&answer));
        CHECK(dns_answer_copy(&answer, &arena, &copy) == ERR_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static char buffer[DNS_MESSAGE_MAX];
        struct str message = str_of(data, size), again;
        struct dns_summary summary;
        if (dns_summary_read(message, &summary) != ERR_OK)
                return 0;
        if (test_rewrite(message, buffer, sizeof buffer, &again) == ERR_OK)
                CHECK(test_message_eq(message, again));
        read_answer(message, &summary.question);
        return 0;
}
