/* SPDX-License-Identifier: ISC */
/* lipap, the mailing-list server: reads the command line, opens the image, wires the fibers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/options.h"
#include "auth/key.h"
#include "base/quantity.h"
#include "host/linux/linux.h"
#include "host/log.h"
#include "mail/address.h"
#include "serve/delivery.h"
#include "serve/handover.h"
#include "serve/inbound.h"
#include "serve/lipap.h"
#include "store/lists.h"
#include "store/messages.h"

#define SMTP_PORT 25
#define SECRET_MAX 1024
#define LISTENERS_MAX 8
#define DOMAINS_ARENA (256 * 1024)

static const struct option_spec specs[] = {
        {"image", 0, "IMAGE", false, "the image that ptt prepared"},
        {"domain", 0, "D", true, "a domain whose lists are served"},
        {"hostname", 0, "H", false, "our name in SMTP, as the MX record has it"},
        {"signer", 0, "IP", true, "where nec listens"},
        {"signer-network", 0, "CIDR", true, "from where signed copies are taken back"},
        {"nameserver", 0, "SERVER", true, "udp:IP[:PORT] or tcp:IP[:PORT], a full resolver"},
        {"password", 0, "BASE64", false, "what tokens in return paths are derived from"},
        {"password-file", 0, "FILE", false, "the same, from a file"},
        {"old-password", 0, "BASE64", true, "its tokens are still accepted"},
        {"admin", 0, "[LOCAL:]EMAIL", false, "gets the mail to postmaster, abuse and LOCAL"},
        {"listen", 0, "IP:PORT", true, "default 0.0.0.0:25"},
        {"max-message", 0, "SIZE", false, "default 25M"},
        {"retry", 0, "T", false,
                "pause before the second try of a delivery, default 5m; it doubles up to 4h"},
        {"name", 0, "LABEL", false, "stands in each log line"},
        {"help", 0, NULL, false, "print this"},
        {"version", 0, NULL, false, "print the version"},
        {NULL, 0, NULL, false, NULL},
};

struct program {
        struct options options;
        struct lipap node;
        struct host *host;
        struct str image;
        struct dns_server nameservers[RESOLVER_SERVERS_MAX];
        size_t nameserver_count;
        struct ip_port listens[LISTENERS_MAX];
        size_t listen_count;
        struct key_password passwords[LIPAP_PASSWORDS_MAX];
        size_t password_count;
        struct scope *scope; /* of everything that serves */
        int status;
};

/* ---- the command line ---- */

static int complain(const char *what, struct str value)
{
        fprintf(stderr, "lipap: %s%s%.*s\n", what, value.n > 0 ? ": " : "", STR_ARG(value));
        return EXIT_USAGE;
}

static int read_domains(struct program *p)
{
        struct str value;
        for (size_t i = 0; options_nth(&p->options, "domain", i, &value); i++) {
                if (p->node.domain_count == LIPAP_DOMAINS_MAX)
                        return complain("too many of --domain", value);
                if (!mail_domain_is_valid(value, MAIL_ASCII))
                        return complain("--domain is not a domain name", value);
                p->node.domains[p->node.domain_count++].name = value;
        }
        if (p->node.domain_count == 0)
                return complain("--domain is missing", S(""));
        if (!options_value(&p->options, "hostname", &p->node.hostname))
                return complain("--hostname is missing", S(""));
        if (!mail_domain_is_valid(p->node.hostname, MAIL_ASCII))
                return complain("--hostname is not a host name", p->node.hostname);
        return 0;
}

