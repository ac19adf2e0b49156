/* SPDX-License-Identifier: ISC */
/* Mail to the return path of a member, whose token proved that we once sent it mail there. A delivery that failed for good
 * is recorded with that member, and judged (bounce_judge.h). Delays, answers of people and of their
 * vacation programs, and whatever cannot be read as a bounce, are taken and leave a line in the log. */
#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"
#include "host/log.h"
#include "mail/bounce.h"
#include "serve/bounce_judge.h"
#include "serve/inbound_target.h"
#include "store/delivery.h"

struct bounce_session {
        const struct inbound_envelope *envelope;
        size_t n;
        char text[BOUNCE_KEEP_MAX];
        struct bounce bounce;
        struct bounce_work work;
};

static struct smtp_reply begin(const struct inbound_envelope *envelope, void **state)
{
        struct bounce_session *b = malloc(sizeof *b);
        *state = b;
        if (!b)
                return smtp_reply_of(452, 3, 1, S("out of memory, try again later"));
        b->envelope = envelope;
        b->n = 0;
        return smtp_reply_plain(354, S("go ahead"));
}

static void body(void *state, struct str bytes)
{
        struct bounce_session *b = state;
        struct str part = str_take(bytes, sizeof b->text - b->n);
        memcpy(b->text + b->n, part.p, part.n);
        b->n += part.n;
}

/* The first recipient of that kind. */
static const struct bounce_recipient *find(const struct bounce *b, enum bounce_kind kind)
{
        for (size_t i = 0; i < b->count; i++)
                if (b->list[i].kind == kind)
                        return &b->list[i];
        return NULL;
}

/* "5.1.1 ..." or "550 5.1.1 ...": a status of its own stands at the head. */
static bool has_status(struct str said)
{
        size_t n = 0;
        while (n < said.n && ascii_is_digit(said.p[n]))
                n++;
        if (n == 3) {
                said = str_trim(str_skip(said, n));
                said = str_skip(said, said.n > 0 && said.p[0] == '-');
        }
        return said.n > 1 && ascii_is_digit(said.p[0]) && said.p[1] == '.';
}

/* On one line: the reason, behind its status where it does not begin with one itself. */
static void write_said(struct wr *w, const struct bounce_recipient *r)
{
        if (r->status.n > 0 && !has_status(r->said)) {
                wr_str(w, r->status);
                wr_byte(w, ' ');
        }
        for (size_t i = 0; i < r->said.n; i++) {
                bool is_break = (unsigned char)r->said.p[i] < 32;
                if (!is_break)
                        wr_byte(w, r->said.p[i]);
                else if (w->n > 0 && w->p[w->n - 1] != ' ')
                        wr_byte(w, ' ');
        }
}

static void log_bounce(const struct bounce_session *b, uint64_t size, const char *what, struct str said)
{
        const struct inbound_envelope *e = b->envelope;
        struct log_line l;
        log_begin(&l, e->node->host, LOG_INFO, "smtp", what);
        log_str(&l, "list", e->list.name);
        log_str(&l, "domain", e->list.domain);
        log_i64(&l, "member", e->member);
        log_u64(&l, "size", size);
        log_str(&l, "said", said);
        log_end(&l);
}

static struct smtp_reply record(struct bounce_session *b, struct str said)
{
        struct lipap *node = b->envelope->node;
        enum err e = bounce_judge_bounced(node, &(struct bounce_judge_bounce){.member = b->envelope->member,
                                                        .is_probe = b->envelope->is_probe,
                                                        .said = said,
                                                        .bytes = str_of(b->text, b->n)});
        return e == ERR_OK ? smtp_reply_of(250, 0, 0, S("bounce noted")) : inbound_store_trouble(node, e);
}

static struct smtp_reply judge(struct bounce_session *b, uint64_t size)
{
        const struct bounce_recipient *failed = find(&b->bounce, BOUNCE_PERMANENT);
        char text[STORE_REPLY_MAX];
        struct wr said;
        wr_init(&said, text, sizeof text);
        if (failed) {
                write_said(&said, failed);
                log_bounce(b, size, "bounce", wr_text(&said));
                return record(b, wr_text(&said));
        }
        failed = find(&b->bounce, BOUNCE_TEMPORARY);
        if (failed)
                write_said(&said, failed);
        log_bounce(b, size, failed ? "bounce-delay" : "bounce-unread", wr_text(&said));
        return smtp_reply_of(250, 0, 0, failed ? S("delay noted") : S("no failure found in it"));
}

static struct smtp_reply end(void *state, uint64_t size, bool has_8bit)
{
        struct bounce_session *b = state;
        (void)has_8bit;
        bounce_read(str_of(b->text, b->n), &b->work, &b->bounce);
        struct smtp_reply reply = judge(b, size);
        free(b);
        return reply;
}

static void drop(void *state)
{
        free(state);
}

const struct inbound_target bounce_in = {.begin = begin, .body = body, .end = end, .drop = drop};
