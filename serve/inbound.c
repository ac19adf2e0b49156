/* SPDX-License-Identifier: ISC */
#include "serve/inbound.h"

#include <stdlib.h>
#include <string.h>

#include "base/quantity.h"
#include "host/log.h"
#include "list/admin.h"
#include "list/route.h"
#include "serve/inbound_target.h"
#include "serve/proxied.h"
#include "serve/smtpd.h"
#include "store/messages.h"

#define TRANSACTION_ARENA (64 * 1024)

/* Of a transaction. */
struct inbound_memory {
        struct inbound_memory *next; /* while no transaction has it */
        char bytes[TRANSACTION_ARENA];
};

struct session {
        struct lipap *node;
        struct peer peer;
        size_t of_address;                   /* sessions of this address, when this one began */
        struct inbound_envelope envelope;    /* what outlives a transaction in it: node, peer, helo */
        const struct inbound_target *target; /* NULL: no recipient yet */
        void *state;                         /* of the target, while a message comes */
        struct arena arena;
        struct inbound_memory *memory; /* of `arena`; NULL without a transaction */
        char helo[SMTP_DOMAIN_MAX];
};

struct smtp_reply inbound_store_trouble(struct lipap *node, enum err e)
{
        struct log_line l;
        log_begin(&l, node->host, e == ERR_FULL ? LOG_WARN : LOG_ERROR, "store", "refused");
        log_err(&l, e);
        log_end(&l);
        if (e == ERR_FULL)
                return smtp_reply_of(452, 3, 1, S("no space left for mail, try again later"));
        if (e == ERR_IO || e == ERR_CLOSED)
                return smtp_reply_of(421, 3, 0, S("our storage failed, try again later"));
        return smtp_reply_of(451, 3, 0, S("our storage has trouble, try again later"));
}

uint64_t inbound_post_max(const struct store_list *list)
{
        uint64_t size;
        struct str value = store_list_setting(list, S("max-message"), S(""));
        return quantity_size_parse(value, &size) == ERR_OK ? size : UINT64_MAX;
}

static struct smtp_reply temporary_memory(void)
{
        return smtp_reply_of(452, 3, 1, S("out of memory, try again later"));
}

/* ---- session ---- */

/* The last sessions are kept for signers, or lipap would wait for nec while nec waits for lipap. Whoever comes by a proxy has
 * passed the gate as that. */
static struct smtp_reply on_connect(void *ctx)
{
        struct session *s = ctx;
        struct lipap *node = s->node;
        bool is_crowded = node->gate.open > node->gate.most - node->gate.reserved;
        if (store_is_broken(node->store))
                return smtp_reply_of(421, 3, 0, S("our storage failed, try again later"));
        if (is_crowded && !lipap_is_signer(node, &s->envelope.peer.ip))
                return smtp_reply_of(421, 3, 2, S("too many connections, try again later"));
        if (node->address_sessions_max > 0 && s->of_address > node->address_sessions_max &&
                !lipap_is_signer(node, &s->envelope.peer.ip))
                return smtp_reply_of(421, 7, 0, S("too many connections from your address, try again later"));
        return smtp_reply_plain(220, S("ESMTP ptt"));
}

static struct smtp_reply on_hello(void *ctx, bool is_extended, struct str name)
{
        struct session *s = ctx;
        struct wr w;
        wr_init(&w, s->helo, sizeof s->helo);
        wr_str(&w, str_take(name, sizeof s->helo));
        s->envelope.helo = wr_text(&w);
        s->envelope.is_extended = is_extended;
        return smtp_reply_plain(250, S("welcome"));
}

static void take_memory(struct session *s)
{
        struct inbound_memory *m = s->node->spare_memory;
        if (m) {
                s->node->spare_memory = m->next;
                s->node->spare_memory_count--;
        } else {
                m = malloc(sizeof *m);
        }
        s->memory = m;
        arena_init(&s->arena, m ? m->bytes : NULL, m ? sizeof m->bytes : 0);
}

