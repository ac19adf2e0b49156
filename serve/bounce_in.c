/* SPDX-License-Identifier: ISC */
/* Mail to the return path of a member, whose token proved that we once sent it mail there. What the bounce says is
 * recorded with that member; who judges members by such records is not here. */
#include <stdlib.h>
#include <string.h>

#include "host/log.h"
#include "serve/inbound_target.h"
#include "store/delivery.h"

struct bounce {
        const struct inbound_envelope *envelope;
        size_t n;
        char text[BOUNCE_KEEP_MAX];
};

static struct smtp_reply begin(const struct inbound_envelope *envelope, void **state)
{
        struct bounce *b = calloc(1, sizeof *b);
        *state = b;
        if (!b)
                return smtp_reply_of(452, 3, 1, S("out of memory, try again later"));
        b->envelope = envelope;
        return smtp_reply_plain(354, S("go ahead"));
}

static void body(void *state, struct str bytes)
{
        struct bounce *b = state;
        struct str part = str_take(bytes, sizeof b->text - b->n);
        memcpy(b->text + b->n, part.p, part.n);
        b->n += part.n;
}

/* The value of the first line that begins with `name`, such as a Diagnostic-Code of RFC 3464; empty without one. */
static struct str line_value(struct str text, struct str name)
{
        while (text.n > 0) {
                size_t end = str_find_byte(text, '\n');
                struct str line = str_take(text, end);
                if (str_has_prefix_nocase(line, name))
                        return str_trim(str_skip(line, name.n));
                text = str_skip(text, end + 1);
        }
        return (struct str){NULL, 0};
}

static struct smtp_reply end(void *state, uint64_t size, bool has_8bit)
{
        struct bounce *b = state;
        const struct inbound_envelope *e = b->envelope;
        struct str text = str_of(b->text, b->n), said = line_value(text, S("Diagnostic-Code:"));
        struct smtp_reply reply = smtp_reply_of(250, 0, 0, S("bounce noted"));
        struct log_line l;
        (void)has_8bit;
        if (said.n == 0)
                said = line_value(text, S("Status:"));
        if (said.n == 0)
                said = line_value(text, S("Subject:"));
        enum err err = store_failure_add(e->node->store, e->member, host_wall_ms(e->node->host), said);
        if (err != ERR_OK && err != ERR_NOT_FOUND)
                reply = inbound_store_trouble(e->node, err);
        log_begin(&l, e->node->host, LOG_INFO, "smtp", "bounce");
        log_str(&l, "list", e->list.name);
        log_str(&l, "domain", e->list.domain);
        log_i64(&l, "member", e->member);
        log_u64(&l, "size", size);
        log_str(&l, "said", said);
        log_end(&l);
        free(b);
        return reply;
}

static void drop(void *state)
{
        free(state);
}

const struct inbound_target bounce_in = {.begin = begin, .body = body, .end = end, .drop = drop};