static int read_network(struct program *p)
{
        struct str value;
        struct lipap *n = &p->node;
        for (size_t i = 0; options_nth(&p->options, "signer", i, &value); i++, n->signer_count++)
                if (i == LIPAP_SIGNERS_MAX || ip_port_parse(value, SMTP_PORT, &n->signers[i]) != ERR_OK)
                        return complain("--signer is not an address", value);
        for (size_t i = 0; options_nth(&p->options, "signer-network", i, &value);
                i++, n->signer_network_count++)
                if (i == LIPAP_SIGNERS_MAX || ip_net_parse(value, &n->signer_networks[i]) != ERR_OK)
                        return complain("--signer-network is not a network", value);
        for (size_t i = 0; options_nth(&p->options, "nameserver", i, &value); i++, p->nameserver_count++)
                if (i == RESOLVER_SERVERS_MAX || dns_server_parse(value, &p->nameservers[i]) != ERR_OK)
                        return complain("--nameserver is not a name server", value);
        for (size_t i = 0; options_nth(&p->options, "listen", i, &value); i++, p->listen_count++)
                if (i == LISTENERS_MAX || ip_port_parse(value, SMTP_PORT, &p->listens[i]) != ERR_OK)
                        return complain("--listen is not an address", value);
        if (p->listen_count == 0)
                p->listens[p->listen_count++] = (struct ip_port){.ip = ip_v4(0, 0, 0, 0), .port = SMTP_PORT};
        if (n->signer_count == 0)
                return complain("--signer is missing", S(""));
        if (n->signer_network_count == 0)
                return complain("--signer-network is missing", S(""));
        if (p->nameserver_count == 0)
                return complain("--nameserver is missing", S(""));
        return 0;
}

static int read_password(struct program *p, struct str text, const char *option)
{
        if (p->password_count == LIPAP_PASSWORDS_MAX)
                return complain("too many of --old-password", S(""));
        enum err e = key_password_parse(text, &p->passwords[p->password_count++]);
        if (e == ERR_DENIED)
                fprintf(stderr, "lipap: %s is shorter than %d bytes\n", option, PASSWORD_MIN);
        else if (e != ERR_OK)
                fprintf(stderr, "lipap: %s is not a password in base64\n", option);
        return e == ERR_OK ? 0 : EXIT_USAGE;
}

static int read_passwords(struct program *p)
{
        char secret[SECRET_MAX];
        struct str value, file;
        bool has_value = options_value(&p->options, "password", &value);
        bool has_file = options_value(&p->options, "password-file", &file);
        int status;
        if (has_value == has_file)
                return complain("give one of --password and --password-file", S(""));
        if (has_file) {
                enum err e = options_secret_file(file, secret, sizeof secret, &value);
                if (e != ERR_OK)
                        return complain("--password-file cannot be read", file);
        }
        status = read_password(p, value, has_file ? "--password-file" : "--password");
        memset(secret, 0, sizeof secret);
        for (size_t i = 0; status == 0 && options_nth(&p->options, "old-password", i, &value); i++)
                status = read_password(p, value, "--old-password");
        return status;
}

static int read_rest(struct program *p)
{
        struct str value, local, email;
        struct mail_address address;
        p->node.message_max = MAIL_MESSAGE_MAX;
        p->node.retry_first_ms = DELIVERY_RETRY_FIRST_MS;
        p->node.delivery_port = SMTP_PORT;
        if (!options_value(&p->options, "image", &p->image))
                return complain("--image is missing", S(""));
        if (options_value(&p->options, "max-message", &value) &&
                (quantity_size_parse(value, &p->node.message_max) != ERR_OK || p->node.message_max < 65536))
                return complain(
                        "--max-message is not a size of at least 64K", value); /* RFC 5321 4.5.3.1.7 */
        if (options_value(&p->options, "retry", &value)) {
                int64_t seconds;
                if (quantity_duration_parse(value, &seconds) != ERR_OK || seconds < 1)
                        return complain("--retry is not a duration", value);
                p->node.retry_first_ms = seconds * 1000;
        }
        if (options_value(&p->options, "admin", &value)) {
                if (!str_cut(value, ':', &local, &email)) {
                        email = value;
                        local = (struct str){NULL, 0};
                }
                if (mail_mailbox_parse(email, MAIL_ASCII, &address) != ERR_OK)
                        return complain("--admin is not [LOCAL:]EMAIL", value);
                p->node.admin = email;
                p->node.admin_local = local;
        }
        return 0;
}

static int read_options(struct program *p, int argc, char **argv)
{
        int status = 0;
        if (options_parse(specs, argc, argv, &p->options) != ERR_OK) {
                fprintf(stderr, "lipap: %s\n", p->options.message);
                return EXIT_USAGE;
        }
        if (options_has(&p->options, "help")) {
                printf("lipap: mailing-list server\n\n");
                options_help(stdout, specs);
                exit(0);
        }
        if (options_has(&p->options, "version")) {
                printf("lipap %s\n", PTT_VERSION);
                exit(0);
        }
        if (p->options.arguments_count > 0)
                return complain("unexpected argument", p->options.arguments[0]);
        status = read_domains(p);
        if (status == 0)
                status = read_network(p);
        if (status == 0)
                status = read_passwords(p);
        if (status == 0)
                status = read_rest(p);
        return status;
}

