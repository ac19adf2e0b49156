/* SPDX-License-Identifier: ISC */
/* For tests: the TXT records of a few domains, served by fake_dns.h at once, late, or not at all. All other names are
 * there and have no records. */
#ifndef SERVE_FAKE_TEXTS_H
#define SERVE_FAKE_TEXTS_H

#include <stdlib.h>
#include <string.h>

#include "serve/fake_dns.h"

struct fake_text {
        const char *name, *text;
};

struct fake_texts {
        struct fake_dns dns;
        struct scope *scope;
        const struct fake_text *list; /* ends with a name of NULL */
        bool is_silent;
        int64_t delay_ms;
        size_t waiting, most_waiting; /* late answers on their way, and the most at one time */
};

static inline void fake_texts_give(struct fake_texts *t, const struct fake_query *q)
{
        const struct dns_question *asked = &q->summary.question;
        bool has_any = false;
        struct fake_message m;
        fake_begin(&m, q, DNS_RCODE_NOERROR, false);
        for (const struct fake_text *at = t->list; at->name && asked->type == DNS_TYPE_TXT; at++) {
                struct dns_name name;
                char wire[2048];
                struct wr w;
                CHECK(dns_name_parse(str_of_c(at->name), &name) == ERR_OK);
                if (!dns_name_eq(&name, &asked->name))
                        continue;
                wr_init(&w, wire, sizeof wire);
                dns_txt_write_wire(&w, str_of_c(at->text));
                CHECK(!w.full);
                fake_record(&m, DNS_ANSWER, &name, DNS_TYPE_TXT, 60, wr_text(&w));
                has_any = true;
        }
        if (!has_any) { /* RFC 2308 5: without it nothing is remembered */
                char wire[2 * DNS_NAME_MAX + 32];
                struct wr w;
                wr_init(&w, wire, sizeof wire);
                dns_soa_write_wire(&w, &(struct dns_soa){asked->name, asked->name, 1, 2, 3, 4, 60});
                fake_record(&m, DNS_AUTHORITY, &asked->name, DNS_TYPE_SOA, 60, wr_text(&w));
        }
        fake_reply(&t->dns, q, fake_end(&m));
}

struct fake_late {
        struct fake_texts *texts;
        struct fake_query query;
        char message[512];
};

static inline void fake_texts_late(void *arg)
{
        struct fake_late *late = arg;
        struct fake_texts *t = late->texts;
        if (++t->waiting > t->most_waiting)
                t->most_waiting = t->waiting;
        if (fiber_sleep(t->dns.h->sched, t->delay_ms) == ERR_OK)
                fake_texts_give(t, &late->query);
        t->waiting--;
        free(late);
}

static inline void fake_texts_answer(struct fake_dns *dns, const struct fake_query *q)
{
        struct fake_texts *t = dns->arg;
        if (t->is_silent)
                return;
        if (t->delay_ms == 0) {
                fake_texts_give(t, q);
                return;
        }
        struct fake_late *late = malloc(sizeof *late);
        CHECK(late && q->message.n <= sizeof late->message);
        *late = (struct fake_late){.texts = t, .query = *q};
        memcpy(late->message, q->message.p, q->message.n);
        late->query.message = str_of(late->message, q->message.n);
        CHECK(scope_spawn(t->scope, "late", fake_texts_late, late) == ERR_OK);
}

/* Serve in `scope`; over UDP alone. */
static inline void fake_texts_start(struct fake_texts *t, struct host *h, struct scope *scope)
{
        t->scope = scope;
        t->dns.h = h;
        t->dns.arg = t;
        t->dns.answer = fake_texts_answer;
        fake_start(&t->dns, scope, false);
}

#endif
