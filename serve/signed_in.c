/* SPDX-License-Identifier: ISC */
/* nec's copy of a message comes back. It must be what was handed over, byte for byte, with nothing but Received,
 * DKIM-Signature and ARC fields in front; only that prefix is kept. The copy streams by and is compared with the spool.
 *
 * Where the prefix ends is known by our own fields (`front`), which begin the message that was handed over and hold an
 * id that no one else can have chosen. Until they are found the bytes wait in `head`. */
#include <stdlib.h>
#include <string.h>

#include "host/log.h"
#include "mail/header.h"
#include "serve/inbound_target.h"
#include "store/messages.h"

#define COMPARE_CHUNK (16 * 1024)

struct copy {
        const struct inbound_envelope *envelope;
        struct store_message message;
        struct str ticket;
        struct store_reader *reader; /* of what was handed over */
        bool is_signed_before;       /* the copy is dropped, and taken as received */
        bool is_prefix_known, is_different;
        enum err trouble;
        size_t prefix_n;
        uint64_t compared; /* bytes of what was handed over */
        size_t head_n;
        char head[LIPAP_PREFIX_MAX + LIPAP_FRONT_MAX];
        char front[LIPAP_FRONT_MAX];
        char chunk[COMPARE_CHUNK];
};

static void release(struct copy *c)
{
        store_reader_close(c->reader);
        free(c);
}

static enum err open_copy(struct copy *c)
{
        struct store *store = c->envelope->node->store;
        size_t got;
        enum err e = store_ticket_find(store, c->envelope->ticket, c->envelope->arena, &c->message);
        if (e != ERR_OK)
                return e;
        c->is_signed_before = c->message.state != STORE_OPEN;
        if (c->is_signed_before)
                return ERR_OK;
        if (c->message.front_size == 0 || c->message.front_size > sizeof c->front)
                return ERR_CORRUPT;
        e = store_reader_open(store, c->message.id, STORE_SENT, &c->reader);
        if (e != ERR_OK)
                return e;
        return store_reader_read(c->reader, 0, c->front, (size_t)c->message.front_size, &got);
}

static struct smtp_reply begin(const struct inbound_envelope *envelope, void **state)
{
        struct copy *c = calloc(1, sizeof *c);
        *state = NULL;
        if (!c)
                return smtp_reply_of(452, 3, 1, S("out of memory, try again later"));
        c->envelope = envelope;
        enum err e = open_copy(c);
        if (e != ERR_OK) {
                release(c);
                return e == ERR_NOT_FOUND ? smtp_reply_of(550, 1, 1, S("no such ticket"))
                                          : inbound_store_trouble(envelope->node, e);
        }
        *state = c;
        return smtp_reply_plain(354, S("go ahead"));
}

/* Bytes behind the prefix, against what the spool has. */
static void compare(struct copy *c, struct str bytes)
{
        while (bytes.n > 0 && !c->is_different && c->trouble == ERR_OK) {
                size_t want = bytes.n < sizeof c->chunk ? bytes.n : sizeof c->chunk, got;
                c->trouble = store_reader_read(c->reader, c->compared, c->chunk, want, &got);
                if (c->trouble != ERR_OK)
                        return;
                c->is_different = got < want || memcmp(c->chunk, bytes.p, got) != 0;
                c->compared += got;
                bytes = str_skip(bytes, got);
        }
}

static bool is_signer_field(struct str name)
{
        static const struct str names[] = {
                {"Received", 8},
                {"DKIM-Signature", 14},
                {"ARC-Seal", 8},
                {"ARC-Message-Signature", 21},
                {"ARC-Authentication-Results", 26},
        };
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
                if (str_eq_nocase(name, names[i]))
                        return true;
        return false;
}

/* Walk over the fields in `head` until our own begin: true when the walk came to an end, good or bad. At the end of
 * `head` (`is_all`: of the message) nothing more is awaited. */
static bool find_prefix(struct copy *c, bool is_all)
{
        struct str head = str_of(c->head, c->head_n), front = str_of(c->front, (size_t)c->message.front_size);
        bool has_signature = false;
        size_t at = 0;
        while (!str_has_prefix(str_skip(head, at), front)) {
                struct mail_field field;
                size_t next = at;
                bool is_cut = head.n - at < front.n && !is_all && c->head_n < sizeof c->head;
                enum mail_item item = mail_item_next(head, &next, &field);
                if (is_cut)
                        return false; /* our fields may begin here, wait for more */
                if (item != MAIL_ITEM_FIELD || !is_signer_field(field.name) || next > LIPAP_PREFIX_MAX) {
                        c->is_different = true;
                        return true;
                }
                has_signature = has_signature || str_eq_nocase(field.name, S("DKIM-Signature"));
                at = next;
        }
        c->is_different = !has_signature;
        c->is_prefix_known = true;
        c->prefix_n = at;
        compare(c, str_skip(head, at));
        return true;
}

static void body(void *state, struct str bytes)
{
        struct copy *c = state;
        if (c->is_signed_before || c->is_different || c->trouble != ERR_OK)
                return;
        if (!c->is_prefix_known) {
                struct str part = str_take(bytes, sizeof c->head - c->head_n);
                memcpy(c->head + c->head_n, part.p, part.n);
                c->head_n += part.n;
                bytes = str_skip(bytes, part.n);
                if (!find_prefix(c, false))
                        return;
        }
        compare(c, bytes);
}

static struct smtp_reply keep(struct copy *c)
{
        struct lipap *node = c->envelope->node;
        enum err e = store_ticket_sign(node->store, c->message.id, str_of(c->head, c->prefix_n));
        if (e == ERR_EXISTS)
                c->is_signed_before = true;
        else if (e != ERR_OK)
                return inbound_store_trouble(node, e);
        bell_ring(&node->delivery_bell);
        return smtp_reply_of(250, 0, 0, S("signed copy kept"));
}

static struct smtp_reply judge(struct copy *c)
{
        if (c->is_signed_before)
                return smtp_reply_of(250, 0, 0, S("this copy came before, dropped"));
        if (!c->is_prefix_known && !c->is_different && c->trouble == ERR_OK)
                (void)find_prefix(c, true);
        if (c->trouble != ERR_OK)
                return inbound_store_trouble(c->envelope->node, c->trouble);
        if (c->is_different || c->compared != store_reader_size(c->reader))
                return smtp_reply_of(
                        554, 6, 0, S("not the message that was handed over, with signatures in front"));
        return keep(c);
}

static struct smtp_reply end(void *state, uint64_t size, bool has_8bit)
{
        struct copy *c = state;
        struct log_line l;
        struct smtp_reply reply = judge(c);
        (void)has_8bit;
        log_begin(&l, c->envelope->node->host, smtp_reply_is_positive(&reply) ? LOG_INFO : LOG_ERROR, "smtp",
                !smtp_reply_is_positive(&reply) ? "signed-copy-refused"
                : c->is_signed_before           ? "signed-copy-dropped"
                                                : "signed-copy-kept");
        log_i64(&l, "message", c->message.id);
        log_ip_port(&l, "peer", &c->envelope->peer);
        log_u64(&l, "size", size);
        log_u64(&l, "prefix", c->prefix_n);
        if (!smtp_reply_is_positive(&reply))
                log_str(&l, "text", reply.text);
        log_end(&l);
        release(c);
        return reply;
}

static void drop(void *state)
{
        release(state);
}

const struct inbound_target signed_in = {.begin = begin, .body = body, .end = end, .drop = drop};
