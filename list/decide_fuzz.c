/* SPDX-License-Identifier: ISC */
#include "list/decide_rights.h"
#include "list/decide_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const addresses[] = {"ann@a.example", "Bob@b.example", "mod@m.example", "x+y@a.example"};
#define ADDRESSES (sizeof addresses / sizeof addresses[0])

/* Bytes of a case, zeros behind its end. */
struct source {
        struct str rest;
};

static uint8_t take(struct source *s)
{
        uint8_t b = s->rest.n > 0 ? (uint8_t)s->rest.p[0] : 0;
        s->rest = str_skip(s->rest, 1);
        return b;
}

static void watch(
        void *ctx, const struct command *command, const struct decide_facts *f, const struct decision *d)
{
        const struct world *w = ctx;
        const bool is_confirmed = w->run.actor_size > 0 && (!command || command->kind != COMMAND_CONFIRM);
        rights_check(&(struct rights){.command = command, .f = f, .d = d, .is_confirmed = is_confirmed});
}

static void people(struct world *w, struct source *s)
{
        for (size_t i = 0; i < ADDRESSES; i++) {
                struct world_person *p = world_person(w, str_of_c(addresses[i]));
                uint8_t b = take(s);
                p->is_member = b & 1;
                p->is_moderator = b & 2;
                p->is_banned = b & 4;
                p->options[OPTION_NOMAIL] = b & 8;
                p->options[OPTION_OWN_POSTS] = b & 16;
                p->options[OPTION_APPROVED] = b & 32;
        }
}

static void requests(struct world *w, struct source *s)
{
        for (unsigned n = take(s) % 8; n > 0; n--) {
                struct str address = str_of_c(addresses[take(s) % ADDRESSES]);
                enum request_purpose purpose = 1 + take(s) % (REQUEST_PURPOSES - 1);
                struct str kept[] = {S("ban x@x.example\nset posting open\n"), S("remove bob@b.example\n"),
                        S("what\n"), S("")};
                if (purpose != REQUEST_POST && world_waiting(w, purpose, address).id != 0)
                        continue;
                int64_t id = world_add_request(w, purpose, address, kept[take(s) % 4]);
                w->requests[id - 1].made_ms -= take(s) % 9 * WORLD_DAY_MS;
        }
}

static void mail(struct world *w, struct source *s)
{
        struct world_mail m = {.route = ROUTE_SUBSCRIBE + take(s) % (ROUTE_REJECT - ROUTE_SUBSCRIBE + 1),
                .author = str_of_c(addresses[take(s) % ADDRESSES]),
                .proof = take(s) % 3,
                .token = take(s) % 10,
                .is_token_stale = take(s) & 1};
        size_t n = take(s) * 4U;
        m.user = str_of_c((const char *[]){"bob=b.example", "ann=a.example", "x"}[take(s) % 3]);
        m.subject = S("");
        m.text = str_take(s->rest, n);
        s->rest = str_skip(s->rest, n);
        if (take(s) & 1)
                m.subject = m.text;
        (void)world_mail(w, &m, watch, w);
        w->now_ms += take(s) % 4 * (WORLD_DAY_MS / 2);
}

/* A list with people and requests takes mails one after another: no decision goes beyond its rights, every action can be
 * carried out, and whatever is kept can be read again. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const char *const subscriptions[] = {"", "confirm", "open", "closed"};
        static struct world w;
        struct source s = {str_of(data, size)};
        memset(&w, 0, sizeof w);
        w.now_ms = 1000 * WORLD_DAY_MS;
        struct str subscription = str_of_c(subscriptions[take(&s) % 4]);
        memcpy(w.values[SETTING_SUBSCRIPTION], subscription.p, subscription.n);
        w.crowd_of_domain = take(&s) % 2 * DECIDE_DOMAIN_REQUESTS_MAX;
        people(&w, &s);
        requests(&w, &s);
        for (int i = 0; i < 4 && s.rest.n > 0; i++)
                mail(&w, &s);
        return 0;
}