/* ---- start ---- */

static void log_plain(
        struct program *p, enum log_level level, const char *event, const char *key, struct str value)
{
        struct log_line l;
        log_begin(&l, p->host, level, "lipap", event);
        if (key)
                log_str(&l, key, value);
        log_end(&l);
}

static enum err derive_keys(struct program *p)
{
        enum err e = ERR_OK;
        for (size_t i = 0; i < p->node.domain_count; i++) {
                struct lipap_domain *d = &p->node.domains[i];
                for (size_t k = 0; e == ERR_OK && k < p->password_count; k++) {
                        struct key_seed seed;
                        e = key_seed_derive(&p->passwords[k], d->name, &seed);
                        if (e == ERR_OK)
                                e = token_key_derive(
                                        str_of(seed.bytes, sizeof seed.bytes), &d->keys[d->key_count++]);
                        key_seed_wipe(&seed);
                }
        }
        for (size_t k = 0; k < p->password_count; k++)
                key_password_wipe(&p->passwords[k]);
        return e;
}

static enum err open_store(struct program *p)
{
        const char *why;
        enum err e = store_open_as(p->host, p->image, STORE_SERVER, &why, &p->node.store);
        if (e == ERR_OK)
                return e;
        struct log_line l;
        log_begin(&l, p->host, LOG_ERROR, "lipap", "image-refused");
        log_str(&l, "image", p->image);
        log_err(&l, e);
        if (why[0])
                log_c(&l, "why", why);
        log_c(&l, "hint",
                e == ERR_BUSY          ? "another process has it open"
                : e == ERR_NOT_FOUND   ? "make it with ptt create"
                : e == ERR_UNSUPPORTED ? "no image, or of a newer version"
                : e == ERR_CORRUPT     ? "run ptt check --repair --not-running, or restore it from a copy"
                                       : "look at the disk and its rights");
        log_end(&l);
        return e;
}

/* Lists of a domain that is not served are named, and their mail is refused. */
static enum err name_unserved(struct program *p)
{
        char *memory = malloc(DOMAINS_ARENA);
        struct arena arena;
        struct str *domains;
        size_t count = 0;
        if (!memory)
                return ERR_MEMORY;
        arena_init(&arena, memory, DOMAINS_ARENA);
        enum err e = store_domains(p->node.store, &arena, &domains, &count);
        for (size_t i = 0; e == ERR_OK && i < count; i++) {
                struct store_list *lists;
                size_t lists_count = 0;
                if (lipap_domain_find(&p->node, domains[i]))
                        continue;
                e = store_lists(p->node.store, domains[i], &arena, &lists, &lists_count);
                for (size_t k = 0; e == ERR_OK && k < lists_count; k++) {
                        struct log_line l;
                        log_begin(&l, p->host, LOG_WARN, "lipap", "list-not-served");
                        log_str(&l, "list", lists[k].name);
                        log_str(&l, "domain", lists[k].domain);
                        log_c(&l, "hint", "its domain is none of --domain: mail to it is refused");
                        log_end(&l);
                }
        }
        free(memory);
        return e;
}

/* ---- serving ---- */

struct listening {
        struct program *program;
        struct host_listener *listener;
};

static void listen_run(void *arg)
{
        struct listening *listening = arg;
        struct lipap *node = &listening->program->node;
        struct smtpd_listen_config config = {.host = node->host,
                .listener = listening->listener,
                .gate = &node->gate,
                .session = inbound_session,
                .ctx = node};
        (void)smtpd_listen(&config);
}

/* The end of the program: a signal, or a disk that failed. */
static void wait_run(void *arg)
{
        struct program *p = arg;
        while (linux_host_wait_stop(p->host) != ERR_OK && !fiber_is_cancelled(p->host->sched))
                ;
        scope_cancel(p->scope);
}

/* What is told of messages that are done is kept for a while, not for ever. */
static void forget_run(void *arg)
{
        struct program *p = arg;
        do {
                size_t count = HISTORY_BATCH;
                enum err e = ERR_OK;
                while (e == ERR_OK && count >= HISTORY_BATCH)
                        e = store_forget(p->node.store, host_wall_ms(p->host) - HISTORY_LIFE_MS,
                                HISTORY_BATCH, &count);
        } while (fiber_sleep(p->host->sched, 60LL * 60 * 1000) == ERR_OK);
}