/* As many are used again as there are posts that are. */
static void give_memory(struct session *s)
{
        struct inbound_memory *m = s->memory;
        s->memory = NULL;
        arena_init(&s->arena, NULL, 0);
        if (!m || s->node->spare_memory_count == LIPAP_SPARE_POSTS_MAX) {
                free(m);
                return;
        }
        m->next = s->node->spare_memory;
        s->node->spare_memory = m;
        s->node->spare_memory_count++;
}

static void end_transaction(struct session *s)
{
        struct inbound_envelope kept = {.node = s->node,
                .peer = s->envelope.peer,
                .helo = s->envelope.helo,
                .is_extended = s->envelope.is_extended,
                .is_secured = s->envelope.is_secured,
                .arena = &s->arena};
        if (s->state)
                s->target->drop(s->state);
        s->state = NULL;
        s->target = NULL;
        s->envelope = kept;
        give_memory(s);
}

static struct smtp_reply on_mail(void *ctx, const struct smtp_mail *mail)
{
        struct session *s = ctx;
        struct inbound_envelope *e = &s->envelope;
        give_memory(s);
        take_memory(s);
        e->has_size = mail->params.has_size;
        e->size = mail->params.size;
        e->is_8bit = mail->params.body == SMTP_BODY_8BITMIME;
        e->is_smtputf8 = mail->params.smtputf8;
        if (arena_copy(&s->arena, mail->from.mailbox, &e->sender) != ERR_OK)
                return temporary_memory();
        return smtp_reply_of(250, 1, 0, S("sender noted"));
}

static void on_reset(void *ctx, enum smtp_server_reset why)
{
        (void)why;
        end_transaction(ctx);
}

/* ---- recipients ---- */

static struct smtp_reply unknown_user(void)
{
        return smtp_reply_of(550, 1, 1, S("no such list or address here"));
}

static struct smtp_reply accept_signed(struct session *s, struct str ticket)
{
        struct store_message message;
        if (!lipap_is_signer(s->node, &s->envelope.peer.ip))
                return unknown_user();
        enum err e = store_ticket_find(s->node->store, ticket, &s->arena, &message);
        if (e == ERR_NOT_FOUND)
                return smtp_reply_of(550, 1, 1, S("no such ticket"));
        if (e != ERR_OK)
                return inbound_store_trouble(s->node, e);
        if (arena_copy(&s->arena, ticket, &s->envelope.ticket) != ERR_OK)
                return temporary_memory();
        s->target = &signed_in;
        return smtp_reply_of(250, 1, 5, S("ticket known"));
}

/* True when the token of the route was made by us, for this list and this purpose; whether it is still good for
 * something is a matter of the row that it names. */
static bool is_token_ours(struct inbound_envelope *e, struct str token, enum token_purpose purpose)
{
        char name[SMTP_LOCAL_PART_MAX + SMTP_DOMAIN_MAX + 2];
        struct wr w;
        wr_init(&w, name, sizeof name);
        wr_str(&w, e->list.name);
        wr_byte(&w, '@');
        wr_str(&w, e->list.domain);
        return wr_end(&w) == ERR_OK && token_parse(token, e->domain->keys, e->domain->key_count, purpose,
                                               wr_text(&w), &e->token) == ERR_OK;
}

static struct smtp_reply accept_return(struct session *s, const struct route *route)
{
        s->envelope.is_probe = is_token_ours(&s->envelope, route->token, TOKEN_PROBE);
        if (!s->envelope.is_probe && !is_token_ours(&s->envelope, route->token, TOKEN_RETURN))
                return unknown_user();
        s->envelope.member = s->envelope.token.id;
        s->target = &bounce_in;
        return smtp_reply_of(250, 1, 5, S("return path known"));
}

/* postmaster, abuse, the admin's address: to the admin, or to all moderators of the domain. */
static struct smtp_reply accept_forward(struct session *s)
{
        struct inbound_envelope *e = &s->envelope;
        struct str *moderators;
        if (s->node->admin.n > 0) {
                e->forward = &s->node->admin;
                e->forward_count = 1;
        } else {
                enum err err = store_domain_moderators(
                        s->node->store, e->domain->name, &s->arena, &moderators, &e->forward_count);
                if (err != ERR_OK)
                        return inbound_store_trouble(s->node, err);
                e->forward = moderators;
        }
        if (e->forward_count == 0)
                return smtp_reply_of(451, 3, 0, S("nobody looks after this domain yet, try again later"));
        s->target = &post_in;
        return smtp_reply_of(250, 1, 5, S("goes to those who look after this server"));
}

