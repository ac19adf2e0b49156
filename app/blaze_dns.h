/* SPDX-License-Identifier: ISC */
/* DNS for blaze: from files (BLAZE_DNS_STATIC), or from the servers of -n or /etc/resolv.conf. */
#ifndef APP_BLAZE_DNS_H
#define APP_BLAZE_DNS_H

#include <stdbool.h>
#include <stddef.h>

#include "app/options.h"
#include "base/arena.h"
#include "base/limits.h"
#include "dns/known.h"
#include "serve/resolver.h"

#define BLAZE_TEXTS_MAX 16      /* TXT records of one name that are looked at */
#define BLAZE_DNS_WAIT_MS 20000 /* for all answers of one round */
#define BLAZE_QUESTIONS_MAX 512 /* of one message: SPF may need half of them */

enum blaze_txt_status {
        BLAZE_TXT_FOUND,
        BLAZE_TXT_NONE,   /* no such name, or no TXT record there */
        BLAZE_TXT_TROUBLE /* no answer */
};

struct blaze_txt {
        struct str name;
        enum blaze_txt_status status;
        size_t count;
        struct str texts[BLAZE_TEXTS_MAX]; /* borrowed from the blaze_dns */
};

struct blaze_dns {
        const char *folder; /* BLAZE_DNS_STATIC, or NULL */
        struct dns_server servers[RESOLVER_SERVERS_MAX];
        size_t servers_count;
        struct arena arena;     /* what answers live in */
        struct dns_known known; /* for what asks again, in the arena too */
        void *memory;           /* owned, of the arena */
};

#define BLAZE_NAMESERVER_OPTION                                                     \
        {                                                                           \
                "nameserver", 'n', "PROTO:IP[:PORT]", true,                         \
                        "DNS server, such as tcp:9.9.9.9; default /etc/resolv.conf" \
        }

/*   true, or false after saying what is wrong */
bool blaze_dns_init(struct blaze_dns *d, const struct options *o);
void blaze_dns_drop(struct blaze_dns *d);
/* Ask all that is wanted in `known` at once, and give it the answers. */
void blaze_dns_answer(struct blaze_dns *d);
/* Ask all questions (`name` set) at once for TXT records and wait for the answers. */
void blaze_dns_ask(struct blaze_dns *d, struct blaze_txt *list, size_t count);

#endif