static void watch_run(void *arg)
{
        struct program *p = arg;
        while (fiber_sleep(p->host->sched, 200) == ERR_OK)
                if (store_is_broken(p->node.store)) {
                        log_plain(p, LOG_ERROR, "storage-failed", "hint",
                                S("nothing more is accepted; ending"));
                        p->status = 1;
                        scope_cancel(p->scope);
                        return;
                }
}

static enum err open_listeners(struct program *p, struct listening *out)
{
        for (size_t i = 0; i < p->listen_count; i++) {
                struct log_line l;
                enum err e = host_listen(p->host, &p->listens[i], &out[i].listener);
                log_begin(&l, p->host, e == ERR_OK ? LOG_INFO : LOG_ERROR, "lipap",
                        e == ERR_OK ? "listening" : "listen-failed");
                log_ip_port(&l, "at", &p->listens[i]);
                if (e != ERR_OK)
                        log_err(&l, e);
                log_end(&l);
                if (e != ERR_OK)
                        return e;
                out[i].program = p;
        }
        return ERR_OK;
}

static enum err spawn_all(struct program *p, struct listening *listening)
{
        enum err e = scope_spawn(p->scope, "handover", handover_run, &p->node);
        if (e == ERR_OK)
                e = scope_spawn(p->scope, "delivery", delivery_run, &p->node);
        if (e == ERR_OK)
                e = scope_spawn(p->scope, "stop", wait_run, p);
        if (e == ERR_OK)
                e = scope_spawn(p->scope, "watch", watch_run, p);
        if (e == ERR_OK)
                e = scope_spawn(p->scope, "forget", forget_run, p);
        for (size_t i = 0; e == ERR_OK && i < p->listen_count; i++)
                e = scope_spawn(p->scope, "listen", listen_run, &listening[i]);
        return e;
}

/* Inside the scope of the store fiber: everything that serves, until it has ended. */
static void serve(struct program *p)
{
        struct listening listening[LISTENERS_MAX] = {0};
        struct resolver_config config = {.servers = p->nameservers, .server_count = p->nameserver_count};
        struct scope scope;
        p->node.resolver = resolver_new(p->host, &config);
        p->scope = &scope;
        p->status = 1;
        if (p->node.resolver && name_unserved(p) == ERR_OK && open_listeners(p, listening) == ERR_OK) {
                scope_open(&scope, p->host->sched, FIBER_NEVER);
                p->status = 0;
                if (spawn_all(p, listening) != ERR_OK) {
                        p->status = 1;
                        scope_cancel(&scope);
                } else {
                        log_plain(p, LOG_INFO, "ready", "hostname", p->node.hostname);
                }
                (void)scope_join(&scope);
        }
        for (size_t i = 0; i < p->listen_count; i++)
                if (listening[i].listener)
                        host_listener_close(p->host, listening[i].listener);
        if (p->node.resolver)
                resolver_free(p->node.resolver);
}

static void lipap_main(void *arg)
{
        struct program *p = arg;
        struct scope store_scope;
        p->node.host = p->host;
        p->node.gate.most = LIPAP_SESSIONS_MAX;
        p->status = 1;
        log_plain(p, LOG_INFO, "start", "version", S(PTT_VERSION));
        if (derive_keys(p) != ERR_OK || open_store(p) != ERR_OK)
                return;
        scope_open(&store_scope, p->host->sched, FIBER_NEVER);
        if (store_start(p->node.store, &store_scope) == ERR_OK)
                serve(p);
        scope_cancel(&store_scope);
        (void)scope_join(&store_scope);
        store_close(p->node.store);
        log_plain(p, LOG_INFO, "stop", NULL, S(""));
}

int main(int argc, char **argv)
{
        static struct program program;
        struct str label;
        int status = read_options(&program, argc, argv);
        if (status != 0)
                return status;
        linux_take_descriptors();
        program.host = linux_host_new(options_value(&program.options, "name", &label) ? label.p : NULL);
        if (!program.host) {
                fprintf(stderr, "lipap: out of memory or descriptors\n");
                return 1;
        }
        linux_host_run(program.host, lipap_main, &program);
        linux_host_free(program.host);
        return program.status;
}