/* Who may post is judged at the final dot, by the author: the envelope's sender proves nothing. */
static struct smtp_reply accept_post(struct session *s)
{
        struct inbound_envelope *e = &s->envelope;
        if (e->sender.n == 0) /* a bounce or an automatic reply: lists would answer each other */
                return smtp_reply_of(550, 7, 1, S("a list takes no mail from the null sender"));
        if (e->has_size && e->size > inbound_post_max(&e->list))
                return smtp_reply_of(552, 3, 4, S("larger than this list takes (max-message)"));
        s->target = &post_in;
        return smtp_reply_of(250, 1, 5, S("the list takes it"));
}

/* What no person wrote is neither obeyed nor answered (RFC 3834 2): bounces and automatic replies have no sender. */
static struct smtp_reply refuse_automatic(void)
{
        return smtp_reply_of(550, 7, 1, S("automatic mail is not obeyed"));
}

/* NAME-owner. */
static struct smtp_reply accept_owner(struct session *s)
{
        struct inbound_envelope *e = &s->envelope;
        struct str *moderators;
        if (e->sender.n == 0)
                return refuse_automatic();
        enum err err =
                store_moderators(s->node->store, e->list.id, &s->arena, &moderators, &e->forward_count);
        if (err != ERR_OK)
                return inbound_store_trouble(s->node, err);
        if (e->forward_count == 0)
                return smtp_reply_of(451, 3, 0, S("nobody looks after this list yet, try again later"));
        e->forward = moderators;
        s->target = &post_in;
        return smtp_reply_of(250, 1, 5, S("goes to the moderators"));
}

static struct smtp_reply accept_command(struct session *s, const struct route *route)
{
        struct inbound_envelope *e = &s->envelope;
        enum token_purpose purpose = route->kind == ROUTE_CONFIRM ? TOKEN_CONFIRM : TOKEN_DECIDE;
        bool has_token =
                route->kind == ROUTE_CONFIRM || route->kind == ROUTE_ACCEPT || route->kind == ROUTE_REJECT;
        if (e->sender.n == 0)
                return refuse_automatic();
        if (has_token && !is_token_ours(e, route->token, purpose))
                return smtp_reply_of(550, 1, 1, S("this list has never sent such a link"));
        if (arena_copy(&s->arena, route->token, &e->object) != ERR_OK)
                return temporary_memory();
        s->target = &command_in;
        return smtp_reply_of(250, 1, 5, S("the list listens"));
}

static struct smtp_reply accept_route(struct session *s, const struct route *route)
{
        s->envelope.route = route->kind;
        if (route_is_command(route->kind))
                return accept_command(s, route);
        switch (route->kind) {
        case ROUTE_RETURN:
                return accept_return(s, route);
        case ROUTE_OWNER:
                return accept_owner(s);
        default:
                return accept_post(s);
        }
}

/* The first reading of the local part whose list exists decides. */
static struct smtp_reply accept_list(struct session *s, struct str local)
{
        struct inbound_envelope *e = &s->envelope;
        for (size_t nth = 0;; nth++) {
                struct route route = route_read(local, nth);
                if (route.kind == ROUTE_NONE)
                        return unknown_user();
                enum err err =
                        store_list_find(s->node->store, route.list, e->domain->name, &s->arena, &e->list);
                if (err == ERR_OK)
                        return accept_route(s, &route);
                if (err != ERR_NOT_FOUND)
                        return inbound_store_trouble(s->node, err);
        }
}

/* admin-request@: no list's, even if there is one of the name "admin". */
static struct smtp_reply accept_admin(struct session *s)
{
        if (s->node->admin.n == 0)
                return smtp_reply_of(
                        550, 7, 1, S("this server has no admin who could ask it by mail (--admin)"));
        if (s->envelope.sender.n == 0)
                return refuse_automatic();
        s->target = &admin_in;
        return smtp_reply_of(250, 1, 5, S("the admin is heard"));
}

