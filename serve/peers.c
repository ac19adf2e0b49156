/* SPDX-License-Identifier: ISC */
#include "serve/peers.h"

#include <string.h>

#include "base/siphash.h"

static struct ip key_of(const struct ip *ip)
{
        struct ip key = *ip;
        if (key.family == 6)
                memset(key.b + 8, 0, 8);
        return key;
}

static struct peer **bucket(struct peers *p, const struct ip *key)
{
        return &p->buckets[siphash(p->key, str_of(key->b, sizeof key->b)) % PEERS_BUCKETS];
}

size_t peers_enter(struct peers *p, struct peer *peer, const struct ip *ip)
{
        size_t count = 1;
        peer->key = key_of(ip);
        struct peer **head = bucket(p, &peer->key);
        for (const struct peer *other = *head; other; other = other->next)
                count += ip_eq(&other->key, &peer->key);
        peer->next = *head;
        *head = peer;
        return count;
}

void peers_leave(struct peers *p, struct peer *peer)
{
        if (peer->key.family == 0)
                return;
        for (struct peer **at = bucket(p, &peer->key); *at; at = &(*at)->next)
                if (*at == peer) {
                        *at = peer->next;
                        break;
                }
        peer->key.family = 0;
}