static struct smtp_reply accept_at_domain(struct session *s, struct str local)
{
        struct route route = route_read(local, 0);
        if (route.kind == ROUTE_SIGNED)
                return accept_signed(s, route.token);
        if (route.kind == ROUTE_POSTMASTER)
                return accept_forward(s);
        if (s->node->admin_local.n > 0 && str_eq_nocase(local, s->node->admin_local))
                return accept_forward(s);
        if (str_eq_nocase(local, S(ADMIN_LOCAL)))
                return accept_admin(s);
        return accept_list(s, local);
}

static void log_refused_recipient(
        struct session *s, const struct smtp_path *to, const struct smtp_reply *reply)
{
        struct log_line l;
        log_begin(&l, s->node->host, LOG_INFO, "smtp", "recipient-refused");
        log_ip_port(&l, "peer", &s->envelope.peer);
        log_str(&l, "from", s->envelope.sender);
        log_str(&l, "to", to->mailbox);
        log_u64(&l, "code", reply->code);
        log_str(&l, "text", reply->text);
        log_end(&l);
}

/* The domain whose address it is. Postmaster is known without any, and with abuse at our own name, too: those of our first
 * domain (RFC 5321 4.5.1). */
static const struct lipap_domain *domain_of(
        const struct lipap *node, const struct smtp_path *to, struct str local)
{
        const struct lipap_domain *domain = lipap_domain_find(node, to->domain);
        bool is_of_host =
                smtp_path_is_postmaster(to) ||
                (str_eq_nocase(to->domain, node->hostname) && route_read(local, 0).kind == ROUTE_POSTMASTER);
        return !domain && is_of_host ? &node->domains[0] : domain;
}

static struct smtp_reply judge_recipient(struct session *s, const struct smtp_path *to)
{
        struct inbound_envelope *e = &s->envelope;
        char plain[SMTP_PATH_MAX];
        struct wr local;
        wr_init(&local, plain, sizeof plain);
        mail_local_unquote(&local, to->local);
        e->domain = domain_of(s->node, to, wr_text(&local));
        if (!e->domain)
                return smtp_reply_of(550, 7, 1, S("that domain is not served here, and nothing is relayed"));
        return wr_end(&local) == ERR_OK ? accept_at_domain(s, wr_text(&local)) : unknown_user();
}

static struct smtp_reply on_rcpt(void *ctx, const struct smtp_path *to)
{
        struct session *s = ctx;
        const struct inbound_target *first = s->target;
        const struct inbound_envelope before = s->envelope;
        const struct arena arena_before = s->arena;
        if (first && str_eq_nocase(to->mailbox, before.recipient))
                return smtp_reply_of(250, 1, 5, S("named already"));
        s->target = NULL;
        struct smtp_reply reply = judge_recipient(s, to);
        if (s->target && first) { /* RFC 5321 4.5.3.1.10; one that cannot be at all is told so at once */
                s->target = NULL;
                reply = smtp_reply_of(452, 5, 3, S("one address a message, send it again to the others"));
        } else if (s->target && arena_copy(&s->arena, to->mailbox, &s->envelope.recipient) != ERR_OK) {
                s->target = NULL;
                reply = temporary_memory();
        }
        if (!s->target) { /* the next one begins where this one began */
                log_refused_recipient(s, to, &reply);
                s->target = first;
                s->envelope = before;
                s->arena = arena_before;
        }
        return reply;
}

/* ---- the message ---- */

static struct smtp_reply on_data(void *ctx)
{
        struct session *s = ctx;
        if (!s->target)
                return smtp_reply_of(554, 5, 1, S("no valid recipient"));
        return s->target->begin(&s->envelope, &s->state);
}

static void on_body(void *ctx, struct str bytes)
{
        struct session *s = ctx;
        s->target->body(s->state, bytes);
}

static struct smtp_reply on_end(void *ctx, const struct smtpd_message *message)
{
        struct session *s = ctx;
        struct smtp_reply reply = s->target->end(s->state, message->size, message->has_8bit);
        struct wr text;
        wr_init(&text, s->node->end_text, sizeof s->node->end_text);
        wr_str(&text,
                str_take(reply.text, sizeof s->node->end_text)); /* it may lie in the arena, which goes now */
        reply.text = wr_text(&text);
        s->state = NULL;
        end_transaction(s);
        return reply;
}

static void on_replied(void *ctx, enum smtp_server_event_kind asked, const struct smtp_reply *reply)
{
        struct session *s = ctx;
        lipap_count_reply(&s->node->stats, asked, reply);
}

static struct tls_context *on_secure(void *ctx)
{
        struct session *s = ctx;
        return s->node->identity.context;
}

static void on_secured(void *ctx, const struct tls *tls, const char *fault)
{
        struct session *s = ctx;
        struct log_line l;
        s->envelope.is_secured = tls != NULL;
        *(tls ? &s->node->stats.tls_in : &s->node->stats.tls_in_failed) += 1;
        log_begin(&l, s->node->host, tls ? LOG_DEBUG : LOG_INFO, "smtp", tls ? "tls" : "tls-failed");
        log_ip_port(&l, "peer", &s->envelope.peer);
        if (tls) {
                log_c(&l, "version", tls_version_text(tls));
                log_c(&l, "cipher", tls_cipher_text(tls));
        } else {
                log_c(&l, "why", fault);
        }
        log_end(&l);
}

static const struct smtpd_handler handler = {
        .connect = on_connect,
        .hello = on_hello,
        .mail = on_mail,
        .rcpt = on_rcpt,
        .data = on_data,
        .body = on_body,
        .end = on_end,
        .reset = on_reset,
        .replied = on_replied,
        .secure = on_secure,
        .secured = on_secured,
};

bool inbound_is_favoured(void *ctx, const struct ip_port *peer)
{
        const struct lipap *node = ctx;
        return lipap_is_signer(node, &peer->ip) || lipap_is_proxy(node, &peer->ip);
}

static struct smtpd_config config_of(struct session *s)
{
        struct lipap *node = s->node;
        bool is_signer = lipap_is_signer(node, &s->envelope.peer.ip);
        /* Who will be refused need not wait for that. */
        bool is_greeted_late = !is_signer && on_connect(s).code == 220;
        struct smtpd_config config = {
                .server = {.hostname = node->hostname,
                        .message_max = node->message_max,
                        .greet_ms = is_greeted_late ? node->greet_ms : 0},
                .gate = &node->gate,
                .is_favoured = is_signer,
                .tarpit_ms = is_signer ? 0 : node->tarpit_ms,
        };
        config.server.offer = (struct smtp_extensions){.pipelining = true,
                .size = true,
                .mime_8bit = true,
                .smtputf8 = true,
                .chunking = true,
                .starttls = node->identity.context != NULL,
                .enhanced = true};
        if (is_signer) /* a signed copy is larger than the message that came in */
                config.server.message_max += LIPAP_FRONT_MAX + LIPAP_PREFIX_MAX;
        return config;
}

void inbound_session(void *ctx, struct host_tcp *tcp, const struct ip_port *peer)
{
        struct lipap *node = ctx;
        struct ip_port from;
        if (!proxied_peer(node, tcp, peer, &from))
                return;
        struct session *s = calloc(1, sizeof *s);
        if (!s)
                return; /* closed without a word: the peer tries again */
        s->node = node;
        s->envelope.peer = from;
        s->of_address = peers_enter(&node->peers, &s->peer, &from.ip);
        end_transaction(s);
        const struct smtpd_config config = config_of(s);
        (void)smtpd_run(node->host, tcp, &config, &handler, s);
        end_transaction(s);
        peers_leave(&node->peers, &s->peer);
        free(s);
}

void inbound_forget(struct lipap *node)
{
        post_in_forget(node);
        for (struct inbound_memory *m; (m = node->spare_memory) != NULL; free(m))
                node->spare_memory = m->next;
}
